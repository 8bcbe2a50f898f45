//! Pulumi's provider protocol: everything that a provider needs to be called by the engine, and nothing of what it
//! does there.
//!
//! A provider implements [`Provider`] and is run by [`serve`]. Its inputs and outputs are [`PropertyMap`]s;
//! [`Reader`] turns declared inputs into typed values, [`diff::compare`] finds what changed, [`Failure`] says what
//! the engine is to keep of a call that failed, and [`Operation`] carries the progress log and the cancellation.
//! Only this layer knows the wire.

mod asset;
mod check;
pub mod diff;
mod failure;
mod hidden;
mod input;
mod log;
mod operation;
mod path;
pub mod proto;
mod provider;
mod reader;
mod server;
mod service;
mod stop;
mod suggest;
mod urn;
mod value;
pub mod wire;

pub use asset::{Archive, ArchiveSource, Asset, AssetSource, ResourceReference};
pub use check::{CheckFailure, Checked};
pub use diff::{Change, ChangeKind, Diff};
pub use failure::{Failure, Partial};
pub use input::Input;
pub use log::{EngineLog, Logged, Recording};
pub use operation::Operation;
pub use path::{PropertyPath, Segment};
pub use provider::{
    Autonaming, CheckRequest, ConfigureError, CreateRequest, Created, DeleteRequest, DiffRequest,
    InvokeRequest, Invoked, MissingKey, Provider, ReadRequest, ReadState, UpdateRequest, Updated,
};
pub use reader::Reader;
pub use server::{ServeError, serve, service};
pub use urn::Urn;
pub use value::{OutputValue, PropertyMap, PropertyValue, plain, properties, same};
