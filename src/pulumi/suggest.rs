//! "Did you mean": the name that a user most likely wanted to write.

/// What is longer than this is no mistyped name.
const LONGEST: usize = 100;

/// The candidate that is nearest to what was written, if it is near enough to be a typing mistake.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&written, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= tolerance(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many mistakes still look like a slip, in a word of this length.
fn tolerance(candidate: &str) -> usize {
    (candidate.chars().count() / 3).max(1)
}

/// The number of characters to insert, delete, replace, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["functionName", "version", "strategy", "bake", "wait"];
        let cases = [
            ("functionname", Some("functionName")),
            ("fucntionName", Some("functionName")),
            ("functonName", Some("functionName")),
            ("stratgy", Some("strategy")),
            ("bke", Some("bake")),
            ("memorySize", None),
            ("", None),
        ];
        for (written, meant) in cases {
            assert_eq!(nearest(written, names), meant, "for {written:?}");
        }
    }

    #[test]
    fn prefers_the_nearest() {
        assert_eq!(nearest("alarm", ["alarms", "alarmo", "alarm"]), Some("alarm"));
    }
}
