//! `adcs.template-attestation-absent`: nothing shows where its keys are.
//!
//! ## What it looks at
//! The flags ATTEST_REQUIRED and ATTEST_PREFERRED of certificate templates, which are there from
//! version 4 of the schema on. Only templates that an authority publishes.
//! ## Why it matters
//! Only attestation tells an authority that a key is in a TPM and stays there; a provider that is
//! asked for is a wish.
//! ## What it cannot see
//! What the authority does with an attestation; keys in smart cards, which have other ways.

use pki_inventory::{Asset, Template, private_key_flag};

use crate::enrolment::{Publication, publication};
use crate::usages::schema;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.template-attestation-absent",
    title: "A published template asks for no attestation of keys",
    cites: &[
        Cite { document: "[MS-CRTD]", section: "2.27" },
        Cite { document: "[MS-WCCE]", section: "3.2.2.6.2.1.4.5.7" },
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
    let version = schema(template);
    if version < 4 {
        return Outcome::NotApplicableBecause(format!(
            "version {version} of the schema knows no attestation"
        ));
    }
    let is = |flag| template.keys(flag);
    match (is(private_key_flag::ATTESTATION_REQUIRED), is(private_key_flag::ATTESTATION_PREFERRED))
    {
        (Some(true), _) => Outcome::MetBecause("attestation is required".to_owned()),
        (_, Some(true)) => Outcome::MetBecause("attestation is preferred".to_owned()),
        (Some(false), _) => Outcome::NotMet(
            "keys need no attestation, not even where there could be one".to_owned(),
        ),
        (None, _) => Outcome::Unknown("its `msPKI-Private-Key-Flag` was not read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{published, template, unpublished};

    use pki_inventory::Template;

    #[test]
    fn the_flags_decide_where_they_were_read() {
        let with = |private_key_flags| Template { private_key_flags, ..template("T") };
        published(&RULE, [(with(Some(0x2000)), "met"), (with(Some(0x1000)), "met")]);
        published(&RULE, [(with(Some(0)), "not-met"), (with(None), "unknown")]);
    }

    #[test]
    fn not_applicable_before_version_4() {
        let of = |schema_version| Template { schema_version, ..template("T") };
        published(&RULE, [None, Some(2), Some(3)].map(|version| (of(version), "not-applicable")));
    }

    #[test]
    fn not_applicable_unpublished_and_unknown_where_no_authority_was_read() {
        unpublished(&RULE, &template("T"), "not-applicable", "unknown");
    }
}
