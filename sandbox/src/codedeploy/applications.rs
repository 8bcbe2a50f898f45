//! Applications: a name and a compute platform, around deployment groups.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::refuse;
use super::model::Application;
use super::store::{Region, paged};
use super::tags::{self, Tag};
use super::{Answer, read, validate};
use crate::clock::Timestamp;
use crate::uuid::new_uuid;

const APPLICATIONS: usize = 1000;
const BATCH: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    application_name: Option<String>,
    new_application_name: Option<String>,
    application_names: Option<Vec<String>>,
    compute_platform: Option<String>,
    tags: Option<Vec<Tag>>,
    next_token: Option<String>,
}

pub(crate) fn create(region: &mut Region, input: &Value, now: Timestamp) -> Answer {
    let input: Input = read(input)?;
    let name = validate::APPLICATION.required(input.application_name.as_deref())?;
    let platform = validate::platform(input.compute_platform.as_deref())?;
    let tags = tags::checked(input.tags.as_deref())?;
    if region.applications.contains_key(name) {
        let message = format!("Application already exists: {name}");
        return Err(refuse("ApplicationAlreadyExistsException", message));
    }
    if region.applications.len() >= APPLICATIONS {
        return Err(refuse(
            "ApplicationLimitExceededException",
            "The account has as many applications as it may",
        ));
    }
    let application = Application {
        id: new_uuid(),
        name: name.to_owned(),
        created: now,
        platform: platform.to_owned(),
        tags,
        groups: BTreeMap::new(),
        revisions: Vec::new(),
    };
    let answer = json!({ "applicationId": application.id });
    region.applications.insert(name.to_owned(), application);
    Ok(answer)
}

pub(crate) fn get(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let name = validate::APPLICATION.required(input.application_name.as_deref())?;
    Ok(json!({ "application": info(region.application(name)?) }))
}

pub(crate) fn batch_get(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let names = input.application_names.unwrap_or_default();
    if names.is_empty() {
        return Err(refuse(
            "ApplicationNameRequiredException",
            "At least one application name must be specified",
        ));
    }
    if names.len() > BATCH {
        return Err(refuse("BatchLimitExceededException", format!("At most {BATCH} names in one call")));
    }
    let mut found = Vec::new();
    for name in &names {
        validate::APPLICATION.required(Some(name))?;
        found.push(info(region.application(name)?));
    }
    Ok(json!({ "applicationsInfo": found }))
}

pub(crate) fn list(region: &Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    paged("applications", region.applications.keys().collect(), input.next_token.as_deref())
}

pub(crate) fn rename(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let name = validate::APPLICATION.required(input.application_name.as_deref())?;
    let new = validate::APPLICATION.required(input.new_application_name.as_deref())?;
    region.application(name)?;
    if name != new && region.applications.contains_key(new) {
        return Err(refuse(
            "ApplicationAlreadyExistsException",
            format!("Application already exists: {new}"),
        ));
    }
    if let Some(mut application) = region.applications.remove(name) {
        new.clone_into(&mut application.name);
        region.applications.insert(new.to_owned(), application);
    }
    for deployment in region.deployments.iter_mut().filter(|deployment| deployment.application == name) {
        new.clone_into(&mut deployment.application);
    }
    Ok(Value::Null)
}

/// Deleting what is not there succeeds: the service's model has no error for it.
pub(crate) fn delete(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let name = validate::APPLICATION.required(input.application_name.as_deref())?;
    region.applications.remove(name);
    region.deployments.retain(|deployment| deployment.application != name);
    Ok(Value::Null)
}

fn info(application: &Application) -> Value {
    json!({
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created,
        "linkedToGitHub": false,
        "computePlatform": application.platform,
    })
}
