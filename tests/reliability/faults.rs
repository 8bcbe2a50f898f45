//! Calls go wrong at random: whatever is lost, plain updates put it right once the trouble is over.

use aws_sdk_cloudwatch::types::StateValue;
use futures_util::future::join_all;

use crate::{
    proxy::Trouble,
    soak,
    stories::Story,
    world::{World, was_judged_bad},
};

const SPEED: u32 = 600;
/// Most of a run is waiting until a call is tried again, so many run side by side.
const LANES: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bad_network_leaves_is_put_right() {
    let world = World::start(SPEED).await;
    let (runs, lanes) = if soak::is_on() { (100, LANES) } else { (1, 1) };
    join_all([5, 20, 50].map(async |percent| {
        let one_lane = async |lane| {
            let function = format!("faults-{percent}-{lane}");
            world.make_function(&function).await;
            world.make_alarm(&format!("{function}-latency")).await;
            for seed in (lane..runs).step_by(usize::try_from(lanes).unwrap()) {
                tell_it(&world, &function, percent, seed).await;
            }
        };
        join_all((0..lanes).map(one_lane)).await;
        soak::tell(&format!("{percent} of 100 calls go wrong"), runs);
    }))
    .await;
}

/// The demo's story: a first version, a second one, one that an alarm takes back, one that mends it, one that the smoke
/// test refuses, and the end.
async fn tell_it(world: &World, function: &str, percent: u8, seed: u64) {
    let trouble = |step: u64| Trouble { faults: Some((percent, seed * 10 + step)), ..Trouble::default() };
    let publish = async |step: u64, well| world.publish(function, &format!("{seed} {step}"), well).await;
    let alarm = format!("{function}-latency");
    let mut story = Story::new(world, function);
    story.alarm = Some(alarm.clone());

    let mut serving = String::new();
    for step in [1, 2] {
        serving = publish(step, true).await;
        story.rollout.up_with(&story.declared(&serving), trouble(step)).await;
        story.settles(&serving, &serving).await;
    }

    let alarming = publish(3, true).await;
    let inputs = story.declared(&alarming);
    fire_when_split(world, function, &alarm, story.rollout.up_with(&inputs, trouble(3))).await;
    world.until_quiet(function).await;
    // In bad trouble the update may not have come as far as that.
    let judged = was_judged_bad(&world.deployments(function).await, &alarming);
    let kept = if judged { serving } else { alarming.clone() };
    story.settles(&alarming, &kept).await;

    let mended = publish(4, true).await;
    story.rollout.up_with(&story.declared(&mended), trouble(4)).await;
    story.settles(&mended, &mended).await;

    let refused = publish(5, false).await;
    story.rollout.up_with(&story.declared(&refused), trouble(5)).await;
    story.settles(&refused, &mended).await;

    story.rollout.destroy_with(trouble(6)).await;
    story.vanishes().await;
}

/// The user's alarm fires during an update, if traffic gets split.
async fn fire_when_split(world: &World, function: &str, alarm: &str, update: impl Future) {
    let mut update = Box::pin(update);
    tokio::select! {
        _ = &mut update => return,
        () = world.until_split(function, "stable") => world.set_alarm(alarm, StateValue::Alarm).await,
    }
    update.await;
    world.set_alarm(alarm, StateValue::Ok).await;
}
