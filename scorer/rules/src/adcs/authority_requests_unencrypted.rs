//! `adcs.authority-requests-unencrypted`: an authority may take requests over connections that can
//! be relayed.
//!
//! ## What it looks at
//! Authorities that a directory registers. The answer itself is not in a directory.
//! ## Why it matters
//! Whoever makes a host authenticate to him passes that on to the authority and gets a certificate
//! in the name of the host.
//! ## What it cannot see
//! IF_ENFORCEENCRYPTICERTREQUEST in the registry of the authority's host, so that it is always
//! unknown here.

use pki_inventory::{Asset, Authority};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-requests-unencrypted",
    title: "An authority may take unencrypted requests (ESC11)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC11" },
        Cite { document: "[MS-WCCE]", section: "2.1" },
        Cite { document: "[MS-ICPR]", section: "3.2.4.1.1" },
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
         IF_ENFORCEENCRYPTICERTREQUEST (0x00000200) in InterfaceFlags"
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
