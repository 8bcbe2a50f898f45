//! Bad input: whatever comes over the wire, from the engine or from AWS, is answered, and the process lives on.
//!
//! Inputs are made from a seed, so that each can be made again, and follow the schema for most of their way, so that
//! they get deep into the code. `make soak` tries a million of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod answer;
mod cloud;
mod dice;
mod frames;
mod memory;
mod process;
mod promises;
mod regressions;
mod request;
mod shape;
mod shrink;
#[path = "../reliability/soak.rs"]
mod soak;
mod text;
mod wire;
