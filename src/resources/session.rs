//! What a configured provider gives to every resource: AWS, the clock, and the settings for the hour when it matters.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::aws::Aws;
use crate::pulumi::Operation;
use crate::resources::reporter::EngineReporter;
use crate::rollout::clock::Clock;
use crate::rollout::context::Context;
use crate::rollout::spec::{AlarmsAlreadyFiring, RolloutSpec, Routing};
use crate::rollout::strategy::Strategy;

/// What can be changed for one run without an edit of the program.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    pub alarms_already_firing: Option<AlarmsAlreadyFiring>,
    pub strategy: Option<Strategy>,
    pub skip_bake: bool,
    pub default_tags: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub aws: Aws,
    pub clock: Clock,
    pub overrides: Overrides,
    /// How many rollouts may be at work at once; `None` = all of them.
    pub slots: Option<Arc<Semaphore>>,
    /// Which makings of a `LambdaDeployment` stay, by their deployment: nothing in AWS would tell the old half of a
    /// replacement that the new one has taken it up.
    holders: Arc<Mutex<HashMap<String, HashSet<String>>>>,
}

impl Session {
    pub fn new(aws: Aws, clock: Clock, overrides: Overrides, slots: Option<Arc<Semaphore>>) -> Self {
        Self { aws, clock, overrides, slots, holders: Arc::default() }
    }

    /// Notes that a making of the resource, which the stack keeps or has just made, counts on the deployment.
    pub fn hold(&self, deployment: &str, generation: &str) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.entry(deployment.to_owned()).or_default().insert(generation.to_owned());
    }

    /// Lets the deployment go; answers whether another making of the resource counts on it.
    pub fn release(&self, deployment: &str, generation: &str) -> bool {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.get_mut(deployment).is_some_and(|generations| {
            generations.remove(generation);
            !generations.is_empty()
        })
    }

    /// Waits for a slot, if there are only so many. Nobody waits when the user wants to stop.
    pub async fn slot(&self, op: &Operation) -> Option<OwnedSemaphorePermit> {
        let slots = Arc::clone(self.slots.as_ref()?);
        if slots.available_permits() == 0 {
            op.log.status("waiting for other rollouts (`maxConcurrentDeployments`)");
        }
        tokio::select! {
            permit = slots.acquire_owned() => permit.ok(),
            () = op.cancel.cancelled() => None,
        }
    }

    pub fn context<'a>(
        &'a self,
        op: &Operation,
        reporter: &'a EngineReporter,
        default_limit: Duration,
    ) -> Context<'a, Aws> {
        let limit = op.timeout.unwrap_or_else(|| self.clock.scaled(default_limit));
        Context {
            cloud: &self.aws,
            clock: self.clock,
            reporter,
            cancel: op.cancel.clone(),
            deadline: Instant::now().checked_add(limit),
        }
    }

    /// Applies the overrides, and says so.
    pub fn override_spec(&self, spec: &mut RolloutSpec, op: &Operation) {
        for (key, value) in &self.overrides.default_tags {
            spec.tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let mut said = Vec::new();
        if let Some(choice) =
            self.overrides.alarms_already_firing.filter(|c| *c != spec.alarms_already_firing)
        {
            spec.alarms_already_firing = choice;
            said.push(format!("alarmsAlreadyFiring is {}", format!("{choice:?}").to_lowercase()));
        }
        if let Some(strategy) = self.overrides.strategy {
            said.push(format!("the strategy is {}", strategy.describe()));
            let declared = std::mem::replace(&mut spec.routing, Routing::Strategy(strategy));
            spec.declared_routing = Some(declared);
        }
        if self.overrides.skip_bake && !spec.bake.is_zero() {
            spec.bake = Duration::ZERO;
            said.push("there is no bake".to_owned());
        }
        if !said.is_empty() {
            op.log.warn(format!("{}: by the provider's configuration, {}", spec.id(), said.join(", ")));
        }
    }
}
