//! Hooks: whether they can work, what their logs tell, and the watch over one that runs.

pub mod access;
pub mod line;
pub mod log;
pub mod watch;
