//! What a provider is: the trait to implement, and what its calls are given and give back.

use std::future::{Future, ready};

use super::{
    check::{CheckFailure, Checked},
    diff::{self, Diff},
    failure::Failure,
    operation::Operation,
    value::PropertyMap,
};

/// A provider of resources and functions.
///
/// Calls run concurrently, and a panic is reported as one failed call. Each but `check` and `diff` runs in a task of its
/// own that is not cut short when the caller goes away; those two are dropped with their caller.
pub trait Provider: Send + Sync + 'static {
    /// The package's name.
    fn name(&self) -> &'static str;

    /// A semantic version, without a leading "v".
    fn version(&self) -> &'static str;

    /// The package's schema, as JSON.
    fn schema(&self) -> &'static str;

    /// Configuration that is secret. The engine hands it over unmarked when it is to be checked.
    fn secret_config(&self) -> &[&str] {
        &[]
    }

    /// Checks the configuration. By default all of it is fine.
    fn check_config(&self, request: CheckRequest) -> impl Future<Output = Checked> + Send {
        ready(Checked { inputs: request.inputs, failures: Vec::new() })
    }

    /// Says what a change of the configuration means. A change that replaces replaces every resource of the provider;
    /// by default none does.
    fn diff_config(&self, request: DiffRequest) -> impl Future<Output = Diff> + Send {
        ready(diff::compare(&request.old_inputs, &request.inputs, &[]))
    }

    /// Takes the configuration. Called once with success, before any resource.
    fn configure(&self, config: PropertyMap) -> impl Future<Output = Result<(), ConfigureError>> + Send;

    fn check(
        &self,
        operation: Operation,
        request: CheckRequest,
    ) -> impl Future<Output = Result<Checked, Failure>> + Send;

    /// Must be a pure function of the request.
    fn diff(
        &self,
        operation: Operation,
        request: DiffRequest,
    ) -> impl Future<Output = Result<Diff, Failure>> + Send;

    fn create(
        &self,
        operation: Operation,
        request: CreateRequest,
    ) -> impl Future<Output = Result<Created, Failure>> + Send;

    /// None: the object does not exist. An error must never be turned into that.
    fn read(
        &self,
        operation: Operation,
        request: ReadRequest,
    ) -> impl Future<Output = Result<Option<ReadState>, Failure>> + Send;

    fn update(
        &self,
        operation: Operation,
        request: UpdateRequest,
    ) -> impl Future<Output = Result<Updated, Failure>> + Send;

    /// An object that does not exist any more is deleted.
    fn delete(
        &self,
        operation: Operation,
        request: DeleteRequest,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// By default there are no functions.
    fn invoke(
        &self,
        operation: Operation,
        request: InvokeRequest,
    ) -> impl Future<Output = Result<Invoked, Failure>> + Send {
        let _ = operation;
        ready(Err(Failure::plain(format!("there is no function \"{}\"", request.token))))
    }
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// The engine tells the user which command sets them.
    #[error("required configuration is missing")]
    MissingKeys(Vec<MissingKey>),
    #[error("{0}")]
    Other(String),
}

/// A piece of configuration that has to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingKey {
    /// With the package's name: `lambda-rollout:region`.
    pub name: String,
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckRequest {
    /// What was checked before; empty in a creation.
    pub old_inputs: PropertyMap,
    /// What is declared now.
    pub inputs: PropertyMap,
    /// The only source of chance that is allowed; may be empty.
    pub random_seed: Vec<u8>,
    pub autonaming: Option<Autonaming>,
}

/// What the user wants of automatic names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Autonaming {
    /// This one, if it fits.
    Propose(String),
    /// This one or none.
    Enforce(String),
    /// None: a name has to be given.
    Disable,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiffRequest {
    pub id: String,
    pub old_inputs: PropertyMap,
    pub old_outputs: PropertyMap,
    /// What is declared now, checked; unknown values are possible even outside of a preview.
    pub inputs: PropertyMap,
    /// Paths that the user wants left alone; the inputs are in order already.
    pub ignore_changes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateRequest {
    pub inputs: PropertyMap,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadRequest {
    pub id: String,
    /// None in an import.
    pub inputs: Option<PropertyMap>,
    /// None in an import.
    pub outputs: Option<PropertyMap>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateRequest {
    pub id: String,
    pub old_inputs: PropertyMap,
    pub old_outputs: PropertyMap,
    pub inputs: PropertyMap,
    pub ignore_changes: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteRequest {
    pub id: String,
    pub old_inputs: PropertyMap,
    pub old_outputs: PropertyMap,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct InvokeRequest {
    /// The function's token.
    pub token: String,
    /// An argument that a preview does not know yet is missing.
    pub args: PropertyMap,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Created {
    pub id: String,
    /// All inputs, and what was computed. A preview leaves out, or unknown, what is not certain.
    pub outputs: PropertyMap,
    /// Whether the engine has to read the object again before the next update.
    pub refresh_before_update: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadState {
    pub id: String,
    pub inputs: PropertyMap,
    pub outputs: PropertyMap,
    pub refresh_before_update: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Updated {
    pub outputs: PropertyMap,
    pub refresh_before_update: bool,
}

/// What a function answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Invoked {
    Result(PropertyMap),
    /// The arguments are wrong.
    Refused(Vec<CheckFailure>),
}
