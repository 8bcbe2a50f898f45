//! What it takes to wait for deployments: ours, and what others do, which is one loop for each deployment that asks every
//! few seconds. All in the sandbox, with AWS's limits.

mod plot;
mod sandbox;
mod table;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use prost_types::Struct;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep, timeout},
};
use tonic::transport::Channel;

use self::sandbox::{Entry, Sandbox};
pub(crate) use self::{plot::render as plot, table::render as table};
use crate::{
    Result, client,
    figures::count,
    measure,
    plugin::{Plugin, Running},
    process,
    proto::{CreateRequest, resource_provider_client::ResourceProviderClient},
    requests,
};

/// How fast the service's time passes.
pub(crate) const SPEED: f64 = 40.0;
/// Ten percent for twenty minutes: long enough for all of a thousand to run at the same time.
pub(crate) const STRATEGY: (u32, u32) = (10, 20);
pub(crate) const SIZES: [usize; 4] = [1, 20, 200, 1_000];
/// Starts are spread, as deployments are in a program: so much of the service's time is between two of them.
const BETWEEN_STARTS: Duration = Duration::from_millis(1_050);
/// Only against hanging.
const PATIENCE: Duration = Duration::from_mins(10);

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// The provider, with a `DeploymentWaiter` for each deployment.
    Ours,
    /// A loop for each deployment, which asks every so many seconds.
    Loops(u64),
}

/// The seed of this provider asks every five seconds; the waiter of the AWS SDKs every fifteen.
pub(crate) const WAITERS: [Waiter; 3] = [Waiter::Ours, Waiter::Loops(5), Waiter::Loops(15)];

/// What one waiter took for so many deployments. Seconds are the service's.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) waiter: Waiter,
    pub(crate) deployments: usize,
    pub(crate) calls: usize,
    pub(crate) throttled: usize,
    /// The most calls in any second.
    pub(crate) peak: usize,
    /// From the end of a deployment until its waiter knew, in ascending order.
    pub(crate) late: Vec<f64>,
    pub(crate) process: Option<Usage>,
}

/// What the provider's process used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) most: u64,
}

/// For so many of the sizes.
pub(crate) async fn measure(root: &Path, engine: &str, sizes: usize) -> Result<Vec<Outcome>> {
    let sizes = &SIZES[..sizes];
    let most = sizes.last().copied().unwrap_or_default();
    let sandbox = Arc::new(Sandbox::start(root, SPEED)?);
    sandbox.furnish(most, STRATEGY).await?;
    let ours = Plugin::all(root)?.remove(0);
    let mut outcomes = Vec::new();
    let mut serving = vec!["1"; most];
    for (turn, &deployments) in sizes.iter().enumerate() {
        for place in 0..WAITERS.len() {
            let waiter = WAITERS[(turn + place) % WAITERS.len()];
            eprintln!("{deployments} deployments, {waiter:?}");
            sandbox.journal().await?;
            let scene = Scene { sandbox: Arc::clone(&sandbox), waiter };
            outcomes.push(scene.play(&ours, engine, &mut serving[..deployments]).await?);
        }
    }
    Ok(outcomes)
}

struct Scene {
    sandbox: Arc<Sandbox>,
    waiter: Waiter,
}

