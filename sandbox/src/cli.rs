//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Delay;

pub const HELP: &str = "\
rollout-sandbox: AWS CodeDeploy for Lambda on your machine

It is one address for all of AWS. Point any SDK, the AWS CLI or Pulumi at it:

    rollout-sandbox --speed 60
    export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

Functions really run (Node.js and Python), an alias's weights really divide its traffic, hooks are
invoked and have to report, alarms fire on what the functions did, and a deployment that goes wrong
is rolled back. An access key of twelve digits is an account of its own.

Usage: rollout-sandbox [OPTIONS]

  --port N             the port on 127.0.0.1; 0 takes any free one [default: 4566]
  --speed N            how fast the service's time passes: at 60, five minutes are five seconds.
                       Traffic intervals, alarm periods, time limits, rates and delays all follow
                       it [default: 1]
  --ministack PATH     the ministack command. Otherwise: $ROLLOUT_SANDBOX_MINISTACK, .venv/bin here
                       or in a folder above, the PATH
  --upstream URL       what runs behind the sandbox instead of a ministack of its own: any endpoint
                       like AWS's that has Lambda, IAM, STS, SNS, S3 and CloudWatch Logs. Its
                       functions need AWS_ENDPOINT_URL set to this sandbox. What it lacks is said
                       at the start
  --exit-with-stdin    stop when standard input closes, for programs that start the sandbox
  --help, --version

What is unpleasant about AWS, each with a switch. Seconds are the service's:

  --iam-delay SECONDS  a change of a role or its policies counts only after this long [default: 0]
  --metric-delay SECONDS, or LEAST-MOST
                       metrics are seen only after this long; 60-180 is like AWS [default: 0]
  --rollback-info-delay SECONDS
                       a deployment says only this long after its end that it was rolled back
                       [default: 0]
  --provisioning SECONDS
                       a deployment's first shift waits this long if the alias has provisioned
                       concurrency [default: 0]
  --executed-version-only-weighted
                       publish metrics per executed version only while an alias has weights
  --clock-skew SECONDS the services' time of day is this much ahead of the machine's, or behind it if it
                       is less than 0. What functions log is dated by the machine [default: 0]
  --limits aws|none    with aws, requests are throttled by operation, an account has at most 50
                       deployment configurations, and 1,300 deployments at once [default: none]
  --throttle-codedeploy
                       CodeDeploy's own calls to Lambda and CloudWatch have AWS's rates. With many
                       deployments at once some fail with THROTTLED, and some cannot read their
                       alarms and stop

When it is ready it prints one line: rollout-sandbox ready: http://127.0.0.1:4566 (speed 60)
It stops on Ctrl-C, and leaves nothing behind. RUST_LOG=info says what it does.

What was called and what exists, for tests and for the curious:

  GET    /_sandbox/health     whether it is ready
  GET    /_sandbox/state      everything that exists, by account and region
  GET    /_sandbox/journal    every call in order; ?since=N for those after number N
  DELETE /_sandbox/journal    forget them
  POST   /_sandbox/faults     make calls fail: {\"service\": \"codedeploy\", \"operation\":
                              \"GetDeployment\", \"kind\": \"throttle\", \"count\": 3}
                              kinds: throttle, 500, reset-before, reset-after, delay (delayMs);
                              instead of count: probability, with or without seed
  DELETE /_sandbox/faults     no more faults
";

/// What is behind the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    /// A ministack of our own; where it is, if that was said.
    Ministack(Option<PathBuf>),
    /// A ministack that runs already.
    Upstream(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub port: u16,
    pub speed: f64,
    pub behind: Behind,
    pub iam_delay: Duration,
    pub metric_delay: Delay,
    pub executed_version_only_weighted: bool,
    /// How long after a deployment's end its `rollbackInfo` can be seen.
    pub rollback_info_delay: Duration,
    /// How long provisioned concurrency takes to be ready on a new version.
    pub provisioning: Duration,
    /// Seconds by which the services' time of day is ahead of the machine's.
    pub clock_skew: f64,
    /// Whether requests have the rates and accounts the quotas of AWS.
    pub limits: bool,
    /// Whether CodeDeploy's own calls have those rates.
    pub throttle_codedeploy: bool,
    pub exit_with_stdin: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 4566,
            speed: 1.0,
            behind: Behind::Ministack(None),
            iam_delay: Duration::ZERO,
            metric_delay: Delay::default(),
            executed_version_only_weighted: false,
            rollback_info_delay: Duration::ZERO,
            provisioning: Duration::ZERO,
            clock_skew: 0.0,
            limits: false,
            throttle_codedeploy: false,
            exit_with_stdin: false,
        }
    }
}

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Run(Options),
    Help,
    Version,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    #[error("{0} is not an option; see --help")]
    Unknown(String),
    #[error("{0} needs a value; see --help")]
    NoValue(String),
    #[error("{value} is not a value of {option}; see --help")]
    BadValue { option: String, value: String },
    #[error("--ministack and --upstream cannot be used together")]
    TwoBehind,
}

