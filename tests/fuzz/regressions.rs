//! What was found by chance, made small, and mended: each once more by its name.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties, proto, wire};

use super::{promises::configured, text::HUSH};

fn urn(resource: &str) -> String {
    format!("urn:pulumi:dev::shop::lambda-rollout:index:{resource}::api")
}

fn object<const N: usize>(entries: [(&str, PropertyValue); N]) -> PropertyValue {
    PropertyValue::Object(properties(entries))
}

fn hidden() -> PropertyValue {
    PropertyValue::secret(HUSH)
}

/// The failures of a check, as the engine prints them.
async fn failures<const N: usize>(resource: &str, inputs: [(&str, PropertyValue); N]) -> Vec<String> {
    let request = proto::CheckRequest {
        urn: urn(resource),
        news: Some(wire::encode(&properties(inputs))),
        ..proto::CheckRequest::default()
    };
    let answer = configured().await.check(request).await.unwrap().into_inner();
    answer.failures.into_iter().map(|failure| format!("{} {}", failure.property, failure.reason)).collect()
}

/// What a preview of a creation answers.
async fn previewed<const N: usize>(resource: &str, inputs: [(&str, PropertyValue); N]) -> PropertyMap {
    let request = proto::CreateRequest {
        urn: urn(resource),
        properties: Some(wire::encode(&properties(inputs))),
        preview: true,
        ..proto::CreateRequest::default()
    };
    let answer = configured().await.create(request).await.unwrap().into_inner();
    wire::decode(answer.properties.unwrap()).unwrap()
}

#[tokio::test]
async fn no_rule_about_a_secret_tells_it() {
    let interval =
        object([("type", "canary".into()), ("interval", PropertyValue::secret("4242421 minutes"))]);
    let period = object([("period", PropertyValue::secret("4242421 minutes"))]);
    let said = [
        failures("FunctionRollout", [("alarms", vec![PropertyValue::secret("arn:HUSH")].into())]).await,
        failures("FunctionRollout", [("alarms", vec![hidden(), hidden()].into())]).await,
        failures("FunctionRollout", [("strategy", interval)]).await,
        failures("FunctionRollout", [("errorAlarm", period)]).await,
        failures("FunctionRollout", [("aliasName", hidden()), ("latestAliasName", hidden())]).await,
        failures("FunctionRollout", [("tags", object([("k", PropertyValue::secret("HUSH%"))]))]).await,
        failures("DeploymentWaiter", [("deploymentId", hidden())]).await,
        failures("DeploymentWaiter", [("deploymentId", 1.into()), ("deploymentIds", vec![hidden()].into())])
            .await,
    ];
    for failures in said {
        assert!(!failures.is_empty());
        let all = failures.join("\n");
        assert!(!all.contains(HUSH) && !all.contains("4242421") && !all.contains('%'), "{all}");
    }
}

#[tokio::test]
async fn a_length_beyond_all_clocks_is_refused() {
    let linear = |interval: &str| {
        object([("type", "linear".into()), ("percentage", 1.into()), ("interval", interval.into())])
    };
    let said = failures("FunctionRollout", [("strategy", linear("5000000000000000 hours"))]).await;
    assert!(said.iter().any(|failure| failure.contains("CodeDeploy allows 2880")), "{said:?}");
    let inputs = [("deploymentId", "d-1".into()), ("bake", "5000000000000000 hours".into())];
    let said = failures("DeploymentWaiter", inputs).await;
    assert_eq!(said, ["bake is longer than 48 hours, the longest bake there is"]);
}

#[tokio::test]
async fn what_is_null_was_not_given() {
    let inputs = [
        ("functionName", "orders".into()),
        ("version", "1".into()),
        ("strategy", object([("type", "allAtOnce".into())])),
        ("deploymentConfigName", PropertyValue::Null),
        ("bake", PropertyValue::Null),
        ("wait", false.into()),
        ("deploymentGroupName", PropertyValue::Null),
    ];
    assert_eq!(failures("FunctionRollout", inputs).await, [""; 0]);
}

#[tokio::test]
async fn previews_keep_what_is_made_from_secrets_secret() {
    let outputs =
        previewed("FunctionAlias", [("functionName", "orders".into()), ("aliasName", hidden())]).await;
    assert!(outputs["qualifier"].is_secret(), "{outputs:?}");
    let version = PropertyValue::secret("7");
    let outputs = previewed("LambdaDeployment", [("version", version)]).await;
    assert!(outputs["targetVersion"].is_secret(), "{outputs:?}");
    let outputs = previewed("FunctionRollout", [("latestAliasName", hidden())]).await;
    assert!(outputs["latestQualifier"].is_secret(), "{outputs:?}");
}

/// The engine checks first; whoever does not is told the same.
#[tokio::test]
async fn what_a_check_refuses_is_not_acted_on() {
    let request = |inputs: PropertyMap| proto::CreateRequest {
        urn: urn("FunctionRollout"),
        properties: Some(wire::encode(&inputs)),
        ..proto::CreateRequest::default()
    };
    let mut client = configured().await;
    let invalid = properties([("functionName", "orders".into()), ("version", "$LATEST".into())]);
    let status = client.create(request(invalid)).await.unwrap_err();
    assert!(status.message().contains("version cannot be \"$LATEST\""), "{}", status.message());
    let unknown = properties([("functionName", PropertyValue::Unknown), ("version", "1".into())]);
    let status = client.create(request(unknown)).await.unwrap_err();
    assert!(status.message().contains("\"functionName\", which is not known"), "{}", status.message());
}

#[tokio::test]
async fn what_a_preview_does_not_know_can_be_read() {
    let known = properties([("deploymentId", "d-1".into()), ("bake", PropertyValue::Unknown)]);
    let request = proto::ReadRequest {
        id: "waiter-1".to_owned(),
        urn: urn("DeploymentWaiter"),
        properties: Some(wire::encode(&known)),
        inputs: Some(wire::encode(&known)),
        ..proto::ReadRequest::default()
    };
    let answer = configured().await.read(request).await.unwrap().into_inner();
    let outputs = wire::decode(answer.properties.unwrap()).unwrap();
    assert_eq!(outputs, properties([("deploymentId", "d-1".into())]));
}

#[tokio::test]
async fn thousands_of_mistakes_are_told_as_a_few() {
    let alarms: PropertyValue = (0..50_000).collect::<Vec<i32>>().into();
    let said = failures("FunctionRollout", [("alarms", alarms)]).await;
    assert!(said.len() < 110, "{}", said.len());
    assert!(said.iter().any(|failure| failure.contains("There is more")), "{said:?}");
}
