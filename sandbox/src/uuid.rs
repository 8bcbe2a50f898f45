//! Random identifiers.

/// A random identifier in the form of a UUID.
pub(crate) fn new_uuid() -> String {
    let random = fastrand::u128(..);
    let hex = format!("{random:032x}");
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
