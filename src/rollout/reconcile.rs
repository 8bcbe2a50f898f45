//! Create and Update: observe, plan, apply, until AWS is as declared.

use std::time::SystemTime;

use super::announce;
use super::apply::apply;
use super::clear::{clear, give_back};
use super::cloud::{Cloud, CloudError, CloudErrorKind, Deployment};
use super::context::{Context, RolloutError};
use super::deploy::{self, Run};
use super::failure;
use super::follow::Ended;
use super::leftover::Leftover;
use super::memory::{Made, Memory};
use super::names;
use super::observe::{Observed, observe};
use super::owner::Owner;
use super::plan::{self, IN_PROGRESS, Plan, Traffic, Work};
use super::preflight;
use super::report::{Cause, FailureReport, Serving};
use super::spec::{OnFailedVersion, RolloutSpec};
use super::strategy;
use super::sweep::sweep;
use super::way_back::{self, Reason};

/// How often somebody else may change what we look at before we give up.
const ROUNDS: u32 = 5;

/// The memory to save, also after a failure, and how it went. No memory: nothing was made.
#[derive(Debug)]
pub struct Reconciled {
    pub memory: Option<Memory>,
    pub result: Result<(), RolloutError>,
}

pub async fn reconcile<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    previous: Option<Memory>,
    owner: &Owner,
) -> Reconciled {
    let mut memory = previous;
    let result = rounds(cx, spec, &mut memory, owner).await;
    // A run that was refused or cut short knows too little to take anything away.
    let tidy = matches!(result, Ok(()) | Err(RolloutError::Failed(_)));
    if let Some(memory) = memory.as_mut().filter(|_| tidy) {
        sweep(cx, spec, memory).await;
    }
    Reconciled { memory, result }
}

async fn rounds<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &mut Option<Memory>,
    owner: &Owner,
) -> Result<(), RolloutError> {
    let mut round = 0;
    loop {
        round += 1;
        let seen = observe(cx, spec, memory.as_ref()).await?;
        match plan::plan(spec, memory.as_ref(), owner, &seen)? {
            Plan::Clear(obstacle) if round < ROUNDS => clear(cx, spec, &obstacle).await?,
            Plan::Clear(obstacle) => {
                return Err(RolloutError::Left(format!(
                    "{} is not free after {ROUNDS} attempts ({obstacle}): run again",
                    spec.id()
                )));
            }
            Plan::GiveBack(back) => match memory.as_mut().filter(|_| round < ROUNDS) {
                Some(memory) => give_back(cx, spec, &back, memory).await?,
                None => {
                    return Err(RolloutError::Left(format!(
                        "version {} failed and still serves after {ROUNDS} attempts to put alias {} back: run again",
                        back.failed, spec.alias
                    )));
                }
            },
            Plan::Go(work) => match carry_out(cx, spec, owner, memory, &seen, &work).await {
                Err(RolloutError::Cloud { source, .. }) if round < ROUNDS && is_race(&source) => {}
                other => return other,
            },
        }
    }
}

/// Somebody changed it between our look and our step: look again.
fn is_race(error: &CloudError) -> bool {
    use CloudErrorKind::{AlreadyExists, Changed, GroupBusy};
    // A shared configuration goes with its last user, and another rollout may have been that.
    let config_went = error.code == "DeploymentConfigDoesNotExistException";
    matches!(error.kind, AlreadyExists | Changed | GroupBusy) || config_went
}

async fn carry_out<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    owner: &Owner,
    memory: &mut Option<Memory>,
    seen: &Observed,
    work: &Work,
) -> Result<(), RolloutError> {
    let fresh = || Memory {
        // Until every piece carries the mark, whoever comes next puts a mark of their own on all of them.
        imported: true,
        ..Memory::new(owner.clone(), &seen.identity.account, &seen.identity.region, &seen.identity.partition)
    };
    if matches!(work.traffic, Traffic::FirstVersion | Traffic::Deploy { .. }) {
        preflight::await_active(cx, spec, seen.version.as_ref()).await?;
    }
    if memory.is_none() && work.made != Made::default() && !spec.adopt {
        *memory = Some(take_up(cx, spec, fresh(), seen, work).await?);
    }
    let first = work.traffic == Traffic::FirstVersion;
    if first || (memory.is_none() && work.traffic == Traffic::Unchanged) {
        // Before anything is made: a first version that fails leaves nothing behind.
        let mut trial = memory.clone().unwrap_or_else(fresh);
        deploy::smoke_test(cx, spec, "", &mut trial).await?;
    }
    let memory = memory.get_or_insert_with(fresh);
    remember_pieces(memory, spec, seen, work);
    if memory.imported {
        memory.heir = Some(owner.clone());
    }
    let served_before = memory.served.contains(&spec.version);
    let checks = async {
        let Traffic::Deploy { from } = &work.traffic else { return Ok(Vec::new()) };
        let versions = (from.as_str(), seen.version.as_ref());
        preflight::check_deployment(cx, spec, &work.pieces, versions, served_before).await
    };
    // A refusal cuts no step off, but nobody waits for an alarm when a step has failed.
    let ((), alarms) = tokio::try_join!(make(cx, spec, owner, memory, work), async { Ok(checks.await) })?;
    move_traffic(cx, spec, memory, seen, work, alarms?).await
}

