//! The calls about a resource.

use lambda_rollout::pulumi::{PropertyMap, PropertyValue, properties, proto, wire};
use tonic::Code;

use crate::harness::{Echo, StandIn, URN, check, create, create_that, decoded, partial, soon};

fn update<const N: usize>(inputs: [(&str, PropertyValue); N]) -> proto::UpdateRequest {
    let news = Some(wire::encode(&properties(inputs)));
    proto::UpdateRequest { id: "thing-9".to_owned(), urn: URN.to_owned(), news, ..Default::default() }
}

fn read(id: &str) -> proto::ReadRequest {
    proto::ReadRequest { id: id.to_owned(), urn: URN.to_owned(), ..Default::default() }
}

/// Inputs of every type.
fn inputs() -> [(&'static str, PropertyValue); 6] {
    [
        ("text", PropertyValue::secret("s")),
        ("flag", true.into()),
        ("count", 7.into()),
        ("names", vec!["a", "b"].into()),
        ("tags", PropertyValue::Object(properties([("k", PropertyValue::secret("v"))]))),
        ("nested", PropertyValue::Object(properties([("depth", 1.into())]))),
    ]
}

#[tokio::test]
async fn check_echoes_and_never_leaves_inputs_out() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let checked = client.check(check(inputs())).await.unwrap().into_inner();
    assert_eq!(checked.failures, []);
    assert_eq!(decoded(checked.inputs), properties(inputs()));

    let nothing = proto::CheckRequest { urn: URN.to_owned(), ..Default::default() };
    let checked = client.check(nothing).await.unwrap().into_inner();
    assert_eq!(decoded(checked.inputs), PropertyMap::new());
    assert_eq!(checked.failures[0].reason, "text is required, but was not given");
}

#[tokio::test]
async fn check_reports_everything_at_once() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let request = check([
        ("text", PropertyValue::secret(1)),
        ("flag", "yes".into()),
        ("nested", PropertyValue::Object(properties([("depht", 1.into())]))),
        ("nmaes", vec!["a"].into()),
        ("even", PropertyValue::secret("odd")),
    ]);
    let checked = client.check(request).await.unwrap().into_inner();
    let said: Vec<_> = checked.failures.iter().map(|f| (f.property.as_str(), f.reason.as_str())).collect();
    assert_eq!(
        said,
        [
            ("", "text must be a string, not this secret, which is a number"),
            ("flag", "must be true or false, not \"yes\""),
            ("", "nested.depht is not known here; did you mean \"depth\"?"),
            ("", "even is not valid (its value is a secret)"),
            ("nmaes", "is not known here; did you mean \"names\"?"),
        ]
    );
    assert!(checked.inputs.is_some());
}

