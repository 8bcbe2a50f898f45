//! How often a failed asynchronous invocation is tried again. ministack keeps it; this adds what it leaves out: the
//! limits, changing a part of it, and that no qualifier and `$LATEST` are the same.

use hyper::Method;
use serde_json::{Value, json};

use super::{Lambda, LambdaError, Reference, body};
use crate::error::ServiceError;
use crate::http::{self, Request, Response, encode};
use crate::identity::Scope;

/// The settings with whole numbers, and what Lambda allows for each.
const LIMITS: [(&str, std::ops::RangeInclusive<i64>); 2] =
    [("MaximumRetryAttempts", 0..=2), ("MaximumEventAgeInSeconds", 60..=21_600)];

impl Lambda {
    pub(super) async fn event_invoke_config(
        &self,
        scope: &Scope,
        operation: &str,
        reference: &Reference,
        request: &Request,
    ) -> Result<Response, ServiceError> {
        let path = path(reference);
        if operation == "DeleteFunctionEventInvokeConfig" {
            self.functions.send(scope, Method::DELETE, &path, "").await?;
            return Ok(http::empty(204));
        }
        let mut config = match operation {
            "PutFunctionEventInvokeConfig" => json!({}),
            _ => self.functions.get(scope, &path).await?,
        };
        if operation != "GetFunctionEventInvokeConfig" {
            let wanted = body(request.body())?;
            check(&wanted)?;
            for name in ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"] {
                if let Some(value) = wanted.get(name).filter(|value| !value.is_null()) {
                    config[name] = value.clone();
                }
            }
            config = self.functions.send(scope, Method::PUT, &path, &config.to_string()).await?;
        }
        let qualifier = reference.qualifier.as_deref().unwrap_or("$LATEST");
        config["FunctionArn"] =
            scope.arn("lambda", &format!("function:{}:{qualifier}", reference.function)).into();
        Ok(http::json(200, &config))
    }

    /// What was set for this version or alias; nothing if nothing was.
    pub(super) async fn event_invoke(
        &self,
        scope: &Scope,
        reference: &Reference,
    ) -> Result<Value, LambdaError> {
        match self.functions.get(scope, &path(reference)).await {
            Err(LambdaError::NotFound(_)) => Ok(Value::Null),
            other => other,
        }
    }
}

fn path(reference: &Reference) -> String {
    let path = format!("/2019-09-25/functions/{}/event-invoke-config", encode(&reference.function));
    match reference.qualifier.as_deref() {
        None | Some("$LATEST") => path,
        Some(qualifier) => format!("{path}?Qualifier={}", encode(qualifier)),
    }
}

fn check(wanted: &Value) -> Result<(), ServiceError> {
    for (name, range) in LIMITS {
        let value = &wanted[name];
        if !value.is_null() && !value.as_i64().is_some_and(|number| range.contains(&number)) {
            let message =
                format!("{name} has to be {} to {}, and {value} is not", range.start(), range.end());
            return Err(ServiceError::bad("InvalidParameterValueException", message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        for (wanted, valid) in [
            (json!({}), true),
            (json!({ "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60 }), true),
            (json!({ "MaximumRetryAttempts": 3 }), false),
            (json!({ "MaximumRetryAttempts": "1" }), false),
            (json!({ "MaximumEventAgeInSeconds": 59 }), false),
        ] {
            assert_eq!(check(&wanted).is_ok(), valid, "{wanted}");
        }
    }

    #[test]
    fn no_qualifier_is_the_latest() {
        let path = |qualifier| path(&Reference::new("f", qualifier));
        assert_eq!(path(None), path(Some("$LATEST")));
        assert!(path(Some("live")).ends_with("?Qualifier=live"));
    }
}
