//! Drives the provider's binary as the engine does, with a state that lives through its deaths.

use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use lambda_rollout::pulumi::{
    PropertyMap,
    proto::{self, resource_provider_client::ResourceProviderClient},
    wire,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tonic::{Response, Status, transport::Channel};

use crate::proxy::{Proxy, Trouble};

/// Seconds. The provider's own limit follows the sandbox's clock, and this machine may be busy.
const TIME_LIMIT: f64 = 300.0;

/// One resource of a stack: what the program declares, and what the engine remembers.
pub(crate) struct Resource {
    pub(crate) token: &'static str,
    pub(crate) stack: &'static str,
    name: String,
    pub(crate) endpoint: String,
    speed: u32,
    /// More of the provider's environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) state: Option<State>,
    /// Calls to AWS of the last operation.
    pub(crate) calls: usize,
    /// The process of the last operation, for who watches it meanwhile.
    pub(crate) process: Arc<AtomicU32>,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) id: String,
    pub(crate) inputs: PropertyMap,
    pub(crate) outputs: PropertyMap,
    /// The last operation failed: the next update is made even if nothing is declared anew.
    pub(crate) failed: bool,
    pub(crate) refresh_before_update: bool,
}

/// How an operation of the engine ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing had to be done.
    Same,
    Done,
    Failed(String),
    /// The provider was killed.
    Died,
}

impl End {
    /// What a failure says.
    pub(crate) fn failed(self) -> String {
        match self {
            Self::Failed(message) => message,
            other => panic!("it did not fail: {other:?}"),
        }
    }
}

/// A running provider.
pub(crate) struct Provider {
    process: Child,
    pub(crate) client: ResourceProviderClient<Channel>,
    pub(crate) proxy: Proxy,
}

/// Why an operation has no answer.
enum Failed {
    Died,
    Status(Box<Status>),
}

impl Provider {
    /// One update of a resource in a provider that others use, too.
    pub(crate) fn update(
        &self,
        resource: &Resource,
        declared: &PropertyMap,
    ) -> impl Future<Output = ()> + use<> {
        let state = resource.state.clone().unwrap();
        let request = proto::UpdateRequest {
            id: state.id,
            urn: resource.urn(),
            olds: Some(wire::encode(&state.outputs)),
            news: Some(wire::encode(declared)),
            old_inputs: Some(wire::encode(&state.inputs)),
            timeout: TIME_LIMIT,
            ..proto::UpdateRequest::default()
        };
        let mut client = self.client.clone();
        async move { drop(client.update(request).await.unwrap()) }
    }

    /// One call of the engine; the provider is killed when it gets to the point where it is to die, and told when the
    /// user presses Ctrl-C.
    async fn ask<T, F>(
        &mut self,
        call: impl FnOnce(ResourceProviderClient<Channel>) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut answer = std::pin::pin!(call(self.client.clone()));
        loop {
            tokio::select! {
                biased;
                () = self.proxy.reached() => {
                    self.process.kill().await.unwrap();
                    return Err(Failed::Died);
                }
                () = self.proxy.cancelled() => drop(self.client.cancel(()).await.unwrap()),
                answer = &mut answer => {
                    return answer.map(Response::into_inner).map_err(|status| Failed::Status(Box::new(status)));
                }
            }
        }
    }
}

impl Resource {
    pub(crate) fn new(token: &'static str, name: &str, endpoint: &str, speed: u32) -> Self {
        let (name, endpoint) = (name.to_owned(), endpoint.to_owned());
        let process = Arc::default();
        Self {
            token,
            stack: "dev",
            name,
            endpoint,
            speed,
            environment: Vec::new(),
            state: None,
            calls: 0,
            process,
        }
    }

    /// `pulumi up`.
    pub(crate) async fn up(&mut self, declared: &PropertyMap) -> End {
        self.up_with(declared, Trouble::default()).await
    }

    pub(crate) async fn up_with(&mut self, declared: &PropertyMap, trouble: impl Into<Trouble>) -> End {
        let mut provider = self.start(trouble.into()).await;
        let result = self.apply(&mut provider, declared).await;
        self.end(provider, result)
    }

    /// `pulumi preview`.
    pub(crate) async fn preview(&mut self, declared: &PropertyMap) -> End {
        let mut provider = self.start(Trouble::default()).await;
        let result = self.foresee(&mut provider, declared).await.map(|()| End::Done);
        self.end(provider, result)
    }

    pub(crate) async fn destroy(&mut self) -> End {
        self.destroy_with(Trouble::default()).await
    }

