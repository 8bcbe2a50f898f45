//! Many rollouts in one provider, where AWS throttles: those who wait share their calls, and none of these is refused.

use std::time::Instant;

use futures_util::future::join_all;

use crate::{engine::Resource, proxy::Trouble, stories::Story, world::World};

const SPEED: u32 = 120;
const FUNCTIONS: [&str; 8] =
    ["accounts", "baskets", "catalogue", "coupons", "invoices", "orders", "payments", "refunds"];
/// The calls that are made again and again while somebody waits.
const REPEATED: [&str; 5] = [
    "BatchGetDeployments",
    "ListDeploymentTargets",
    "GetDeploymentTarget",
    "DescribeAlarms",
    "GetMetricData",
];

#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_ask_little_and_are_never_throttled() {
    let world = World::start_with(SPEED, &["--limits", "aws"]).await;
    let mut stories = Vec::new();
    for function in FUNCTIONS {
        world.make_function(function).await;
        let first = world.publish(function, "first", true).await;
        world.publish(function, "second", true).await;
        let mut story = Story::new(&world, function);
        story.settles(&first, &first).await;
        stories.push(story);
    }
    let begun = world.admin("journal").await["last"].as_u64().unwrap();
    let all = Resource::new("FunctionRollout", "all", &world.endpoint, SPEED);
    let provider = all.start(Trouble::default()).await;
    let started = Instant::now();
    join_all(stories.iter().map(|story| provider.update(&story.rollout, &story.declared("2")))).await;
    let seconds = started.elapsed().as_secs_f64() * f64::from(SPEED);
    drop(provider);

    let journal = world.admin(&format!("journal?since={begun}")).await;
    let calls = journal["calls"].as_array().unwrap();
    let of = |operation: &str| calls.iter().filter(|call| call["operation"] == operation).collect::<Vec<_>>();
    for operation in REPEATED {
        let refused = of(operation).into_iter().filter(|call| call["status"] != 200).count();
        assert_eq!(refused, 0, "{operation}");
    }
    // Each on its own, asking every five seconds, would make so many.
    let alone = count(FUNCTIONS.len()) * seconds / 5.0;
    let together = count(of("BatchGetDeployments").len());
    assert!(together < alone / 4.0, "{together} calls in {seconds:.0} s");
    for story in &mut stories {
        assert_eq!(world.serves(story.function, "stable").await, [("2".to_owned(), 100.0)]);
        story.settles("2", "2").await;
        story.vanishes().await;
    }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}
