//! AWS's clock and the machine's differ, or a rollout takes many hours.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use lambda_rollout::pulumi::{PropertyValue, properties};

use crate::{
    engine::End,
    gate::{Gate, Verdict},
    stories::Story,
    world::World,
};

/// Five minutes are ten seconds: more than the second to which AWS dates its answers, and than what is forgiven anyway.
const SPEED: u32 = 30;
const SKEW: i32 = 300;
/// Sixteen hours of a rollout are some seconds.
const FAST: u32 = 3600;

/// Whatever the difference, the bake is as long as it was declared, and nothing is deployed twice.
async fn a_rollout_under(skew: i32) {
    let world = World::start_with(SPEED, &["--clock-skew", &skew.to_string()]).await;
    world.make_function("skewed").await;
    let first = world.publish("skewed", "first", true).await;
    let second = world.publish("skewed", "second", true).await;
    let third = world.publish("skewed", "third", true).await;
    let mut story = Story::new(&world, "skewed");
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);

    let mut declared = story.declared(&second);
    declared.insert("bake".to_owned(), "2 minutes".into());
    let started = tokio::time::Instant::now();
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    let least = Duration::from_mins(1 + 2) / SPEED;
    assert!(started.elapsed() >= least, "the bake was cut short: {:?}", started.elapsed());
    // Every fifteen seconds of the bake, and not for minutes more.
    let looks = gate.count("DescribeAlarms");
    assert!(looks <= 20, "it looked {looks} times");

    // The answer is lost, and the deployment has ended when it is looked for.
    let lost = AtomicBool::new(false);
    gate.judge(move |call| {
        let first = call.is("CreateDeployment") && !call.is("Config") && !call.is("Group");
        if first && !lost.swap(true, Ordering::SeqCst) { Verdict::Lose } else { Verdict::Pass }
    });
    let mut declared = story.declared(&third);
    let strategy = properties([("type", "allAtOnce".into())]);
    declared.insert("strategy".to_owned(), PropertyValue::Object(strategy));
    story.settles_as(&declared, &third).await;
    assert_eq!(world.deployments("skewed").await.len(), 2);
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_behind_that_of_aws_changes_nothing() {
    a_rollout_under(SKEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ahead_of_that_of_aws_changes_nothing() {
    a_rollout_under(-SKEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_of_many_hours_asks_at_its_pace_and_ends_well() {
    let world = World::start(FAST).await;
    world.make_function("long").await;
    let first = world.publish("long", "first", true).await;
    let second = world.publish("long", "second", true).await;
    let mut story = Story::new(&world, "long");
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let mut declared = story.declared(&second);
    declared.insert("strategy".to_owned(), many_hours());
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    let looks = gate.count("BatchGetDeployments");
    // One every fifteen seconds, and some more around each of the ten shifts.
    assert!((10..=16 * 60 * 4 + 10 * 20).contains(&looks), "{looks} looks");
    story.settles_as(&declared, &second).await;
    story.vanishes().await;
}

/// A tenth every 96 minutes.
pub(crate) fn many_hours() -> PropertyValue {
    let strategy =
        [("type", "linear".into()), ("percentage", 10.0.into()), ("interval", "96 minutes".into())];
    PropertyValue::Object(properties(strategy))
}
