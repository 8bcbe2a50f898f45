//! The domain: how a version of a Lambda function gets its traffic, and loses it again.
//!
//! Nothing here knows gRPC, Pulumi or the AWS SDK. The way of a rollout: [`spec`] (what is declared) and [`observe`]
//! (what exists) go into [`plan`], whose steps [`apply`] carries out and whose traffic [`deploy`] moves;
//! [`reconcile`] is the loop around them, [`remove`] the way back.

pub mod alarm;
pub mod alias;
pub mod announce;
pub mod apply;
pub mod appspec;
pub mod bake;
pub mod clear;
pub mod clock;
pub mod cloud;
pub mod context;
pub mod deploy;
pub mod duration;
pub mod failure;
pub mod follow;
pub mod function;
pub mod hook;
pub mod leftover;
pub mod lint;
pub mod memory;
pub mod names;
pub mod observe;
pub mod outlook;
pub mod owner;
pub mod pieces;
pub mod place;
pub mod plan;
pub mod preflight;
pub mod progress;
pub mod pulse;
pub mod reconcile;
pub mod refusal;
pub mod remove;
pub mod report;
pub mod single;
pub mod smoke;
pub mod spec;
pub mod start;
pub mod strategy;
pub mod sweep;
pub mod timetable;
pub mod waiter;
pub mod way_back;
