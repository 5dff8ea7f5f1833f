//! Rules turn records into findings.
//!
//! A rule is a pure function of one item, the instant and the limits of the policy. It names a
//! condition found, never a requirement, a weight or a level: which requirements it bears on is
//! said by the map beside the model. `Unknown` means that the evidence was not collected; it is
//! never a quiet `Met`.
//!
//! Adding one is a file in the folder of its subject and a line in [`RULES`].
//!
//! ```
//! use pki_inventory::{Inventory, Time, View};
//! use pki_rules::{Limits, RULES, RuleContext, judge};
//!
//! let inventory = Inventory::default();
//! let view = View::of(&inventory);
//! let limits = Limits::default();
//! let cx = RuleContext { as_of: Time(1_790_000_000), view: &view, limits: &limits };
//! let mut findings = Vec::new();
//! judge(RULES, &cx, &mut |finding| findings.push(finding));
//! assert!(findings.is_empty(), "nothing was seen, so nothing is claimed");
//! ```

mod adcs;
mod asset;
mod ca;
mod cert;
mod configuration;
#[cfg(test)]
mod directory_fixtures;
mod endpoint;
mod enrolment;
mod finding;
#[cfg(test)]
mod fixtures;
mod key;
mod keystore;
mod limits;
mod passphrase;
mod pattern;
mod population;
mod renewal;
mod roots;
mod rule;
mod scan;
mod stale;
mod takeover;
mod token;
#[cfg(test)]
mod token_fixtures;
mod trust_store;
mod usages;
mod weak_mechanisms;

pub use finding::{Finding, Outcome, Subject, is_set_aside, judge};
pub use limits::{Approval, KeyLimit, LifetimeLimit, Limits, Owner};
pub use pattern::matches;
pub use rule::{Check, Cite, InForce, Reach, Rule, RuleContext};

/// Every rule, sorted by id.
pub const RULES: &[&Rule] = &[
    &adcs::account_mapping_weak::RULE,
    &adcs::account_mapping_writable::RULE,
    &adcs::authority_key_reachable::RULE,
    &adcs::authority_managed_by_ordinary::RULE,
    &adcs::authority_names_in_requests::RULE,
    &adcs::authority_outlived_by_template::RULE,
    &adcs::authority_requests_unencrypted::RULE,
    &adcs::authority_security_extension_disabled::RULE,
    &adcs::authority_takeover::RULE,
    &adcs::logon_mapping_permissive::RULE,
    &adcs::logon_store_stale::RULE,
    &adcs::object_takeover::RULE,
    &adcs::recovery_agent_stale::RULE,
    &adcs::root_store_unmatched::RULE,
    &adcs::template_any_purpose::RULE,
    &adcs::template_application_policies_open::RULE,
    &adcs::template_attestation_absent::RULE,
    &adcs::template_auto_enrolment_absent::RULE,
    &adcs::template_enrolment_agent::RULE,
    &adcs::template_key_exportable::RULE,
    &adcs::template_key_kept_on_renewal::RULE,
    &adcs::template_key_weak::RULE,
    &adcs::template_name_supplied_for_logon::RULE,
    &adcs::template_name_supplied_for_server::RULE,
    &adcs::template_policy_gives_group::RULE,
    &adcs::template_provider_legacy::RULE,
    &adcs::template_published_for_nobody::RULE,
    &adcs::template_revocation_information_absent::RULE,
    &adcs::template_schema_outdated::RULE,
    &adcs::template_security_extension_absent::RULE,
    &adcs::template_superseded_published::RULE,
    &adcs::template_takeover::RULE,
    &adcs::web_enrolment_exposed::RULE,
    &asset::unparsed::RULE,
    &ca::crl_stale::RULE,
    &ca::key_exposed::RULE,
    &ca::key_outside_hardware::RULE,
    &cert::algorithm_not_approved::RULE,
    &cert::expired_in_directory::RULE,
    &cert::expired_in_service::RULE,
    &cert::expired_unattended::RULE,
    &cert::expiring_without_successor::RULE,
    &cert::issuer_not_approved::RULE,
    &cert::lifetime_over_limit::RULE,
    &cert::name_mismatch::RULE,
    &cert::names_in_common_name_only::RULE,
    &cert::not_yet_valid_in_service::RULE,
    &cert::owner_unassigned::RULE,
    &cert::revoked_in_service::RULE,
    &cert::self_signed_in_service::RULE,
    &cert::signature_weak::RULE,
    &cert::unknown_to_issuer_records::RULE,
    &configuration::differs_from_endpoint::RULE,
    &configuration::protocol_deprecated::RULE,
    &configuration::protocol_not_approved::RULE,
    &endpoint::chain_disordered::RULE,
    &endpoint::chain_incomplete::RULE,
    &endpoint::cipher_not_approved::RULE,
    &endpoint::compression_enabled::RULE,
    &endpoint::key_exchange_classical_only::RULE,
    &endpoint::key_exchange_weak::RULE,
    &endpoint::protocol_deprecated::RULE,
    &endpoint::protocol_not_approved::RULE,
    &endpoint::renegotiation_insecure::RULE,
    &endpoint::staple_stale::RULE,
    &key::algorithm_not_approved::RULE,
    &key::in_image::RULE,
    &key::known_weak::RULE,
    &key::left_in_image::RULE,
    &key::location_unknown::RULE,
    &key::passphrase_weak::RULE,
    &key::readable_by_others::RULE,
    &key::roca::RULE,
    &key::shared_between_names::RULE,
    &key::stored_unencrypted::RULE,
    &keystore::password_well_known::RULE,
    &renewal::automation_sign_absent::RULE,
    &renewal::not_deployed::RULE,
    &renewal::stalled::RULE,
    &scan::coverage_low::RULE,
    &token::certificate_without_key::RULE,
    &token::identity_incomplete::RULE,
    &token::in_error::RULE,
    &token::key_exponent_small::RULE,
    &token::key_extractable::RULE,
    &token::key_id_duplicate::RULE,
    &token::key_id_missing::RULE,
    &token::key_imported::RULE,
    &token::key_kept_after_expiry::RULE,
    &token::key_mechanism_weak::RULE,
    &token::key_modifiable::RULE,
    &token::key_not_private::RULE,
    &token::key_not_sensitive::RULE,
    &token::key_on_several_tokens::RULE,
    &token::key_once_exposed::RULE,
    &token::key_pair_wraps::RULE,
    &token::key_usage_pair::RULE,
    &token::key_without_certificate::RULE,
    &token::key_wrappable_by_trusted::RULE,
    &token::mechanism_weak::RULE,
    &token::not_initialised::RULE,
    &token::pin_at_risk::RULE,
    &token::secret_key_weak::RULE,
    &token::serial_duplicate::RULE,
    &token::wrapping_key_untrusted::RULE,
    &trust_store::anchor_stale::RULE,
];
