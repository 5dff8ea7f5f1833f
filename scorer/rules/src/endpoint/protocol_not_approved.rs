//! `endpoint.protocol-not-approved`: an endpoint agrees to a protocol version that the policy does
//! not approve, or to none that it approves.
//!
//! ## What it looks at
//! Endpoints that answered in TLS: the version they agreed to when everything modern was offered,
//! or their alert when they agreed to nothing.
//! ## Why it matters
//! TLS 1.1 and older rest on MD5 and SHA-1 and are withdrawn; a server that speaks nothing newer
//! cannot be reached safely.
//! ## What it cannot see
//! Older versions that a server would also accept: one handshake shows only the one it prefers.

use pki_inventory::{Asset, Endpoint, Handshake};

use crate::{Check, Cite, InForce, Outcome, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.protocol-not-approved",
    title: "An endpoint speaks a protocol version that is not approved",
    cites: &[
        Cite { document: "RFC 8996", section: "1" },
        Cite { document: "RFC 9325", section: "3.1.1" },
    ],
    in_force: InForce::Policy,
    fed_by: &["tls"],
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    let approved = &cx.limits.protocols;
    match &endpoint.handshake {
        Handshake::NoTls { .. } => Outcome::NotApplicable,
        Handshake::Declined { alert, offered } if alert == "protocol_version" => {
            if approved.iter().all(|version| offered.contains(version)) {
                Outcome::NotMet(format!("declined {} as too new", offered.join(" and ")))
            } else {
                Outcome::Unknown(format!(
                    "declined {}, and nothing else was offered",
                    offered.join(" and ")
                ))
            }
        }
        Handshake::Declined { alert, .. } => {
            Outcome::Unknown(format!("declined the handshake with the alert {alert}"))
        }
        Handshake::Shown(session) => match &session.version {
            None => Outcome::Unknown("the handshake broke before a version was settled".to_owned()),
            Some(version) if approved.contains(version) => Outcome::Met,
            Some(version) => Outcome::NotMet(format!("agreed to {version}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, session};

    use pki_inventory::{Handshake, Session};

    fn speaking(version: Option<&str>) -> World {
        let version = version.map(str::to_owned);
        World::default().endpoint(Handshake::Shown(Session { version, ..session() }))
    }

    fn declining(alert: &str) -> World {
        let offered = vec!["TLSv1.3".to_owned(), "TLSv1.2".to_owned()];
        World::default().endpoint(Handshake::Declined { alert: alert.to_owned(), offered })
    }

    #[test]
    fn met_with_an_approved_version() {
        check(&RULE, &speaking(Some("TLSv1.3")), &limits(), "met");
    }

    #[test]
    fn not_met_with_another_or_with_none() {
        check(&RULE, &speaking(Some("TLSv1.2")), &limits(), "not-met");
        check(&RULE, &declining("protocol_version"), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_nothing_was_settled() {
        check(&RULE, &speaking(None), &limits(), "unknown");
        check(&RULE, &declining("handshake_failure"), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_tls() {
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
