//! A deployment configuration that the user brings: what it says is asked for, so that nobody is told of shares that no
//! version ever had.

use aws_sdk_codedeploy::types::{
    ComputePlatform, TimeBasedCanary, TrafficRoutingConfig, TrafficRoutingType::TimeBasedCanary as Canary,
};

use crate::{engine::End, stories::Story, world::World};

const SPEED: u32 = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_of_ones_own_has_the_shares_that_it_says() {
    let world = World::start(SPEED).await;
    let canary = TimeBasedCanary::builder().canary_percentage(25).canary_interval(600).build();
    let routing = TrafficRoutingConfig::builder().r#type(Canary).time_based_canary(canary).build();
    let config = world
        .code_deploy
        .create_deployment_config()
        .deployment_config_name("theirs")
        .compute_platform(ComputePlatform::Lambda)
        .traffic_routing_config(routing);
    config.send().await.unwrap();
    world.make_function("ownway").await;
    world.publish("ownway", "first", true).await;
    world.publish("ownway", "second", true).await;
    let mut story = Story::new(&world, "ownway");
    let declared = |version: &str| {
        let mut declared = story.declared(version);
        declared.remove("strategy");
        declared.insert("deploymentConfigName".to_owned(), "theirs".into());
        declared
    };
    let (first, second) = (declared("1"), declared("2"));
    assert_eq!(story.rollout.up(&first).await, End::Done);
    let stopped = async {
        world.until_split("ownway", "stable").await;
        world.stop_all("ownway", true).await;
    };
    let (end, ()) = tokio::join!(story.rollout.up(&second), stopped);
    let message = end.failed();
    assert!(message.contains("version 2 was rolled back at 25 % of traffic"), "{message}");
    story.vanishes().await;
}
