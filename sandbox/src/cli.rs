//! The command line.

use std::path::PathBuf;
use std::time::Duration;

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
                       Traffic intervals, alarm periods, time limits and delays all follow it
                       [default: 1]
  --ministack PATH     the ministack command. Otherwise: $ROLLOUT_SANDBOX_MINISTACK, .venv/bin here
                       or in a folder above, the PATH
  --upstream URL       use a ministack that runs already, instead of starting one. Its functions
                       need AWS_ENDPOINT_URL set to this sandbox
  --iam-delay SECONDS  a change of a role counts only after this long, as in AWS [default: 0]
  --metric-delay SECONDS
                       metrics are seen only after this long, as in AWS [default: 0]
  --executed-version-only-weighted
                       publish metrics per executed version only while an alias has weights
  --exit-with-stdin    stop when standard input closes, for programs that start the sandbox
  --help, --version

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
    pub metric_delay: Duration,
    pub executed_version_only_weighted: bool,
    pub exit_with_stdin: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 4566,
            speed: 1.0,
            behind: Behind::Ministack(None),
            iam_delay: Duration::ZERO,
            metric_delay: Duration::ZERO,
            executed_version_only_weighted: false,
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
            "--port" | "--speed" | "--ministack" | "--upstream" | "--iam-delay" | "--metric-delay" => {
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
        let seconds = || value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let behind =
            |new| if self.behind == Behind::Ministack(None) { Ok(new) } else { Err(UsageError::TwoBehind) };
        match name {
            "--port" => self.port = value.parse().map_err(|_| bad(&value))?,
            "--speed" => self.speed = positive().ok_or_else(|| bad(&value))?,
            "--iam-delay" => self.iam_delay = seconds().ok_or_else(|| bad(&value))?,
            "--metric-delay" => self.metric_delay = seconds().ok_or_else(|| bad(&value))?,
            "--ministack" => self.behind = behind(Behind::Ministack(Some(value.into())))?,
            _ if value.starts_with("http://") => self.behind = behind(Behind::Upstream(value))?,
            _ => return Err(bad(&value)),
        }
        Ok(())
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
        let line = "--port 0 --speed=60 --ministack /m --iam-delay 10 --metric-delay 60 --exit-with-stdin";
        let expected = Options {
            port: 0,
            speed: 60.0,
            behind: Behind::Ministack(Some("/m".into())),
            iam_delay: Duration::from_secs(10),
            metric_delay: Duration::from_secs(60),
            executed_version_only_weighted: false,
            exit_with_stdin: true,
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
            ("--upstream ftp://x", "ftp://x is not a value"),
            ("--upstream http://x --ministack y", "cannot be used together"),
        ] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
