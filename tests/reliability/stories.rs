//! What is declared, and what must have come of it, whatever happened in between.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    engine::{End, Resource},
    world::World,
};

/// How often an update may have to be repeated until what an earlier one left is told and done.
const UPDATES: usize = 4;

/// A function with a rollout of its own.
pub(crate) struct Story<'a> {
    pub(crate) world: &'a World,
    pub(crate) function: &'a str,
    pub(crate) rollout: Resource,
    /// An alarm of the user's that the rollout watches.
    pub(crate) alarm: Option<String>,
}

impl<'a> Story<'a> {
    pub(crate) fn new(world: &'a World, function: &'a str) -> Self {
        let rollout = Resource::new("FunctionRollout", function, &world.endpoint, world.speed);
        Self { world, function, rollout, alarm: None }
    }

    /// A canary with a smoke test, which versions that are not well do not pass.
    pub(crate) fn declared(&self, version: &str) -> PropertyMap {
        let strategy = properties([("type", "canary".into()), ("interval", "2 minutes".into())]);
        let smoke_test = properties([("payload", "{}".into()), ("expect", r#"{"ok":true}"#.into())]);
        properties([
            ("functionName", self.function.into()),
            ("version", version.into()),
            ("strategy", PropertyValue::Object(strategy)),
            ("smokeTest", PropertyValue::Object(smoke_test)),
            ("alarms", PropertyValue::Array(self.alarm.iter().map(|alarm| alarm.as_str().into()).collect())),
            ("bake", "1 minute".into()),
        ])
    }

    /// The same, a tenth at a time, which takes longer than any test.
    pub(crate) fn declared_slowly(&self, version: &str) -> PropertyMap {
        let mut declared = self.declared(version);
        let strategy =
            [("type", "linear".into()), ("percentage", 10.0.into()), ("interval", "5 hours".into())];
        declared.insert("strategy".to_owned(), PropertyValue::Object(properties(strategy)));
        declared
    }

    /// Plain updates until nothing is left to do; then `serving` has all traffic, and nothing was deployed twice.
    pub(crate) async fn settles(&mut self, version: &str, serving: &str) {
        self.settles_as(&self.declared(version), serving).await;
    }

    /// The same with other inputs.
    pub(crate) async fn settles_as(&mut self, inputs: &PropertyMap, serving: &str) {
        let mut ends = Vec::new();
        while ends.last() != Some(&End::Same) {
            assert!(ends.len() < UPDATES, "{}: it never settles: {ends:?}", self.function);
            ends.push(self.rollout.up(inputs).await);
        }
        assert_eq!(self.rollout.calls, 0, "an update without a change asks AWS");
        assert_eq!(
            self.world.serves(self.function, "stable").await,
            [(serving.to_owned(), 100.0)],
            "{ends:?}"
        );
        let mut deployed = self.world.deployments(self.function).await;
        deployed.retain(|deployment| !deployment.is_way_back());
        let mut versions: Vec<_> = deployed.iter().map(|deployment| &deployment.to).collect();
        versions.sort();
        versions.dedup();
        assert_eq!(versions.len(), deployed.len(), "a version was deployed twice: {deployed:?}");
    }

    pub(crate) async fn vanishes(&mut self) {
        assert!(matches!(self.rollout.destroy().await, End::Done | End::Same));
        let mut left = self.world.pieces_of(self.function).await;
        left.retain(|piece| !self.alarm.as_ref().is_some_and(|alarm| piece.contains(alarm)));
        assert_eq!(left, Vec::<String>::new());
    }
}
