//! The long run: `make soak` sets a variable, and everything is tried instead of some of it.

pub(crate) fn is_on() -> bool {
    std::env::var_os("LAMBDA_ROLLOUT_SOAK").is_some()
}

/// A row of the table that the long run prints. Whoever gets here has found no violation.
#[expect(clippy::print_stdout, reason = "the table of the long run")]
pub(crate) fn tell(scenario: &str, runs: impl std::fmt::Display) {
    println!("soak | {scenario} | {runs} | 0");
}

/// How many random stories are told: `make nightly` sets the number.
pub(crate) fn sequences(few: usize) -> usize {
    number("LAMBDA_ROLLOUT_SEQUENCES").map_or(few, |count| usize::try_from(count).unwrap())
}

/// What the random stories hang on; the same seed, the same stories.
pub(crate) fn seed() -> u64 {
    number("LAMBDA_ROLLOUT_SEED").unwrap_or(1)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}
