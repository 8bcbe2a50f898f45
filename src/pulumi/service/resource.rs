//! The calls about a resource, and about functions.

use std::{future::Future, sync::Arc};

use prost_types::Struct;
use tonic::Status;

use super::{
    super::{
        diff::Diff,
        failure::{Failure, Partial},
        hidden::Hidden,
        operation::Operation,
        proto,
        provider::{
            CheckRequest, CreateRequest, Created, DeleteRequest, DiffRequest, InvokeRequest, Invoked,
            Provider, ReadRequest, ReadState, UpdateRequest, Updated,
        },
        urn::Urn,
        value::PropertyMap,
        wire,
    },
    Service,
    message::{known_unless, timeout},
    session::run_here,
};

impl<P: Provider> Service<P> {
    /// The engine may leave out name and type; the URN has them too.
    pub(super) fn operation(&self, urn: &str, name: &str, type_token: &str) -> Operation {
        let urn = Urn::new(urn);
        let said_or = |said: &str, of_urn: &str| if said.is_empty() { of_urn } else { said }.to_owned();
        Operation {
            name: said_or(name, urn.name()),
            type_token: said_or(type_token, urn.type_token()),
            preview: false,
            timeout: None,
            cancel: self.session.cancellation(),
            log: self.session.log_of(urn.clone()),
            hidden: Hidden::default(),
            kept: Arc::default(),
            urn,
        }
    }

    /// Calls the provider, in a task of its own.
    pub(super) async fn call<T, F>(
        &self,
        operation: &Operation,
        call: impl FnOnce(Arc<P>, Operation) -> F,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.session.run(operation, call(Arc::clone(&self.provider), operation.clone())).await
    }

    /// A call about a resource or a function; what it fails with tells no secret of theirs.
    async fn ask<T, F>(
        &self,
        operation: &Operation,
        call: impl FnOnce(Arc<P>, Operation) -> F,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        self.call(operation, call).await.flatten().map_err(|failure| operation.hidden.cut_out_of(failure))
    }

