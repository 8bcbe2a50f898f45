//! Makes a request that shows a defect as small as it gets.

use std::{collections::BTreeMap, future::Future};

use prost_types::{Struct, Value, value::Kind};

use super::{answer::shown, request::Call};

/// Leaves out whatever can be left out without the defect going away.
pub(crate) async fn smallest<F: Future<Output = bool>>(call: Call, mut fails: impl FnMut(Call) -> F) -> Call {
    let mut smallest = call;
    let mut position = 0;
    while let Some(smaller) = without(&smallest, position) {
        if fails(smaller.clone()).await {
            smallest = smaller;
        } else {
            position += 1;
        }
    }
    smallest
}

/// The request without one of its properties, members or elements; each has a number.
fn without(call: &Call, position: usize) -> Option<Call> {
    let mut smaller = call.clone();
    let mut left = position;
    let cut = smaller.properties().into_iter().any(|set| cut(set, &mut left));
    cut.then_some(smaller)
}

fn cut(set: &mut Struct, left: &mut usize) -> bool {
    let keys: Vec<String> = set.fields.keys().cloned().collect();
    for key in keys {
        if *left == 0 {
            set.fields.remove(&key);
            return true;
        }
        *left -= 1;
        if set.fields.get_mut(&key).is_some_and(|value| cut_inside(value, left)) {
            return true;
        }
    }
    false
}

fn cut_inside(value: &mut Value, left: &mut usize) -> bool {
    match &mut value.kind {
        Some(Kind::StructValue(object)) => cut(object, left),
        Some(Kind::ListValue(list)) => {
            for index in 0..list.values.len() {
                if *left == 0 {
                    list.values.remove(index);
                    return true;
                }
                *left -= 1;
                if cut_inside(&mut list.values[index], left) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

/// What was found to be wrong, once for each kind.
#[derive(Debug, Default)]
pub(crate) struct Defects(BTreeMap<String, String>);

impl Defects {
    /// Complaints that begin alike are most likely about one defect.
    fn kind(why: &str) -> String {
        why.chars().take(45).collect()
    }

    pub(crate) fn is_new(&self, why: &str) -> bool {
        !self.0.contains_key(&Self::kind(why))
    }

    pub(crate) fn add(&mut self, seed: u64, why: &str, mut call: Call) {
        self.0.insert(Self::kind(why), format!("seed {seed}: {why}\n  {}", shown(&mut call)));
    }

    pub(crate) fn none(&self) {
        let all: Vec<&str> = self.0.values().map(String::as_str).collect();
        assert!(all.is_empty(), "{} kinds of defects\n{}", all.len(), all.join("\n"));
    }
}
