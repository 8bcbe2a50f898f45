//! The messages that a person sees, as they look. `docs/messages.md` is this page, and the test fails when a
//! message changes and the page does not: read the difference, and if it is better, write the page by `make messages`.

mod failures;
mod refusals;

use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs, path::Path};

use lambda_rollout::rollout::announce;
use lambda_rollout::rollout::appspec::Hooks;
use lambda_rollout::rollout::bake;
use lambda_rollout::rollout::clear;
use lambda_rollout::rollout::cloud::{Alarm, LifecycleEvent, Target, Traffic};
use lambda_rollout::rollout::context::Interrupted;
use lambda_rollout::rollout::deploy::{self, Run};
use lambda_rollout::rollout::failure::said_again;
use lambda_rollout::rollout::follow;
use lambda_rollout::rollout::function::FunctionRef;
use lambda_rollout::rollout::lint::{lints, slow_hook};
use lambda_rollout::rollout::memory::{LastRollout, Memory};
use lambda_rollout::rollout::outlook::Outlook;
use lambda_rollout::rollout::owner::Owner;
use lambda_rollout::rollout::plan::Obstacle;
use lambda_rollout::rollout::pulse;
use lambda_rollout::rollout::smoke::SmokeTest;
use lambda_rollout::rollout::spec::{ErrorAlarm, RolloutSpec, Routing};
use lambda_rollout::rollout::strategy::Strategy;

use failures::{failure, failures};
use refusals::refusals;

const PAGE: &str = "docs/messages.md";
const URL: &str = "https://eu-central-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-7FQ2K81XC?region=eu-central-1";
/// A failure is read on a screen, not scrolled.
const LINES: usize = 15;

#[test]
fn the_page_of_messages_shows_them_as_they_are() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if env::var_os("WRITE_MESSAGES").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    for (number, (now, before)) in page.lines().zip(written.lines()).enumerate() {
        assert_eq!(now, before, "{PAGE}:{}: a message has changed; see `make messages`", number + 1);
    }
    assert_eq!(page.lines().count(), written.lines().count(), "{PAGE}: see `make messages`");
}

#[test]
fn a_failure_fits_a_screen() {
    for (when, report) in failures() {
        let text = report.to_string();
        assert!(text.lines().count() <= LINES, "{when}: {text}");
    }
}

fn page() -> String {
    let failures = failures().into_iter().map(|(when, report)| (when, report.to_string())).collect();
    let head = "# Messages\n\nWhat you see in the terminal, message by message. `make messages` writes this page, and a test \
                compares it\nwith what the provider says.\n";
    [
        head.to_owned(),
        section("Preview", "One line says what an update will do to traffic.", previews()),
        section(
            "Warnings before a rollout",
            "What is allowed, and does less than it seems to. They come with the preview and, as far as AWS need not be \
             asked for them,\nwith the update.",
            warnings(),
        ),
        section(
            "Progress",
            "The row of the resource. What changes the share of traffic stays in the log, too. The first line begins with \
             `FUNCTION:ALIAS: `.",
            progress(),
        ),
        section("The end", "One line, with what the new version got, behind `FUNCTION:ALIAS: `.", ends()),
        section(
            "A version that did not stay",
            "`pulumi up` fails with this when the rollback has ended. Log lines of the version come before it, in the \
             terminal only.",
            failures,
        ),
        section("The next `pulumi up` after a failure", "It deploys nothing, and says why.", again()),
        section(
            "Something is in the way",
            "Each begins with `FUNCTION:ALIAS: `, and the rollout goes on when it is out of the way.",
            obstacles(),
        ),
        section("Refused before anything moves", "What certainly cannot work is not begun.", refusals()),
    ]
    .join("\n")
}

fn section(title: &str, about: &str, messages: Vec<(&str, String)>) -> String {
    let told = messages.into_iter().map(|(when, message)| format!("{when}:\n\n```text\n{message}\n```\n"));
    let mut parts = vec![format!("## {title}\n\n{about}\n")];
    parts.extend(told);
    parts.join("\n")
}

fn spec() -> RolloutSpec {
    let function = FunctionRef { name: "orders".to_owned(), place: None };
    RolloutSpec {
        bake: Duration::from_mins(3),
        latest_alias: Some("latest".to_owned()),
        ..RolloutSpec::plain(function, "stable", "42")
    }
}

