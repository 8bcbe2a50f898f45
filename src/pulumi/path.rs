//! Paths to a property, in Pulumi's grammar.

use std::{borrow::Cow, fmt};

/// The way from the root of the properties to one of them: `root.list[0]["a.b"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropertyPath(Vec<Segment>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    Key(Cow<'static, str>),
    Index(usize),
}

impl PropertyPath {
    /// The path of everything.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of a property below this one.
    pub fn key(&self, key: impl Into<Cow<'static, str>>) -> Self {
        self.join(Segment::Key(key.into()))
    }

    /// The path of a list element below this one.
    pub fn index(&self, index: usize) -> Self {
        self.join(Segment::Index(index))
    }

    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The name of the top-level property that it leads into.
    pub fn top(&self) -> Option<&str> {
        match self.0.first() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Whether it names a top-level property and nothing inside of it.
    pub fn is_top_level(&self) -> bool {
        self.0.len() == 1 && self.top().is_some()
    }

    /// The same path, seen from one step further up.
    pub(super) fn within(mut self, segment: Segment) -> Self {
        self.0.insert(0, segment);
        self
    }

    fn join(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl From<&'static str> for PropertyPath {
    /// The path of a top-level property.
    fn from(key: &'static str) -> Self {
        Self::root().key(key)
    }
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if needs_quotes(key) => write!(f, "[\"{}\"]", key.replace('"', "\\\""))?,
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

fn needs_quotes(key: &str) -> bool {
    key.is_empty() || key.contains(['.', '[', ']', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_pulumis_grammar() {
        let root = PropertyPath::root();
        let cases = [
            (root.key("a").key("b").index(0).key("x.y"), r#"a.b[0]["x.y"]"#),
            (root.key("x.y").key("z"), r#"["x.y"].z"#),
            (root.key("tags").key(r#"say "hi""#), r#"tags["say \"hi\""]"#),
            (root.key("m").key(""), r#"m[""]"#),
            (root.key("m").key("a-b/c d"), "m.a-b/c d"),
            (root.key("m").index(3).index(4), "m[3][4]"),
        ];
        for (path, expected) in cases {
            assert_eq!(path.to_string(), expected);
        }
    }

    #[test]
    fn knows_the_top() {
        let path = PropertyPath::from("a");
        assert!(path.is_top_level());
        assert_eq!(path.key("b").top(), Some("a"));
        assert!(!path.key("b").is_top_level());
        assert_eq!(PropertyPath::root().top(), None);
    }
}
