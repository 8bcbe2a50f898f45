//! The provider dies before and after each of its calls, in every operation.

use lambda_rollout::pulumi::{PropertyMap, properties};

use crate::{
    engine::{End, Resource},
    proxy::{Moment, Point},
    soak,
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

/// Every point of an operation (every few of them, in the short run): `run` is given one after the other, until one is
/// beyond the operation's end.
pub(crate) async fn at_every_point(what: &str, mut run: impl AsyncFnMut(Point) -> End) {
    let step = if soak::is_on() { 1 } else { 5 };
    let mut points = 0;
    for moment in [Moment::Before, Moment::After] {
        for call in (1..).step_by(step) {
            if run(Point { call, moment }).await != End::Died {
                break;
            }
            points += 1;
        }
    }
    soak::tell(what, points);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_create_is_finished_by_the_next_update() {
    let world = World::start(SPEED).await;
    world.make_function("create").await;
    let version = world.publish("create", "first", true).await;
    at_every_point("killed in a create", async |point| {
        let mut story = Story::new(&world, "create");
        let end = story.rollout.up_with(&story.declared(&version), point).await;
        story.settles(&version, &version).await;
        story.vanishes().await;
        end
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_update_is_finished_by_the_next_one() {
    let world = World::start(SPEED).await;
    world.make_function("update").await;
    let old = world.publish("update", "old", true).await;
    let new = world.publish("update", "new", true).await;
    at_every_point("killed in an update", async |point| {
        let mut story = Story::new(&world, "update");
        assert_eq!(story.rollout.up(&story.declared(&old)).await, End::Done);
        let end = story.rollout.up_with(&story.declared(&new), point).await;
        story.settles(&new, &new).await;
        story.vanishes().await;
        end
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_killed_while_it_fails_never_leaves_the_bad_version_serving() {
    let world = World::start(SPEED).await;
    world.make_function("fail").await;
    let old = world.publish("fail", "old", true).await;
    let bad = world.publish("fail", "bad", false).await;
    at_every_point("killed in an update that fails", async |point| {
        let mut story = Story::new(&world, "fail");
        assert_eq!(story.rollout.up(&story.declared(&old)).await, End::Done);
        let end = story.rollout.up_with(&story.declared(&bad), point).await;
        story.settles(&bad, &old).await;
        story.vanishes().await;
        end
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_delete_is_finished_by_the_next_one() {
    let world = World::start(SPEED).await;
    world.make_function("delete").await;
    let version = world.publish("delete", "only", true).await;
    at_every_point("killed in a delete", async |point| {
        let mut story = Story::new(&world, "delete");
        assert_eq!(story.rollout.up(&story.declared(&version)).await, End::Done);
        let end = story.rollout.destroy_with(point).await;
        story.vanishes().await;
        end
    })
    .await;
}

/// The group and the alias are those of a rollout, which plays the part of somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_deployment_is_taken_up_by_the_next_update() {
    let world = World::start(SPEED).await;
    world.make_function("single").await;
    let old = world.publish("single", "old", true).await;
    let new = world.publish("single", "new", true).await;
    at_every_point("killed in a LambdaDeployment", async |point| {
        let mut theirs = Story::new(&world, "single");
        assert_eq!(theirs.rollout.up(&theirs.declared(&old)).await, End::Done);
        let mut deployment = Resource::new("LambdaDeployment", "single", &world.endpoint, world.speed);
        let inputs = single("single", &new);
        let end = deployment.up_with(&inputs, point).await;
        let next = deployment.up(&inputs).await;
        assert!(matches!(next, End::Done | End::Same), "{next:?}");
        assert_eq!(deployment.up(&inputs).await, End::Same);
        assert_eq!(world.deployments("single").await.len(), 1, "it was deployed twice");
        assert_eq!(deployment.destroy().await, End::Done);
        theirs.vanishes().await;
        end
    })
    .await;
}

pub(crate) fn single(function: &str, version: &str) -> PropertyMap {
    properties([
        ("applicationName", format!("rollout-{function}.stable").as_str().into()),
        ("deploymentGroupName", "stable".into()),
        ("functionName", function.into()),
        ("aliasName", "stable".into()),
        ("version", version.into()),
    ])
}