    pub(crate) async fn destroy_with(&mut self, trouble: impl Into<Trouble>) -> End {
        let Some(state) = self.state.clone() else { return End::Same };
        let mut provider = self.start(trouble.into()).await;
        let request = proto::DeleteRequest {
            id: state.id,
            urn: self.urn(),
            properties: Some(wire::encode(&state.outputs)),
            old_inputs: Some(wire::encode(&state.inputs)),
            timeout: TIME_LIMIT,
            ..proto::DeleteRequest::default()
        };
        let result = provider.ask(|mut client| async move { client.delete(request).await }).await;
        if result.is_ok() {
            self.state = None;
        }
        let result = result.map(|()| End::Done);
        self.end(provider, result)
    }

    /// `pulumi refresh`.
    pub(crate) async fn refresh(&mut self) -> End {
        if self.state.is_none() {
            return End::Same;
        }
        let mut provider = self.start(Trouble::default()).await;
        let result = self.read(&mut provider).await.map(|()| End::Done);
        self.end(provider, result)
    }

    /// `pulumi import`, of what the state knows nothing about.
    pub(crate) async fn import(&mut self, id: &str) -> End {
        let mut provider = self.start(Trouble::default()).await;
        let nothing = State {
            id: id.to_owned(),
            inputs: PropertyMap::new(),
            outputs: PropertyMap::new(),
            failed: false,
            refresh_before_update: false,
        };
        self.state = Some(nothing);
        let result = self.read(&mut provider).await.map(|()| End::Done);
        if result.is_err() {
            self.state = None;
        }
        self.end(provider, result)
    }

    async fn apply(&mut self, provider: &mut Provider, declared: &PropertyMap) -> Result<End, Failed> {
        let known = self.state.clone();
        let inputs = self.check(provider, known.as_ref(), declared).await?;
        if known.is_some_and(|state| state.refresh_before_update) {
            self.read(provider).await?;
        }
        match self.state.clone() {
            None => self.create(provider, inputs).await,
            Some(state) => self.update(provider, state, inputs).await,
        }
    }

    /// Asks for what an update would do, whatever the difference is.
    async fn foresee(&self, provider: &mut Provider, declared: &PropertyMap) -> Result<(), Failed> {
        let known = self.state.as_ref();
        let inputs = wire::encode(&self.check(provider, known, declared).await?);
        let (urn, preview) = (self.urn(), true);
        let Some(State { id, inputs: old_inputs, outputs, .. }) = known else {
            let request =
                proto::CreateRequest { urn, properties: Some(inputs), preview, ..Default::default() };
            provider.ask(|mut client| async move { client.create(request).await }).await?;
            return Ok(());
        };
        let request = proto::UpdateRequest {
            id: id.clone(),
            urn,
            olds: Some(wire::encode(outputs)),
            news: Some(inputs),
            old_inputs: Some(wire::encode(old_inputs)),
            preview,
            ..proto::UpdateRequest::default()
        };
        provider.ask(|mut client| async move { client.update(request).await }).await?;
        Ok(())
    }

    async fn check(
        &self,
        provider: &mut Provider,
        known: Option<&State>,
        declared: &PropertyMap,
    ) -> Result<PropertyMap, Failed> {
        let request = proto::CheckRequest {
            urn: self.urn(),
            olds: known.map(|state| wire::encode(&state.inputs)),
            news: Some(wire::encode(declared)),
            ..proto::CheckRequest::default()
        };
        let answer = provider.ask(|mut client| async move { client.check(request).await }).await?;
        assert!(answer.failures.is_empty(), "{:?}", answer.failures);
        Ok(wire::decode(answer.inputs.unwrap()).unwrap())
    }

    async fn create(&mut self, provider: &mut Provider, inputs: PropertyMap) -> Result<End, Failed> {
        let request = proto::CreateRequest {
            urn: self.urn(),
            properties: Some(wire::encode(&inputs)),
            timeout: TIME_LIMIT,
            ..proto::CreateRequest::default()
        };
        match provider.ask(|mut client| async move { client.create(request).await }).await {
            Ok(answer) => {
                self.state = Some(State {
                    id: answer.id,
                    inputs,
                    outputs: wire::decode(answer.properties.unwrap()).unwrap(),
                    failed: false,
                    refresh_before_update: answer.refresh_before_update,
                });
                Ok(End::Done)
            }
            Err(error) => self.keep_partial(error, inputs),
        }
    }

