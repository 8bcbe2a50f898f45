//! What Lambda allows: versions that are not ready, that are gone, or that cannot share traffic, and functions that go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_lambda::types::DeadLetterConfig;
use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};
use serde_json::json;

use crate::{
    engine::End,
    gate::{Gate, Verdict},
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

fn routed(mut declared: PropertyMap, strategy: PropertyMap) -> PropertyMap {
    declared.insert("strategy".to_owned(), PropertyValue::Object(strategy));
    declared
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_pending_is_waited_for() {
    let world = World::start(SPEED).await;
    world.make_function("pending").await;
    let first = world.publish("pending", "first", true).await;
    let second = world.publish("pending", "second", true).await;
    let mut story = Story::new(&world, "pending");
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let looked = Arc::new(AtomicUsize::new(0));
    let early = Arc::new(AtomicBool::new(false));
    let (counted, started_early) = (Arc::clone(&looked), Arc::clone(&early));
    gate.judge(move |call| {
        let about_it = call.is("/configuration") && call.is("Qualifier=2");
        if call.operation == "CreateDeployment" {
            started_early.fetch_or(counted.load(Ordering::SeqCst) < 3, Ordering::SeqCst);
        }
        if about_it && counted.fetch_add(1, Ordering::SeqCst) < 3 {
            return Verdict::Change(|version| version["State"] = json!("Pending"));
        }
        Verdict::Pass
    });
    story.settles(&second, &second).await;
    assert!(looked.load(Ordering::SeqCst) > 3, "it did not look again");
    assert!(!early.load(Ordering::SeqCst), "it was started before the version was active");
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_gone_is_refused_and_nothing_moves() {
    let world = World::start(SPEED).await;
    world.make_function("missing").await;
    let first = world.publish("missing", "first", true).await;
    let second = world.publish("missing", "second", true).await;
    let third = world.publish("missing", "third", true).await;
    let mut story = Story::new(&world, "missing");
    story.settles(&first, &first).await;
    world.lambda.delete_function().function_name("missing").qualifier(&second).send().await.unwrap();
    let message = story.rollout.up(&story.declared(&second)).await.failed();
    assert!(
        message.contains("version 2 of missing does not exist") && message.contains("publish"),
        "{message}"
    );
    assert_eq!(world.serves("missing", "stable").await, [(first, 100.0)]);
    story.settles(&third, &third).await;
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_cannot_share_traffic_are_refused_unless_all_of_it_moves_at_once() {
    let world = World::start(SPEED).await;
    world.make_function("unlike").await;
    let first = world.publish("unlike", "first", true).await;
    let change = || world.lambda.update_function_configuration().function_name("unlike");
    change().role("arn:aws:iam::000000000000:role/another").send().await.unwrap();
    let second = world.publish("unlike", "another role", true).await;
    let queue = DeadLetterConfig::builder().target_arn("arn:aws:sqs:us-east-1:000000000000:dead").build();
    change().dead_letter_config(queue).send().await.unwrap();
    let third = world.publish("unlike", "a dead-letter queue", true).await;
    let mut story = Story::new(&world, "unlike");
    story.settles(&first, &first).await;
    let weighted = [
        properties([("type", "canary".into()), ("interval", "1 minute".into())]),
        properties([("type", "linear".into()), ("percentage", 50.0.into()), ("interval", "1 minute".into())]),
    ];
    for (serving, version, what) in
        [(&first, &second, "execution roles"), (&second, &third, "dead-letter queues")]
    {
        for strategy in &weighted {
            let declared = routed(story.declared(version), strategy.clone());
            let message = story.rollout.up(&declared).await.failed();
            assert!(message.contains(what) && message.contains("allAtOnce"), "{message}");
            assert_eq!(world.serves("unlike", "stable").await, [(serving.clone(), 100.0)]);
        }
        let declared = routed(story.declared(version), properties([("type", "allAtOnce".into())]));
        story.settles_as(&declared, version).await;
    }
    story.vanishes().await;
}

/// Its setting cannot be changed while the alias has weights; it is never ours to touch.
#[tokio::test(flavor = "multi_thread")]
async fn provisioned_concurrency_on_the_alias_outlives_a_rollout() {
    let world = World::start(SPEED).await;
    world.make_function("warm").await;
    let first = world.publish("warm", "first", true).await;
    let second = world.publish("warm", "second", true).await;
    let bad = world.publish("warm", "bad", false).await;
    let mut story = Story::new(&world, "warm");
    story.settles(&first, &first).await;
    let put = world.lambda.put_provisioned_concurrency_config().function_name("warm").qualifier("stable");
    put.provisioned_concurrent_executions(2).send().await.unwrap();
    story.settles(&second, &second).await;
    story.settles(&bad, &second).await;
    let kept = world.lambda.get_provisioned_concurrency_config().function_name("warm").qualifier("stable");
    assert_eq!(kept.send().await.unwrap().requested_provisioned_concurrent_executions, Some(2));
    story.vanishes().await;
}

/// The first shift waits for it, on the way there, and nobody takes that for a deployment that hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_shift_that_waits_for_provisioned_concurrency_is_waited_for() {
    const PROVISIONING: Duration = Duration::from_mins(25);
    let world = World::start_with(SPEED, &["--provisioning", &PROVISIONING.as_secs().to_string()]).await;
    world.make_function("slow").await;
    let first = world.publish("slow", "first", true).await;
    let second = world.publish("slow", "second", true).await;
    let mut story = Story::new(&world, "slow");
    story.settles(&first, &first).await;
    let put = world.lambda.put_provisioned_concurrency_config().function_name("slow").qualifier("stable");
    put.provisioned_concurrent_executions(2).send().await.unwrap();
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let started = tokio::time::Instant::now();
    let declared = story.declared(&second);
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    let least = (PROVISIONING + Duration::from_mins(2 + 1)) / SPEED;
    assert!(started.elapsed() >= least, "it did not wait: {:?}", started.elapsed());
    assert_eq!(gate.count("StopDeployment"), 0);
    story.settles(&second, &second).await;
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_deleted_under_a_rollout_fails_it_and_leaves_nothing() {
    let world = World::start(SPEED).await;
    world.make_function("lost").await;
    let first = world.publish("lost", "first", true).await;
    let second = world.publish("lost", "second", true).await;
    let mut story = Story::new(&world, "lost");
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let strategy = properties([
        ("type", "linear".into()),
        ("percentage", 10.0.into()),
        ("interval", "5 minutes".into()),
    ]);
    let declared = routed(story.declared(&second), strategy);
    let deletes = async {
        gate.saw("BatchGetDeployments", 1).await;
        world.lambda.delete_function().function_name("lost").send().await.unwrap();
    };
    let (end, ()) = tokio::join!(story.rollout.up(&declared), deletes);
    let message = end.failed();
    assert!(message.contains("lost"), "{message}");
    // Nobody claims that something serves.
    assert!(!message.contains("stable → version"), "{message}");
    let message = story.rollout.up(&declared).await.failed();
    assert!(message.contains("version 2 of lost does not exist"), "{message}");
    story.vanishes().await;
}
