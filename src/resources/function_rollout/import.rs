//! Import: from `function:alias` alone to the inputs that differ from their defaults, and the memory.

use crate::pulumi::{PropertyMap, PropertyValue, ReadState};
use crate::resources::state;
use crate::rollout::cloud::{Cloud, FunctionUrl, Group};
use crate::rollout::context::{Context, Doing, RolloutError};
use crate::rollout::memory::{Made, Memory};
use crate::rollout::names;
use crate::rollout::owner::{Maker, Owner};
use crate::rollout::spec::{DEFAULT_ALIAS, DEFAULT_LATEST_ALIAS, RollbackEvent};
use crate::rollout::strategy::{self, Strategy};

/// Reads what a rollout made, or would have made, for this alias. The next update puts its own mark on it.
pub(super) async fn import<C: Cloud>(
    cx: &Context<'_, C>,
    function: &str,
    alias: &str,
) -> Result<Option<ReadState>, RolloutError> {
    let cloud = cx.cloud;
    let identity = cloud.identity().await.doing(|| "could not ask who the caller is".to_owned())?;
    let (application, group) = (names::application(function, alias), names::group(alias));
    let role_name = names::role(function, alias, &identity.region);
    let (found, latest, url, latest_url, state, role) = tokio::try_join!(
        cloud.alias(function, alias),
        cloud.alias(function, DEFAULT_LATEST_ALIAS),
        cloud.function_url(function, alias),
        cloud.function_url(function, DEFAULT_LATEST_ALIAS),
        cloud.group(&application, &group),
        cloud.role(&role_name),
    )
    .doing(|| format!("could not read what exists for {function}:{alias}"))?;
    let Some(found) = found else { return Ok(None) };
    let mark = Owner::from_alias_description(&found.description);
    let used = matches!(mark, Some((Maker::Alias, _)));

    let owner = mark.map_or_else(Owner::nobody, |(_, owner)| owner);
    let mut memory = Memory::new(owner, &identity.account, &identity.region, &identity.partition);
    memory.imported = true;
    memory.made = Made {
        alias: !used,
        latest_alias: latest.as_ref().is_some_and(|latest| is_of_a_rollout(&latest.description)),
        application: state.is_some(),
        group: state.is_some(),
        role: role.is_some(),
    };
    memory.record_serving(&found.version);
    let mut inputs = PropertyMap::new();
    put(&mut inputs, "functionName", function);
    put(&mut inputs, "version", &found.version);
    if alias != DEFAULT_ALIAS {
        put(&mut inputs, "aliasName", alias);
    }
    if memory.made.latest_alias {
        DEFAULT_LATEST_ALIAS.clone_into(&mut memory.latest_alias_name);
    } else {
        put(&mut inputs, "latestAliasName", "");
    }
    put_url(&mut inputs, "functionUrl", url, &mut memory.url);
    if memory.made.latest_alias {
        put_url(&mut inputs, "latestFunctionUrl", latest_url, &mut memory.latest_url);
    }
    if let Some(state) = state {
        put_group(cx, &mut inputs, &state.group, role.map(|role| role.arn)).await?;
        remember_group(&mut memory, &state.group);
    }
    let mut outputs = inputs.clone();
    state::write(&mut outputs, &memory, function, alias);
    Ok(Some(ReadState { id: format!("{function}:{alias}"), inputs, outputs, refresh_before_update: false }))
}

fn is_of_a_rollout(description: &str) -> bool {
    matches!(Owner::from_alias_description(description), Some((Maker::Rollout, _)))
}

async fn put_group<C: Cloud>(
    cx: &Context<'_, C>,
    inputs: &mut PropertyMap,
    group: &Group,
    made_role: Option<String>,
) -> Result<(), RolloutError> {
    if made_role.as_ref() != Some(&group.service_role_arn) {
        put(inputs, "serviceRoleArn", &group.service_role_arn);
    }
    put_strategy(cx, inputs, &group.deployment_config).await?;
    if !group.alarms.is_empty() {
        put_list(inputs, "alarms", group.alarms.iter().map(String::as_str));
    }
    if group.ignore_alarm_poll_failure {
        inputs.insert("ignoreAlarmPollFailure".to_owned(), PropertyValue::Bool(true));
    }
    let named =
        [(RollbackEvent::Failure, "failure"), (RollbackEvent::Stop, "stop"), (RollbackEvent::Alarm, "alarm")];
    let events: Vec<&str> = named
        .iter()
        .filter(|(event, _)| group.rollback_events.iter().any(|code| code == event.code()))
        .map(|(_, name)| *name)
        .collect();
    if events.len() < named.len() {
        put_list(inputs, "autoRollback", events.into_iter());
    }
    Ok(())
}

