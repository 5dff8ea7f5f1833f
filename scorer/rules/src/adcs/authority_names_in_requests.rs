//! `adcs.authority-names-in-requests`: an authority may take alternative names out of any request.
//!
//! ## What it looks at
//! Authorities that a directory registers. The answer itself is not in a directory.
//! ## Why it matters
//! With this switch every template that logs on is one by which the requester names whom he likes.
//! ## What it cannot see
//! EDITF_ATTRIBUTESUBJECTALTNAME2 in the registry of the authority's host, so that it is always
//! unknown here.

use pki_inventory::{Asset, Authority};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-names-in-requests",
    title: "An authority may take names from the attributes of requests (ESC6)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC6" },
        Cite { document: "[MS-WCCE]", section: "3.2.1.1.4" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, _: &RuleContext<'_>) -> Outcome {
    let host = crate::adcs::host(authority);
    Outcome::Unknown(format!(
        "the answer is in the registry of {host}, to be read there or by RPC: \
         EDITF_ATTRIBUTESUBJECTALTNAME2 (0x00040000) in EditFlags of its policy module"
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::directory_fixtures::{answered_on_the_host, issuing};
    use crate::fixtures::{World, limits};

    use pki_inventory::Authority;

    #[test]
    fn unknown_and_the_sentence_says_where_to_look() {
        answered_on_the_host(&RULE, "unknown");
        let unread = Authority { host: None, ..issuing(&["T"]) };
        let found = World::default().issued_by(unread).sentences(&RULE, &limits());
        assert!(found[0].contains("the registry of its host (which was not read)"), "{found:?}");
    }
}
