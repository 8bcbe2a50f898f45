//! Property values on the wire: a `google.protobuf.Struct` in which marked objects and magic strings stand for what
//! JSON cannot say.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use encode::{encode, write};

use super::path::{PropertyPath, Segment};

/// An object with this key is no plain object: the value says what it is.
const MARK: &str = "4dabf18193072939515e22adb298388d";
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE: &str = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT: &str = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";
const BYTES: &str = "803fd3297a5875dc03ca845dda5d2a98";

/// Unknown, as we say it.
const UNKNOWN_STRING: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/// Unknown, as others say it: one spelling for each type, and each may stand anywhere.
const UNKNOWNS: [&str; 7] = [
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
    UNKNOWN_STRING,
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
    "030794c1-ac77-496b-92df-f27374a8bd58", // asset
    "e48ece36-62e2-4504-bad9-02848725956a", // archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
];

/// How deep values may be nested. Protobuf's own limit strikes earlier in what comes through a socket.
const MAX_DEPTH: usize = 100;

/// A `Struct` that is no set of properties.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the property \"{path}\": {problem}")]
pub struct WireError {
    path: PropertyPath,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("it is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    #[error("it is marked as something of which nothing is known ({0})")]
    UnknownMark(String),
    #[error("it is a string of bytes, which is not supported")]
    Bytes,
    #[error("it is {what} whose \"{field}\" is missing or malformed")]
    Malformed { what: &'static str, field: &'static str },
}

impl WireError {
    fn new(problem: Problem) -> Self {
        Self { path: PropertyPath::root(), problem }
    }

    fn malformed(what: &'static str, field: &'static str) -> Self {
        Self::new(Problem::Malformed { what, field })
    }

    fn within(self, segment: Segment) -> Self {
        Self { path: self.path.within(segment), ..self }
    }
}
