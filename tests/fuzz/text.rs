//! Texts: some that mean what their property asks for, and some that nobody would write.

use super::dice::Dice;

/// Stands in every text that is declared as a secret, and is nothing else's text.
pub(crate) const HUSH: &str = "HUSH";
/// The same for what has to be a number.
pub(crate) const HUSH_NUMBER: f64 = 4_242_421.0;
pub(crate) const HUSH_DIGITS: &str = "4242421";

const NAMES: &[&str] = &["orders", "api", "a_b-1"];
const FUNCTIONS: &[&str] = &[
    "orders",
    "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    "arn:aws:lambda:us-east-1:210987654321:function:orders",
    "123456789012:function:orders",
    "orders:3",
    "arn:aws:lambda:eu-west-1:123456789012:function:orders:live",
    "arn:aws:s3:::bucket",
];
const VERSIONS: &[&str] = &["1", "2", "7", "12", "$LATEST", "0", "007", "99999999999999999999999"];
const ALIASES: &[&str] = &["stable", "latest", "live", "7", "a.b", ""];
const DURATIONS: &[&str] = &[
    "5 minutes",
    "90s",
    "1 minute",
    "1h30m",
    "0s",
    "60",
    "2 days",
    "0.000000001 seconds",
    "100000000000000000 minutes",
    "5000000000000000 hours",
    "99999999999999999999999999 days",
    ".5.5 hours",
    "1e9 hours",
];
const JSON: &[&str] = &[
    "{}",
    r#"{"ok":true}"#,
    r#"{"a":{"b":[1,2,{"c":null}]}}"#,
    "1e308",
    "1e999",
    r#""\ud800""#,
    "\"\u{0}\"",
    "[1,",
    "",
    "{\"a\":1,\"a\":2}",
];
const ROLES: &[&str] = &[
    "arn:aws:iam::123456789012:role/deploy",
    "arn:aws:iam::123456789012:role/a/b/c",
    "arn:aws:iam::123456789012:policy/boundary",
    "arn:aws:iam::",
    "deploy",
];
const TOPICS: &[&str] = &["arn:aws:sns:eu-west-1:123456789012:topic", "arn:aws:sns:::", "topic"];
const DEPLOYMENTS: &[&str] = &["d-ABCDEFGHI", "d-", "d-ABCDEFGHI", "", "x"];
const REGIONS: &[&str] = &["eu-west-1", "us-east-1", "nowhere-9", ""];
const TIMES: &[&str] = &[
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "-9999-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-02-30T25:61:61Z",
    "",
];
const STATUSES: &[&str] = &["Succeeded", "Failed", "Stopped", "InProgress", "Inconclusive", "Cancelled", ""];
const ACTIONS: &[&str] = &["lambda:InvokeFunction", "lambda:*", "s3:GetObject"];
const PRINCIPALS: &[&str] = &["sns.amazonaws.com", "*", "123456789012", ""];
/// What a provider's configuration says of this kind is never dialled: nothing listens there.
const URLS: &[&str] = &["http://127.0.0.1:1", "https://127.0.0.1:1", "http://", "https://[::1", "no url"];

const ODD: &[&str] = &[
    "",
    " ",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語",
    "🦀",
    "a:b:c:d:e:f:g",
    "::::::::",
    "arn:",
    "//",
    "..",
    "%s%n{}",
    "\r\n\r\n",
    "true",
    "null",
    "NaN",
    "-1",
    "4dabf18193072939515e22adb298388d",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba",
    "__rollout",
];

/// A text for the property of this name.
pub(crate) fn text(name: &str, secret: bool, dice: &mut Dice) -> String {
    if secret {
        return hushed(name, dice);
    }
    if dice.one_in(12) {
        return odd(dice);
    }
    (*dice.pick(fitting(name))).to_owned()
}

/// A text that nothing is wrong with.
pub(crate) fn sensible(name: &str) -> &'static str {
    fitting(name)[0]
}

fn fitting(name: &str) -> &'static [&'static str] {
    match name {
        "functionName" | "beforeTraffic" | "afterTraffic" => FUNCTIONS,
        "version" | "targetVersion" | "currentVersion" | "servingVersion" | "failedVersion" => VERSIONS,
        "aliasName" | "latestAliasName" | "qualifier" | "latestQualifier" => ALIASES,
        "interval" | "period" | "bake" | "timeout" | "duration" => DURATIONS,
        "payload" | "expect" => JSON,
        "serviceRoleArn" | "permissionsBoundary" | "roleArn" => ROLES,
        "topicArn" => TOPICS,
        "deploymentId" | "deploymentIds" => DEPLOYMENTS,
        "region" => REGIONS,
        "startedAt" | "endedAt" => TIMES,
        "status" | "deploymentStatus" => STATUSES,
        "action" => ACTIONS,
        "principal" => PRINCIPALS,
        "codedeploy" | "lambda" | "iam" | "cloudwatch" | "logs" | "sts" | "url" => URLS,
        _ => NAMES,
    }
}

/// A text that can be found again where it must not be, and that most of the time is a fitting one.
fn hushed(name: &str, dice: &mut Dice) -> String {
    if dice.one_in(6) {
        return format!("{HUSH} {}", odd(dice));
    }
    let fitting = match name {
        "functionName" | "beforeTraffic" | "afterTraffic" => {
            "arn:aws:lambda:eu-west-1:123456789012:function:HUSH"
        }
        "version" => HUSH_DIGITS,
        "interval" | "period" | "bake" | "timeout" | "duration" => "4242421 minutes",
        "payload" | "expect" => r#"{"HUSH":4242421}"#,
        "serviceRoleArn" | "permissionsBoundary" | "roleArn" => "arn:aws:iam::123456789012:role/HUSH",
        "topicArn" => "arn:aws:sns:eu-west-1:123456789012:HUSH",
        "deploymentId" | "deploymentIds" => dice.pick(&["d-HUSH", "HUSH"]),
        "action" => "lambda:HUSH",
        "alarms" => dice.pick(&["HUSH", "arn:HUSH"]),
        _ => HUSH,
    };
    fitting.to_owned()
}

pub(crate) fn odd(dice: &mut Dice) -> String {
    match dice.below(40) {
        0 => "x".repeat(1 + dice.below(3_000)),
        1 => "é日🦀".repeat(1 + dice.below(300)),
        2 => "[".repeat(1 + dice.below(300)),
        3 => (0..dice.below(40))
            .filter_map(|_| char::from_u32(u32::try_from(dice.below(0x11_0000)).unwrap()))
            .collect(),
        _ => (*dice.pick(ODD)).to_owned(),
    }
}

pub(crate) fn number(dice: &mut Dice) -> f64 {
    const NUMBERS: [f64; 24] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        5.0,
        7.0,
        10.0,
        33.0,
        50.0,
        99.0,
        100.0,
        101.0,
        0.5,
        60.0,
        900.0,
        1e9,
        1e19,
        1e308,
        5e-324,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        9_007_199_254_740_993.0,
    ];
    if dice.one_in(8) { f64::from_bits(dice.throw()) } else { *dice.pick(&NUMBERS) }
}
