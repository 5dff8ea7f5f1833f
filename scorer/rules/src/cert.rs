//! Rules about certificates.

pub(crate) mod algorithm_not_approved;
pub(crate) mod expired_in_directory;
pub(crate) mod expired_in_service;
pub(crate) mod expired_unattended;
pub(crate) mod expiring_without_successor;
pub(crate) mod issuer_not_approved;
pub(crate) mod lifetime_over_limit;
pub(crate) mod name_mismatch;
pub(crate) mod names_in_common_name_only;
pub(crate) mod not_yet_valid_in_service;
pub(crate) mod owner_unassigned;
pub(crate) mod revoked_in_service;
pub(crate) mod self_signed_in_service;
pub(crate) mod signature_weak;
pub(crate) mod unknown_to_issuer_records;
