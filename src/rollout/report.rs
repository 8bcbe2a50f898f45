//! The message of a failed rollout: what happened, who is served now, why, and what to do.

use std::fmt;
use std::time::Duration;

use super::cloud::Traffic;
use super::duration;
use super::spec::{ErrorAlarm, ErrorAlarmMode, OnFailedVersion};

#[derive(Debug, Clone, PartialEq)]
pub struct FailureReport {
    pub function: String,
    pub alias: String,
    pub version: String,
    /// The largest share of traffic that the version had, in percent.
    pub reached: u8,
    pub after: Duration,
    pub cause: Cause,
    pub serving: Serving,
    pub exposure: Option<Traffic>,
    /// The alias for the version under test, which stays on the one that failed.
    pub latest: Option<String>,
    pub deployment_id: String,
    pub console_url: String,
    pub on_failed_version: OnFailedVersion,
}

/// Why the version did not stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    SmokeTest {
        difference: String,
    },
    Hook {
        name: String,
        stage: HookStage,
        detail: String,
    },
    /// The hook never reported. That says nothing about the version.
    HookCrashed {
        name: String,
        stage: HookStage,
        attempts: usize,
    },
    Alarm {
        alarms: Vec<Fired>,
        while_baking: bool,
    },
    /// Errors of the alias after all traffic had moved.
    Errors {
        detail: String,
    },
    Stopped,
    /// CodeDeploy's own code and message.
    CodeDeploy {
        code: String,
        message: String,
    },
}

/// An alarm that took the version back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    pub name: String,
    /// What it stands for; empty if nobody says.
    pub reason: String,
    /// Whether it is the error alarm of the rollout, whose name means nothing to anybody.
    pub own: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookStage {
    BeforeTraffic,
    AfterTraffic,
}

/// What the alias serves after the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serving {
    /// Nothing had moved.
    Untouched {
        version: String,
    },
    RolledBack {
        version: String,
        rollback: String,
    },
    /// The rollback did not do what it should.
    RollbackFailed {
        version: String,
        second: Option<(String, u8)>,
        /// To which it should have gone back.
        good: String,
        /// Empty = it was not even started, or it is in the detail.
        rollback: String,
        detail: String,
    },
    /// No rollback for this kind of failure.
    NotRolledBack {
        version: String,
        second: Option<(String, u8)>,
        /// What the next update of the rollout puts the alias back to.
        back_to: Option<String>,
    },
    /// There is no alias yet.
    Nothing,
    /// Somebody deleted the alias, or its function.
    Gone,
    /// The alias cannot be read.
    Unseen {
        detail: String,
    },
}

impl Serving {
    /// The deployment that took the traffic back, if there was one.
    pub fn rollback(&self) -> &str {
        match self {
            Self::RolledBack { rollback, .. } | Self::RollbackFailed { rollback, .. } => rollback,
            _ => "",
        }
    }
}

/// How often in words.
pub fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

impl Cause {
    /// Whether this says something about the version itself. A refusal, throttling or a manual stop does not.
    pub fn judges_version(&self) -> bool {
        match self {
            Self::SmokeTest { .. } | Self::Hook { .. } | Self::Alarm { .. } | Self::Errors { .. } => true,
            // A hook that we cannot name any more has judged all the same.
            Self::CodeDeploy { code, .. } => code == "HOOK_EXECUTION_FAILURE",
            Self::HookCrashed { .. } | Self::Stopped => false,
        }
    }

    /// One line, for the `reason` of `lastRollout`.
    pub fn summary(&self) -> String {
        match self {
            Self::SmokeTest { difference } => format!("the smoke test failed: {difference}"),
            Self::Hook { name, stage, detail } => format!("the {stage} hook {name} {detail}"),
            Self::HookCrashed { name, stage, attempts } => {
                format!("the {stage} hook {name} crashed {} without reporting", times(*attempts))
            }
            Self::Alarm { alarms, while_baking } => {
                let all: Vec<String> = alarms.iter().map(Fired::to_string).collect();
                let when = if *while_baking { " while baking" } else { "" };
                format!("{}{when}", all.join(", and "))
            }
            Self::Errors { detail } => detail.clone(),
            Self::Stopped => "the deployment was stopped by hand".to_owned(),
            Self::CodeDeploy { code, message } => format!("{message} ({code})"),
        }
    }

