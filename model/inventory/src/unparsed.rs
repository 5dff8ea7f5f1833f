//! What looked like an object of the field and could not be parsed.

use serde::{Deserialize, Serialize};

/// Kept by its digest, so that a second look knows it again; the octets stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unparsed {
    /// What it claimed or seemed to be, such as `certificate`.
    pub claimed: String,
    /// Octets.
    pub length: usize,
    /// Why it could not be parsed.
    pub error: String,
}