fn smoke_test() -> SmokeTest {
    SmokeTest { payload: "{}".to_owned(), expect: None, timeout: Duration::from_secs(30), attempts: 1 }
}

fn alarm(name: &str, state: &str) -> Alarm {
    let window = Some(Duration::from_mins(5));
    Alarm { name: name.to_owned(), state: state.to_owned(), reason: String::new(), since: None, window }
}

fn past(requests: f64) -> Outlook {
    Outlook { past: Some(Traffic { requests, errors: 0.0 }), ..Outlook::default() }
}

fn previews() -> Vec<(&'static str, String)> {
    let line = |spec: &RolloutSpec, target: &str, outlook: &Outlook| {
        announce::line(spec, "41", target, &announce::way(spec), outlook)
    };
    let all = RolloutSpec {
        alarms: vec!["orders-latency".to_owned(), "queue-age".to_owned()],
        hooks: Hooks { before_traffic: Some("orders-check".to_owned()), after_traffic: None },
        routing: Routing::Strategy(Strategy::Linear { percentage: 20, minutes: 2 }),
        ..spec()
    };
    let states =
        Outlook { alarms: vec![alarm("orders-latency", "OK"), alarm("queue-age", "ALARM")], past: None };
    let at_once = RolloutSpec { routing: Routing::Strategy(Strategy::AllAtOnce), ..spec() };
    let tested = RolloutSpec { smoke_test: Some(smoke_test()), ..spec() };
    vec![
        ("A new version", line(&spec(), "version 42", &Outlook::default())),
        (
            "A new version whose number is known only when it is published",
            line(&spec(), "the next version", &Outlook::default()),
        ),
        ("With alarms of your own and a hook", line(&all, "version 42", &states)),
        ("All at once", line(&at_once, "version 42", &Outlook::default())),
        ("The first deployment", announce::first_preview(&spec(), "version 1")),
        ("The first deployment, with a smoke test", announce::first_preview(&tested, "version 1")),
        ("With `adopt`", announce::taken_over("version 42", &announce::way(&spec()))),
        ("The same version, and another property that changes", announce::unchanged("41")),
        ("A deployment that an earlier update left to itself", announce::followed("42", "d-7FQ2K81XC")),
        ("A version that failed before", announce::kept("version 42", "41")),
        ("A version that failed and was not rolled back", announce::goes_back("42", "41")),
    ]
}

fn warnings() -> Vec<(&'static str, String)> {
    let first = |spec: &RolloutSpec, outlook: &Outlook, left: Option<Duration>| {
        lints(spec, outlook, left).into_iter().next().unwrap_or_default()
    };
    let at_once =
        RolloutSpec { routing: Routing::Strategy(Strategy::AllAtOnce), bake: Duration::ZERO, ..spec() };
    let slow = ErrorAlarm { period: Duration::from_mins(5), evaluation_periods: 2, ..ErrorAlarm::default() };
    let slow = RolloutSpec { error_alarm: Some(slow), ..spec() };
    let demanding = RolloutSpec { min_requests: 50, ..spec() };
    let minutes = |minutes| Some(Duration::from_mins(minutes));
    vec![
        ("All at once, with alarms and no bake", first(&at_once, &past(9_000.0), None)),
        ("An alarm that is slower than the rollout", first(&slow, &past(9_000.0), None)),
        ("A canary on a function that nearly nobody calls", first(&spec(), &past(12.0), None)),
        ("Fewer requests than `minRequests`", first(&demanding, &past(900.0), None)),
        (
            "A hook whose time limit is near CodeDeploy's",
            slow_hook("orders-check", Duration::from_mins(15)).unwrap_or_default(),
        ),
        ("`customTimeouts` that end before the rollout", first(&spec(), &past(9_000.0), minutes(5))),
    ]
}

fn target(weight: f64, running: &str) -> Target {
    let event = LifecycleEvent {
        name: running.to_owned(),
        status: "InProgress".to_owned(),
        message: String::new(),
        started: None,
        ended: None,
    };
    Target {
        function: "orders".to_owned(),
        alias: "stable".to_owned(),
        current_version: "41".to_owned(),
        target_version: "42".to_owned(),
        weight,
        events: vec![event],
    }
}

