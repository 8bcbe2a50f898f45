//! The messages and services of the protocol, generated from `proto/`. Only this layer sees them.
#![allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated code follows its own style"
)]

tonic::include_proto!("pulumirpc");
