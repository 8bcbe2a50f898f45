//! The outcomes as Markdown.

use std::fmt::Write;

use super::{Outcome, SIZES, WAITERS, Waiter, memory_each};
use crate::figures::count;

const MIB: f64 = 1_048_576.0;
const KIB: f64 = 1_024.0;

pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n| deployments | who waits | calls | for each deployment | most in a second | throttled | late: median, s | late: 95 %, s |\n\
         | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for outcome in in_order(outcomes) {
        let Outcome { deployments, calls, peak, throttled, .. } = outcome;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {deployments} | {} | {calls} | {:.2} | {peak} | {throttled} | {:.1} | {:.1} |",
            name(outcome.waiter),
            count(*calls) / count(*deployments),
            outcome.late(50),
            outcome.late(95),
        );
    }
    text.push_str(
        "\n| deployments | calls, to a loop of 5 s | late (median), to it | memory at its peak, MiB | for each deployment, kB | processor time, s |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for deployments in SIZES {
        let find = |waiter| outcomes.iter().find(|o| o.waiter == waiter && o.deployments == deployments);
        let (Some(ours), Some(loops)) = (find(Waiter::Ours), find(Waiter::Loops(5))) else { continue };
        let Some(process) = ours.process else { continue };
        let each = memory_each(outcomes, deployments).filter(|_| deployments > 1);
        let _ = writeln!(
            text,
            "| {deployments} | 1/{:.1} | 1/{:.1} | {:.1} | {} | {:.2} |",
            count(loops.calls) / count(ours.calls),
            loops.late(50) / ours.late(50),
            count(usize::try_from(process.most).unwrap_or_default()) / MIB,
            each.map_or("–".to_owned(), |bytes| format!("{:.1}", bytes / KIB)),
            process.cpu.as_secs_f64(),
        );
    }
    text
}

fn in_order(outcomes: &[Outcome]) -> impl Iterator<Item = &Outcome> {
    SIZES.into_iter().flat_map(move |deployments| {
        WAITERS.into_iter().filter_map(move |waiter| {
            outcomes.iter().find(|o| o.waiter == waiter && o.deployments == deployments)
        })
    })
}

pub(super) fn name(waiter: Waiter) -> String {
    match waiter {
        Waiter::Ours => "lambda-rollout".to_owned(),
        Waiter::Loops(seconds) => format!("a loop of {seconds} s each"),
    }
}
