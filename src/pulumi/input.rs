//! One input as it was declared.

/// A declared input: a preview may not know it yet.
///
/// A value that was declared wrongly is reported by the [`Reader`](super::Reader) and counts as unknown from there on,
/// so that rules which need it are skipped instead of complaining again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input<T> {
    #[default]
    Absent,
    Unknown,
    Known(T),
}

impl<T> Input<T> {
    /// The value, if it is there and known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// What holds when nothing was declared. What is unknown stays so.
    pub fn or(self, default: T) -> Self {
        match self {
            Self::Absent => Self::Known(default),
            other => other,
        }
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Input<U> {
        self.and_then(|value| Input::Known(change(value)))
    }

    pub fn and_then<U>(self, next: impl FnOnce(T) -> Input<U>) -> Input<U> {
        match self {
            Self::Absent => Input::Absent,
            Self::Unknown => Input::Unknown,
            Self::Known(value) => next(value),
        }
    }

    pub fn as_ref(&self) -> Input<&T> {
        match self {
            Self::Absent => Input::Absent,
            Self::Unknown => Input::Unknown,
            Self::Known(value) => Input::Known(value),
        }
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

impl<T> Input<Vec<Input<T>>> {
    /// The whole list, unless the list or one of its elements is unknown.
    pub fn all_known(self) -> Input<Vec<T>> {
        self.and_then(|items| {
            if items.iter().any(Input::is_unknown) {
                return Input::Unknown;
            }
            Input::Known(items.into_iter().filter_map(Input::known).collect())
        })
    }
}

impl<T> From<Option<T>> for Input<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}
