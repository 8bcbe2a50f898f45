//! Hooks that crash, that take their time, and that several rollouts share: only what surely never reports is stopped.

use aws_sdk_lambda::types::{DestinationConfig, OnFailure};
use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::End,
    gate::Gate,
    stories::Story,
    tools::{make_hook, remove_hook},
    world::World,
};

/// CodeDeploy's hour is fifteen seconds, in which a busy machine has to start a hook three times.
const SPEED: u32 = 240;
/// Half an hour of CodeDeploy's.
const SLOW: &str = "await new Promise((resolve) => setTimeout(resolve, 7_500));";
/// More than that hour.
const TOO_SLOW: &str = "await new Promise((resolve) => setTimeout(resolve, 20_000));";

fn hooked(story: &Story<'_>, version: &str, hook: &str) -> PropertyMap {
    let mut declared = story.declared(version);
    let hooks = properties([("beforeTraffic", hook.into())]);
    declared.insert("hooks".to_owned(), PropertyValue::Object(hooks));
    declared
}

/// A function whose first version serves, and a gate that counts.
async fn served<'a>(world: &'a World, function: &'a str) -> (Story<'a>, Gate) {
    world.make_function(function).await;
    let first = world.publish(function, "first", true).await;
    world.publish(function, "second", true).await;
    let mut story = Story::new(world, function);
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    (story, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_slow_and_alive_is_waited_for() {
    let world = World::start(SPEED).await;
    make_hook(&world, "guard", SLOW).await;
    let (mut story, gate) = served(&world, "patient").await;
    let declared = hooked(&story, "2", "guard");
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    assert_eq!(gate.count("StopDeployment"), 0);
    story.settles_as(&declared, "2").await;
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}

/// One hook for both; it crashes for one of them, and says for which.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_rollouts_that_share_a_hook_only_the_one_for_which_it_crashed_is_stopped() {
    let world = World::start(SPEED).await;
    let fate = r#"if (description.startsWith("doomed")) throw new Error("lost " + deployment);"#;
    make_hook(&world, "guard", &format!("{fate}{SLOW}")).await;
    let (mut doomed, stops) = served(&world, "doomed").await;
    let (mut calm, none) = served(&world, "calm").await;
    let (for_doomed, for_calm) = (hooked(&doomed, "2", "guard"), hooked(&calm, "2", "guard"));
    let (failed, done) = tokio::join!(doomed.rollout.up(&for_doomed), calm.rollout.up(&for_calm));
    let End::Failed(message) = failed else { panic!("{failed:?}") };
    assert!(message.contains("crashed 3 times without reporting"), "{message}");
    assert_eq!(done, End::Done);
    assert_eq!((stops.count("StopDeployment"), none.count("StopDeployment")), (1, 0));
    assert_eq!(world.serves("doomed", "stable").await, [("1".to_owned(), 100.0)]);
    // A crash says nothing about the version: it is tried again, here without the hook.
    let without = doomed.declared("2");
    assert_eq!(doomed.rollout.up(&without).await, End::Done);
    assert_eq!(doomed.rollout.up(&without).await, End::Same);
    assert_eq!(world.serves("doomed", "stable").await, [("2".to_owned(), 100.0)]);
    calm.settles_as(&for_calm, "2").await;
    doomed.vanishes().await;
    calm.vanishes().await;
    remove_hook(&world, "guard").await;
}

/// It names no deployment, and another one may have been meant: CodeDeploy's own hour ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_that_may_be_of_another_rollout_stops_none() {
    let world = World::start(SPEED).await;
    make_hook(&world, "guard", r#"if (description.startsWith("doomed")) throw new Error("lost");"#).await;
    make_hook(&world, "other", TOO_SLOW).await;
    let (mut doomed, gate) = served(&world, "doomed").await;
    let (mut calm, none) = served(&world, "calm").await;
    let (for_doomed, for_calm) = (hooked(&doomed, "2", "guard"), hooked(&calm, "2", "other"));
    // The other one begins later, and so is there until the end.
    let later = async {
        gate.saw("CreateDeployment", 1).await;
        calm.rollout.up(&for_calm).await
    };
    let (failed, _) = tokio::join!(doomed.rollout.up(&for_doomed), later);
    let End::Failed(message) = failed else { panic!("{failed:?}") };
    assert!(message.contains("guard"), "{message}");
    assert_eq!((gate.count("StopDeployment"), none.count("StopDeployment")), (0, 0));
    assert_eq!(world.serves("doomed", "stable").await, [("1".to_owned(), 100.0)]);
    doomed.vanishes().await;
    calm.vanishes().await;
    remove_hook(&world, "guard").await;
    remove_hook(&world, "other").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_lambda_does_not_try_again_is_given_up_after_its_first_crash() {
    let world = World::start(SPEED).await;
    make_hook(&world, "guard", r#"throw new Error("lost");"#).await;
    let once =
        world.lambda.put_function_event_invoke_config().function_name("guard").maximum_retry_attempts(0);
    once.send().await.unwrap();
    let (mut story, gate) = served(&world, "once").await;
    let declared = hooked(&story, "2", "guard");
    let End::Failed(message) = story.rollout.up(&declared).await else { panic!("it was not told") };
    assert!(message.contains("crashed once without reporting"), "{message}");
    assert_eq!(gate.count("StopDeployment"), 1);
    assert_eq!(world.serves("once", "stable").await, [("1".to_owned(), 100.0)]);
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}

/// Whoever gets what the hook could not do may still report.
#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_failures_go_elsewhere_is_left_to_codedeploys_hour() {
    let world = World::start(SPEED).await;
    make_hook(&world, "guard", r#"throw new Error("lost");"#).await;
    let queue = OnFailure::builder().destination("arn:aws:sqs:us-east-1:000000000000:failures").build();
    let elsewhere = DestinationConfig::builder().on_failure(queue).build();
    let config =
        world.lambda.put_function_event_invoke_config().function_name("guard").maximum_retry_attempts(0);
    config.destination_config(elsewhere).send().await.unwrap();
    let (mut story, gate) = served(&world, "elsewhere").await;
    let declared = hooked(&story, "2", "guard");
    let End::Failed(message) = story.rollout.up(&declared).await else { panic!("it was not told") };
    assert!(message.contains("crashed once without reporting"), "{message}");
    assert_eq!(gate.count("StopDeployment"), 0);
    assert_eq!(world.serves("elsewhere", "stable").await, [("1".to_owned(), 100.0)]);
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}
