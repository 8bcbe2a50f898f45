//! Asynchronous invocations: accepted at once, run in the background, and tried again when they fail.
//!
//! What goes to a dead-letter queue or a destination is left to ministack, which delivers there.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use serde_json::Value;

use super::invoke::{self, Destination};
use super::{Lambda, Reference};
use crate::error::ServiceError;
use crate::http::{self, Request, Response};
use crate::identity::Scope;

/// How a failed invocation is tried again.
#[derive(Clone, Copy, Debug)]
struct Plan {
    retries: u64,
    /// The age in seconds at which Lambda gives up.
    age: u64,
}

impl Lambda {
    pub(super) async fn invoke_later(
        self: &Arc<Self>,
        scope: &Scope,
        reference: &Reference,
        mut request: Request,
    ) -> Result<Response, ServiceError> {
        let destination = self.destination(scope, reference).await?;
        let plan = self.plan(scope, &destination).await?;
        let id = invoke::name(&mut request);
        let Some(plan) = plan else { return self.run(scope, &destination, request, true).await };
        request
            .headers_mut()
            .insert("x-amz-invocation-type", hyper::header::HeaderValue::from_static("DryRun"));
        let accepted = self.run(scope, &destination, copy(&request), false).await?;
        if !accepted.status().is_success() {
            return Ok(accepted);
        }
        request.headers_mut().remove("x-amz-invocation-type");
        let (lambda, scope) = (Arc::clone(self), scope.clone());
        tokio::spawn(async move { lambda.attempts(&scope, &destination, &request, plan).await });
        let mut answer = http::empty(202);
        http::set_header(answer.headers_mut(), "x-amzn-requestid", &id);
        if let Some(version) = http::header(accepted.headers(), "x-amz-executed-version") {
            http::set_header(answer.headers_mut(), "x-amz-executed-version", version);
        }
        Ok(answer)
    }

    /// The first attempt, and the retries after one minute and then two.
    async fn attempts(&self, scope: &Scope, destination: &Destination, request: &Request, plan: Plan) {
        let mut age = 0;
        for attempt in 0..=plan.retries {
            age += 60 * attempt;
            if age >= plan.age {
                return;
            }
            self.clock.sleep(Duration::from_secs(60 * attempt)).await;
            match self.run(scope, destination, copy(request), true).await {
                Ok(answer)
                    if answer.status().is_success()
                        && !answer.headers().contains_key("x-amz-function-error") =>
                {
                    return;
                }
                Ok(_) => tracing::debug!(
                    function = destination.reference.qualified(),
                    attempt,
                    "the function failed"
                ),
                Err(error) => tracing::warn!(%error, "an asynchronous invocation could not be made"),
            }
        }
    }

    /// How often a failed invocation is tried again; nothing if ministack has to deliver the failure somewhere.
    async fn plan(&self, scope: &Scope, destination: &Destination) -> Result<Option<Plan>, ServiceError> {
        let reference = &destination.reference;
        let qualifier = reference.qualifier.as_deref().unwrap_or("$LATEST");
        let config = self.event_invoke(scope, reference).await?;
        let settings = self.functions.configuration(scope, &reference.function, qualifier).await;
        let delivered = ["OnFailure", "OnSuccess"].iter().any(|kind| {
            config["DestinationConfig"][kind]["Destination"].as_str().is_some_and(|arn| !arn.is_empty())
        });
        let dead_letters = settings.unwrap_or(Value::Null)["DeadLetterConfig"]["TargetArn"]
            .as_str()
            .is_some_and(|arn| !arn.is_empty());
        let plan = Plan {
            retries: config["MaximumRetryAttempts"].as_u64().unwrap_or(2),
            age: config["MaximumEventAgeInSeconds"].as_u64().unwrap_or(21_600),
        };
        Ok((!delivered && !dead_letters).then_some(plan))
    }
}

fn copy(request: &Request) -> Request {
    let mut copy = Request::new(Bytes::clone(request.body()));
    *copy.method_mut() = Method::POST;
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}
