//! Rules about trust stores.

pub(crate) mod anchor_stale;
