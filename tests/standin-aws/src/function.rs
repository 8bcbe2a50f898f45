//! `aws:lambda/function:Function`: its code is published as a new version whenever it changes.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::operation::delete_function::DeleteFunctionError;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use lambda_rollout::pulumi::{
    Created, Failure, Operation, PropertyMap, PropertyValue, UpdateRequest, Updated,
};

use crate::archive;

/// Inputs whose change makes a new version.
const PUBLISHED: [&str; 3] = ["code", "role", "environment"];

pub(crate) fn check(operation: &Operation, inputs: PropertyMap) -> PropertyMap {
    crate::named(operation, inputs)
}

pub(crate) async fn create(
    client: &Client,
    operation: &Operation,
    inputs: PropertyMap,
) -> Result<Created, Failure> {
    let name = text(&inputs, "name");
    if operation.preview {
        return Ok(Created { id: String::new(), outputs: inputs, refresh_before_update: false });
    }
    let zip = archive::zip(inputs.get("code"))?;
    let made = client
        .create_function()
        .function_name(&name)
        .runtime(Runtime::from(text(&inputs, "runtime").as_str()))
        .handler(text(&inputs, "handler"))
        .role(text(&inputs, "role"))
        .code(FunctionCode::builder().zip_file(Blob::new(zip)).build())
        .set_environment(environment(&inputs))
        .set_timeout(timeout(&inputs))
        .publish(publishes(&inputs))
        .send()
        .await
        .map_err(failed)?;
    let arn = made.function_arn().unwrap_or_default();
    let outputs = outputs(inputs, arn, made.version().unwrap_or("$LATEST"));
    Ok(Created { id: name, outputs, refresh_before_update: false })
}

pub(crate) async fn update(
    client: &Client,
    operation: &Operation,
    request: UpdateRequest,
) -> Result<Updated, Failure> {
    let UpdateRequest { id, old_inputs, old_outputs, inputs, .. } = request;
    let changed = |key: &str| match (old_inputs.get(key), inputs.get(key)) {
        (Some(old), Some(new)) => !old.same_as(new) || new.contains_unknown(),
        (old, new) => old.is_some() || new.is_some(),
    };
    let republished = publishes(&inputs) && PUBLISHED.iter().any(|key| changed(key));
    let mut kept = old_outputs.clone();
    kept.extend(inputs.clone());
    if operation.preview {
        if republished {
            for key in ["version", "qualifiedArn"] {
                kept.remove(key);
            }
        }
        return Ok(Updated { outputs: kept, refresh_before_update: false });
    }
    client
        .update_function_configuration()
        .function_name(&id)
        .role(text(&inputs, "role"))
        .handler(text(&inputs, "handler"))
        .set_environment(environment(&inputs))
        .set_timeout(timeout(&inputs))
        .send()
        .await
        .map_err(failed)?;
    if changed("code") {
        let zip = archive::zip(inputs.get("code"))?;
        client
            .update_function_code()
            .function_name(&id)
            .zip_file(Blob::new(zip))
            .send()
            .await
            .map_err(failed)?;
    }
    let arn = text(&old_outputs, "arn");
    let mut version = text(&old_outputs, "version");
    if republished {
        let published = client.publish_version().function_name(&id).send().await.map_err(failed)?;
        published.version().unwrap_or_default().clone_into(&mut version);
    }
    Ok(Updated { outputs: outputs(inputs, &arn, &version), refresh_before_update: false })
}

pub(crate) async fn delete(client: &Client, id: &str) -> Result<(), Failure> {
    match client.delete_function().function_name(id).send().await {
        Ok(_) => Ok(()),
        Err(error)
            if error.as_service_error().is_some_and(DeleteFunctionError::is_resource_not_found_exception) =>
        {
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

fn outputs(inputs: PropertyMap, arn: &str, version: &str) -> PropertyMap {
    let mut outputs = inputs;
    outputs.insert("arn".to_owned(), arn.into());
    outputs.insert("version".to_owned(), version.into());
    outputs.insert("qualifiedArn".to_owned(), format!("{arn}:{version}").as_str().into());
    outputs
}

fn text(map: &PropertyMap, key: &str) -> String {
    map.get(key).and_then(PropertyValue::as_str).unwrap_or_default().to_owned()
}

fn publishes(inputs: &PropertyMap) -> bool {
    inputs.get("publish").and_then(PropertyValue::as_bool).unwrap_or(false)
}

// Lambda's limit is 900, so the number is small and whole.
#[expect(clippy::cast_possible_truncation)]
fn timeout(inputs: &PropertyMap) -> Option<i32> {
    inputs.get("timeout").and_then(PropertyValue::as_number).map(|seconds| seconds as i32)
}

fn environment(inputs: &PropertyMap) -> Option<Environment> {
    let variables = inputs.get("environment")?.as_object()?.get("variables")?.as_object()?;
    let variables =
        variables.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    Some(Environment::builder().set_variables(Some(variables.collect())).build())
}

fn failed<E: std::error::Error>(error: E) -> Failure {
    Failure::plain(DisplayErrorContext(error).to_string())
}
