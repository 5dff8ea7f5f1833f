//! `adcs.authority-managed-by-ordinary`: ordinary accounts may manage an authority or approve
//! requests.
//!
//! ## What it looks at
//! Authorities that a directory registers. The answer itself is not in a directory.
//! ## Why it matters
//! Who manages an authority switches on what he likes; who manages certificates approves his own
//! request.
//! ## What it cannot see
//! The access list in the registry of the authority's host, with the rights ManageCA and
//! ManageCertificates, so that it is always unknown here.

use pki_inventory::{Asset, Authority};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-managed-by-ordinary",
    title: "Ordinary accounts may manage an authority (ESC7)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC7" },
        Cite { document: "[MS-CSRA]", section: "3.1.1.7" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, _: &RuleContext<'_>) -> Outcome {
    let host = crate::adcs::host(authority);
    Outcome::Unknown(format!(
        "the answer is in the registry of {host}, to be read there or by RPC: who has ManageCA and \
         ManageCertificates by the value Security"
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::answered_on_the_host;

    #[test]
    fn unknown_and_the_sentence_says_where_to_look() {
        answered_on_the_host(&RULE, "unknown");
    }
}
