//! What is refused before anything moves.

use lambda_rollout::rollout::refusal::Refusal;

pub(super) fn refusals() -> Vec<(&'static str, String)> {
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
                name: text("orders:stable"),
                holder: text("was not made by a rollout"),
                cure: text("choose another `aliasName`"),
            },
        ),
        (
            "Somebody else shifts traffic",
            Refusal::ForeignWeights {
                alias: text("orders:stable"),
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
                    "arn:aws:codedeploy:eu-central-1:123456789012:deploymentgroup:rollout-orders.stable/stable",
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
