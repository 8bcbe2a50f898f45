//! The sandbox with AWS's limits, and what is called there.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use crate::Result;

const REGION: &str = "eu-west-1";
/// An archive of one file, `index.mjs`, with a handler that answers.
const CODE: &str = "UEsDBBQAAAAAAAAAIVw+vm+ZKAAAACgAAAAJAAAAaW5kZXgubWpzZXhwb3J0IGNvbnN0IGhhbmRsZXIgPSBhc3luYyAoKSA9PiAib2siO1BLAQIUAxQAAAAAAAAAIVw+vm+ZKAAAACgAAAAJAAAAAAAAAAAAAACAAQAAAABpbmRleC5tanNQSwUGAAAAAAEAAQA3AAAATwAAAAAA";

/// AWS, on this machine. It ends with its standard input.
#[derive(Debug)]
pub(crate) struct Sandbox {
    child: Child,
    pub(crate) url: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// A call to it, as its journal has it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) time: f64,
    pub(crate) operation: String,
    pub(crate) is_throttled: bool,
}

impl Sandbox {
    pub(crate) fn start(root: &Path, speed: f64) -> Result<Self> {
        let mut child = Command::new(root.join("target/release/rollout-sandbox"))
            .args(["--port", "0", "--exit-with-stdin", "--limits", "aws", "--speed", &speed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut ready = String::new();
        BufReader::new(child.stdout.take().ok_or("there is no standard output")?).read_line(&mut ready)?;
        let url = ready.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.ok_or("the sandbox does not start")?.to_owned();
        Ok(Self { child, url, http: Client::builder(TokioExecutor::new()).build_http() })
    }

    /// What a process needs in its environment to take it for AWS.
    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// A function with two versions and so many aliases, each with a deployment group of its own.
    pub(crate) async fn furnish(&self, aliases: usize, strategy: (u32, u32)) -> Result<()> {
        let function = json!({
            "FunctionName": "orders", "Runtime": "nodejs22.x", "Handler": "index.handler", "Publish": true,
            "Role": "arn:aws:iam::000000000000:role/orders", "Code": { "ZipFile": CODE },
        });
        self.lambda(Method::POST, "/2015-03-31/functions", &function).await?;
        let changed = json!({ "Description": "the second" });
        self.lambda(Method::PUT, "/2015-03-31/functions/orders/configuration", &changed).await?;
        self.lambda(Method::POST, "/2015-03-31/functions/orders/versions", &json!({})).await?;
        let role = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "codedeploy.amazonaws.com" }, "Action": "sts:AssumeRole",
        }] });
        self.iam(&[
            ("Action", "CreateRole"),
            ("RoleName", "deploys"),
            ("AssumeRolePolicyDocument", &role.to_string()),
        ])
        .await?;
        let managed = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda";
        self.iam(&[("Action", "AttachRolePolicy"), ("RoleName", "deploys"), ("PolicyArn", managed)]).await?;
        self.code_deploy(
            "CreateApplication",
            &json!({ "applicationName": "orders", "computePlatform": "Lambda" }),
        )
        .await?;
        let (percentage, minutes) = strategy;
        let routing = json!({
            "type": "TimeBasedCanary",
            "timeBasedCanary": { "canaryPercentage": percentage, "canaryInterval": minutes },
        });
        let config = json!({
            "deploymentConfigName": config_name(strategy), "computePlatform": "Lambda", "trafficRoutingConfig": routing,
        });
        self.code_deploy("CreateDeploymentConfig", &config).await?;
        for number in 0..aliases {
            let made = json!({ "Name": alias(number), "FunctionVersion": "1" });
            self.lambda(Method::POST, "/2015-03-31/functions/orders/aliases", &made).await?;
            let group = json!({
                "applicationName": "orders", "deploymentGroupName": alias(number),
                "serviceRoleArn": "arn:aws:iam::000000000000:role/deploys",
                "deploymentConfigName": config_name(strategy),
                "deploymentStyle": { "deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL" },
            });
            self.code_deploy("CreateDeploymentGroup", &group).await?;
        }
        Ok(())
    }

    /// Starts the deployment of an alias from one version to the other, and answers its id.
    pub(crate) async fn deploy(&self, number: usize, (from, to): (&str, &str)) -> Result<String> {
        let properties =
            json!({ "Name": "orders", "Alias": alias(number), "CurrentVersion": from, "TargetVersion": to });
        let resource = json!({ "orders": { "Type": "AWS::Lambda::Function", "Properties": properties } });
        let content = json!({ "version": "0.0", "Resources": [resource] }).to_string();
        let deployment = json!({
            "applicationName": "orders", "deploymentGroupName": alias(number),
            "revision": { "revisionType": "AppSpecContent", "appSpecContent": { "content": content } },
        });
        let answer = self.code_deploy("CreateDeployment", &deployment).await?;
        Ok(answer["deploymentId"].as_str().ok_or("there is no id")?.to_owned())
    }

    /// Asks once whether a deployment has ended; `None` when the call was throttled.
    pub(crate) async fn has_ended(&self, id: &str) -> Result<Option<bool>> {
        let (status, answer) = self.ask_code_deploy("GetDeployment", &json!({ "deploymentId": id })).await?;
        if is_throttled(status, &answer) {
            return Ok(None);
        }
        let word =
            answer["deploymentInfo"]["status"].as_str().ok_or_else(|| format!("an odd answer: {answer}"))?;
        Ok(Some(["Succeeded", "Failed", "Stopped"].contains(&word)))
    }

    /// When a deployment was complete.
    pub(crate) async fn end_of(&self, id: &str) -> Result<SystemTime> {
        let answer = self.code_deploy("GetDeployment", &json!({ "deploymentId": id })).await?;
        let info = &answer["deploymentInfo"];
        if info["status"] != "Succeeded" {
            return Err(format!("deployment {id} is {}", info["status"]).into());
        }
        let seconds = info["completeTime"].as_f64().ok_or("there is no time")?;
        Ok(UNIX_EPOCH + Duration::from_secs_f64(seconds))
    }

    /// What was called since it was last asked.
    pub(crate) async fn journal(&self) -> Result<Vec<Entry>> {
        let (_, journal) = self.send(Method::GET, "/_sandbox/journal", &[], String::new()).await?;
        self.send(Method::DELETE, "/_sandbox/journal", &[], String::new()).await?;
        let calls = journal["calls"].as_array().ok_or("there is no journal")?;
        let entry = |call: &Value| Entry {
            time: call["time"].as_f64().unwrap_or_default(),
            operation: call["operation"].as_str().unwrap_or_default().to_owned(),
            is_throttled: call["errorCode"].as_str().is_some_and(|code| code.contains("Throttl")),
        };
        Ok(calls.iter().map(entry).collect())
    }

    /// Again and again while it is throttled, as what prepares the ground has no part in what is measured.
    async fn code_deploy(&self, operation: &str, input: &Value) -> Result<Value> {
        loop {
            let (status, answer) = self.ask_code_deploy(operation, input).await?;
            if !is_throttled(status, &answer) {
                return done(operation, status, answer);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn ask_code_deploy(&self, operation: &str, input: &Value) -> Result<(StatusCode, Value)> {
        let target = format!("CodeDeploy_20141006.{operation}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        self.send_as("codedeploy", Method::POST, "/", &headers, input.to_string()).await
    }

    async fn lambda(&self, method: Method, path: &str, input: &Value) -> Result<()> {
        loop {
            let json = [("content-type", "application/json")];
            let answer = self.send_as("lambda", method.clone(), path, &json, input.to_string()).await?;
            let (status, answer) = answer;
            if status != StatusCode::TOO_MANY_REQUESTS {
                return done(path, status, answer).map(drop);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn iam(&self, fields: &[(&str, &str)]) -> Result<()> {
        let fields = fields.iter().chain(&[("Version", "2010-05-08")]);
        let form: Vec<_> = fields.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let (status, answer) = self.send_as("iam", Method::POST, "/", &kind, form.join("&")).await?;
        done("iam", status, answer).map(drop)
    }

    async fn send_as(
        &self,
        service: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(StatusCode, Value)> {
        // The sandbox reads who calls, and verifies nothing.
        let scope = format!("test/20260101/{REGION}/{service}/aws4_request");
        let caller = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let headers = [headers, &[("authorization", caller.as_str())]].concat();
        self.send(method, path, &headers, body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(StatusCode, Value)> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.http.request(request.body(Full::from(body))?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        // Some answers are empty or XML, of which nobody reads anything.
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

pub(crate) fn config_name((percentage, minutes): (u32, u32)) -> String {
    format!("rollout-canary-{percentage}pct-{minutes}m")
}

fn alias(number: usize) -> String {
    format!("stable-{number}")
}

fn is_throttled(status: StatusCode, answer: &Value) -> bool {
    status == StatusCode::BAD_REQUEST && answer.to_string().contains("Throttl")
}

fn done(what: &str, status: StatusCode, answer: Value) -> Result<Value> {
    if status.is_success() { Ok(answer) } else { Err(format!("{what}: {status} {answer}").into()) }
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(escape).collect()
}
