//! Metric math: expressions over metrics, as alarms and `GetMetricData` use them.

mod eval;
mod parse;

pub(crate) use eval::{Inputs, evaluate};
pub(crate) use parse::{Expression, parse};