    pub(super) async fn checked(&self, message: proto::CheckRequest) -> Result<proto::CheckResponse, Status> {
        let operation = self.operation(&message.urn, &message.name, &message.r#type);
        let request = CheckRequest::try_from(message)?;
        let operation = operation.hiding([&request.inputs]);
        let given = operation.clone();
        let checked = answer(&operation, async { self.provider.check(given, request).await });
        let checked = checked.await.map_err(Failure::into_status)?;
        let inputs = checked.inputs;
        let failures = checked.failures.into_iter().map(|failure| failure.render(&inputs)).collect();
        Ok(proto::CheckResponse { inputs: Some(wire::write(inputs)), failures })
    }

    pub(super) async fn difference(
        &self,
        message: proto::DiffRequest,
    ) -> Result<proto::DiffResponse, Status> {
        let operation = self.operation(&message.urn, &message.name, &message.r#type);
        let request = DiffRequest::try_from(message)?;
        let operation = operation.hiding([&request.inputs, &request.old_inputs]);
        let given = operation.clone();
        let diff = answer(&operation, async { self.provider.diff(given, request).await });
        diff.await.map(Diff::render).map_err(Failure::into_status)
    }

    pub(super) async fn created(
        &self,
        message: proto::CreateRequest,
    ) -> Result<proto::CreateResponse, Status> {
        let operation = Operation {
            preview: message.preview,
            timeout: timeout(message.timeout),
            ..self.operation(&message.urn, &message.name, &message.r#type)
        };
        not_cancelled(&operation)?;
        let request = CreateRequest::try_from(message)?;
        let operation = operation.hiding([&request.inputs]);
        known_unless(operation.preview, &request.inputs)?;
        let created =
            self.ask(&operation, |provider, given| async move { provider.create(given, request).await });
        let created = created.await.and_then(|created| valid_creation(&operation, created));
        let Created { id, outputs, refresh_before_update } =
            created.map_err(|failure| failed(&operation, failure, ""))?;
        Ok(proto::CreateResponse { id, properties: Some(wire::write(outputs)), refresh_before_update })
    }

    pub(super) async fn updated(
        &self,
        message: proto::UpdateRequest,
    ) -> Result<proto::UpdateResponse, Status> {
        let operation = Operation {
            preview: message.preview,
            timeout: timeout(message.timeout),
            ..self.operation(&message.urn, &message.name, &message.r#type)
        };
        not_cancelled(&operation)?;
        let request = UpdateRequest::try_from(message)?;
        let operation = operation.hiding([&request.inputs, &request.old_inputs]);
        known_unless(operation.preview, &request.inputs)?;
        let id = request.id.clone();
        let updated =
            self.ask(&operation, |provider, given| async move { provider.update(given, request).await });
        let updated = updated.await.and_then(|updated| {
            storable(&operation, &id, &updated.outputs)?;
            Ok(updated)
        });
        let Updated { outputs, refresh_before_update } =
            updated.map_err(|failure| failed(&operation, failure, &id))?;
        Ok(proto::UpdateResponse { properties: Some(wire::write(outputs)), refresh_before_update })
    }

    /// That the object is gone is said by an answer with nothing in it.
    pub(super) async fn state(&self, message: proto::ReadRequest) -> Result<proto::ReadResponse, Status> {
        let operation = Operation {
            timeout: timeout(message.timeout),
            ..self.operation(&message.urn, &message.name, &message.r#type)
        };
        let request = ReadRequest::try_from(message)?;
        let operation = operation.hiding(&request.inputs);
        let id = request.id.clone();
        let state =
            self.ask(&operation, |provider, given| async move { provider.read(given, request).await });
        let state = state.await.map_err(|failure| failure.into_status_of(&id))?;
        let Some(ReadState { id: found, inputs, outputs, refresh_before_update }) = state else {
            return Ok(proto::ReadResponse::default());
        };
        all_known(&inputs).and_then(|()| all_known(&outputs)).map_err(Failure::into_status)?;
        Ok(proto::ReadResponse {
            id: if found.is_empty() { id } else { found },
            properties: Some(wire::write(outputs)),
            inputs: Some(wire::write(inputs)),
            refresh_before_update,
        })
    }

    /// The engine keeps no partial state here, so the message has to say everything.
    pub(super) async fn deleted(&self, message: proto::DeleteRequest) -> Result<(), Status> {
        let operation = Operation {
            timeout: timeout(message.timeout),
            ..self.operation(&message.urn, &message.name, &message.r#type)
        };
        not_cancelled(&operation)?;
        let request = DeleteRequest::try_from(message)?;
        let operation = operation.hiding([&request.old_inputs]);
        let deleted =
            self.ask(&operation, |provider, given| async move { provider.delete(given, request).await });
        deleted.await.map_err(Failure::into_status)
    }

    pub(super) async fn invoked(
        &self,
        message: proto::InvokeRequest,
    ) -> Result<proto::InvokeResponse, Status> {
        let operation = Operation { preview: message.preview, ..self.operation("", "", &message.tok) };
        let request = InvokeRequest::try_from(message)?;
        let operation = operation.hiding([&request.args]);
        let declared = request.args.clone();
        let invoked =
            self.ask(&operation, |provider, given| async move { provider.invoke(given, request).await });
        let (result, failures) = match invoked.await.map_err(Failure::into_status)? {
            Invoked::Result(result) => {
                all_known(&result).map_err(Failure::into_status)?;
                (wire::write(result), Vec::new())
            }
            Invoked::Refused(failures) => (Struct::default(), failures),
        };
        let failures = failures.into_iter().map(|failure| failure.render(&declared)).collect();
        Ok(proto::InvokeResponse { r#return: Some(result), failures })
    }
}

/// An answer that asks AWS nothing: it is computed where it was asked for, because a task of its own would be much of its
/// cost.
async fn answer<T>(
    operation: &Operation,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    run_here(operation, call).await.flatten().map_err(|failure| operation.hidden.cut_out_of(failure))
}

/// After a cancellation nothing new begins.
fn not_cancelled(operation: &Operation) -> Result<(), Status> {
    if operation.cancel.is_cancelled() && !operation.preview {
        let message = "It was cancelled before it began. Nothing was changed.";
        return Err(Failure::cancelled(message).into_status());
    }
    Ok(())
}

/// A preview leaves no state behind, so it has no partial one.
fn failed(operation: &Operation, failure: Failure, id: &str) -> Status {
    if operation.preview { failure.into_status() } else { failure.into_status_of(id) }
}

/// The engine would forget an object without an id, or with outputs that are not known.
fn valid_creation(operation: &Operation, created: Created) -> Result<Created, Failure> {
    if created.id.is_empty() && !operation.preview {
        return Err(Failure::bug(
            "The provider created something without an id. Please report this bug in it.",
        ));
    }
    storable(operation, &created.id, &created.outputs)?;
    Ok(created)
}

/// Only a preview may leave outputs unknown. Otherwise the engine would refuse them and lose the state, so it gets
/// those that are known.
fn storable(operation: &Operation, id: &str, outputs: &PropertyMap) -> Result<(), Failure> {
    if operation.preview {
        return Ok(());
    }
    all_known(outputs).map_err(|failure| {
        Failure::from(Partial {
            id: id.to_owned(),
            outputs: outputs.clone(),
            reasons: vec![failure.to_string()],
            ..Partial::default()
        })
    })
}

fn all_known(properties: &PropertyMap) -> Result<(), Failure> {
    let unknown: Vec<&str> = properties
        .iter()
        .filter(|(_, value)| value.contains_unknown())
        .map(|(key, _)| key.as_str())
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names = unknown.join(", ");
    Err(Failure::bug(format!("The provider cannot say what {names} is. Please report this bug in it.")))
}
