//! One watcher for everyone who waits for a deployment.
//!
//! Whoever waits says by when the next look is due. One task puts the looks that are due into few `BatchGetDeployments`
//! calls and answers all; it ends when nobody waits. If not all that are due fit into the calls that there is room for,
//! those go first that something is about to happen to, and then those that have waited longest for what they asked
//! for. When CodeDeploy throttles or
//! does not answer, the task asks more and more seldom, and faster again when calls succeed: nobody's wait fails for
//! that before it has lasted.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::error::{Answered, is_passing};
use crate::rollout::clock::Clock;
use crate::rollout::cloud::{CloudError, CloudErrorKind, Deployment};

/// The documented limit is 25 in one place and 100 in others.
pub(super) const IDS_A_CALL: usize = 25;
/// Looks that are due within this time go together.
const TOGETHER: Duration = Duration::from_secs(1);
/// The share of a wait after which a look may come early, if a call that is made anyway has room. A small one brings
/// those who wait into step, and so to share their calls.
const FLEXIBLE_AFTER: f64 = 0.25;
/// Who asks for a look within this time expects something to happen.
const SOON: Duration = Duration::from_secs(5);
const FIRST_GAP: Duration = Duration::from_secs(1);
const LONGEST_GAP: Duration = Duration::from_secs(30);
/// With the growing gaps between them, these are more than five minutes without one answer: as far as a clock may be
/// off, and with it the time at which credentials are replaced.
const MAX_FAILURES: u32 = 15;

type Look = Answered<Option<Deployment>>;
type Ask = Box<dyn Fn(Vec<String>) -> BoxFuture<'static, Answered<Vec<Deployment>>> + Send + Sync>;
type Room = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

pub(super) struct Watcher {
    shared: Arc<Shared>,
    /// The way into the running task; of no use when it has ended.
    door: Mutex<Option<mpsc::UnboundedSender<Wait>>>,
}

struct Shared {
    clock: Clock,
    room: Room,
    ask: Ask,
    pace: Mutex<Pace>,
    /// Somebody stopped waiting.
    left: Notify,
}

/// Somebody who waits for a look at a deployment.
struct Wait {
    id: String,
    asked: Instant,
    due: Instant,
    answer: oneshot::Sender<Look>,
}

/// How long to leave the service alone between two calls.
#[derive(Debug, Default)]
struct Pace {
    gap: Duration,
    failures: u32,
    last_call: Option<Instant>,
}

impl Watcher {
    /// `room` waits until a call may start, and `ask` makes one for the deployments with these ids; ids that the
    /// service does not know are left out of its answer.
    pub(super) fn new<R, A, W, F>(clock: Clock, room: R, ask: A) -> Self
    where
        R: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
        A: Fn(Vec<String>) -> F + Send + Sync + 'static,
        F: Future<Output = Answered<Vec<Deployment>>> + Send + 'static,
    {
        let room: Room = Box::new(move || Box::pin(room()));
        let ask: Ask = Box::new(move |ids| Box::pin(ask(ids)));
        let shared = Shared { clock, room, ask, pace: Mutex::default(), left: Notify::new() };
        Self { shared: Arc::new(shared), door: Mutex::new(None) }
    }

