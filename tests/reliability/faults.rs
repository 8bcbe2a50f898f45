//! Calls go wrong at random: whatever is lost, plain updates put it right once the trouble is over.

use futures_util::future::join_all;

use crate::{proxy::Trouble, soak, stories::Story, world::World};

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
            for seed in (lane..runs).step_by(usize::try_from(lanes).unwrap()) {
                tell_it(&world, &function, percent, seed).await;
            }
        };
        join_all((0..lanes).map(one_lane)).await;
        soak::tell(&format!("{percent} of 100 calls go wrong"), runs);
    }))
    .await;
}

/// A first version, a second one, a bad one that is refused, and the end.
async fn tell_it(world: &World, function: &str, percent: u8, seed: u64) {
    let first = world.publish(function, &format!("{seed} first"), true).await;
    let second = world.publish(function, &format!("{seed} second"), true).await;
    let bad = world.publish(function, &format!("{seed} bad"), false).await;
    let trouble = |step: u64| Trouble { faults: Some((percent, seed * 10 + step)), ..Trouble::default() };
    let mut story = Story::new(world, function);
    for (step, version, serving) in [(1, &first, &first), (2, &second, &second), (3, &bad, &second)] {
        story.rollout.up_with(&story.declared(version), trouble(step)).await;
        story.settles(version, serving).await;
    }
    story.rollout.destroy_with(trouble(4)).await;
    story.vanishes().await;
}
