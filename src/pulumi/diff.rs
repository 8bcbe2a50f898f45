//! What changes between two sets of properties.

use std::collections::BTreeMap;

use super::{
    path::{PropertyPath, Segment},
    proto,
    value::{PropertyMap, PropertyValue},
};

/// In bytes. No property that a resource knows is called so.
const LONGEST_PATH: usize = 256;

/// What an update would change. Empty: nothing, and no update takes place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    pub changes: Vec<Change>,
    /// In a replacement, delete the old object before the new one is made.
    pub delete_before_replace: bool,
}

/// One property that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub path: PropertyPath,
    pub kind: ChangeKind,
    /// Whether it takes a new object.
    pub replace: bool,
    /// Which old value is shown: the one that was declared, or (for what changed by itself) the one in the outputs.
    pub shows: Old,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Add,
    Delete,
    Update,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Old {
    #[default]
    Input,
    Output,
}

/// Compares what was declared with what is declared now, leaf by leaf.
///
/// Secretness does not count, null is like a missing property, and an unknown new value is a change. A property
/// that stands on one side only is one change, whatever is in it. List elements are compared by their position.
/// A change in one of the `replace_keys` (top-level names) takes a new object.
pub fn compare(old: &PropertyMap, new: &PropertyMap, replace_keys: &[&str]) -> Diff {
    let mut diff = Diff::default();
    compare_maps(&PropertyPath::root(), old, new, &mut diff.changes);
    for change in &mut diff.changes {
        change.replace = change.path.top().is_some_and(|top| replace_keys.contains(&top));
    }
    diff
}

impl Change {
    /// A changed input that takes no new object.
    pub fn new(path: PropertyPath, kind: ChangeKind) -> Self {
        Self { path, kind, replace: false, shows: Old::Input }
    }
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether the object has to be made anew.
    pub fn replaces(&self) -> bool {
        self.changes.iter().any(|change| change.replace)
    }

    /// Whether a top-level property changes, or something in it.
    pub fn touches(&self, key: &str) -> bool {
        self.changes.iter().any(|change| change.path.top() == Some(key))
    }

    pub(super) fn render(self) -> proto::DiffResponse {
        use proto::diff_response::DiffChanges;
        let changes = if self.is_empty() { DiffChanges::DiffNone } else { DiffChanges::DiffSome };
        let replaces = self.replaces();
        proto::DiffResponse {
            changes: changes.into(),
            replaces: top_level(self.changes.iter().filter(|change| change.replace)),
            diffs: top_level(self.changes.iter()),
            stables: Vec::new(),
            delete_before_replace: self.delete_before_replace && replaces,
            detailed_diff: self.changes.iter().map(Change::render).collect::<BTreeMap<_, _>>(),
            has_detailed_diff: true,
        }
    }
}

impl Change {
    fn render(&self) -> (String, proto::PropertyDiff) {
        use proto::property_diff::Kind;
        let kind = match (self.kind, self.replace) {
            (ChangeKind::Add, false) => Kind::Add,
            (ChangeKind::Add, true) => Kind::AddReplace,
            (ChangeKind::Delete, false) => Kind::Delete,
            (ChangeKind::Delete, true) => Kind::DeleteReplace,
            (ChangeKind::Update, false) => Kind::Update,
            (ChangeKind::Update, true) => Kind::UpdateReplace,
        };
        let input_diff = self.shows == Old::Input;
        (self.path.to_string(), proto::PropertyDiff { kind: kind.into(), input_diff })
    }
}

/// The names of the top-level properties, each once.
fn top_level<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<String> {
    let mut names: Vec<String> = changes.filter_map(|change| change.path.top()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn compare_maps(path: &PropertyPath, old: &PropertyMap, new: &PropertyMap, changes: &mut Vec<Change>) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        compare_values(path.key(key.clone()), old.get(key), new.get(key), changes);
    }
}

fn compare_lists(
    path: &PropertyPath,
    old: &[PropertyValue],
    new: &[PropertyValue],
    changes: &mut Vec<Change>,
) {
    for index in 0..old.len().max(new.len()) {
        compare_values(path.index(index), old.get(index), new.get(index), changes);
    }
}

fn compare_values(
    path: PropertyPath,
    old: Option<&PropertyValue>,
    new: Option<&PropertyValue>,
    changes: &mut Vec<Change>,
) {
    let kind = match (some(old), some(new)) {
        (None, None) => return,
        (None, Some(_)) => ChangeKind::Add,
        (Some(_), None) => ChangeKind::Delete,
        (Some(PropertyValue::Object(old)), Some(PropertyValue::Object(new))) if !is_long(&path) => {
            return compare_maps(&path, old, new, changes);
        }
        (Some(PropertyValue::Array(old)), Some(PropertyValue::Array(new))) if !is_long(&path) => {
            return compare_lists(&path, old, new, changes);
        }
        (Some(old), Some(new)) if old.same_as(new) && !new.contains_unknown() => return,
        (Some(_), Some(_)) => ChangeKind::Update,
    };
    changes.push(Change::new(path, kind));
}

/// What is below such a path is one change: each leaf would repeat all of the path, however many there are.
fn is_long(path: &PropertyPath) -> bool {
    let length = |segment: &Segment| match segment {
        Segment::Key(key) => key.len(),
        Segment::Index(_) => 1,
    };
    path.segments().iter().map(length).sum::<usize>() > LONGEST_PATH
}