    /// The deployment as it is in `due` of the service's time, or somewhat sooner.
    pub(super) async fn watch(&self, id: &str, due: Duration) -> Look {
        let (answer, answered) = oneshot::channel();
        let asked = Instant::now();
        let due = asked + self.shared.clock.scaled(due);
        let _leaving = Leaving(&self.shared.left);
        self.enter(Wait { id: id.to_owned(), asked, due, answer });
        answered.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Hands the wait to the running task, or to a new one.
    fn enter(&self, wait: Wait) {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match &*door {
            Some(open) => open.send(wait).err().map(|refused| refused.0),
            None => Some(wait),
        };
        let Some(wait) = refused else {
            return;
        };
        let (sender, waits) = mpsc::unbounded_channel();
        // The receiver is still in this function, so that this cannot fail.
        let _ = sender.send(wait);
        *door = Some(sender);
        tokio::spawn(Arc::clone(&self.shared).run(waits));
    }
}

impl Shared {
    async fn run(self: Arc<Self>, mut incoming: mpsc::UnboundedReceiver<Wait>) {
        let mut waits = Vec::new();
        loop {
            update(&mut waits, &mut incoming);
            let Some(next) = waits.iter().map(|wait| wait.due).min() else {
                if incoming.is_closed() {
                    return;
                }
                // Whoever comes from now on starts a task anew; whoever came just before is still served.
                incoming.close();
                continue;
            };
            tokio::select! {
                Some(wait) = incoming.recv() => waits.push(wait),
                () = self.left.notified() => {}
                () = tokio::time::sleep_until(next) => self.look(&mut waits, &mut incoming).await,
            }
        }
    }

    /// Asks for what is due, as much as goes into one call, and answers it; what the service gave no answer to stays in
    /// `waits`.
    async fn look(&self, waits: &mut Vec<Wait>, incoming: &mut mpsc::UnboundedReceiver<Wait>) {
        self.turn().await;
        update(waits, incoming);
        let ids = next_ids(waits, Instant::now(), self.clock);
        let looks = self.ask_for(&ids).await;
        let (asked, others) =
            std::mem::take(waits).into_iter().partition(|wait| looks.contains_key(&wait.id));
        *waits = others;
        for wait in asked {
            let look = looks[&wait.id].clone();
            // Whoever no longer waits does not mind.
            let _ = wait.answer.send(look);
        }
    }

    /// The answers to one call, by id; none at all if the same call should be made again later.
    async fn ask_for(&self, ids: &[String]) -> HashMap<String, Look> {
        if ids.is_empty() {
            return HashMap::new();
        }
        let answer = (self.ask)(ids.to_vec()).await;
        self.learn(&answer);
        match answer {
            Ok(found) => {
                let mut found: HashMap<_, _> =
                    found.into_iter().map(|info| (info.id.clone(), info)).collect();
                ids.iter().map(|id| (id.clone(), Ok(found.remove(id)))).collect()
            }
            Err(error) if is_passing(&error) && !self.has_lasted() => HashMap::new(),
            // One id that the service does not take must not fail the others.
            Err(error) if ids.len() > 1 && is_about_ids(&error) => {
                let mut looks = HashMap::new();
                for id in ids {
                    self.turn().await;
                    looks.extend(Box::pin(self.ask_for(std::slice::from_ref(id))).await);
                }
                looks
            }
            Err(error) => {
                let look = if error.kind == CloudErrorKind::NotFound { Ok(None) } else { Err(error) };
                ids.iter().map(|id| (id.clone(), look.clone())).collect()
            }
        }
    }

    /// Waits until the next call may be made.
    async fn turn(&self) {
        let start = self.pace().next_call(self.clock);
        if let Some(start) = start {
            tokio::time::sleep_until(start).await;
        }
        (self.room)().await;
    }

    fn learn<T>(&self, answer: &Answered<T>) {
        let mut pace = self.pace();
        match answer {
            Err(error) if is_passing(error) => pace.slow_down(),
            _ => pace.recover(),
        }
    }

