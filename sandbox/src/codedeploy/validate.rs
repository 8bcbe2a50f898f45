//! What CodeDeploy refuses before it does anything.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::error::refuse;
use super::lifecycle::Routing;
use super::model::{AlarmConfiguration, AutoRollback, Revision, TriggerConfig};
use crate::error::ServiceError;

type Checked = Result<(), ServiceError>;

const ALARMS: usize = 10;
const TRIGGERS: usize = 10;
const DESCRIPTION: usize = 256;
const SHIFT_MINUTES: u32 = 2880;

/// The errors of one kind of name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    what: &'static str,
    required: &'static str,
    invalid: &'static str,
}

pub(crate) const APPLICATION: Name = Name {
    what: "Application name",
    required: "ApplicationNameRequiredException",
    invalid: "InvalidApplicationNameException",
};
pub(crate) const GROUP: Name = Name {
    what: "Deployment group name",
    required: "DeploymentGroupNameRequiredException",
    invalid: "InvalidDeploymentGroupNameException",
};
pub(crate) const CONFIG: Name = Name {
    what: "Deployment configuration name",
    required: "DeploymentConfigNameRequiredException",
    invalid: "InvalidDeploymentConfigNameException",
};

impl Name {
    /// A name that has to be there, and has to be one.
    pub(crate) fn required(self, name: Option<&str>) -> Result<&str, ServiceError> {
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| refuse(self.required, format!("{} must be specified", self.what)))?;
        self.valid(name)?;
        Ok(name)
    }

    pub(crate) fn valid(self, name: &str) -> Checked {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if (1..=100).contains(&name.len()) && name.bytes().all(allowed) {
            return Ok(());
        }
        Err(refuse(
            self.invalid,
            format!("{} {name} is not valid: up to 100 of A-Z a-z 0-9 + = , . @ _ -", self.what),
        ))
    }
}

/// `d-` and nine capital letters or digits.
pub(crate) fn deployment_id(id: Option<&str>) -> Result<&str, ServiceError> {
    let id = id.filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| {
        refuse("DeploymentIdRequiredException", "At least one deployment ID must be specified")
    })?;
    let body = id.strip_prefix("d-").unwrap_or_default();
    let valid =
        body.len() == 9 && body.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if valid {
        Ok(id)
    } else {
        Err(refuse("InvalidDeploymentIdException", format!("{id} is not a deployment ID")))
    }
}

pub(crate) fn platform(platform: Option<&str>) -> Result<&str, ServiceError> {
    match platform {
        None => Ok("Server"),
        Some(known @ ("Server" | "Lambda" | "ECS")) => Ok(known),
        Some(other) => Err(refuse(
            "InvalidComputePlatformException",
            format!("{other} is not one of Server, Lambda, ECS"),
        )),
    }
}

pub(crate) fn description(description: Option<&str>) -> Checked {
    if description.is_some_and(|text| text.chars().count() > DESCRIPTION) {
        return Err(refuse(
            "DescriptionTooLongException",
            format!("A description has at most {DESCRIPTION} characters"),
        ));
    }
    Ok(())
}

pub(crate) fn alarms(alarms: &AlarmConfiguration) -> Checked {
    let invalid = |message: &str| Err(refuse("InvalidAlarmConfigException", message));
    let names = alarms.names();
    let unique: BTreeSet<_> = names.iter().collect();
    if alarms.enabled && names.is_empty() {
        return invalid("Alarms are enabled, and there are none in the list");
    }
    if names.iter().any(|name| name.is_empty() || name.chars().count() > 255) {
        return invalid("An alarm's name has 1 to 255 characters");
    }
    if unique.len() != names.len() {
        return invalid("The list of alarms has one of them twice");
    }
    if names.len() > ALARMS {
        let message = format!("A deployment group has at most {ALARMS} alarms");
        return Err(refuse("AlarmsLimitExceededException", message));
    }
    Ok(())
}

pub(crate) fn rollback(rollback: &AutoRollback) -> Checked {
    const KNOWN: [&str; 3] = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"];
    let known = rollback.events.iter().all(|event| KNOWN.contains(&event.as_str()));
    if known && (!rollback.enabled || !rollback.events.is_empty()) {
        return Ok(());
    }
    Err(refuse(
        "InvalidAutoRollbackConfigException",
        "Automatic rollback needs at least one event, and only known ones",
    ))
}

