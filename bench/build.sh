#!/usr/bin/env bash
# Builds what is compared: the provider as it is shipped, the stub, the provider in Go, and what measures them.
set -euo pipefail
cd "$(dirname "$0")/.."

# One after the other: each gets the features that it has alone, as in a release.
cargo build --release --locked --bin pulumi-resource-lambda-rollout
cargo build --release --locked --package bench-stub
cargo build --release --locked --package rollout-sandbox --package rollout-bench
(cd bench/go && go build -trimpath -ldflags='-s -w' -o ../../target/bench/pulumi-resource-go .)
