//! What the calls of one process share: the engine to talk to, the cancellation, and the tasks at work.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::super::{failure::Failure, log::EngineLog, operation::Operation, urn::Urn};

/// One process that serves a provider.
#[derive(Debug, Default)]
pub(in super::super) struct Session {
    /// Fires once, when the process is to end.
    stop: CancellationToken,
    /// What the next operations hang on; a new one after each cancellation.
    current: Mutex<CancellationToken>,
    engine: Mutex<Engine>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Engine {
    address: String,
    log: EngineLog,
}

impl Session {
    pub(in super::super) fn new(stop: CancellationToken, engine: Option<&str>) -> Self {
        let session = Self { current: Mutex::new(stop.child_token()), stop, ..Self::default() };
        session.attach(engine.unwrap_or_default());
        session
    }

    /// Talks to this engine from now on.
    pub(super) fn attach(&self, address: &str) {
        let mut engine = lock(&self.engine);
        if engine.address != address {
            *engine = Engine { address: address.to_owned(), log: EngineLog::connect(address) };
        }
    }

    /// The engine's log, for this resource.
    pub(super) fn log_of(&self, urn: Urn) -> EngineLog {
        lock(&self.engine).log.of(urn)
    }

    /// Tells all operations at work to stop. Those that come later are refused, until [`Session::resume`].
    pub(super) fn cancel(&self) {
        lock(&self.current).cancel();
    }

    /// An engine begins anew: what was cancelled before is none of its business. A process that serves several
    /// engines, one after the other, would otherwise be of no use after the first.
    pub(super) fn resume(&self) {
        let mut current = lock(&self.current);
        if current.is_cancelled() {
            *current = self.stop.child_token();
        }
    }

    /// Fires when an operation that begins now has to stop.
    pub(super) fn cancellation(&self) -> CancellationToken {
        lock(&self.current).child_token()
    }

    /// Runs a call in a task of its own, so that it is never cut short in the middle; when nobody waits for it any
    /// more it is told to stop.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: &Operation,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let _awaited = operation.cancel.clone().drop_guard();
        let given = operation.clone();
        let task = self.tasks.spawn(async move { run_here(&given, call).await });
        task.await.map_err(|error| Failure::bug(error.to_string()))?
    }

    /// Waits for all calls at work, also those that nobody waits for any more.
    pub(in super::super) async fn idle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Runs a call in the caller's task, and ends with it. A panic in it becomes a failure with what there is to keep.
pub(super) async fn run_here<T>(operation: &Operation, call: impl Future<Output = T>) -> Result<T, Failure> {
    // What a panic leaves behind is looked at by nobody: what calls share is sound at any time.
    let outcome = AssertUnwindSafe(call).catch_unwind().await;
    operation.log.finish().await;
    outcome.map_err(|panic| Failure::crash(cause(&*panic), operation.kept()))
}

/// What a crashed call said last.
fn cause(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no cause given")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
