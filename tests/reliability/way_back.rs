//! A way back is the provider's own rollback of a version that failed under all of the traffic. Nobody stops it.

use lambda_rollout::pulumi::{PropertyValue, properties};

use crate::{
    engine::End,
    gate::{Call, Gate, Verdict},
    stories::Story,
    tools::{make_patient_hook, release, remove_hook},
    world::World,
};

/// The hook that holds the way back has two minutes.
const SPEED: u32 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_destroy_waits_for_a_way_back_and_never_stops_it() {
    let world = World::start(SPEED).await;
    make_patient_hook(&world, "guard").await;
    world.make_function("back").await;
    let good = world.publish("back", "good", true).await;
    let bad = world.publish("back", "bad", true).await;
    let mut story = Story::new(&world, "back");
    let mut declared = story.declared(&good);
    let hooks = properties([("beforeTraffic", "guard".into())]);
    declared.insert("hooks".to_owned(), PropertyValue::Object(hooks));
    assert_eq!(story.rollout.up(&declared).await, End::Done);

    // What a run leaves that was killed in the moment in which it had started the way back.
    world.put_alias("back", "stable", &bad).await;
    let description = format!("back:stable: back from version {bad} to {good}");
    world.deploy_as("back", &bad, &good, &description, Some("guard")).await.unwrap();
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let removes = |call: &Call| call.is("DELETE /") && call.is("/aliases/stable");
    gate.judge(move |call| if removes(call) { Verdict::Hold } else { Verdict::Pass });
    let released = async {
        tokio::select! {
            () = gate.saw("BatchGetDeployments", 2) => {}
            () = gate.saw("StopDeployment", 1) => {}
        }
        release(&world, "guard").await;
        gate.saw("DELETE /2015-03-31/functions/back/aliases/stable", 1).await;
        let served = world.serves("back", "stable").await;
        gate.open();
        served
    };
    let (end, served) = tokio::join!(story.rollout.destroy(), released);
    assert_eq!(end, End::Done);
    assert_eq!(gate.count("StopDeployment"), 0, "the way back was stopped");
    assert_eq!(served, [(good, 100.0)], "the alias went before the way back was done");
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}