    /// What a person can do about a failure that is not the version's.
    fn cure(&self) -> Option<&'static str> {
        let code = match self {
            Self::CodeDeploy { code, .. } => code,
            Self::HookCrashed { .. } => {
                return Some(
                    "mend the hook function (its log says where it failed), then run `pulumi up` again",
                );
            }
            _ => return None,
        };
        match code.as_str() {
            "IAM_ROLE_PERMISSIONS" | "IAM_ROLE_MISSING" => Some(
                "check the service role, and whether it still exists: it must trust codedeploy.amazonaws.com and allow lambda:UpdateAlias on the alias and lambda:InvokeFunction on the hooks. Then run `pulumi up` again, which also mends a role that a FunctionRollout made",
            ),
            "INVALID_LAMBDA_CONFIGURATION" => Some(
                "the alias was moved by somebody else, or the two versions cannot share traffic; run `pulumi up` again",
            ),
            "INVALID_LAMBDA_FUNCTION" => Some(
                "check that the function, its alias and both versions still exist; for a version that is gone, publish a new one, then run `pulumi up` again",
            ),
            "THROTTLED" => Some("too many deployments at once; run `pulumi up` again"),
            "APPLICATION_MISSING" | "DEPLOYMENT_GROUP_MISSING" | "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND" => {
                Some(
                    "somebody deleted the application, the group or the configuration; run `pulumi up` again, which makes again what a FunctionRollout made",
                )
            }
            "RESOURCE_LIMIT_EXCEEDED" => Some(
                "the account has as many deployments as it may: wait until others have ended, or ask AWS for a higher quota, then run `pulumi up` again",
            ),
            "TIMEOUT" => {
                Some("a hook did not report within an hour; read its log, mend it, and run `pulumi up` again")
            }
            "INTERNAL_ERROR" => Some("CodeDeploy failed; run `pulumi up` again"),
            _ => None,
        }
    }
}

impl fmt::Display for Fired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, reason, own } = self;
        match (own, reason.as_str()) {
            (_, "") => write!(f, "alarm \"{name}\" fired"),
            (true, reason) => write!(f, "{reason}; alarm \"{name}\" fired"),
            (false, reason) => write!(f, "alarm \"{name}\" ({reason}) fired"),
        }
    }
}

impl fmt::Display for HookStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeTraffic => "before-traffic",
            Self::AfterTraffic => "after-traffic",
        })
    }
}

/// One more line of a message.
pub fn labelled(label: &str, text: &str) -> String {
    format!("\n  {label:<13}{text}")
}

impl fmt::Display for FailureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict())?;
        let mut line = |label: &str, text: &str| f.write_str(&labelled(label, text));
        line("Now serving:", &self.serving_line())?;
        line("Cause:", &self.cause.summary())?;
        if let Some(traffic) = self.exposure {
            line("Exposure:", &exposure_line(&self.version, traffic))?;
        }
        if let Some(latest) = self.latest.as_ref().filter(|_| self.is_left_behind()) {
            line("Left behind:", &format!("{latest} → version {}, for a closer look", self.version))?;
        }
        line("Next:", &self.next())?;
        if !self.deployment_id.is_empty() {
            line("Deployment:", format!("{} {}", self.deployment_id, self.console_url).trim_end())?;
        }
        Ok(())
    }
}

impl FailureReport {
    fn verdict(&self) -> String {
        let Self { function, version, .. } = self;
        let after = duration::short(self.after);
        match (&self.serving, self.reached) {
            (Serving::RollbackFailed { .. }, _) => {
                format!("{function}: THE ROLLBACK OF VERSION {version} FAILED")
            }
            (Serving::Nothing, _) => {
                format!("{function}: version {version} was refused; nothing is served yet")
            }
            (Serving::Gone, _) => {
                format!("{function}: version {version} failed, and alias {} is gone", self.alias)
            }
            (Serving::Unseen { .. }, _) => {
                format!("{function}: version {version} failed, and what is served now is not known")
            }
            (Serving::NotRolledBack { .. }, reached) => {
                format!(
                    "{function}: version {version} failed at {reached} % of traffic after {after} and was not rolled back"
                )
            }
            (_, 0) if self.cause.judges_version() => {
                format!("{function}: version {version} was refused before it got any traffic")
            }
            (_, 0) => format!("{function}: version {version} was not rolled out, and no traffic moved"),
            (_, reached) => {
                format!(
                    "{function}: version {version} was rolled back at {reached} % of traffic after {after}"
                )
            }
        }
    }

