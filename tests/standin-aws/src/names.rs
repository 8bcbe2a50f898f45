//! Names for what has none: the resource's own with a random end, as Pulumi's AWS provider makes them.

use lambda_rollout::pulumi::{CheckRequest, Operation, PropertyMap};

const LETTERS: usize = 7;

/// The declared inputs, with a name under this key. The name that the object has already is kept.
pub(crate) fn fill(key: &str, operation: &Operation, request: CheckRequest) -> PropertyMap {
    let CheckRequest { old_inputs, mut inputs, random_seed, .. } = request;
    if !inputs.contains_key(key) {
        let name = old_inputs.get(key).cloned();
        let name = name.unwrap_or_else(|| format!("{}-{}", operation.name, ending(&random_seed)).into());
        inputs.insert(key.to_owned(), name);
    }
    inputs
}

fn ending(seed: &[u8]) -> String {
    let digits = seed.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.take(LETTERS).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_rollout::pulumi::properties;

    fn filled(old: PropertyMap, new: PropertyMap) -> String {
        let mut operation = Operation::default();
        operation.name = "jobs".to_owned();
        let request = CheckRequest {
            old_inputs: old,
            inputs: new,
            random_seed: vec![0x0a, 0xff, 0x12, 0x34, 0x56],
            autonaming: None,
        };
        fill("name", &operation, request)["name"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_name_is_declared_kept_or_made() {
        let named = |name: &str| properties([("name", name.into())]);
        assert_eq!(filled(named("old"), named("mine")), "mine");
        assert_eq!(filled(named("old"), PropertyMap::new()), "old");
        assert_eq!(filled(PropertyMap::new(), PropertyMap::new()), "jobs-0aff123");
    }
}
