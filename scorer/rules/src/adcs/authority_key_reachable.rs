//! `adcs.authority-key-reachable`: whoever gets to an authority's host may use its key.
//!
//! ## What it looks at
//! Authorities that a directory registers. The answer itself is not in a directory.
//! ## Why it matters
//! Where the key is in a module on the network and the host keeps the password to it, an ordinary
//! shell on the host is enough to sign anything.
//! ## What it cannot see
//! Who may log on to the authority's host and how it reaches its key, so that it is always unknown
//! here.

use pki_inventory::{Asset, Authority};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-key-reachable",
    title: "The key of an authority may be open to whoever is on its host (ESC12)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC12" },
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, _: &RuleContext<'_>) -> Outcome {
    let host = crate::adcs::host(authority);
    Outcome::Unknown(format!(
        "the answer is on {host}: which provider holds the key, who may log on, and whether the \
         password of a hardware module lies in the registry"
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
