//! Rollouts survive: the provider is killed before and after each of its calls to AWS, calls are lost and refused, and
//! plain updates put everything right. The real binary is driven as the engine drives it, against the sandbox.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod death;
mod engine;
mod faults;
mod model;
mod proxy;
mod soak;
mod stories;
mod world;
