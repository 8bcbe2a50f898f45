//! Every kind of message that a person sees, as it looks. `docs/messages.md` is this page, and the test fails when a
//! message changes and the page does not: read the difference, and if it is better, write the page by `make messages`.

use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs, path::Path};

use lambda_rollout::rollout::appspec::Hooks;
use lambda_rollout::rollout::bake;
use lambda_rollout::rollout::cloud::{Alarm, LifecycleEvent, Target, Traffic};
use lambda_rollout::rollout::context::Interrupted;
use lambda_rollout::rollout::deploy::{self, Run};
use lambda_rollout::rollout::failure::said_again;
use lambda_rollout::rollout::follow;
use lambda_rollout::rollout::function::FunctionRef;
use lambda_rollout::rollout::lint::{lints, slow_hook};
use lambda_rollout::rollout::memory::{LastRollout, Memory};
use lambda_rollout::rollout::outlook::{self, Outlook};
use lambda_rollout::rollout::owner::Owner;
use lambda_rollout::rollout::pulse;
use lambda_rollout::rollout::refusal::Refusal;
use lambda_rollout::rollout::report::{self, Cause, FailureReport, Fired, HookStage, Serving};
use lambda_rollout::rollout::smoke::SmokeTest;
use lambda_rollout::rollout::spec::{ErrorAlarm, OnFailedVersion, RolloutSpec, Routing};
use lambda_rollout::rollout::strategy::Strategy;

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
            "The row of the resource. What changes the share of traffic stays in the log, too.",
            progress(),
        ),
        section("The end", "One line, with what the new version got.", ends()),
        section(
            "A version that did not stay",
            "`pulumi up` fails with this when the rollback has ended. Log lines of the version come before it, in the \
             terminal only.",
            failures,
        ),
        section("The next `pulumi up` after a failure", "It deploys nothing, and says why.", again()),
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
        outlook::line(spec, "41", target, &outlook::way(spec), outlook)
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
        ("The first deployment", outlook::first_preview(&spec(), "version 1")),
        ("The first deployment, with a smoke test", outlook::first_preview(&tested, "version 1")),
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
        ("The first deployment", outlook::first_line(&first)),
        (
            "The first deployment, with a smoke test",
            outlook::first_line(&RolloutSpec { smoke_test: Some(smoke_test()), ..first.clone() }),
        ),
    ]
}

fn failure() -> FailureReport {
    let reason = report::errors_in_words(
        Some(&ErrorAlarm::default()),
        ("41", Traffic { requests: 1_060.0, errors: 0.0 }),
        ("42", Traffic { requests: 118.0, errors: 41.0 }),
    );
    FailureReport {
        function: "orders".to_owned(),
        alias: "stable".to_owned(),
        version: "42".to_owned(),
        reached: 10,
        after: Duration::from_secs(72),
        cause: Cause::Alarm {
            alarms: vec![Fired { name: "rollout-orders.stable.v42-1a2".to_owned(), reason, own: true }],
            while_baking: false,
        },
        serving: Serving::RolledBack { version: "41".to_owned(), rollback: "d-9GH1M22XC".to_owned() },
        exposure: Some(Traffic { requests: 118.0, errors: 41.0 }),
        latest: Some("latest".to_owned()),
        deployment_id: "d-7FQ2K81XC".to_owned(),
        console_url: URL.to_owned(),
        on_failed_version: OnFailedVersion::Keep,
    }
}

fn failures() -> Vec<(&'static str, FailureReport)> {
    let mut all = judged();
    all.extend(not_judged());
    all.extend(badly_left());
    all
}

/// The version was found to be bad.
fn judged() -> Vec<(&'static str, FailureReport)> {
    let untouched = || Serving::Untouched { version: "41".to_owned() };
    let refused = || FailureReport { reached: 0, serving: untouched(), exposure: None, ..failure() };
    let latency = Fired {
        name: "orders-latency".to_owned(),
        reason: "Threshold Crossed: 1 datapoint [812.0] was greater than the threshold (500.0)".to_owned(),
        own: false,
    };
    let hook = Cause::Hook {
        name: "orders-check".to_owned(),
        stage: HookStage::BeforeTraffic,
        detail: "reported Failed after 2s: expected 200, got 503".to_owned(),
    };
    let smoke = Cause::SmokeTest { difference: "\"total\" should be 108 and is \"120\"".to_owned() };
    let errors =
        Cause::Errors { detail: "12 of 40 requests failed while all traffic was on version 42".to_owned() };
    vec![
        ("The new version has errors that the old one has not", failure()),
        (
            "An alarm of your own fires",
            FailureReport { cause: Cause::Alarm { alarms: vec![latency], while_baking: false }, ..failure() },
        ),
        ("A hook says no", FailureReport { cause: hook, ..refused() }),
        (
            "The smoke test fails",
            FailureReport { cause: smoke.clone(), deployment_id: String::new(), ..refused() },
        ),
        (
            "The smoke test of a first version fails",
            FailureReport {
                cause: smoke,
                serving: Serving::Nothing,
                deployment_id: String::new(),
                ..refused()
            },
        ),
        ("Errors while it bakes", FailureReport { cause: errors, reached: 100, ..failure() }),
    ]
}

