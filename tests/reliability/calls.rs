//! What a change costs in calls to AWS: docs/performance.md says it, and is held to it.

use std::{collections::BTreeMap, fmt::Write};

use aws_sdk_cloudwatch::types::StateValue;
use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties};

use crate::{
    death::single,
    engine::{End, Resource},
    rounds::{Rounds, rounds_of},
    tools::{make_hook, remove_hook},
    world::World,
};

const SPEED: u32 = 600;

const PAGE: &str = include_str!("../../docs/performance.md");
const BEGIN: &str = "<!-- calls -->\n";
const FINISH: &str = "<!-- /calls -->";

/// A new version is counted until its deployment is asked for.
const STARTED: Option<&str> = Some("CreateDeployment");

/// How many calls may wait for one another until a first create is done, and until a new version's deployment starts.
const CREATE_LIMIT: usize = 8;
const START_LIMIT: usize = 5;

/// What was measured so far.
#[derive(Default)]
struct Told(Vec<(&'static str, Rounds)>);

#[tokio::test(flavor = "multi_thread")]
async fn a_change_costs_the_calls_that_the_guide_tells() {
    let world = World::start(SPEED).await;
    let mut told = Told::default();
    told.a_plain_rollout(&world).await;
    told.a_guarded_rollout(&world).await;
    told.the_smaller_resources(&world).await;
    for (change, rounds) in &told.0 {
        let calls = rounds.len();
        let fits = if change.contains("version") { calls <= START_LIMIT + 1 } else { calls <= CREATE_LIMIT };
        assert!(fits, "{change}: {calls} calls one after the other");
    }
    let page = PAGE.split_once(BEGIN).unwrap().1.split_once(FINISH).unwrap().0;
    let now = told.in_words();
    let differences = differences(page, &now);
    assert!(
        page == now,
        "docs/performance.md tells of other calls:\n{differences}\nIf these are right:\n\n{now}"
    );
}

impl Told {
    async fn tell(
        &mut self,
        change: &'static str,
        world: &World,
        resource: &mut Resource,
        operation: impl AsyncFnOnce(&mut Resource) -> End,
    ) {
        let until = STARTED.filter(|_| change.contains("version"));
        let (end, rounds) = rounds_of(world, resource, until, operation).await;
        let expected = if rounds.is_empty() { End::Same } else { End::Done };
        assert_eq!(end, expected, "{change}");
        self.0.push((change, rounds));
    }

    /// The two-line program.
    async fn a_plain_rollout(&mut self, world: &World) {
        world.make_function("plain").await;
        let declared = |version: String| declared("plain", &version, []);
        let first = declared(publish(world, "plain", "first").await);
        let second = declared(publish(world, "plain", "second").await);
        let mut rollout = Resource::new("FunctionRollout", "plain", &world.endpoint, SPEED);
        foresees(&mut rollout, &first, 0).await;
        self.tell("first create", world, &mut rollout, async |it| it.up(&first).await).await;
        foresees(&mut rollout, &second, 1).await;
        self.tell("new version", world, &mut rollout, async |it| it.up(&second).await).await;
        foresees(&mut rollout, &second, 0).await;
        self.tell("no change", world, &mut rollout, async |it| it.up(&second).await).await;
        self.tell("refresh", world, &mut rollout, Resource::refresh).await;
        self.tell("destroy", world, &mut rollout, Resource::destroy).await;
    }

    /// With a hook and an alarm of the user's.
    async fn a_guarded_rollout(&mut self, world: &World) {
        world.make_function("guarded").await;
        make_hook(world, "guard", "").await;
        world.make_alarm("latency").await;
        let mut versions = Vec::new();
        for note in ["first", "second", "third", "fourth"] {
            let version = publish(world, "guarded", note).await;
            let hooks = properties([("beforeTraffic", "guard".into())]);
            let alarms = PropertyValue::Array(vec!["latency".into()]);
            versions.push(declared(
                "guarded",
                &version,
                [("hooks", PropertyValue::Object(hooks)), ("alarms", alarms)],
            ));
        }
        let [first, second, third, fourth] = &versions[..] else { unreachable!() };
        let mut rollout = Resource::new("FunctionRollout", "guarded", &world.endpoint, SPEED);
        let name = "first create with a hook and an alarm";
        self.tell(name, world, &mut rollout, async |it| it.up(first).await).await;
        let name = "new version with a hook and an alarm";
        self.tell(name, world, &mut rollout, async |it| it.up(second).await).await;
        let (failed, ()) = tokio::join!(rollout.up(third), async {
            world.until_split("guarded", "stable").await;
            world.set_alarm("latency", StateValue::Alarm).await;
        });
        assert!(matches!(failed, End::Failed(_)), "{failed:?}");
        world.set_alarm("latency", StateValue::Ok).await;
        let name = "new version with a hook and an alarm, after one that failed";
        self.tell(name, world, &mut rollout, async |it| it.up(fourth).await).await;
        assert_eq!(rollout.destroy().await, End::Done);
        remove_hook(world, "guard").await;
    }

    async fn the_smaller_resources(&mut self, world: &World) {
        world.make_function("small").await;
        let first = publish(world, "small", "first").await;
        let second = publish(world, "small", "second").await;
        let mut theirs = Resource::new("FunctionRollout", "small", &world.endpoint, SPEED);
        assert_eq!(theirs.up(&declared("small", &first, [])).await, End::Done);
        let mut deployment = Resource::new("LambdaDeployment", "small", &world.endpoint, SPEED);
        let deployed = single("small", &second);
        let name = "create of a LambdaDeployment";
        self.tell(name, world, &mut deployment, async |it| it.up(&deployed).await).await;
        world.until_quiet("small").await;
        let live = declared("small", &first, [("aliasName", "live".into())]);
        let mut alias = Resource::new("FunctionAlias", "small", &world.endpoint, SPEED);
        self.tell("create of a FunctionAlias", world, &mut alias, async |it| it.up(&live).await).await;
        for resource in [&mut alias, &mut deployment, &mut theirs] {
            assert_eq!(resource.destroy().await, End::Done);
        }
    }

    /// As the guide has it.
    fn in_words(&self) -> String {
        let mut text = "| change | calls | one after the other |\n| --- | ---: | ---: |\n".to_owned();
        for (change, rounds) in &self.0 {
            let calls: usize = rounds.iter().map(Vec::len).sum();
            writeln!(text, "| {change} | {calls} | {} |", rounds.len()).unwrap();
        }
        for (change, rounds) in self.0.iter().filter(|(_, rounds)| !rounds.is_empty()) {
            writeln!(text, "\n```\n{change}").unwrap();
            for (number, round) in rounds.iter().enumerate() {
                writeln!(text, "{}. {}", number + 1, counted(round)).unwrap();
            }
            text += "```\n";
        }
        text
    }
}

/// A version that is not waited for by a rollout any more.
async fn publish(world: &World, function: &str, note: &str) -> String {
    let version = world.publish(function, note, true).await;
    world.until_active(function, &version).await;
    version
}

fn declared<const N: usize>(function: &str, version: &str, more: [(&str, PropertyValue); N]) -> PropertyMap {
    let mut declared = properties([("functionName", function.into()), ("version", version.into())]);
    declared.extend(more.map(|(key, value)| (key.to_owned(), value)));
    declared
}

/// A preview needs no credentials; with them it asks how busy an alias is that is to get a new version, and nothing else.
async fn foresees(rollout: &mut Resource, declared: &PropertyMap, calls: usize) {
    let nobody = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name.to_owned(), String::new()));
    let known = std::mem::replace(&mut rollout.environment, nobody.to_vec());
    assert_eq!(rollout.preview(declared).await, End::Done);
    assert_eq!(rollout.calls, 0, "who nobody is asks AWS");
    rollout.environment = known;
    assert_eq!(rollout.preview(declared).await, End::Done);
    assert_eq!(rollout.calls, calls, "what a preview asks AWS");
}

/// `GetAlias ×2, GetPolicy`.
fn counted(round: &[String]) -> String {
    let mut counts = BTreeMap::new();
    for call in round {
        *counts.entry(call).or_insert(0) += 1;
    }
    let told = counts.iter().map(|(call, count)| match count {
        1 => (*call).clone(),
        _ => format!("{call} ×{count}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Lines that only the page has, and lines that only the provider knows of.
fn differences(page: &str, now: &str) -> String {
    let only = |these: &'_ str, those: &str| -> Vec<String> {
        let known: Vec<_> = those.lines().collect();
        these.lines().filter(|line| !known.contains(line)).map(str::to_owned).collect()
    };
    let lost = only(page, now).into_iter().map(|line| format!("- {line}"));
    let found = only(now, page).into_iter().map(|line| format!("+ {line}"));
    lost.chain(found).collect::<Vec<_>>().join("\n")
}
