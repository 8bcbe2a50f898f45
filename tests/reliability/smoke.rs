//! Smoke tests that Lambda does not run: that says nothing about the version.

use crate::{
    engine::End,
    gate::{Gate, Verdict},
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_without_concurrency_is_told_so_and_tried_again() {
    let world = World::start(SPEED).await;
    world.make_function("full").await;
    let first = world.publish("full", "first", true).await;
    let second = world.publish("full", "second", true).await;
    let mut story = Story::new(&world, "full");
    story.settles(&first, &first).await;
    let gate = Gate::before(&world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    gate.judge(|call| {
        if call.is("/invocations") { Verdict::Refuse(429, "TooManyRequestsException") } else { Verdict::Pass }
    });
    let declared = story.declared(&second);
    let message = story.rollout.up(&declared).await.failed();
    assert!(message.contains("could not run the smoke test"), "{message}");
    assert!(message.contains("the function has no concurrency left; give it more"), "{message}");
    assert!(!message.contains("requestsPerSecond"), "it blames the provider's own calls: {message}");
    assert_eq!(world.serves("full", "stable").await, [(first, 100.0)]);
    assert_eq!(world.deployments("full").await, []);
    assert_eq!(story.rollout.output("failedVersion"), "", "the version was blamed");
    assert_eq!(gate.count("/invocations"), 1, "an invocation was repeated");
    gate.open();
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    story.settles(&second, &second).await;
    story.vanishes().await;
}
