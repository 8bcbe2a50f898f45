//! The sandbox, functions in it, and what must be true of AWS whatever happened to a provider.

use std::process::Stdio;

use aws_sdk_codedeploy::{Client as CodeDeploy, types::DeploymentCreator};
use aws_sdk_lambda::{
    Client as Lambda,
    config::{BehaviorVersion, Credentials, Region},
    types::{Environment, FunctionCode, Runtime},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

pub(crate) const REGION: &str = "us-east-1";

/// A ZIP with one file, `index.mjs`: `export const handler = async () => ({ ok: process.env.OK === "yes" });`
const CODE: &str = "UEsDBBQAAAAAAAAAIVzCZhj1RgAAAEYAAAAJAAAAaW5kZXgubWpzZXhwb3J0IGNvbnN0IGhhbmRsZXIgPSBhc3luYyAoKSA9PiAoeyBvazogcHJvY2Vzcy5lbnYuT0sgPT09ICJ5ZXMiIH0pO1BLAQIUAxQAAAAAAAAAIVzCZhj1RgAAAEYAAAAJAAAAAAAAAAAAAACkAQAAAABpbmRleC5tanNQSwUGAAAAAAEAAQA3AAAAbQAAAAAA";

pub(crate) struct World {
    pub(crate) endpoint: String,
    pub(crate) speed: u32,
    pub(crate) lambda: Lambda,
    pub(crate) code_deploy: CodeDeploy,
    // The sandbox ends when its standard input does.
    _sandbox: Child,
}

impl World {
    pub(crate) async fn start(speed: u32) -> Self {
        Self::start_with(speed, &[]).await
    }

    /// With more of the sandbox's options.
    pub(crate) async fn start_with(speed: u32, options: &[&str]) -> Self {
        let test = std::env::current_exe().unwrap();
        let binary = test.ancestors().nth(2).unwrap().join("rollout-sandbox");
        let mut sandbox = Command::new(&binary)
            .args(["--port", "0", "--exit-with-stdin", "--speed", &speed.to_string()])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} cannot be started ({error}): run `make build`", binary.display())
            });
        let mut line = String::new();
        BufReader::new(sandbox.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let start = line.find("http://").unwrap_or_else(|| panic!("the sandbox is not ready: {line}"));
        let endpoint = line[start..].split_whitespace().next().unwrap().to_owned();
        let http = aws_smithy_http_client::Builder::new().build_http();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let lambda = aws_sdk_lambda::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http.clone())
            .credentials_provider(credentials.clone())
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .build();
        let code_deploy = aws_sdk_codedeploy::Config::builder()
            .behavior_version(aws_sdk_codedeploy::config::BehaviorVersion::latest())
            .http_client(http)
            .credentials_provider(credentials)
            .region(Region::new(REGION))
            .endpoint_url(&endpoint)
            .build();
        Self {
            endpoint,
            speed,
            lambda: Lambda::from_conf(lambda),
            code_deploy: CodeDeploy::from_conf(code_deploy),
            _sandbox: sandbox,
        }
    }

    /// A function without a version.
    pub(crate) async fn make_function(&self, name: &str) {
        let code = BASE64.decode(CODE).unwrap();
        let code = FunctionCode::builder().zip_file(code.into()).build();
        self.lambda
            .create_function()
            .function_name(name)
            .role("arn:aws:iam::000000000000:role/function")
            .runtime(Runtime::Nodejs20x)
            .handler("index.handler")
            .code(code)
            .send()
            .await
            .unwrap();
    }

    /// Publishes a version that answers well, or not.
    pub(crate) async fn publish(&self, function: &str, note: &str, ok: bool) -> String {
        let variables = [("OK", if ok { "yes" } else { "no" }), ("NOTE", note)];
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let environment = Environment::builder().set_variables(Some(variables.into())).build();
        let configured =
            self.lambda.update_function_configuration().function_name(function).environment(environment);
        configured.send().await.unwrap();
        let published = self.lambda.publish_version().function_name(function).send().await.unwrap();
        published.version.unwrap()
    }

    /// The versions that an alias serves, with their shares in percent; empty without the alias.
    pub(crate) async fn serves(&self, function: &str, alias: &str) -> Vec<(String, f64)> {
        let Ok(found) = self.lambda.get_alias().function_name(function).name(alias).send().await else {
            return Vec::new();
        };
        let weights = found.routing_config.and_then(|config| config.additional_version_weights);
        let mut served = vec![(found.function_version.unwrap(), 100.0)];
        for (version, weight) in weights.unwrap_or_default() {
            served.push((version, weight * 100.0));
        }
        served
    }

    /// Everything that exists beside the functions themselves, of one function.
    pub(crate) async fn pieces_of(&self, function: &str) -> Vec<String> {
        let state = self.admin("state").await;
        let mut found = Vec::new();
        for scope in state["scopes"].as_array().unwrap() {
            for (service, kinds) in scope.as_object().unwrap().iter().filter(|(_, kinds)| kinds.is_object()) {
                for (kind, things) in kinds.as_object().unwrap() {
                    let things = things.as_array().unwrap().iter().map(ToString::to_string);
                    found.extend(things.map(|thing| format!("{service} {kind}: {thing}")));
                }
            }
        }
        found.retain(|thing| thing.contains(function) && !thing.starts_with("lambda functions"));
        found
    }

    /// The descriptions of the function's deployments, which name the versions; without CodeDeploy's own rollbacks.
    pub(crate) async fn deployed(&self, function: &str) -> Vec<String> {
        let application = format!("rollout-{function}.stable");
        let listed =
            self.code_deploy.list_deployments().application_name(application).deployment_group_name("stable");
        let ids = listed.send().await.ok().and_then(|found| found.deployments).unwrap_or_default();
        if ids.is_empty() {
            return Vec::new();
        }
        let found =
            self.code_deploy.batch_get_deployments().set_deployment_ids(Some(ids)).send().await.unwrap();
        let deployments = found.deployments_info.unwrap_or_default().into_iter();
        let ours = deployments
            .filter(|deployment| deployment.creator != Some(DeploymentCreator::CodeDeployRollback));
        ours.filter_map(|deployment| deployment.description).collect()
    }

    pub(crate) async fn admin(&self, what: &str) -> Value {
        let host = self.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("GET /_sandbox/{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap()
    }
}
