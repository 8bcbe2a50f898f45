//! Who may reach an alias, and how: function URLs and the resource policy.

use aws_sdk_lambda::operation::get_function_url_config::GetFunctionUrlConfigOutput;
use aws_sdk_lambda::types::{Cors as LambdaCors, FunctionUrlAuthType, InvokeMode};

use super::clients::Clients;
use super::error::{Answered, absent, gone, invalid};
use crate::rollout::cloud::{AsyncFailure, Cors, FunctionUrl, Permission};

/// Unless a function says otherwise.
const DEFAULT_RETRIES: usize = 2;
const DEFAULT_INVOKE_MODE: &str = "BUFFERED";

impl Clients {
    pub(super) async fn function_url(
        &self,
        function: &str,
        alias: &str,
    ) -> Answered<Option<(FunctionUrl, String)>> {
        let request = self.lambda().await.get_function_url_config().function_name(function).qualifier(alias);
        let answer = absent(self.call("lambda:GetFunctionUrlConfig", || request.send()).await)?;
        Ok(answer.map(function_url))
    }

    pub(super) async fn create_function_url(
        &self,
        function: &str,
        alias: &str,
        url: &FunctionUrl,
    ) -> Answered<String> {
        let request = self
            .lambda()
            .await
            .create_function_url_config()
            .function_name(function)
            .qualifier(alias)
            .auth_type(FunctionUrlAuthType::from(url.authorization_type.as_str()))
            .invoke_mode(InvokeMode::from(url.invoke_mode.as_str()))
            .set_cors(url.cors.as_ref().map(lambda_cors));
        let made = self.change("lambda:CreateFunctionUrlConfig", || request.clone().send()).await?;
        Ok(made.function_url)
    }

    pub(super) async fn update_function_url(
        &self,
        function: &str,
        alias: &str,
        url: &FunctionUrl,
    ) -> Answered<()> {
        // Lambda keeps what is left out; empty settings take the old ones away.
        let cors = url.cors.as_ref().map_or_else(|| LambdaCors::builder().build(), lambda_cors);
        let request = self
            .lambda()
            .await
            .update_function_url_config()
            .function_name(function)
            .qualifier(alias)
            .auth_type(FunctionUrlAuthType::from(url.authorization_type.as_str()))
            .invoke_mode(InvokeMode::from(url.invoke_mode.as_str()))
            .cors(cors);
        self.change("lambda:UpdateFunctionUrlConfig", || request.clone().send()).await.map(drop)
    }

    pub(super) async fn delete_function_url(&self, function: &str, alias: &str) -> Answered<()> {
        let request =
            self.lambda().await.delete_function_url_config().function_name(function).qualifier(alias);
        gone(self.change("lambda:DeleteFunctionUrlConfig", || request.clone().send()).await)
    }

    pub(super) async fn permissions(&self, function: &str, alias: &str) -> Answered<Vec<String>> {
        const OPERATION: &str = "lambda:GetPolicy";
        // The policy of the function itself has no qualifier.
        let qualifier = Some(alias).filter(|alias| *alias != "$LATEST");
        let client = self.lambda().await;
        let get =
            || client.get_policy().function_name(function).set_qualifier(qualifier.map(str::to_owned)).send();
        let Some(policy) = absent(self.call(OPERATION, get).await)?.and_then(|answer| answer.policy) else {
            return Ok(Vec::new());
        };
        statement_ids(&policy).map_err(|error| invalid(OPERATION, format!("the policy is no JSON: {error}")))
    }

    pub(super) async fn async_failure(&self, function: &str, qualifier: &str) -> Answered<AsyncFailure> {
        let request = self
            .lambda()
            .await
            .get_function_event_invoke_config()
            .function_name(function)
            .qualifier(qualifier);
        let found = absent(self.call("lambda:GetFunctionEventInvokeConfig", || request.send()).await)?;
        let retries = found.as_ref().and_then(|config| config.maximum_retry_attempts);
        let destination = found.and_then(|config| config.destination_config?.on_failure?.destination);
        Ok(AsyncFailure {
            retries: retries.and_then(|count| usize::try_from(count).ok()).unwrap_or(DEFAULT_RETRIES),
            goes_elsewhere: destination.is_some_and(|arn| !arn.is_empty()),
        })
    }

