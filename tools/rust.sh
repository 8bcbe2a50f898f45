#!/usr/bin/env bash
# Installs the release of Rust that Cargo.toml asks for and makes it the default one, with rustup. What is shipped is
# built by that one, and by no other that a machine happens to have.
#
#   rust.sh [--component NAME]...
set -euo pipefail
cd "$(dirname "$0")/.."

release=$(sed -nE 's/^rust-version = "(.*)"/\1/p' Cargo.toml)
rustup toolchain install "$release" --profile minimal --no-self-update "$@"
rustup default "$release"
