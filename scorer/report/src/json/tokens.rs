//! The private and symmetric keys on tokens, with every attribute that was told.

use pki_inventory::View;
use serde::{Serialize, Serializer};

use crate::facts;

/// There may be ten thousand on a token: their JSON is made one after the other.
pub(super) struct TokenKeys<'a> {
    pub(super) view: &'a View<'a>,
}

impl Serialize for TokenKeys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = self.view.token_keys();
        serializer.collect_seq(keys.map(|key| facts::token::token_key(key, self.view)))
    }
}
