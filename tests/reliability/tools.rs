//! Functions that do what a test needs, and roles for them.

use aws_sdk_iam::Client as Iam;
use aws_sdk_lambda::{
    config::{BehaviorVersion, Credentials, Region},
    types::{FunctionCode, Runtime},
};
use serde_json::json;

use crate::world::{REGION, World};

/// A hook that reports what its first line does not keep it from. `fate` is run with the deployment at hand.
pub(crate) const HOOK: &str = r#"
const call = async (operation, input) => {
    const answer = await fetch(process.env.AWS_ENDPOINT_URL, {
        method: "POST",
        headers: {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "CodeDeploy_20141006." + operation,
            authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/codedeploy/aws4_request, SignedHeaders=host, Signature=none",
        },
        body: JSON.stringify(input),
    });
    return answer.json();
};
exports.handler = async (event) => {
    const deploymentId = event.DeploymentId;
    const { deploymentInfo } = await call("GetDeployment", { deploymentId });
    await fate(deploymentInfo.description, deploymentId);
    await call("PutLifecycleEventHookExecutionStatus", {
        deploymentId,
        lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
        status: "Succeeded",
    });
};
"#;

pub(crate) fn iam(world: &World) -> Iam {
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .region(Region::new(REGION))
        .endpoint_url(&world.endpoint);
    Iam::from_conf(config.build())
}

fn trust(service: &str) -> String {
    let principal = json!({ "Service": service });
    json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal } })
        .to_string()
}

pub(crate) async fn make_role(world: &World, name: &str, service: &str) -> String {
    let made = iam(world).create_role().role_name(name).assume_role_policy_document(trust(service)).send();
    made.await.unwrap().role.unwrap().arn
}

pub(crate) async fn trust_in(world: &World, role: &str, service: &str) {
    iam(world)
        .update_assume_role_policy()
        .role_name(role)
        .policy_document(trust(service))
        .send()
        .await
        .unwrap();
}

/// What the role may do everywhere.
pub(crate) async fn allow(world: &World, role: &str, actions: &[&str]) {
    let policy =
        json!({ "Statement": { "Effect": "Allow", "Action": actions, "Resource": "*" } }).to_string();
    iam(world)
        .put_role_policy()
        .role_name(role)
        .policy_name("all")
        .policy_document(policy)
        .send()
        .await
        .unwrap();
}

/// The role that the rollout of a function made.
pub(crate) async fn role_of(world: &World, function: &str) -> String {
    let roles = iam(world).list_roles().send().await.unwrap().roles;
    roles.into_iter().find(|role| role.role_name.contains(function)).unwrap().role_name
}

pub(crate) async fn remove_policies(world: &World, role: &str) {
    let iam = iam(world);
    let policies = iam.list_role_policies().role_name(role).send().await.unwrap().policy_names;
    for policy in policies {
        iam.delete_role_policy().role_name(role).policy_name(policy).send().await.unwrap();
    }
}

pub(crate) async fn remove_role(world: &World, role: &str) {
    remove_policies(world, role).await;
    iam(world).delete_role().role_name(role).send().await.unwrap();
}

/// A function of Node that runs this code, with a role that may report to CodeDeploy.
pub(crate) async fn make_hook(world: &World, name: &str, fate: &str) {
    let role = make_role(world, &format!("{name}-role"), "lambda.amazonaws.com").await;
    allow(world, &format!("{name}-role"), &["codedeploy:PutLifecycleEventHookExecutionStatus"]).await;
    let code = format!("const fate = async (description, deployment) => {{ {fate} }};{HOOK}");
    let code = FunctionCode::builder().zip_file(zip("index.js", code.as_bytes()).into()).build();
    let made = world.lambda.create_function().function_name(name).role(role).runtime(Runtime::Nodejs20x);
    made.handler("index.handler").timeout(900).code(code).send().await.unwrap();
}

/// A hook that reports when it is released, and not before.
pub(crate) async fn make_patient_hook(world: &World, name: &str) {
    let fate = format!(
        r#"const url = process.env.AWS_ENDPOINT_URL + "/2015-03-31/functions/{name}/aliases/go";
        const headers = {{ authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=none" }};
        while (!(await fetch(url, {{ headers }})).ok) await new Promise((resolve) => setTimeout(resolve, 20));"#
    );
    make_hook(world, name, &fate).await;
}

pub(crate) async fn release(world: &World, hook: &str) {
    let version = world.lambda.publish_version().function_name(hook).send().await.unwrap().version.unwrap();
    world.put_alias(hook, "go", &version).await;
}

pub(crate) async fn remove_hook(world: &World, name: &str) {
    world.lambda.delete_function().function_name(name).send().await.unwrap();
    remove_role(world, &format!("{name}-role")).await;
}

/// An archive of one file, not compressed.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let described = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x5c][..],
        &crc32(content).to_le_bytes(),
        &size,
        &size,
        &name_length,
        &[0, 0],
    ]
    .concat();
    let mut archive = [b"PK\x03\x04", &described[..], name.as_bytes(), content].concat();
    let start = u32::try_from(archive.len()).unwrap();
    archive.extend(
        [b"PK\x01\x02\x14\x00", &described[..], &[0; 8], &[0xa4, 0x81, 0, 0, 0, 0], name.as_bytes()].concat(),
    );
    let length = u32::try_from(archive.len()).unwrap() - start;
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    archive.extend(length.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
