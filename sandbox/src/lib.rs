//! AWS CodeDeploy for Lambda on one machine.
//!
//! One HTTP endpoint stands in front of ministack, which runs the functions. The sandbox adds what ministack lacks:
//! CodeDeploy with its whole lifecycle, traffic by weight with Lambda's metrics, CloudWatch's alarms on a clock that
//! can run faster, and function URLs of aliases.

pub mod cli;
pub mod clock;
mod cloudwatch;
mod codedeploy;
mod error;
mod gateway;
mod http;
mod iam;
mod identity;
mod journal;
mod lambda;
mod limits;
mod lock;
mod logs;
mod ministack;
mod needs;
mod sandbox;
mod timestamp;
mod upstream;
mod uuid;
mod xml;

pub use ministack::{FindError, StartError};
pub use sandbox::{Sandbox, SandboxError};
pub use upstream::UpstreamError;
