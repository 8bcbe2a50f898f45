//! The memory of a rollout in the resource's outputs: the public ones, and what only we read back.

use std::time::SystemTime;

use crate::pulumi::{Failure, PropertyMap, PropertyValue};
use crate::rollout::leftover::Leftover;
use crate::rollout::memory::{Drift, LastRollout, Made, Memory};
use crate::rollout::owner::Owner;
use crate::rollout::pieces;
use crate::rollout::plan::IN_PROGRESS;

use super::{secrets, time};

/// The key of the private part. Names that begin with two underscores are shown to nobody.
const PRIVATE: &str = "__rollout";
/// The number of the private part's shape. Every shape ever written is read.
const SHAPE: f64 = 1.0;

/// Writes the memory beside the inputs. `function` and `alias` are in the outputs as ARNs and qualifiers.
pub fn write(outputs: &mut PropertyMap, memory: &Memory, function: &str, alias: &str) {
    let identity = memory.identity();
    let arn = |alias: &str| format!("{}:{alias}", pieces::function_arn(function, &identity));
    let invoke = |arn: &str| pieces::invoke_arn(arn, &identity);
    let latest = memory.latest_alias_name.as_str();
    let latest_arn = if latest.is_empty() { String::new() } else { arn(latest) };
    let latest_invoke = if latest.is_empty() { String::new() } else { invoke(&latest_arn) };
    let mut put = |key: &str, value: &str| {
        let value = PropertyValue::String(value.to_owned());
        // An input of that name may be secret; what was really used is as secret.
        let secret = outputs.get(key).is_some_and(PropertyValue::is_secret);
        outputs.insert(key.to_owned(), if secret { PropertyValue::secret(value) } else { value });
    };
    put("targetArn", &arn(alias));
    put("invokeArn", &invoke(&arn(alias)));
    put("qualifier", alias);
    put("latestTargetArn", &latest_arn);
    put("latestInvokeArn", &latest_invoke);
    put("latestQualifier", latest);
    put("url", &memory.url);
    put("latestUrl", &memory.latest_url);
    put("applicationName", &memory.application);
    put("deploymentGroupName", &memory.group);
    put("deploymentConfigName", &memory.deployment_config);
    put("serviceRoleArn", &memory.service_role_arn);
    put("errorAlarmName", &memory.error_alarm);
    put("deploymentId", &memory.deployment_id);
    put("deploymentStatus", &memory.deployment_status);
    put("servingVersion", &memory.serving_version);
    put("failedVersion", &memory.failed_version);
    put("consoleUrl", &pieces::console_url(&memory.partition, &memory.region, &memory.deployment_id));
    if let Some(last) = &memory.last_rollout {
        outputs.insert("lastRollout".to_owned(), PropertyValue::Object(write_last(last)));
    }
    outputs.insert(PRIVATE.to_owned(), PropertyValue::Object(write_private(memory)));
    secrets::spread(outputs);
}

/// For resources whose public outputs are fewer.
pub fn write_private_only(outputs: &mut PropertyMap, memory: &Memory) {
    outputs.insert(PRIVATE.to_owned(), PropertyValue::Object(write_private(memory)));
    secrets::spread(outputs);
}

/// For resources that have nothing in AWS to remember: only the shape, so that a later one is known for what it is.
pub fn write_shape_only(outputs: &mut PropertyMap) {
    let private = PropertyMap::from([("v".to_owned(), PropertyValue::Number(SHAPE))]);
    outputs.insert(PRIVATE.to_owned(), PropertyValue::Object(private));
    secrets::spread(outputs);
}

/// Refuses outputs that a later version of the plugin has written: what they mean is not guessed. Outputs without a
/// shape are of an import, or of a waiter from before it had one.
pub fn check_shape(outputs: &PropertyMap) -> Result<(), Failure> {
    let shape = outputs.get(PRIVATE).and_then(PropertyValue::as_object).and_then(|private| private.get("v"));
    match shape.map(PropertyValue::as_number) {
        None => Ok(()),
        Some(Some(number)) if number <= SHAPE => Ok(()),
        Some(number) => {
            let written = number.map_or_else(|| "no number".to_owned(), |number| number.to_string());
            Err(Failure::plain(format!(
                "a later version of the lambda-rollout plugin has written this state (its shape is {written}, and this \
                 plugin, version {}, knows shapes up to {SHAPE}); nothing was changed: upgrade the plugin to the \
                 version that the stack was last updated with",
                env!("CARGO_PKG_VERSION")
            )))
        }
    }
}

