//! Carries out the steps of a plan. Each step is one call and may be repeated without harm.

use std::time::Duration;

use futures_util::future::join_all;

use super::cloud::{AliasChange, Cloud, CloudError, CloudErrorKind, Group, Tags};
use super::context::{Context, Doing, RolloutError};
use super::memory::Memory;
use super::names;
use super::plan::Step;

/// A new role is not visible to CodeDeploy at once; this is how long we believe that it will be.
const ROLE_PATIENCE: Duration = Duration::from_mins(2);
const ROLE_RETRY: Duration = Duration::from_secs(5);

/// Runs steps that do not depend on each other side by side. All are tried; the first error is returned.
pub async fn apply<C: Cloud>(
    cx: &Context<'_, C>,
    function: &str,
    steps: &[Step],
    memory: &mut Memory,
) -> Result<(), RolloutError> {
    let results = join_all(steps.iter().map(|step| perform(cx, function, step))).await;
    let mut first_error = None;
    for (step, result) in steps.iter().zip(results) {
        match result {
            Ok(address) => record(step, &address, memory),
            Err(error) => first_error = first_error.or(Some((step, error))),
        }
    }
    match first_error {
        None => Ok(()),
        Some((step, error)) => Err(error).doing(|| format!("could not {}", step.describe())),
    }
}

/// Does one step; answers the address that a new URL got.
async fn perform<C: Cloud>(cx: &Context<'_, C>, function: &str, step: &Step) -> Result<String, CloudError> {
    let cloud = cx.cloud;
    match step {
        Step::CreateRole(role) => cloud.create_role(role).await.map(drop),
        Step::TagRole { name, tags } => cloud.tag_role(name, tags).await,
        Step::BindRole { name, boundary } => cloud.bind_role(name, boundary.as_deref()).await,
        Step::PutRolePolicy { role, document } => put_role_policy(cx, role, document).await,
        Step::CreateApplication { name, tags } => cloud.create_application(name, tags).await,
        Step::TagCodeDeploy { resource, tags } => cloud.tag_code_deploy(resource, tags).await,
        Step::CreateConfig { name, strategy } => {
            // Another rollout may have made the shared configuration in between.
            match cloud.create_deployment_config(name, strategy).await {
                Err(error) if error.kind == CloudErrorKind::AlreadyExists => Ok(()),
                other => other,
            }
        }
        Step::CreateGroup { group, tags } => with_new_role(cx, || create_group(cloud, group, tags)).await,
        Step::UpdateGroup(group) => with_new_role(cx, || cloud.update_group(group)).await,
        Step::CreateAlias { alias, version, description } => {
            cloud.create_alias(function, alias, version, description).await.map(drop)
        }
        Step::MarkAlias { alias, description } => {
            let change = AliasChange { description: Some(description.clone()), ..AliasChange::default() };
            cloud.update_alias(function, alias, &change).await.map(drop)
        }
        Step::MoveAlias { alias, version } => {
            let change =
                AliasChange { version: Some(version.clone()), clear_weights: true, ..AliasChange::default() };
            cloud.update_alias(function, alias, &change).await.map(drop)
        }
        Step::CreateUrl { alias, url } => return cloud.create_function_url(function, alias, url).await,
        Step::UpdateUrl { alias, url } => cloud.update_function_url(function, alias, url).await,
        Step::DeleteUrl { alias } => cloud.delete_function_url(function, alias).await,
        Step::AddPermission { alias, permission } => cloud.add_permission(function, alias, permission).await,
        Step::RemovePermission { alias, statement_id } => {
            cloud.remove_permission(function, alias, statement_id).await
        }
    }
    .map(|()| String::new())
}

/// A shared configuration goes when nobody uses it any more.
pub async fn drop_config<C: Cloud>(cloud: &C, name: &str) -> Result<(), CloudError> {
    match cloud.delete_deployment_config(name).await {
        Err(error) if matches!(error.kind, CloudErrorKind::InUse | CloudErrorKind::NotFound) => Ok(()),
        other => other,
    }
}

async fn create_group<C: Cloud>(cloud: &C, group: &Group, tags: &Tags) -> Result<(), CloudError> {
    cloud.create_group(group, tags).await
}

