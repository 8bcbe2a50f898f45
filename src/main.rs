//! `pulumi-resource-lambda-rollout`: the plugin that the engine starts.

use std::io;
use std::process::ExitCode;

use lambda_rollout::pulumi::serve;
use lambda_rollout::resources::provider::RolloutProvider;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// The library and this binary, as they are named in the log.
const OURS: [&str; 2] = ["lambda_rollout", "pulumi_resource_lambda_rollout"];

// Calls wait for AWS, and hardly compute: to hand them from thread to thread costs more than a second core gains.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // RUST_LOG says how much of our own is told. What the libraries below would tell holds requests with their
    // headers and bodies, which are credentials and payloads; none of it is told at any level.
    let wanted = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let level = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let ours = filter_fn(|event| OURS.iter().any(|module| event.target().starts_with(module)));
    // Standard output belongs to the protocol: the engine reads the port from it.
    let log = fmt::layer().with_writer(io::stderr).with_filter(ours);
    tracing_subscriber::registry().with(level).with(log).init();
    match serve(RolloutProvider::default(), std::env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
