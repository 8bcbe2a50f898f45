//! What Lambda refuses of an alias with weights, and what goes away with an alias or a function.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Alias, Lambda, Reference, body, not_found};
use crate::error::ServiceError;
use crate::http::{Request, Response};
use crate::identity::Scope;

impl Lambda {
    pub(super) async fn create_alias(
        &self,
        scope: &Scope,
        reference: &Reference,
        request: Request,
    ) -> Result<Response, ServiceError> {
        let wanted = body(request.body())?;
        let name = wanted["Name"].as_str().unwrap_or_default();
        if name.is_empty() || name.len() > 128 || name.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(format!("{name} is not the name of an alias")));
        }
        self.check_alias(scope, reference, &Alias::default(), &wanted).await?;
        Ok(self.upstream.forward(request).await?)
    }

    pub(super) async fn update_alias(
        &self,
        scope: &Scope,
        reference: &Reference,
        alias: &str,
        request: Request,
    ) -> Result<Response, ServiceError> {
        let wanted = body(request.body())?;
        // What does not exist, and a revision that is not the latest, ministack refuses itself.
        if let Ok(now) = self.functions.alias(scope, &reference.function, alias).await {
            self.check_alias(scope, reference, &now, &wanted).await?;
        }
        Ok(self.upstream.forward(request).await?)
    }

    pub(super) async fn delete_alias(
        &self,
        scope: &Scope,
        reference: &Reference,
        alias: &str,
        request: Request,
    ) -> Result<Response, ServiceError> {
        let response = self.upstream.forward(request).await?;
        if response.status().is_success() {
            self.forget(scope, &Reference::new(&reference.function, Some(alias)));
        }
        Ok(response)
    }

    pub(super) async fn delete_function(
        &self,
        scope: &Scope,
        reference: &Reference,
        request: Request,
    ) -> Result<Response, ServiceError> {
        let response = self.upstream.forward(request).await?;
        if response.status().is_success() {
            self.forget(scope, reference);
        }
        Ok(response)
    }

    pub(super) async fn put_provisioned(
        &self,
        scope: &Scope,
        reference: &Reference,
        request: Request,
    ) -> Result<Response, ServiceError> {
        if let Some(alias) = reference.alias()
            && let Ok(alias) = self.functions.alias(scope, &reference.function, alias).await
            && !alias.weights.is_empty()
        {
            return Err(invalid("Alias with weights can not be used with Provisioned Concurrency"));
        }
        Ok(self.upstream.forward(request).await?)
    }

    /// The URLs and policies of what was deleted: of one alias, or of a whole function.
    fn forget(&self, scope: &Scope, reference: &Reference) {
        self.urls.forget(scope, reference);
        self.policies.forget(scope, reference);
    }

    /// Checks what the alias would be, given what it is and what is wanted.
    async fn check_alias(
        &self,
        scope: &Scope,
        reference: &Reference,
        now: &Alias,
        wanted: &Value,
    ) -> Result<(), ServiceError> {
        let alias = Alias {
            version: wanted["FunctionVersion"].as_str().unwrap_or(&now.version).to_owned(),
            weights: match wanted.get("RoutingConfig") {
                None => now.weights.clone(),
                Some(routing) => weights(&routing["AdditionalVersionWeights"])?,
            },
        };
        refuse(&alias)?;
        let mut configurations = Vec::new();
        for version in std::iter::once(&alias.version).chain(alias.weights.keys()) {
            let found = self.functions.configuration(scope, &reference.function, version).await;
            configurations.push(
                found.map_err(|_| not_found(scope, &Reference::new(&reference.function, Some(version))))?,
            );
        }
        for (member, what) in [("Role", "execution role"), ("DeadLetterConfig", "dead-letter queue")] {
            if configurations.iter().any(|configuration| configuration[member] != configurations[0][member]) {
                return Err(invalid(format!(
                    "The versions behind an alias with weights need the same {what}"
                )));
            }
        }
        Ok(())
    }
}

fn weights(given: &Value) -> Result<BTreeMap<String, f64>, ServiceError> {
    let Some(map) = given.as_object() else { return Ok(BTreeMap::new()) };
    let read = |(version, weight): (&String, &Value)| {
        let weight = weight.as_f64().ok_or_else(|| invalid("A weight has to be a number"))?;
        Ok((version.clone(), weight))
    };
    map.iter().map(read).collect()
}

fn refuse(alias: &Alias) -> Result<(), ServiceError> {
    if alias.weights.len() > 1 {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    let Some((version, weight)) = alias.weights.iter().next() else { return Ok(()) };
    if !(0.0..1.0).contains(weight) {
        return Err(invalid(format!("A weight has to be at least 0 and less than 1, and {weight} is not")));
    }
    if alias.version == "$LATEST" || version == "$LATEST" {
        return Err(invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
    }
    if *version == alias.version {
        let message = format!(
            "Invalid function version {version}. Function version {version} is already included in routing configuration."
        );
        return Err(invalid(message));
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::bad("InvalidParameterValueException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refusals() {
        let alias = |version: &str, given: Value| Alias {
            version: version.into(),
            weights: weights(&given).unwrap(),
        };
        for (alias, words) in [
            (alias("1", json!({})), ""),
            (alias("1", json!({ "2": 0.1 })), ""),
            (alias("1", json!({ "2": 0.1, "3": 0.1 })), "greater than 1"),
            (alias("1", json!({ "2": 1.0 })), "less than 1"),
            (alias("1", json!({ "2": -0.1 })), "at least 0"),
            (alias("$LATEST", json!({ "2": 0.5 })), "$LATEST"),
            (alias("1", json!({ "$LATEST": 0.5 })), "$LATEST"),
            (alias("2", json!({ "2": 0.5 })), "already included"),
        ] {
            let refused = refuse(&alias).map_or_else(|error| error.message, |()| String::new());
            assert!(
                refused.contains(words) && refused.is_empty() == words.is_empty(),
                "{alias:?}: {refused}"
            );
        }
        assert!(weights(&json!({ "2": "much" })).is_err());
    }
}
