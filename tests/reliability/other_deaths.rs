//! The provider dies at each of its calls: the smaller resources, and what death.rs leaves out of the larger ones.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    death::{at_every_point, single},
    engine::{End, Resource},
    stories::Story,
    world::World,
};

const SPEED: u32 = 600;

/// A deployment that takes long enough to be met alive.
fn slow(mut declared: PropertyMap) -> PropertyMap {
    let strategy = properties([
        ("type", "linear".into()),
        ("percentage", 10.0.into()),
        ("interval", "30 minutes".into()),
    ]);
    declared.insert("strategy".to_owned(), PropertyValue::Object(strategy));
    declared
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_delete_of_a_live_deployment_is_finished_by_the_next_one() {
    let world = World::start(SPEED).await;
    world.make_function("stop").await;
    let old = world.publish("stop", "old", true).await;
    let new = world.publish("stop", "new", true).await;
    at_every_point("killed in the delete of a LambdaDeployment", async |point| {
        let mut theirs = Story::new(&world, "stop");
        assert_eq!(theirs.rollout.up(&slow(theirs.declared(&old))).await, End::Done);
        let mut deployment = Resource::new("LambdaDeployment", "stop", &world.endpoint, world.speed);
        assert_eq!(deployment.up(&single("stop", &new)).await, End::Done);
        let end = deployment.destroy_with(point).await;
        assert!(matches!(deployment.destroy().await, End::Done | End::Same));
        assert_eq!(world.serves("stop", "stable").await, [(old.clone(), 100.0)], "{end:?}");
        theirs.vanishes().await;
        end
    })
    .await;
}

/// An alias of its own with a URL and a permission.
fn alias(version: &str, with_url: bool) -> PropertyMap {
    let mut declared = properties([
        ("functionName", "alias".into()),
        ("aliasName", "live".into()),
        ("version", version.into()),
    ]);
    if with_url {
        let url = properties([("authorizationType", "NONE".into())]);
        declared.insert("functionUrl".to_owned(), PropertyValue::Object(url));
    } else {
        let permission = properties([("principal", "events.amazonaws.com".into())]);
        declared
            .insert("permissions".to_owned(), PropertyValue::Array(vec![PropertyValue::Object(permission)]));
    }
    declared
}

async fn is_as(world: &World, resource: &mut Resource, declared: &PropertyMap, version: &str) {
    let next = resource.up(declared).await;
    assert!(matches!(next, End::Done | End::Same), "{next:?}");
    assert_eq!(resource.up(declared).await, End::Same);
    assert_eq!(resource.calls, 0, "an update without a change asks AWS");
    assert_eq!(world.serves("alias", "live").await, [(version.to_owned(), 100.0)]);
    let url = world.lambda.get_function_url_config().function_name("alias").qualifier("live").send().await;
    assert_eq!(url.is_ok(), declared.contains_key("functionUrl"), "{url:?}");
}

async fn is_gone(world: &World, resource: &mut Resource) {
    assert!(matches!(resource.destroy().await, End::Done | End::Same));
    assert_eq!(world.pieces_of("alias").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_of_its_own_outlives_every_death() {
    let world = World::start(SPEED).await;
    world.make_function("alias").await;
    let one = world.publish("alias", "one", true).await;
    let two = world.publish("alias", "two", true).await;
    let made = || Resource::new("FunctionAlias", "alias", &world.endpoint, world.speed);
    at_every_point("killed in the create of a FunctionAlias", async |point| {
        let mut resource = made();
        let end = resource.up_with(&alias(&one, true), point).await;
        is_as(&world, &mut resource, &alias(&one, true), &one).await;
        is_gone(&world, &mut resource).await;
        end
    })
    .await;
    at_every_point("killed in the update of a FunctionAlias", async |point| {
        let mut resource = made();
        assert_eq!(resource.up(&alias(&one, true)).await, End::Done);
        let end = resource.up_with(&alias(&two, false), point).await;
        is_as(&world, &mut resource, &alias(&two, false), &two).await;
        is_gone(&world, &mut resource).await;
        end
    })
    .await;
    at_every_point("killed in the delete of a FunctionAlias", async |point| {
        let mut resource = made();
        assert_eq!(resource.up(&alias(&one, true)).await, End::Done);
        let end = resource.destroy_with(point).await;
        is_gone(&world, &mut resource).await;
        end
    })
    .await;
}

/// It makes nothing, so nothing can be lost: the next one waits for what is still on its way, and tells how it ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_waiter_waits_again() {
    let world = World::start(SPEED).await;
    world.make_function("waiter").await;
    let old = world.publish("waiter", "old", true).await;
    let new = world.publish("waiter", "new", true).await;
    at_every_point("killed in a DeploymentWaiter", async |point| {
        let mut theirs = Story::new(&world, "waiter");
        assert_eq!(theirs.rollout.up(&theirs.declared(&old)).await, End::Done);
        let mut deployment = Resource::new("LambdaDeployment", "waiter", &world.endpoint, world.speed);
        assert_eq!(deployment.up(&single("waiter", &new)).await, End::Done);
        let outputs = &deployment.state.as_ref().unwrap().outputs;
        let id = outputs["deploymentId"].as_str().unwrap().to_owned();
        let declared = properties([("deploymentId", id.as_str().into()), ("bake", "1 minute".into())]);
        let mut waiter = Resource::new("DeploymentWaiter", "waiter", &world.endpoint, world.speed);
        let end = waiter.up_with(&declared, point).await;
        assert!(matches!(waiter.up(&declared).await, End::Done | End::Same));
        let seen = waiter.state.as_ref().unwrap().outputs["deployments"].as_array().unwrap().to_vec();
        let told = seen[0].as_object().unwrap();
        assert_eq!((told["deploymentId"].as_str(), told["status"].as_str()), (Some(&*id), Some("Succeeded")));
        assert_eq!(waiter.up(&declared).await, End::Same);
        assert_eq!(waiter.destroy().await, End::Done);
        assert_eq!(deployment.destroy().await, End::Done);
        theirs.vanishes().await;
        end
    })
    .await;
}
