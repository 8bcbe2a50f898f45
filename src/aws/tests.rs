//! Whole calls, from the domain's words to the wire and back, against a stand-in for AWS.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use super::Aws;
use super::stub::{Reply, Request, Stub};
use crate::rollout::clock::Clock;
use crate::rollout::cloud::{AliasChange, Cloud, CloudErrorKind, Group, NewDeployment, NewRole, Tags};

/// Fast, so that pauses and budgets take no time.
const SPEED: f64 = 10_000.0;

fn aws(stub: &Stub) -> Aws {
    Aws::new(stub.config(), Clock::new(SPEED))
}

fn refusal(code: &str, message: &str) -> Reply {
    (400, json!({ "__type": code, "code": code, "message": message }).to_string())
}

fn query_refusal(code: &str) -> Reply {
    (404, format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"))
}

fn new_deployment() -> NewDeployment {
    NewDeployment {
        application: "app".to_owned(),
        group: "group".to_owned(),
        deployment_config: "CodeDeployDefault.LambdaAllAtOnce".to_owned(),
        app_spec: "{}".to_owned(),
        description: "why".to_owned(),
        alarms: Vec::new(),
        ignore_alarm_poll_failure: false,
        rollback_events: Vec::new(),
    }
}

/// Thousands may wait for their turn at once, and a request of the SDK takes twenty thousand bytes.
#[tokio::test]
async fn a_call_that_waits_for_its_turn_takes_little_room() {
    const ROOM: usize = 1_000;
    let stub = Stub::start(|_, _| (200, "{}".to_owned())).await;
    let clients = aws(&stub).clients;
    let lambda = clients.lambda().await;
    let waiting = clients.call("lambda:GetAlias", || lambda.get_alias().send());
    assert!(size_of_val(&*waiting) < ROOM, "{}", size_of_val(&*waiting));
    let alias = clients.alias("orders", "stable");
    assert!(size_of_val(&alias) < ROOM, "{}", size_of_val(&alias));
}

#[tokio::test]
async fn a_deployment_always_says_which_alarms_and_rollbacks_it_has() {
    let stub = Stub::start(|_, _| (200, r#"{"deploymentId":"d-1"}"#.to_owned())).await;
    let aws = aws(&stub);
    assert_eq!(aws.create_deployment(&new_deployment()).await.unwrap(), "d-1");
    let watched = NewDeployment {
        alarms: vec!["a".to_owned()],
        rollback_events: vec!["DEPLOYMENT_FAILURE".to_owned()],
        ..new_deployment()
    };
    aws.create_deployment(&watched).await.unwrap();

    let bodies: Vec<_> = stub.requests().iter().map(Request::json).collect();
    let off = json!({ "enabled": false, "ignorePollAlarmFailure": false, "alarms": [] });
    assert_eq!(bodies[0]["overrideAlarmConfiguration"], off);
    assert_eq!(bodies[0]["autoRollbackConfiguration"], json!({ "enabled": false, "events": [] }));
    assert_eq!(bodies[0]["revision"]["revisionType"], "AppSpecContent");
    assert_eq!(bodies[0]["revision"]["appSpecContent"]["content"], "{}");
    let on = json!({ "enabled": true, "ignorePollAlarmFailure": false, "alarms": [{ "name": "a" }] });
    assert_eq!(bodies[1]["overrideAlarmConfiguration"], on);
    let events = json!({ "enabled": true, "events": ["DEPLOYMENT_FAILURE"] });
    assert_eq!(bodies[1]["autoRollbackConfiguration"], events);
}

#[tokio::test]
async fn a_busy_group_is_told_from_other_refusals() {
    let stub = Stub::start(|_, _| refusal("DeploymentLimitExceededException", "already deploying")).await;
    let error = aws(&stub).create_deployment(&new_deployment()).await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::GroupBusy);
    assert_eq!(error.operation, "codedeploy:CreateDeployment");
}

#[tokio::test]
async fn a_group_shifts_traffic_and_an_update_clears_what_is_no_longer_declared() {
    let stub = Stub::start(|_, _| (200, "{}".to_owned())).await;
    let group = Group {
        application: "app".to_owned(),
        name: "group".to_owned(),
        service_role_arn: "arn:role".to_owned(),
        deployment_config: "config".to_owned(),
        alarms: Vec::new(),
        ignore_alarm_poll_failure: false,
        rollback_events: Vec::new(),
        triggers: Vec::new(),
    };
    let aws = aws(&stub);
    aws.create_group(&group, &Tags::from([("k".to_owned(), "v".to_owned())])).await.unwrap();
    aws.update_group(&group).await.unwrap();

    let bodies: Vec<_> = stub.requests().iter().map(Request::json).collect();
    let style = json!({ "deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL" });
    assert_eq!(bodies[0]["deploymentStyle"], style);
    assert_eq!(bodies[0]["tags"], json!([{ "Key": "k", "Value": "v" }]));
    assert_eq!(bodies[1]["currentDeploymentGroupName"], "group");
    assert_eq!(bodies[1]["alarmConfiguration"]["enabled"], false);
    assert_eq!(bodies[1]["autoRollbackConfiguration"]["enabled"], false);
    assert_eq!(bodies[1]["triggerConfigurations"], json!([]));
}

#[tokio::test]
async fn a_group_whose_configuration_is_missing_is_not_absent() {
    let stub = Stub::start(|call, _| match call {
        0 => refusal("DeploymentConfigDoesNotExistException", "no config"),
        _ => refusal("DeploymentGroupDoesNotExistException", "no group"),
    })
    .await;
    let aws = aws(&stub);
    assert_eq!(aws.group("app", "group").await.unwrap_err().kind, CloudErrorKind::NotFound);
    assert_eq!(aws.group("app", "group").await.unwrap(), None);
}

#[tokio::test]
async fn weights_are_cleared_by_an_empty_map_and_kept_otherwise() {
    let answer = r#"{"FunctionVersion":"2","RevisionId":"r2"}"#;
    let stub = Stub::start(move |_, _| (200, answer.to_owned())).await;
    let aws = aws(&stub);
    let promote = AliasChange {
        version: Some("2".to_owned()),
        clear_weights: true,
        if_revision: Some("r1".to_owned()),
        ..AliasChange::default()
    };
    let state = aws.update_alias("api", "stable", &promote).await.unwrap();
    assert_eq!((state.version.as_str(), state.weight, state.revision_id.as_str()), ("2", None, "r2"));
    let describe = AliasChange { description: Some("d".to_owned()), ..AliasChange::default() };
    aws.update_alias("api", "stable", &describe).await.unwrap();

    let bodies: Vec<_> = stub.requests().iter().map(Request::json).collect();
    let expected = json!({
        "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": {} }, "RevisionId": "r1"
    });
    assert_eq!(bodies[0], expected);
    assert_eq!(bodies[1], json!({ "Description": "d" }));
}

#[tokio::test]
async fn a_change_waits_while_lambda_is_busy_with_another_one() {
    let stub = Stub::start(|call, _| match call {
        0 | 1 => {
            let message = "An update is in progress for resource: api";
            (409, json!({ "__type": "ResourceConflictException", "Message": message }).to_string())
        }
        _ => (200, r#"{"FunctionVersion":"1"}"#.to_owned()),
    })
    .await;
    let state = aws(&stub).create_alias("api", "stable", "1", "").await.unwrap();
    assert_eq!(state.version, "1");
    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn patience_with_a_busy_function_ends() {
    let message = "An update is in progress for resource: api";
    let body = json!({ "__type": "ResourceConflictException", "Message": message }).to_string();
    let stub = Stub::start(move |_, _| (409, body.clone())).await;
    let error = aws(&stub).delete_alias("api", "stable").await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (CloudErrorKind::Refused, message));
    assert_eq!(stub.requests().len(), 30);
}

#[tokio::test]
async fn what_does_not_exist_is_none_and_its_deletion_succeeds() {
    let body = r#"{"__type":"ResourceNotFoundException","Message":"no"}"#;
    let stub = Stub::start(move |_, _| (404, body.to_owned())).await;
    let aws = aws(&stub);
    assert_eq!(aws.version("api", "1").await.unwrap(), None);
    assert_eq!(aws.alias("api", "stable").await.unwrap(), None);
    assert_eq!(aws.function_url("api", "stable").await.unwrap(), None);
    assert!(aws.permissions("api", "stable").await.unwrap().is_empty());
    aws.delete_alias("api", "stable").await.unwrap();
    aws.remove_permission("api", "stable", "s").await.unwrap();
}

#[tokio::test]
async fn a_role_goes_even_if_its_policy_has_gone_before() {
    let stub = Stub::start(|call, _| match call {
        0 => query_refusal("NoSuchEntity"),
        _ => (200, "<DeleteRoleResponse/>".to_owned()),
    })
    .await;
    aws(&stub).delete_role("role", "policy").await.unwrap();
    assert!(stub.requests()[1].body.contains("Action=DeleteRole&"));
}

#[tokio::test]
async fn a_role_that_exists_already_is_said_to() {
    let stub = Stub::start(|_, _| query_refusal("EntityAlreadyExists")).await;
    let role = NewRole {
        name: "role".to_owned(),
        description: String::new(),
        trust_policy: "{}".to_owned(),
        permissions_boundary: None,
        tags: Tags::new(),
    };
    let error = aws(&stub).create_role(&role).await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::AlreadyExists);
}

#[tokio::test]
async fn the_caller_is_asked_for_once() {
    let answer = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                  <Arn>arn:aws-cn:iam::123456789012:user/me</Arn><Account>123456789012</Account>\
                  </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let stub = Stub::start(move |_, request| match request.operation() {
        "" => (200, answer.to_owned()),
        _ => (200, r#"{"Tags":[{"Key":"k","Value":"v"}]}"#.to_owned()),
    })
    .await;
    let aws = aws(&stub);
    let caller = aws.identity().await.unwrap();
    assert_eq!((caller.account.as_str(), caller.region.as_str()), ("123456789012", "eu-west-1"));
    let tags = aws.clone().code_deploy_tags("application:app").await.unwrap();
    assert_eq!(tags, Tags::from([("k".to_owned(), "v".to_owned())]));
    let requests = stub.requests();
    assert_eq!(requests.len(), 2);
    let arn = "arn:aws-cn:codedeploy:eu-west-1:123456789012:application:app";
    assert_eq!(requests[1].json(), json!({ "ResourceArn": arn }));
}

#[tokio::test]
async fn an_invocation_is_marked_and_answers_with_its_log() {
    let stub = Stub::start(|_, _| (200, r#"{"ok":true}"#.to_owned())).await;
    let timeout = Duration::from_secs(30);
    let answer = aws(&stub).invoke("api", "2", r#"{"n":1}"#, "smoke", timeout).await.unwrap();
    assert_eq!((answer.function_error, answer.payload.as_slice()), (None, br#"{"ok":true}"#.as_slice()));

    let request = stub.requests().remove(0);
    assert!(request.line.contains("/functions/api/invocations?Qualifier=2"), "{}", request.line);
    assert_eq!(request.body, r#"{"n":1}"#);
    assert_eq!(request.header("x-amz-log-type"), "Tail");
    let context = BASE64.decode(request.header("x-amz-client-context")).unwrap();
    assert_eq!(context, br#"{"custom":{"lambda-rollout":"smoke"}}"#);
}

#[tokio::test]
async fn an_invocation_is_never_repeated() {
    let stub =
        Stub::start(|_, _| (500, r#"{"__type":"ServiceException","Message":"oops"}"#.to_owned())).await;
    let mut config = stub.config();
    config.max_retries = Some(3);
    let aws = Aws::new(config, Clock::new(SPEED));
    let error = aws.invoke("api", "2", "{}", "smoke", Duration::from_secs(30)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CloudErrorKind::Unreachable, "ServiceException"));
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn an_invocation_without_an_answer_is_given_up_in_time() {
    let stub = Stub::start(|_, _| (0, String::new())).await;
    let error = aws(&stub).invoke("api", "2", "secret", "smoke", Duration::from_secs(1)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CloudErrorKind::Unreachable, "NoAnswer"));
    assert!(!error.message.contains("secret"), "{error}");
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn the_watcher_sees_throttling_at_once_and_asks_again() {
    let info = json!({ "deploymentId": "d-1", "status": "Succeeded", "createTime": 1.5 });
    let found = json!({ "deploymentsInfo": [info] }).to_string();
    let stub = Stub::start(move |call, _| match call {
        0 => refusal("ThrottlingException", "Rate exceeded"),
        _ => (200, found.clone()),
    })
    .await;
    let mut config = stub.config();
    config.max_retries = Some(3);
    let aws = Aws::new(config, Clock::new(SPEED));
    let deployment = aws.watch("d-1", Duration::from_secs(20)).await.unwrap().unwrap();
    assert_eq!(deployment.status_text, "Succeeded");
    assert_eq!(deployment.created, Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_500)));
    let requests = stub.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.operation(), "BatchGetDeployments");
        let attempt = request.header("amz-sdk-request");
        assert!(attempt.contains("attempt=1"), "a retry of the SDK: {attempt}");
    }
}

#[tokio::test]
async fn a_target_is_asked_for_by_the_id_that_codedeploy_gives_it() {
    let function = json!({
        "functionName": "api", "functionAlias": "stable", "currentVersion": "1",
        "targetVersion": "2", "targetVersionWeight": 0.1
    });
    let found =
        json!({ "deploymentTarget": { "lambdaTarget": { "lambdaFunctionInfo": function } } }).to_string();
    let stub = Stub::start(move |_, request| match request.operation() {
        "ListDeploymentTargets" => (200, r#"{"targetIds":["api:stable"]}"#.to_owned()),
        _ => (200, found.clone()),
    })
    .await;
    let target = aws(&stub).target("d-1").await.unwrap().unwrap();
    assert_eq!((target.target_version.as_str(), target.weight), ("2", 0.1));
    assert_eq!(stub.requests()[1].json()["targetId"], "api:stable");
}

#[tokio::test]
async fn a_deployment_that_has_not_started_has_no_target() {
    let stub = Stub::start(|_, _| refusal("DeploymentNotStartedException", "wait")).await;
    assert_eq!(aws(&stub).target("d-1").await.unwrap(), None);
}

#[tokio::test]
async fn live_deployments_come_from_all_pages_newest_first() {
    let stub = Stub::start(|_, request| match request.operation() {
        "BatchGetDeployments" => {
            let info = |id: &str, time: f64| json!({ "deploymentId": id, "createTime": time });
            (200, json!({ "deploymentsInfo": [info("d-old", 1.0), info("d-new", 2.0)] }).to_string())
        }
        _ if request.json()["nextToken"] == "more" => (200, r#"{"deployments":["d-new"]}"#.to_owned()),
        _ => (200, r#"{"deployments":["d-old"],"nextToken":"more"}"#.to_owned()),
    })
    .await;
    assert_eq!(aws(&stub).live_deployments(Some(("app", "group"))).await.unwrap(), ["d-new", "d-old"]);
    let statuses = json!(["Created", "Queued", "InProgress", "Baking", "Ready"]);
    assert_eq!(stub.requests()[0].json()["includeOnlyStatuses"], statuses);
}

#[tokio::test]
async fn error_lines_come_from_the_functions_own_log_group() {
    let stub = Stub::start(|_, request| match request.operation() {
        "FilterLogEvents" => {
            let stream = format!("{}ab", request.json()["logStreamNamePrefix"].as_str().unwrap());
            let event = json!({ "logStreamName": stream, "timestamp": 1, "message": "ERROR no table\n" });
            (200, json!({ "events": [event] }).to_string())
        }
        _ => (200, r#"{"LoggingConfig":{"LogGroup":"/apps/all"}}"#.to_owned()),
    })
    .await;
    let lines = aws(&stub).error_lines("api", "2", SystemTime::now(), 1).await.unwrap();
    assert_eq!(lines, ["ERROR no table"]);
    let search = stub.requests()[1].json();
    assert_eq!(search["logGroupName"], "/apps/all");
    assert!(search["logStreamNamePrefix"].as_str().unwrap().ends_with("/api[2]"), "{search}");
}

#[tokio::test]
async fn without_a_log_group_there_are_no_lines() {
    let stub = Stub::start(|_, _| refusal("ResourceNotFoundException", "no group")).await;
    assert!(aws(&stub).error_lines("api", "2", SystemTime::now(), 5).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_does_not_listen_is_named() {
    let stub = Stub::start(|_, _| (200, String::new())).await;
    let mut config = stub.config();
    config.endpoints.insert("codedeploy".to_owned(), "http://127.0.0.1:1".to_owned());
    let error = Aws::new(config, Clock::new(SPEED)).application("app").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CloudErrorKind::Unreachable, "ConnectionFailed"));
    assert!(error.message.starts_with("no connection to http://127.0.0.1:1 ("), "{error}");
}
