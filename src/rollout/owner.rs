//! Who made a thing: the mark that a rollout leaves on what it makes, so that it never touches what it did not make.

use super::cloud::Tags;
use super::names::{cut, short_hash};

/// Tag keys on applications, groups, roles and alarms.
pub const OWNER_TAG: &str = "lambda-rollout:owner";
pub const GENERATION_TAG: &str = "lambda-rollout:generation";

const TAG_VALUE_LIMIT: usize = 200;
const DESCRIPTION_LIMIT: usize = 256;

/// Which kind of resource made an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Rollout,
    Alias,
}

/// A resource of a Pulumi stack, at its first creation, and which making of it this is.
///
/// The generation tells a resource from its own replacement: deleting the old half must leave the successor alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `project/stack/name`.
    pub path: String,
    pub generation: String,
}

impl Owner {
    /// A path for tag values, which allow only some characters.
    pub fn new(project: &str, stack: &str, name: &str, generation: &str) -> Self {
        let path = format!("{project}/{stack}/{name}");
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.:/=+-@".contains(c);
        let safe: String = path.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
        let path = if safe == path { safe } else { format!("{safe}-{}", short_hash(&path)) };
        Self { path: cut(&path, TAG_VALUE_LIMIT), generation: generation.to_owned() }
    }

    /// For what nobody has put a mark on.
    pub fn nobody() -> Self {
        Self { path: String::new(), generation: String::new() }
    }

    pub fn tags(&self) -> Tags {
        Tags::from([
            (OWNER_TAG.to_owned(), self.path.clone()),
            (GENERATION_TAG.to_owned(), self.generation.clone()),
        ])
    }

    pub fn from_tags(tags: &Tags) -> Option<Self> {
        let path = tags.get(OWNER_TAG)?.clone();
        Some(Self { path, generation: tags.get(GENERATION_TAG).cloned().unwrap_or_default() })
    }

    /// The alias description that carries the mark. Aliases have no tags.
    pub fn alias_description(&self, maker: Maker) -> String {
        let kind = match maker {
            Maker::Rollout => "rollout",
            Maker::Alias => "alias",
        };
        let fixed = format!("lambda-rollout {kind}  #{}", self.generation).len();
        format!(
            "lambda-rollout {kind} {} #{}",
            cut(&self.path, DESCRIPTION_LIMIT.saturating_sub(fixed)),
            self.generation
        )
    }

    /// Reads the mark from an alias description.
    pub fn from_alias_description(description: &str) -> Option<(Maker, Self)> {
        let rest = description.strip_prefix("lambda-rollout ")?;
        let (kind, rest) = rest.split_once(' ')?;
        let maker = match kind {
            "rollout" => Maker::Rollout,
            "alias" => Maker::Alias,
            _ => return None,
        };
        let (path, rest) = rest.split_once(" #")?;
        // What follows the mark is the user's own description.
        let generation = rest.split_once(' ').map_or(rest, |(generation, _)| generation);
        Some((maker, Self { path: path.to_owned(), generation: generation.to_owned() }))
    }

    /// Whether both marks name the same resource, whichever making of it.
    pub fn is_same_resource(&self, other: &Self) -> bool {
        self.path == other.path
    }

    /// Whether both resources are of one stack.
    pub fn is_same_stack(&self, other: &Self) -> bool {
        let stack = |path: &str| path.splitn(3, '/').take(2).map(str::to_owned).collect::<Vec<_>>();
        stack(&self.path) == stack(&other.path)
    }

    /// Resource policies have no tags either; statement ids carry a hash of the owner.
    /// An alias and a rollout of one name are two makers on one policy.
    pub fn statement_prefix(&self, maker: Maker) -> String {
        format!("rollout-{}-", short_hash(&format!("{maker:?}:{}", self.path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_read_back_from_tags_and_descriptions() {
        let owner = Owner::new("shop", "prod", "api", "k3x9");
        assert_eq!(Owner::from_tags(&owner.tags()), Some(owner.clone()));
        let description = owner.alias_description(Maker::Rollout);
        assert_eq!(description, "lambda-rollout rollout shop/prod/api #k3x9");
        assert_eq!(Owner::from_alias_description(&description), Some((Maker::Rollout, owner)));
        assert_eq!(Owner::from_alias_description("the live one"), None);
    }

    #[test]
    fn names_that_tags_do_not_allow_stay_distinct() {
        let (a, b) = (Owner::new("p", "s", "a&b", "1"), Owner::new("p", "s", "a%b", "1"));
        assert!(!a.is_same_resource(&b));
        assert!(a.is_same_stack(&Owner::new("p", "s", "c", "9")));
        assert!(!a.is_same_stack(&Owner::new("p", "t", "c", "9")));
    }

    #[test]
    fn long_names_fit_an_alias_description() {
        let owner = Owner::new(&"p".repeat(200), "prod", &"n".repeat(200), "k3x9");
        assert!(owner.alias_description(Maker::Alias).len() <= DESCRIPTION_LIMIT);
    }
}
