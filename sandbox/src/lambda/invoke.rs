//! Invocations: an alias's traffic is spread by its weights, and everything is counted as Lambda counts it.

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::{Method, StatusCode, Uri};

use super::{Alias, Lambda, LambdaError, Reference};
use crate::clock::{Clock, Timestamp};
use crate::error::ServiceError;
use crate::http::{self, Request, Response, encode};
use crate::identity::{Scope, authorization};
use crate::uuid::new_uuid;

/// Names an invocation for ministack, which logs under that name, or by ministack, when a trigger of its own invokes.
/// The retries of an invocation share it.
pub(super) const REQUEST_ID: &str = "x-rollout-sandbox-request-id";

/// Where an invocation goes, and how its alias stood.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) reference: Reference,
    /// The version or alias that ministack is to run.
    pub(crate) qualifier: Option<String>,
    pub(crate) weighted: bool,
}

impl Lambda {
    pub(super) async fn invoke(
        self: &Arc<Self>,
        scope: &Scope,
        reference: &Reference,
        request: Request,
    ) -> Result<Response, ServiceError> {
        match http::header(request.headers(), "x-amz-invocation-type") {
            Some("Event") => self.invoke_later(scope, reference, request).await,
            kind => {
                let counted = kind != Some("DryRun");
                let destination = self.destination(scope, reference).await?;
                self.run(scope, &destination, request, counted).await
            }
        }
    }

    /// An asynchronous invocation by the sandbox itself.
    pub(crate) async fn invoke_event(
        self: &Arc<Self>,
        scope: &Scope,
        reference: &Reference,
        payload: Bytes,
    ) -> Result<(), LambdaError> {
        let refused = |error: ServiceError| LambdaError::Refused(error.message);
        let request = own_request(scope, reference, payload)
            .map_err(|error| LambdaError::Refused(error.to_string()))?;
        let answer = self.invoke_later(scope, reference, request).await.map_err(refused)?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Err(LambdaError::NotFound(reference.qualified())),
            StatusCode::TOO_MANY_REQUESTS => Err(LambdaError::Throttled),
            status => Err(LambdaError::Refused(format!("Lambda answered {status} to an invocation"))),
        }
    }

    /// Runs an invocation to its end, and counts it.
    pub(super) async fn run(
        &self,
        scope: &Scope,
        destination: &Destination,
        mut request: Request,
        counted: bool,
    ) -> Result<Response, ServiceError> {
        let id = name(&mut request);
        let started = Clock::now();
        let mut response = self.upstream.forward(redirect(request, destination)?).await?;
        http::set_header(response.headers_mut(), "x-amzn-requestid", &id);
        if counted {
            let took = Clock::now() - started;
            self.count(scope, destination, &response, started, took);
        }
        Ok(response)
    }

    /// Picks the version that an invocation runs, at random by the alias's weights.
    pub(super) async fn destination(
        &self,
        scope: &Scope,
        reference: &Reference,
    ) -> Result<Destination, ServiceError> {
        let straight = Destination {
            reference: reference.clone(),
            qualifier: reference.qualifier.clone(),
            weighted: false,
        };
        let Some(alias) = reference.alias() else { return Ok(straight) };
        match self.functions.alias(scope, &reference.function, alias).await {
            Ok(alias) => Ok(match pick(&alias, fastrand::f64()) {
                Some(version) => {
                    Destination { qualifier: Some(version.to_owned()), weighted: true, ..straight }
                }
                None => Destination { weighted: !alias.weights.is_empty(), ..straight },
            }),
            // ministack says best what is missing.
            Err(LambdaError::NotFound(_)) => Ok(straight),
            Err(error) => Err(error.into()),
        }
    }

    fn count(&self, scope: &Scope, destination: &Destination, response: &Response, at: Timestamp, took: f64) {
        let throttled = response.status() == StatusCode::TOO_MANY_REQUESTS;
        if !response.status().is_success() && !throttled {
            return;
        }
        let failed = response.headers().contains_key("x-amz-function-error");
        let version = http::header(response.headers(), "x-amz-executed-version").unwrap_or("$LATEST");
        let mut metrics = vec![("Throttles", f64::from(u8::from(throttled)), "Count")];
        if !throttled {
            metrics.push(("Invocations", 1.0, "Count"));
            metrics.push(("Errors", f64::from(u8::from(failed)), "Count"));
            metrics.push(("Duration", took * 1000.0, "Milliseconds"));
        }
        self.record(scope, destination, version, &metrics, at);
    }

    /// Records metrics under every set of dimensions that Lambda publishes for this way of being called.
    pub(super) fn record(
        &self,
        scope: &Scope,
        destination: &Destination,
        version: &str,
        metrics: &[(&str, f64, &str)],
        at: Timestamp,
    ) {
        let reference = &destination.reference;
        let resource = reference.qualified();
        let function = ("FunctionName", reference.function.as_str());
        let mut sets = vec![vec![function], vec![function, ("Resource", &resource)]];
        if reference.alias().is_some() && (destination.weighted || !self.only_weighted) {
            sets.push(vec![function, ("Resource", &resource), ("ExecutedVersion", version)]);
        }
        for (name, value, unit) in metrics {
            for dimensions in &sets {
                self.cloudwatch.record(scope, "AWS/Lambda", name, dimensions, *value, unit, at);
            }
        }
    }
}

/// The name that an invocation has, or gets now.
pub(super) fn name(request: &mut Request) -> String {
    if let Some(id) = http::header(request.headers(), REQUEST_ID) {
        return id.to_owned();
    }
    let id = new_uuid();
    http::set_header(request.headers_mut(), REQUEST_ID, &id);
    id
}

/// The version beside the alias's own, if the dice fall so.
fn pick(alias: &Alias, dice: f64) -> Option<&str> {
    let mut left = dice;
    for (version, weight) in &alias.weights {
        if left < *weight {
            return Some(version);
        }
        left -= weight;
    }
    None
}

/// The same request for the version that was picked.
fn redirect(request: Request, destination: &Destination) -> Result<Request, ServiceError> {
    let (mut parts, body) = request.into_parts();
    let function = encode(&destination.reference.function);
    let qualifier =
        destination.qualifier.as_deref().map(|qualifier| format!("?Qualifier={}", encode(qualifier)));
    let path = format!("/2015-03-31/functions/{function}/invocations{}", qualifier.unwrap_or_default());
    parts.uri =
        path.parse::<Uri>().map_err(|error| ServiceError::bad("ValidationException", error.to_string()))?;
    Ok(Request::from_parts(parts, body))
}

fn own_request(scope: &Scope, reference: &Reference, payload: Bytes) -> Result<Request, hyper::http::Error> {
    hyper::Request::builder()
        .method(Method::POST)
        .uri(format!("/2015-03-31/functions/{}/invocations", encode(&reference.qualified())))
        .header("authorization", authorization(scope, "lambda"))
        .header("content-type", "application/json")
        .header("x-amz-invocation-type", "Event")
        .body(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_choose_by_weight() {
        let alias = Alias { version: "1".into(), weights: [("2".to_owned(), 0.1)].into() };
        for (dice, expected) in [(0.0, Some("2")), (0.0999, Some("2")), (0.1, None), (0.99, None)] {
            assert_eq!(pick(&alias, dice), expected, "{dice}");
        }
        assert_eq!(pick(&Alias::default(), 0.0), None);
    }
}