async fn put_strategy<C: Cloud>(
    cx: &Context<'_, C>,
    inputs: &mut PropertyMap,
    config: &str,
) -> Result<(), RolloutError> {
    if config == Strategy::default().config_name() {
        return Ok(());
    }
    let known = cx
        .cloud
        .deployment_config(config)
        .await
        .doing(|| format!("could not read deployment configuration {config}"))?;
    let ours = strategy::is_shared(config) || strategy::is_predefined(config);
    match known.filter(|strategy| ours && strategy.config_name() == config) {
        Some(strategy) => {
            drop(inputs.insert("strategy".to_owned(), PropertyValue::Object(written(strategy))));
        }
        None => put(inputs, "deploymentConfigName", config),
    }
    Ok(())
}

fn written(strategy: Strategy) -> PropertyMap {
    let mut map = PropertyMap::new();
    let (kind, parts) = match strategy {
        Strategy::AllAtOnce => ("allAtOnce", None),
        Strategy::Canary { percentage, minutes } => ("canary", Some((percentage, minutes))),
        Strategy::Linear { percentage, minutes } => ("linear", Some((percentage, minutes))),
    };
    put(&mut map, "type", kind);
    if let Some((percentage, minutes)) = parts {
        map.insert("percentage".to_owned(), PropertyValue::Number(f64::from(percentage)));
        put(&mut map, "interval", &crate::rollout::duration::format(std::time::Duration::from_mins(minutes)));
    }
    map
}

fn remember_group(memory: &mut Memory, group: &Group) {
    memory.application.clone_from(&group.application);
    memory.group.clone_from(&group.name);
    memory.deployment_config.clone_from(&group.deployment_config);
    memory.service_role_arn.clone_from(&group.service_role_arn);
}

fn put_url(inputs: &mut PropertyMap, key: &str, found: Option<(FunctionUrl, String)>, address: &mut String) {
    let Some((url, found_address)) = found else { return };
    *address = found_address;
    let mut map = PropertyMap::new();
    if url.authorization_type != "AWS_IAM" {
        put(&mut map, "authorizationType", &url.authorization_type);
    }
    if url.invoke_mode != "BUFFERED" {
        put(&mut map, "invokeMode", &url.invoke_mode);
    }
    if let Some(cors) = url.cors {
        let mut inner = PropertyMap::new();
        if cors.allow_credentials {
            inner.insert("allowCredentials".to_owned(), PropertyValue::Bool(true));
        }
        let lists = [
            ("allowHeaders", cors.allow_headers),
            ("allowMethods", cors.allow_methods),
            ("allowOrigins", cors.allow_origins),
            ("exposeHeaders", cors.expose_headers),
        ];
        for (name, items) in lists.iter().filter(|(_, items)| !items.is_empty()) {
            put_list(&mut inner, name, items.iter().map(String::as_str));
        }
        if let Some(seconds) = cors.max_age {
            inner.insert("maxAge".to_owned(), PropertyValue::Number(f64::from(seconds)));
        }
        map.insert("cors".to_owned(), PropertyValue::Object(inner));
    }
    inputs.insert(key.to_owned(), PropertyValue::Object(map));
}

fn put(map: &mut PropertyMap, key: &str, text: &str) {
    map.insert(key.to_owned(), PropertyValue::String(text.to_owned()));
}

fn put_list<'a>(map: &mut PropertyMap, key: &str, items: impl Iterator<Item = &'a str>) {
    let items = items.map(|item| PropertyValue::String(item.to_owned())).collect();
    map.insert(key.to_owned(), PropertyValue::Array(items));
}
