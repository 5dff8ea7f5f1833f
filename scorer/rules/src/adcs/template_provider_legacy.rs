//! `adcs.template-provider-legacy`: keys are made by providers of the old interface.
//!
//! ## What it looks at
//! The providers that certificate templates name up to version 2 of the schema, and from version 4
//! on the flag USE_LEGACY_PROVIDER. Key storage providers are the new interface. Only templates
//! that an authority publishes.
//! ## Why it matters
//! Providers of CryptoAPI know no curves and no attestation, keep keys in forms that tools read,
//! and get nothing new.
//! ## What it cannot see
//! Which provider made a key; a template that names none leaves it to the requester.

use pki_inventory::{Asset, Template, private_key_flag};

use crate::enrolment::{Publication, limited, publication};
use crate::usages::schema;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-provider-legacy",
    title: "A published template has keys made by CryptoAPI",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.8 and 2.27" },
        Cite { document: "[MS-WCCE]", section: "3.1.2.4.2.2.2.8" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Template(check),
};

fn check(_: &Asset, template: &Template, cx: &RuleContext<'_>) -> Outcome {
    match publication(template, cx) {
        Publication::By(_) => {}
        Publication::Nobody => return Outcome::NotApplicable,
        Publication::Unclear(why) => return Outcome::Unknown(why),
    }
    let old = template.providers.iter().filter(|provider| !is_key_storage(provider));
    let old = limited(old.cloned());
    // Version 3 is for key storage providers alone, whatever they are called; the flag came with
    // version 4 and tells there.
    match (schema(template), template.keys(private_key_flag::LEGACY_PROVIDER)) {
        (..=2, _) if !old.is_empty() => Outcome::NotMet(format!("keys may be made by {old}")),
        (3, _) | (4.., Some(false)) => Outcome::Met,
        (4.., Some(true)) => {
            Outcome::NotMet("keys are made by CryptoAPI (USE_LEGACY_PROVIDER)".to_owned())
        }
        (4.., None) => Outcome::Unknown("its `msPKI-Private-Key-Flag` was not read".to_owned()),
        (_, _) if !template.providers.is_empty() => Outcome::Met,
        (version, _) => Outcome::Unknown(format!(
            "names no provider: version {version} leaves it to the requester"
        )),
    }
}

/// The names of key storage providers end alike, but for the one that keeps keys in a TPM.
fn is_key_storage(provider: &str) -> bool {
    let name = provider.to_lowercase();
    name.ends_with("key storage provider") || name == "microsoft platform crypto provider"
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{published, template, unpublished};

    use pki_inventory::Template;

    fn with(version: u32, provider: &str) -> Template {
        let providers = vec![provider.to_owned()];
        Template { schema_version: Some(version), providers, ..template("T") }
    }

    #[test]
    fn met_with_key_storage_providers() {
        let none = |version| Template { providers: Vec::new(), ..with(version, "") };
        let in_software = with(2, "Microsoft Software Key Storage Provider");
        let in_a_tpm = with(2, "Microsoft Platform Crypto Provider");
        let other = |version| with(version, "Google Cloud KMS Provider");
        let all = [template("T"), in_software, in_a_tpm, none(3), none(4), other(3), other(4)];
        published(&RULE, all.map(|one| (one, "met")));
    }

    #[test]
    fn not_met_with_others_or_the_flag() {
        let names = ["RSA SChannel", "DSS", "Microsoft Enhanced Cryptographic Provider v1.0"];
        published(&RULE, names.map(|name| (with(2, &format!("Microsoft {name}")), "not-met")));
        let flagged = Template { private_key_flags: Some(0x100), ..template("T") };
        published(&RULE, [(flagged, "not-met")]);
    }

    #[test]
    fn unknown_where_none_is_named_or_the_flags_were_not_read() {
        let none = Template { providers: Vec::new(), ..with(2, "") };
        let unread = Template { private_key_flags: None, ..template("T") };
        published(&RULE, [(none, "unknown"), (unread, "unknown")]);
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
