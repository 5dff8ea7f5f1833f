//! A bundle of trust anchors kept as one thing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// Many CA certificates and no key in one place: what relying parties trust.
///
/// Its members are in the inventory too, but as members: 150 roots of an operating system must not
/// drown the certificates an organisation has to renew itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrustStore {
    /// SHA-256 of each member's encoding.
    pub members: BTreeSet<Digest>,
}

impl TrustStore {
    /// Bundles with at least this many CA certificates and no key are trust stores.
    pub const LEAST_MEMBERS: usize = 20;

    /// The identity of a set of members, whatever their order in the file.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let all: Vec<u8> = self.members.iter().flat_map(|member| *member.octets()).collect();
        Digest::of(&all)
    }
}