/// Puts a value into an input.
type Place = fn(PropertyValue) -> (&'static str, PropertyValue);

/// A preview may not know any input, and says so in the way of whichever type it thinks it is.
#[tokio::test]
async fn each_sentinel_passes_at_each_place() {
    let sentinels = [
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    ];
    let places: [Place; 10] = [
        |value| ("text", value),
        |value| ("flag", value),
        |value| ("count", value),
        |value| ("names", value),
        |value| ("names", vec!["a".into(), value].into()),
        |value| ("tags", value),
        |value| ("tags", PropertyValue::Object(properties([("k", value)]))),
        |value| ("nested", PropertyValue::Object(properties([("depth", value)]))),
        |value| ("behaviour", PropertyValue::secret(value)),
        |value| ("even", value),
    ];
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    for sentinel in sentinels {
        for place in places {
            let inputs = PropertyMap::from_iter(
                [("text", "t".into()), place(sentinel.into())].map(|(key, value)| (key.to_owned(), value)),
            );
            let news = Some(wire::encode(&inputs));
            let request =
                proto::CheckRequest { urn: URN.to_owned(), news: news.clone(), ..Default::default() };
            let checked = client.check(request).await.unwrap().into_inner();
            assert_eq!(checked.failures, [], "{inputs:?}");
            let request = proto::CreateRequest {
                urn: URN.to_owned(),
                properties: news,
                preview: true,
                ..Default::default()
            };
            client.create(request).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_type_that_is_not_served_is_an_error() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let request = proto::CheckRequest { r#type: "echo:index:Other".to_owned(), ..check([]) };
    let status = client.check(request).await.unwrap_err();
    assert_eq!(status.message(), "there is no resource echo:index:Other");
}

#[tokio::test]
async fn diff_compares_inputs() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let wire = |count: i32| Some(wire::encode(&properties([("text", "t".into()), ("count", count.into())])));
    let mut request = proto::DiffRequest { urn: URN.to_owned(), news: wire(2), ..Default::default() };
    request.old_inputs = wire(1);
    request.olds = wire(2);
    let diff = client.diff(request.clone()).await.unwrap().into_inner();
    assert_eq!(diff.changes(), proto::diff_response::DiffChanges::DiffSome);
    assert_eq!(diff.detailed_diff.keys().collect::<Vec<_>>(), ["count"]);

    request.old_inputs = wire(2);
    let diff = client.diff(request).await.unwrap().into_inner();
    assert_eq!(diff.changes(), proto::diff_response::DiffChanges::DiffNone);
}

#[tokio::test]
async fn create_answers_with_id_and_outputs() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let request = proto::CreateRequest { timeout: 2.5, ..create(inputs()) };
    let created = client.create(request).await.unwrap().into_inner();
    assert_eq!(created.id, "thing-1");
    assert!(created.refresh_before_update);
    let outputs = decoded(created.properties);
    assert_eq!(outputs["text"], PropertyValue::secret("s"), "secrets stay secret");
    assert_eq!(outputs["timeout"], 2.5.into());
    assert_eq!(outputs["preview"], false.into());
    assert_eq!(outputs["name"], "thing".into(), "from the URN");

    let request = proto::CreateRequest { name: "named".to_owned(), ..create(inputs()) };
    let created = client.create(request).await.unwrap().into_inner();
    assert_eq!(decoded(created.properties)["name"], "named".into());
}

#[tokio::test]
async fn a_preview_may_leave_open_what_a_creation_may_not() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    for behaviour in ["vague", "nameless", "work"] {
        let request = proto::CreateRequest { preview: true, ..create_that(behaviour) };
        let created = client.create(request).await.unwrap().into_inner();
        assert_eq!(decoded(created.properties)["preview"], true.into());
    }

    let status = client.create(create_that("vague")).await.unwrap_err();
    let kept = partial(&status);
    assert_eq!(kept.id, "thing-1");
    assert!(kept.reasons[0].contains("vague"), "{:?}", kept.reasons);
    let outputs = decoded(kept.properties);
    assert!(outputs.contains_key("id2") && !outputs.contains_key("vague"));

    let vague = update([("text", "t".into()), ("behaviour", "vague".into())]);
    assert_eq!(partial(&client.update(vague).await.unwrap_err()).id, "thing-9");
    assert_eq!(client.read(read("vague")).await.unwrap_err().code(), Code::Internal);
    let invoke = proto::InvokeRequest { tok: "echo:index:vague".to_owned(), ..Default::default() };
    assert_eq!(client.invoke(invoke).await.unwrap_err().code(), Code::Internal);

    let status = client.create(create_that("nameless")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
}

#[tokio::test]
async fn a_failure_keeps_the_state() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let status = client.create(create_that("partial")).await.unwrap_err();
    let kept = partial(&status);
    assert_eq!((kept.id.as_str(), kept.reasons.len()), ("thing-1", 2));
    assert_eq!(decoded(kept.properties)["text"], "t".into());

    let status =
        client.update(update([("text", "t".into()), ("behaviour", "partial".into())])).await.unwrap_err();
    assert_eq!(partial(&status).id, "thing-9");

    // A preview has no state to keep.
    let request = proto::CreateRequest { preview: true, ..create_that("partial") };
    let status = client.create(request).await.unwrap_err();
    assert!(status.details().is_empty());
    assert!(status.message().contains("It failed on demand."));
}

#[tokio::test]
async fn a_crash_is_one_failed_call() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let mut other = client.clone();
    let work = tokio::spawn(async move { other.create(create_that("work")).await });
    engine.hears_that("begun").await;

    let status = client.create(create_that("crash")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    for word in ["crashed", "on demand", "report"] {
        assert!(status.message().contains(word), "{}", status.message());
    }
    let invoke = proto::InvokeRequest { tok: "echo:index:crash".to_owned(), ..Default::default() };
    assert_eq!(client.invoke(invoke).await.unwrap_err().code(), Code::Internal);

    let crashing = "echo:index:Crash".to_owned();
    let check = proto::CheckRequest { r#type: crashing.clone(), ..check([]) };
    assert_eq!(client.check(check).await.unwrap_err().code(), Code::Internal);
    let diff = proto::DiffRequest { r#type: crashing, urn: URN.to_owned(), ..Default::default() };
    assert_eq!(client.diff(diff).await.unwrap_err().code(), Code::Internal);

    // When something was made already, it is kept.
    let kept = partial(&client.create(create_that("crashLate")).await.unwrap_err());
    assert_eq!(kept.id, "thing-1");
    assert!(kept.refresh_before_update && kept.reasons[0].contains("crashed"));
    assert_eq!(decoded(kept.properties)["text"], "t".into());

    // And the call beside it goes on to its own end.
    client.cancel(()).await.unwrap();
    assert_eq!(partial(&soon(work).await.unwrap().unwrap_err()).reasons[0], "It was cancelled.");
}

#[tokio::test]
async fn read_tells_gone_from_failed() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let gone = client.read(read("gone")).await.unwrap().into_inner();
    assert_eq!(gone, proto::ReadResponse::default());

    let status = client.read(read("denied")).await.unwrap_err();
    assert!(status.details().is_empty());

    let sick = partial(&client.read(read("sick")).await.unwrap_err());
    assert_eq!(sick.id, "sick", "without an id the engine would drop it");
    assert!(sick.properties.is_some());

    let imported = client.read(read("thing-5")).await.unwrap().into_inner();
    assert_eq!(imported.id, "thing-5");
    assert_eq!(decoded(imported.inputs)["text"], "found".into());
    assert!(imported.properties.is_some(), "without properties the engine would drop it");
}

#[tokio::test]
async fn delete_says_everything_in_its_message() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let delete =
        |id: &str| proto::DeleteRequest { id: id.to_owned(), urn: URN.to_owned(), ..Default::default() };
    client.delete(delete("thing-1")).await.unwrap();
    let status = client.delete(delete("stuck")).await.unwrap_err();
    assert_eq!(status.message(), "It is stuck.\nAsk for something else.");
    assert!(status.details().is_empty(), "the engine does not honour them here");
}

#[tokio::test]
async fn invoke_answers_or_refuses() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let say = |key: &str| proto::InvokeRequest {
        tok: "echo:index:say".to_owned(),
        args: Some(wire::encode(&properties([(key, "hi".into())]))),
        preview: true,
    };
    let answer = client.invoke(say("what")).await.unwrap().into_inner();
    let result = decoded(answer.r#return);
    assert_eq!((&result["what"], &result["preview"]), (&"hi".into(), &true.into()));

    let answer = client.invoke(say("waht")).await.unwrap().into_inner();
    assert_eq!(answer.failures[0].property, "waht");

    let unknown = proto::InvokeRequest { tok: "echo:index:shout".to_owned(), ..Default::default() };
    assert!(client.invoke(unknown).await.unwrap_err().message().contains("echo:index:shout"));
}

#[tokio::test]
async fn the_live_row_is_cleared_before_the_answer() {
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let mut other = client.clone();
    let work = tokio::spawn(async move { other.create(create_that("work")).await });
    let first = engine.hears().await;
    assert_eq!((first.message.as_str(), first.ephemeral, first.urn.as_str()), ("working", true, URN));
    assert_eq!(first.severity(), proto::LogSeverity::Info);
    let second = engine.hears().await;
    assert_eq!((second.message.as_str(), second.ephemeral), ("begun", false));
    client.cancel(()).await.unwrap();
    soon(work).await.unwrap().unwrap_err();
    let third = engine.hears().await;
    assert_eq!((third.message.as_str(), third.severity()), ("ended", proto::LogSeverity::Warning));
    let last = engine.hears().await;
    assert_eq!((last.message.as_str(), last.ephemeral), ("", true));
}

#[tokio::test]
async fn large_inputs_and_states_go_through() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let large = "x".repeat(64 << 20);
    let checked = client.check(check([("text", large.clone().into())])).await.unwrap().into_inner();
    assert_eq!(decoded(checked.inputs)["text"].as_str().unwrap().len(), large.len());

    let text = "x".repeat(1 << 20);
    let request = create([("text", text.into()), ("behaviour", "partial".into())]);
    let kept = partial(&client.create(request).await.unwrap_err());
    assert_eq!(decoded(kept.properties)["text"].as_str().unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn hundreds_of_calls_work_side_by_side() {
    const CALLS: usize = 300;
    let engine = StandIn::start().await;
    let echo = Echo::started_by(&engine).await;
    let mut client = echo.configured().await;
    let work: Vec<_> = std::iter::repeat_with(|| client.clone())
        .map(|mut client| tokio::spawn(async move { client.create(create_that("work")).await }))
        .take(CALLS)
        .collect();
    for _ in 0..CALLS {
        engine.hears_that("begun").await;
    }
    client.cancel(()).await.unwrap();
    for call in work {
        partial(&soon(call).await.unwrap().unwrap_err());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let mark = PropertyValue::Object(properties([("4dabf18193072939515e22adb298388d", "what?".into())]));
    let status = client.check(check([("text", mark)])).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("\"text\""), "{}", status.message());
}

#[tokio::test]
async fn deep_nesting_is_refused_and_nothing_breaks() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let nested = |levels| (0..levels).fold(PropertyValue::from(1), |inner, _| vec![inner].into());
    client.check(check([("text", "t".into()), ("any", nested(20))])).await.unwrap();
    client.check(check([("text", "t".into()), ("any", nested(500))])).await.unwrap_err();
    client.check(check([("text", "t".into())])).await.unwrap();
}

/// A message travels in a header, and no client takes one of any size.
#[tokio::test]
async fn a_failure_that_quotes_something_huge_still_arrives() {
    let echo = Echo::alone().await;
    let mut client = echo.configured().await;
    let token = format!("echo:index:{}", "→".repeat(1_000_000));
    let request = proto::InvokeRequest { tok: token, ..Default::default() };
    let status = client.invoke(request).await.unwrap_err();
    assert!(status.message().starts_with("there is no function echo:index:→→"), "{status}");
    assert!(status.message().ends_with("→… (cut)"), "its end does not say that something is missing");
}
