//! `aws:lambda/function:Function`: its code is published as a new version whenever it changes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lambda_rollout::pulumi::{
    Created, Failure, Operation, PropertyMap, PropertyValue, ReadRequest, ReadState, UpdateRequest, Updated,
};
use serde_json::{Value, json};

use crate::archive;
use crate::aws::{Aws, Refusal};
use crate::call::Call;
use crate::convert;

pub(crate) const TOKEN: &str = "aws:lambda/function:Function";

/// Inputs whose change takes a new function.
pub(crate) const REPLACES: [&str; 1] = ["name"];

/// Inputs whose change makes a new version.
const PUBLISHED: [&str; 10] = [
    "architectures",
    "code",
    "deadLetterConfig",
    "description",
    "environment",
    "handler",
    "memorySize",
    "role",
    "runtime",
    "timeout",
];

/// What a new version changes.
const OF_THE_VERSION: [&str; 3] = ["version", "qualifiedArn", "qualifiedInvokeArn"];

pub(crate) async fn create(
    aws: &Aws,
    operation: &Operation,
    inputs: PropertyMap,
) -> Result<Created, Failure> {
    if operation.preview {
        return Ok(Created { id: String::new(), outputs: inputs, refresh_before_update: false });
    }
    let zip = archive::zip(inputs.get("code"))?;
    let mut body = configuration(&inputs);
    body["Code"] = json!({ "ZipFile": BASE64_STANDARD.encode(zip) });
    body["Publish"] = publishes(&inputs).into();
    let made = call(aws, "POST /2015-03-31/functions", body).await?;
    let id = text(&made, "FunctionName");
    let version = text(&made, "Version");
    Ok(Created { id, outputs: outputs(aws, inputs, &made, &version), refresh_before_update: false })
}

pub(crate) async fn read(aws: &Aws, request: ReadRequest) -> Result<Option<ReadState>, Failure> {
    let ReadRequest { id, inputs: Some(inputs), outputs: Some(outputs) } = request else {
        return Err(Failure::plain("the stand-in for the AWS provider imports nothing"));
    };
    match call(aws, &format!("GET /2015-03-31/functions/{id}"), Value::Null).await {
        Ok(_) => Ok(Some(ReadState { id, inputs, outputs, refresh_before_update: false })),
        Err(refusal) if refusal.is_missing() => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

pub(crate) async fn update(
    aws: &Aws,
    operation: &Operation,
    request: UpdateRequest,
) -> Result<Updated, Failure> {
    let UpdateRequest { id, old_inputs, old_outputs, inputs, .. } = request;
    let changed = |key: &str| match (old_inputs.get(key), inputs.get(key)) {
        (Some(old), Some(new)) => !old.same_as(new) || new.contains_unknown(),
        (old, new) => old.is_some() || new.is_some(),
    };
    let republished = publishes(&inputs) && PUBLISHED.iter().any(|key| changed(key));
    if operation.preview {
        let mut outputs = old_outputs;
        outputs.extend(inputs);
        if republished {
            outputs.retain(|key, _| !OF_THE_VERSION.contains(&key.as_str()));
        }
        return Ok(Updated { outputs, refresh_before_update: false });
    }
    let path = format!("/2015-03-31/functions/{id}");
    let mut now = call(aws, &format!("PUT {path}/configuration"), configuration(&inputs)).await?;
    if changed("code") {
        let zip = archive::zip(inputs.get("code"))?;
        let body = json!({ "ZipFile": BASE64_STANDARD.encode(zip) });
        now = call(aws, &format!("PUT {path}/code"), body).await?;
    }
    let mut version =
        old_outputs.get("version").and_then(PropertyValue::as_str).unwrap_or_default().to_owned();
    if republished {
        version = text(&call(aws, &format!("POST {path}/versions"), json!({})).await?, "Version");
    }
    Ok(Updated { outputs: outputs(aws, inputs, &now, &version), refresh_before_update: false })
}

pub(crate) async fn delete(aws: &Aws, id: &str) -> Result<(), Failure> {
    match call(aws, &format!("DELETE /2015-03-31/functions/{id}"), Value::Null).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is_missing() => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn call(aws: &Aws, line: &str, body: Value) -> Result<Value, Refusal> {
    aws.call(&Call::new(&format!("lambda {line}"), body).map_err(Refusal::ours)?).await
}

fn configuration(inputs: &PropertyMap) -> Value {
    let inputs = convert::json_object(inputs);
    let mut body = json!({
        "FunctionName": inputs["name"],
        "Runtime": inputs["runtime"],
        "Handler": inputs["handler"],
        "Role": inputs["role"],
        "Description": inputs["description"],
        "Timeout": inputs["timeout"],
        "MemorySize": inputs["memorySize"],
        "Environment": { "Variables": inputs["environment"]["variables"] },
    });
    if let Some(target) = inputs["deadLetterConfig"]["targetArn"].as_str() {
        body["DeadLetterConfig"] = json!({ "TargetArn": target });
    }
    convert::without_nulls(body)
}

/// `made` is the function, `version` the one that was published last.
fn outputs(aws: &Aws, inputs: PropertyMap, made: &Value, version: &str) -> PropertyMap {
    let name = text(made, "FunctionName");
    let arn = text(made, "FunctionArn");
    // Publishing at once answers the version's ARN.
    let arn = arn.find(&format!(":{name}")).map_or(arn.as_str(), |start| &arn[..=start + name.len()]);
    let qualified = format!("{arn}:{version}");
    let invoke = |arn: &str| {
        format!("arn:aws:apigateway:{}:lambda:path/2015-03-31/functions/{arn}/invocations", aws.region)
    };
    let mut outputs = inputs;
    for (key, value) in [
        ("arn", arn.to_owned()),
        ("invokeArn", invoke(arn)),
        ("lastModified", text(made, "LastModified")),
        ("qualifiedArn", qualified.clone()),
        ("qualifiedInvokeArn", invoke(&qualified)),
        ("sourceCodeHash", text(made, "CodeSha256")),
        ("version", version.to_owned()),
    ] {
        outputs.insert(key.to_owned(), value.into());
    }
    outputs
}

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_default().to_owned()
}

fn publishes(inputs: &PropertyMap) -> bool {
    inputs.get("publish").and_then(PropertyValue::as_bool).unwrap_or(false)
}
