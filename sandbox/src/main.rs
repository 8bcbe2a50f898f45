//! Starts the sandbox, says where it is, and ends it with everything that it started.

use std::io::{self, Write};
use std::process::ExitCode;

use rollout_sandbox::cli::{self, Command, HELP, Options};
use rollout_sandbox::{Sandbox, SandboxError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(log).with_writer(io::stderr).init();
    let done = match cli::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => say(HELP),
        Ok(Command::Version) => say(concat!("rollout-sandbox ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Command::Run(options)) => run(&options).await,
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody to tell is no reason to fail otherwise.
            let _ = writeln!(io::stderr(), "rollout-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let asked_to_stop = async {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            () = stdin_closes(), if options.exit_with_stdin => {}
        }
    };
    tokio::pin!(asked_to_stop);
    let mut sandbox = tokio::select! {
        started = Sandbox::start(options) => started?,
        () = &mut asked_to_stop => return Ok(()),
    };
    say(&format!("rollout-sandbox ready: {} (speed {})\n", sandbox.endpoint, options.speed))?;
    let broken: Option<SandboxError> = tokio::select! {
        () = &mut asked_to_stop => None,
        error = sandbox.broken() => Some(error),
    };
    sandbox.stop().await;
    broken.map_or(Ok(()), |error| Err(error.into()))
}

/// Returns when nothing more can come from standard input. A thread of its own does not hold up the end.
async fn stdin_closes() {
    let (closed, told) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        if let Err(error) = io::copy(&mut io::stdin(), &mut io::sink()) {
            tracing::warn!(%error, "standard input broke off");
        }
        drop(closed);
    });
    // The sender goes without a word.
    let _ = told.await;
}

fn say(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
