//! What the sandbox asks ministack's Lambda about functions and aliases.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::error::ServiceError;
use crate::http::encode;
use crate::identity::Scope;
use crate::upstream::{Call, Reply, Upstream, UpstreamError};

const API: &str = "/2015-03-31/functions";

/// An alias: the version that it names, and how much traffic goes to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Alias {
    pub(crate) version: String,
    pub(crate) weights: BTreeMap<String, f64>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LambdaError {
    #[error("{0}")]
    NotFound(String),
    #[error("Lambda's request rate was exceeded")]
    Throttled,
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl From<LambdaError> for ServiceError {
    fn from(error: LambdaError) -> Self {
        match error {
            LambdaError::NotFound(message) => Self::new(404, "ResourceNotFoundException", message),
            LambdaError::Throttled => Self::new(429, "TooManyRequestsException", "Rate exceeded"),
            LambdaError::Refused(message) => Self::bad("InvalidParameterValueException", message),
            LambdaError::Upstream(error) => error.into(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Functions {
    pub(crate) upstream: Upstream,
}

impl Functions {
    pub(crate) async fn alias(
        &self,
        scope: &Scope,
        function: &str,
        alias: &str,
    ) -> Result<Alias, LambdaError> {
        let path = format!("{API}/{}/aliases/{}", encode(function), encode(alias));
        let alias = self.get(scope, &path).await?;
        let weights = alias["RoutingConfig"]["AdditionalVersionWeights"].as_object();
        let weights = weights.into_iter().flatten();
        Ok(Alias {
            version: alias["FunctionVersion"].as_str().unwrap_or_default().to_owned(),
            weights: weights
                .filter_map(|(version, weight)| Some((version.clone(), weight.as_f64()?)))
                .collect(),
        })
    }

    pub(crate) async fn configuration(
        &self,
        scope: &Scope,
        function: &str,
        qualifier: &str,
    ) -> Result<Value, LambdaError> {
        let path = format!("{API}/{}/configuration?Qualifier={}", encode(function), encode(qualifier));
        // ministack does not say which version is missing.
        let missing = || {
            format!(
                "Function not found: {}",
                scope.arn("lambda", &format!("function:{function}:{qualifier}"))
            )
        };
        match self.get(scope, &path).await {
            Err(LambdaError::NotFound(_)) => Err(LambdaError::NotFound(missing())),
            other => other,
        }
    }

    pub(crate) async fn is_provisioned(&self, scope: &Scope, function: &str, qualifier: &str) -> bool {
        let (function, qualifier) = (encode(function), encode(qualifier));
        let path = format!("/2019-09-30/functions/{function}/provisioned-concurrency?Qualifier={qualifier}");
        self.get(scope, &path).await.is_ok()
    }

    /// Sets an alias's version and weights; no weights at all are an empty map.
    pub(crate) async fn update_alias(
        &self,
        scope: &Scope,
        function: &str,
        alias: &str,
        version: &str,
        weights: &BTreeMap<String, f64>,
    ) -> Result<(), LambdaError> {
        // ministack takes versions that do not exist.
        for version in std::iter::once(version).chain(weights.keys().map(String::as_str)) {
            self.configuration(scope, function, version).await?;
        }
        let path = format!("{API}/{}/aliases/{}", encode(function), encode(alias));
        let body =
            json!({ "FunctionVersion": version, "RoutingConfig": { "AdditionalVersionWeights": weights } });
        answer(&self.call(scope, Method::PUT, &path, &body.to_string()).await?).map(|_| ())
    }

    /// All items of a list that comes in pages.
    pub(crate) async fn list(
        &self,
        scope: &Scope,
        path: &str,
        member: &str,
    ) -> Result<Vec<Value>, LambdaError> {
        let mut items = Vec::new();
        let mut marker = String::new();
        loop {
            let page = self.get(scope, &format!("{path}?MaxItems=50&Marker={}", encode(&marker))).await?;
            items.extend(page[member].as_array().into_iter().flatten().cloned());
            match page["NextMarker"].as_str() {
                Some(next) if !next.is_empty() => next.clone_into(&mut marker),
                _ => return Ok(items),
            }
        }
    }

    pub(crate) async fn get(&self, scope: &Scope, path: &str) -> Result<Value, LambdaError> {
        self.send(scope, Method::GET, path, "").await
    }

    pub(crate) async fn send(
        &self,
        scope: &Scope,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Value, LambdaError> {
        answer(&self.call(scope, method, path, body).await?)
    }

    async fn call(
        &self,
        scope: &Scope,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Reply, UpstreamError> {
        let call = Call { scope, service: "lambda", headers: &[] };
        self.upstream.rest(call, method, path, Bytes::from(body.to_owned())).await
    }
}

fn answer(reply: &Reply) -> Result<Value, LambdaError> {
    let message = || {
        let body = reply.json();
        body["message"].as_str().or(body["Message"].as_str()).unwrap_or("Lambda refused the call").to_owned()
    };
    match reply.status {
        status if status.is_success() => Ok(reply.json()),
        StatusCode::NOT_FOUND => Err(LambdaError::NotFound(message())),
        StatusCode::TOO_MANY_REQUESTS => Err(LambdaError::Throttled),
        _ => Err(LambdaError::Refused(message())),
    }
}