/// Reads the memory back; `None` if these outputs are not of a rollout that exists.
pub fn read(outputs: &PropertyMap) -> Option<Memory> {
    let private = outputs.get(PRIVATE)?.as_object()?;
    let kept = |key: &str| private.get(key).and_then(PropertyValue::as_str).unwrap_or_default();
    let shown = |key: &str| outputs.get(key).and_then(PropertyValue::as_str).unwrap_or_default().to_owned();
    let list = |key: &str| -> Vec<String> {
        let items = private.get(key).and_then(PropertyValue::as_array).unwrap_or_default();
        items.iter().filter_map(PropertyValue::as_str).map(str::to_owned).collect()
    };
    let made = list("made");
    let has = |piece: &str| made.iter().any(|name| name == piece);
    let owner = Owner { path: kept("owner").to_owned(), generation: kept("generation").to_owned() };
    Some(Memory {
        imported: private.get("imported").and_then(PropertyValue::as_bool).unwrap_or(false),
        heir: match list("heir").as_slice() {
            [path, generation] => Some(Owner { path: path.clone(), generation: generation.clone() }),
            _ => None,
        },
        made: Made {
            alias: has("alias"),
            latest_alias: has("latestAlias"),
            application: has("application"),
            group: has("group"),
            role: has("role"),
        },
        application: shown("applicationName"),
        group: shown("deploymentGroupName"),
        deployment_config: shown("deploymentConfigName"),
        service_role_arn: shown("serviceRoleArn"),
        latest_alias_name: shown("latestQualifier"),
        url: shown("url"),
        latest_url: shown("latestUrl"),
        error_alarm: shown("errorAlarmName"),
        deployment_id: shown("deploymentId"),
        deployment_status: shown("deploymentStatus"),
        serving_version: shown("servingVersion"),
        failed_version: shown("failedVersion"),
        trigger_mark: kept("triggerMark").to_owned(),
        tag_mark: kept("tagMark").to_owned(),
        boundary: kept("boundary").to_owned(),
        leftovers: read_leftovers(private),
        drift: read_drift(private),
        previous_version: kept("previous").to_owned(),
        served: list("served"),
        last_rollout: outputs.get("lastRollout").and_then(PropertyValue::as_object).map(read_last),
        ..Memory::new(owner, kept("account"), kept("region"), kept("partition"))
    })
}

/// Whether a deployment was running when this state was written.
pub fn is_live(memory: &Memory) -> bool {
    memory.last_rollout.as_ref().is_some_and(|last| last.status == IN_PROGRESS)
        && !memory.deployment_id.is_empty()
}

fn write_private(memory: &Memory) -> PropertyMap {
    let Made { alias, latest_alias, application, group, role } = memory.made;
    let made = [
        (alias, "alias"),
        (latest_alias, "latestAlias"),
        (application, "application"),
        (group, "group"),
        (role, "role"),
    ];
    let made =
        made.iter().filter(|(is_made, _)| *is_made).map(|(_, name)| PropertyValue::from(*name)).collect();
    let served = memory.served.iter().map(|version| PropertyValue::from(version.as_str())).collect();
    let heir = memory.heir.iter().flat_map(|heir| [heir.path.as_str(), heir.generation.as_str()]);
    PropertyMap::from([
        ("v".to_owned(), PropertyValue::Number(SHAPE)),
        ("owner".to_owned(), PropertyValue::from(memory.owner.path.as_str())),
        ("generation".to_owned(), PropertyValue::from(memory.owner.generation.as_str())),
        ("account".to_owned(), PropertyValue::from(memory.account.as_str())),
        ("region".to_owned(), PropertyValue::from(memory.region.as_str())),
        ("partition".to_owned(), PropertyValue::from(memory.partition.as_str())),
        ("imported".to_owned(), PropertyValue::Bool(memory.imported)),
        ("heir".to_owned(), PropertyValue::Array(heir.map(PropertyValue::from).collect())),
        ("made".to_owned(), PropertyValue::Array(made)),
        ("served".to_owned(), PropertyValue::Array(served)),
        ("previous".to_owned(), PropertyValue::from(memory.previous_version.as_str())),
        ("triggerMark".to_owned(), PropertyValue::from(memory.trigger_mark.as_str())),
        ("tagMark".to_owned(), PropertyValue::from(memory.tag_mark.as_str())),
        ("boundary".to_owned(), PropertyValue::from(memory.boundary.as_str())),
        ("leftovers".to_owned(), PropertyValue::Array(memory.leftovers.iter().map(write_leftover).collect())),
        ("drift".to_owned(), PropertyValue::Array(memory.drift.iter().map(write_drift).collect())),
    ])
}

fn write_leftover(leftover: &Leftover) -> PropertyValue {
    PropertyValue::Array(leftover.to_parts().into_iter().map(PropertyValue::from).collect())
}

fn read_leftovers(private: &PropertyMap) -> Vec<Leftover> {
    let all = private.get("leftovers").and_then(PropertyValue::as_array).unwrap_or_default();
    let parts = all.iter().filter_map(PropertyValue::as_array);
    parts
        .filter_map(|parts| {
            let parts: Vec<&str> = parts.iter().filter_map(PropertyValue::as_str).collect();
            Leftover::from_parts(&parts)
        })
        .collect()
}

