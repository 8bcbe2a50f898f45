#!/usr/bin/env bash
# Checks the crates in Cargo.lock against deny.toml: licences, bans, sources, and known vulnerabilities.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$PWD/.tools/bin"

if ! command -v cargo-deny > /dev/null; then
    echo "cargo-deny is built once, which takes some minutes" >&2
    cargo install --quiet --locked --root .tools --version 0.20.2 cargo-deny
fi

cargo fetch --quiet --locked
cargo-deny --offline check licenses bans sources

if output=$(cargo-deny check advisories 2>&1); then
    echo "advisories ok"
elif grep --quiet "failed to fetch advisory database" <<< "$output"; then
    echo "advisories NOT checked: RustSec's database cannot be reached from this machine"
else
    echo "$output" >&2
    exit 1
fi
