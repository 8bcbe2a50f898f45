//! Starts the echo provider as the engine does, and stands in for the engine.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{LazyLock, Mutex},
    time::Duration,
};

use lambda_rollout::pulumi::{
    PropertyMap, PropertyValue, properties,
    proto::{
        self,
        engine_server::{Engine, EngineServer},
        resource_provider_client::ResourceProviderClient,
    },
    wire,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    time::timeout,
};
use tonic::{
    Request, Response, Status, async_trait,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

pub(crate) type Client = ResourceProviderClient<Channel>;

/// Only against hanging: no test passes because of it.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const URN: &str = "urn:pulumi:dev::project::echo:index:Thing::thing";

/// A running echo provider.
pub(crate) struct Echo {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it should have happened by now")
}

/// The provider's binary, as it is in the sources now.
pub(crate) fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", "echo"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.arg("--target-dir").arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
        profile.join("examples/echo").with_extension(std::env::consts::EXE_EXTENSION)
    });
    &BINARY
}

impl Echo {
    /// As the engine starts it: with its address, and a pipe on standard input.
    pub(crate) async fn started_by(engine: &StandIn) -> Self {
        Self::start(&[&engine.address], Stdio::piped()).await
    }

    /// As a person starts it, to attach an engine later.
    pub(crate) async fn alone() -> Self {
        Self::start(&[], Stdio::null()).await
    }

    pub(crate) async fn start(args: &[&str], stdin: Stdio) -> Self {
        let mut command = Command::new(binary());
        command.args(args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        soon(stdout.read_line(&mut line)).await.unwrap();
        let port: u16 = line.strip_suffix('\n').unwrap().parse().unwrap();
        Self { stdin: process.stdin.take(), process, stdout, address: format!("127.0.0.1:{port}") }
    }

    pub(crate) async fn client(&self) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        let channel = endpoint.http2_max_header_list_size(16 << 20).connect().await.unwrap();
        Client::new(channel).max_decoding_message_size(400 << 20).max_encoding_message_size(400 << 20)
    }

    /// A client whose provider is configured.
    pub(crate) async fn configured(&self) -> Client {
        let mut client = self.client().await;
        client.configure(configuration([("region", "here".into())])).await.unwrap();
        client
    }

    pub(crate) fn close_stdin(&mut self) {
        assert!(self.stdin.take().is_some());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.process.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().await.unwrap();
        assert!(sent.success());
    }

    /// How it ends, and what it wrote on standard output after the port.
    pub(crate) async fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        soon(self.stdout.read_to_string(&mut rest)).await.unwrap();
        (soon(self.process.wait()).await.unwrap(), rest)
    }
}

/// What stands in for the engine: it hears what providers log.
pub(crate) struct StandIn {
    pub(crate) address: String,
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<proto::LogRequest>>,
}

struct Ear(Mutex<mpsc::UnboundedSender<proto::LogRequest>>);

#[async_trait]
impl Engine for Ear {
    async fn log(&self, request: Request<proto::LogRequest>) -> Result<Response<()>, Status> {
        // Nobody listens any more when the test is over.
        drop(self.0.lock().unwrap().send(request.into_inner()));
        Ok(Response::new(()))
    }
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, heard) = mpsc::unbounded_channel();
        let server = EngineServer::new(Ear(Mutex::new(sender)));
        tokio::spawn(Server::builder().serve_with_incoming(server, TcpIncoming::from(listener)));
        Self { address, heard: tokio::sync::Mutex::new(heard) }
    }

    /// The next line that a provider logs.
    pub(crate) async fn hears(&self) -> proto::LogRequest {
        soon(async { self.heard.lock().await.recv().await }).await.unwrap()
    }

    /// Waits for a line with this text.
    pub(crate) async fn hears_that(&self, text: &str) {
        while self.hears().await.message != text {}
    }
}

pub(crate) fn configuration<const N: usize>(args: [(&str, PropertyValue); N]) -> proto::ConfigureRequest {
    proto::ConfigureRequest {
        args: Some(wire::encode(&properties(args))),
        ..proto::ConfigureRequest::default()
    }
}

pub(crate) fn check<const N: usize>(inputs: [(&str, PropertyValue); N]) -> proto::CheckRequest {
    proto::CheckRequest {
        urn: URN.to_owned(),
        olds: Some(prost_types::Struct::default()),
        news: Some(wire::encode(&properties(inputs))),
        ..proto::CheckRequest::default()
    }
}

pub(crate) fn create<const N: usize>(inputs: [(&str, PropertyValue); N]) -> proto::CreateRequest {
    proto::CreateRequest {
        urn: URN.to_owned(),
        properties: Some(wire::encode(&properties(inputs))),
        ..proto::CreateRequest::default()
    }
}

/// A creation of a thing that behaves in some way.
pub(crate) fn create_that(behaviour: &str) -> proto::CreateRequest {
    create([("text", "t".into()), ("behaviour", behaviour.into())])
}

pub(crate) fn decoded(wire: Option<prost_types::Struct>) -> PropertyMap {
    wire::decode(wire.expect("properties are always set")).unwrap()
}

/// `google.rpc.Status`, as far as a test has to know it.
#[derive(Clone, PartialEq, prost::Message)]
struct Detailed {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// The detail of an error, if it has one of this kind.
pub(crate) fn detail<T: prost::Message + Default>(status: &Status, name: &str) -> Option<T> {
    let details = <Detailed as prost::Message>::decode(status.details()).unwrap().details;
    let url = format!("type.googleapis.com/pulumirpc.{name}");
    let any = details.into_iter().find(|any| any.type_url == url)?;
    Some(T::decode(any.value.as_slice()).unwrap())
}

/// The partial state in an error.
pub(crate) fn partial(status: &Status) -> proto::ErrorResourceInitFailed {
    detail(status, "ErrorResourceInitFailed").expect("a partial state")
}
