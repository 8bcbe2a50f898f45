//! What a process and its descendants have used, as the kernel says.

use std::{fs, path::PathBuf, time::Duration};

/// The kernel counts the time of children that have ended in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of all of them, with that of children that have ended.
pub(crate) fn cpu(root: u32) -> Duration {
    tree(root).into_iter().map(|process| clock(process) + ended_children(process)).sum()
}

/// Resident memory of all of them, in bytes.
pub(crate) fn memory(root: u32) -> u64 {
    tree(root).into_iter().map(|process| status(process, "VmRSS:")).sum()
}

/// The sum of what each of them had at most.
pub(crate) fn peak(root: u32) -> u64 {
    tree(root).into_iter().map(|process| status(process, "VmHWM:")).sum()
}

fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(&process) = all.get(next) {
        all.extend(children(process));
        next += 1;
    }
    all
}

fn children(process: u32) -> Vec<u32> {
    let lists = threads(process).filter_map(|thread| fs::read_to_string(thread.join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// The time of its threads, in the scheduler's account, which is in nanoseconds.
fn clock(process: u32) -> Duration {
    let accounts = threads(process).filter_map(|thread| fs::read_to_string(thread.join("schedstat")).ok());
    let spent = accounts.filter_map(|account| account.split_whitespace().next()?.parse().ok());
    spent.map(Duration::from_nanos).sum()
}

/// None, when the process is gone.
fn threads(process: u32) -> impl Iterator<Item = PathBuf> {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    threads.into_iter().flatten().flatten().map(|thread| thread.path())
}

/// The fields `cutime` and `cstime`, which stand behind the name in parentheses.
fn ended_children(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(13).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    TICK * ticks
}

fn status(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
