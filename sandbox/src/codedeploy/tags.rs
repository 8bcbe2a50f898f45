//! Tags of applications, groups and configurations, which are named by ARN.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{no_application, no_config, no_group, refuse};
use super::model::Tags;
use super::store::Region;
use super::{Answer, read};
use crate::error::ServiceError;

const TAGS: usize = 50;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    key: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
}

/// Tags as they are stored.
pub(crate) fn checked(tags: Option<&[Tag]>) -> Result<Tags, ServiceError> {
    let mut checked = Tags::new();
    for tag in tags.unwrap_or_default() {
        let key = tag.key.clone().filter(|key| (1..=128).contains(&key.chars().count()));
        let value = tag.value.clone().unwrap_or_default();
        match key {
            Some(key) if value.chars().count() <= 256 => checked.insert(key, value),
            _ => {
                return Err(refuse(
                    "InvalidTagsToAddException",
                    "A tag's key has 1 to 128 characters, its value 256",
                ));
            }
        };
    }
    if checked.len() > TAGS {
        return Err(refuse("InvalidTagsToAddException", format!("A resource has at most {TAGS} tags")));
    }
    Ok(checked)
}

pub(crate) fn add(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    if input.tags.as_ref().is_none_or(Vec::is_empty) {
        return Err(refuse("TagRequiredException", "At least one tag must be specified"));
    }
    let tags = checked(input.tags.as_deref())?;
    find(region, input.resource_arn.as_deref())?.extend(tags);
    Ok(json!({}))
}

pub(crate) fn remove(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let Some(keys) = input.tag_keys.filter(|keys| !keys.is_empty()) else {
        return Err(refuse("TagRequiredException", "At least one tag key must be specified"));
    };
    find(region, input.resource_arn.as_deref())?.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

pub(crate) fn list(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    // Listing knows no error for what does not exist: such a thing has no tags.
    let tags = match find(region, input.resource_arn.as_deref()) {
        Ok(tags) => tags.clone(),
        Err(error) if error.code.ends_with("DoesNotExistException") => Tags::new(),
        Err(error) => return Err(error),
    };
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

fn find<'a>(region: &'a mut Region, arn: Option<&str>) -> Result<&'a mut Tags, ServiceError> {
    let arn = arn.filter(|arn| !arn.is_empty());
    let arn =
        arn.ok_or_else(|| refuse("ResourceArnRequiredException", "The ARN of a resource must be specified"))?;
    let parts: Vec<_> = arn.splitn(7, ':').collect();
    let &["arn", _, "codedeploy", _, _, kind, name] = parts.as_slice() else {
        return Err(refuse(
            "InvalidArnException",
            format!("{arn} is not the ARN of a resource of CodeDeploy"),
        ));
    };
    match (kind, name.split_once('/')) {
        ("application", None) => match region.applications.get_mut(name) {
            Some(application) => Ok(&mut application.tags),
            None => Err(no_application(name)),
        },
        ("deploymentgroup", Some((application, group))) => {
            let groups = region.applications.get_mut(application).map(|application| &mut application.groups);
            let group_found = groups.and_then(|groups| groups.get_mut(group));
            group_found.map(|group| &mut group.tags).ok_or_else(|| no_group(group))
        }
        ("deploymentconfig", None) => match region.configs.get_mut(name) {
            Some(config) => Ok(&mut config.tags),
            None => Err(no_config(name)),
        },
        ("application" | "deploymentgroup" | "deploymentconfig", _) => {
            Err(refuse("InvalidArnException", format!("{arn} does not name a {kind}")))
        }
        _ => Err(refuse("ArnNotSupportedException", format!("{arn} cannot be tagged"))),
    }
}
