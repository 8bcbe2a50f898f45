//! Rollouts survive: the provider is killed before and after each of its calls to AWS, calls are lost and refused, and
//! plain updates put everything right. The real binary is driven as the engine drives it, against the sandbox.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod actions;
mod calls;
mod clock;
mod credentials;
mod death;
mod engine;
mod faults;
mod gate;
mod hooks;
mod isolation;
mod leftovers;
mod lost_roles;
mod lost_versions;
mod marks;
mod model;
mod other_deaths;
mod own_config;
mod polite;
mod proxy;
mod roles;
mod rounds;
mod smoke;
mod soak;
mod states;
mod stories;
mod takeover;
mod tools;
mod unseen;
mod versions;
mod way_back;
mod world;
