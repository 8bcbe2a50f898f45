//! Where a property is.

use super::super::path::PropertyPath;

/// The way to a property, without a copy of it: only a failure needs the path, and most properties are fine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl Place<'_> {
    pub(super) fn path(&self) -> PropertyPath {
        match *self {
            Self::Root => PropertyPath::root(),
            Self::Key(parent, key) => parent.path().key(key.to_owned()),
            Self::Index(parent, index) => parent.path().index(index),
        }
    }

    /// How many steps it is from the root.
    pub(super) fn depth(&self) -> usize {
        match *self {
            Self::Root => 0,
            Self::Key(parent, _) | Self::Index(parent, _) => parent.depth() + 1,
        }
    }
}
