//! The engine's side of the protocol, which the plugins may log to.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status, async_trait,
    transport::{Server, server::TcpIncoming},
};

use crate::{
    Result,
    proto::{
        self,
        engine_server::{Engine, EngineServer},
    },
};

#[derive(Debug)]
struct Listening;

#[async_trait]
impl Engine for Listening {
    async fn log(&self, _: Request<proto::LogRequest>) -> std::result::Result<Response<()>, Status> {
        Ok(Response::new(()))
    }
}

/// Its address. It is served as long as this process lives.
pub(crate) async fn serve() -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?.to_string();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(Server::builder().serve_with_incoming(EngineServer::new(Listening), incoming));
    Ok(address)
}