    /// A first version that is refused leaves nothing, and nothing is left of a function that is gone.
    fn is_left_behind(&self) -> bool {
        !matches!(self.serving, Serving::Nothing | Serving::Gone)
    }

    fn serving_line(&self) -> String {
        let alias = &self.alias;
        match &self.serving {
            Serving::Untouched { version } => format!("{alias} → version {version}, 100 % (never changed)"),
            Serving::RolledBack { version, rollback } => {
                format!("{alias} → version {version}, 100 % (rollback {rollback} finished)")
            }
            Serving::RollbackFailed { version, second, good, rollback, detail } => {
                let shares = match second {
                    Some((second, percent)) => {
                        format!("version {version} and version {second} ({percent} %)")
                    }
                    None => format!("version {version}, 100 %"),
                };
                let rollback = if rollback.is_empty() {
                    "going back".to_owned()
                } else {
                    format!("rollback {rollback}")
                };
                format!(
                    "{alias} → {shares}; {rollback} did not succeed ({detail}). Put the alias back by hand: aws lambda update-alias --function-name {} --name {alias} --function-version {good} --routing-config AdditionalVersionWeights={{}}",
                    self.function
                )
            }
            Serving::NotRolledBack { version, second: None, back_to } => {
                let next = back_to
                    .as_ref()
                    .map(|good| format!("; the next `pulumi up` goes back to version {good}"));
                format!(
                    "{alias} → version {version}, 100 % (`autoRollback` leaves this case out){}",
                    next.unwrap_or_default()
                )
            }
            Serving::NotRolledBack { version, second: Some((second, percent)), .. } => format!(
                "{alias} → version {version} and version {second} ({percent} %) (`autoRollback` leaves this case out); the next `pulumi up` puts it back"
            ),
            Serving::Nothing => format!("nothing: alias {alias} is made when a version passes"),
            Serving::Gone => format!("nothing: somebody deleted alias {alias}, or its function"),
            Serving::Unseen { detail } => format!(
                "alias {alias} could not be read ({detail}). Look at it by hand: aws lambda get-alias --function-name {} --name {alias}",
                self.function
            ),
        }
    }

    /// What a person should do now.
    pub fn next(&self) -> String {
        let version = &self.version;
        if let Some(cure) = self.cause.cure() {
            return cure.to_owned();
        }
        if !self.cause.judges_version() || self.serving == Serving::Nothing {
            return format!("run `pulumi up` again to try version {version} once more");
        }
        let unchanged = match self.on_failed_version {
            OnFailedVersion::Keep => "succeeds and deploys nothing",
            OnFailedVersion::Fail => "fails again with this message and deploys nothing",
            OnFailedVersion::Retry => return format!("`pulumi up` tries version {version} again"),
        };
        format!(
            "publish a version that mends it. Unchanged, the next `pulumi up` {unchanged}; a changed `triggers` value tries version {version} again"
        )
    }
}

fn exposure_line(version: &str, traffic: Traffic) -> String {
    match (traffic.requests, traffic.errors) {
        (requests, _) if requests <= 0.0 => {
            format!("no request that CloudWatch has counted yet reached version {version}")
        }
        (requests, errors) => format!(
            "{} reached version {version}, and {errors:.0} failed, as far as CloudWatch has counted",
            requests_in_words(requests)
        ),
    }
}

/// `1 request`, `2 requests`.
pub fn requests_in_words(requests: f64) -> String {
    counted(requests, "request")
}

/// `34 requests, 1 error`.
pub fn traffic_in_words(traffic: Traffic) -> String {
    format!("{}, {}", requests_in_words(traffic.requests), counted(traffic.errors, "error"))
}

fn counted(count: f64, what: &str) -> String {
    let ending = if (count - 1.0).abs() < 0.5 { "" } else { "s" };
    format!("{count:.0} {what}{ending}")
}

