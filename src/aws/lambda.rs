//! Versions, aliases and invocations of functions.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{AliasRoutingConfiguration, InvocationType, LogType, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::clients::Clients;
use super::config::CONNECT_TIMEOUT;
use super::error::{Answered, INVOKE, absent, gone};
use crate::rollout::cloud::{AliasChange, AliasState, Answer, VersionInfo, VersionState};

/// Lambda's limit for a function that does not say its own.
const DEFAULT_FUNCTION_TIMEOUT: i32 = 3;
/// The key in the client context that tells a function that it is being tested.
const MARKER_KEY: &str = "lambda-rollout";

impl Clients {
    pub(super) async fn version(&self, function: &str, qualifier: &str) -> Answered<Option<VersionInfo>> {
        Ok(self.configuration(function, qualifier).await?.map(version_info))
    }

    pub(super) async fn configuration(
        &self,
        function: &str,
        qualifier: &str,
    ) -> Answered<Option<GetFunctionConfigurationOutput>> {
        let client = self.lambda().await;
        let get = || client.get_function_configuration().function_name(function).qualifier(qualifier).send();
        absent(self.call("lambda:GetFunctionConfiguration", get).await)
    }

    pub(super) async fn alias(&self, function: &str, alias: &str) -> Answered<Option<AliasState>> {
        let client = self.lambda().await;
        let get = || client.get_alias().function_name(function).name(alias).send();
        let answer = absent(self.call("lambda:GetAlias", get).await)?;
        Ok(answer.map(|alias| {
            alias_state(alias.function_version, alias.description, alias.routing_config, alias.revision_id)
        }))
    }

    pub(super) async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Answered<AliasState> {
        let request = self
            .lambda()
            .await
            .create_alias()
            .function_name(function)
            .name(alias)
            .function_version(version)
            .description(description);
        let alias = self.change("lambda:CreateAlias", || request.clone().send()).await?;
        Ok(alias_state(alias.function_version, alias.description, alias.routing_config, alias.revision_id))
    }

    pub(super) async fn update_alias(
        &self,
        function: &str,
        alias: &str,
        change: &AliasChange,
    ) -> Answered<AliasState> {
        // Lambda keeps the weights unless it is given others; none at all is an empty map.
        let no_weights = || {
            AliasRoutingConfiguration::builder().set_additional_version_weights(Some(HashMap::new())).build()
        };
        let request = self
            .lambda()
            .await
            .update_alias()
            .function_name(function)
            .name(alias)
            .set_function_version(change.version.clone())
            .set_description(change.description.clone())
            .set_routing_config(change.clear_weights.then(no_weights))
            .set_revision_id(change.if_revision.clone());
        let alias = self.change("lambda:UpdateAlias", || request.clone().send()).await?;
        Ok(alias_state(alias.function_version, alias.description, alias.routing_config, alias.revision_id))
    }

    pub(super) async fn delete_alias(&self, function: &str, alias: &str) -> Answered<()> {
        let request = self.lambda().await.delete_alias().function_name(function).name(alias);
        gone(self.change("lambda:DeleteAlias", || request.clone().send()).await)
    }

    /// Outside of the request budget, because it is the function that answers, and without retries, because it may
    /// have done its work when no answer came.
    pub(super) async fn invoke(
        &self,
        function: &str,
        qualifier: &str,
        payload: &str,
        marker: &str,
        timeout: Duration,
    ) -> Answered<Answer> {
        let request = self
            .lambda()
            .await
            .invoke()
            .function_name(function)
            .qualifier(qualifier)
            .invocation_type(InvocationType::RequestResponse)
            .log_type(LogType::Tail)
            .client_context(client_context(marker))
            .payload(Blob::new(payload))
            .customize()
            .config_override(once_within(timeout))
            .send();
        self.call_admitted(INVOKE, request).await.map(answer)
    }
}