    fn has_lasted(&self) -> bool {
        self.pace().failures >= MAX_FAILURES
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn next_call(&self, clock: Clock) -> Option<Instant> {
        self.last_call.map(|last| last + clock.scaled(self.gap))
    }

    fn slow_down(&mut self) {
        self.gap = (self.gap * 2).clamp(FIRST_GAP, LONGEST_GAP);
        self.failures = self.failures.saturating_add(1);
        self.last_call = Some(Instant::now());
    }

    fn recover(&mut self) {
        self.gap = if self.gap > FIRST_GAP { self.gap / 2 } else { Duration::ZERO };
        self.failures = 0;
        self.last_call = Some(Instant::now());
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// Tells the task when somebody stops waiting, so that it does not sleep on for nobody.
struct Leaving<'a>(&'a Notify);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Takes in who has come to wait, and lets go who no longer does.
fn update(waits: &mut Vec<Wait>, incoming: &mut mpsc::UnboundedReceiver<Wait>) {
    while let Ok(wait) = incoming.try_recv() {
        waits.push(wait);
    }
    waits.retain(|wait| !wait.answer.is_closed());
}

/// The ids to ask for now: those that are due, and as many that are nearly due as fit into the same call.
fn next_ids(waits: &[Wait], now: Instant, clock: Clock) -> Vec<String> {
    let (together, soon) = (clock.scaled(TOGETHER), clock.scaled(SOON));
    let is_due = |wait: &&Wait| wait.due <= now + together;
    let is_patient = |wait: &Wait| wait.due - wait.asked > soon;
    let mut due: Vec<_> = waits.iter().filter(is_due).collect();
    let mut nearly: Vec<_> =
        waits.iter().filter(|wait| !is_due(wait) && wait.flexible_from() <= now).collect();
    due.sort_by(|one, other| {
        let overdue = other.overdue(now).total_cmp(&one.overdue(now));
        is_patient(one).cmp(&is_patient(other)).then(overdue)
    });
    nearly.sort_by_key(|wait| wait.due);
    let mut ids = Vec::new();
    for wait in due.into_iter().chain(nearly) {
        if ids.len() < IDS_A_CALL && !ids.contains(&wait.id) {
            ids.push(wait.id.clone());
        }
    }
    ids
}

impl Wait {
    fn flexible_from(&self) -> Instant {
        self.asked + (self.due - self.asked).mul_f64(FLEXIBLE_AFTER)
    }

    /// How long it has waited, in times of what it asked for.
    fn overdue(&self, now: Instant) -> f64 {
        let waited = now.saturating_duration_since(self.asked).as_secs_f64();
        waited / (self.due - self.asked).as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Whether the call could fail for one of its ids alone.
fn is_about_ids(error: &CloudError) -> bool {
    matches!(error.kind, CloudErrorKind::NotFound | CloudErrorKind::Refused)
}

fn interrupted() -> CloudError {
    CloudError {
        kind: CloudErrorKind::Unreachable,
        operation: "codedeploy:BatchGetDeployments",
        code: "Interrupted".to_owned(),
        message: "the watcher ended before it had an answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::rollout::cloud::DeploymentStatus;

    /// Calls as they came: when, and for which ids.
    type Calls = Arc<Mutex<Vec<(u64, Vec<String>)>>>;

    fn deployment(id: &str) -> Deployment {
        Deployment {
            id: id.to_owned(),
            status: DeploymentStatus::Live,
            status_text: "InProgress".to_owned(),
            application: String::new(),
            group: String::new(),
            deployment_config: String::new(),
            description: String::new(),
            creator: String::new(),
            alarms: None,
            error_code: String::new(),
            error_message: String::new(),
            rolled_back_by: None,
            rolls_back: None,
            created: None,
            started: None,
            completed: None,
        }
    }

    fn error(kind: CloudErrorKind) -> CloudError {
        CloudError {
            kind,
            operation: "codedeploy:BatchGetDeployments",
            code: String::new(),
            message: String::new(),
        }
    }

    fn all_of(ids: &[String]) -> Vec<Deployment> {
        ids.iter().map(|id| deployment(id)).collect()
    }

    /// A watcher whose n-th call (from 0) is answered by `answer`, and the record of its calls.
    fn watcher(
        answer: impl Fn(usize, Vec<String>) -> Answered<Vec<Deployment>> + Send + Sync + 'static,
    ) -> (Watcher, Calls) {
        let (calls, begin) = (Calls::default(), Instant::now());
        let record = Arc::clone(&calls);
        let ask = move |ids: Vec<String>| {
            let mut calls = record.lock().unwrap();
            calls.push((begin.elapsed().as_secs(), ids.clone()));
            let answer = answer(calls.len() - 1, ids);
            async move { answer }
        };
        (Watcher::new(Clock::new(1.0), async || (), ask), calls)
    }

    fn times(calls: &Calls) -> Vec<u64> {
        calls.lock().unwrap().iter().map(|(time, _)| *time).collect()
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_comes_when_it_is_due() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let look = watcher.watch("d-1", seconds(20)).await.unwrap().unwrap();
        assert_eq!(look.id, "d-1");
        assert_eq!(*calls.lock().unwrap(), [(20, vec!["d-1".to_owned()])]);
    }

    #[tokio::test(start_paused = true)]
    async fn two_hundred_waits_share_eight_calls() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let ids: Vec<_> = (0..200).map(|n| format!("d-{n}")).collect();
        let looks = join_all(ids.iter().map(|id| watcher.watch(id, seconds(20)))).await;
        for (id, look) in ids.iter().zip(looks) {
            assert_eq!(look.unwrap().unwrap().id, *id);
        }
        let sizes: Vec<_> = calls.lock().unwrap().iter().map(|(_, ids)| ids.len()).collect();
        assert_eq!(sizes, [25; 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_has_room_takes_those_who_are_nearly_due_but_not_the_others() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let waits = [("d-soon", 30), ("d-nearly", 38), ("d-later", 300)];
        join_all(waits.iter().map(|(id, due)| watcher.watch(id, seconds(*due)))).await;
        let calls = calls.lock().unwrap();
        let expected =
            [(30, vec!["d-soon".to_owned(), "d-nearly".to_owned()]), (300, vec!["d-later".to_owned()])];
        assert_eq!(*calls, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_is_nearly_due_makes_a_call_more() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let due: Vec<_> = (0..25).map(|n| format!("d-{n}")).collect();
        let mut waits: Vec<_> = due.iter().map(|id| watcher.watch(id, seconds(30))).collect();
        waits.push(watcher.watch("d-nearly", seconds(38)));
        join_all(waits).await;
        assert_eq!(times(&calls), [30, 38]);
    }

    #[tokio::test(start_paused = true)]
    async fn when_there_is_room_for_few_those_go_first_that_expect_something() {
        let (calls, begin) = (Calls::default(), Instant::now());
        let record = Arc::clone(&calls);
        let ask = move |ids: Vec<String>| {
            record.lock().unwrap().push((begin.elapsed().as_secs(), ids.clone()));
            async move { Ok(all_of(&ids)) }
        };
        let room = || tokio::time::sleep(Duration::from_secs(10));
        let watcher = Watcher::new(Clock::new(1.0), room, ask);
        let patient: Vec<_> = (0..60).map(|n| format!("d-{n}")).collect();
        let mut waits: Vec<_> = patient.iter().map(|id| watcher.watch(id, seconds(15))).collect();
        let expecting = async {
            tokio::time::sleep(seconds(27)).await;
            watcher.watch("d-soon", seconds(1)).await
        };
        let (looks, soon) = tokio::join!(join_all(waits.drain(..)), expecting);
        assert!(looks.into_iter().all(|look| look.is_ok()) && soon.is_ok());
        let calls = calls.lock().unwrap();
        let firsts: Vec<_> = calls.iter().map(|(time, ids)| (*time, ids.len(), ids[0] == "d-soon")).collect();
        assert_eq!(firsts, [(25, 25, false), (35, 25, true), (45, 11, false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_wait_for_one_deployment_ask_for_it_once() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let looks = join_all((0..3).map(|_| watcher.watch("d-1", seconds(5)))).await;
        assert!(looks.into_iter().all(|look| look.unwrap().is_some()));
        assert_eq!(*calls.lock().unwrap(), [(5, vec!["d-1".to_owned()])]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_wait_that_is_due_sooner_is_not_held_up_by_an_older_one() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let late = watcher.watch("d-late", seconds(300));
        let soon = async {
            tokio::time::sleep(seconds(10)).await;
            watcher.watch("d-soon", seconds(5)).await
        };
        let (late, soon) = tokio::join!(late, soon);
        assert!(late.unwrap().is_some() && soon.unwrap().is_some());
        assert_eq!(times(&calls), [15, 300]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_deployment_is_none() {
        let (watcher, _) =
            watcher(|_, ids| Ok(all_of(&ids).into_iter().filter(|found| found.id != "d-gone").collect()));
        let (gone, there) =
            tokio::join!(watcher.watch("d-gone", seconds(1)), watcher.watch("d-1", seconds(1)));
        assert_eq!(gone.unwrap(), None);
        assert!(there.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_is_refused_does_not_fail_the_others() {
        let (watcher, _) = watcher(|_, ids| match ids.as_slice() {
            ids if ids.iter().any(|id| id == "bad") => Err(error(CloudErrorKind::Refused)),
            ids if ids.iter().any(|id| id == "d-gone") => Err(error(CloudErrorKind::NotFound)),
            ids => Ok(all_of(ids)),
        });
        let watch = |id| watcher.watch(id, seconds(1));
        let (bad, gone, there) = tokio::join!(watch("bad"), watch("d-gone"), watch("d-1"));
        assert_eq!(bad.unwrap_err().kind, CloudErrorKind::Refused);
        assert_eq!(gone.unwrap(), None);
        assert!(there.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_denied_to_all_is_asked_for_once() {
        let (watcher, calls) = watcher(|_, _| Err(error(CloudErrorKind::Denied)));
        let watch = |id| watcher.watch(id, seconds(1));
        let (one, other) = tokio::join!(watch("d-1"), watch("d-2"));
        assert_eq!(one.unwrap_err().kind, CloudErrorKind::Denied);
        assert_eq!(other.unwrap_err().kind, CloudErrorKind::Denied);
        assert_eq!(calls.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_lowers_the_pace_and_success_restores_it() {
        let (watcher, calls) = watcher(|call, ids| match call {
            0..4 => Err(error(CloudErrorKind::Throttled)),
            _ => Ok(all_of(&ids)),
        });
        for _ in 0..5 {
            assert!(watcher.watch("d-1", Duration::ZERO).await.unwrap().is_some());
        }
        // Gaps of 1, 2, 4 and 8 seconds while it is throttled; then of 4, 2 and 1, and then none.
        assert_eq!(times(&calls), [0, 1, 3, 7, 15, 19, 21, 22, 22]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_that_lasts_fails_the_wait() {
        let (watcher, calls) = watcher(|_, _| Err(error(CloudErrorKind::Unreachable)));
        let look = watcher.watch("d-1", seconds(1)).await;
        assert_eq!(look.unwrap_err().kind, CloudErrorKind::Unreachable);
        assert_eq!(calls.lock().unwrap().len(), 15);
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_ends_when_nobody_waits() {
        let (watcher, calls) = watcher(|_, ids| Ok(all_of(&ids)));
        let given_up = tokio::time::timeout(seconds(5), watcher.watch("d-1", seconds(600))).await;
        assert!(given_up.is_err());
        let open = watcher.door.lock().unwrap().clone().unwrap();
        open.closed().await;
        assert!(calls.lock().unwrap().is_empty());
        assert!(watcher.watch("d-2", seconds(1)).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_shortens_the_wait() {
        let begin = Instant::now();
        let watcher =
            Watcher::new(Clock::new(60.0), async || (), |ids: Vec<String>| async move { Ok(all_of(&ids)) });
        assert!(watcher.watch("d-1", seconds(300)).await.unwrap().is_some());
        assert_eq!(begin.elapsed(), seconds(5));
    }
}