/// Why the error alarm fired, in numbers as far as CloudWatch has them: its own reason speaks of its formula.
pub fn errors_in_words(
    settings: Option<&ErrorAlarm>,
    (from, old): (&str, Traffic),
    (to, new): (&str, Traffic),
) -> String {
    let relative = settings.is_none_or(|settings| settings.mode == ErrorAlarmMode::Relative);
    let limit = settings.map(|settings| settings.threshold).unwrap_or_default();
    let failed = |version: &str, traffic: Traffic| {
        let Traffic { requests, errors } = traffic;
        let percent = (traffic.error_percent() * 10.0).round() / 10.0;
        format!("version {version} failed {errors:.0} of {requests:.0} requests ({percent} %)")
    };
    match (new.errors > 0.0, relative) {
        (true, true) => format!("{}, and {}", failed(to, new), failed(from, old)),
        (true, false) => format!("{}, and the limit is {limit} errors", failed(to, new)),
        (false, true) => format!("errors of version {to} above those of version {from}"),
        (false, false) => format!("{limit} errors or more of version {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> FailureReport {
        FailureReport {
            function: "orders".to_owned(),
            alias: "stable".to_owned(),
            version: "42".to_owned(),
            reached: 10,
            after: Duration::from_secs(192),
            cause: Cause::Alarm {
                alarms: vec![Fired {
                    name: "rollout-orders".to_owned(),
                    reason: "version 42 failed 6 of 118 requests (5.1 %)".to_owned(),
                    own: true,
                }],
                while_baking: false,
            },
            serving: Serving::RolledBack { version: "41".to_owned(), rollback: "d-7F2".to_owned() },
            exposure: Some(Traffic { requests: 118.0, errors: 6.0 }),
            latest: Some("latest".to_owned()),
            deployment_id: "d-9GH".to_owned(),
            console_url: "https://console".to_owned(),
            on_failed_version: OnFailedVersion::Keep,
        }
    }

    #[test]
    fn the_message_leads_with_the_verdict_and_who_is_served() {
        let text = report().to_string();
        let expected = "\
orders: version 42 was rolled back at 10 % of traffic after 3m12s
  Now serving: stable → version 41, 100 % (rollback d-7F2 finished)
  Cause:       version 42 failed 6 of 118 requests (5.1 %); alarm \"rollout-orders\" fired
  Exposure:    118 requests reached version 42, and 6 failed, as far as CloudWatch has counted
  Left behind: latest → version 42, for a closer look
  Next:        publish a version that mends it. Unchanged, the next `pulumi up` succeeds and deploys nothing; a changed `triggers` value tries version 42 again
  Deployment:  d-9GH https://console";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_failed_rollback_is_the_loudest() {
        let serving = Serving::RollbackFailed {
            version: "41".to_owned(),
            second: Some(("42".to_owned(), 10)),
            good: "41".to_owned(),
            rollback: "d-7F2".to_owned(),
            detail: "Failed".to_owned(),
        };
        let text = FailureReport { serving, ..report() }.to_string();
        assert!(text.starts_with("orders: THE ROLLBACK OF VERSION 42 FAILED"), "{text}");
        assert!(text.contains("stable → version 41 and version 42 (10 %); rollback d-7F2 did not"), "{text}");
    }

    #[test]
    fn nobody_claims_that_something_serves_who_has_not_seen_it() {
        let unseen = Serving::Unseen { detail: "no answer".to_owned() };
        for (serving, words) in [
            (Serving::Gone, "Now serving: nothing: somebody deleted alias stable, or its function"),
            (unseen, "Now serving: alias stable could not be read (no answer). Look at it by hand"),
        ] {
            let text = FailureReport { serving, ..report() }.to_string();
            assert!(text.contains(words) && !text.contains("stable →"), "{text}");
        }
    }

    #[test]
    fn only_a_judgement_of_the_version_keeps_it_from_being_tried_again() {
        assert!(report().cause.judges_version());
        assert!(!Cause::Stopped.judges_version());
        let cause = Cause::CodeDeploy { code: "THROTTLED".to_owned(), message: "slow down".to_owned() };
        assert!(!cause.judges_version());
        let text = FailureReport { cause: Cause::Stopped, ..report() }.to_string();
        assert!(text.contains("run `pulumi up` again to try version 42 once more"), "{text}");
    }
}
