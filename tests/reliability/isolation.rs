//! Many resources live in one provider: one that AWS keeps waiting holds up no other.

use crate::{
    engine::{End, Resource},
    gate::{Gate, Verdict},
    proxy::Trouble,
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_hangs_holds_up_no_other() {
    let world = World::start(SPEED).await;
    let mut stories = Vec::new();
    for function in ["held", "free"] {
        world.make_function(function).await;
        let first = world.publish(function, "first", true).await;
        world.publish(function, "second", true).await;
        let mut story = Story::new(&world, function);
        story.settles(&first, &first).await;
        stories.push(story);
    }
    let [mut held, mut free] = <[Story<'_>; 2]>::try_from(stories).ok().unwrap();
    // At the first look, at a piece, and with the deployment about to start: each of these calls hangs.
    for at in ["functions/held/aliases/stable", "GetDeploymentGroup", "CreateDeployment"] {
        let gate = Gate::before(&world.endpoint).await;
        let both = Resource::new("FunctionRollout", "both", &gate.url, SPEED);
        let provider = both.start(Trouble::default()).await;
        gate.judge(move |call| {
            let of_held = call.is("functions/held/") || call.body.contains("rollout-held.");
            if of_held && call.is(at) { Verdict::Hold } else { Verdict::Pass }
        });
        let mut hanging = Box::pin(provider.update(&held.rollout, &held.declared("2")));
        tokio::select! {
            () = &mut hanging => panic!("{at}: it did not hang"),
            () = provider.update(&free.rollout, &free.declared("2")) => {}
        }
        assert_eq!(world.serves("free", "stable").await, [("2".to_owned(), 100.0)], "{at}");
        assert_eq!(world.serves("held", "stable").await, [("1".to_owned(), 100.0)], "{at}");
        gate.open();
        hanging.await;
        drop(provider);
        for story in [&mut held, &mut free] {
            story.settles("2", "2").await;
            let back = story.declared("1");
            assert_eq!(story.rollout.up(&back).await, End::Done);
            story.vanishes().await;
            let first = story.declared("1");
            story.settles_as(&first, "1").await;
        }
    }
    held.vanishes().await;
    free.vanishes().await;
}