pub(crate) fn triggers(triggers: &[TriggerConfig]) -> Checked {
    const KNOWN: [&str; 10] = [
        "DeploymentStart",
        "DeploymentSuccess",
        "DeploymentFailure",
        "DeploymentStop",
        "DeploymentRollback",
        "DeploymentReady",
        "InstanceStart",
        "InstanceSuccess",
        "InstanceFailure",
        "InstanceReady",
    ];
    let invalid = |message: String| Err(refuse("InvalidTriggerConfigException", message));
    if triggers.len() > TRIGGERS {
        let message = format!("A deployment group has at most {TRIGGERS} triggers");
        return Err(refuse("TriggerTargetsLimitExceededException", message));
    }
    let names: BTreeSet<_> = triggers.iter().map(|trigger| &trigger.name).collect();
    if names.len() != triggers.len() || names.iter().any(|name| name.is_empty()) {
        return invalid("Every trigger needs a name of its own".to_owned());
    }
    for trigger in triggers {
        if !trigger.topic.starts_with("arn:") || !trigger.topic.contains(":sns:") {
            return invalid(format!("Topic ARN {} is not valid", trigger.topic));
        }
        if trigger.events.is_empty() || trigger.events.iter().any(|event| !KNOWN.contains(&&**event)) {
            return invalid(format!("The events of trigger {} are not valid", trigger.name));
        }
    }
    Ok(())
}

pub(crate) fn routing(routing: Routing) -> Checked {
    let invalid = |message: String| Err(refuse("InvalidTrafficRoutingConfigurationException", message));
    let (percentage, interval) = match routing {
        Routing::AllAtOnce => return Ok(()),
        Routing::TimeBasedCanary { canary } => (canary.percentage, canary.interval),
        Routing::TimeBasedLinear { linear } => (linear.percentage, linear.interval),
    };
    if !(1..=99).contains(&percentage) {
        return invalid(format!("The percentage of an increment is 1 to 99, not {percentage}"));
    }
    let intervals = match routing {
        Routing::TimeBasedLinear { .. } => 99 / percentage,
        _ => 1,
    };
    match interval.checked_mul(intervals) {
        Some(minutes) if interval >= 1 && minutes <= SHIFT_MINUTES => Ok(()),
        _ => invalid(format!("From the first shift to the last are 1 to {SHIFT_MINUTES} minutes")),
    }
}

/// The form of a revision; `sha256` has to fit the text, if both are given.
pub(crate) fn revision(revision: &Revision) -> Checked {
    let invalid = |message: &str| Err(refuse("InvalidRevisionException", message));
    let given = match revision.kind.as_deref() {
        Some("AppSpecContent") => revision.app_spec_content.is_some(),
        Some("String") => revision.string.is_some(),
        Some("S3") => revision.s3_location.is_some(),
        Some("GitHub") => revision.git_hub_location.is_some(),
        None => return Err(refuse("RevisionRequiredException", "A revision and its type must be specified")),
        Some(_) => false,
    };
    if !given {
        return invalid("The revision's type has to be known, and its location given");
    }
    let Some(inline) = revision.inline() else { return Ok(()) };
    if let (Some(content), Some(sha256)) = (&inline.content, &inline.sha256)
        && digest(content) != *sha256
    {
        return invalid("The revision's sha256 is not that of its content");
    }
    Ok(())
}

