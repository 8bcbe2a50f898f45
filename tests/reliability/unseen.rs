//! A rollout has failed, and what the alias serves then cannot be read: nobody claims to know, and the next update
//! finds out and puts it right.

use aws_sdk_cloudwatch::types::StateValue;
use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::End,
    gate::{Gate, Verdict},
    stories::Story,
    tools::{make_patient_hook, remove_hook},
    world::World,
};

const SPEED: u32 = 600;

/// A story with an alarm, whose first version serves and whose second one is well but for the alarm.
async fn served<'a>(world: &'a World, function: &'a str) -> Story<'a> {
    world.make_function(function).await;
    world.publish(function, "first", true).await;
    world.publish(function, "second", true).await;
    let alarm = format!("{function}-latency");
    world.make_alarm(&alarm).await;
    let mut story = Story::new(world, function);
    story.alarm = Some(alarm);
    story.settles("1", "1").await;
    story
}

/// An update in which the alarm fires once `time` has come, and from then on the alias cannot be read.
async fn fails_unseen(story: &mut Story<'_>, declared: &PropertyMap, time: impl Future<Output = ()>) {
    let gate = Gate::before(&story.world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let alarm = story.alarm.clone().unwrap();
    let world = story.world;
    let fires = async {
        time.await;
        gate.judge(|call| {
            let reads_alias = call.is("GET /") && call.is("/aliases/stable");
            if reads_alias { Verdict::Refuse(403, "AccessDeniedException") } else { Verdict::Pass }
        });
        world.set_alarm(&alarm, StateValue::Alarm).await;
    };
    let (end, ()) = tokio::join!(story.rollout.up(declared), fires);
    let message = end.failed();
    assert!(message.contains("what is served now is not known"), "{message}");
    assert!(message.contains("could not be read") && message.contains("get-alias"), "{message}");
    assert!(!message.contains("stable →"), "it claims to know what is served: {message}");
    story.rollout.endpoint.clone_from(&world.endpoint);
    world.set_alarm(&alarm, StateValue::Ok).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_nobody_saw_is_noticed_by_the_next_update() {
    let world = World::start(SPEED).await;
    let mut story = served(&world, "late").await;
    let declared = story.declared_slowly("2");
    fails_unseen(&mut story, &declared, world.until_split("late", "stable")).await;
    world.until_quiet("late").await;
    assert_eq!(world.serves("late", "stable").await, [("1".to_owned(), 100.0)]);
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    assert_eq!(story.rollout.output("servingVersion"), "1");
    assert_eq!(story.rollout.output("failedVersion"), "2");
    assert_eq!(story.rollout.up(&declared).await, End::Same);
    assert_eq!(world.deployments("late").await.len(), 1, "a version that failed was deployed again");
    story.vanishes().await;
}

/// Without a rollback the version that failed has all the traffic, and no run has seen it there.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_failed_unseen_does_not_keep_the_traffic() {
    let world = World::start(SPEED).await;
    make_patient_hook(&world, "guard").await;
    let mut story = served(&world, "kept").await;
    let mut declared = story.declared("2");
    let hooks = properties([("afterTraffic", "guard".into())]);
    declared.insert("hooks".to_owned(), PropertyValue::Object(hooks));
    declared.insert("strategy".to_owned(), PropertyValue::Object(properties([("type", "allAtOnce".into())])));
    declared.insert("autoRollback".to_owned(), PropertyValue::Array(Vec::new()));
    fails_unseen(&mut story, &declared, world.until_served("kept", "stable", "2")).await;
    assert_eq!(world.serves("kept", "stable").await, [("2".to_owned(), 100.0)]);
    story.settles_as(&declared, "1").await;
    assert_eq!(story.rollout.output("servingVersion"), "1");
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}