/// Reads the arguments, without the program's name. Values come after a space or an equals sign.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        match name.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            "--exit-with-stdin" => options.exit_with_stdin = true,
            "--executed-version-only-weighted" => options.executed_version_only_weighted = true,
            "--throttle-codedeploy" => options.throttle_codedeploy = true,
            "--port"
            | "--speed"
            | "--ministack"
            | "--upstream"
            | "--iam-delay"
            | "--metric-delay"
            | "--rollback-info-delay"
            | "--provisioning"
            | "--clock-skew"
            | "--limits" => {
                let value =
                    inline.or_else(|| arguments.next()).ok_or_else(|| UsageError::NoValue(name.clone()))?;
                options.set(&name, value)?;
            }
            _ => return Err(UsageError::Unknown(name)),
        }
    }
    Ok(Command::Run(options))
}

impl Options {
    fn set(&mut self, name: &str, value: String) -> Result<(), UsageError> {
        let bad = |value: &str| UsageError::BadValue { option: name.to_owned(), value: value.to_owned() };
        let positive = || value.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
        let signed = || value.parse().ok().filter(|seconds: &f64| seconds.is_finite());
        let seconds = || duration(&value);
        let behind =
            |new| if self.behind == Behind::Ministack(None) { Ok(new) } else { Err(UsageError::TwoBehind) };
        match name {
            "--port" => self.port = value.parse().map_err(|_| bad(&value))?,
            "--speed" => self.speed = positive().ok_or_else(|| bad(&value))?,
            "--iam-delay" => self.iam_delay = seconds().ok_or_else(|| bad(&value))?,
            "--metric-delay" => self.metric_delay = delay(&value).ok_or_else(|| bad(&value))?,
            "--rollback-info-delay" => self.rollback_info_delay = seconds().ok_or_else(|| bad(&value))?,
            "--provisioning" => self.provisioning = seconds().ok_or_else(|| bad(&value))?,
            "--clock-skew" => self.clock_skew = signed().ok_or_else(|| bad(&value))?,
            "--limits" => self.limits = limits(&value).ok_or_else(|| bad(&value))?,
            "--ministack" => self.behind = behind(Behind::Ministack(Some(value.into())))?,
            _ if value.starts_with("http://") => self.behind = behind(Behind::Upstream(value))?,
            _ => return Err(bad(&value)),
        }
        Ok(())
    }
}

fn duration(seconds: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// `60`, or `60-180` for anything in between.
fn delay(seconds: &str) -> Option<Delay> {
    let (least, most) = seconds.split_once('-').unwrap_or((seconds, seconds));
    let delay = Delay { least: duration(least)?, most: duration(most)? };
    (delay.least <= delay.most).then_some(delay)
}

fn limits(value: &str) -> Option<bool> {
    match value {
        "aws" => Some(true),
        "none" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options() {
        assert_eq!(read(""), Ok(Command::Run(Options::default())));
        let line = "--port 0 --speed=60 --ministack /m --iam-delay 10 --metric-delay 60-180 \
                    --limits aws --rollback-info-delay 5 --provisioning 90 --clock-skew -300 --exit-with-stdin";
        let expected = Options {
            port: 0,
            speed: 60.0,
            behind: Behind::Ministack(Some("/m".into())),
            iam_delay: Duration::from_secs(10),
            metric_delay: Delay { least: Duration::from_secs(60), most: Duration::from_secs(180) },
            limits: true,
            rollback_info_delay: Duration::from_secs(5),
            provisioning: Duration::from_secs(90),
            clock_skew: -300.0,
            exit_with_stdin: true,
            ..Options::default()
        };
        assert_eq!(read(line), Ok(Command::Run(expected)));
        assert_eq!(read("--port 1 --help"), Ok(Command::Help));
    }

    #[test]
    fn mistakes() {
        for (line, words) in [
            ("--nope", "--nope is not an option"),
            ("--port", "--port needs a value"),
            ("--port 70000", "70000 is not a value of --port"),
            ("--speed 0", "0 is not a value of --speed"),
            ("--metric-delay -1", "-1 is not a value"),
            ("--metric-delay 9-5", "9-5 is not a value"),
            ("--clock-skew soon", "soon is not a value of --clock-skew"),
            ("--limits some", "some is not a value of --limits"),
            ("--upstream ftp://x", "ftp://x is not a value"),
            ("--upstream http://x --ministack y", "cannot be used together"),
        ] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
