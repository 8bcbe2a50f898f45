//! `pulumi-resource-aws`, standing in for the real one in tests: the resources that the examples and the tests use, made
//! through the AWS API of the sandbox. It is built on the same protocol layer as the product, which keeps that honest.
//!
//! Most types are nothing but a description in `resources/*.yaml`; only the function has a program of its own.

mod archive;
mod aws;
mod call;
mod convert;
mod data;
mod form;
mod function;
mod names;
mod object;
mod table;
mod template;
mod xml;

use lambda_rollout::pulumi::diff::{self, Diff};
use lambda_rollout::pulumi::{
    CheckRequest, Checked, ConfigureError, CreateRequest, Created, DeleteRequest, DiffRequest, Failure,
    InvokeRequest, Invoked, Operation, PropertyMap, PropertyValue, Provider, ReadRequest, ReadState,
    UpdateRequest, Updated, serve,
};
use tokio::sync::OnceCell;

use aws::Aws;
use table::Kind;

/// The version of `@pulumi/aws` that it stands in for.
const VERSION: &str = "7.48.0";

#[derive(Default)]
struct StandIn {
    aws: OnceCell<Aws>,
}

enum Type {
    Function,
    Described(&'static Kind),
}

impl Type {
    fn of(operation: &Operation) -> Result<Self, Failure> {
        match operation.type_token.as_str() {
            function::TOKEN => Ok(Self::Function),
            other => table::kind(other).map(Self::Described).map_err(Failure::plain),
        }
    }
}

impl StandIn {
    /// The client for the region that these properties name, or for the provider's.
    fn aws(&self, properties: &PropertyMap) -> Result<Aws, Failure> {
        let aws = self.aws.get().ok_or_else(|| Failure::bug("the provider was not configured"))?;
        Ok(aws.in_region(properties.get("region").and_then(PropertyValue::as_str)))
    }
}

impl Provider for StandIn {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn schema(&self) -> &'static str {
        r#"{"name":"aws","version":"7.48.0"}"#
    }

    async fn configure(&self, config: PropertyMap) -> Result<(), ConfigureError> {
        let aws = Aws::new(config.get("region").and_then(PropertyValue::as_str));
        // An attached process is configured more than once; the first configuration stands.
        self.aws.get_or_try_init(async || aws).await.map_err(ConfigureError::Other)?;
        Ok(())
    }

    async fn check(&self, operation: Operation, request: CheckRequest) -> Result<Checked, Failure> {
        let inputs = match Type::of(&operation)? {
            Type::Function => names::fill("name", &operation, request),
            Type::Described(kind) => {
                let mut request = request;
                for (key, value) in &kind.defaults {
                    request.inputs.entry(key.clone()).or_insert_with(|| convert::property(value));
                }
                match &kind.autoname {
                    Some(key) => names::fill(key, &operation, request),
                    None => request.inputs,
                }
            }
        };
        Ok(Checked { inputs, failures: Vec::new() })
    }

    async fn diff(&self, operation: Operation, request: DiffRequest) -> Result<Diff, Failure> {
        let replaces: Vec<&str> = match Type::of(&operation)? {
            Type::Function => function::REPLACES.to_vec(),
            Type::Described(kind) => kind.replaces.iter().map(String::as_str).collect(),
        };
        Ok(diff::compare(&request.old_inputs, &request.inputs, &replaces))
    }

    async fn create(&self, operation: Operation, request: CreateRequest) -> Result<Created, Failure> {
        let aws = self.aws(&request.inputs)?;
        match Type::of(&operation)? {
            Type::Function => function::create(&aws, &operation, request.inputs).await,
            Type::Described(kind) => object::create(kind, &aws, &operation, request.inputs).await,
        }
    }

    async fn read(&self, operation: Operation, request: ReadRequest) -> Result<Option<ReadState>, Failure> {
        let aws = self.aws(request.inputs.as_ref().unwrap_or(&PropertyMap::new()))?;
        match Type::of(&operation)? {
            Type::Function => function::read(&aws, request).await,
            Type::Described(kind) => object::read(kind, &aws, request).await,
        }
    }

    async fn update(&self, operation: Operation, request: UpdateRequest) -> Result<Updated, Failure> {
        let aws = self.aws(&request.inputs)?;
        match Type::of(&operation)? {
            Type::Function => function::update(&aws, &operation, request).await,
            Type::Described(kind) => object::update(kind, &aws, &operation, request).await,
        }
    }

    async fn delete(&self, operation: Operation, request: DeleteRequest) -> Result<(), Failure> {
        let aws = self.aws(&request.old_inputs)?;
        match Type::of(&operation)? {
            Type::Function => function::delete(&aws, &request.id).await,
            Type::Described(kind) => object::delete(kind, &aws, request).await,
        }
    }

    async fn invoke(&self, _: Operation, request: InvokeRequest) -> Result<Invoked, Failure> {
        let aws = self.aws(&request.args)?;
        data::ask(&aws, &request.token, &request.args).await.map(Invoked::Result)
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match serve(StandIn::default(), std::env::args().skip(1)).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
