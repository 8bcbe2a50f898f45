//! A version is deleted under a rollout: the one that is to get traffic, or the one that traffic is to go back to.
//! Lambda refuses that only as long as an alias names the version.

use aws_sdk_cloudwatch::types::StateValue;
use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::End,
    stories::Story,
    tools::{make_patient_hook, release, remove_hook},
    world::World,
};

const SPEED: u32 = 600;
/// The hour of a hook is half a minute.
const SLOWER: u32 = 120;

/// A story with an alarm, whose first of three versions serves.
async fn served<'a>(world: &'a World, function: &'a str) -> Story<'a> {
    world.make_function(function).await;
    for note in ["first", "second", "third"] {
        world.publish(function, note, true).await;
    }
    let alarm = format!("{function}-latency");
    world.make_alarm(&alarm).await;
    let mut story = Story::new(world, function);
    story.alarm = Some(alarm);
    story.settles("1", "1").await;
    story
}

async fn delete(world: &World, function: &str, version: &str) {
    let deleted = world.lambda.delete_function().function_name(function).qualifier(version).send();
    deleted.await.unwrap();
}

fn all_at_once(mut declared: PropertyMap) -> PropertyMap {
    let strategy = properties([("type", "allAtOnce".into())]);
    declared.insert("strategy".to_owned(), PropertyValue::Object(strategy));
    declared
}

fn hooked(mut declared: PropertyMap, when: &str) -> PropertyMap {
    let hooks = properties([(when, "guard".into())]);
    declared.insert("hooks".to_owned(), PropertyValue::Object(hooks));
    declared
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_goes_before_its_first_traffic_is_told_and_the_next_one_rolls_out() {
    let world = World::start(SLOWER).await;
    make_patient_hook(&world, "guard").await;
    let mut story = served(&world, "early").await;
    // No alias keeps the version that is under test.
    let without_latest = |mut declared: PropertyMap| {
        declared.insert("latestAliasName".to_owned(), "".into());
        declared
    };
    let declared = without_latest(hooked(story.declared("2"), "beforeTraffic"));
    let goes = async {
        world.until_deploying("early").await;
        delete(&world, "early", "2").await;
        release(&world, "guard").await;
    };
    let (end, ()) = tokio::join!(story.rollout.up(&declared), goes);
    let message = end.failed();
    assert!(message.contains("INVALID_LAMBDA_FUNCTION") && message.contains("function:early:2"), "{message}");
    assert!(message.contains("stable → version 1, 100 %"), "{message}");
    assert!(
        message.contains("check that the function, its alias and both versions still exist"),
        "{message}"
    );
    let message = story.rollout.up(&declared).await.failed();
    assert!(
        message.contains("version 2 of early does not exist") && message.contains("publish"),
        "{message}"
    );
    assert_eq!(world.serves("early", "stable").await, [("1".to_owned(), 100.0)]);
    let declared = without_latest(story.declared("3"));
    story.settles_as(&declared, "3").await;
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}

/// The alarm fires when the second version has all traffic and the first one is gone.
async fn fails_without_a_way_back(story: &mut Story<'_>, declared: &PropertyMap) {
    let (world, function) = (story.world, story.function);
    let alarm = story.alarm.clone().unwrap();
    let goes = async {
        world.until_served(function, "stable", "2").await;
        delete(world, function, "1").await;
        world.set_alarm(&alarm, StateValue::Alarm).await;
    };
    let (end, ()) = tokio::join!(story.rollout.up(declared), goes);
    world.set_alarm(&alarm, StateValue::Ok).await;
    let message = end.failed();
    assert!(message.contains("THE ROLLBACK OF VERSION 2 FAILED"), "{message}");
    assert!(message.contains("stable → version 2, 100 %"), "{message}");
    assert!(message.contains("INVALID_LAMBDA_FUNCTION"), "it does not say why: {message}");
    assert!(message.contains(&format!("function:{function}:1")), "it does not say what is gone: {message}");
    assert!(!message.contains("rollback  "), "it names no rollback: {message}");
    assert_eq!(world.serves(function, "stable").await, [("2".to_owned(), 100.0)]);
    // There is nothing to go back to: that is said, and nothing is deployed.
    assert_eq!(story.rollout.up(declared).await, End::Done);
    assert_eq!(story.rollout.up(declared).await, End::Same);
    assert_eq!(story.rollout.output("failedVersion"), "2");
    assert_eq!(story.rollout.output("servingVersion"), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_goes_while_a_hook_decides_cannot_be_gone_back_to() {
    let world = World::start(SLOWER).await;
    make_patient_hook(&world, "guard").await;
    let mut story = served(&world, "deciding").await;
    let declared = hooked(all_at_once(story.declared("2")), "afterTraffic");
    fails_without_a_way_back(&mut story, &declared).await;
    let declared = story.declared("3");
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    story.settles("3", "3").await;
    story.vanishes().await;
    remove_hook(&world, "guard").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_goes_in_the_bake_cannot_be_gone_back_to() {
    let world = World::start(SPEED).await;
    let mut story = served(&world, "baking").await;
    let mut declared = all_at_once(story.declared("2"));
    declared.insert("bake".to_owned(), "10 hours".into());
    fails_without_a_way_back(&mut story, &declared).await;
    let declared = story.declared("3");
    assert_eq!(story.rollout.up(&declared).await, End::Done);
    story.settles("3", "3").await;
    story.vanishes().await;
}
