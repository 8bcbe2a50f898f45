//! What certainly cannot work is refused before any traffic moves.

use std::time::{Duration, SystemTime};

use super::cloud::{Alarm, Cloud, VersionInfo, VersionState};
use super::context::{Context, Doing, RolloutError};
use super::duration;
use super::hook::access::check_hooks;
use super::pieces::Pieces;
use super::place::here;
use super::refusal::Refusal;
use super::spec::{AlarmsAlreadyFiring, RolloutSpec};

const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Waits until the version can run. Lambda makes versions of images and with `SnapStart` active only after a while.
pub async fn await_active<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    first_look: Option<&VersionInfo>,
) -> Result<(), RolloutError> {
    let mut info = first_look.cloned();
    loop {
        match info {
            None => {
                let region = here(cx).await?.region;
                let (function, version) = (spec.function.name.clone(), spec.version.clone());
                return Err(Refusal::NoVersion { function, version, region }.into());
            }
            Some(info) if info.state == VersionState::Failed => {
                return Err(Refusal::VersionFailed {
                    function: spec.function.name.clone(),
                    version: spec.version.clone(),
                    reason: info.state_reason,
                }
                .into());
            }
            Some(info) if info.state != VersionState::Pending => return Ok(()),
            Some(_) => cx.reporter.status(&format!("waiting until version {} is active", spec.version)),
        }
        cx.pause(LOOK_AGAIN)
            .await
            .map_err(|why| left(&format!("version {} is not active yet", spec.version), why))?;
        info = cx
            .cloud
            .version(&spec.function.name, &spec.version)
            .await
            .doing(|| format!("could not read version {}", spec.version))?;
    }
}

/// The alarms that this deployment may watch: all of the user's, less those that fire and are to be ignored.
pub async fn check_deployment<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    (from, new): (&str, Option<&VersionInfo>),
    served_before: bool,
) -> Result<Vec<String>, RolloutError> {
    let ((), (), alarms) = tokio::try_join!(
        check_weights(cx, spec, from, new),
        check_hooks(cx, spec, pieces),
        check_alarms(cx, spec, served_before),
    )?;
    Ok(alarms)
}

async fn check_weights<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    from: &str,
    new: Option<&VersionInfo>,
) -> Result<(), RolloutError> {
    if !spec.routing.is_weighted() {
        return Ok(());
    }
    let old = cx.cloud.version(&spec.function.name, from).await;
    let (Some(old), Some(new)) = (old.doing(|| "could not compare the two versions".to_owned())?, new) else {
        return Ok(());
    };
    let what = if old.role_arn != new.role_arn {
        "execution roles"
    } else if old.dead_letter_arn != new.dead_letter_arn {
        "dead-letter queues"
    } else {
        return Ok(());
    };
    Err(Refusal::NotWeightable { old: from.to_owned(), new: spec.version.clone(), what }.into())
}

async fn check_alarms<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    served_before: bool,
) -> Result<Vec<String>, RolloutError> {
    loop {
        let alarms = if spec.alarms.is_empty() { Vec::new() } else { read_alarms(cx, spec).await? };
        let firing: Vec<&Alarm> = alarms.iter().filter(|alarm| alarm.state == "ALARM").collect();
        let Some(first) = firing.first() else {
            return Ok(spec.alarms.clone());
        };
        let names = firing.iter().map(|alarm| alarm.name.as_str()).collect::<Vec<_>>().join(", ");
        match spec.alarms_already_firing {
            _ if served_before => cx.reporter.warn(&format!(
                "firing already and left out of this deployment, because version {} was served before: {names}",
                spec.version
            )),
            AlarmsAlreadyFiring::Ignore => {
                cx.reporter.warn(&format!("firing already and left out of this deployment: {names}"));
            }
            AlarmsAlreadyFiring::Fail => return Err(firing_refusal(first, cx.now()).into()),
            AlarmsAlreadyFiring::Wait => {
                cx.reporter.status(&format!("waiting until these alarms are OK: {names}"));
                cx.pause(LOOK_AGAIN * 3)
                    .await
                    .map_err(|why| left(&format!("alarms still fire ({names}), nothing was started"), why))?;
                continue;
            }
        }
        let is_quiet = |name: &&String| !firing.iter().any(|alarm| alarm.name == **name);
        return Ok(spec.alarms.iter().filter(is_quiet).cloned().collect());
    }
}

async fn read_alarms<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec) -> Result<Vec<Alarm>, RolloutError> {
    let alarms = cx.cloud.alarms(&spec.alarms).await.doing(|| "could not read the alarms".to_owned())?;
    match spec.alarms.iter().find(|name| !alarms.iter().any(|alarm| alarm.name == **name)) {
        Some(missing) => Err(Refusal::NoAlarm(missing.clone()).into()),
        None => Ok(alarms),
    }
}

fn firing_refusal(alarm: &Alarm, now: SystemTime) -> Refusal {
    let age = alarm.since.and_then(|since| now.duration_since(since).ok());
    let since = age.map(|age| format!(", for {}", duration::short(age))).unwrap_or_default();
    Refusal::AlarmFiring { name: alarm.name.clone(), since, reason: alarm.reason.clone() }
}

pub fn left(what: &str, why: super::context::Interrupted) -> RolloutError {
    RolloutError::Left(format!("{what}: {why}"))
}
