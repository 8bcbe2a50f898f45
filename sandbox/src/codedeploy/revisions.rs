//! The revisions that an application knows. Only here does an AppSpec's text come back.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{no_revision, refuse};
use super::model::{Registered, Revision};
use super::store::{Region, paged};
use super::{Answer, read, validate};
use crate::clock::Timestamp;

const BATCH: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    application_name: Option<String>,
    revision: Option<Revision>,
    revisions: Option<Vec<Revision>>,
    description: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    deployed: Option<String>,
    next_token: Option<String>,
}

pub(crate) fn register(region: &mut Region, input: &Value, now: Timestamp) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    region.application(application)?;
    validate::description(input.description.as_deref())?;
    let revision = input.revision.unwrap_or_default();
    validate::revision(&revision)?;
    let known = note(region, application, &revision, now);
    if let Some(known) = known {
        known.description = input.description;
    }
    Ok(Value::Null)
}

pub(crate) fn get(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    region.application(application)?;
    let wanted = input.revision.unwrap_or_default();
    validate::revision(&wanted)?;
    let found = find(region, application, &wanted).ok_or_else(no_revision)?;
    Ok(json!({ "applicationName": application, "revision": found.location, "revisionInfo": info(found) }))
}

pub(crate) fn batch_get(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    region.application(application)?;
    let wanted = input.revisions.unwrap_or_default();
    if wanted.is_empty() {
        return Err(refuse("RevisionRequiredException", "At least one revision must be specified"));
    }
    if wanted.len() > BATCH {
        return Err(refuse("BatchLimitExceededException", format!("At most {BATCH} revisions in one call")));
    }
    for revision in &wanted {
        validate::revision(revision)?;
    }
    let found = wanted.iter().filter_map(|revision| find(region, application, revision));
    let found: Vec<_> = found
        .map(|known| json!({ "revisionLocation": known.location, "genericRevisionInfo": info(known) }))
        .collect();
    Ok(json!({ "applicationName": application, "revisions": found }))
}

pub(crate) fn list(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let application = validate::APPLICATION.required(input.application_name.as_deref())?;
    let by =
        one_of(input.sort_by, &["registerTime", "firstUsedTime", "lastUsedTime"], "InvalidSortByException")?;
    let order = one_of(input.sort_order, &["ascending", "descending"], "InvalidSortOrderException")?;
    let deployed =
        one_of(input.deployed, &["ignore", "include", "exclude"], "InvalidDeployedStateFilterException")?;
    let used = |known: &&Registered| match deployed.as_str() {
        "include" => !known.groups.is_empty(),
        "exclude" => known.groups.is_empty(),
        _ => true,
    };
    let mut known: Vec<_> = region.application(application)?.revisions.iter().filter(used).cloned().collect();
    let time = |known: &Registered| match by.as_str() {
        "firstUsedTime" => known.first_used.unwrap_or(0.0),
        "lastUsedTime" => known.last_used.unwrap_or(0.0),
        _ => known.since,
    };
    known.sort_by(|a, b| time(a).total_cmp(&time(b)));
    if order == "descending" {
        known.reverse();
    }
    let locations = known.iter().map(|known| known.location.without_content()).collect();
    paged("revisions", locations, input.next_token.as_deref())
}

/// The first of the known values if none is given.
fn one_of(
    given: Option<String>,
    known: &[&str],
    code: &'static str,
) -> Result<String, crate::error::ServiceError> {
    let value = given.unwrap_or_else(|| known[0].to_owned());
    if known.contains(&value.as_str()) {
        Ok(value)
    } else {
        Err(refuse(code, format!("{value} is not one of {known:?}")))
    }
}

/// Notes that a deployment uses a revision.
pub(crate) fn used(region: &mut Region, application: &str, group: &str, revision: &Revision, now: Timestamp) {
    if let Some(known) = note(region, application, revision, now) {
        known.first_used.get_or_insert(now);
        known.last_used = Some(now);
        known.groups.insert(group.to_owned());
    }
}

pub(crate) fn find<'a>(region: &'a Region, application: &str, wanted: &Revision) -> Option<&'a Registered> {
    region.applications.get(application)?.revisions.iter().find(|known| same(&known.location, wanted))
}

fn note<'a>(
    region: &'a mut Region,
    application: &str,
    revision: &Revision,
    now: Timestamp,
) -> Option<&'a mut Registered> {
    let revisions = &mut region.application(application).ok()?.revisions;
    let at = revisions.iter().position(|known| same(&known.location, revision)).unwrap_or_else(|| {
        let (location, groups) = (revision.clone(), BTreeSet::new());
        revisions.push(Registered {
            location,
            description: None,
            since: now,
            first_used: None,
            last_used: None,
            groups,
        });
        revisions.len() - 1
    });
    revisions.get_mut(at)
}

/// Whether two locations are of one revision; a text is known by its digest.
fn same(known: &Revision, wanted: &Revision) -> bool {
    let digest = |revision: &Revision| {
        let inline = revision.inline()?;
        inline.sha256.clone().or_else(|| inline.content.as_deref().map(validate::digest))
    };
    match (digest(known), digest(wanted)) {
        (Some(known), Some(wanted)) => known == wanted,
        (None, None) => {
            known.s3_location == wanted.s3_location && known.git_hub_location == wanted.git_hub_location
        }
        _ => false,
    }
}

fn info(known: &Registered) -> Value {
    json!({
        "description": known.description, "deploymentGroups": known.groups, "firstUsedTime": known.first_used,
        "lastUsedTime": known.last_used, "registerTime": known.since,
    })
}
