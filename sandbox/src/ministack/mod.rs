//! Finds ministack, starts it on a free port, and makes sure that nothing of it outlives the sandbox.

mod find;
mod process;

pub use find::FindError;
pub(crate) use find::find;
pub(crate) use process::Ministack;
pub use process::StartError;