    pub(super) async fn add_permission(
        &self,
        function: &str,
        alias: &str,
        permission: &Permission,
    ) -> Answered<()> {
        let request = self
            .lambda()
            .await
            .add_permission()
            .function_name(function)
            .qualifier(alias)
            .statement_id(&permission.statement_id)
            .action(&permission.action)
            .principal(&permission.principal)
            .set_source_arn(permission.source_arn.clone())
            .set_source_account(permission.source_account.clone())
            .set_principal_org_id(permission.principal_org_id.clone())
            .set_event_source_token(permission.event_source_token.clone())
            .set_function_url_auth_type(permission.function_url_auth_type.as_deref().map(Into::into))
            .set_invoked_via_function_url(permission.invoked_via_function_url.then_some(true));
        self.change("lambda:AddPermission", || request.clone().send()).await.map(drop)
    }

    pub(super) async fn remove_permission(
        &self,
        function: &str,
        alias: &str,
        statement_id: &str,
    ) -> Answered<()> {
        let request = self
            .lambda()
            .await
            .remove_permission()
            .function_name(function)
            .qualifier(alias)
            .statement_id(statement_id);
        gone(self.change("lambda:RemovePermission", || request.clone().send()).await)
    }
}

fn function_url(answer: GetFunctionUrlConfigOutput) -> (FunctionUrl, String) {
    let invoke_mode = answer.invoke_mode.as_ref().map_or(DEFAULT_INVOKE_MODE, InvokeMode::as_str).to_owned();
    let url = FunctionUrl {
        authorization_type: answer.auth_type.as_str().to_owned(),
        invoke_mode,
        cors: answer.cors.map(cors).filter(|cors| *cors != Cors::default()),
    };
    (url, answer.function_url)
}

fn cors(cors: LambdaCors) -> Cors {
    Cors {
        allow_credentials: cors.allow_credentials.unwrap_or_default(),
        allow_headers: cors.allow_headers.unwrap_or_default(),
        allow_methods: cors.allow_methods.unwrap_or_default(),
        allow_origins: cors.allow_origins.unwrap_or_default(),
        expose_headers: cors.expose_headers.unwrap_or_default(),
        max_age: cors.max_age,
    }
}

fn lambda_cors(cors: &Cors) -> LambdaCors {
    LambdaCors::builder()
        .allow_credentials(cors.allow_credentials)
        .set_allow_headers(Some(cors.allow_headers.clone()))
        .set_allow_methods(Some(cors.allow_methods.clone()))
        .set_allow_origins(Some(cors.allow_origins.clone()))
        .set_expose_headers(Some(cors.expose_headers.clone()))
        .set_max_age(cors.max_age)
        .build()
}

/// A policy with one statement may hold it without a list.
fn statement_ids(policy: &str) -> Result<Vec<String>, serde_json::Error> {
    let policy: serde_json::Value = serde_json::from_str(policy)?;
    let statements = match &policy["Statement"] {
        serde_json::Value::Array(statements) => statements.as_slice(),
        statement => std::slice::from_ref(statement),
    };
    Ok(statements.iter().filter_map(|statement| statement["Sid"].as_str()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_ids_are_read_from_the_policy() {
        let ids = |policy| statement_ids(policy).unwrap();
        assert_eq!(ids(r#"{"Statement":[{"Sid":"a"},{"Effect":"Allow"},{"Sid":"b"}]}"#), ["a", "b"]);
        assert_eq!(ids(r#"{"Statement":{"Sid":"a"}}"#), ["a"]);
        assert!(ids("{}").is_empty());
        assert!(statement_ids("<html>").is_err());
    }

    #[test]
    fn cors_settings_survive_the_way_to_lambda_and_back() {
        let settings = Cors {
            allow_credentials: true,
            allow_origins: vec!["https://example.com".to_owned()],
            max_age: Some(60),
            ..Cors::default()
        };
        assert_eq!(cors(lambda_cors(&settings)), settings);
    }

    #[test]
    fn empty_cors_settings_count_as_none() {
        let answer = GetFunctionUrlConfigOutput::builder()
            .function_url("https://x.lambda-url.eu-west-1.on.aws/")
            .function_arn("arn")
            .auth_type(FunctionUrlAuthType::AwsIam)
            .creation_time("t")
            .last_modified_time("t")
            .cors(LambdaCors::builder().allow_credentials(false).build())
            .build()
            .unwrap();
        let (url, address) = function_url(answer);
        assert_eq!((url.cors, url.invoke_mode.as_str()), (None, "BUFFERED"));
        assert_eq!(address, "https://x.lambda-url.eu-west-1.on.aws/");
    }
}
