//! The protocol layer from the outside: a real process, driven by real clients.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod config;
mod descriptors;
mod harness;
mod javascript;
mod process;
mod resource;
