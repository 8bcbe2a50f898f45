//! The resources of the package: from what was declared to what is done, one file for each.

pub mod canonical;
pub mod config;
pub mod deployment_waiter;
pub mod function_alias;
pub mod function_rollout;
pub mod functions;
pub mod gather;
pub mod lambda_deployment;
pub mod provider;
pub mod reporter;
pub mod secrets;
pub mod session;
pub mod state;
pub mod time;

use std::time::SystemTime;

use crate::pulumi::{Failure, Partial, PropertyMap, Urn};
use crate::rollout::owner::Owner;

/// A failure after something was made: the engine keeps the outputs and comes back with the next update.
fn partial(id: &str, outputs: PropertyMap, reason: String, refresh_before_update: bool) -> Failure {
    Failure::from(Partial {
        id: id.to_owned(),
        outputs,
        inputs: None,
        reasons: vec![reason],
        refresh_before_update,
    })
}

/// The owner of what this resource makes, in this making of it.
fn new_owner(urn: &Urn) -> Owner {
    let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    Owner::new(urn.project(), urn.stack(), urn.name(), &format!("{millis:x}"))
}
