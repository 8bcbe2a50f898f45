//! Random stories: whatever users, their neighbours and accidents do, in whichever order, plain updates lead to what was
//! declared, or leave what served before if the declared version failed. A story that goes wrong is cut down to the
//! steps that matter.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use aws_sdk_cloudwatch::types::StateValue;
use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};
use proptest::{
    collection::vec,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokio::runtime::Handle;

use crate::{
    actions::{self, Change, Run, Step, step},
    engine::{End, Resource},
    proxy::{Moment, Point, Trouble},
    soak,
    world::{Deployment, World, was_judged_bad},
};

const SPEED: u32 = 600;
/// Most of a story is waiting, so some are told side by side.
const LANES: usize = 2;
const SEQUENCES: usize = 6;
const LONGEST: usize = 8;
/// How often an update may have to be repeated until what happened before is told and done.
const UPDATES: usize = 5;

const STRATEGIES: [(&str, Option<(f64, &str)>); actions::STRATEGIES] =
    [("canary", Some((10.0, "2 minutes"))), ("linear", Some((25.0, "1 minute"))), ("allAtOnce", None)];

/// What the program says.
struct Declared {
    version: String,
    before: String,
    strategy: usize,
    guard: bool,
    trigger: u32,
}

/// A function, its rollout, and what is known of them without asking the provider.
struct Tale<'a> {
    world: &'a World,
    function: String,
    alarm: String,
    rollout: Resource,
    first: String,
    declared: Declared,
    /// Which versions pass their smoke test.
    well: BTreeMap<String, bool>,
    /// What the alias was put to by other means than a deployment, and after how many of them; none while there is no
    /// alias.
    base: Option<(String, usize)>,
    /// Why a version may have been deployed, each time.
    reasons: BTreeMap<String, usize>,
    /// What others have made.
    theirs: Vec<String>,
    /// Whether a run was killed at some time.
    killed: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_updates_put_it_right() {
    let world = Arc::new(World::start(SPEED).await);
    let (sequences, seed) = (sequences(), seed());
    let runtime = Handle::current();
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let (world, runtime) = (Arc::clone(&world), runtime.clone());
            thread::spawn(move || tell_many(&world, &runtime, lane, sequences.div_ceil(LANES), seed))
        })
        .collect();
    let told = tokio::task::spawn_blocking(|| lanes.into_iter().map(thread::JoinHandle::join).collect());
    let told: Vec<thread::Result<()>> = told.await.unwrap();
    assert!(told.iter().all(Result::is_ok), "seed {seed}");
    assert_eq!(world.shared_configs().await, Vec::<String>::new());
    soak::tell(&format!("random stories (seed {seed})"), sequences);
}

/// Stories in which something went wrong once.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_once_stays_right() {
    let killed = |call, moment| Some(Run::Killed(Point { call, moment }));
    let publish = |well, run| Step { change: Change::Publish { well }, run };
    // What a killed create had made was forgotten when the next version failed as the first of all.
    let forgotten = |call| vec![publish(true, killed(call, Moment::After)), publish(false, Some(Run::Plain))];
    // What a killed update had started went on, unseen, when the program was changed back.
    let first = || Step { change: Change::Nothing, run: Some(Run::Plain) };
    let back = || Step { change: Change::GoBack, run: None };
    let reverted = |call| vec![first(), publish(true, killed(call, Moment::After)), back()];
    let stories: Vec<_> =
        (24..44).step_by(4).map(forgotten).chain((36..56).step_by(4).map(reverted)).collect();
    let world = World::start(SPEED).await;
    for (number, steps) in stories.iter().enumerate() {
        tell(&world, &format!("again-{number}-x"), steps).await;
    }
}

