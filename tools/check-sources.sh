#!/usr/bin/env bash
# What of `make audit` costs nothing: every crate comes from crates.io, and there is one TLS stack.
set -euo pipefail
cd "$(dirname "$0")/.."

if grep '^source = ' Cargo.lock | grep --invert-match --line-regexp 'source = "registry+https://github.com/rust-lang/crates.io-index"'; then
    echo "Cargo.lock names a source that is not crates.io" >&2
    exit 1
fi
if grep --extended-regexp '^name = "(openssl-sys|native-tls|aws-lc-sys|reqwest)"' Cargo.lock; then
    echo "Cargo.lock has a second TLS or HTTP stack; deny.toml says which is ours" >&2
    exit 1
fi
