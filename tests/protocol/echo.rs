//! A provider that keeps nothing and echoes what it is given: the protocol layer, tested without a cloud.
//!
//! What a `Thing` does is told by its `behaviour`.

use std::{process::ExitCode, time::Duration};

use lambda_rollout::pulumi::{
    CheckRequest, Checked, ConfigureError, CreateRequest, Created, DeleteRequest, Diff, DiffRequest,
    EngineLog, Failure, Input, InvokeRequest, Invoked, MissingKey, Operation, Partial, PropertyMap,
    PropertyValue, Provider, ReadRequest, ReadState, Reader, UpdateRequest, Updated, diff, serve,
};

// As the provider that is shipped.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(Echo, std::env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Echo;

const SCHEMA: &str = r#"{"name": "echo", "version": "1.2.3", "resources": {"echo:index:Thing": {}}}"#;

/// What a thing does when it is created or updated, instead of only echoing.
#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    /// Crashes before anything was made.
    Crash,
    /// Crashes when something was made.
    CrashLate,
    /// Fails when something was made.
    Partial,
    /// Answers without an id.
    Nameless,
    /// Answers with a value that is not known.
    Vague,
    /// Says "begun", works until it is cancelled, and says "ended".
    Work,
    /// The same, but it takes its time to end.
    WorkSlowly,
    /// Says "begun", and never ends.
    Hang,
}

const BEHAVIOURS: [(&str, Behaviour); 8] = [
    ("crash", Behaviour::Crash),
    ("crashLate", Behaviour::CrashLate),
    ("partial", Behaviour::Partial),
    ("nameless", Behaviour::Nameless),
    ("vague", Behaviour::Vague),
    ("work", Behaviour::Work),
    ("workSlowly", Behaviour::WorkSlowly),
    ("hang", Behaviour::Hang),
];

/// Reads all inputs of a thing; the failures are the reader's.
fn read_thing(reader: &Reader<'_>) -> Input<Behaviour> {
    reader.required("text", reader.string("text"));
    reader.boolean("flag");
    reader.integer_in("count", 0..=10);
    reader.strings("names");
    reader.string_map("tags");
    reader.object("nested", |nested| nested.integer("depth"));
    reader.parse("even", |text| match text.len() % 2 {
        0 => Ok(()),
        _ => Err("it has an odd number of characters".to_owned()),
    });
    reader.any("any");
    reader.choice("behaviour", &BEHAVIOURS)
}

async fn act(
    operation: &Operation,
    id: &str,
    inputs: &PropertyMap,
    behaviour: Input<Behaviour>,
) -> Result<PropertyMap, Failure> {
    let mut outputs = inputs.clone();
    outputs.insert("id2".to_owned(), id.into());
    outputs.insert("name".to_owned(), operation.name.as_str().into());
    outputs.insert("preview".to_owned(), operation.preview.into());
    let timeout = operation.timeout.map(|timeout| timeout.as_secs_f64());
    outputs.insert("timeout".to_owned(), timeout.into());
    match behaviour.known() {
        Some(Behaviour::Crash) => panic!("on demand"),
        Some(Behaviour::CrashLate) => {
            operation.keep(id, outputs);
            panic!("on demand");
        }
        Some(Behaviour::Partial) => return Err(partial(id, outputs, "It failed on demand.")),
        Some(Behaviour::Vague) => drop(outputs.insert("vague".to_owned(), PropertyValue::Unknown)),
        Some(work @ (Behaviour::Work | Behaviour::WorkSlowly)) if !operation.preview => {
            operation.log.status("working");
            operation.log.info("begun");
            operation.cancel.cancelled().await;
            if work == Behaviour::WorkSlowly {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            operation.log.warn("ended");
            return Err(partial(id, outputs, "It was cancelled."));
        }
        Some(Behaviour::Hang) => {
            operation.log.info("begun");
            std::future::pending::<()>().await;
        }
        Some(Behaviour::Nameless | Behaviour::Work | Behaviour::WorkSlowly) | None => {}
    }
    Ok(outputs)
}

/// Says "ended" when it is dropped.
struct Farewell(EngineLog);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.info("ended");
    }
}

fn partial(id: &str, outputs: PropertyMap, reason: &str) -> Failure {
    Partial {
        id: id.to_owned(),
        outputs,
        reasons: vec![reason.to_owned(), "Ask for something else.".to_owned()],
        ..Partial::default()
    }
    .into()
}

