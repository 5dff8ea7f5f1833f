//! Rules about Active Directory Certificate Services.

pub(crate) mod account_mapping_weak;
pub(crate) mod account_mapping_writable;
pub(crate) mod authority_key_reachable;
pub(crate) mod authority_managed_by_ordinary;
pub(crate) mod authority_names_in_requests;
pub(crate) mod authority_outlived_by_template;
pub(crate) mod authority_requests_unencrypted;
pub(crate) mod authority_security_extension_disabled;
pub(crate) mod authority_takeover;
pub(crate) mod logon_mapping_permissive;
pub(crate) mod logon_store_stale;
pub(crate) mod object_takeover;
pub(crate) mod recovery_agent_stale;
pub(crate) mod root_store_unmatched;
pub(crate) mod template_any_purpose;
pub(crate) mod template_application_policies_open;
pub(crate) mod template_attestation_absent;
pub(crate) mod template_auto_enrolment_absent;
pub(crate) mod template_enrolment_agent;
pub(crate) mod template_key_exportable;
pub(crate) mod template_key_kept_on_renewal;
pub(crate) mod template_key_weak;
pub(crate) mod template_name_supplied_for_logon;
pub(crate) mod template_name_supplied_for_server;
pub(crate) mod template_policy_gives_group;
pub(crate) mod template_provider_legacy;
pub(crate) mod template_published_for_nobody;
pub(crate) mod template_revocation_information_absent;
pub(crate) mod template_schema_outdated;
pub(crate) mod template_security_extension_absent;
pub(crate) mod template_superseded_published;
pub(crate) mod template_takeover;
pub(crate) mod web_enrolment_exposed;

use pki_inventory::Authority;

/// The host of an authority, for a sentence that says where to look.
pub(crate) fn host(authority: &Authority) -> &str {
    authority.host.as_deref().unwrap_or("its host (which was not read)")
}
