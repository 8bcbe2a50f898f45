//! The service role goes, or what it may do, in the middle of a deployment, and its rollback cannot use it either.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::End,
    stories::Story,
    tools::{allow, make_role, remove_policies, remove_role, role_of},
    world::World,
};

/// A tenth of the traffic moves every three seconds.
const SPEED: u32 = 600;
const CODE_DEPLOY: [&str; 4] = [
    "lambda:GetAlias",
    "lambda:UpdateAlias",
    "lambda:GetProvisionedConcurrencyConfig",
    "cloudwatch:DescribeAlarms",
];

fn step_by_step(mut declared: PropertyMap) -> PropertyMap {
    let strategy =
        [("type", "linear".into()), ("percentage", 10.0.into()), ("interval", "30 minutes".into())];
    declared.insert("strategy".to_owned(), PropertyValue::Object(properties(strategy)));
    declared
}

/// An update in which `lost` happens as soon as traffic is split. It fails, and says what is served, why, and what to do.
async fn fails_split(
    story: &mut Story<'_>,
    declared: &PropertyMap,
    lost: impl Future<Output = ()>,
    code: &str,
) {
    let world = story.world;
    let function = story.function;
    let happens = async {
        world.until_split(function, "stable").await;
        lost.await;
    };
    let (end, ()) = tokio::join!(story.rollout.up(declared), happens);
    let message = end.failed();
    assert!(message.contains("THE ROLLBACK OF VERSION 2 FAILED"), "{message}");
    let served = world.serves(function, "stable").await;
    let [(main, _), (second, percent)] = served.as_slice() else { panic!("{served:?}") };
    assert_eq!((main.as_str(), second.as_str()), ("1", "2"));
    let split = format!("stable → version 1 and version 2 ({percent:.0} %)");
    assert!(message.contains(&split), "\"{split}\" is missing: {message}");
    assert!(message.contains(code) && message.contains("check the service role"), "{message}");
    assert!(message.contains("aws lambda update-alias --function-name"), "{message}");
    assert_eq!(story.rollout.output("failedVersion"), "", "the version was blamed: {message}");
}

async fn a_role_of_ours_that_goes(function: &str, whole: bool, code: &str) {
    let world = World::start(SPEED).await;
    world.make_function(function).await;
    world.publish(function, "first", true).await;
    world.publish(function, "second", true).await;
    let mut story = Story::new(&world, function);
    story.settles("1", "1").await;
    let declared = step_by_step(story.declared("2"));
    let role = role_of(&world, function).await;
    let goes = async {
        if whole {
            remove_role(&world, &role).await;
        } else {
            remove_policies(&world, &role).await;
        }
    };
    Box::pin(fails_split(&mut story, &declared, goes, code)).await;
    // It is made again, the alias is put back, and the version, which nobody has judged, is deployed.
    let declared = story.declared("2");
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    assert_eq!(story.rollout.up(&declared).await, End::Same);
    assert_eq!(world.serves(function, "stable").await, [("2".to_owned(), 100.0)]);
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_ours_that_is_deleted_under_a_deployment_is_made_again() {
    a_role_of_ours_that_goes("rolegone", true, "IAM_ROLE_MISSING").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_ours_that_is_deleted_under_a_deployment_is_made_again() {
    a_role_of_ours_that_goes("rolebare", false, "IAM_ROLE_PERMISSIONS").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brought_role_that_is_deleted_under_a_deployment_is_waited_for() {
    let world = World::start(SPEED).await;
    let make = async || {
        let role = make_role(&world, "theirs", "codedeploy.amazonaws.com").await;
        allow(&world, "theirs", &CODE_DEPLOY).await;
        role
    };
    let role = make().await;
    world.make_function("brought").await;
    world.publish("brought", "first", true).await;
    world.publish("brought", "second", true).await;
    let mut story = Story::new(&world, "brought");
    let declared = |declared: PropertyMap| {
        let mut declared = step_by_step(declared);
        declared.insert("serviceRoleArn".to_owned(), role.as_str().into());
        declared
    };
    let inputs = declared(story.declared("1"));
    assert_eq!(story.rollout.up(&inputs).await, End::Done);
    let inputs = declared(story.declared("2"));
    Box::pin(fails_split(&mut story, &inputs, remove_role(&world, "theirs"), "IAM_ROLE_MISSING")).await;
    // Whoever brought it has to mend it; until then all traffic is where it was.
    let message = story.rollout.up(&inputs).await.failed();
    assert!(message.contains("role/theirs") && message.contains("check the service role"), "{message}");
    assert!(message.contains("stable → version 1, 100 %"), "{message}");
    assert_eq!(world.serves("brought", "stable").await, [("1".to_owned(), 100.0)]);
    make().await;
    let mut inputs = story.declared("2");
    inputs.insert("serviceRoleArn".to_owned(), role.as_str().into());
    assert_eq!(story.rollout.up(&inputs).await, End::Done);
    assert_eq!(story.rollout.up(&inputs).await, End::Same);
    assert_eq!(world.serves("brought", "stable").await, [("2".to_owned(), 100.0)]);
    story.vanishes().await;
    remove_role(&world, "theirs").await;
}
