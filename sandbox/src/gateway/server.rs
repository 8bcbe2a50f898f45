//! The HTTP server around the gateway.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::{Cut, Gateway};
use crate::clock::Clock;
use crate::http;
use crate::timestamp;

/// Accepts connections for ever.
pub(crate) async fn serve(listener: TcpListener, gateway: Arc<Gateway>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&gateway)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, gateway: Arc<Gateway>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is slow");
    }
    let service = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move { one(request, &gateway).await }
    });
    let served =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn one(
    request: hyper::Request<Incoming>,
    gateway: &Gateway,
) -> Result<hyper::Response<http_body_util::Full<hyper::body::Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    // Whoever sends half a body has gone away, and gets no answer.
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let (method, path) = (parts.method.clone(), parts.uri.clone());
    let mut response = gateway.handle(hyper::Request::from_parts(parts, body)).await?;
    http::set_header(response.headers_mut(), "date", &timestamp::http(Clock::now()));
    tracing::info!(%method, %path, status = response.status().as_u16(), "answered");
    Ok(http::full(response))
}
