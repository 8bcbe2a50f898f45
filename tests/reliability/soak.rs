//! The long run: `make soak` sets a variable, and everything is tried instead of some of it.

pub(crate) fn is_on() -> bool {
    std::env::var_os("LAMBDA_ROLLOUT_SOAK").is_some()
}

/// A row of the table that the long run prints. Whoever gets here has found no violation.
#[expect(clippy::print_stdout, reason = "the table of the long run")]
pub(crate) fn tell(scenario: &str, runs: impl std::fmt::Display) {
    println!("soak | {scenario} | {runs} | 0");
}
