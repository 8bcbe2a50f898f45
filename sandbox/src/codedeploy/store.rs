//! What one account has in one region, and finding things in it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::error::{no_application, no_config, no_deployment, no_group, refuse};
use super::model::{Application, Config, Deployment, Group};
use super::{Rules, configs};
use crate::error::ServiceError;

const PAGE: usize = 100;

#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) rules: Rules,
    pub(crate) applications: BTreeMap<String, Application>,
    pub(crate) configs: BTreeMap<String, Config>,
    /// In the order of their creation.
    pub(crate) deployments: Vec<Deployment>,
}

impl Region {
    pub(crate) fn new(rules: Rules) -> Self {
        let configs = configs::predefined().map(|config| (config.name.clone(), config)).collect();
        Self { rules, applications: BTreeMap::new(), configs, deployments: Vec::new() }
    }

    pub(crate) fn application(&mut self, name: &str) -> Result<&mut Application, ServiceError> {
        self.applications.get_mut(name).ok_or_else(|| no_application(name))
    }

    pub(crate) fn group(&mut self, application: &str, name: &str) -> Result<&mut Group, ServiceError> {
        self.application(application)?.groups.get_mut(name).ok_or_else(|| no_group(name))
    }

    pub(crate) fn config(&self, name: &str) -> Result<&Config, ServiceError> {
        self.configs.get(name).ok_or_else(|| no_config(name))
    }

    pub(crate) fn deployment(&self, id: &str) -> Result<&Deployment, ServiceError> {
        self.deployments.iter().rfind(|deployment| deployment.id == id).ok_or_else(|| no_deployment(id))
    }

    pub(crate) fn deployment_mut(&mut self, id: &str) -> Option<&mut Deployment> {
        self.deployments.iter_mut().rfind(|deployment| deployment.id == id)
    }

    /// The deployment of a group that has not ended.
    pub(crate) fn running(&self, application: &str, group: &str) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|deployment| {
            deployment.application == application && deployment.group == group && !deployment.life.ended()
        })
    }
}

/// One page of a list, and the token for the next.
pub(crate) fn page<T>(items: Vec<T>, token: Option<&str>) -> Result<(Vec<T>, Option<String>), ServiceError> {
    let start = match token.filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => {
            offset(token).ok_or_else(|| refuse("InvalidNextTokenException", "The next token is not valid"))?
        }
    };
    let more = items.len() > start + PAGE;
    let next = more.then(|| STANDARD.encode(format!("offset:{}", start + PAGE)));
    Ok((items.into_iter().skip(start).take(PAGE).collect(), next))
}

fn offset(token: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    text.strip_prefix("offset:")?.parse().ok()
}

/// A list in an answer, under its member's name, with the next token if there is one.
pub(crate) fn paged<T: Serialize>(
    member: &str,
    items: Vec<T>,
    token: Option<&str>,
) -> Result<serde_json::Value, ServiceError> {
    let (items, next) = page(items, token)?;
    let mut answer = serde_json::json!({ member: items });
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another() {
        let items: Vec<_> = (0..250).collect();
        let (first, token) = page(items.clone(), None).unwrap();
        let (second, token) = page(items.clone(), token.as_deref()).unwrap();
        let (third, last) = page(items.clone(), token.as_deref()).unwrap();
        assert_eq!([first, second, third].concat(), items);
        assert_eq!(last, None);
        assert_eq!(page(items, Some("nonsense")).unwrap_err().code, "InvalidNextTokenException");
    }
}
