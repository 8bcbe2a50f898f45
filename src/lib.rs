//! Ships new versions of AWS Lambda functions safely, as a Pulumi provider.
//!
//! [`pulumi`] speaks the engine's protocol, [`aws`] calls AWS, [`rollout`] decides what happens to traffic;
//! [`resources`] brings the three together. `ARCHITECTURE.md` draws the way of a request through them.

pub mod aws;
pub mod pulumi;
pub mod resources;
pub mod rollout;
