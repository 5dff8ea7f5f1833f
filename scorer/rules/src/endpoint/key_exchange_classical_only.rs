//! `endpoint.key-exchange-classical-only`: an endpoint was offered a quantum-safe key exchange and
//! took a classical one.
//!
//! ## What it looks at
//! Endpoints that completed a key exchange.
//! ## Why it matters
//! Traffic recorded today can be read once a large quantum computer exists; only the key exchange
//! of today decides that.
//! ## What it cannot see
//! A server that prefers a classical group but would accept a hybrid one if nothing else were
//! offered.

use pki_inventory::{Asset, Endpoint};

use crate::{Check, Cite, InForce, Outcome, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.key-exchange-classical-only",
    title: "An endpoint uses a classical key exchange",
    cites: &[
        Cite { document: "RFC 10024", section: "1" },
        Cite { document: "NIST IR 8547 ipd", section: "4" },
    ],
    in_force: InForce::Policy,
    fed_by: &["tls"],
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    let safe = &cx.limits.quantum_safe_groups;
    let Some(session) = endpoint.session() else { return Outcome::NotApplicable };
    match (&session.group, session.version.as_deref()) {
        (Some(group), _) if safe.contains(group) => Outcome::Met,
        (Some(group), Some("TLSv1.3"))
            if !session.offered_groups.iter().any(|g| safe.contains(g)) =>
        {
            Outcome::Unknown(format!("agreed to {group}, but was offered nothing else that counts"))
        }
        (Some(group), _) => Outcome::NotMet(format!("agreed to {group}")),
        (None, Some("TLSv1.2")) => {
            Outcome::NotMet("agreed to TLSv1.2, which has no quantum-safe key exchange".to_owned())
        }
        (None, _) => Outcome::Unknown("the handshake broke before a group was settled".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, session};

    use pki_inventory::{Handshake, Session};

    fn agreeing(group: Option<&str>, version: Option<&str>) -> World {
        let (group, version) = (group.map(str::to_owned), version.map(str::to_owned));
        World::default().endpoint(Handshake::Shown(Session { group, version, ..session() }))
    }

    #[test]
    fn met_with_a_hybrid() {
        check(&RULE, &agreeing(Some("X25519MLKEM768"), Some("TLSv1.3")), &limits(), "met");
    }

    #[test]
    fn not_met_with_a_classical_group_or_an_old_version() {
        check(&RULE, &agreeing(Some("x25519"), Some("TLSv1.3")), &limits(), "not-met");
        check(&RULE, &agreeing(None, Some("TLSv1.2")), &limits(), "not-met");
    }

    #[test]
    fn unknown_when_no_hybrid_was_offered_or_nothing_settled() {
        check(&RULE, &agreeing(None, None), &limits(), "unknown");
        let offered_groups = vec!["x25519".to_owned()];
        let group = Some("x25519".to_owned());
        let session = Session { group, offered_groups, ..session() };
        check(&RULE, &World::default().endpoint(Handshake::Shown(session)), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_tls() {
        let handshake = Handshake::NoTls { reason: "HTTP/1.1 400".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
