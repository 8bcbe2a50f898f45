//! The floor of the comparison: a plugin that does as little as possible (Check echoes, Diff compares key by key), with
//! the AWS crates of the provider linked and never used.

mod aws;

use std::{
    collections::BTreeMap,
    error::Error,
    io::{self, Write},
    net::Ipv4Addr,
};

use lambda_rollout::pulumi::proto::{
    self,
    diff_response::DiffChanges,
    resource_provider_server::{ResourceProvider, ResourceProviderServer},
};
use prost_types::Struct;
use tokio::{net::TcpListener, signal};
use tonic::{
    Request, Response, Status, async_trait,
    transport::{Server, server::TcpIncoming},
};

const MESSAGE: usize = 400 << 20;

#[derive(Debug)]
struct Stub;

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl ResourceProvider for Stub {
    async fn handshake(
        &self,
        _: Request<proto::ProviderHandshakeRequest>,
    ) -> Answer<proto::ProviderHandshakeResponse> {
        Ok(Response::new(proto::ProviderHandshakeResponse::default()))
    }

    async fn attach(&self, _: Request<proto::PluginAttach>) -> Answer<()> {
        Ok(Response::new(()))
    }

    async fn get_plugin_info(&self, _: Request<()>) -> Answer<proto::PluginInfo> {
        Ok(Response::new(proto::PluginInfo { version: "0.1.0".to_owned() }))
    }

    async fn get_schema(&self, _: Request<proto::GetSchemaRequest>) -> Answer<proto::GetSchemaResponse> {
        Err(nothing())
    }

    async fn cancel(&self, _: Request<()>) -> Answer<()> {
        Ok(Response::new(()))
    }

    async fn check_config(&self, request: Request<proto::CheckRequest>) -> Answer<proto::CheckResponse> {
        Ok(Response::new(echo(request.into_inner())))
    }

    async fn diff_config(&self, request: Request<proto::DiffRequest>) -> Answer<proto::DiffResponse> {
        Ok(Response::new(compare(request.into_inner())))
    }

    async fn configure(&self, _: Request<proto::ConfigureRequest>) -> Answer<proto::ConfigureResponse> {
        Ok(Response::new(proto::ConfigureResponse::default()))
    }

    async fn check(&self, request: Request<proto::CheckRequest>) -> Answer<proto::CheckResponse> {
        Ok(Response::new(echo(request.into_inner())))
    }

    async fn diff(&self, request: Request<proto::DiffRequest>) -> Answer<proto::DiffResponse> {
        Ok(Response::new(compare(request.into_inner())))
    }

    async fn create(&self, _: Request<proto::CreateRequest>) -> Answer<proto::CreateResponse> {
        Err(Status::unavailable(format!("{} calls of AWS succeeded", aws::call_everything().await)))
    }

    async fn read(&self, _: Request<proto::ReadRequest>) -> Answer<proto::ReadResponse> {
        Err(nothing())
    }

    async fn update(&self, _: Request<proto::UpdateRequest>) -> Answer<proto::UpdateResponse> {
        Err(nothing())
    }

    async fn delete(&self, _: Request<proto::DeleteRequest>) -> Answer<()> {
        Err(nothing())
    }

    async fn invoke(&self, _: Request<proto::InvokeRequest>) -> Answer<proto::InvokeResponse> {
        Err(nothing())
    }

    async fn get_mapping(&self, _: Request<proto::GetMappingRequest>) -> Answer<proto::GetMappingResponse> {
        Err(nothing())
    }

    async fn get_mappings(
        &self,
        _: Request<proto::GetMappingsRequest>,
    ) -> Answer<proto::GetMappingsResponse> {
        Err(nothing())
    }
}

fn nothing() -> Status {
    Status::unimplemented("a stub")
}

fn echo(request: proto::CheckRequest) -> proto::CheckResponse {
    proto::CheckResponse { inputs: request.news, failures: Vec::new() }
}

fn compare(request: proto::DiffRequest) -> proto::DiffResponse {
    let fields = |properties: Option<Struct>| properties.map(|found| found.fields).unwrap_or_default();
    let (old, new) = (fields(request.old_inputs), fields(request.news));
    let differs = |key: &&String| old.get(*key) != new.get(*key);
    let mut diffs: Vec<String> = old.keys().chain(new.keys()).filter(differs).cloned().collect();
    diffs.sort();
    diffs.dedup();
    let changes = if diffs.is_empty() { DiffChanges::DiffNone } else { DiffChanges::DiffSome };
    let kind = |key: &String| (key.clone(), proto::PropertyDiff { kind: 4, input_diff: true });
    proto::DiffResponse {
        changes: changes.into(),
        detailed_diff: diffs.iter().map(kind).collect::<BTreeMap<_, _>>(),
        has_detailed_diff: true,
        diffs,
        ..proto::DiffResponse::default()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", listener.local_addr()?.port())?;
    stdout.flush()?;
    drop(stdout);
    let service = ResourceProviderServer::new(Stub)
        .max_decoding_message_size(MESSAGE)
        .max_encoding_message_size(MESSAGE);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    // It has nothing to end in order.
    tokio::select! {
        served = Server::builder().serve_with_incoming(service, incoming) => served?,
        interrupted = signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
