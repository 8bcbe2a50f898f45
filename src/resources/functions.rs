//! The functions of the package: `getDeployment` and `getRollout`.

use std::time::SystemTime;

use crate::pulumi::{CheckFailure, Failure, Invoked, PropertyMap, PropertyValue, Reader};
use crate::resources::gather::Gather;
use crate::resources::session::Session;
use crate::resources::time;
use crate::rollout::cloud::{Cloud, CloudError};
use crate::rollout::function::FunctionRef;
use crate::rollout::names;
use crate::rollout::pieces;
use crate::rollout::spec::DEFAULT_ALIAS;

pub async fn get_deployment(session: &Session, args: &PropertyMap) -> Result<Invoked, Failure> {
    let id = match read_deployment_id(args) {
        Ok(id) => id,
        Err(failures) => return Ok(Invoked::Refused(failures)),
    };
    let cloud = &session.aws;
    let (deployment, target, identity) =
        tokio::try_join!(cloud.deployment(&id), cloud.target(&id), cloud.identity())
            .map_err(|error| failed(&error))?;
    let Some(deployment) = deployment else {
        return Err(Failure::plain(format!("deployment {id} does not exist in {}", identity.region)));
    };
    let moment = |time: Option<SystemTime>| time.map(time::format).unwrap_or_default();
    let url = pieces::console_url(&identity.partition, &identity.region, &id);
    let target = target.as_ref();
    let texts = [
        ("deploymentId", id.as_str()),
        ("status", &deployment.status_text),
        ("applicationName", &deployment.application),
        ("deploymentGroupName", &deployment.group),
        ("deploymentConfigName", &deployment.deployment_config),
        ("description", &deployment.description),
        ("creator", &deployment.creator),
        ("functionName", target.map_or("", |t| &t.function)),
        ("aliasName", target.map_or("", |t| &t.alias)),
        ("currentVersion", target.map_or("", |t| &t.current_version)),
        ("targetVersion", target.map_or("", |t| &t.target_version)),
        ("createTime", &moment(deployment.created)),
        ("startTime", &moment(deployment.started)),
        ("completeTime", &moment(deployment.completed)),
        ("errorCode", &deployment.error_code),
        ("errorMessage", &deployment.error_message),
        ("rollbackDeploymentId", deployment.rolled_back_by.as_deref().unwrap_or_default()),
        ("consoleUrl", &url),
    ];
    let mut result = texts_of(&texts);
    let weight = target.map_or(0.0, |t| t.weight);
    result.insert("targetVersionWeight".to_owned(), PropertyValue::Number(weight));
    Ok(Invoked::Result(result))
}

pub async fn get_rollout(session: &Session, args: &PropertyMap) -> Result<Invoked, Failure> {
    let (function, alias) = match read_alias(args) {
        Ok(names) => names,
        Err(failures) => return Ok(Invoked::Refused(failures)),
    };
    let cloud = &session.aws;
    let (state, identity) =
        tokio::try_join!(cloud.alias(&function, &alias), cloud.identity()).map_err(|error| failed(&error))?;
    let Some(state) = state else {
        return Err(Failure::plain(format!(
            "alias {alias} of {function} does not exist in {}",
            identity.region
        )));
    };
    let live = live_deployment(cloud, &function, &alias).await.map_err(|error| failed(&error))?;
    let (target, weight) = state.weight.unwrap_or_default();
    let (deployment, status) = live.unwrap_or_default();
    let arn = format!("{}:{alias}", pieces::function_arn(&function, &identity));
    let mut result = texts_of(&[
        ("functionName", &function),
        ("aliasName", &alias),
        ("servingVersion", &state.version),
        ("targetVersion", &target),
        ("deploymentId", &deployment),
        ("deploymentStatus", &status),
        ("targetArn", &arn),
    ]);
    result.insert("targetVersionWeight".to_owned(), PropertyValue::Number(weight));
    Ok(Invoked::Result(result))
}

fn read_deployment_id(args: &PropertyMap) -> Result<String, Vec<CheckFailure>> {
    let r = Reader::new(args);
    let id = Gather::default().required_text(&r, "deploymentId");
    checked(id, r)
}

fn read_alias(args: &PropertyMap) -> Result<(String, String), Vec<CheckFailure>> {
    let (u, r) = (Gather::default(), Reader::new(args));
    let FunctionRef { name: function, .. } = u.function(&r, "functionName");
    let alias = u.alias(&r, "aliasName").unwrap_or_else(|| DEFAULT_ALIAS.to_owned());
    checked((function, alias), r)
}

fn checked<T>(value: T, reader: Reader<'_>) -> Result<T, Vec<CheckFailure>> {
    let failures = reader.finish();
    if failures.is_empty() { Ok(value) } else { Err(failures) }
}

/// The deployment that a rollout's own group is running.
async fn live_deployment<C: Cloud>(
    cloud: &C,
    function: &str,
    alias: &str,
) -> Result<Option<(String, String)>, CloudError> {
    let (application, group) = (names::application(function, alias), names::group(alias));
    if cloud.group(&application, &group).await?.is_none() {
        return Ok(None);
    }
    let live = cloud.live_deployments(Some((&application, &group))).await?;
    let Some(id) = live.first() else { return Ok(None) };
    Ok(cloud.deployment(id).await?.map(|deployment| (deployment.id, deployment.status_text)))
}

fn failed(error: &CloudError) -> Failure {
    Failure::plain(error.to_string())
}

fn texts_of(texts: &[(&str, &str)]) -> PropertyMap {
    texts.iter().map(|(key, text)| ((*key).to_owned(), PropertyValue::String((*text).to_owned()))).collect()
}
