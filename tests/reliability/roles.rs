//! Roles that are not seen yet, that may not do what they should, or that are gone: nothing moves until they are mended.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};
use serde_json::json;

use crate::{
    engine::End,
    gate::Gate,
    stories::Story,
    tools::{allow, iam, make_hook, make_role, remove_hook, remove_role, role_of, trust_in},
    world::World,
};

const SPEED: u32 = 600;
const CODE_DEPLOY: [&str; 4] = [
    "lambda:GetAlias",
    "lambda:UpdateAlias",
    "lambda:GetProvisionedConcurrencyConfig",
    "cloudwatch:DescribeAlarms",
];

/// What was declared is refused with all of these words, and nothing has moved.
async fn is_refused(story: &mut Story<'_>, declared: &PropertyMap, words: &[&str]) {
    let gate = Gate::before(&story.world.endpoint).await;
    story.rollout.endpoint.clone_from(&gate.url);
    let before = story.world.serves(story.function, "stable").await;
    let End::Failed(message) = story.rollout.up(declared).await else { panic!("it was not refused") };
    for word in words {
        assert!(message.contains(word), "\"{word}\" is missing: {message}");
    }
    let started = gate.calls().into_iter().any(|call| call.operation == "CreateDeployment");
    assert!(!started, "a deployment was started");
    assert_eq!(story.world.serves(story.function, "stable").await, before);
    story.rollout.endpoint.clone_from(&story.world.endpoint);
}

fn with(mut declared: PropertyMap, key: &str, value: PropertyValue) -> PropertyMap {
    declared.insert(key.to_owned(), value);
    declared
}

fn guarded(declared: PropertyMap) -> PropertyMap {
    let hooks = properties([("beforeTraffic", "guard".into())]);
    with(declared, "hooks", PropertyValue::Object(hooks))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_that_codedeploy_does_not_see_yet_is_waited_for() {
    let world = World::start_with(SPEED, &["--iam-delay", "30"]).await;
    world.make_function("unseen").await;
    let first = world.publish("unseen", "first", true).await;
    let second = world.publish("unseen", "second", true).await;
    let mut story = Story::new(&world, "unseen");
    assert_eq!(story.rollout.up(&story.declared(&first)).await, End::Done);
    assert_eq!(story.rollout.up(&story.declared(&second)).await, End::Done);
    story.settles(&second, &second).await;
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brought_role_that_does_not_trust_codedeploy_is_refused_until_it_does() {
    let world = World::start(SPEED).await;
    let role = make_role(&world, "theirs", "lambda.amazonaws.com").await;
    allow(&world, "theirs", &CODE_DEPLOY).await;
    world.make_function("trust").await;
    let first = world.publish("trust", "first", true).await;
    let second = world.publish("trust", "second", true).await;
    let mut story = Story::new(&world, "trust");
    let declared = |story: &Story<'_>, version: &str| {
        with(story.declared(version), "serviceRoleArn", role.as_str().into())
    };
    let inputs = declared(&story, &first);
    is_refused(&mut story, &inputs, &["trust policy", "codedeploy.amazonaws.com"]).await;
    trust_in(&world, "theirs", "codedeploy.amazonaws.com").await;
    story.settles_as(&inputs, &first).await;

    // It loses the trust between two updates.
    trust_in(&world, "theirs", "lambda.amazonaws.com").await;
    let inputs = declared(&story, &second);
    let End::Failed(message) = story.rollout.up(&inputs).await else { panic!("it was not refused") };
    assert!(message.contains("it must trust codedeploy.amazonaws.com"), "{message}");
    assert_eq!(world.serves("trust", "stable").await, [(first, 100.0)]);
    trust_in(&world, "theirs", "codedeploy.amazonaws.com").await;
    // CodeDeploy's failure says nothing about the version, so it is deployed again.
    assert_eq!(story.rollout.up(&inputs).await, End::Done);
    assert_eq!(story.rollout.up(&inputs).await, End::Same);
    assert_eq!(world.serves("trust", "stable").await, [(second, 100.0)]);
    story.vanishes().await;
    remove_role(&world, "theirs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_ours_that_somebody_deleted_is_made_again() {
    let world = World::start(SPEED).await;
    world.make_function("gone").await;
    let first = world.publish("gone", "first", true).await;
    let second = world.publish("gone", "second", true).await;
    let mut story = Story::new(&world, "gone");
    story.settles(&first, &first).await;
    remove_role(&world, &role_of(&world, "gone").await).await;
    story.settles(&second, &second).await;
    story.vanishes().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boundary_that_keeps_our_role_from_the_hook_is_refused_until_it_does_not() {
    let world = World::start(SPEED).await;
    make_hook(&world, "guard", "").await;
    let iam = iam(&world);
    let boundary = |actions: &[&str]| {
        json!({ "Statement": { "Effect": "Allow", "Action": actions, "Resource": "*" } }).to_string()
    };
    let policy = iam.create_policy().policy_name("boundary").policy_document(boundary(&CODE_DEPLOY)).send();
    let arn = policy.await.unwrap().policy.unwrap().arn.unwrap();
    world.make_function("bound").await;
    let first = world.publish("bound", "first", true).await;
    let second = world.publish("bound", "second", true).await;
    let mut story = Story::new(&world, "bound");
    let declared = |story: &Story<'_>, version: &str| {
        guarded(with(story.declared(version), "permissionsBoundary", arn.as_str().into()))
    };
    let inputs = declared(&story, &first);
    story.settles_as(&inputs, &first).await;
    let inputs = declared(&story, &second);
    is_refused(&mut story, &inputs, &["guard", "permissions boundary", &arn, "lambda:InvokeFunction"]).await;

    let more = [&CODE_DEPLOY[..], &["lambda:InvokeFunction"]].concat();
    let mended = iam.create_policy_version().policy_arn(&arn).policy_document(boundary(&more));
    mended.set_as_default(true).send().await.unwrap();
    story.settles_as(&inputs, &second).await;
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_a_brought_role_may_not_call_is_refused_until_it_may() {
    let world = World::start(SPEED).await;
    make_hook(&world, "guard", "").await;
    let role = make_role(&world, "theirs", "codedeploy.amazonaws.com").await;
    allow(&world, "theirs", &CODE_DEPLOY).await;
    world.make_function("call").await;
    let first = world.publish("call", "first", true).await;
    let second = world.publish("call", "second", true).await;
    let mut story = Story::new(&world, "call");
    let declared = |story: &Story<'_>, version: &str| {
        guarded(with(story.declared(version), "serviceRoleArn", role.as_str().into()))
    };
    let inputs = declared(&story, &first);
    story.settles_as(&inputs, &first).await;
    let inputs = declared(&story, &second);
    is_refused(&mut story, &inputs, &["guard", "may not call hook", "lambda:InvokeFunction"]).await;
    allow(&world, "theirs", &[&CODE_DEPLOY[..], &["lambda:InvokeFunction"]].concat()).await;
    // The hook's own role loses what it needs.
    allow(&world, "guard-role", &["s3:GetObject"]).await;
    is_refused(&mut story, &inputs, &["could never report", "PutLifecycleEventHookExecutionStatus"]).await;
    allow(&world, "guard-role", &["codedeploy:PutLifecycleEventHookExecutionStatus"]).await;
    story.settles_as(&inputs, &second).await;
    story.vanishes().await;
    remove_hook(&world, "guard").await;
    remove_role(&world, "theirs").await;
}
