//! The provider dies before and after each of its calls, in every operation.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::{End, Resource},
    proxy::{Moment, Point},
    world::World,
};

const SPEED: u32 = 600;

fn declared(function: &str, version: &str) -> PropertyMap {
    let strategy = properties([("type", "canary".into()), ("interval", "1 minute".into())]);
    properties([
        ("functionName", function.into()),
        ("version", version.into()),
        ("strategy", PropertyValue::Object(strategy)),
        ("bake", "1 minute".into()),
    ])
}

/// What an update must have come to, whatever happened before it.
async fn settle(world: &World, rollout: &mut Resource, function: &str, version: &str) {
    let inputs = declared(function, version);
    let end = rollout.up(&inputs, None).await;
    assert!(matches!(end, End::Done | End::Same), "{end:?}");
    assert_eq!(world.serves(function, "stable").await, [(version.to_owned(), 100.0)]);
    assert_eq!(world.serves(function, "latest").await, [(version.to_owned(), 100.0)]);
    let deployed = world.deployed(function).await;
    let mut once = deployed.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), deployed.len(), "a version was deployed twice: {deployed:?}");
    assert_eq!(rollout.up(&inputs, None).await, End::Same);
    assert_eq!(rollout.calls, 0, "an update without a change asks AWS");
}

async fn vanish(world: &World, rollout: &mut Resource, function: &str) {
    assert_eq!(rollout.destroy(None).await, End::Done);
    assert_eq!(world.pieces_of(function).await, Vec::<String>::new());
}

/// Every point of an operation: `run` is given one after the other, until one is beyond the operation's end.
async fn at_every_point(mut run: impl AsyncFnMut(Point) -> End) -> usize {
    let mut points = 0;
    for moment in [Moment::Before, Moment::After] {
        for call in 1.. {
            if run(Point { call, moment }).await != End::Died {
                break;
            }
            points += 1;
        }
    }
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_create_is_finished_by_the_next_update() {
    let world = World::start(SPEED).await;
    world.make_function("create").await;
    let version = world.publish("create", "first", true).await;
    let points = at_every_point(async |point| {
        let mut rollout = Resource::new("FunctionRollout", "create", &world.endpoint, world.speed);
        let end = rollout.up(&declared("create", &version), Some(point)).await;
        settle(&world, &mut rollout, "create", &version).await;
        vanish(&world, &mut rollout, "create").await;
        end
    })
    .await;
    println!("create: {points} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_update_is_finished_by_the_next_one() {
    let world = World::start(SPEED).await;
    world.make_function("update").await;
    let old = world.publish("update", "old", true).await;
    let new = world.publish("update", "new", true).await;
    let points = at_every_point(async |point| {
        let mut rollout = Resource::new("FunctionRollout", "update", &world.endpoint, world.speed);
        assert_eq!(rollout.up(&declared("update", &old), None).await, End::Done);
        let end = rollout.up(&declared("update", &new), Some(point)).await;
        settle(&world, &mut rollout, "update", &new).await;
        vanish(&world, &mut rollout, "update").await;
        end
    })
    .await;
    println!("update: {points} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_delete_is_finished_by_the_next_one() {
    let world = World::start(SPEED).await;
    world.make_function("delete").await;
    let version = world.publish("delete", "only", true).await;
    let points = at_every_point(async |point| {
        let mut rollout = Resource::new("FunctionRollout", "delete", &world.endpoint, world.speed);
        assert_eq!(rollout.up(&declared("delete", &version), None).await, End::Done);
        let end = rollout.destroy(Some(point)).await;
        if end == End::Died {
            vanish(&world, &mut rollout, "delete").await;
        }
        end
    })
    .await;
    println!("delete: {points} points");
}
