//! `pulumi-resource-aws`, standing in for the real one in tests: the few resources that test programs use, made
//! through the AWS API of the sandbox. It is built on the same protocol layer as the product, which keeps that honest.

mod archive;
mod function;
mod role;

use aws_sdk_iam as iam;
use aws_sdk_lambda as lambda;
use lambda_rollout::pulumi::diff::{self, Diff};
use lambda_rollout::pulumi::{
    CheckRequest, Checked, ConfigureError, CreateRequest, Created, DeleteRequest, DiffRequest, Failure,
    Operation, PropertyMap, Provider, ReadRequest, ReadState, UpdateRequest, Updated, serve,
};
use tokio::sync::OnceCell;

/// The version of `@pulumi/aws` that it stands in for.
const VERSION: &str = "7.48.0";

struct StandIn {
    clients: OnceCell<Clients>,
}

#[derive(Debug, Clone)]
struct Clients {
    lambda: lambda::Client,
    iam: iam::Client,
}

impl Clients {
    async fn new() -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let config =
            aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await;
        Self { lambda: lambda::Client::new(&config), iam: iam::Client::new(&config) }
    }
}

enum Kind {
    Function,
    Role,
}

impl Kind {
    fn of(operation: &Operation) -> Result<Self, Failure> {
        match operation.type_token.as_str() {
            "aws:lambda/function:Function" => Ok(Self::Function),
            "aws:iam/role:Role" => Ok(Self::Role),
            other => Err(Failure::plain(format!("the stand-in for the AWS provider has no {other}"))),
        }
    }
}

impl StandIn {
    async fn clients(&self) -> &Clients {
        self.clients.get_or_init(Clients::new).await
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

    async fn configure(&self, _config: PropertyMap) -> Result<(), ConfigureError> {
        Ok(())
    }

    async fn check(&self, operation: Operation, request: CheckRequest) -> Result<Checked, Failure> {
        let inputs = match Kind::of(&operation)? {
            Kind::Function => function::check(&operation, request.inputs),
            Kind::Role => role::check(&operation, request.inputs),
        };
        Ok(Checked { inputs, failures: Vec::new() })
    }

    async fn diff(&self, operation: Operation, request: DiffRequest) -> Result<Diff, Failure> {
        Kind::of(&operation)?;
        Ok(diff::compare(&request.old_inputs, &request.inputs, &["name"]))
    }

    async fn create(&self, operation: Operation, request: CreateRequest) -> Result<Created, Failure> {
        let clients = self.clients().await;
        match Kind::of(&operation)? {
            Kind::Function => function::create(&clients.lambda, &operation, request.inputs).await,
            Kind::Role => role::create(&clients.iam, &operation, request.inputs).await,
        }
    }

    async fn read(&self, operation: Operation, request: ReadRequest) -> Result<Option<ReadState>, Failure> {
        Kind::of(&operation)?;
        match (request.inputs, request.outputs) {
            (Some(inputs), Some(outputs)) => {
                Ok(Some(ReadState { id: request.id, inputs, outputs, refresh_before_update: false }))
            }
            _ => Err(Failure::plain("the stand-in for the AWS provider imports nothing")),
        }
    }

    async fn update(&self, operation: Operation, request: UpdateRequest) -> Result<Updated, Failure> {
        let clients = self.clients().await;
        match Kind::of(&operation)? {
            Kind::Function => function::update(&clients.lambda, &operation, request).await,
            Kind::Role => Ok(role::update(request)),
        }
    }

    async fn delete(&self, operation: Operation, request: DeleteRequest) -> Result<(), Failure> {
        let clients = self.clients().await;
        match Kind::of(&operation)? {
            Kind::Function => function::delete(&clients.lambda, &request.id).await,
            Kind::Role => role::delete(&clients.iam, &request.id).await,
        }
    }
}

/// The name that was declared, or one made from the resource's own.
fn named(operation: &Operation, mut inputs: PropertyMap) -> PropertyMap {
    inputs.entry("name".to_owned()).or_insert_with(|| operation.name.clone().into());
    inputs
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let standin = StandIn { clients: OnceCell::new() };
    match serve(standin, std::env::args().skip(1)).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
