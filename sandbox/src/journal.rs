//! Every call in order: what was asked, by whom, and how it ended.

use std::sync::Mutex;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::lock::locked;

/// One call, as the admin endpoint shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) n: u64,
    pub(crate) time: Timestamp,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) mutating: bool,
    pub(crate) status: u16,
    pub(crate) error_code: Option<String>,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) user_agent: Option<String>,
}

#[derive(Debug, Default)]
struct Calls {
    last: u64,
    entries: Vec<Entry>,
}

/// The calls since the start, or since they were last cleared. Numbers are never used twice.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    calls: Mutex<Calls>,
}

impl Journal {
    /// Adds a call; its number is given here.
    pub(crate) fn add(&self, mut entry: Entry) {
        let mut calls = locked(&self.calls);
        calls.last += 1;
        entry.n = calls.last;
        calls.entries.push(entry);
    }

    /// The calls after number `since`.
    pub(crate) fn since(&self, since: u64) -> Vec<Entry> {
        locked(&self.calls).entries.iter().filter(|entry| entry.n > since).cloned().collect()
    }

    pub(crate) fn last(&self) -> u64 {
        locked(&self.calls).last
    }

    pub(crate) fn clear(&self) {
        locked(&self.calls).entries.clear();
    }
}

/// Whether an operation changes something, judged by its name as all services name them.
pub(crate) fn is_mutating(operation: &str) -> bool {
    const READS: [&str; 14] = [
        "Get",
        "List",
        "Describe",
        "BatchGet",
        "Head",
        "Lookup",
        "Query",
        "Scan",
        "Filter",
        "Search",
        "Simulate",
        "Select",
        "Validate",
        "AssumeRole",
    ];
    !READS.iter().any(|read| operation.starts_with(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(operation: &str) -> Entry {
        Entry {
            n: 0,
            time: 0.0,
            service: "lambda".into(),
            operation: operation.into(),
            mutating: is_mutating(operation),
            status: 200,
            error_code: None,
            account: String::new(),
            region: String::new(),
            user_agent: None,
        }
    }

    #[test]
    fn numbers_go_on_after_clearing() {
        let journal = Journal::default();
        journal.add(entry("GetAlias"));
        journal.add(entry("UpdateAlias"));
        assert_eq!(journal.since(1).iter().map(|call| call.n).collect::<Vec<_>>(), [2]);
        journal.clear();
        journal.add(entry("GetAlias"));
        assert_eq!(journal.since(0).iter().map(|call| call.n).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn names_tell_reads_from_writes() {
        for (operation, mutating) in [
            ("GetDeployment", false),
            ("BatchGetDeployments", false),
            ("DescribeAlarms", false),
            ("CreateDeployment", true),
            ("UpdateAlias", true),
            ("Invoke", true),
        ] {
            assert_eq!(is_mutating(operation), mutating, "{operation}");
        }
    }
}
