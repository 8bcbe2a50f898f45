//! What every plugin is asked: the configuration, and a rollout as most programs declare it.

use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::json;

use crate::{
    client::Call,
    plugin::Plugin,
    proto::{
        CheckRequest, CheckResponse, ConfigureRequest, DiffRequest, DiffResponse, diff_response::DiffChanges,
    },
};

/// The large property map has so many entries of so many bytes each: 100 MB.
const LARGE: (usize, usize) = (100_000, 1_000);

/// The inputs of a rollout, with a change in two of them or without.
fn rollout(version: &str, interval: &str) -> serde_json::Value {
    json!({
        "functionName": "orders",
        "version": version,
        "aliasName": "live",
        "strategy": { "type": "canary", "percentage": 10, "interval": interval },
        "bake": "3 minutes",
        "errorAlarm": { "mode": "relative", "threshold": 1, "evaluationPeriods": 1 },
        "alarms": ["orders-latency"],
        "autoRollback": ["alarm", "failure"],
        "triggers": { "commit": "4f1c2a9" },
        "description": "Takes orders from the shop",
        "tags": { "team": "checkout", "service": "orders" },
    })
}

/// What a finished rollout has in the state besides its inputs.
fn outcome() -> serde_json::Value {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
    let invoke = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions";
    json!({
        "__rollout": {
            "account": "123456789012", "boundary": "", "drift": [], "generation": "1a2137212fd", "imported": false,
            "leftovers": [], "made": ["alias", "latestAlias", "application", "group", "role"],
            "owner": "shop/dev/orders", "partition": "aws", "region": "eu-west-1", "served": ["6", "7"],
            "tagMark": "", "triggerMark": "", "v": 1,
        },
        "applicationName": "rollout-orders.live",
        "consoleUrl": "https://eu-west-1.console.aws.amazon.com/codesuite/codedeploy/deployments/d-ZOLP4GUZQ",
        "deploymentConfigName": "rollout-canary-10pct-5m",
        "deploymentGroupName": "live",
        "deploymentId": "d-ZOLP4GUZQ",
        "deploymentStatus": "Succeeded",
        "errorAlarmName": "rollout-orders.live.v7-1a213721cf0",
        "failedVersion": "",
        "invokeArn": format!("{invoke}/{arn}:live/invocations"),
        "lastRollout": {
            "startedAt": "2026-11-25T16:02:54Z", "endedAt": "2026-11-25T16:11:01Z", "status": "Succeeded",
            "version": "7", "requests": 1204, "errors": 0, "reason": "",
        },
        "latestInvokeArn": format!("{invoke}/{arn}:latest/invocations"),
        "latestQualifier": "latest",
        "latestTargetArn": format!("{arn}:latest"),
        "latestUrl": "",
        "qualifier": "live",
        "serviceRoleArn": "arn:aws:iam::123456789012:role/rollout-orders.live.eu-west-1",
        "servingVersion": "7",
        "targetArn": format!("{arn}:live"),
        "url": "",
    })
}

pub(crate) fn config() -> Struct {
    properties(&json!({ "region": "eu-west-1" }))
}

pub(crate) fn check_config() -> CheckRequest {
    let urn = "urn:pulumi:dev::shop::pulumi:providers:lambda-rollout::default".to_owned();
    CheckRequest { urn, news: Some(config()), ..CheckRequest::default() }
}

pub(crate) fn diff_config() -> DiffRequest {
    let urn = check_config().urn;
    let config = Some(config());
    DiffRequest {
        urn,
        olds: config.clone(),
        old_inputs: config.clone(),
        news: config,
        ..DiffRequest::default()
    }
}

pub(crate) fn configure() -> ConfigureRequest {
    ConfigureRequest {
        args: Some(config()),
        accept_secrets: true,
        accept_resources: true,
        sends_old_inputs: true,
        sends_old_inputs_to_delete: true,
        ..ConfigureRequest::default()
    }
}

impl Plugin {
    /// A new rollout. The answer has to be its inputs, and no failure.
    pub(crate) fn check(&self) -> Call<CheckResponse> {
        self.check_of(&rollout("7", "5 minutes"))
    }

    /// A new rollout with triggers of 100 MB.
    pub(crate) fn large_check(&self) -> Call<CheckResponse> {
        let (entries, length) = LARGE;
        let text = "x".repeat(length);
        let triggers = (0..entries).map(|entry| (format!("trigger-{entry}"), text.as_str().into()));
        let mut inputs = rollout("7", "5 minutes");
        inputs["triggers"] = serde_json::Value::Object(triggers.collect());
        self.check_of(&inputs)
    }

    fn check_of(&self, inputs: &serde_json::Value) -> Call<CheckResponse> {
        let inputs = self.properties(inputs);
        let request = CheckRequest {
            urn: self.urn(),
            name: "orders".to_owned(),
            r#type: self.token.to_owned(),
            olds: Some(Struct::default()),
            news: Some(inputs.clone()),
            random_seed: vec![7; 32],
            ..CheckRequest::default()
        };
        let is_right = move |answer: &CheckResponse| {
            answer.failures.is_empty() && answer.inputs.as_ref() == Some(&inputs)
        };
        Call::new("Check", &request, is_right)
    }

    /// The second run of an unchanged program.
    pub(crate) fn diff_unchanged(&self) -> Call<DiffResponse> {
        self.diff_to(&rollout("7", "5 minutes"), DiffChanges::DiffNone)
    }

    /// A new version, and another interval.
    pub(crate) fn diff_changed(&self) -> Call<DiffResponse> {
        self.diff_to(&rollout("8", "10 minutes"), DiffChanges::DiffSome)
    }

    fn diff_to(&self, news: &serde_json::Value, expected: DiffChanges) -> Call<DiffResponse> {
        let old_inputs = rollout("7", "5 minutes");
        let mut state = self.properties(&old_inputs);
        state.fields.extend(properties(&outcome()).fields);
        let request = DiffRequest {
            id: "orders:live".to_owned(),
            urn: self.urn(),
            name: "orders".to_owned(),
            r#type: self.token.to_owned(),
            olds: Some(state),
            old_inputs: Some(self.properties(&old_inputs)),
            news: Some(self.properties(news)),
            ..DiffRequest::default()
        };
        Call::new("Diff", &request, move |answer: &DiffResponse| answer.changes() == expected)
    }

    fn urn(&self) -> String {
        format!("urn:pulumi:dev::shop::{}::orders", self.token)
    }

    /// The inputs in the plugin's own words.
    fn properties(&self, inputs: &serde_json::Value) -> Struct {
        let mut fields = properties(inputs).fields;
        if let Some(version) = fields.remove("version") {
            fields.insert(self.version_input.to_owned(), version);
        }
        if let Some(code) = &self.code {
            fields.insert("__provider".to_owned(), value(&code.as_str().into()));
        }
        Struct { fields }
    }
}

pub(crate) fn properties(object: &serde_json::Value) -> Struct {
    match value(object).kind {
        Some(Kind::StructValue(properties)) => properties,
        _ => Struct::default(),
    }
}

fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(truth) => Kind::BoolValue(*truth),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(value).collect() }),
        Json::Object(fields) => Kind::StructValue(Struct {
            fields: fields.iter().map(|(key, field)| (key.clone(), value(field))).collect(),
        }),
    };
    Value { kind: Some(kind) }
}
