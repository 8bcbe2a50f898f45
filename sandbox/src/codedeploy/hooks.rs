//! Hook functions: their executions, and their reports.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::refuse;
use super::lifecycle::Event;
use super::model::HookExecution;
use super::store::Region;
use super::{Answer, read, validate};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    deployment_id: Option<String>,
    lifecycle_event_hook_execution_id: Option<String>,
    status: Option<String>,
}

/// A hook says how it went.
pub(crate) fn report(region: &mut Region, input: &Value) -> Answer {
    let input: Input = read(input)?;
    let id = validate::deployment_id(input.deployment_id.as_deref())?;
    region.deployment(id)?;
    let succeeded = match input.status.as_deref() {
        Some("Succeeded") => true,
        Some("Failed") => false,
        _ => {
            let message = "The status of a lifecycle event hook is Succeeded or Failed";
            return Err(refuse("InvalidLifecycleEventHookExecutionStatusException", message));
        }
    };
    let execution = input.lifecycle_event_hook_execution_id.unwrap_or_default();
    let invalid = || {
        let message = "The lifecycle event hook execution ID is not one of this deployment";
        refuse("InvalidLifecycleEventHookExecutionIdException", message)
    };
    let deployment = region.deployment_mut(id).ok_or_else(invalid)?;
    let ended = deployment.life.ended();
    let hook = deployment.hooks.iter_mut().find(|hook| hook.id == execution).ok_or_else(invalid)?;
    let sent = !ended && !hook.reported && deployment.events.send(Event::HookReported { succeeded }).is_ok();
    hook.reported = true;
    if !sent {
        return Err(refuse(
            "LifecycleEventAlreadyCompletedException",
            "The lifecycle event has already completed",
        ));
    }
    Ok(json!({ "lifecycleEventHookExecutionId": execution }))
}

/// A new execution, with an opaque id as long as the service's.
pub(crate) fn execution() -> HookExecution {
    let secret: Vec<u8> = (0..96).map(|_| fastrand::u8(..)).collect();
    let blob =
        json!({ "encryptedData": STANDARD.encode(secret), "ivParameterSpec": "", "materialSetSerial": 1 });
    HookExecution { id: STANDARD.encode(blob.to_string()), reported: false }
}
