//! The protocol's own JavaScript code, from `@pulumi/pulumi`, as another client.

use std::path::Path;

use tokio::process::Command;

use crate::harness::{Echo, StandIn, soon};

/// What one of the scripts prints.
pub(crate) async fn output_of(script: &str, args: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol/js").join(script);
    let mut node = Command::new("node");
    node.arg(script).args(args).kill_on_drop(true);
    let output = soon(node.output()).await.expect("Node.js is needed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "is `@pulumi/pulumi` installed (`npm ci`)?\n{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The script checks what it hears; at its end it cancels what is at work.
#[tokio::test]
async fn the_official_client_is_served() {
    let engine = StandIn::start().await;
    let echo = Echo::alone().await;
    let output = output_of("client.js", &[&echo.address, &engine.address]).await;
    assert_eq!(output.lines().last(), Some("all calls answered"));
    engine.hears_that("begun").await;
    engine.hears_that("ended").await;
}
