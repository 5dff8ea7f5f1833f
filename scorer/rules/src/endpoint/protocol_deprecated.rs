//! `endpoint.protocol-deprecated`: an endpoint still speaks a protocol version that has been
//! withdrawn.
//!
//! ## What it looks at
//! Endpoints that answered in TLS: SSL 2.0, SSL 3.0, TLS 1.0 and TLS 1.1, whatever the policy
//! approves.
//! ## Why it matters
//! SSL is broken outright, and TLS 1.0 and 1.1 rest on MD5 and SHA-1. Whoever stands between client
//! and server can talk them down to the oldest version that both speak.
//! ## What it cannot see
//! With one handshake, versions older than the one that was settled; those take a scan of the
//! posture. Whether a client that insists on such a version is left at all.

use pki_inventory::{Asset, Endpoint};

use super::{WITHDRAWN, is_tls, listed, spoken, unseen};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.protocol-deprecated",
    title: "An endpoint speaks a withdrawn protocol version",
    cites: &[
        Cite { document: "RFC 6176", section: "3" },
        Cite { document: "RFC 7568", section: "3" },
        Cite { document: "RFC 8996", section: "4 and 5" },
    ],
    in_force: InForce::Always,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, _: &RuleContext<'_>) -> Outcome {
    if !is_tls(endpoint) {
        return Outcome::NotApplicable;
    }
    let versions: Vec<&str> = WITHDRAWN.iter().map(|(version, _)| *version).collect();
    let found = spoken(endpoint, &versions);
    if !found.is_empty() {
        let by = WITHDRAWN.iter().filter(|(version, _)| found.contains(version));
        let found: Vec<String> = by.map(|(version, by)| format!("{version} ({by})")).collect();
        return Outcome::NotMet(format!("speaks {}", listed(&found, "and")));
    }
    unseen(endpoint, &versions).map_or(Outcome::Met, Outcome::Unknown)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, posture, session};

    use pki_inventory::{Fact, Handshake, Session};

    fn offering(version: &str, offered: Fact) -> World {
        let mut posture = posture();
        posture.versions.get_mut(version).unwrap().offered = offered;
        World::default().asked(session(), posture)
    }

    #[test]
    fn met_when_every_withdrawn_version_was_asked_for_and_refused() {
        check(&RULE, &World::default().asked(session(), posture()), &limits(), "met");
    }

    #[test]
    fn not_met_when_one_is_spoken_besides_a_current_one() {
        for version in ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"] {
            check(&RULE, &offering(version, Fact::Yes), &limits(), "not-met");
        }
    }

    #[test]
    fn not_met_when_the_one_handshake_settled_on_one() {
        let version = Some("TLSv1.0".to_owned());
        let handshake = Handshake::Shown(Session { version, ..session() });
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-met");
    }

    #[test]
    fn unknown_after_one_handshake_or_when_one_version_could_not_be_tried() {
        let one = World::default().endpoint(Handshake::Shown(session()));
        check(&RULE, &one, &limits(), "unknown");
        let reset = Fact::NotObserved("the connection was reset".to_owned());
        check(&RULE, &offering("SSLv2", reset), &limits(), "unknown");
        let offered = vec!["TLSv1.3".to_owned()];
        let declined = Handshake::Declined { alert: "protocol_version".to_owned(), offered };
        check(&RULE, &World::default().endpoint(declined), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_tls() {
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
