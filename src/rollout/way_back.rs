//! The deployment with which a bake takes traffic back. CodeDeploy knows it as one like any other, so its description
//! says what it is, and why: whoever finds it later need not have watched.

use super::names::cut;

const MARK: &str = ": back from version ";
const FAILED: &str = ", which failed after ";
const DESCRIPTION_LIMIT: usize = 256;

/// What a way back says of the version that it takes traffic from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The deployment that had brought the version; empty if a plugin wrote this that did not say so.
    pub deployment: String,
    pub cause: String,
}

/// `orders:stable: back from version 2 to 1, which failed after d-A1B2C3D4E: 12 of 40 requests failed`.
pub fn describe(id: &str, (from, to): (&str, &str), reason: &Reason) -> String {
    let Reason { deployment, cause } = reason;
    cut(&format!("{id}{MARK}{from} to {to}{FAILED}{deployment}: {cause}"), DESCRIPTION_LIMIT)
}

/// Whether a deployment with this description is a rollback, whoever started it.
pub fn is_way_back(description: &str) -> bool {
    description.contains(MARK)
}

pub fn reason(description: &str) -> Reason {
    let said = description.split_once(FAILED).and_then(|(_, said)| said.split_once(": "));
    let (deployment, cause) = said.unwrap_or(("", "it was taken back while it baked"));
    Reason { deployment: deployment.to_owned(), cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_way_back_says_is_read_again() {
        let said = Reason { deployment: "d-1".to_owned(), cause: "alarm \"late: errors\" fired".to_owned() };
        let found = describe("orders:stable", ("2", "1"), &said);
        assert!(is_way_back(&found));
        assert_eq!(reason(&found), said);
    }

    #[test]
    fn one_that_says_less_is_a_way_back_as_well() {
        let long = format!("{}:{}", "f".repeat(64), "a".repeat(128));
        let said = Reason { deployment: "d-1".to_owned(), cause: "errors".repeat(50) };
        for description in
            [describe(&long, ("12", "11"), &said), "orders:stable: back from version 2 to 1".to_owned()]
        {
            assert!(description.len() <= DESCRIPTION_LIMIT);
            assert!(is_way_back(&description));
            assert!(!reason(&description).cause.is_empty());
        }
        assert!(!is_way_back("orders:stable: version 1 to 2"));
    }
}
