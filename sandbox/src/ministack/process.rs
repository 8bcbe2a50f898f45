//! A ministack of our own: started on a free port, watched, and ended with everything that it started.

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::clock::Clock;
use crate::identity::{DEFAULT_ACCOUNT, DEFAULT_REGION, Scope};
use crate::upstream::{Call, Upstream};

const SUPERVISOR: &str = include_str!("supervisor.sh");
/// Python loads a module of the first name by itself, and that one the other.
const LOADED_AT_START: [(&str, &str); 2] =
    [("sitecustomize.py", include_str!("through.py")), ("log_lines.py", include_str!("log_lines.py"))];
const HEALTHY_WITHIN: Duration = Duration::from_secs(90);
/// How many ports are tried while others take them.
const PORTS: u32 = 5;
const GONE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{} could not be started: {source}", path.display())]
    Spawn { path: PathBuf, source: io::Error },
    #[error("there is no free port or temporary folder for ministack: {0}")]
    Room(io::Error),
    #[error("ministack ended before it was ready. Its last lines:\n{0}")]
    Ended(String),
    #[error("ministack was not ready in time. Its last lines:\n{0}")]
    Slow(String),
}

/// A running ministack. Its folder goes when it does.
#[derive(Debug)]
pub(crate) struct Ministack {
    pub(crate) address: String,
    supervisor: Child,
    output: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Ministack {
    /// Starts ministack and waits until it answers. `endpoint` is what Lambda functions get as AWS's address.
    pub(crate) async fn start(path: &Path, endpoint: &str, clock: Clock) -> Result<Self, StartError> {
        let mut tries = 1;
        loop {
            match Self::start_once(path, endpoint, clock).await {
                Err(StartError::Ended(lines)) if lost_port(&lines) && tries < PORTS => tries += 1,
                started => return started,
            }
        }
    }

    async fn start_once(path: &Path, endpoint: &str, clock: Clock) -> Result<Self, StartError> {
        let folder =
            tempfile::Builder::new().prefix("rollout-sandbox-").tempdir().map_err(StartError::Room)?;
        for (name, text) in LOADED_AT_START {
            std::fs::write(folder.path().join(name), text).map_err(StartError::Room)?;
        }
        let port = free_port().map_err(StartError::Room)?;
        let spawn_error = |source| StartError::Spawn { path: path.to_path_buf(), source };
        let mut supervisor = command(path, &folder, port, endpoint, clock).spawn().map_err(spawn_error)?;
        let stdout = supervisor.stdout.take();
        let output = stdout.ok_or_else(|| spawn_error(io::Error::other("it has no standard output")))?;
        let address = format!("http://127.0.0.1:{port}");
        let mut ministack = Self { address, supervisor, output: BufReader::new(output), folder };
        ministack.healthy().await?;
        Ok(ministack)
    }

    /// Returns when ministack has ended by itself.
    pub(crate) async fn ended(&mut self) -> String {
        let mut line = String::new();
        if let Err(error) = self.output.read_line(&mut line).await {
            tracing::warn!(%error, "the supervisor of ministack cannot be read");
        }
        self.last_lines()
    }

    /// Ends ministack and all that it started, and returns when they are gone.
    pub(crate) async fn stop(mut self) {
        drop(self.supervisor.stdin.take());
        let mut rest = Vec::new();
        if timeout(GONE_WITHIN, self.output.read_to_end(&mut rest)).await.is_err() {
            tracing::warn!("ministack did not end in time");
        }
        if let Err(error) = self.supervisor.wait().await {
            tracing::warn!(%error, "the supervisor of ministack could not be awaited");
        }
    }

    async fn healthy(&mut self) -> Result<(), StartError> {
        let upstream = Upstream::new(&self.address);
        let scope = Scope::new(DEFAULT_ACCOUNT, DEFAULT_REGION);
        let deadline = Instant::now() + HEALTHY_WITHIN;
        while Instant::now() < deadline {
            let call = Call { scope: &scope, service: "lambda", headers: &[] };
            let answer = upstream.rest(call, Method::GET, "/_ministack/health", Bytes::new()).await;
            if answer.is_ok_and(|reply| reply.status.is_success()) {
                return Ok(());
            }
            let ended = timeout(Duration::from_millis(50), self.output.fill_buf()).await;
            if ended.is_ok() {
                return Err(StartError::Ended(self.last_lines()));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(StartError::Slow(self.last_lines()))
    }

    fn last_lines(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("ministack.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

fn command(path: &Path, folder: &TempDir, port: u16, endpoint: &str, clock: Clock) -> Command {
    // Lambda tries a failed asynchronous invocation again after one minute, and then after two.
    let retry = |minutes: f64| clock.real_seconds(minutes * 60.0).to_string();
    let mut command = Command::new("sh");
    command
        .args(["-c", SUPERVISOR, "rollout-sandbox-supervisor"])
        .arg(path)
        .env("TMPDIR", folder.path())
        .env("PYTHONPATH", folder.path())
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("LAMBDA_EXECUTOR", "local")
        .env("IOT_MTLS_ENABLED", "0")
        .env("MINISTACK_AUTOCREATE_AWS_MANAGED", "1")
        .env("LAMBDA_ASYNC_RETRY_BASE_SECONDS", retry(1.0))
        .env("LAMBDA_ASYNC_RETRY_MAX_SECONDS", retry(2.0))
        .env("AWS_ENDPOINT_URL", endpoint)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

/// Whether somebody else took the port between our look and ministack's start.
fn lost_port(last_lines: &str) -> bool {
    last_lines.to_lowercase().contains("already in use")
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
