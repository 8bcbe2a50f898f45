//! What a provider says to the user while it works.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tonic::transport::{Channel, Endpoint};

use super::{
    hidden::Hidden,
    proto::{self, engine_client::EngineClient},
    urn::Urn,
};

/// Lines that wait for the engine. When it does not keep up, further ones are lost.
const QUEUE: usize = 1024;

/// How long the engine may take for one line, and to hear the last ones before a call is answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// SST hands its credentials to providers in variables of its own, and shows no warnings.
const OF_SST: [&str; 2] = ["SST_AWS_ACCESS_KEY_ID", "SST_AWS_REGION"];

/// The engine's log, for one resource. Speaking never waits and never fails; without an engine nobody listens.
#[derive(Clone, Debug, Default)]
pub struct EngineLog {
    sink: Sink,
    urn: Urn,
    row: Arc<Mutex<Row>>,
    hidden: Hidden,
    /// Whether warnings would be shown to nobody.
    warns_as_info: bool,
}

/// What the resource's live row shows now, and whether there was anything to say at all.
#[derive(Debug, Default)]
struct Row {
    status: String,
    spoken: bool,
}

/// A line that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logged {
    Debug(String),
    Info(String),
    Warning(String),
    /// On the live row, until the next one. Empty: the row is cleared.
    Status(String),
}

/// The lines of a log that records them.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Vec<Logged>>>);

#[derive(Clone, Debug, Default)]
enum Sink {
    #[default]
    Nobody,
    Engine(mpsc::Sender<Entry>),
    Recording(Recording),
}

#[derive(Debug)]
enum Entry {
    Line(proto::LogRequest),
    /// Answered when all lines before it are out.
    Mark(oneshot::Sender<()>),
}

impl EngineLog {
    /// A log that keeps its lines, for tests.
    pub fn recording() -> (Self, Recording) {
        let recording = Recording::default();
        (Self { sink: Sink::Recording(recording.clone()), ..Self::default() }, recording)
    }

    /// The log of the engine at this address (host and port). It is only dialled when there is something to say.
    pub(super) fn connect(address: &str) -> Self {
        if address.is_empty() {
            return Self::default();
        }
        let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) else {
            tracing::warn!(address, "the engine's address makes no sense; it will hear nothing");
            return Self::default();
        };
        let channel = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE).tcp_nodelay(true).connect_lazy();
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(deliver(EngineClient::new(channel), receiver));
        let warns_as_info = OF_SST.iter().any(|variable| std::env::var_os(variable).is_some());
        Self { sink: Sink::Engine(sender), warns_as_info, ..Self::default() }
    }

    /// The same log, for another resource.
    pub(super) fn of(&self, urn: Urn) -> Self {
        let warns_as_info = self.warns_as_info;
        Self { sink: self.sink.clone(), urn, warns_as_info, ..Self::default() }
    }

    /// The same log, with these texts cut out of its lines.
    pub(super) fn hiding(self, hidden: Hidden) -> Self {
        Self { hidden, ..self }
    }

    /// Lasting, for those who look for it.
    pub fn debug(&self, message: impl Into<String>) {
        self.say(Logged::Debug(message.into()));
    }

    /// Lasting.
    pub fn info(&self, message: impl Into<String>) {
        self.say(Logged::Info(message.into()));
    }

    /// Lasting. There is no way to log an error: an error is what a call returns.
    pub fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        self.say(if self.warns_as_info {
            Logged::Info(format!("warning: {message}"))
        } else {
            Logged::Warning(message)
        });
    }

    /// Sets the live row of the resource; empty clears it. Nothing is sent when it says so already.
    pub fn status(&self, text: impl Into<String>) {
        let text = text.into();
        let previous = std::mem::replace(&mut lock(&self.row).status, text.clone());
        if previous != text {
            self.say(Logged::Status(text));
        }
    }

    /// Clears the live row, and waits (not for long) until the engine has heard everything.
    pub(super) async fn finish(&self) {
        self.status("");
        let Sink::Engine(queue) = &self.sink else { return };
        if !lock(&self.row).spoken {
            return;
        }
        let (mark, heard) = oneshot::channel();
        if queue.try_send(Entry::Mark(mark)).is_ok() && timeout(PATIENCE, heard).await.is_err() {
            tracing::debug!("the engine is slow to listen");
        }
    }

    fn say(&self, line: Logged) {
        let line = line.map(|text| self.hidden.cut_out(text));
        lock(&self.row).spoken = true;
        match &self.sink {
            Sink::Nobody => {}
            Sink::Recording(recording) => lock(&recording.0).push(line),
            Sink::Engine(queue) => {
                if queue.try_send(Entry::Line(line.render(&self.urn))).is_err() {
                    tracing::debug!("a line for the engine was lost");
                }
            }
        }
    }
}

impl Logged {
    fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Debug(text) => Self::Debug(change(text)),
            Self::Info(text) => Self::Info(change(text)),
            Self::Warning(text) => Self::Warning(change(text)),
            Self::Status(text) => Self::Status(change(text)),
        }
    }

    fn render(self, urn: &Urn) -> proto::LogRequest {
        use proto::LogSeverity as Severity;
        let (severity, message, ephemeral) = match self {
            Self::Debug(message) => (Severity::Debug, message, false),
            Self::Info(message) => (Severity::Info, message, false),
            Self::Warning(message) => (Severity::Warning, message, false),
            Self::Status(message) => (Severity::Info, message, true),
        };
        let urn = urn.as_str().to_owned();
        proto::LogRequest { severity: severity.into(), message, urn, stream_id: 0, ephemeral }
    }
}

impl Recording {
    pub fn lines(&self) -> Vec<Logged> {
        lock(&self.0).clone()
    }
}

/// Hands the lines to the engine, one after the other.
async fn deliver(mut engine: EngineClient<Channel>, mut lines: mpsc::Receiver<Entry>) {
    while let Some(entry) = lines.recv().await {
        match entry {
            Entry::Line(line) => {
                if let Err(status) = engine.log(line).await {
                    tracing::debug!(code = ?status.code(), "the engine did not take a line");
                }
            }
            // Nobody waits for it any more: no matter.
            Entry::Mark(mark) => drop(mark.send(())),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_sent_when_it_changes() {
        let (log, recording) = EngineLog::recording();
        for text in ["", "10%", "10%", "50%", "", ""] {
            log.status(text);
        }
        let expected = ["10%", "50%", ""].map(|text| Logged::Status(text.to_owned()));
        assert_eq!(recording.lines(), expected);
    }

    #[test]
    fn where_warnings_are_shown_to_nobody_they_are_information() {
        let (log, recording) = EngineLog::recording();
        let log = EngineLog { warns_as_info: true, ..log }.of(Urn::default());
        log.warn("inconclusive");
        assert_eq!(recording.lines(), [Logged::Info("warning: inconclusive".to_owned())]);
    }

    #[test]
    fn clones_share_one_row() {
        let (log, recording) = EngineLog::recording();
        log.clone().status("10%");
        log.status("10%");
        assert_eq!(recording.lines().len(), 1);
    }

    #[test]
    fn speaks_without_an_engine() {
        let log = EngineLog::default();
        log.info("nobody");
        log.status("listens");
    }

    #[tokio::test]
    async fn an_engine_that_is_gone_does_not_matter() {
        for address in ["127.0.0.1:1", "not an address"] {
            let log = EngineLog::connect(address);
            for _ in 0..2 * QUEUE {
                log.info("lost");
            }
            log.finish().await;
        }
    }
}
