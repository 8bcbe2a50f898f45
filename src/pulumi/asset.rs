//! Values that stand for something else: files, archives, and other resources.

use std::collections::BTreeMap;

use super::{input::Input, value::PropertyValue};

/// A file, or its text. In old state only the hash is sure to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    pub hash: String,
    pub source: AssetSource,
}

/// Where an asset's bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AssetSource {
    /// Not told; only the hash is known.
    #[default]
    None,
    Text(String),
    Path(String),
    Uri(String),
}

/// A collection of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archive {
    pub hash: String,
    pub source: ArchiveSource,
}

/// Where an archive's entries are.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ArchiveSource {
    /// Not told; only the hash is known.
    #[default]
    None,
    /// Assets and archives by name.
    Assets(BTreeMap<String, PropertyValue>),
    Path(String),
    Uri(String),
}

/// Another resource, given as a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceReference {
    pub urn: String,
    /// Absent for a component, which has none.
    pub id: Input<String>,
    pub name: String,
    pub type_token: String,
    pub package_version: String,
}

impl Asset {
    /// Whether both are the same content, as far as that can be told.
    pub fn same_as(&self, other: &Self) -> bool {
        if self.hash.is_empty() || other.hash.is_empty() {
            return self.source == other.source;
        }
        self.hash == other.hash
    }
}

impl Archive {
    /// Whether both are the same content, as far as that can be told.
    pub fn same_as(&self, other: &Self) -> bool {
        if self.hash.is_empty() || other.hash.is_empty() {
            return self.source == other.source;
        }
        self.hash == other.hash
    }
}

impl ResourceReference {
    /// Whether both are the same resource; the version of its package does not count.
    pub fn same_as(&self, other: &Self) -> bool {
        self.urn == other.urn && self.id == other.id
    }
}
