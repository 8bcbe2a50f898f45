//! A piece that a changed declaration has left behind. It is remembered until it is gone, also when a run fails between.

use super::memory::Memory;
use super::names;
use super::pieces::Pieces;
use super::spec::RolloutSpec;
use super::strategy;

/// In the order in which they can be removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leftover {
    Alias(String),
    Group { application: String, name: String },
    Application(String),
    Config(String),
    Role(String),
}

/// What is to be removed, or would be if it were not in use again.
pub fn leftovers(spec: &RolloutSpec, memory: &Memory, pieces: &Pieces) -> Vec<Leftover> {
    let mut all = memory.leftovers.clone();
    all.extend(fresh(spec, memory));
    all.retain(|leftover| !leftover.is_in_use(spec, pieces));
    all.sort();
    all.dedup();
    all
}

/// All that this memory has made by names that may have changed.
fn fresh(spec: &RolloutSpec, memory: &Memory) -> Vec<Leftover> {
    let made = memory.made;
    let (application, name) = (memory.application.clone(), memory.group.clone());
    let role = names::role(&spec.function.name, &spec.alias, &memory.region);
    let alias = memory.latest_alias_name.clone();
    let config = memory.deployment_config.clone();
    [
        (made.latest_alias && !alias.is_empty(), Leftover::Alias(alias)),
        (made.group, Leftover::Group { application: application.clone(), name }),
        (made.application, Leftover::Application(application)),
        (strategy::is_shared(&config), Leftover::Config(config)),
        (made.role, Leftover::Role(role)),
    ]
    .into_iter()
    .filter_map(|(ours, leftover)| ours.then_some(leftover))
    .collect()
}

impl Leftover {
    fn is_in_use(&self, spec: &RolloutSpec, pieces: &Pieces) -> bool {
        match self {
            Self::Alias(alias) => *alias == spec.alias || Some(alias) == spec.latest_alias.as_ref(),
            Self::Group { application, name } => *application == pieces.application && *name == pieces.group,
            Self::Application(name) => *name == pieces.application,
            Self::Config(name) => *name == pieces.deployment_config || *name == spec.routing.config_name(),
            Self::Role(name) => pieces.service_role_arn.ends_with(&format!(":role/{name}")),
        }
    }

    /// Whether `other` cannot be removed before this one is: an application waits for its groups.
    pub fn is_in(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Group { application, .. }, Self::Application(name)) => application == name,
            _ => false,
        }
    }

    /// The kind and the names, for the state.
    pub fn to_parts(&self) -> Vec<&str> {
        match self {
            Self::Alias(name) => vec!["alias", name],
            Self::Group { application, name } => vec!["group", application, name],
            Self::Application(name) => vec!["application", name],
            Self::Config(name) => vec!["config", name],
            Self::Role(name) => vec!["role", name],
        }
    }

    pub fn from_parts(parts: &[&str]) -> Option<Self> {
        Some(match *parts {
            ["alias", name] => Self::Alias(name.to_owned()),
            ["group", application, name] => {
                Self::Group { application: application.to_owned(), name: name.to_owned() }
            }
            ["application", name] => Self::Application(name.to_owned()),
            ["config", name] => Self::Config(name.to_owned()),
            ["role", name] => Self::Role(name.to_owned()),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alias(name) => write!(f, "alias {name}"),
            Self::Group { name, .. } => write!(f, "deployment group {name}"),
            Self::Application(name) => write!(f, "CodeDeploy application {name}"),
            Self::Config(name) => write!(f, "deployment configuration {name}"),
            Self::Role(name) => write!(f, "role {name}"),
        }
    }
}
