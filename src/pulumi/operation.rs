//! The circumstances of one call on a resource.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{hidden::Hidden, log::EngineLog, urn::Urn, value::PropertyMap};

/// Who is called, how long it may take, and how to speak to the user meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    pub urn: Urn,
    /// The resource's name in the program.
    pub name: String,
    pub type_token: String,
    /// Nothing may be changed, and what is not certain is to be left unknown.
    pub preview: bool,
    /// How long it may take, if the user has said so.
    pub timeout: Option<Duration>,
    /// Fires when the user wants to stop, or when nobody waits for the answer any more (a check or a diff is
    /// dropped instead).
    pub cancel: CancellationToken,
    pub log: EngineLog,
    pub(super) hidden: Hidden,
    pub(super) kept: Arc<Mutex<Option<Kept>>>,
}

/// What there is already, should the call end badly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) outputs: PropertyMap,
}

impl Operation {
    /// The secrets in these properties are told to nobody, be it in a line or in an error.
    pub(super) fn hiding<'a>(self, properties: impl IntoIterator<Item = &'a PropertyMap>) -> Self {
        let hidden = Hidden::of(properties);
        Self { log: self.log.hiding(hidden.clone()), hidden, ..self }
    }

    /// Says what would have to be kept in the state if the call crashed from here on. Once something has been
    /// created, this is what keeps it from being forgotten. Each call replaces what was said before.
    pub fn keep(&self, id: impl Into<String>, outputs: PropertyMap) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { id: id.into(), outputs });
    }

    pub(super) fn kept(&self) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
