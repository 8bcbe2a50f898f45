//! `pulumi-resource-lambda-rollout`: the plugin that the engine starts.

use std::io;
use std::process::ExitCode;

use lambda_rollout::pulumi::serve;
use lambda_rollout::resources::provider::RolloutProvider;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    // Standard output belongs to the protocol: the engine reads the port from it.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(io::stderr)
        .init();
    match serve(RolloutProvider::default(), std::env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
