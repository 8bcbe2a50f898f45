//! The provider's service as the engine calls it: from messages to requests, and back.

mod config;
mod message;
mod resource;
mod session;

use std::{fmt, sync::Arc};

use tokio::sync::Mutex;
use tonic::{Request, Response, Status, async_trait};

pub(super) use self::session::Session;
use super::{
    proto::{self, resource_provider_server::ResourceProvider},
    provider::Provider,
    value::PropertyMap,
};

/// Answers the engine for a provider.
pub(super) struct Service<P> {
    provider: Arc<P>,
    session: Arc<Session>,
    /// The configuration in force.
    config: Mutex<Option<PropertyMap>>,
}

impl<P: Provider> Service<P> {
    pub(super) fn new(provider: P, session: Arc<Session>) -> Self {
        Self { provider: Arc::new(provider), session, config: Mutex::default() }
    }
}

impl<P> fmt::Debug for Service<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait]
impl<P: Provider> ResourceProvider for Service<P> {
    async fn handshake(
        &self,
        request: Request<proto::ProviderHandshakeRequest>,
    ) -> Answer<proto::ProviderHandshakeResponse> {
        self.session.resume();
        self.session.attach(&request.into_inner().engine_address);
        Ok(Response::new(config::capabilities()))
    }

    async fn attach(&self, request: Request<proto::PluginAttach>) -> Answer<()> {
        self.session.resume();
        self.session.attach(&request.into_inner().address);
        Ok(Response::new(()))
    }

    async fn get_plugin_info(&self, _: Request<()>) -> Answer<proto::PluginInfo> {
        Ok(Response::new(proto::PluginInfo { version: self.provider.version().to_owned() }))
    }

    async fn get_schema(
        &self,
        request: Request<proto::GetSchemaRequest>,
    ) -> Answer<proto::GetSchemaResponse> {
        match request.into_inner().version {
            0 => Ok(Response::new(proto::GetSchemaResponse { schema: self.provider.schema().to_owned() })),
            other => Err(Status::invalid_argument(format!("there is no schema of version {other}"))),
        }
    }

    /// Also the ordinary farewell. It must not fail, and it ends nothing but the operations at work.
    async fn cancel(&self, _: Request<()>) -> Answer<()> {
        self.session.cancel();
        Ok(Response::new(()))
    }

    async fn check_config(&self, request: Request<proto::CheckRequest>) -> Answer<proto::CheckResponse> {
        self.checked_config(request.into_inner()).await.map(Response::new)
    }

    async fn diff_config(&self, request: Request<proto::DiffRequest>) -> Answer<proto::DiffResponse> {
        self.config_difference(request.into_inner()).await.map(Response::new)
    }

    async fn configure(&self, request: Request<proto::ConfigureRequest>) -> Answer<proto::ConfigureResponse> {
        self.session.resume();
        self.configured(request.into_inner()).await.map(Response::new)
    }

    async fn check(&self, request: Request<proto::CheckRequest>) -> Answer<proto::CheckResponse> {
        self.checked(request.into_inner()).await.map(Response::new)
    }

    async fn diff(&self, request: Request<proto::DiffRequest>) -> Answer<proto::DiffResponse> {
        self.difference(request.into_inner()).await.map(Response::new)
    }

    async fn create(&self, request: Request<proto::CreateRequest>) -> Answer<proto::CreateResponse> {
        self.created(request.into_inner()).await.map(Response::new)
    }

    async fn read(&self, request: Request<proto::ReadRequest>) -> Answer<proto::ReadResponse> {
        self.state(request.into_inner()).await.map(Response::new)
    }

    async fn update(&self, request: Request<proto::UpdateRequest>) -> Answer<proto::UpdateResponse> {
        self.updated(request.into_inner()).await.map(Response::new)
    }

    async fn delete(&self, request: Request<proto::DeleteRequest>) -> Answer<()> {
        self.deleted(request.into_inner()).await.map(Response::new)
    }

    async fn invoke(&self, request: Request<proto::InvokeRequest>) -> Answer<proto::InvokeResponse> {
        self.invoked(request.into_inner()).await.map(Response::new)
    }

    async fn get_mapping(&self, _: Request<proto::GetMappingRequest>) -> Answer<proto::GetMappingResponse> {
        Ok(Response::new(proto::GetMappingResponse::default()))
    }

    async fn get_mappings(
        &self,
        _: Request<proto::GetMappingsRequest>,
    ) -> Answer<proto::GetMappingsResponse> {
        Ok(Response::new(proto::GetMappingsResponse::default()))
    }
}
