//! `adcs.web-enrolment-exposed`: an authority may take requests over HTTP that others can pass on.
//!
//! ## What it looks at
//! Authorities that a directory registers, with their hosts and the addresses of enrolment over
//! HTTPS. The answer itself is not in a directory.
//! ## Why it matters
//! Whoever makes a host authenticate to him passes that on to the web page and gets a certificate
//! in the name of the host, a domain controller's for example.
//! ## What it cannot see
//! Whether a page answers, over HTTP, or over HTTPS without channel binding: a connection shows
//! that, and it is not made. So it is always unknown here.

use pki_inventory::{Asset, Authority};

use crate::enrolment::limited;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "adcs.web-enrolment-exposed",
    title: "Web enrolment may be open to relayed logons (ESC8)",
    cites: &[
        Cite { document: "Certified Pre-Owned (SpecterOps, 2021)", section: "ESC8" },
        Cite { document: "[MS-WSTEP]", section: "2.1" },
        Cite { document: "RFC 5929", section: "4" },
    ],
    in_force: InForce::Always,
    fed_by: &["directory"],
    reach: Reach::WhereShown,
    check: Check::Authority(check),
};

fn check(_: &Asset, authority: &Authority, _: &RuleContext<'_>) -> Outcome {
    let page = authority.host.iter().map(|host| format!("http://{host}/certsrv/"));
    let candidates = limited(page.chain(authority.enrolment_urls.iter().cloned()));
    let whether = "whether a page takes requests over HTTP, or over HTTPS without channel binding,";
    Outcome::Unknown(match candidates.is_empty() {
        false => format!("{whether} shows at the addresses themselves: {candidates}"),
        true => format!("{whether} shows on its host, which was not read"),
    })
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
    }

    #[test]
    fn there_is_no_address_of_a_host_that_was_not_read() {
        let one = Authority { host: None, ..issuing(&[]) };
        let found = World::default().issued_by(one).sentences(&RULE, &limits());
        assert!(found[0].ends_with("shows on its host, which was not read"), "{found:?}");
    }

    #[test]
    fn addresses_of_the_directory_are_candidates() {
        let url = "https://ces.corp.example/CES/service.svc/CES".to_owned();
        let mut one = issuing(&[]);
        one.enrolment_urls.push(url.clone());
        let found = World::default().issued_by(one).sentences(&RULE, &limits());
        assert!(found[0].contains(&url), "{found:?}");
    }
}
