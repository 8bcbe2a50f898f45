//! Names of the pieces that a rollout makes: derived from function and alias, never random.
//!
//! Function and alias are joined by a dot, which neither may contain, so that no two pairs share a name.

use sha2::{Digest, Sha256};

/// CodeDeploy's limit for application and group names.
const CODE_DEPLOY_LIMIT: usize = 100;
const ROLE_LIMIT: usize = 64;
const ALARM_LIMIT: usize = 255;
const HASH_LENGTH: usize = 8;

/// The name of the one inline policy on a role that a rollout makes.
pub const ROLE_POLICY: &str = "lambda-rollout";

pub fn application(function: &str, alias: &str) -> String {
    cut(&format!("rollout-{function}.{alias}"), CODE_DEPLOY_LIMIT)
}

pub fn group(alias: &str) -> String {
    cut(alias, CODE_DEPLOY_LIMIT)
}

/// Roles are global, so the region is part of the name.
pub fn role(function: &str, alias: &str, region: &str) -> String {
    cut(&format!("rollout-{function}.{alias}.{region}"), ROLE_LIMIT)
}

/// What the names of all error alarms of this alias begin with.
pub fn alarm_prefix(function: &str, alias: &str) -> String {
    cut(&format!("rollout-{function}.{alias}"), ALARM_LIMIT - 50) + ".v"
}

/// A new name for each attempt, because an edited alarm keeps its old state.
pub fn alarm(function: &str, alias: &str, version: &str, attempt: &str) -> String {
    format!("{}{version}-{attempt}", alarm_prefix(function, alias))
}

/// Eight hexadecimal digits that stand for the text.
pub fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let start = digest.iter().take(HASH_LENGTH / 2).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    format!("{start:0HASH_LENGTH$x}")
}

/// The text itself if it fits, otherwise its beginning and a hash of the whole.
pub fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub(HASH_LENGTH + 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{}", &text[..end], short_hash(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_distinct() {
        let (a, b) =
            (role(&"f".repeat(64), "stable", "eu-west-1"), role(&"f".repeat(64), "stable", "eu-west-2"));
        assert_eq!((a.len(), b.len()), (ROLE_LIMIT, ROLE_LIMIT));
        assert_ne!(a, b);
        assert_eq!(application("api", "stable"), "rollout-api.stable");
        assert_eq!(alarm("api", "stable", "7", "k2"), "rollout-api.stable.v7-k2");
    }
}