fn write_drift(drift: &Drift) -> PropertyValue {
    PropertyValue::Array(vec![drift.property.as_str().into(), drift.mend.as_str().into()])
}

fn read_drift(private: &PropertyMap) -> Vec<Drift> {
    let all = private.get("drift").and_then(PropertyValue::as_array).unwrap_or_default();
    let parts = all.iter().filter_map(PropertyValue::as_array);
    parts
        .filter_map(|parts| match parts {
            [property, mend] => {
                Some(Drift { property: property.as_str()?.to_owned(), mend: mend.as_str()?.to_owned() })
            }
            _ => None,
        })
        .collect()
}

fn write_last(last: &LastRollout) -> PropertyMap {
    let ended = last.ended.map(time::format).unwrap_or_default();
    PropertyMap::from([
        ("version".to_owned(), PropertyValue::from(last.version.as_str())),
        ("status".to_owned(), PropertyValue::from(last.status.as_str())),
        ("reason".to_owned(), PropertyValue::from(last.reason.as_str())),
        ("percentage".to_owned(), PropertyValue::Number(f64::from(last.percentage))),
        ("rollbackDeploymentId".to_owned(), PropertyValue::from(last.rollback.as_str())),
        ("next".to_owned(), PropertyValue::from(last.next.as_str())),
        ("requests".to_owned(), PropertyValue::Number(last.requests)),
        ("errors".to_owned(), PropertyValue::Number(last.errors)),
        ("startedAt".to_owned(), PropertyValue::from(time::format(last.started).as_str())),
        ("endedAt".to_owned(), PropertyValue::from(ended.as_str())),
    ])
}

fn read_last(map: &PropertyMap) -> LastRollout {
    let text = |key: &str| map.get(key).and_then(PropertyValue::as_str).unwrap_or_default();
    let number = |key: &str| map.get(key).and_then(PropertyValue::as_number).unwrap_or_default();
    let started = time::parse(text("startedAt")).unwrap_or(SystemTime::UNIX_EPOCH);
    LastRollout {
        status: text("status").to_owned(),
        reason: text("reason").to_owned(),
        percentage: map.get("percentage").and_then(PropertyValue::as_number).map_or(0, percent),
        rollback: text("rollbackDeploymentId").to_owned(),
        next: text("next").to_owned(),
        requests: number("requests"),
        errors: number("errors"),
        ended: time::parse(text("endedAt")),
        ..LastRollout::of(text("version"), started)
    }
}

// The number is between 0 and 100, so it fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn percent(number: f64) -> u8 {
    number.clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_memory_is_read_back_as_it_was_written() {
        let mut memory = Memory::new(Owner::new("p", "s", "n", "g1"), "123456789012", "eu-west-1", "aws");
        memory.made = Made { alias: true, role: true, ..Made::default() };
        memory.latest_alias_name = "latest".to_owned();
        memory.application = "rollout-api.stable".to_owned();
        memory.failed_version = "3".to_owned();
        memory.boundary = "arn:aws:iam::123456789012:policy/b".to_owned();
        memory.leftovers = vec![
            Leftover::Group { application: "app".to_owned(), name: "g".to_owned() },
            Leftover::Config("c".to_owned()),
        ];
        memory.drift =
            vec![Drift { property: "functionUrl".to_owned(), mend: "create the function URL".to_owned() }];
        memory.record_serving("2");
        let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        memory.last_rollout = Some(LastRollout {
            status: "Failed".to_owned(),
            reason: "r".to_owned(),
            percentage: 10,
            rollback: "d-1".to_owned(),
            next: "mend it".to_owned(),
            requests: 12.0,
            errors: 3.0,
            ..LastRollout::of("3", started)
        });
        let mut outputs = PropertyMap::new();
        write(&mut outputs, &memory, "api", "stable");
        assert_eq!(read(&outputs), Some(memory));
        let arn = outputs["targetArn"].as_str();
        assert_eq!(arn, Some("arn:aws:lambda:eu-west-1:123456789012:function:api:stable"));
    }

    #[test]
    fn a_later_shape_is_refused_and_every_other_read() {
        let outputs =
            |private: PropertyMap| PropertyMap::from([(PRIVATE.to_owned(), PropertyValue::Object(private))]);
        let shape = |v: PropertyValue| outputs(PropertyMap::from([("v".to_owned(), v)]));
        let number = PropertyValue::Number;
        for known in [PropertyMap::new(), outputs(PropertyMap::new()), shape(number(1.0))] {
            assert_eq!(check_shape(&known), Ok(()));
        }
        for later in [shape(number(2.0)), shape(number(1.5)), shape("1".into()), shape(PropertyValue::Null)] {
            let said = check_shape(&later).unwrap_err().to_string();
            assert!(said.contains("upgrade the plugin"), "{said}");
        }
    }

    #[test]
    fn outputs_of_something_else_are_no_memory() {
        assert_eq!(read(&PropertyMap::new()), None);
    }
}
