//! The provider's configuration: read, checked, and turned into a session.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::aws::{AssumeRole, Aws, AwsConfig};
use crate::pulumi::{CheckFailure, ConfigureError, Input, MissingKey, PropertyMap, Reader};
use crate::resources::function_rollout::inputs::ALREADY_FIRING;
use crate::resources::gather::{self, Gather};
use crate::resources::session::{Overrides, Session};
use crate::rollout::clock::Clock;

/// Configuration that must never be shown.
pub const SECRETS: &[&str] = &["accessKey", "secretKey", "token"];

const SERVICES: [&str; 6] = ["codedeploy", "lambda", "iam", "cloudwatch", "logs", "sts"];

#[derive(Debug)]
pub struct Declared {
    aws: AwsConfig,
    overrides: Overrides,
    slots: Option<usize>,
    pub failures: Vec<CheckFailure>,
}

pub fn read(config: &PropertyMap) -> Declared {
    let u = Gather::default();
    let r = Reader::lenient(config);
    let positive = |key: &'static str| match r.number(key) {
        Input::Known(number) if number <= 0.0 => {
            r.fail(key, format!("cannot be {number}: give a number above 0"));
            None
        }
        other => other.known(),
    };
    let text = |key: &'static str| u.text(&r, key).filter(|text| !text.is_empty());
    let aws = AwsConfig {
        region: text("region"),
        profile: text("profile"),
        access_key: text("accessKey"),
        secret_key: text("secretKey"),
        token: text("token"),
        assume_role: u.object(&r, "assumeRole", assume_role),
        endpoints: u.object(&r, "endpoints", endpoints).unwrap_or_default(),
        max_retries: r.integer_in("maxRetries", 0..=100).known().and_then(|n| u32::try_from(n).ok()),
        requests_per_second: positive("requestsPerSecond"),
        deployment_starts_per_second: positive("deploymentStartsPerSecond"),
    };
    let given = |key: &str| config.get(key).is_some_and(|value| !value.is_null());
    if given("accessKey") != given("secretKey") {
        let (have, lack) =
            if given("accessKey") { ("accessKey", "secretKey") } else { ("secretKey", "accessKey") };
        r.misplaced(lack, format!("is required together with `{have}`"));
    }
    let slots = r.integer_in("maxConcurrentDeployments", 1..=1_000_000).known();
    let overrides = Overrides {
        alarms_already_firing: u.choice(&r, "alarmsAlreadyFiring", &ALREADY_FIRING),
        strategy: u.object(&r, "strategyOverride", gather::strategy),
        skip_bake: u.flag(&r, "skipBake", false),
        default_tags: gather::tags(&u, &r, "defaultTags"),
    };
    let slots = slots.and_then(|count| usize::try_from(count).ok());
    Declared { aws, overrides, slots, failures: r.finish() }
}

fn assume_role(u: &Gather, r: &Reader<'_>) -> AssumeRole {
    let arn = gather::arn(r, "roleArn", "iam", "arn:aws:iam::123456789012:role/NAME");
    let duration = u.duration(r, "duration");
    if duration.is_some_and(|d| !(900..=43_200).contains(&d.as_secs())) {
        r.fail("duration", "is out of range: a session lasts from 15 minutes to 12 hours");
    }
    AssumeRole {
        role_arn: u.take("roleArn", r.required("roleArn", arn), String::new()).unwrap_or_default(),
        session_name: u.text(r, "sessionName"),
        external_id: u.text(r, "externalId"),
        duration,
    }
}

fn endpoints(u: &Gather, r: &Reader<'_>) -> BTreeMap<String, String> {
    let mut endpoints = BTreeMap::new();
    for service in SERVICES {
        let url = r.parse(service, |text| {
            let fine = text.starts_with("https://") || text.starts_with("http://");
            if fine {
                Ok(text.to_owned())
            } else {
                Err("it is no URL; one looks like https://HOST".to_owned())
            }
        });
        if let Some(url) = u.take(service, url, String::new()) {
            endpoints.insert(service.to_owned(), url);
        }
    }
    endpoints
}

/// A session, if the region is known. Calls nothing.
pub async fn session(config: &PropertyMap, clock: Clock) -> Result<Session, ConfigureError> {
    let Declared { aws, overrides, slots, failures } = read(config);
    if !failures.is_empty() {
        let all: Vec<String> = failures.iter().map(|f| format!("{} {}", f.path, f.reason)).collect();
        return Err(ConfigureError::Other(all.join("; ")));
    }
    let aws = Aws::new(aws, clock);
    if aws.region().await.is_none() {
        return Err(ConfigureError::MissingKeys(vec![MissingKey {
            name: "lambda-rollout:region".to_owned(),
            description: "The AWS region to work in, for example eu-west-1. AWS_REGION or the profile may give it, too."
                .to_owned(),
        }]));
    }
    let slots = slots.map(|count| Arc::new(Semaphore::new(count)));
    Ok(Session::new(aws, clock, overrides, slots))
}

/// How fast the service's clock runs. Only the sandbox's is faster than the wall's.
pub fn clock() -> Clock {
    let speed = std::env::var("LAMBDA_ROLLOUT_CLOCK_SPEED").ok().and_then(|text| text.parse().ok());
    Clock::new(speed.unwrap_or(1.0))
}
