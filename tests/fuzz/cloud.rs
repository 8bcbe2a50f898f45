//! An AWS that answers at once, and often not as AWS does: errors, pages of a proxy, broken and empty bodies, values of
//! the wrong type, and members that are missing.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{dice::Dice, request::ACCOUNT, text};

pub(crate) struct Cloud {
    pub(crate) url: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    calls: AtomicUsize,
    /// How many of them a preview may make, too.
    ahead: AtomicUsize,
}

/// What the preview of a new version reads.
const AHEAD: [&str; 2] = ["/DescribeAlarms", "/GetMetricData"];

/// What was asked for, as far as the answer depends on it.
struct Asked {
    method: String,
    path: String,
    target: String,
    body: String,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
    /// Whether the connection breaks in the middle of the body.
    breaks: bool,
}

/// How often an answer is nonsense, and how often a part of one that is not is spoiled: once in so many.
#[derive(Clone, Copy)]
struct Mood {
    nonsense: usize,
    spoiled: usize,
}

/// An AWS that is always bad is never asked twice, so it changes its mood after so many calls.
const MOOD: u64 = 50;
const MOODS: [Mood; 4] = [
    Mood { nonsense: 1_000, spoiled: 1_000 },
    Mood { nonsense: 15, spoiled: 1_000 },
    Mood { nonsense: 1_000, spoiled: 40 },
    Mood { nonsense: 5, spoiled: 15 },
];

impl Cloud {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counted)));
            }
        });
        Self { url, counts }
    }

    pub(crate) fn calls(&self) -> usize {
        self.counts.calls.load(Ordering::SeqCst)
    }

    /// Without those that a preview may make.
    pub(crate) fn calls_to_act(&self) -> usize {
        self.calls() - self.counts.ahead.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, counts: Arc<Counts>) {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = asked(&mut stream).await {
        let call = counts.calls.fetch_add(1, Ordering::SeqCst);
        if AHEAD.iter().any(|operation| asked.path.ends_with(operation)) {
            counts.ahead.fetch_add(1, Ordering::SeqCst);
        }
        let call = u64::try_from(call).unwrap();
        let mood = MOODS[usize::try_from(call / MOOD % 4).unwrap()];
        let answer = answer(&asked, mood, &mut Dice::new(call));
        let length = answer.body.len() + usize::from(answer.breaks) * 100;
        let head = format!(
            "HTTP/1.1 {} Answer\r\nsmithy-protocol: rpc-v2-cbor\r\ncontent-length: {length}\r\n\r\n",
            answer.status
        );
        let sent = stream.write_all(&[head.as_bytes(), &answer.body].concat()).await;
        if sent.is_err() || answer.breaks {
            return;
        }
    }
}

async fn asked(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let (mut first, mut target, mut length) = (String::new(), String::new(), 0);
    stream.read_line(&mut first).await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "x-amz-target" => value.trim().clone_into(&mut target),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    Some(Asked { method, path, target, body: String::from_utf8_lossy(&body).into_owned() })
}

fn answer(asked: &Asked, mood: Mood, dice: &mut Dice) -> Answer {
    // Who is asked who the caller is has to say it now and then, or nothing else is ever asked.
    if asked.body.contains("GetCallerIdentity") {
        return whole(200, identity());
    }
    let body = good(asked, mood, dice);
    if !dice.one_in(mood.nonsense) {
        return whole(200, body);
    }
    match dice.below(9) {
        0 => whole(200, ""),
        1 => whole(*dice.pick(&[200, 403, 502, 503]), "<html><body>Service Unavailable</body></html>"),
        2 => whole(200, &body[..dice.below(body.len() + 1)]),
        3 => Answer { status: 200, body, breaks: true },
        4 => whole(*dice.pick(&[400, 404, 429, 500]), error(asked, dice)),
        5 => whole(*dice.pick(&[204, 301, 404, 418, 599]), body),
        6 => whole(200, *dice.pick(&["null", "[]", "{}", "1", "\"x\"", "{\"\":", "[[[["])),
        7 => whole(200, "[".repeat(1_000)),
        _ => whole(200, body),
    }
}

fn whole(status: u16, body: impl AsRef<[u8]>) -> Answer {
    Answer { status, body: body.as_ref().to_vec(), breaks: false }
}

/// Each service is answered in its own protocol.
fn good(asked: &Asked, mood: Mood, dice: &mut Dice) -> Vec<u8> {
    if asked.body.contains("Action=") {
        return xml(asked, dice).into_bytes();
    }
    let binary = asked.path.split_once("/operation/").map(|(_, name)| name);
    let name = binary.unwrap_or_else(|| asked.target.rsplit('.').next().unwrap_or_default());
    let mut value = if name.is_empty() { lambda(asked, dice) } else { json_of(name, dice) };
    spoil(&mut value, mood.spoiled, dice);
    if binary.is_none() {
        return value.to_string().into_bytes();
    }
    let mut bytes = Vec::new();
    cbor("", &value, &mut bytes);
    bytes
}

