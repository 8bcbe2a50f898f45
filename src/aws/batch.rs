//! Reads of one kind that go in one call: those that are asked for while the call waits for its turn. Nothing is held up
//! for that, and when many ask at once, fewer calls are made for each of them.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::error::Answered;
use crate::rollout::cloud::{CloudError, CloudErrorKind};

type Room = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;
type Ask<K, V> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Answered<HashMap<K, V>>> + Send + Sync>;

pub(super) struct Batch<K, V> {
    operation: &'static str,
    /// How many go in one call.
    limit: usize,
    room: Room,
    ask: Ask<K, V>,
    queue: Mutex<Queue<K, V>>,
}

struct Queue<K, V> {
    waiting: Vec<Waiting<K, V>>,
    /// Whether a task is at work on the queue.
    is_served: bool,
}

struct Waiting<K, V> {
    key: K,
    answer: oneshot::Sender<Answered<V>>,
}

impl<K, V> Batch<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Default + Send + 'static,
{
    /// `room` waits until a call may start, and `ask` makes one. What its answer leaves out is the default value.
    pub(super) fn new<R, W, A, F>(operation: &'static str, limit: usize, room: R, ask: A) -> Arc<Self>
    where
        R: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
        A: Fn(Vec<K>) -> F + Send + Sync + 'static,
        F: Future<Output = Answered<HashMap<K, V>>> + Send + 'static,
    {
        Arc::new(Self {
            operation,
            limit,
            room: Box::new(move || Box::pin(room())),
            ask: Box::new(move |keys| Box::pin(ask(keys))),
            queue: Mutex::new(Queue { waiting: Vec::new(), is_served: false }),
        })
    }

    pub(super) async fn get(self: &Arc<Self>, key: K) -> Answered<V> {
        // The task answers everybody, or the process ends.
        self.enter(key).await.unwrap_or_else(|_| Err(unanswered(self.operation)))
    }

    fn enter(self: &Arc<Self>, key: K) -> oneshot::Receiver<Answered<V>> {
        let (answer, answered) = oneshot::channel();
        let mut queue = self.queue();
        queue.waiting.push(Waiting { key, answer });
        if !std::mem::replace(&mut queue.is_served, true) {
            tokio::spawn(Arc::clone(self).serve());
        }
        answered
    }

    async fn serve(self: Arc<Self>) {
        loop {
            (self.room)().await;
            let mut queue = self.queue();
            queue.waiting.retain(|waiting| !waiting.answer.is_closed());
            let count = queue.waiting.len().min(self.limit);
            let some: Vec<_> = queue.waiting.drain(..count).collect();
            tokio::spawn(Arc::clone(&self).answer(some));
            if queue.waiting.is_empty() {
                queue.is_served = false;
                return;
            }
        }
    }

    async fn answer(self: Arc<Self>, waiting: Vec<Waiting<K, V>>) {
        let mut keys: Vec<K> = Vec::new();
        for Waiting { key, .. } in &waiting {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        if keys.is_empty() {
            return;
        }
        let alone = keys.len() == 1;
        match (self.ask)(keys).await {
            Ok(found) => {
                for Waiting { key, answer } in waiting {
                    // Whoever no longer waits does not mind.
                    let _ = answer.send(Ok(found.get(&key).cloned().unwrap_or_default()));
                }
            }
            // One that the service does not take must not fail the others.
            Err(error) if error.kind == CloudErrorKind::Refused && !alone => {
                for one in waiting {
                    (self.room)().await;
                    Box::pin(Arc::clone(&self).answer(vec![one])).await;
                }
            }
            Err(error) => {
                for Waiting { answer, .. } in waiting {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<K, V>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for Batch<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}

fn unanswered(operation: &'static str) -> CloudError {
    CloudError {
        kind: CloudErrorKind::Unreachable,
        operation,
        code: "Interrupted".to_owned(),
        message: "the call ended before it had an answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::{Instant, sleep};

    use super::*;

    type Calls = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Room for one call a second, of four keys; each key is answered with its double, but 13 is refused.
    fn doubles() -> (Arc<Batch<u32, u32>>, Calls) {
        let calls = Calls::default();
        let record = Arc::clone(&calls);
        let ask = move |keys: Vec<u32>| {
            record.lock().unwrap().push(keys.clone());
            async move {
                sleep(Duration::from_millis(100)).await;
                if keys.contains(&13) {
                    return Err(CloudError { kind: CloudErrorKind::Refused, ..unanswered("double") });
                }
                Ok(keys.into_iter().filter(|key| *key != 0).map(|key| (key, key * 2)).collect())
            }
        };
        let next = Arc::new(Mutex::new(Instant::now()));
        let room = move || {
            let mut next = next.lock().unwrap();
            let at = (*next).max(Instant::now());
            *next = at + Duration::from_secs(1);
            tokio::time::sleep_until(at)
        };
        (Batch::new("double", 4, room, ask), calls)
    }

    #[tokio::test(start_paused = true)]
    async fn one_alone_is_asked_for_at_once() {
        let (batch, calls) = doubles();
        let begin = Instant::now();
        assert_eq!(batch.get(4).await.unwrap(), 8);
        assert_eq!(begin.elapsed(), Duration::from_millis(100));
        assert_eq!(batch.get(0).await.unwrap(), 0, "what is left out of the answer is the default");
        assert_eq!(*calls.lock().unwrap(), [[4], [0]]);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_while_a_call_waits_share_it() {
        let (batch, calls) = doubles();
        batch.get(1).await.unwrap();
        let answers = join_all((2..=10).chain([2, 3]).map(|key| batch.get(key))).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, [4, 6, 8, 10, 12, 14, 16, 18, 20, 4, 6]);
        let sizes: Vec<_> = calls.lock().unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 4, 4, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_refused_does_not_fail_the_others() {
        let (batch, _) = doubles();
        batch.get(1).await.unwrap();
        let answers = join_all([2, 13, 3].map(|key| batch.get(key))).await;
        let answers: Vec<_> = answers.into_iter().map(Result::ok).collect();
        assert_eq!(answers, [Some(4), None, Some(6)]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_after_the_queue_was_empty_is_served_too() {
        let (batch, _) = doubles();
        for key in 1..6 {
            let (one, other) = tokio::join!(batch.get(key), async {
                sleep(Duration::from_millis(50)).await;
                batch.get(key + 100).await
            });
            assert_eq!((one.unwrap(), other.unwrap()), (key * 2, (key + 100) * 2));
        }
    }
}
