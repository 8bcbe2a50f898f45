//! The pieces of AWS that belong to one rollout: their names, and what each should look like.

use serde_json::{Value, json};

use super::cloud::{FunctionUrl, Group, Identity, NewRole, Permission, Tags, Trigger};
use super::memory::Memory;
use super::names;
use super::owner::{Maker, Owner};
use super::spec::RolloutSpec;

/// Names of the pieces, made or brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    pub application: String,
    pub group: String,
    pub deployment_config: String,
    pub service_role_arn: String,
    /// The name of the role that the rollout makes; `None` if the user brings one.
    pub role_name: Option<String>,
}

impl Pieces {
    pub fn of(spec: &RolloutSpec, identity: &Identity) -> Self {
        let (function, alias) = (&spec.function.name, &spec.alias);
        let role_name =
            spec.service_role_arn.is_none().then(|| names::role(function, alias, &identity.region));
        let made_arn =
            |name: &String| format!("arn:{}:iam::{}:role/{name}", identity.partition, identity.account);
        Self {
            application: spec.application_name.clone().unwrap_or_else(|| names::application(function, alias)),
            group: spec.deployment_group_name.clone().unwrap_or_else(|| names::group(alias)),
            deployment_config: spec.group_routing().config_name(),
            service_role_arn: spec
                .service_role_arn
                .clone()
                .or_else(|| role_name.as_ref().map(made_arn))
                .unwrap_or_default(),
            role_name,
        }
    }

    /// A group that somebody else made.
    pub fn of_group(group: &Group) -> Self {
        Self {
            application: group.application.clone(),
            group: group.name.clone(),
            deployment_config: group.deployment_config.clone(),
            service_role_arn: group.service_role_arn.clone(),
            role_name: None,
        }
    }

    pub fn group_arn(&self, identity: &Identity) -> String {
        let Identity { account, region, partition } = identity;
        format!(
            "arn:{partition}:codedeploy:{region}:{account}:deploymentgroup:{}/{}",
            self.application, self.group
        )
    }
}

/// The tags of a made piece: the user's, and the mark of its owner.
pub fn tags(spec: &RolloutSpec, owner: &Owner) -> Tags {
    let mut tags = spec.tags.clone();
    tags.extend(owner.tags());
    tags
}

pub fn group(spec: &RolloutSpec, pieces: &Pieces) -> Group {
    let triggers = spec.notifications.iter().enumerate().map(|(index, notification)| Trigger {
        name: format!("rollout-{}", index + 1),
        topic_arn: notification.topic_arn.clone(),
        events: sorted(notification.events.clone()),
    });
    Group {
        application: pieces.application.clone(),
        name: pieces.group.clone(),
        service_role_arn: pieces.service_role_arn.clone(),
        deployment_config: pieces.deployment_config.clone(),
        alarms: sorted(spec.alarms.clone()),
        ignore_alarm_poll_failure: spec.ignore_alarm_poll_failure,
        rollback_events: sorted(spec.rollback_codes()),
        triggers: sorted(triggers.collect()),
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

pub fn role(spec: &RolloutSpec, name: &str, identity: &Identity, owner: &Owner) -> NewRole {
    NewRole {
        name: name.to_owned(),
        description: format!("CodeDeploy shifts the traffic of {}", spec.id()),
        trust_policy: trust_policy(identity),
        permissions_boundary: spec.permissions_boundary.clone(),
        tags: tags(spec, owner),
    }
}

fn trust_policy(identity: &Identity) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "codedeploy.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": identity.account } },
        }],
    })
    .to_string()
}