/// Binary JSON, as `CloudWatch` speaks it. Times are marked by their name.
fn cbor(name: &str, value: &Value, bytes: &mut Vec<u8>) {
    let head = |kind: u8, length: usize, bytes: &mut Vec<u8>| {
        bytes.push((kind << 5) | 0x1A);
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
    };
    match value {
        Value::Null => bytes.push(0xF6),
        Value::Bool(value) => bytes.push(if *value { 0xF5 } else { 0xF4 }),
        Value::Number(number) => {
            if name.contains("Timestamp") {
                bytes.push(0xC1);
            }
            bytes.push(0xFB);
            bytes.extend(number.as_f64().unwrap().to_be_bytes());
        }
        Value::String(text) => {
            head(3, text.len(), bytes);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len(), bytes);
            for item in items {
                cbor(name, item, bytes);
            }
        }
        Value::Object(members) => {
            head(5, members.len(), bytes);
            for (name, member) in members {
                head(3, name.len(), bytes);
                bytes.extend(name.as_bytes());
                cbor(name, member, bytes);
            }
        }
    }
}

fn identity() -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/u</Arn><UserId>U</UserId><Account>{ACCOUNT}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

fn error(asked: &Asked, dice: &mut Dice) -> String {
    const CODES: [&str; 16] = [
        "ThrottlingException",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "NoSuchEntity",
        "ResourceConflictException",
        "EntityAlreadyExists",
        "DeploymentDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "ApplicationDoesNotExistException",
        "DeploymentConfigDoesNotExistException",
        "ApplicationAlreadyExistsException",
        "DeploymentLimitExceededException",
        "ExpiredToken",
        "PreconditionFailedException",
        "",
        "é日🦀",
    ];
    let (code, message) = (*dice.pick(&CODES), text::odd(dice));
    if asked.body.contains("Action=") {
        return format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        );
    }
    json!({ "__type": code, "code": code, "message": message, "Type": "User" }).to_string()
}

fn xml(asked: &Asked, dice: &mut Dice) -> String {
    let action =
        asked.body.split("Action=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let role = "<Role><RoleName>r</RoleName><Path>/</Path><RoleId>R</RoleId><CreateDate>2026-01-01T00:00:00Z</CreateDate>\
                <Arn>arn:aws:iam::123456789012:role/r</Arn></Role>";
    let content = match dice.below(4) {
        0 => String::new(),
        1 => format!(
            "{role}<PolicyDocument>%7B%zz</PolicyDocument><PolicyName>p</PolicyName><RoleName>r</RoleName>"
        ),
        2 => format!(
            "{role}<PolicyDocument>%7B%7D</PolicyDocument><EvaluationResults><member><EvalActionName>a</EvalActionName><EvalDecision>moon</EvalDecision></member></EvaluationResults>"
        ),
        _ => format!("{role}<IsTruncated>maybe</IsTruncated>"),
    };
    format!("<{action}Response><{action}Result>{content}</{action}Result></{action}Response>")
}

fn time(dice: &mut Dice) -> Value {
    dice.pick(&[
        json!(1.78e9),
        json!(0),
        json!(-1),
        json!(1e15),
        json!(253_402_300_799_u64),
        json!("2026-01-01T00:00:00Z"),
        Value::Null,
    ])
    .clone()
}

fn version(dice: &mut Dice) -> &'static str {
    const VERSIONS: [&str; 7] = ["1", "2", "7", "12", "$LATEST", "", "9999999999999999999999"];
    dice.pick::<&str>(&VERSIONS)
}

fn lambda(asked: &Asked, dice: &mut Dice) -> Value {
    if asked.path.contains("/invocations") {
        return json!({ "ok": dice.one_in(2) });
    }
    if asked.path.contains("/policy") {
        return json!({ "Policy": dice.pick(&["{}", "[", "{\"Statement\":[{\"Sid\":1}]}", "{\"Statement\":{}}"]), "RevisionId": "r" });
    }
    if asked.path.contains("/url") {
        return json!({ "FunctionUrl": "https://u", "AuthType": dice.pick(&["NONE", "AWS_IAM", "MOON"]), "Cors": { "MaxAge": -1 } });
    }
    let name = if asked.method == "GET" && asked.path.contains("/aliases/") { "stable" } else { "live" };
    json!({
        "Name": name,
        "AliasArn": "arn:aws:lambda:eu-west-1:123456789012:function:orders:stable",
        "FunctionVersion": version(dice),
        "FunctionName": "orders",
        "Version": version(dice),
        "State": dice.pick(&["Active", "Pending", "Failed", "Moon"]),
        "Description": dice.pick(&[
            "lambda-rollout rollout shop/dev/api #k3x9", "lambda-rollout alias shop/dev/api #", "lambda-rollout ", "mine",
        ]),
        "RoutingConfig": { "AdditionalVersionWeights": { version(dice): dice.pick(&[0.1, 0.0, 1.0, -3.0, 1e308]) } },
        "RevisionId": "r",
        "Role": "arn:aws:iam::123456789012:role/r",
        "Configuration": { "Version": version(dice), "State": "Active" },
    })
}

