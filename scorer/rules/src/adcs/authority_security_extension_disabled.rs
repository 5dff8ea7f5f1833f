//! `adcs.authority-security-extension-disabled`: an authority may leave the security extension out
//! of all it issues.
//!
//! ## What it looks at
//! Authorities that a directory registers. The answer itself is not in a directory.
//! ## Why it matters
//! Then every template is one without it: certificates are matched with accounts by names that can
//! be changed.
//! ## What it cannot see
//! DisableExtensionList in the registry of the authority's host, so that it is always unknown here.

use pki_inventory::{Asset, Authority};

use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.authority-security-extension-disabled",
    title: "An authority may leave the security extension out (ESC16)",
    cites: &[
        Cite { document: "Certipy wiki, Privilege Escalation", section: "ESC16" },
        Cite { document: "KB5014754", section: "Enterprise Certificate Authorities" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, _: &RuleContext<'_>) -> Outcome {
    let host = crate::adcs::host(authority);
    Outcome::Unknown(format!(
        "the answer is in the registry of {host}, to be read there or by RPC: whether \
         1.3.6.1.4.1.311.25.2 is in DisableExtensionList of its policy module"
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