/// Carries out the steps. The aliases come last, though they need nothing of CodeDeploy's pieces: nobody is to find an
/// alias for which there can be no rollout.
async fn make<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    owner: &Owner,
    memory: &mut Memory,
    work: &Work,
) -> Result<(), RolloutError> {
    for stage in [&work.foundation, &work.group, &work.alias, &work.attachments] {
        apply(cx, &spec.function.name, stage, memory).await?;
    }
    // Every piece carries the mark now.
    memory.owner = owner.clone();
    memory.imported = false;
    memory.heir = None;
    memory.drift.clear();
    memory.tag_mark = spec.tag_mark();
    Ok(())
}

/// A run that was killed has made something: it gets the mark of this one, and into the state before this one can fail.
async fn take_up<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    mut memory: Memory,
    seen: &Observed,
    work: &Work,
) -> Result<Memory, RolloutError> {
    remember_pieces(&mut memory, spec, seen, work);
    for stage in [&work.foundation, &work.group, &work.alias] {
        let marks: Vec<_> = stage.iter().filter(|step| step.is_mark()).cloned().collect();
        apply(cx, &spec.function.name, &marks, &mut memory).await?;
    }
    Ok(memory)
}

fn remember_pieces(memory: &mut Memory, spec: &RolloutSpec, seen: &Observed, work: &Work) {
    memory.made = work.made;
    memory.application.clone_from(&work.pieces.application);
    memory.group.clone_from(&work.pieces.group);
    memory.deployment_config.clone_from(&work.pieces.deployment_config);
    memory.service_role_arn.clone_from(&work.pieces.service_role_arn);
    memory.leftovers.clone_from(&work.leftovers);
    let config = spec.routing.config_name();
    let deploys = matches!(work.traffic, Traffic::Deploy { .. });
    if deploys && spec.declared_routing.is_some() && strategy::is_shared(&config) {
        // Made for this one run.
        memory.leftovers.push(Leftover::Config(config));
    }
    let bound = seen.role.as_ref().and_then(|role| role.permissions_boundary.as_ref());
    if let Some(boundary) = bound.filter(|bound| spec.permissions_boundary.as_ref() == Some(bound)) {
        memory.boundary.clone_from(boundary);
    }
    memory.latest_alias_name = spec.latest_alias.clone().unwrap_or_default();
    let address =
        |url: &Option<(_, String)>| url.as_ref().map(|(_, address)| address.clone()).unwrap_or_default();
    memory.url = address(&seen.url);
    memory.latest_url = address(&seen.latest_url);
}

async fn move_traffic<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &mut Memory,
    seen: &Observed,
    work: &Work,
    alarms: Vec<String>,
) -> Result<(), RolloutError> {
    match &work.traffic {
        Traffic::FirstVersion => {
            memory.record_serving(&spec.version);
            memory.failed_version.clear();
            memory.trigger_mark = spec.trigger_mark();
            cx.reporter.info(&format!("{}: {}", spec.id(), announce::first_line(spec)));
            Ok(())
        }
        Traffic::Unchanged => {
            stay(cx, spec, memory);
            Ok(())
        }
        Traffic::Deploy { from } => deploy::deploy(cx, spec, &work.pieces, from, alarms, memory).await,
        Traffic::Adopt { deployment, from } => {
            cx.reporter.info(&format!(
                "{}: deployment {deployment} of version {} is running already; waiting for that one",
                spec.id(),
                spec.version
            ));
            adopt(cx, spec, memory, work, deployment, from).await
        }
        Traffic::Bake { deployment, from } => {
            cx.reporter.info(&format!(
                "{}: deployment {deployment} of version {} succeeded while nobody watched; looking at what it did",
                spec.id(),
                spec.version
            ));
            adopt(cx, spec, memory, work, deployment, from).await
        }
        Traffic::KeepFailed => {
            notice_serving(seen, memory);
            cx.reporter.warn(&failure::said_again(spec, memory));
            Ok(())
        }
        Traffic::FailAgain => {
            notice_serving(seen, memory);
            Err(RolloutError::Left(failure::said_again(spec, memory)))
        }
        Traffic::FoundWayBack { deployment } => tell_found_way_back(cx, spec, memory, seen, deployment).await,
        Traffic::FoundFailed { deployment, from } => {
            tell_found_failure(cx, spec, memory, seen, deployment, from).await
        }
    }
}