fn json_of(name: &str, dice: &mut Dice) -> Value {
    let status =
        *dice.pick(&["Created", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready", "Moon"]);
    let deployment = json!({
        "deploymentId": dice.pick(&["d-ABCDEFGHI", "d-2", ""]),
        "applicationName": "app",
        "deploymentGroupName": "group",
        "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
        "status": status,
        "createTime": time(dice),
        "startTime": time(dice),
        "completeTime": time(dice),
        "description": "d",
        "errorInformation": { "code": dice.pick(&["ALARM_ACTIVE", "HOOK", "MOON"]), "message": text::odd(dice) },
        "rollbackInfo": { "rollbackDeploymentId": "d-3" },
        "revision": { "revisionType": "AppSpecContent", "appSpecContent": { "content": dice.pick(&["{}", "[", "null"]) } },
    });
    let target = json!({
        "deploymentTargetType": "LambdaFunction",
        "lambdaTarget": {
            "status": status,
            "lastUpdatedAt": time(dice),
            "lifecycleEvents": [{ "lifecycleEventName": "AllowTraffic", "status": status, "startTime": time(dice), "endTime": time(dice) }],
            "lambdaFunctionInfo": {
                "functionName": "orders", "functionAlias": "stable", "currentVersion": version(dice),
                "targetVersion": version(dice), "targetVersionWeight": dice.pick(&[0.1, -1.0, 1e308]),
            },
        },
    });
    match name {
        "GetDeployment" => json!({ "deploymentInfo": deployment }),
        "BatchGetDeployments" => json!({ "deploymentsInfo": [deployment] }),
        "CreateDeployment" => json!({ "deploymentId": dice.pick(&["d-ABCDEFGHI", "", "x"]) }),
        "ListDeployments" => {
            json!({ "deployments": ["d-ABCDEFGHI"], "nextToken": if dice.one_in(3) { json!("t") } else { Value::Null } })
        }
        "GetDeploymentTarget" => json!({ "deploymentTarget": target }),
        "BatchGetDeploymentTargets" => json!({ "deploymentTargets": [target] }),
        "ListDeploymentTargets" => json!({ "targetIds": ["t"] }),
        "GetApplication" => {
            json!({ "application": { "applicationName": "app", "computePlatform": "Lambda" } })
        }
        "GetDeploymentConfig" => json!({ "deploymentConfigInfo": {
            "deploymentConfigName": "c", "computePlatform": "Lambda",
            "trafficRoutingConfig": {
                "type": dice.pick(&["TimeBasedCanary", "TimeBasedLinear", "AllAtOnce"]),
                "timeBasedCanary": { "canaryPercentage": dice.pick(&[10, 0, -1, 300]), "canaryInterval": dice.pick(&[5, 0, i32::MAX]) },
                "timeBasedLinear": { "linearPercentage": dice.pick(&[10, 0, -1, 300]), "linearInterval": dice.pick(&[5, 0, i32::MAX]) },
            },
        } }),
        "GetDeploymentGroup" => json!({ "deploymentGroupInfo": {
            "applicationName": "app", "deploymentGroupName": "group", "serviceRoleArn": "arn:aws:iam::123456789012:role/r",
            "deploymentConfigName": dice.pick(&["CodeDeployDefault.LambdaAllAtOnce", "rollout-linear-0pct-5m", "x"]),
            "computePlatform": "Lambda", "lastAttemptedDeployment": { "deploymentId": "d-ABCDEFGHI", "status": status },
            "alarmConfiguration": { "enabled": true, "alarms": [{ "name": "a" }, {}] },
        } }),
        "DescribeAlarms" => {
            json!({ "MetricAlarms": [{ "AlarmName": "a", "StateValue": dice.pick(&["OK", "ALARM", "MOON"]), "StateUpdatedTimestamp": time(dice) }] })
        }
        "GetMetricData" => {
            json!({ "MetricDataResults": [{ "Id": dice.pick(&["m0", "requests", "errors", ""]), "Timestamps": [time(dice)], "Values": [dice.pick(&[1.0, -1.0, 1e308])], "StatusCode": "Complete" }] })
        }
        "FilterLogEvents" => {
            json!({ "events": [{ "timestamp": dice.pick(&[0_i64, -1, i64::MAX]), "message": text::odd(dice), "logStreamName": "2026/01/01/[7]x" }] })
        }
        "ListTagsForResource" => {
            json!({ "Tags": [{ "Key": "lambda-rollout:owner", "Value": "shop/dev/api" }, { "Key": "lambda-rollout:generation", "Value": "k3x9" }, {}] })
        }
        _ => json!({}),
    }
}

/// Takes members away, or gives them a value of another type.
fn spoil(value: &mut Value, rarity: usize, dice: &mut Dice) {
    if dice.one_in(rarity) {
        *value = dice
            .pick(&[Value::Null, json!(1), json!("x"), json!([]), json!({}), json!(true), json!(-1e308)])
            .clone();
        return;
    }
    match value {
        Value::Object(members) => {
            members.retain(|_, _| !dice.one_in(rarity));
            members.values_mut().for_each(|member| spoil(member, rarity, dice));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, rarity, dice)),
        _ => {}
    }
}
