//! What an earlier declaration made and could not be removed: it is remembered, and goes as soon as it can.

use lambda_rollout::pulumi::PropertyMap;

use crate::{
    engine::End,
    gate::{Gate, Verdict},
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

fn in_application(mut declared: PropertyMap, name: &str) -> PropertyMap {
    declared.insert("applicationName".to_owned(), name.into());
    declared
}

/// An application waits for its group: both are remembered, and both are gone in the end.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_whose_group_cannot_be_deleted_yet_is_not_forgotten() {
    let world = World::start(SPEED).await;
    world.make_function("moved").await;
    let version = world.publish("moved", "only", true).await;
    for ends_with_an_update in [true, false] {
        let mut story = Story::new(&world, "moved");
        story.settles(&version, &version).await;
        let gate = Gate::before(&world.endpoint).await;
        story.rollout.endpoint.clone_from(&gate.url);
        gate.judge(|call| {
            let denied = call.is("DeleteDeploymentGroup");
            if denied { Verdict::Refuse(400, "AccessDeniedException") } else { Verdict::Pass }
        });
        let mut declared = in_application(story.declared(&version), "moved-elsewhere");
        assert_eq!(story.rollout.up(&declared).await, End::Done);
        gate.open();
        if ends_with_an_update {
            declared.insert("bake".to_owned(), "2 minutes".into());
            story.settles_as(&declared, &version).await;
            let pieces = world.pieces_of("rollout-moved.stable").await;
            let old = pieces.iter().find(|piece| piece.contains(r#""name":"rollout-moved.stable""#));
            assert_eq!(old, None, "the application of the earlier declaration is still there");
        }
        story.vanishes().await;
    }
}