fn tell_many(world: &World, runtime: &Handle, lane: usize, sequences: usize, seed: u64) {
    let config = Config {
        cases: u32::try_from(sequences).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8] = u8::try_from(lane).unwrap();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let count = AtomicUsize::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(&vec(step(), 1..=LONGEST), |steps| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        runtime.block_on(tell(world, &format!("model-{lane}-{number:05}-x"), &steps));
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
}

async fn tell(world: &World, function: &str, steps: &[Step]) {
    let mut tale = Tale::begin(world, function).await;
    for Step { change, run } in steps {
        tale.change(*change).await;
        if let Some(run) = run {
            tale.run(*run).await;
            tale.learn_base().await;
        }
    }
    tale.settles().await;
    tale.ends().await;
}

impl<'a> Tale<'a> {
    async fn begin(world: &'a World, function: &str) -> Self {
        world.make_function(function).await;
        let first = world.publish(function, "first", true).await;
        let alarm = format!("{function}-latency");
        world.make_alarm(&alarm).await;
        world.put_alias(function, "theirs", &first).await;
        Self {
            world,
            function: function.to_owned(),
            alarm,
            rollout: Resource::new("FunctionRollout", function, &world.endpoint, world.speed),
            declared: Declared {
                version: first.clone(),
                before: first.clone(),
                strategy: 0,
                guard: true,
                trigger: 0,
            },
            well: BTreeMap::from([(first.clone(), true)]),
            base: None,
            reasons: BTreeMap::from([(first.clone(), 1)]),
            theirs: world.pieces_of(function).await,
            killed: false,
            first,
        }
    }

    async fn change(&mut self, change: Change) {
        match change {
            Change::Nothing => {}
            Change::Publish { well } => {
                let note = format!("{}", self.well.len());
                let version = self.world.publish(&self.function, &note, well).await;
                self.well.insert(version.clone(), well);
                self.declare(version);
            }
            Change::GoBack => self.declare(self.declared.before.clone()),
            Change::Strategy(strategy) => self.declared.strategy = strategy,
            Change::Guard(guard) => self.declared.guard = guard,
            Change::Trigger => {
                self.declared.trigger += 1;
                self.expect_another(&self.declared.version.clone());
            }
            Change::Refresh => drop(self.rollout.refresh().await),
            Change::Import => self.import().await,
            Change::Destroy => self.destroy().await,
            Change::MovedByHand => self.move_by_hand().await,
            Change::DeployedByHand => self.deploy_by_hand().await,
        }
    }

    async fn move_by_hand(&mut self) {
        if self.is_whole().await {
            self.world.put_alias(&self.function, "stable", &self.first).await;
            self.base = Some((self.first.clone(), self.deployments().await.len()));
            self.after_hands().await;
        }
    }

    async fn deploy_by_hand(&mut self) {
        let serves = if self.is_whole().await { self.serves().await } else { None };
        if let Some(serves) = serves.filter(|serves| *serves != self.first) {
            self.world.deploy(&self.function, &serves, &self.first).await;
            self.world.until_quiet(&self.function).await;
            self.expect_another(&self.first.clone());
            self.after_hands().await;
        }
    }

    fn declare(&mut self, version: String) {
        if version != self.declared.version {
            self.expect_another(&version);
            self.declared.before = std::mem::replace(&mut self.declared.version, version);
        }
    }

    fn expect_another(&mut self, version: &str) {
        *self.reasons.entry(version.to_owned()).or_default() += 1;
    }

    /// An update that changes nothing does not look at AWS; a refresh does.
    async fn after_hands(&mut self) {
        self.expect_another(&self.declared.version.clone());
        self.rollout.refresh().await;
    }

    async fn import(&mut self) {
        if self.serves().await.is_some() {
            self.world.until_quiet(&self.function).await;
            self.expect_another(&self.declared.version.clone());
            assert_eq!(self.rollout.import(&format!("{}:stable", self.function)).await, End::Done);
        }
    }

    async fn destroy(&mut self) {
        let end = self.rollout.destroy().await;
        assert!(matches!(end, End::Done | End::Same), "{end:?}");
        if end == End::Done {
            assert_eq!(self.world.pieces_of(&self.function).await, self.theirs);
            self.base = None;
            self.reasons = BTreeMap::from([(self.declared.version.clone(), 1)]);
        }
    }

    async fn run(&mut self, run: Run) {
        let inputs = self.inputs();
        match run {
            Run::Plain => drop(self.rollout.up(&inputs).await),
            Run::Killed(point) => {
                self.killed = true;
                drop(self.rollout.up_with(&inputs, point).await);
            }
            Run::Cancelled(call) => {
                let trouble = Trouble { cancelled: Some(call), ..Trouble::default() };
                drop(self.rollout.up_with(&inputs, trouble).await);
            }
            Run::AlarmFires => {
                let (world, function, alarm) = (self.world, self.function.clone(), self.alarm.clone());
                let fire = async {
                    world.until_split(&function, "stable").await;
                    world.set_alarm(&alarm, StateValue::Alarm).await;
                };
                self.meanwhile(&inputs, fire).await;
                self.world.set_alarm(&self.alarm, StateValue::Ok).await;
            }
            Run::StoppedByHand { rollback } => {
                self.expect_another(&self.declared.version.clone());
                let (world, function) = (self.world, self.function.clone());
                let stop = async {
                    world.until_split(&function, "stable").await;
                    world.stop_all(&function, rollback).await;
                };
                self.meanwhile(&inputs, stop).await;
            }
        }
    }

    /// An update while somebody does something, if its time comes.
    async fn meanwhile(&mut self, inputs: &PropertyMap, other: impl Future<Output = ()>) {
        let mut other = std::pin::pin!(other);
        let mut update = Box::pin(self.rollout.up(inputs));
        tokio::select! {
            _ = &mut update => return,
            () = &mut other => {}
        }
        update.await;
    }

    /// An alias that has just been made serves what it was made with.
    async fn learn_base(&mut self) {
        if self.base.is_none() && self.deployments().await.is_empty() {
            self.base = self.serves().await.map(|version| (version, 0));
        }
    }

    /// Plain updates until nothing is left to do. What a killed run has started is not in the state; if the program was
    /// changed back since, only a refresh sees it, as the CLI says when it warns of operations that were interrupted.
    async fn settles(&mut self) {
        if self.killed {
            self.update_until_same().await;
            self.after_hands().await;
        }
        let ends = self.update_until_same().await;
        if !self.never_served() {
            assert_eq!(self.rollout.calls, 0, "an update without a change asks AWS");
            self.serves_what_it_should(&ends).await;
        }
    }

    async fn update_until_same(&mut self) -> Vec<End> {
        let inputs = self.inputs();
        let mut ends = Vec::new();
        while ends.last() != Some(&End::Same) {
            if self.never_served() && matches!(ends.last(), Some(End::Failed(_))) {
                // The first version of all is bad: there is nothing to serve, and it is tried again each time.
                break;
            }
            assert!(ends.len() < UPDATES, "{}: it never settles: {ends:?}", self.function);
            ends.push(self.rollout.up(&inputs).await);
            self.learn_base().await;
        }
        ends
    }

    async fn serves_what_it_should(&self, ends: &[End]) {
        let deployments = self.deployments().await;
        let told = format!("{ends:?}\n{deployments:#?}");
        let kept = self.kept(&deployments);
        let expected = if self.has_failed(&deployments) { &kept } else { &self.declared.version };
        let serves = self.world.serves(&self.function, "stable").await;
        assert_eq!(serves, [(expected.clone(), 100.0)], "{told}");
        assert_eq!(kept, *expected, "the alias was moved by no deployment: {told}");
        for (version, times) in &self.reasons {
            let deployed = deployments.iter().filter(|d| d.to == *version && !d.is_way_back()).count();
            assert!(
                deployed <= *times,
                "version {version} was deployed {deployed} times for {times} reasons: {told}"
            );
        }
    }

    /// Whether the declared version was judged bad the last time that it was tried.
    fn has_failed(&self, deployments: &[Deployment]) -> bool {
        let version = &self.declared.version;
        was_judged_bad(deployments, version) || !self.well[version]
    }

    /// What the alias serves after all these deployments.
    fn kept(&self, deployments: &[Deployment]) -> String {
        let (base, before) = self.base.clone().unwrap_or_default();
        let moved = deployments[before..].iter().rfind(|deployment| deployment.status == "Succeeded");
        moved.map_or(base, |deployment| deployment.to.clone())
    }

    fn never_served(&self) -> bool {
        self.base.is_none() && !self.well[&self.declared.version]
    }

    /// After the end nothing is left of the rollout, and what others made is as it was.
    async fn ends(&mut self) {
        let end = self.rollout.destroy().await;
        assert!(matches!(end, End::Done | End::Same), "{end:?}");
        assert_eq!(self.world.pieces_of(&self.function).await, self.theirs);
    }

    async fn deployments(&self) -> Vec<Deployment> {
        self.world.deployments(&self.function).await
    }

    async fn serves(&self) -> Option<String> {
        self.world.serves(&self.function, "stable").await.into_iter().next().map(|(version, _)| version)
    }

    async fn is_whole(&self) -> bool {
        self.world.until_quiet(&self.function).await;
        self.world.serves(&self.function, "stable").await.len() == 1
    }

    fn inputs(&self) -> PropertyMap {
        let Declared { version, strategy, guard, trigger, .. } = &self.declared;
        let (kind, parts) = STRATEGIES[*strategy];
        let mut strategy = properties([("type", kind.into())]);
        if let Some((percentage, interval)) = parts {
            strategy.extend(properties([("percentage", percentage.into()), ("interval", interval.into())]));
        }
        let smoke_test = properties([("payload", "{}".into()), ("expect", r#"{"ok":true}"#.into())]);
        let alarms = if *guard { vec![self.alarm.as_str().into()] } else { Vec::new() };
        properties([
            ("functionName", self.function.as_str().into()),
            ("version", version.as_str().into()),
            ("strategy", PropertyValue::Object(strategy)),
            ("smokeTest", PropertyValue::Object(smoke_test)),
            ("alarms", PropertyValue::Array(alarms)),
            ("triggers", PropertyValue::Object(properties([("try", trigger.to_string().as_str().into())]))),
            ("bake", "1 minute".into()),
        ])
    }
}

/// How many random stories are told: `make nightly` sets the number.
fn sequences() -> usize {
    number("LAMBDA_ROLLOUT_SEQUENCES").map_or(SEQUENCES, |count| usize::try_from(count).unwrap())
}

/// What the random stories hang on; the same seed, the same stories.
fn seed() -> u64 {
    number("LAMBDA_ROLLOUT_SEED").unwrap_or(1)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}