impl Scene {
    async fn play(&self, ours: &Plugin, engine: &str, serving: &mut [&'static str]) -> Result<Outcome> {
        let provider = match self.waiter {
            Waiter::Ours => Some(Provider::start(ours, engine, &self.sandbox).await?),
            Waiter::Loops(_) => None,
        };
        let mut waits = JoinSet::new();
        let mut starts = interval(scaled(BETWEEN_STARTS));
        for (number, version) in serving.iter_mut().enumerate() {
            starts.tick().await;
            let next = if *version == "1" { "2" } else { "1" };
            let id = self.sandbox.deploy(number, (version, next)).await?;
            *version = next;
            match &provider {
                Some(provider) => drop(waits.spawn(provider.wait(id))),
                None => drop(waits.spawn(looped(Arc::clone(&self.sandbox), id, self.waiter))),
            }
        }
        let mut ends = Vec::new();
        while let Some(ended) = timeout(PATIENCE, waits.join_next()).await? {
            ends.push(ended??);
        }
        let process = provider.map(Provider::usage);
        let calls = self.sandbox.journal().await?;
        let calls: Vec<_> = calls.into_iter().filter(|call| call.operation != "CreateDeployment").collect();
        let mut late = Vec::new();
        for (id, known) in ends {
            let ended = self.sandbox.end_of(&id).await?;
            late.push(known.duration_since(ended).unwrap_or_default().as_secs_f64() * SPEED);
        }
        late.sort_by(f64::total_cmp);
        Ok(Outcome {
            waiter: self.waiter,
            deployments: serving.len(),
            throttled: calls.iter().filter(|call| call.is_throttled).count(),
            peak: most_in_a_second(&calls),
            calls: calls.len(),
            late,
            process,
        })
    }
}

impl Outcome {
    pub(crate) fn late(&self, percent: usize) -> f64 {
        let last = self.late.len().saturating_sub(1);
        self.late.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// The provider, set up for the sandbox.
struct Provider {
    running: Running,
    channel: Channel,
    /// Spent before anything was waited for.
    cpu: Duration,
}

impl Provider {
    async fn start(plugin: &Plugin, engine: &str, sandbox: &Sandbox) -> Result<Self> {
        let speed = [("LAMBDA_ROLLOUT_CLOCK_SPEED", SPEED.to_string())];
        let running = plugin.start_with(engine, sandbox.environment().into_iter().chain(speed))?;
        let channel = client::connect(running.port).await?;
        measure::begin(&channel).await?;
        let cpu = process::cpu(running.id());
        Ok(Self { running, channel, cpu })
    }

    /// A `DeploymentWaiter` for one deployment: its id, and when it was done.
    fn wait(&self, id: String) -> impl Future<Output = Result<(String, SystemTime)>> + Send + 'static {
        let mut client = ResourceProviderClient::new(self.channel.clone());
        async move {
            let urn = format!("urn:pulumi:dev::shop::lambda-rollout:index:DeploymentWaiter::{id}");
            let properties: Option<Struct> = Some(requests::properties(&json!({ "deploymentId": id })));
            client.create(CreateRequest { urn, properties, ..CreateRequest::default() }).await?;
            Ok((id, SystemTime::now()))
        }
    }

    fn usage(self) -> Usage {
        let id = self.running.id();
        Usage { cpu: process::cpu(id).saturating_sub(self.cpu), most: process::peak(id) }
    }
}

async fn looped(sandbox: Arc<Sandbox>, id: String, waiter: Waiter) -> Result<(String, SystemTime)> {
    let Waiter::Loops(seconds) = waiter else { return Err("not a loop".into()) };
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        sleep(scaled(Duration::from_secs(seconds))).await;
        // Throttled: it asks again when the next look is due.
        if sandbox.has_ended(&id).await? == Some(true) {
            return Ok((id, SystemTime::now()));
        }
    }
    Err(format!("deployment {id} does not end").into())
}

/// Wall time for so much of the service's.
fn scaled(duration: Duration) -> Duration {
    duration.div_f64(SPEED)
}

fn most_in_a_second(calls: &[Entry]) -> usize {
    let mut times: Vec<f64> = calls.iter().map(|call| call.time * SPEED).collect();
    times.sort_by(f64::total_cmp);
    let until = |begin: usize| times[begin..].iter().take_while(|time| **time < times[begin] + 1.0).count();
    (0..times.len()).map(until).max().unwrap_or_default()
}

/// Memory for each deployment beyond the first, in bytes.
pub(crate) fn memory_each(outcomes: &[Outcome], deployments: usize) -> Option<f64> {
    let most = |wanted: usize| {
        let ours = outcomes.iter().find(|o| o.waiter == Waiter::Ours && o.deployments == wanted)?;
        Some(count(usize::try_from(ours.process?.most).ok()?))
    };
    Some((most(deployments)? - most(1)?) / count(deployments - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_need_not_begin_on_the_clock() {
        let calls: Vec<_> = [0.0, 0.9, 1.2, 1.8, 5.0]
            .map(|seconds| Entry { time: seconds / SPEED, operation: String::new(), is_throttled: false })
            .into();
        assert_eq!(most_in_a_second(&calls), 3);
        assert_eq!(most_in_a_second(&[]), 0);
    }
}
