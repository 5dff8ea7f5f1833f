//! Rules about endpoints.

pub(crate) mod key_exchange_classical_only;
pub(crate) mod protocol_not_approved;