impl Provider for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn secret_config(&self) -> &[&str] {
        &["token"]
    }

    async fn check_config(&self, request: CheckRequest) -> Checked {
        let reader = Reader::lenient(&request.inputs);
        reader.string("region");
        reader.boolean("flag");
        reader.integer("count");
        reader.choice("token", &[("none", ())]);
        let failures = reader.finish();
        Checked { inputs: request.inputs, failures }
    }

    async fn configure(&self, config: PropertyMap) -> Result<(), ConfigureError> {
        let reader = Reader::lenient(&config);
        match reader.string("region").known().as_deref() {
            None => Err(ConfigureError::MissingKeys(vec![MissingKey {
                name: "echo:region".to_owned(),
                description: "where to echo".to_owned(),
            }])),
            Some("nowhere") => Err(ConfigureError::Other("there is no echo nowhere".to_owned())),
            Some("crash") => panic!("on demand"),
            Some(_) => Ok(()),
        }
    }

    async fn check(&self, operation: Operation, request: CheckRequest) -> Result<Checked, Failure> {
        match operation.type_token.as_str() {
            "echo:index:Thing" => {}
            "echo:index:Crash" => panic!("on demand"),
            "echo:index:Hang" => {
                operation.log.info("begun");
                let _farewell = Farewell(operation.log);
                return std::future::pending().await;
            }
            _ => return Err(Failure::plain(format!("there is no resource {}", operation.type_token))),
        }
        let reader = Reader::new(&request.inputs);
        read_thing(&reader);
        let failures = reader.finish();
        Ok(Checked { inputs: request.inputs, failures })
    }

    async fn diff(&self, operation: Operation, request: DiffRequest) -> Result<Diff, Failure> {
        assert!(operation.type_token != "echo:index:Crash", "on demand");
        Ok(diff::compare(&request.old_inputs, &request.inputs, &["text"]))
    }

    async fn create(&self, operation: Operation, request: CreateRequest) -> Result<Created, Failure> {
        let behaviour = read_thing(&Reader::new(&request.inputs));
        let outputs = act(&operation, "thing-1", &request.inputs, behaviour).await?;
        let nameless = behaviour == Input::Known(Behaviour::Nameless);
        let id = if nameless { String::new() } else { "thing-1".to_owned() };
        Ok(Created { id, outputs, refresh_before_update: true })
    }

    /// The id says what is found.
    async fn read(&self, _: Operation, request: ReadRequest) -> Result<Option<ReadState>, Failure> {
        let found = request.outputs.unwrap_or_default();
        match request.id.as_str() {
            "gone" => Ok(None),
            "denied" => Err(Failure::plain("You may not see it.")),
            "vague" => Ok(Some(ReadState {
                outputs: PropertyMap::from([("vague".to_owned(), PropertyValue::Unknown)]),
                ..ReadState::default()
            })),
            "sick" => Err(partial("", found, "It is sick.")),
            _ => Ok(Some(ReadState {
                inputs: request
                    .inputs
                    .unwrap_or_else(|| PropertyMap::from([("text".to_owned(), "found".into())])),
                outputs: found,
                ..ReadState::default()
            })),
        }
    }

    async fn update(&self, operation: Operation, request: UpdateRequest) -> Result<Updated, Failure> {
        let behaviour = read_thing(&Reader::new(&request.inputs));
        let outputs = act(&operation, &request.id, &request.inputs, behaviour).await?;
        Ok(Updated { outputs, refresh_before_update: false })
    }

    async fn delete(&self, _: Operation, request: DeleteRequest) -> Result<(), Failure> {
        match request.id.as_str() {
            "stuck" => Err(partial("stuck", request.old_outputs, "It is stuck.")),
            _ => Ok(()),
        }
    }

    async fn invoke(&self, operation: Operation, request: InvokeRequest) -> Result<Invoked, Failure> {
        match request.token.as_str() {
            "echo:index:say" => {
                let reader = Reader::new(&request.args);
                reader.string("what");
                let failures = reader.finish();
                let mut result = request.args;
                result.insert("preview".to_owned(), operation.preview.into());
                Ok(if failures.is_empty() { Invoked::Result(result) } else { Invoked::Refused(failures) })
            }
            "echo:index:vague" => {
                Ok(Invoked::Result(PropertyMap::from([("vague".to_owned(), PropertyValue::Unknown)])))
            }
            "echo:index:crash" => panic!("on demand"),
            other => Err(Failure::plain(format!("there is no function {other}"))),
        }
    }
}
