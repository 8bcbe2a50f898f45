//! The start of a conversation, and the provider's own configuration.

use lambda_rollout::pulumi::{PropertyValue, proto};
use tonic::{Code, Request, client::Grpc, codegen::http::uri::PathAndQuery};

use crate::harness::{Echo, check, configuration, decoded, detail};

#[tokio::test]
async fn the_handshake_tells_what_it_can_do() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let request = proto::ProviderHandshakeRequest { accepts_byte_string: true, ..Default::default() };
    let can = client.handshake(request).await.unwrap().into_inner();
    assert!(can.accept_secrets && can.accept_resources && can.accept_outputs);
    assert!(can.supports_autonaming_configuration);
    assert!(!can.accepts_byte_string && !can.accepts_outputs_in_check && !can.accepts_outputs_in_invoke);

    let said = client.configure(configuration([("region", "here".into())])).await.unwrap().into_inner();
    let expected = proto::ConfigureResponse {
        accept_secrets: true,
        supports_preview: true,
        accept_resources: true,
        accept_outputs: true,
        supports_autonaming_configuration: true,
    };
    assert_eq!(said, expected, "an engine without handshake hears the same");
}

#[tokio::test]
async fn tells_its_schema() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let schema = client.get_schema(proto::GetSchemaRequest::default()).await.unwrap().into_inner().schema;
    assert!(schema.contains("echo:index:Thing"));
    let later = proto::GetSchemaRequest { version: 1, ..Default::default() };
    assert_eq!(client.get_schema(later).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn has_no_mappings() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let mapping = client.get_mapping(proto::GetMappingRequest::default()).await.unwrap().into_inner();
    assert_eq!(mapping, proto::GetMappingResponse::default());
    let mappings = client.get_mappings(proto::GetMappingsRequest::default()).await.unwrap().into_inner();
    assert_eq!(mappings.providers, [""; 0]);
}

#[tokio::test]
async fn calls_that_are_not_served_are_said_to_be_unimplemented() {
    let echo = Echo::alone().await;
    let client = echo.client().await;
    drop(client);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", echo.address)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    for method in ["Parameterize", "Construct", "Call", "List"] {
        let mut grpc = Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = PathAndQuery::try_from(format!("/pulumirpc.ResourceProvider/{method}")).unwrap();
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        let status = grpc.unary(Request::new(()), path, codec).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{method}");
    }
}

#[tokio::test]
async fn checking_configuration_echoes_it() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let inputs = [
        ("region", "here".into()),
        ("count", "7".into()),
        ("flag", true.into()),
        ("token", "none".into()),
        ("version", "1.2.3".into()),
    ];
    let request = check(inputs.clone());
    let declared = request.news.clone();
    let checked = client.check_config(request).await.unwrap().into_inner();
    assert_eq!(checked.failures, []);
    assert_eq!(checked.inputs, declared);
}

/// Here the engine hands secrets over in clear, and prints the value of every property that a failure names.
#[tokio::test]
async fn a_bad_configuration_never_shows_a_secret() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let request = check([("token", "topsecret".into()), ("count", "many".into()), ("regoin", "x".into())]);
    let checked = client.check_config(request).await.unwrap().into_inner();
    let said: Vec<_> = checked.failures.iter().map(|failure| failure.reason.as_str()).collect();
    assert_eq!(
        said,
        [
            "count must be a whole number, not \"many\"",
            "token must be \"none\", not this secret, which is a string",
            "regoin is not known here; did you mean \"region\"?",
        ]
    );
    assert!(checked.failures.iter().all(|failure| failure.property.is_empty()));
    assert_eq!(decoded(checked.inputs)["token"], "topsecret".into(), "unmarked, as it came");
}

#[tokio::test]
async fn unknown_configuration_passes_the_check() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let unknown = || PropertyValue::Unknown;
    let request =
        check([("region", unknown()), ("count", unknown()), ("flag", unknown()), ("token", unknown())]);
    let declared = request.news.clone();
    let checked = client.check_config(request).await.unwrap().into_inner();
    assert_eq!((checked.failures, checked.inputs), (vec![], declared));
}

#[tokio::test]
async fn a_changed_configuration_replaces_nothing_by_default() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let inputs = |region: PropertyValue| check([("region", region)]).news;
    let request = proto::DiffRequest {
        old_inputs: inputs("a".into()),
        olds: inputs("a".into()),
        news: inputs(PropertyValue::Unknown),
        ..Default::default()
    };
    let diff = client.diff_config(request).await.unwrap().into_inner();
    assert_eq!(diff.diffs, ["region"]);
    assert_eq!(diff.replaces, [""; 0]);
}

#[tokio::test]
async fn missing_configuration_is_named() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let status = client.configure(configuration([])).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let missing: proto::ConfigureErrorMissingKeys = detail(&status, "ConfigureErrorMissingKeys").unwrap();
    assert_eq!(missing.missing_keys[0].name, "echo:region");
}

#[tokio::test]
async fn a_refused_configuration_is_not_in_force() {
    let echo = Echo::alone().await;
    let mut client = echo.client().await;
    let status = client.configure(configuration([("region", "nowhere".into())])).await.unwrap_err();
    assert_eq!(status.message(), "there is no echo nowhere");
    let status = client.configure(configuration([("region", "crash".into())])).await.unwrap_err();
    assert!(status.message().contains("please report"), "{}", status.message());
    client.configure(configuration([("region", "here".into())])).await.unwrap();
}

#[tokio::test]
async fn a_process_serves_one_configuration() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    // The same again, as a secret or with a release: nothing new.
    let again = configuration([("region", PropertyValue::secret("here")), ("version", "1.2.3".into())]);
    client.configure(again).await.unwrap();
    client.cancel(()).await.unwrap();
    client.configure(configuration([("region", "here".into())])).await.unwrap();

    let status = client.configure(configuration([("region", "there".into())])).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    for word in ["another configuration", "PULUMI_DEBUG_PROVIDERS", "Start the process again"] {
        assert!(status.message().contains(word), "{}", status.message());
    }
}
