//! How many calls of a provider wait for one another. They are let through in rounds: all that it asks before it needs
//! an answer is one round, and the answers of a round come together. So the rounds are as many as the longest chain of
//! calls, each of which waited for the one before it, however fast the machine is.

use std::{
    fs,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::{
    engine::{End, Resource},
    gate::{Gate, Verdict},
    world::World,
};

/// Whoever has nothing to do at so many looks in a row waits for an answer.
const LOOKS: usize = 10;
const LOOK: Duration = Duration::from_millis(10);

/// The calls of an operation, round by round, in alphabetical order.
pub(crate) type Rounds = Vec<Vec<String>>;

/// Tells an operation of a resource call by call; `until` is the last call that counts.
pub(crate) async fn rounds_of(
    world: &World,
    resource: &mut Resource,
    until: Option<&str>,
    operation: impl AsyncFnOnce(&mut Resource) -> End,
) -> (End, Rounds) {
    let gate = Gate::before(&world.endpoint).await;
    let before = std::mem::replace(&mut resource.endpoint, gate.url.clone());
    let process = Arc::clone(&resource.process);
    // The journal's last number when a round began.
    let starts = Mutex::new(Vec::new());
    let pace = async {
        let mut passed = 0;
        gate.judge(|_| Verdict::Hold);
        loop {
            passed = next_round(&gate, passed, || is_at_work(process.load(Ordering::SeqCst))).await;
            let journal = world.admin("journal").await;
            starts.lock().unwrap().push(journal["last"].as_u64().unwrap());
            if until.is_some_and(|last| gate.calls().iter().any(|call| call.operation == last)) {
                gate.open();
                std::future::pending::<()>().await;
            }
            gate.judge(move |call| if call.number <= passed { Verdict::Pass } else { Verdict::Hold });
        }
    };
    let end = tokio::select! {
        end = operation(resource) => end,
        () = pace => unreachable!("it goes on for ever"),
    };
    resource.endpoint = before;
    let starts = starts.into_inner().unwrap();
    (end, split(&world.admin("journal").await, &starts, until))
}

/// Waits until all that was let through is answered, and the provider has asked more and needs an answer. Answers how
/// many calls there are then.
async fn next_round(gate: &Gate, passed: usize, is_at_work: impl Fn() -> bool) -> usize {
    let (mut quiet, mut asked) = (0, passed);
    while quiet < LOOKS {
        tokio::time::sleep(LOOK).await;
        let now = gate.calls().len();
        let waits = now > passed && gate.answered() == passed && !is_at_work();
        quiet = if waits && now == asked { quiet + 1 } else { 0 };
        asked = now;
    }
    asked
}

/// Whether a thread of the process runs, or waits for a processor or a disk. Where the system does not say so, only the
/// looks count.
fn is_at_work(process: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return false };
    threads.flatten().any(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        matches!(state, Some('R' | 'D'))
    })
}

/// The journal's calls in the rounds that began at these numbers.
fn split(journal: &Value, starts: &[u64], until: Option<&str>) -> Rounds {
    let mut rounds = vec![Vec::new(); starts.len()];
    for call in journal["calls"].as_array().unwrap() {
        let number = call["n"].as_u64().unwrap();
        let round = starts.iter().filter(|start| **start < number).count();
        let operation = call["operation"].as_str().unwrap().to_owned();
        let last = until == Some(&operation);
        if round > 0 {
            rounds[round - 1].push(operation);
            if last {
                break;
            }
        }
    }
    for round in &mut rounds {
        round.sort();
    }
    rounds
}