/// What CodeDeploy may do for this rollout, and nothing else.
pub fn role_policy(spec: &RolloutSpec, identity: &Identity) -> String {
    let function = function_arn(&spec.function.name, identity);
    let alias = format!("{function}:{}", spec.alias);
    let mut statements = vec![
        json!({
            "Sid": "ShiftTraffic",
            "Effect": "Allow",
            "Action": ["lambda:GetAlias", "lambda:UpdateAlias"],
            "Resource": [function, alias],
        }),
        // Of the versions that it shifts between, which are new ones every time.
        json!({
            "Sid": "ReadConcurrency",
            "Effect": "Allow",
            "Action": "lambda:GetProvisionedConcurrencyConfig",
            "Resource": format!("{function}:*"),
        }),
        // DescribeAlarms has no resource-level permission for composite alarms.
        json!({ "Sid": "ReadAlarms", "Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*" }),
    ];
    let hooks: Vec<String> = spec.hooks.iter().map(|hook| hook_arn(hook, identity)).collect();
    if !hooks.is_empty() {
        statements.push(json!({
            "Sid": "CallHooks", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": hooks,
        }));
    }
    let topics: Vec<&str> = spec.notifications.iter().map(|n| n.topic_arn.as_str()).collect();
    if !topics.is_empty() {
        statements.push(json!({
            "Sid": "Notify", "Effect": "Allow", "Action": "sns:Publish", "Resource": topics,
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// Whether two policy documents say the same, whatever their spelling.
pub fn same_document(a: &str, b: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    matches!((read(a), read(b)), (Some(a), Some(b)) if a == b)
}

pub fn function_arn(function: &str, identity: &Identity) -> String {
    format!("arn:{}:lambda:{}:{}:function:{function}", identity.partition, identity.region, identity.account)
}

/// The ARN through which API Gateway calls a function or an alias.
pub fn invoke_arn(target_arn: &str, identity: &Identity) -> String {
    format!(
        "arn:{}:apigateway:{}:lambda:path/2015-03-31/functions/{target_arn}/invocations",
        identity.partition, identity.region
    )
}

/// The ARN of a hook, with its qualifier if it has one.
pub fn hook_arn(hook: &str, identity: &Identity) -> String {
    if hook.starts_with("arn:") {
        return hook.to_owned();
    }
    if hook.contains(":function:") {
        // A partial ARN lacks its beginning.
        return format!("arn:{}:lambda:{}:{hook}", identity.partition, identity.region);
    }
    function_arn(hook, identity)
}

/// The statements that the stable alias should have.
pub fn permissions(spec: &RolloutSpec, owner: &Owner) -> Vec<Permission> {
    let prefix = owner.statement_prefix(Maker::Rollout);
    alias_permissions(&spec.permissions, spec.function_url.as_ref(), &prefix)
}

/// Declared permissions and, for a public URL, the two that it needs; each with an id made from its content.
pub fn alias_permissions(
    declared: &[Permission],
    url: Option<&FunctionUrl>,
    prefix: &str,
) -> Vec<Permission> {
    let public = url.is_some_and(|url| url.authorization_type == "NONE");
    let for_url = if public { public_url_permissions() } else { Vec::new() };
    declared
        .iter()
        .cloned()
        .chain(for_url)
        .map(|permission| {
            let content = format!("{permission:?}");
            let statement_id = format!("{}{}", prefix, names::short_hash(&content));
            Permission { statement_id, ..permission }
        })
        .collect()
}

/// Since October 2025 a public URL needs both.
fn public_url_permissions() -> Vec<Permission> {
    let everyone = Permission { principal: "*".to_owned(), ..Permission::default() };
    vec![
        Permission {
            action: "lambda:InvokeFunctionUrl".to_owned(),
            function_url_auth_type: Some("NONE".to_owned()),
            ..everyone.clone()
        },
        Permission { action: "lambda:InvokeFunction".to_owned(), invoked_via_function_url: true, ..everyone },
    ]
}

/// The address of a deployment in the AWS console; empty where the partition has no public console.
pub fn console_url(partition: &str, region: &str, deployment_id: &str) -> String {
    let host = match partition {
        "aws" => format!("https://{region}.console.aws.amazon.com"),
        "aws-cn" => format!("https://{region}.console.amazonaws.cn"),
        "aws-us-gov" => format!("https://{region}.console.amazonaws-us-gov.com"),
        _ => return String::new(),
    };
    if deployment_id.is_empty() {
        return String::new();
    }
    format!("{host}/codesuite/codedeploy/deployments/{deployment_id}?region={region}")
}

impl Memory {
    pub fn identity(&self) -> Identity {
        Identity {
            account: self.account.clone(),
            region: self.region.clone(),
            partition: self.partition.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_one_function_however_it_is_written() {
        let (account, region) = ("123456789012".to_owned(), "eu-west-1".to_owned());
        let identity = Identity { account, region, partition: "aws".to_owned() };
        let guard = "arn:aws:lambda:eu-west-1:123456789012:function:guard";
        for written in ["guard", "123456789012:function:guard", guard] {
            assert_eq!(hook_arn(written, &identity), guard);
            assert_eq!(hook_arn(&format!("{written}:live"), &identity), format!("{guard}:live"));
        }
    }
}
