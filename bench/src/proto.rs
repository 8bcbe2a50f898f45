//! Pulumi's protocol, generated from `proto/`.
#![allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated code follows its own style"
)]

tonic::include_proto!("pulumirpc");
