//! `aws:iam/role:Role`.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::DisplayErrorContext;
use aws_sdk_iam::operation::delete_role::DeleteRoleError;
use lambda_rollout::pulumi::{
    Created, Failure, Operation, PropertyMap, PropertyValue, UpdateRequest, Updated,
};

pub(crate) fn check(operation: &Operation, inputs: PropertyMap) -> PropertyMap {
    crate::named(operation, inputs)
}

pub(crate) async fn create(
    client: &Client,
    operation: &Operation,
    inputs: PropertyMap,
) -> Result<Created, Failure> {
    let text = |key: &str| inputs.get(key).and_then(PropertyValue::as_str).unwrap_or_default().to_owned();
    let name = text("name");
    let mut outputs = inputs.clone();
    if operation.preview {
        return Ok(Created { id: String::new(), outputs, refresh_before_update: false });
    }
    let made = client
        .create_role()
        .role_name(&name)
        .assume_role_policy_document(text("assumeRolePolicy"))
        .send()
        .await
        .map_err(|error| Failure::plain(DisplayErrorContext(error).to_string()))?;
    let arn = made.role().map(|role| role.arn().to_owned()).unwrap_or_default();
    outputs.insert("arn".to_owned(), arn.into());
    Ok(Created { id: name, outputs, refresh_before_update: false })
}

pub(crate) fn update(request: UpdateRequest) -> Updated {
    let mut outputs = request.old_outputs;
    outputs.extend(request.inputs);
    Updated { outputs, refresh_before_update: false }
}

pub(crate) async fn delete(client: &Client, id: &str) -> Result<(), Failure> {
    match client.delete_role().role_name(id).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(DeleteRoleError::is_no_such_entity_exception) => {
            Ok(())
        }
        Err(error) => Err(Failure::plain(DisplayErrorContext(error).to_string())),
    }
}