/// A role that was just made may need a moment until it takes a policy.
async fn put_role_policy<C: Cloud>(
    cx: &Context<'_, C>,
    role: &str,
    document: &str,
) -> Result<(), CloudError> {
    let mut waited = Duration::ZERO;
    loop {
        match cx.cloud.put_role_policy(role, names::ROLE_POLICY, document).await {
            Err(error) if error.kind == CloudErrorKind::NotFound && waited < ROLE_PATIENCE => {}
            other => return other,
        }
        if cx.pause(Duration::from_secs(1)).await.is_err() {
            return cx.cloud.put_role_policy(role, names::ROLE_POLICY, document).await;
        }
        waited += Duration::from_secs(1);
    }
}

/// Repeats a call while CodeDeploy cannot see the role yet.
async fn with_new_role<C: Cloud, F>(cx: &Context<'_, C>, call: impl Fn() -> F) -> Result<(), CloudError>
where
    F: Future<Output = Result<(), CloudError>>,
{
    let mut waited = Duration::ZERO;
    loop {
        let error = match call().await {
            Err(error) if error.kind == CloudErrorKind::RoleNotReady && waited < ROLE_PATIENCE => error,
            other => return other,
        };
        cx.reporter.status("waiting until CodeDeploy can use its new role");
        if cx.pause(ROLE_RETRY).await.is_err() {
            return Err(error);
        }
        waited += ROLE_RETRY;
    }
}

/// What a step made is ours from then on.
fn record(step: &Step, address: &str, memory: &mut Memory) {
    match step {
        Step::CreateRole(role) => {
            memory.made.role = true;
            memory.boundary = role.permissions_boundary.clone().unwrap_or_default();
        }
        Step::BindRole { boundary, .. } => memory.boundary = boundary.clone().unwrap_or_default(),
        Step::CreateApplication { .. } => memory.made.application = true,
        Step::CreateGroup { .. } => memory.made.group = true,
        Step::CreateAlias { alias, .. } if memory.latest_alias_name == *alias => {
            memory.made.latest_alias = true;
        }
        Step::CreateAlias { .. } => memory.made.alias = true,
        Step::CreateUrl { alias, .. } => address.clone_into(url_of(memory, alias)),
        Step::DeleteUrl { alias } => url_of(memory, alias).clear(),
        _ => {}
    }
}

fn url_of<'a>(memory: &'a mut Memory, alias: &str) -> &'a mut String {
    if memory.latest_alias_name == alias { &mut memory.latest_url } else { &mut memory.url }
}

impl Step {
    /// Whether it only says whose a piece is.
    pub fn is_mark(&self) -> bool {
        matches!(self, Self::TagRole { .. } | Self::TagCodeDeploy { .. } | Self::MarkAlias { .. })
    }

    /// In words: what it does.
    pub fn describe(&self) -> String {
        match self {
            Self::CreateRole(role) => format!("create role {}", role.name),
            Self::TagRole { name, .. } => format!("tag role {name}"),
            Self::BindRole { name, .. } => format!("set the permissions boundary of role {name}"),
            Self::PutRolePolicy { role, .. } => format!("set the policy of role {role}"),
            Self::CreateApplication { name, .. } => format!("create CodeDeploy application {name}"),
            Self::TagCodeDeploy { resource, .. } => format!("tag CodeDeploy's {resource}"),
            Self::CreateConfig { name, .. } => format!("create deployment configuration {name}"),
            Self::CreateGroup { group, .. } => format!("create deployment group {}", group.name),
            Self::UpdateGroup(group) => format!("update deployment group {}", group.name),
            Self::CreateAlias { alias, version, .. } => {
                format!("create alias {alias} at version {version}")
            }
            Self::MarkAlias { alias, .. } => format!("set the description of alias {alias}"),
            Self::MoveAlias { alias, version } => {
                format!("move alias {alias} to version {version}")
            }
            Self::CreateUrl { alias, .. } => format!("create the function URL of alias {alias}"),
            Self::UpdateUrl { alias, .. } => format!("update the function URL of alias {alias}"),
            Self::DeleteUrl { alias } => format!("delete the function URL of alias {alias}"),
            Self::AddPermission { alias, permission } => {
                format!("allow {} to invoke alias {alias}", permission.principal)
            }
            Self::RemovePermission { alias, statement_id } => {
                format!("remove statement {statement_id} from alias {alias}")
            }
        }
    }
}
