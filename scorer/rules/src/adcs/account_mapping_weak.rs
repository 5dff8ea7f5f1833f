//! `adcs.account-mapping-weak`: an account is mapped to certificates by names that others can ask
//! for.
//!
//! ## What it looks at
//! Accounts that are not disabled, hosts of authorities among them, by the form of each mapping in
//! altSecurityIdentities. Weak are issuer with subject, subject, and mail address; strong are
//! issuer with serial number, key identifier, and the hash of the key.
//! ## Why it matters
//! A subject or an address is no secret and not for one certificate only. Whoever gets a
//! certificate with it logs on as the account.
//! ## What it cannot see
//! Whether the domain controllers still take weak mappings: that stands in their registry. Forms
//! that are not known here are unknown.

use pki_inventory::{Asset, DirectoryObject, DirectoryRole, Mapping, MappingForm};

use crate::enrolment::limited;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.account-mapping-weak",
    title: "An account is mapped to certificates in a weak form (ESC14)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC14" },
        Cite { document: "KB5014754", section: "Certificate mappings" },
        Cite { document: "[MS-PKCA]", section: "3.1.5.2.1.3 and 3.1.5.2.1.5" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::DirectoryObject(check),
};

fn check(_: &Asset, object: &DirectoryObject, _: &RuleContext<'_>) -> Outcome {
    let all = object.mappings.iter().filter(|mapping| mapping.form != MappingForm::Kerberos);
    let all: Vec<&Mapping> = all.collect();
    // The host of an authority is an account too, and one entry is one asset.
    let is_account = matches!(object.role, DirectoryRole::Account | DirectoryRole::AuthorityHost);
    if !is_account || all.is_empty() {
        return Outcome::NotApplicable;
    }
    let texts = |weak: Option<bool>| {
        let of = all.iter().filter(|mapping| mapping.form.is_weak() == weak);
        limited(of.map(|mapping| format!("`{}`", mapping.text)))
    };
    let (weak, other) = (texts(Some(true)), texts(None));
    match (object.enabled, weak.is_empty(), other.is_empty()) {
        (Some(false), false, _) | (Some(false), _, false) => {
            Outcome::NotApplicableBecause("the account is disabled".to_owned())
        }
        (_, true, true) => Outcome::Met,
        (_, true, false) => {
            Outcome::Unknown(format!("mapped by {other}, a form with no name here"))
        }
        (enabled, false, _) => {
            let enabled = enabled.map_or("; whether it is enabled was not read", |_| "");
            let whose = match (object.role, object.administers) {
                (DirectoryRole::AuthorityHost, _) => "the host of an authority is ",
                (_, Some(true)) => "an administrator's account is ",
                _ => "",
            };
            Outcome::NotMet(format!("{whose}mapped by {weak}, which is weak{enabled}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::object;
    use crate::fixtures::{World, check, limits};

    use pki_inventory::{DirectoryObject, DirectoryRole, Mapping, MappingForm};

    fn mapped(form: MappingForm, enabled: Option<bool>) -> World {
        let mappings = vec![Mapping { form, text: "X509:<S>CN=x".to_owned() }];
        let account = object(DirectoryRole::Account);
        World::default().object(DirectoryObject { mappings, enabled, ..account })
    }

    #[test]
    fn met_by_strong_forms() {
        let strong = [MappingForm::IssuerAndSerial, MappingForm::PublicKey];
        for form in strong.into_iter().chain([MappingForm::SubjectKeyIdentifier]) {
            check(&RULE, &mapped(form, Some(true)), &limits(), "met");
        }
    }

    #[test]
    fn not_met_by_weak_ones_unless_it_is_known_to_be_disabled() {
        for form in [MappingForm::IssuerAndSubject, MappingForm::Subject, MappingForm::Mail] {
            check(&RULE, &mapped(form, Some(true)), &limits(), "not-met");
        }
        let found = mapped(MappingForm::Mail, None).sentences(&RULE, &limits());
        assert!(found[0].ends_with("weak; whether it is enabled was not read"), "{found:?}");
    }

    #[test]
    fn not_met_by_the_host_of_an_authority() {
        let mappings =
            vec![Mapping { form: MappingForm::Subject, text: "X509:<S>CN=x".to_owned() }];
        let host = DirectoryObject { mappings, ..object(DirectoryRole::AuthorityHost) };
        let world = World::default().object(host);
        check(&RULE, &world, &limits(), "not-met");
        let found = world.sentences(&RULE, &limits());
        assert!(found[0].starts_with("the host of an authority is mapped by"), "{found:?}");
    }

    #[test]
    fn unknown_by_a_form_without_a_name() {
        check(&RULE, &mapped(MappingForm::Other, Some(true)), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_disabled_accounts_and_mappings_of_other_sorts() {
        check(&RULE, &mapped(MappingForm::Mail, Some(false)), &limits(), "not-applicable");
        check(&RULE, &mapped(MappingForm::Kerberos, Some(true)), &limits(), "not-applicable");
    }
}