/// Something else went wrong: the same version is tried again.
fn not_judged() -> Vec<(&'static str, FailureReport)> {
    let untouched = || Serving::Untouched { version: "41".to_owned() };
    let unmoved =
        |cause| FailureReport { cause, reached: 0, serving: untouched(), exposure: None, ..failure() };
    let code_deploy =
        |code: &str, message: &str| Cause::CodeDeploy { code: code.to_owned(), message: message.to_owned() };
    let crashed =
        Cause::HookCrashed { name: "orders-check".to_owned(), stage: HookStage::BeforeTraffic, attempts: 3 };
    vec![
        ("A hook crashes in each attempt", unmoved(crashed)),
        ("Somebody stops the deployment", FailureReport { cause: Cause::Stopped, ..failure() }),
        (
            "CodeDeploy may not do its work",
            unmoved(code_deploy(
                "IAM_ROLE_PERMISSIONS",
                "The IAM role does not give you permission to perform operations",
            )),
        ),
        (
            "The alias was changed by somebody else",
            unmoved(code_deploy("INVALID_LAMBDA_CONFIGURATION", "The alias does not serve version 41")),
        ),
        (
            "The function or a version is gone",
            unmoved(code_deploy("INVALID_LAMBDA_FUNCTION", "Function not found")),
        ),
        ("AWS throttles", unmoved(code_deploy("THROTTLED", "Rate exceeded"))),
        (
            "Somebody deletes the group",
            unmoved(code_deploy("DEPLOYMENT_GROUP_MISSING", "The deployment group does not exist")),
        ),
        (
            "Too many deployments in the account",
            unmoved(code_deploy("RESOURCE_LIMIT_EXCEEDED", "The limit of concurrent deployments is reached")),
        ),
        ("A hook never reports", unmoved(code_deploy("TIMEOUT", "The deployment timed out"))),
        ("CodeDeploy fails", unmoved(code_deploy("INTERNAL_ERROR", "There was an internal error"))),
    ]
}

/// It is not the old version that serves now, or nobody knows.
fn badly_left() -> Vec<(&'static str, FailureReport)> {
    let not_rolled_back =
        Serving::NotRolledBack { version: "42".to_owned(), second: None, back_to: Some("41".to_owned()) };
    let rollback_failed = Serving::RollbackFailed {
        version: "41".to_owned(),
        second: Some(("42".to_owned(), 10)),
        good: "41".to_owned(),
        rollback: "d-9GH1M22XC".to_owned(),
        detail: "Failed: the role may not update the alias (IAM_ROLE_PERMISSIONS)".to_owned(),
    };
    let unseen = Serving::Unseen { detail: "ThrottlingException: Rate exceeded".to_owned() };
    vec![
        ("`autoRollback` leaves the case out", FailureReport { serving: not_rolled_back, ..failure() }),
        ("The rollback fails", FailureReport { serving: rollback_failed, ..failure() }),
        ("The alias cannot be read", FailureReport { serving: unseen, ..failure() }),
        ("Somebody has deleted the alias", FailureReport { serving: Serving::Gone, ..failure() }),
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

fn refusals() -> Vec<(&'static str, String)> {
    let text = |text: &str| text.to_owned();
    let role = || text("arn:aws:iam::123456789012:role/orders-check");
    vec![
        (
            "No such version",
            Refusal::NoVersion {
                function: text("orders"),
                version: text("42"),
                region: text("eu-central-1"),
            },
        ),
        (
            "A version that cannot run",
            Refusal::VersionFailed {
                function: text("orders"),
                version: text("42"),
                reason: text("the image is invalid"),
            },
        ),
        (
            "A name that is taken",
            Refusal::Taken {
                what: "alias",
                name: text("stable"),
                holder: text("has no mark of a rollout"),
                cure: text("choose another `aliasName`"),
            },
        ),
        (
            "Somebody else shifts traffic",
            Refusal::ForeignWeights {
                alias: text("stable"),
                main: text("41"),
                second: text("40"),
                percent: text("25"),
            },
        ),
        (
            "A deployment is running, with `onConflict: fail`",
            Refusal::Busy { id: text("orders:stable"), deployment: text("d-7FQ2K81XC"), version: text("41") },
        ),
        (
            "Versions between which Lambda cannot split traffic",
            Refusal::NotWeightable { old: text("41"), new: text("42"), what: "execution roles" },
        ),
        ("No such hook", Refusal::NoHook(text("orders-check"))),
        (
            "A hook that may not report",
            Refusal::HookMayNotReport {
                hook: text("orders-check"),
                role: role(),
                group: text(
                    "arn:aws:codedeploy:eu-central-1:123456789012:deploymentgroup:rollout-orders/stable",
                ),
            },
        ),
        ("No such alarm", Refusal::NoAlarm(text("orders-latency"))),
        (
            "An alarm that fires already",
            Refusal::AlarmFiring {
                name: text("orders-latency"),
                since: text(", for 12m"),
                reason: text("Threshold Crossed"),
            },
        ),
        (
            "Another account",
            Refusal::WrongPlace {
                id: text("orders:stable"),
                known_account: text("123456789012"),
                known_region: text("eu-central-1"),
                account: text("210987654321"),
                region: text("eu-central-1"),
            },
        ),
    ]
    .into_iter()
    .map(|(when, refusal)| (when, refusal.to_string()))
    .collect()
}
