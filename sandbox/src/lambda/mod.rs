//! The parts of Lambda that ministack lacks: traffic by weight, its metrics, URLs of aliases, the refusals of
//! weighted aliases, and policies per qualifier. Everything else passes through.

mod aliases;
mod asynchronous;
mod event_invoke;
mod functions;
mod invoke;
mod policies;
mod reference;
pub(crate) mod route;
mod stream;
#[cfg(test)]
mod traffic;
mod url_event;
mod url_front;
mod urls;

use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::{Value, json};

pub(crate) use functions::{Alias, Functions, LambdaError};
pub(crate) use reference::Reference;

use self::policies::Policies;
use self::urls::Urls;
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::error::ServiceError;
use crate::http::{self, Request, Response};
use crate::identity::Scope;
use crate::upstream::Upstream;

#[derive(Debug)]
pub(crate) struct Lambda {
    pub(crate) functions: Functions,
    clock: Clock,
    upstream: Upstream,
    cloudwatch: Arc<CloudWatch>,
    urls: Urls,
    policies: Policies,
    /// Whether the metrics per executed version come only while an alias has weights.
    only_weighted: bool,
}

/// How Lambda is set up.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) upstream: Upstream,
    pub(crate) cloudwatch: Arc<CloudWatch>,
    /// The sandbox's own address, which function URLs begin with.
    pub(crate) endpoint: String,
    pub(crate) only_weighted: bool,
}

impl Lambda {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            functions: Functions { upstream: settings.upstream.clone() },
            clock: settings.clock,
            upstream: settings.upstream,
            cloudwatch: settings.cloudwatch,
            urls: Urls::new(settings.endpoint),
            policies: Policies::default(),
            only_weighted: settings.only_weighted,
        })
    }

    /// Answers one call.
    pub(crate) async fn handle(
        self: &Arc<Self>,
        scope: &Scope,
        operation: &str,
        request: Request,
    ) -> Result<Response, ServiceError> {
        let path = route::Path::parse(request.uri().path());
        let Some((path, function)) = path.as_ref().and_then(|path| Some((path, path.function()?))) else {
            return Ok(self.upstream.forward(request).await?);
        };
        let qualifier = http::query(request.uri(), "Qualifier");
        let reference = Reference::parse(function).or_qualifier(qualifier.as_deref());
        match operation {
            "Invoke" => self.invoke(scope, &reference, request).await,
            "InvokeWithResponseStream" => self.invoke_streaming(scope, &reference, request).await,
            "CreateAlias" => self.create_alias(scope, &reference, request).await,
            "UpdateAlias" | "DeleteAlias" => {
                let alias = path.segment(3).unwrap_or_default().to_owned();
                match operation {
                    "UpdateAlias" => self.update_alias(scope, &reference, &alias, request).await,
                    _ => self.delete_alias(scope, &reference, &alias, request).await,
                }
            }
            "DeleteFunction" => self.delete_function(scope, &reference, request).await,
            "PutProvisionedConcurrencyConfig" => self.put_provisioned(scope, &reference, request).await,
            "CreateFunctionUrlConfig"
            | "GetFunctionUrlConfig"
            | "UpdateFunctionUrlConfig"
            | "DeleteFunctionUrlConfig"
            | "ListFunctionUrlConfigs" => self.url_config(scope, operation, &reference, request.body()).await,
            "GetFunctionEventInvokeConfig"
            | "PutFunctionEventInvokeConfig"
            | "UpdateFunctionEventInvokeConfig"
            | "DeleteFunctionEventInvokeConfig" => {
                self.event_invoke_config(scope, operation, &reference, &request).await
            }
            "AddPermission" | "GetPolicy" | "RemovePermission" => {
                let statement = path.segment(3).unwrap_or_default().to_owned();
                self.policy(scope, operation, &reference, &statement, &request).await
            }
            _ => Ok(self.upstream.forward(request).await?),
        }
    }

    /// The URLs and policies of a function, for the sandbox's own report.
    pub(crate) fn inventory(&self, scope: &Scope, function: &str) -> Value {
        json!({ "urls": self.urls.of_function(scope, function), "policies": self.policies.of_function(scope, function) })
    }
}

/// The JSON of a request's body; an empty one is an empty object.
fn body(request: &Bytes) -> Result<Value, ServiceError> {
    if request.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(request).map_err(|error| {
        ServiceError::bad("InvalidRequestContentException", format!("The body is not JSON: {error}"))
    })
}

fn not_found(scope: &Scope, reference: &Reference) -> ServiceError {
    let arn = scope.arn("lambda", &format!("function:{}", reference.qualified()));
    ServiceError::new(404, "ResourceNotFoundException", format!("Function not found: {arn}"))
}
