//! The operations that mean nothing for a Lambda deployment. None of them pretends to have done something.

use serde::Deserialize;
use serde_json::Value;

use super::error::refuse;
use super::store::Region;
use super::{Answer, read, validate};
use crate::error::ServiceError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    deployment_id: Option<String>,
}

pub(crate) fn answer(region: &Region, operation: &str, input: &Value) -> Answer {
    let (needs_life, code, why) = match operation {
        "ContinueDeployment" | "SkipWaitTimeForInstanceTermination" => {
            (true, "UnsupportedActionForDeploymentTypeException", "a Lambda deployment does not wait for it")
        }
        "GetDeploymentInstance" | "BatchGetDeploymentInstances" | "ListDeploymentInstances" => {
            (false, "InvalidComputePlatformException", "a Lambda deployment has targets, and no instances")
        }
        _ => return Err(unknown(operation)),
    };
    let input: Input = read(input)?;
    let id = validate::deployment_id(input.deployment_id.as_deref())?;
    if region.deployment(id)?.life.ended() && needs_life {
        let message = format!("Deployment {id} is already completed");
        return Err(refuse("DeploymentAlreadyCompletedException", message));
    }
    Err(refuse(code, format!("{operation} is not possible: {why}")))
}

fn unknown(operation: &str) -> ServiceError {
    let message = format!(
        "The sandbox does not have CodeDeploy's operation {operation}; it has those for the compute platform Lambda"
    );
    refuse("OperationNotSupportedException", message)
}
