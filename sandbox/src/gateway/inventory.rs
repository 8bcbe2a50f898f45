//! Everything that exists, for each account and region that was used.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Gateway;
use crate::http::encode;
use crate::identity::Scope;
use crate::upstream::Call;
use crate::xml;

impl Gateway {
    pub(super) async fn inventory(&self) -> Value {
        let mut scopes: BTreeSet<Scope> =
            self.codedeploy.scopes().into_iter().chain(self.cloudwatch.scopes()).collect();
        scopes.extend(self.seen());
        let mut told = Vec::new();
        for scope in &scopes {
            told.push(json!({
                "account": scope.account,
                "region": scope.region,
                "codedeploy": self.codedeploy.inventory(scope),
                "lambda": self.functions(scope).await,
                "cloudwatch": self.cloudwatch.inventory(scope),
                "iam": { "roles": self.names(scope, "iam", "ListRoles", "2010-05-08", "RoleName").await },
                "sns": { "topics": self.names(scope, "sns", "ListTopics", "2010-03-31", "TopicArn").await },
            }));
        }
        json!({ "scopes": told })
    }

    async fn functions(&self, scope: &Scope) -> Value {
        let functions = &self.lambda.functions;
        let list = |path: String, member: &'static str| async move {
            functions.list(scope, &path, member).await.unwrap_or_default()
        };
        let mut told = Vec::new();
        for function in list("/2015-03-31/functions".to_owned(), "Functions").await {
            let name = function["FunctionName"].as_str().unwrap_or_default();
            let base = format!("/2015-03-31/functions/{}", encode(name));
            let versions = list(format!("{base}/versions"), "Versions").await;
            let aliases = list(format!("{base}/aliases"), "Aliases").await;
            let mut one = self.lambda.inventory(scope, name);
            one["name"] = name.into();
            one["versions"] = versions.iter().map(|version| version["Version"].clone()).collect();
            one["aliases"] = aliases.iter().map(alias).collect();
            told.push(one);
        }
        let mappings = list("/2015-03-31/event-source-mappings".to_owned(), "EventSourceMappings").await;
        let mappings: Vec<_> = mappings.iter().map(|mapping| {
            json!({ "id": mapping["UUID"], "function": mapping["FunctionArn"], "source": mapping["EventSourceArn"] })
        }).collect();
        json!({ "functions": told, "eventSourceMappings": mappings })
    }

    async fn names(
        &self,
        scope: &Scope,
        service: &'static str,
        action: &str,
        version: &str,
        element: &str,
    ) -> Vec<String> {
        let call = Call { scope, service, headers: &[] };
        let reply = self.upstream.form(call, &[("Action", action), ("Version", version)]).await;
        let text = reply.map(|reply| reply.text()).unwrap_or_default();
        xml::elements(&text, element).into_iter().map(str::to_owned).collect()
    }

    /// The scopes of the calls in the journal.
    fn seen(&self) -> BTreeSet<Scope> {
        self.journal.since(0).into_iter().map(|call| Scope::new(call.account, call.region)).collect()
    }
}

fn alias(alias: &Value) -> Value {
    json!({
        "name": alias["Name"],
        "version": alias["FunctionVersion"],
        "weights": alias["RoutingConfig"].get("AdditionalVersionWeights").cloned().unwrap_or_else(|| json!({})),
        "description": alias["Description"],
    })
}
