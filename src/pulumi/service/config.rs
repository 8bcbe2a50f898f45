//! The calls about the provider's own configuration.

use tonic::Status;

use super::{
    super::{
        check::CheckFailure,
        diff::Diff,
        failure::Failure,
        proto,
        provider::{CheckRequest, DiffRequest, Provider},
        value::{PropertyMap, PropertyValue, plain, same},
        wire,
    },
    Service, message,
};

/// What we can do. Values may be secret or references to resources; outputs are only for components.
pub(super) fn capabilities() -> proto::ProviderHandshakeResponse {
    proto::ProviderHandshakeResponse {
        accept_secrets: true,
        accept_resources: true,
        accept_outputs: true,
        supports_autonaming_configuration: true,
        ..proto::ProviderHandshakeResponse::default()
    }
}

impl<P: Provider> Service<P> {
    /// The engine hands over secrets in clear here, and would print them in clear beside a failure: so they are
    /// marked for the check, and no failure names a property.
    pub(super) async fn checked_config(
        &self,
        message: proto::CheckRequest,
    ) -> Result<proto::CheckResponse, Status> {
        let operation = self.operation(&message.urn, &message.name, &message.r#type);
        let mut request = CheckRequest::try_from(message)?;
        mark(&mut request.inputs, self.provider.secret_config());
        let checked =
            self.call(&operation, |provider, _| async move { provider.check_config(request).await });
        let checked = checked.await.map_err(Failure::into_status)?;
        Ok(proto::CheckResponse {
            inputs: Some(wire::write(plain(&checked.inputs))),
            failures: checked.failures.into_iter().map(CheckFailure::render_unshown).collect(),
        })
    }

    pub(super) async fn config_difference(
        &self,
        message: proto::DiffRequest,
    ) -> Result<proto::DiffResponse, Status> {
        let operation = self.operation(&message.urn, &message.name, &message.r#type);
        let request = DiffRequest::try_from(message)?;
        let diff = self.call(&operation, |provider, _| async move { provider.diff_config(request).await });
        diff.await.map(Diff::render).map_err(Failure::into_status)
    }

    /// A process serves one configuration. It may be given the same one again, when it serves another engine.
    pub(super) async fn configured(
        &self,
        message: proto::ConfigureRequest,
    ) -> Result<proto::ConfigureResponse, Status> {
        let mut args = message::properties(message.args)?;
        // Which release of the provider is wanted says nothing about what it is to do.
        args.remove("version");
        let mut config = self.config.lock().await;
        match &*config {
            Some(in_force) if same(in_force, &args) => {}
            Some(_) => return Err(self.other_config()),
            None => {
                self.configure_with(args.clone()).await?;
                *config = Some(args);
            }
        }
        let can = capabilities();
        Ok(proto::ConfigureResponse {
            accept_secrets: can.accept_secrets,
            supports_preview: true,
            accept_resources: can.accept_resources,
            accept_outputs: can.accept_outputs,
            supports_autonaming_configuration: can.supports_autonaming_configuration,
        })
    }

    async fn configure_with(&self, args: PropertyMap) -> Result<(), Status> {
        let operation = self.operation("", "", "");
        let outcome = self.call(&operation, |provider, _| async move { provider.configure(args).await });
        outcome.await.map_err(Failure::into_status)?.map_err(Status::from)
    }

    fn other_config(&self) -> Status {
        Status::failed_precondition(format!(
            "This process of the provider {name} already serves another configuration, and a process serves one. \
             That happens when PULUMI_DEBUG_PROVIDERS attaches a program with several providers, or with a \
             configuration that has changed, to one process. Start the process again, or run without \
             PULUMI_DEBUG_PROVIDERS.",
            name = self.provider.name()
        ))
    }
}

fn mark(config: &mut PropertyMap, secrets: &[&str]) {
    for key in secrets {
        if let Some(value) = config.get_mut(*key).filter(|value| !value.is_unknown()) {
            *value = PropertyValue::secret(std::mem::take(value));
        }
    }
}