/// The declared version has all traffic already.
fn stay<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec, memory: &mut Memory) {
    let RolloutSpec { version, .. } = spec;
    if memory.served.is_empty() {
        cx.reporter.info(&format!(
            "{}: the alias was there and serves version {version}; no traffic moved",
            spec.id()
        ));
    } else if memory.trigger_mark != spec.trigger_mark() {
        cx.reporter.info(&format!(
            "{}: version {version} has all traffic already, so changed `triggers` deploy nothing",
            spec.id()
        ));
        memory.trigger_mark = spec.trigger_mark();
    }
    memory.record_serving(version);
    memory.failed_version.clear();
    settle_unwatched(spec, memory, cx.now());
}

/// The declared version failed while nobody watched: says so as one who did would have, and takes back what it still has.
async fn tell_found_failure<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &mut Memory,
    seen: &Observed,
    deployment: &Deployment,
    from: &str,
) -> Result<(), RolloutError> {
    let run = adopted_run(cx, spec, &deployment.id, from).await;
    from.clone_into(&mut memory.previous_version);
    let target = cx.cloud.target(&deployment.id).await.unwrap_or_default();
    let ended = Ended::seen(cx, deployment.clone(), target.as_ref()).await;
    let error = failure::of_deployment(cx, spec, &run, &ended, memory).await;
    deployment.id.clone_into(&mut memory.deployment_id);
    if let Some(back) = plan::give_back(spec, memory, seen) {
        give_back(cx, spec, &back, memory).await?;
    }
    tell_once(cx, spec, error)
}

/// The declared version was taken back from while it baked, and nobody was told: says so as one who was would have.
async fn tell_found_way_back<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &mut Memory,
    seen: &Observed,
    way_back: &Deployment,
) -> Result<(), RolloutError> {
    let version = seen.alias.as_ref().map(|alias| alias.version.clone()).unwrap_or_default();
    let Reason { deployment, cause } = way_back::reason(&way_back.description);
    let run = adopted_run(cx, spec, &deployment, &version).await;
    version.clone_into(&mut memory.previous_version);
    let taken_back = way_back.created.unwrap_or(run.started);
    let report = FailureReport {
        cause: Cause::Errors { detail: cause },
        serving: Serving::RolledBack { version, rollback: way_back.id.clone() },
        reached: 100,
        after: cx.clock.passed(taken_back.duration_since(run.started).unwrap_or_default()),
        ..failure::blank(spec)
    };
    let error = failure::complete(cx, spec, &run, report, memory).await;
    memory.deployment_id = deployment;
    tell_once(cx, spec, error)
}

/// A failure that is an earlier run's: a version that is to be kept as it is needs no second failure.
fn tell_once<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    error: RolloutError,
) -> Result<(), RolloutError> {
    if spec.on_failed_version == OnFailedVersion::Keep {
        cx.reporter.warn(&error.to_string());
        return Ok(());
    }
    Err(error)
}

/// A rollback may have ended after the last run had given up on it.
fn notice_serving(seen: &Observed, memory: &mut Memory) {
    if let Some(alias) = seen.alias.as_ref().filter(|alias| alias.weight.is_none()) {
        alias.version.clone_into(&mut memory.serving_version);
    }
}

/// A rollout of this version whose end nobody saw, and that nobody is to look at any more.
fn settle_unwatched(spec: &RolloutSpec, memory: &mut Memory, now: SystemTime) {
    let last = memory.last_rollout.as_mut();
    if let Some(last) = last.filter(|last| last.status == IN_PROGRESS && last.version == spec.version) {
        "Succeeded".clone_into(&mut last.status);
        last.ended = Some(now);
    }
}

/// The declared version is on its way already, started by an earlier run that did not see its end.
async fn adopt<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    memory: &mut Memory,
    work: &Work,
    deployment: &str,
    from: &str,
) -> Result<(), RolloutError> {
    let run = adopted_run(cx, spec, deployment, from).await;
    let known = memory.last_rollout.as_ref();
    if !known.is_some_and(|last| last.version == spec.version && last.status == IN_PROGRESS) {
        deploy::begin(spec, memory, cx.now());
    }
    let prefix = names::alarm_prefix(&spec.function.name, &spec.alias);
    if let Some(alarm) = run.alarms.iter().filter(|name| name.starts_with(&prefix)).max() {
        memory.error_alarm.clone_from(alarm);
    }
    from.clone_into(&mut memory.previous_version);
    deployment.clone_into(&mut memory.deployment_id);
    "InProgress".clone_into(&mut memory.deployment_status);
    if spec.wait { deploy::finish(cx, spec, &work.pieces, &run, memory).await } else { Ok(()) }
}

/// A deployment that an earlier run started, with the alarms that it was given then: some may have been left out.
async fn adopted_run<C: Cloud>(cx: &Context<'_, C>, spec: &RolloutSpec, id: &str, from: &str) -> Run {
    let known = cx.cloud.deployment(id).await.ok().flatten();
    let own_alarms = known.as_ref().and_then(|deployment| deployment.alarms.clone());
    Run {
        id: id.to_owned(),
        from: from.to_owned(),
        to: spec.version.clone(),
        started: known.and_then(|deployment| deployment.started).unwrap_or_else(|| cx.now()),
        alarms: own_alarms.unwrap_or_else(|| spec.alarms.clone()),
    }
}
