//! What ends the process: a signal, or the end of the engine that started it.

use std::{io, thread};

use tokio_util::sync::CancellationToken;

/// Fires when the process is to end.
pub(super) fn watch(engine_started: bool) -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut signals = Signals::new()?;
    let signalled = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        signalled.cancel();
    });
    if engine_started && stdin_is_pipe() {
        watch_stdin(stop.clone())?;
    }
    Ok(stop)
}

/// The engine holds the other end of our standard input and never writes to it: its end is the engine's end.
/// A thread of its own, because the runtime would wait for a read that cannot be cancelled.
fn watch_stdin(stop: CancellationToken) -> io::Result<()> {
    let watcher = move || {
        let end = io::copy(&mut io::stdin().lock(), &mut io::sink());
        tracing::info!(error = ?end.err(), "the engine is gone");
        stop.cancel();
    };
    thread::Builder::new().name("stdin".to_owned()).spawn(watcher).map(drop)
}

/// Anything else (a terminal, `/dev/null`) says nothing about an engine.
#[cfg(unix)]
fn stdin_is_pipe() -> bool {
    use std::{
        fs::File,
        os::{fd::AsFd, unix::fs::FileTypeExt},
    };
    let file_type =
        || File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata().map(|data| data.file_type());
    file_type().is_ok_and(|file_type| file_type.is_fifo())
}

#[cfg(not(unix))]
fn stdin_is_pipe() -> bool {
    false
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Without a way to hear of it there is nothing to wait for but the end.
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