/// The lower-case hexadecimal SHA-256 of a text.
pub(crate) fn digest(content: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(content.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::lifecycle::{Canary, Linear};
    use super::super::model::{Alarm, Inline};
    use super::*;

    fn code(checked: Checked) -> &'static str {
        checked.map_or_else(|error| error.code, |()| "")
    }

    #[test]
    fn names() {
        let long = "x".repeat(101);
        for (name, expected) in [
            (Some("a+=,.@_-9"), ""),
            (None, "ApplicationNameRequiredException"),
            (Some(""), "ApplicationNameRequiredException"),
            (Some("bad name!"), "InvalidApplicationNameException"),
            (Some(long.as_str()), "InvalidApplicationNameException"),
        ] {
            assert_eq!(code(APPLICATION.required(name).map(|_| ())), expected, "{name:?}");
        }
    }

    #[test]
    fn deployment_ids() {
        for (id, expected) in [
            (Some("d-ABC123XYZ"), ""),
            (None, "DeploymentIdRequiredException"),
            (Some("d-abc123xyz"), "InvalidDeploymentIdException"),
            (Some("d-ABC"), "InvalidDeploymentIdException"),
        ] {
            assert_eq!(code(deployment_id(id).map(|_| ())), expected, "{id:?}");
        }
    }

    #[test]
    fn routings() {
        let canary =
            |percentage, interval| Routing::TimeBasedCanary { canary: Canary { percentage, interval } };
        let linear =
            |percentage, interval| Routing::TimeBasedLinear { linear: Linear { percentage, interval } };
        for (routing_config, valid) in [
            (Routing::AllAtOnce, true),
            (canary(1, 2880), true),
            (canary(1, 2881), false),
            (canary(0, 5), false),
            (canary(100, 5), false),
            (canary(10, 0), false),
            (linear(25, 960), true),
            (linear(25, 961), false),
            (linear(10, 320), true),
            (linear(10, 321), false),
            (linear(1, u32::MAX), false),
        ] {
            let expected = if valid { "" } else { "InvalidTrafficRoutingConfigurationException" };
            assert_eq!(code(routing(routing_config)), expected, "{routing_config:?}");
        }
    }

    #[test]
    fn alarm_lists() {
        let list = |enabled, names: &[&str]| AlarmConfiguration {
            enabled,
            ignore_poll_alarm_failure: false,
            alarms: Some(names.iter().map(|name| Alarm { name: (*name).to_owned() }).collect()),
        };
        let many: Vec<_> = (0..11).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        for (configuration, expected) in [
            (list(false, &[]), ""),
            (list(true, &["a", "b"]), ""),
            (list(true, &[]), "InvalidAlarmConfigException"),
            (list(true, &["a", "a"]), "InvalidAlarmConfigException"),
            (list(true, &[""]), "InvalidAlarmConfigException"),
            (list(true, &many), "AlarmsLimitExceededException"),
        ] {
            assert_eq!(code(alarms(&configuration)), expected);
        }
    }

    #[test]
    fn revisions() {
        let inline = |sha256: Option<&str>| Revision {
            kind: Some("AppSpecContent".to_owned()),
            app_spec_content: Some(Inline { content: Some("{}".into()), sha256: sha256.map(str::to_owned) }),
            ..Revision::default()
        };
        let right = digest("{}");
        assert_eq!(right.len(), 64);
        let untyped = Revision { kind: None, ..inline(None) };
        let other = Revision { kind: Some("S3".to_owned()), ..inline(None) };
        for (given, expected) in [
            (inline(None), ""),
            (inline(Some(&right)), ""),
            (inline(Some("00")), "InvalidRevisionException"),
            (untyped, "RevisionRequiredException"),
            (other, "InvalidRevisionException"),
        ] {
            assert_eq!(code(revision(&given)), expected, "{given:?}");
        }
    }

    #[test]
    fn rollback_and_triggers() {
        let events = |enabled, list: &[&str]| AutoRollback {
            enabled,
            events: list.iter().map(|e| (*e).to_owned()).collect(),
        };
        assert_eq!(code(rollback(&events(true, &["DEPLOYMENT_FAILURE"]))), "");
        assert_eq!(code(rollback(&events(false, &[]))), "");
        assert_eq!(code(rollback(&events(true, &[]))), "InvalidAutoRollbackConfigException");
        assert_eq!(code(rollback(&events(false, &["NOPE"]))), "InvalidAutoRollbackConfigException");
        let trigger = |arn: &str, event: &str| TriggerConfig {
            name: "t".into(),
            topic: arn.into(),
            events: vec![event.into()],
        };
        let topic = "arn:aws:sns:us-east-1:000000000000:topic";
        assert_eq!(code(triggers(&[trigger(topic, "DeploymentStop")])), "");
        assert_eq!(code(triggers(&[trigger("topic", "DeploymentStop")])), "InvalidTriggerConfigException");
        assert_eq!(code(triggers(&[trigger(topic, "Nope")])), "InvalidTriggerConfigException");
    }
}
