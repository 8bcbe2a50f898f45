//! Calls go wrong at random: whatever is lost, plain updates put it right once the trouble is over.

use crate::{proxy::Trouble, soak, stories::Story, world::World};

const SPEED: u32 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bad_network_leaves_is_put_right() {
    let world = World::start(SPEED).await;
    world.make_function("faults").await;
    let runs = if soak::is_on() { 100 } else { 2 };
    for percent in [5, 20, 50] {
        for seed in 0..runs {
            let first = world.publish("faults", &format!("{percent} {seed} first"), true).await;
            let second = world.publish("faults", &format!("{percent} {seed} second"), true).await;
            let bad = world.publish("faults", &format!("{percent} {seed} bad"), false).await;
            let mut story = Story::new(&world, "faults");
            for (step, (version, serving)) in
                [(&first, &first), (&second, &second), (&bad, &second)].into_iter().enumerate()
            {
                let trouble = Trouble { faults: Some((percent, seed * 10 + step as u64)), dies: None };
                story.rollout.up_with(&story.declared(version), trouble).await;
                story.settles(version, serving).await;
            }
            story.rollout.destroy_with(Trouble { faults: Some((percent, seed * 10 + 9)), dies: None }).await;
            story.vanishes().await;
        }
        soak::tell(&format!("{percent} of 100 calls go wrong"), runs);
    }
}