fn version_info(version: GetFunctionConfigurationOutput) -> VersionInfo {
    let seconds = version.timeout.unwrap_or(DEFAULT_FUNCTION_TIMEOUT);
    VersionInfo {
        state: version_state(version.state.as_ref()),
        state_reason: version.state_reason.unwrap_or_default(),
        role_arn: version.role.unwrap_or_default(),
        dead_letter_arn: version
            .dead_letter_config
            .and_then(|config| config.target_arn)
            .filter(|arn| !arn.is_empty()),
        timeout: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
    }
}

/// A state that is absent or new to us is no reason to hold traffic back: CodeDeploy and Lambda still refuse.
fn version_state(state: Option<&State>) -> VersionState {
    match state {
        Some(State::Pending) => VersionState::Pending,
        Some(State::Inactive | State::Deactivating | State::Deactivated) => VersionState::Inactive,
        Some(State::Failed | State::Deleting) => VersionState::Failed,
        _ => VersionState::Active,
    }
}

fn alias_state(
    version: Option<String>,
    description: Option<String>,
    routing: Option<AliasRoutingConfiguration>,
    revision_id: Option<String>,
) -> AliasState {
    AliasState {
        version: version.unwrap_or_default(),
        weight: routing
            .and_then(|routing| routing.additional_version_weights)
            .and_then(|weights| weights.into_iter().next()),
        description: description.unwrap_or_default(),
        revision_id: revision_id.unwrap_or_default(),
    }
}

fn client_context(marker: &str) -> String {
    BASE64.encode(serde_json::json!({ "custom": { MARKER_KEY: marker } }).to_string())
}

/// A function may work in silence as long as it is given, so that nothing else may end the call sooner.
fn once_within(timeout: Duration) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        // The limit of the operation ends it, not the connection's: the two mean different things to who waits.
        .read_timeout(timeout * 2)
        .operation_attempt_timeout(timeout)
        .operation_timeout(timeout)
        .build();
    Builder::new()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

fn answer(output: InvokeOutput) -> Answer {
    Answer {
        function_error: output.function_error,
        payload: output.payload.map(Blob::into_inner).unwrap_or_default(),
        log_tail: output.log_result.as_deref().map(log_lines).unwrap_or_default(),
    }
}

fn log_lines(tail: &str) -> Vec<String> {
    let text = BASE64.decode(tail).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_travels_in_the_client_context() {
        let context = String::from_utf8(BASE64.decode(client_context("smoke \"1\"")).unwrap()).unwrap();
        assert_eq!(context, r#"{"custom":{"lambda-rollout":"smoke \"1\""}}"#);
    }

    #[test]
    fn an_alias_without_weights_serves_one_version() {
        let state = |weights: &[(&str, f64)]| {
            let weights = weights.iter().map(|(version, weight)| ((*version).to_owned(), *weight)).collect();
            let routing =
                AliasRoutingConfiguration::builder().set_additional_version_weights(Some(weights)).build();
            alias_state(Some("3".to_owned()), None, Some(routing), Some("r".to_owned()))
        };
        assert_eq!(state(&[]).weight, None);
        assert_eq!(state(&[("4", 0.1)]).weight, Some(("4".to_owned(), 0.1)));
        assert_eq!(alias_state(None, None, None, None).weight, None);
    }

    #[test]
    fn states_that_lambda_may_add_do_not_hold_traffic_back() {
        assert_eq!(version_state(None), VersionState::Active);
        assert_eq!(version_state(Some(&State::from("Basking"))), VersionState::Active);
        assert_eq!(version_state(Some(&State::Pending)), VersionState::Pending);
        assert_eq!(version_state(Some(&State::Failed)), VersionState::Failed);
    }

    #[test]
    fn the_log_tail_is_decoded_into_lines() {
        assert_eq!(log_lines(&BASE64.encode("START\nERROR boom\n")), ["START", "ERROR boom"]);
        assert!(log_lines("not base64!").is_empty());
    }
}
