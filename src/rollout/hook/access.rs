//! Hooks that cannot be called, or cannot report, are found before any traffic moves: CodeDeploy would wait an hour.

use std::time::Duration;

use futures_util::future::try_join_all;

use crate::rollout::cloud::{Allowance, Cloud, CloudError};
use crate::rollout::context::{Context, Doing, RolloutError};
use crate::rollout::function::split_qualifier;
use crate::rollout::lint::slow_hook;
use crate::rollout::pieces::{self, Pieces};
use crate::rollout::place::here;
use crate::rollout::refusal::Refusal;
use crate::rollout::spec::RolloutSpec;

const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const CALL: &str = "lambda:InvokeFunction";
const REPORT: &str = "codedeploy:PutLifecycleEventHookExecutionStatus";

pub async fn check_hooks<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
) -> Result<(), RolloutError> {
    try_join_all(spec.hooks.iter().map(|hook| check_hook(cx, spec, pieces, hook))).await.map(drop)
}

async fn check_hook<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    hook: &str,
) -> Result<(), RolloutError> {
    let (function, qualifier) = split_qualifier(hook);
    let found =
        cx.cloud.version(function, qualifier).await.doing(|| format!("could not look at hook {hook}"))?;
    let Some(found) = found else {
        return Err(Refusal::NoHook(hook.to_owned()).into());
    };
    if let Some(lint) = slow_hook(hook, found.timeout) {
        cx.reporter.warn(&lint);
    }
    tokio::try_join!(check_call(cx, spec, pieces, hook), check_report(cx, pieces, hook, &found.role_arn))
        .map(drop)
}

/// What a role may do. A policy that is made in the same update as the rollout takes a moment to be there.
async fn allowance<C: Cloud>(
    cx: &Context<'_, C>,
    role: &str,
    action: &str,
    resource: &str,
) -> Result<Option<Allowance>, CloudError> {
    let mut waited = Duration::ZERO;
    loop {
        match cx.cloud.allowance(role, action, resource).await {
            Ok(None | Some(Allowance::NotAllowed)) if waited < PATIENCE => {}
            other => return other,
        }
        cx.reporter.status(&format!("waiting until {role} may do {action}"));
        if cx.pause(LOOK_AGAIN).await.is_err() {
            return cx.cloud.allowance(role, action, resource).await;
        }
        waited += LOOK_AGAIN;
    }
}

/// Nothing, a doubt that is said, or a refusal.
type Verdict = Result<Option<String>, Refusal>;

/// The role that a rollout makes allows its hooks, as far as its boundary does; one that the user brings need not.
async fn check_call<C: Cloud>(
    cx: &Context<'_, C>,
    spec: &RolloutSpec,
    pieces: &Pieces,
    hook: &str,
) -> Result<(), RolloutError> {
    let boundary = spec.permissions_boundary.clone().filter(|_| pieces.role_name.is_some());
    if pieces.role_name.is_some() && boundary.is_none() {
        return Ok(());
    }
    let identity = here(cx).await?;
    let role = &pieces.service_role_arn;
    let bounded = boundary.is_some();
    let (hook_name, role_arn) = (hook.to_owned(), role.clone());
    let refusal = match boundary {
        Some(boundary) => Refusal::HookBeyondBoundary { hook: hook_name, role: role_arn, boundary },
        None => Refusal::HookNotCallable { hook: hook_name, role: role_arn },
    };
    let verdict = match allowance(cx, role, CALL, &pieces::hook_arn(hook, &identity)).await {
        Ok(Some(Allowance::Allowed)) => Ok(None),
        Ok(Some(Allowance::NotAllowed)) if !bounded && has_policy(cx.cloud, hook).await => {
            Ok(Some(format!("only the policy of hook {hook} itself may allow {role} to call it")))
        }
        Ok(Some(Allowance::Forbidden | Allowance::NotAllowed)) => Err(refusal),
        Ok(Some(Allowance::Depends)) => {
            Ok(Some(format!("whether {role} may call hook {hook} depends on conditions")))
        }
        Ok(None) => Err(Refusal::NoServiceRole(role.clone())),
        Err(error) => Ok(Some(format!("whether {role} may call hook {hook} is not known ({error})"))),
    };
    say(cx, verdict)
}

/// A policy of the hook itself may allow what the role's policies do not.
async fn has_policy<C: Cloud>(cloud: &C, hook: &str) -> bool {
    let (function, qualifier) = split_qualifier(hook);
    cloud.permissions(function, qualifier).await.map_or(true, |statements| !statements.is_empty())
}

async fn check_report<C: Cloud>(
    cx: &Context<'_, C>,
    pieces: &Pieces,
    hook: &str,
    role: &str,
) -> Result<(), RolloutError> {
    let identity = here(cx).await?;
    let group = pieces.group_arn(&identity);
    let (hook, role) = (hook.to_owned(), role.to_owned());
    let verdict = match allowance(cx, &role, REPORT, &group).await {
        Ok(Some(Allowance::Allowed)) => Ok(None),
        Ok(Some(Allowance::NotAllowed | Allowance::Forbidden)) => {
            Err(Refusal::HookMayNotReport { hook, role, group })
        }
        Ok(Some(Allowance::Depends)) => {
            Ok(Some(format!("whether hook {hook} may report depends on conditions of its role")))
        }
        Ok(None) => Err(Refusal::NoHookRole { hook, role }),
        Err(error) => Ok(Some(format!("whether hook {hook} may report is not known ({error})"))),
    };
    say(cx, verdict)
}

/// What may work is tried.
fn say<C: Cloud>(cx: &Context<'_, C>, verdict: Verdict) -> Result<(), RolloutError> {
    if let Some(doubt) = verdict? {
        cx.reporter.warn(&format!("{doubt}: if not, the rollout fails later"));
    }
    Ok(())
}
