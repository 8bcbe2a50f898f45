//! The provider: finds the resource that a call is about, and hands it the session.

use tokio::sync::RwLock;

use crate::pulumi::diff::{self, Diff};
use crate::pulumi::{
    CheckFailure, CheckRequest, Checked, ConfigureError, CreateRequest, Created, DeleteRequest, DiffRequest,
    Failure, InvokeRequest, Invoked, Operation, PropertyMap, PropertyPath, Provider, ReadRequest, ReadState,
    UpdateRequest, Updated,
};
use crate::resources::session::Session;
use crate::resources::{
    config, deployment_waiter, function_alias, function_rollout, functions, lambda_deployment, state,
};

const SCHEMA: &str = include_str!("../../schema.json");

/// Nothing is known before `configure`, and no call is made by it.
#[derive(Debug, Default)]
pub struct RolloutProvider {
    session: RwLock<Option<Session>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    FunctionRollout,
    FunctionAlias,
    LambdaDeployment,
    DeploymentWaiter,
}

impl Kind {
    fn of(operation: &Operation) -> Result<Self, Failure> {
        match operation.type_token.as_str() {
            "lambda-rollout:index:FunctionRollout" => Ok(Self::FunctionRollout),
            "lambda-rollout:index:FunctionAlias" => Ok(Self::FunctionAlias),
            "lambda-rollout:index:LambdaDeployment" => Ok(Self::LambdaDeployment),
            "lambda-rollout:index:DeploymentWaiter" => Ok(Self::DeploymentWaiter),
            other => Err(Failure::plain(format!(
                "\"{other}\" is not a resource of lambda-rollout: there are FunctionRollout, FunctionAlias, LambdaDeployment and DeploymentWaiter"
            ))),
        }
    }

    fn check(self, inputs: PropertyMap) -> Checked {
        match self {
            Self::FunctionRollout => function_rollout::check(inputs),
            Self::FunctionAlias => function_alias::check(inputs),
            Self::LambdaDeployment => lambda_deployment::check(inputs),
            Self::DeploymentWaiter => deployment_waiter::check(inputs),
        }
    }

    /// What a check would refuse is not acted on, whoever left the check out. A preview shows what it can.
    fn accept(self, operation: &Operation, inputs: &PropertyMap) -> Result<(), Failure> {
        if operation.preview {
            return Ok(());
        }
        let failures = self.check(inputs.clone()).failures;
        if failures.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = failures.iter().map(|f| format!("{} {}", f.path, f.reason)).collect();
        Err(Failure::plain(all.join("; ")))
    }
}

impl RolloutProvider {
    async fn session(&self) -> Result<Session, Failure> {
        let session = self.session.read().await.clone();
        session.ok_or_else(|| Failure::plain("the provider was not configured"))
    }
}

/// What a resource does is boxed: else each call would be as large as the largest of them, while it waits for minutes.
impl Provider for RolloutProvider {
    fn name(&self) -> &'static str {
        "lambda-rollout"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn secret_config(&self) -> &[&str] {
        config::SECRETS
    }

    async fn check_config(&self, request: CheckRequest) -> Checked {
        let failures: Vec<CheckFailure> = config::read(&request.inputs).failures;
        Checked { inputs: request.inputs, failures }
    }

    /// Another region or another account is another set of objects; everything else is a way to reach the same ones.
    async fn diff_config(&self, request: DiffRequest) -> Diff {
        let mut diff = diff::compare(&request.old_inputs, &request.inputs, &["region"]);
        // A region that is not known yet is most likely the same.
        if request.inputs.get("region").is_some_and(crate::pulumi::PropertyValue::is_unknown) {
            diff.changes.retain(|change| change.path != PropertyPath::root().key("region"));
        }
        diff
    }

    async fn configure(&self, config: PropertyMap) -> Result<(), ConfigureError> {
        let session = config::session(&config, config::clock()).await?;
        *self.session.write().await = Some(session);
        Ok(())
    }

    async fn check(&self, operation: Operation, request: CheckRequest) -> Result<Checked, Failure> {
        Ok(Kind::of(&operation)?.check(request.inputs))
    }

    async fn diff(&self, operation: Operation, request: DiffRequest) -> Result<Diff, Failure> {
        let DiffRequest { old_inputs, old_outputs, inputs, .. } = &request;
        state::check_shape(old_outputs)?;
        Ok(match Kind::of(&operation)? {
            Kind::FunctionRollout => function_rollout::diff(&operation, old_inputs, old_outputs, inputs),
            Kind::FunctionAlias => function_alias::diff(old_inputs, inputs),
            Kind::LambdaDeployment => {
                if let Some(session) = &*self.session.read().await {
                    lambda_deployment::keep(session, old_outputs);
                }
                lambda_deployment::diff(old_inputs, inputs)
            }
            Kind::DeploymentWaiter => deployment_waiter::diff(old_inputs, inputs),
        })
    }