/// The value behind secrets and outputs, if there is one.
fn some(value: Option<&PropertyValue>) -> Option<&PropertyValue> {
    value.map(PropertyValue::reveal).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulumi::properties;

    fn object<const N: usize>(entries: [(&str, PropertyValue); N]) -> PropertyValue {
        PropertyValue::Object(properties(entries))
    }

    /// The changes as `path kind`, with an exclamation mark where they replace.
    fn compared(old: PropertyValue, new: PropertyValue) -> Vec<String> {
        let diff = compare(&properties([("key", old)]), &properties([("key", new)]), &[]);
        diff.changes.iter().map(|change| format!("{} {:?}", change.path, change.kind)).collect()
    }

    #[test]
    fn equal_properties_are_no_change() {
        let value = || object([("a", vec![1, 2].into()), ("b", PropertyValue::Null)]);
        let cases = [
            (value(), value()),
            (value(), object([("a", vec![1, 2].into())])),
            (PropertyValue::secret("s"), "s".into()),
            ("s".into(), PropertyValue::secret("s")),
            (PropertyValue::Null, PropertyValue::secret(PropertyValue::Null)),
            (object([("x", PropertyValue::secret(1))]), PropertyValue::secret(object([("x", 1.into())]))),
        ];
        for (old, new) in cases {
            assert_eq!(compared(old, new), [""; 0]);
        }
    }

    #[test]
    fn each_leaf_is_one_change() {
        let cases = [
            ("a".into(), "b".into(), vec!["key Update"]),
            (PropertyValue::Null, 1.into(), vec!["key Add"]),
            (1.into(), PropertyValue::Null, vec!["key Delete"]),
            (1.into(), "1".into(), vec!["key Update"]),
            (object([]), vec![1].into(), vec!["key Update"]),
            (
                object([("same", 1.into()), ("old", 1.into()), ("a.b", 1.into())]),
                object([("same", 1.into()), ("new", object([("x", 1.into())])), ("a.b", 2.into())]),
                vec!["key[\"a.b\"] Update", "key.old Delete", "key.new Add"],
            ),
            (vec![1, 2, 3].into(), vec![1, 9].into(), vec!["key[1] Update", "key[2] Delete"]),
            (vec![1].into(), vec![1, 2].into(), vec!["key[1] Add"]),
            (
                vec![object([("x", 1.into())])].into(),
                vec![object([("x", 2.into())])].into(),
                vec!["key[0].x Update"],
            ),
        ];
        for (old, new, expected) in cases {
            assert_eq!(compared(old, new), expected);
        }
    }

    #[test]
    fn an_unknown_new_value_is_a_change() {
        let unknown = || PropertyValue::Unknown;
        let cases = [
            ("a".into(), unknown(), "key Update"),
            (PropertyValue::Null, unknown(), "key Add"),
            (object([("x", 1.into())]), unknown(), "key Update"),
            (object([("x", 1.into())]), object([("x", unknown())]), "key.x Update"),
            (vec![1].into(), vec![unknown()].into(), "key[0] Update"),
            ("a".into(), PropertyValue::secret(unknown()), "key Update"),
            (unknown(), unknown(), "key Update"),
        ];
        for (old, new, expected) in cases {
            assert_eq!(compared(old, new), [expected]);
        }
    }

    #[test]
    fn what_is_below_a_long_name_is_one_change() {
        let name = "n".repeat(LONGEST_PATH);
        let below =
            |value: i32| object([(name.as_str(), object([("a", value.into()), ("b", value.into())]))]);
        assert_eq!(compared(below(1), below(1)), [""; 0]);
        assert_eq!(compared(below(1), below(2)), [format!("key.{name} Update")]);
    }

    #[test]
    fn the_answer_agrees_with_itself() {
        use proto::{diff_response::DiffChanges, property_diff::Kind};
        let old = properties([("name", "a".into()), ("size", 1.into()), ("tags", object([("x", 1.into())]))]);
        let new = properties([("name", PropertyValue::Unknown), ("size", 2.into()), ("tags", object([]))]);
        let diff = compare(&old, &new, &["name"]);
        assert!(diff.replaces() && diff.touches("tags") && !diff.touches("other"));

        let answer = Diff { delete_before_replace: true, ..diff }.render();
        assert_eq!(answer.changes(), DiffChanges::DiffSome);
        assert_eq!(answer.replaces, ["name"]);
        assert_eq!(answer.diffs, ["name", "size", "tags"]);
        assert!(answer.has_detailed_diff && answer.delete_before_replace);
        let kinds: Vec<_> =
            answer.detailed_diff.iter().map(|(path, change)| (path.as_str(), change.kind())).collect();
        assert_eq!(kinds, [("name", Kind::UpdateReplace), ("size", Kind::Update), ("tags.x", Kind::Delete)]);
        assert!(answer.detailed_diff.values().all(|change| change.input_diff));
    }

    #[test]
    fn no_change_is_said_in_so_many_words() {
        let answer = Diff { delete_before_replace: true, ..Diff::default() }.render();
        assert_eq!(answer.changes(), proto::diff_response::DiffChanges::DiffNone);
        assert!(answer.has_detailed_diff && !answer.delete_before_replace);
    }

    #[test]
    fn drift_shows_the_old_output() {
        let change = Change { shows: Old::Output, ..Change::new("alias".into(), ChangeKind::Update) };
        let answer = Diff { changes: vec![change], ..Diff::default() }.render();
        assert!(!answer.detailed_diff["alias"].input_diff);
    }
}