    async fn update(
        &mut self,
        provider: &mut Provider,
        state: State,
        inputs: PropertyMap,
    ) -> Result<End, Failed> {
        let request = proto::DiffRequest {
            id: state.id.clone(),
            urn: self.urn(),
            olds: Some(wire::encode(&state.outputs)),
            news: Some(wire::encode(&inputs)),
            old_inputs: Some(wire::encode(&state.inputs)),
            ..proto::DiffRequest::default()
        };
        let diff = provider.ask(|mut client| async move { client.diff(request).await }).await?;
        assert!(diff.replaces.is_empty(), "nothing here is to be replaced: {:?}", diff.replaces);
        let same = diff.changes == i32::from(proto::diff_response::DiffChanges::DiffNone);
        if same && !state.failed {
            return Ok(End::Same);
        }
        let request = proto::UpdateRequest {
            id: state.id.clone(),
            urn: self.urn(),
            olds: Some(wire::encode(&state.outputs)),
            news: Some(wire::encode(&inputs)),
            old_inputs: Some(wire::encode(&state.inputs)),
            timeout: TIME_LIMIT,
            ..proto::UpdateRequest::default()
        };
        match provider.ask(|mut client| async move { client.update(request).await }).await {
            Ok(answer) => {
                self.state = Some(State {
                    inputs,
                    outputs: wire::decode(answer.properties.unwrap()).unwrap(),
                    failed: false,
                    refresh_before_update: answer.refresh_before_update,
                    ..state
                });
                Ok(End::Done)
            }
            // The engine keeps the inputs of the last success.
            Err(error) => self.keep_partial(error, state.inputs),
        }
    }

    fn keep_partial(&mut self, error: Failed, inputs: PropertyMap) -> Result<End, Failed> {
        if let Failed::Status(status) = &error
            && let Some(partial) = partial(status)
        {
            self.state = Some(State {
                id: partial.id,
                inputs,
                outputs: wire::decode(partial.properties.unwrap()).unwrap(),
                failed: true,
                refresh_before_update: partial.refresh_before_update,
            });
            return Ok(End::Failed(partial.reasons.join("\n")));
        }
        Err(error)
    }

    async fn read(&mut self, provider: &mut Provider) -> Result<(), Failed> {
        let Some(state) = self.state.clone() else { return Ok(()) };
        let request = proto::ReadRequest {
            id: state.id.clone(),
            urn: self.urn(),
            properties: Some(wire::encode(&state.outputs)),
            inputs: Some(wire::encode(&state.inputs)),
            ..proto::ReadRequest::default()
        };
        let answer = provider.ask(|mut client| async move { client.read(request).await }).await?;
        self.state = (!answer.id.is_empty()).then(|| State {
            id: answer.id,
            inputs: wire::decode(answer.inputs.unwrap()).unwrap(),
            outputs: wire::decode(answer.properties.unwrap()).unwrap(),
            failed: false,
            refresh_before_update: answer.refresh_before_update,
        });
        Ok(())
    }

    fn end(&mut self, mut provider: Provider, result: Result<End, Failed>) -> End {
        self.calls = provider.proxy.calls();
        drop(provider.process.start_kill());
        match result {
            Ok(end) => end,
            Err(Failed::Died) => End::Died,
            Err(Failed::Status(status)) => End::Failed(status.message().to_owned()),
        }
    }

    /// A text among the outputs; empty without any.
    pub(crate) fn output(&self, name: &str) -> &str {
        let outputs = self.state.as_ref().map(|state| &state.outputs);
        outputs.and_then(|outputs| outputs.get(name)?.as_str()).unwrap_or_default()
    }

    pub(crate) fn urn(&self) -> String {
        format!("urn:pulumi:{}::shop::lambda-rollout:index:{}::{}", self.stack, self.token, self.name)
    }

    /// A provider that has to live with some trouble.
    pub(crate) async fn start(&self, trouble: Trouble) -> Provider {
        let proxy = Proxy::start(&self.endpoint, trouble).await;
        let mut process = Command::new(env!("CARGO_BIN_EXE_pulumi-resource-lambda-rollout"))
            .env("AWS_ENDPOINT_URL", &proxy.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", crate::world::REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("LAMBDA_ROLLOUT_CLOCK_SPEED", self.speed.to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process.store(process.id().unwrap(), Ordering::SeqCst);
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let url = format!("http://127.0.0.1:{}", line.trim());
        let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
        let mut client = ResourceProviderClient::new(channel);
        client.configure(proto::ConfigureRequest::default()).await.unwrap();
        Provider { process, client, proxy }
    }
}

/// `google.rpc.Status`, as far as it has to be known here.
#[derive(Clone, PartialEq, prost::Message)]
struct Detailed {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// The state that an operation saved although it failed.
fn partial(status: &Status) -> Option<proto::ErrorResourceInitFailed> {
    let details = <Detailed as prost::Message>::decode(status.details()).unwrap().details;
    let any = details.into_iter().find(|any| any.type_url.ends_with("pulumirpc.ErrorResourceInitFailed"))?;
    Some(prost::Message::decode(any.value.as_slice()).unwrap())
}