    async fn create(&self, operation: Operation, request: CreateRequest) -> Result<Created, Failure> {
        let session = self.session().await?;
        let kind = Kind::of(&operation)?;
        kind.accept(&operation, &request.inputs)?;
        let (session, operation, inputs) = (&session, &operation, request.inputs);
        match kind {
            Kind::FunctionRollout => Box::pin(function_rollout::create(session, operation, inputs)).await,
            Kind::FunctionAlias => Box::pin(function_alias::create(session, operation, inputs)).await,
            Kind::LambdaDeployment => Box::pin(lambda_deployment::create(session, operation, inputs)).await,
            Kind::DeploymentWaiter => Box::pin(deployment_waiter::create(session, operation, inputs)).await,
        }
    }

    async fn read(&self, operation: Operation, request: ReadRequest) -> Result<Option<ReadState>, Failure> {
        let session = self.session().await?;
        let ReadRequest { id, inputs, outputs } = request;
        let kind = Kind::of(&operation)?;
        if let Some(outputs) = &outputs {
            state::check_shape(outputs)?;
        }
        if kind == Kind::DeploymentWaiter {
            return deployment_waiter::read(&id, inputs, outputs);
        }
        let (inputs, outputs) = (inputs.unwrap_or_default(), outputs.unwrap_or_default());
        match kind {
            Kind::FunctionAlias => function_alias::read(&session, &operation, &id, inputs, &outputs).await,
            Kind::LambdaDeployment => {
                lambda_deployment::read(&session, &operation, &id, inputs, outputs).await
            }
            _ => function_rollout::read(&session, &operation, &id, inputs, outputs).await,
        }
    }

    async fn update(&self, operation: Operation, request: UpdateRequest) -> Result<Updated, Failure> {
        let session = self.session().await?;
        let UpdateRequest { id, old_inputs, old_outputs, inputs, .. } = request;
        // A thousand rollouts may wait for hours, and none reads these.
        drop(old_inputs);
        let kind = Kind::of(&operation)?;
        state::check_shape(&old_outputs)?;
        kind.accept(&operation, &inputs)?;
        let (session, operation, id) = (&session, &operation, id.as_str());
        match kind {
            Kind::FunctionRollout => {
                Box::pin(function_rollout::update(session, operation, id, old_outputs, inputs)).await
            }
            Kind::FunctionAlias => {
                Box::pin(function_alias::update(session, operation, id, &old_outputs, inputs)).await
            }
            Kind::LambdaDeployment => {
                Box::pin(lambda_deployment::update(session, operation, id, &old_outputs, inputs)).await
            }
            Kind::DeploymentWaiter => {
                Box::pin(deployment_waiter::update(session, operation, id, &old_outputs, inputs)).await
            }
        }
    }

    async fn delete(&self, operation: Operation, request: DeleteRequest) -> Result<(), Failure> {
        let session = self.session().await?;
        let DeleteRequest { id, old_outputs, .. } = &request;
        state::check_shape(old_outputs)?;
        match Kind::of(&operation)? {
            Kind::FunctionRollout => function_rollout::delete(&session, &operation, id, old_outputs).await,
            Kind::FunctionAlias => function_alias::delete(&session, &operation, id, old_outputs).await,
            Kind::LambdaDeployment => lambda_deployment::delete(&session, &operation, id, old_outputs).await,
            Kind::DeploymentWaiter => Ok(()),
        }
    }

    async fn invoke(&self, _operation: Operation, request: InvokeRequest) -> Result<Invoked, Failure> {
        let session = self.session().await?;
        match request.token.as_str() {
            "lambda-rollout:index:getDeployment" => functions::get_deployment(&session, &request.args).await,
            "lambda-rollout:index:getRollout" => functions::get_rollout(&session, &request.args).await,
            other => Err(Failure::plain(format!(
                "\"{other}\" is not a function of lambda-rollout: there are getDeployment and getRollout"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::PropertyValue;

    async fn replaces(old: &[(&str, &str)], new: &[(&str, PropertyValue)]) -> bool {
        let old_inputs = old.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
        let inputs = new.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let request = DiffRequest { old_inputs, inputs, ..DiffRequest::default() };
        RolloutProvider::default().diff_config(request).await.replaces()
    }

    #[tokio::test]
    async fn only_another_region_is_another_set_of_resources() {
        let here = [("region", "eu-west-1"), ("accessKey", "a")];
        assert!(replaces(&here, &[("region", "us-east-1".into()), ("accessKey", "a".into())]).await);
        assert!(!replaces(&here, &[("region", "eu-west-1".into()), ("accessKey", "b".into())]).await);
        assert!(!replaces(&here, &[("region", PropertyValue::Unknown), ("accessKey", "a".into())]).await);
    }

    #[tokio::test]
    async fn another_packages_resource_is_refused_by_name() {
        let mut operation = Operation::default();
        "aws:s3:Bucket".clone_into(&mut operation.type_token);
        let answer = RolloutProvider::default().check(operation, CheckRequest::default()).await;
        assert!(
            answer.unwrap_err().to_string().contains("\"aws:s3:Bucket\" is not a resource of lambda-rollout")
        );
    }
}
