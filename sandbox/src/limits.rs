//! How many requests an account may make: a bucket of tokens for each operation, or for operations that share one.
//!
//! The services publish few of these figures. Those that are known are here as they are; CodeDeploy's are drawn from
//! reports of what was throttled.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::clock::{Clock, Timestamp};
use crate::error::ServiceError;
use crate::identity::Scope;
use crate::lock::locked;

/// Tokens that come back at a rate per second of the service, up to a number that can be used at once.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Quota {
    /// The operations that share a bucket have one name for it.
    bucket: &'static str,
    rate: f64,
    burst: f64,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Rates {
    clock: Clock,
    buckets: Mutex<HashMap<(Scope, &'static str, String), Bucket>>,
}

impl Rates {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, buckets: Mutex::default() }
    }

    /// Whether a call may be made now; if so, it is counted.
    pub(crate) fn admit(&self, scope: &Scope, service: &str, operation: &str) -> bool {
        self.admit_at(scope, service, operation, Clock::now())
    }

    fn admit_at(&self, scope: &Scope, service: &str, operation: &str, now: Timestamp) -> bool {
        let Some((service, quota)) = quota(service, operation) else { return true };
        let name = if quota.bucket.is_empty() { operation } else { quota.bucket };
        let mut buckets = locked(&self.buckets);
        let bucket = buckets
            .entry((scope.clone(), service, name.to_owned()))
            .or_insert(Bucket { tokens: quota.burst, at: now });
        let passed = (now - bucket.at).max(0.0) * self.clock.speed();
        bucket.tokens = (bucket.tokens + passed * quota.rate).min(quota.burst);
        bucket.at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

/// What is known of an operation's rate; nothing if it is not limited here.
fn quota(service: &str, operation: &str) -> Option<(&'static str, Quota)> {
    let own = |rate, burst| Quota { bucket: "", rate, burst };
    Some(match (service, operation) {
        // Jobs that together polled some forty times a minute were throttled.
        ("codedeploy", "GetDeployment") => ("codedeploy", own(1.0, 5.0)),
        ("codedeploy", _) => ("codedeploy", own(1.0, 10.0)),
        ("cloudwatch", "DescribeAlarms") => ("cloudwatch", own(9.0, 9.0)),
        ("cloudwatch", "PutMetricAlarm" | "SetAlarmState" | "DeleteAlarms") => ("cloudwatch", own(3.0, 3.0)),
        ("lambda", "Invoke" | "InvokeWithResponseStream") => return None,
        ("lambda", "GetFunction") => ("lambda", own(100.0, 100.0)),
        ("lambda", "GetPolicy") => ("lambda", own(15.0, 15.0)),
        ("lambda", _) => ("lambda", Quota { bucket: "control plane", rate: 15.0, burst: 15.0 }),
        _ => return None,
    })
}

/// How each service says that it is asked too often.
pub(crate) fn throttling(service: &str) -> ServiceError {
    match service {
        "lambda" => ServiceError::new(429, "TooManyRequestsException", "Rate exceeded"),
        "iam" | "sts" | "sns" | "cloudwatch" => ServiceError::bad("Throttling", "Rate exceeded"),
        _ => ServiceError::bad("ThrottlingException", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(rates: &Rates, service: &str, operation: &str, calls: u32, now: Timestamp) -> u32 {
        let scope = Scope::new("1", "eu-west-1");
        (0..calls).map(|_| u32::from(rates.admit_at(&scope, service, operation, now))).sum()
    }

    #[test]
    fn a_bucket_is_emptied_and_fills_again_by_the_clock() {
        let rates = Rates::new(Clock::new(60.0));
        assert_eq!(admitted(&rates, "codedeploy", "CreateDeploymentConfig", 15, 100.0), 10);
        assert_eq!(admitted(&rates, "codedeploy", "GetApplication", 1, 100.0), 1, "another operation");
        // A sixteenth of a second here is almost four seconds of the service.
        assert_eq!(admitted(&rates, "codedeploy", "CreateDeploymentConfig", 15, 100.0625), 3);
        assert_eq!(admitted(&rates, "codedeploy", "CreateDeploymentConfig", 15, 200.0), 10, "it overflows");
    }

    #[test]
    fn lambdas_control_plane_shares_its_bucket() {
        let rates = Rates::new(Clock::new(1.0));
        assert_eq!(admitted(&rates, "lambda", "GetAlias", 10, 1.0), 10);
        assert_eq!(admitted(&rates, "lambda", "UpdateAlias", 10, 1.0), 5);
        assert_eq!(admitted(&rates, "lambda", "Invoke", 500, 1.0), 500);
        assert_eq!(admitted(&rates, "lambda", "GetFunction", 200, 1.0), 100);
        assert_eq!(admitted(&rates, "sqs", "SendMessage", 500, 1.0), 500);
    }
}
