//! The HTTP client for ministack: passes requests on, and makes the sandbox's own calls.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use hyper::{Method, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::http::{Request, Response};
use crate::identity::{Scope, authorization};

/// What is behind the sandbox could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("the address {0} is not one of HTTP")]
    Address(String),
    #[error("the upstream did not answer: {0}")]
    Client(#[from] hyper_util::client::legacy::Error),
    #[error("the upstream's answer broke off: {0}")]
    Body(#[from] hyper::Error),
    #[error("a request could not be made: {0}")]
    Request(#[from] hyper::http::Error),
}

/// What the sandbox wants from one of ministack's services.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) service: &'static str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
}

/// ministack's answer to a call that the sandbox itself made.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client for one ministack.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Upstream {
    /// `base` is ministack's address, without a path.
    pub(crate) fn new(base: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client =
            Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(20)).build(connector);
        Self { client, base: base.trim_end_matches('/').to_owned() }
    }

    /// Passes a caller's request on as it came.
    pub(crate) async fn forward(&self, request: Request) -> Result<Response, UpstreamError> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = self.address(path)?;
        for hop in [TRANSFER_ENCODING, CONTENT_LENGTH, HeaderName::from_static("connection")] {
            parts.headers.remove(hop);
        }
        let answer = self.client.request(hyper::Request::from_parts(parts, Full::new(body))).await?;
        let (mut parts, body) = answer.into_parts();
        for hop in [TRANSFER_ENCODING, CONTENT_LENGTH, HeaderName::from_static("connection")] {
            parts.headers.remove(hop);
        }
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }

    /// A call to a service that speaks REST and JSON.
    pub(crate) async fn rest(
        &self,
        call: Call<'_>,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Reply, UpstreamError> {
        let mut request = hyper::Request::builder()
            .method(method)
            .uri(self.address(path)?)
            .header(AUTHORIZATION, authorization(call.scope, call.service))
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        self.reply(request.body(Full::new(body))?).await
    }

    /// A call to a service that speaks forms and XML.
    pub(crate) async fn form(
        &self,
        call: Call<'_>,
        parameters: &[(&str, &str)],
    ) -> Result<Reply, UpstreamError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = hyper::Request::builder()
            .method(Method::POST)
            .uri(self.address("/")?)
            .header(AUTHORIZATION, authorization(call.scope, call.service))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(body)))?;
        self.reply(request).await
    }

    async fn reply(&self, request: hyper::Request<Full<Bytes>>) -> Result<Reply, UpstreamError> {
        let (parts, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Reply { status: parts.status, body })
    }

    fn address(&self, path: &str) -> Result<Uri, UpstreamError> {
        let address = format!("{}{path}", self.base);
        address.parse().map_err(|_| UpstreamError::Address(address))
    }
}