fn progress() -> Vec<(&'static str, String)> {
    let hooks = Hooks { before_traffic: Some("a".to_owned()), after_traffic: Some("b".to_owned()) };
    let none = Hooks::default();
    let stage = |weight, running, hooks: &Hooks, step, held| {
        follow::stage(&target(weight, running), hooks, (step, 2), held, "42")
    };
    let run = Run {
        id: "d-7FQ2K81XC".to_owned(),
        from: "41".to_owned(),
        to: "42".to_owned(),
        started: UNIX_EPOCH,
        alarms: Vec::new(),
    };
    let shifting = stage(0.1, "AllowTraffic", &none, 1, false);
    let traffic = Some(Traffic { requests: 34.0, errors: 1.0 });
    let doing = pulse::in_words(traffic, &[alarm("a", "OK"), alarm("b", "OK")]);
    let firing = pulse::in_words(traffic, &[alarm("orders-latency", "ALARM")]);
    vec![
        ("The start, with where to look", deploy::start_line(&spec(), &run, URL)),
        ("Before anything has moved", stage(0.0, "Start", &none, 0, false)),
        ("When CodeDeploy keeps it waiting", stage(0.0, "AllowTraffic", &none, 0, true)),
        ("A hook", stage(0.0, "BeforeAllowTraffic", &hooks, 0, false)),
        ("A shift (stays)", shifting.clone()),
        ("What it does meanwhile", follow::waiting(&shifting, Duration::from_secs(160), &doing)),
        ("When an alarm fires", follow::waiting(&shifting, Duration::from_secs(95), &firing)),
        ("The hook after all traffic has moved", stage(1.0, "AfterAllowTraffic", &hooks, 2, false)),
        ("All traffic has moved (stays)", bake::baking(&spec(), "42")),
        ("While it bakes", bake::still_baking("42", Duration::from_secs(105), &doing)),
        ("Ctrl-C, by default", follow::left_alone(Interrupted::Cancelled, &run)),
        ("Ctrl-C, with `onCancel: stop`", follow::told_to_stop(Interrupted::Cancelled, &run)),
        ("When the time limit of the operation is over", follow::told_to_stop(Interrupted::TimedOut, &run)),
    ]
}

fn ends() -> Vec<(&'static str, String)> {
    let traffic = |requests, errors| Traffic { requests, errors };
    let demanding = RolloutSpec { min_requests: 50, ..spec() };
    let first = RolloutSpec { version: "1".to_owned(), ..spec() };
    vec![
        ("All is well", deploy::success_line("42", traffic(1_204.0, 0.0))),
        ("Nobody called it", deploy::success_line("42", traffic(0.0, 0.0))),
        ("Fewer requests than `minRequests`", deploy::inconclusive_line(&demanding, traffic(12.0, 0.0))),
        ("The first deployment", announce::first_line(&first)),
        (
            "The first deployment, with a smoke test",
            announce::first_line(&RolloutSpec { smoke_test: Some(smoke_test()), ..first.clone() }),
        ),
    ]
}

fn again() -> Vec<(&'static str, String)> {
    let mut memory = Memory::new(Owner::nobody(), "123456789012", "eu-central-1", "aws");
    memory.record_serving("41");
    memory.last_rollout = Some(LastRollout {
        status: "Failed".to_owned(),
        reason: failure().cause.summary(),
        ..LastRollout::of("42", UNIX_EPOCH)
    });
    vec![("Unchanged", said_again(&spec(), &memory))]
}

fn obstacles() -> Vec<(&'static str, String)> {
    let (deployment, version) = ("d-8KD0PL3XC".to_owned(), "41".to_owned());
    let half =
        Obstacle::HalfShifted { main: "40".to_owned(), second: "41".to_owned(), revision: String::new() };
    let words = |obstacle| clear::in_words(&obstacle, "42");
    vec![
        ("A rollback is running", words(Obstacle::Rollback { deployment: deployment.clone() })),
        (
            "Another version's deployment is running, by default",
            words(Obstacle::Superseded { deployment: deployment.clone(), version: version.clone() }),
        ),
        ("The same, with `onConflict: wait`", words(Obstacle::Running { deployment, version })),
        ("A deployment ended, and left traffic split", words(half)),
        ("A version that failed has the traffic", clear::giving_back("41", "40")),
    ]
}
