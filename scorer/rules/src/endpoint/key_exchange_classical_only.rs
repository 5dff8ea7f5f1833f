//! `endpoint.key-exchange-classical-only`: an endpoint was offered a quantum-safe key exchange and
//! took a classical one.
//!
//! ## What it looks at
//! Endpoints that answered in TLS: the group they took while a quantum-safe one was wanted
//! most, and the groups they accept, where those were asked for one by one.
//! ## Why it matters
//! Traffic recorded today can be read once a large quantum computer exists; only the key exchange
//! of today decides that.
//! ## What it cannot see
//! What clients get that want a classical group first. With one handshake, whether a server that
//! was offered no quantum-safe group would accept one.

use pki_inventory::{Asset, Endpoint, Fact, Handshake, Session};

use super::listed;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.key-exchange-classical-only",
    title: "An endpoint uses a classical key exchange",
    cites: &[
        Cite { document: "RFC 10024", section: "1" },
        Cite { document: "NIST IR 8547 ipd", section: "4" },
    ],
    in_force: InForce::Policy,
    fed_by: &["tls"],
    reach: Reach::Whole,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    let safe = &cx.limits.quantum_safe_groups;
    let (accepted, open) = asked(endpoint, safe);
    let session = match &endpoint.handshake {
        Handshake::Shown(session) => session,
        Handshake::NoTls { .. } => return Outcome::NotApplicable,
        Handshake::Declined { .. } if !accepted.is_empty() => return Outcome::Met,
        Handshake::Declined { alert, .. } => {
            return Outcome::Unknown(format!("declined with {alert} before a group was settled"));
        }
    };
    let settled = session.group.as_ref();
    if settled.is_some_and(|group| safe.contains(group)) {
        return Outcome::Met;
    }
    // The group it takes from a client that wants a safe one most is the one in use.
    let wanted = session.offered_groups.first().is_some_and(|first| safe.contains(first));
    match (settled, accepted.is_empty()) {
        (Some(group), false) if wanted => Outcome::NotMet(format!(
            "took {group} although it accepts {}, which was wanted more",
            listed(&accepted, "and")
        )),
        (_, false) => Outcome::Met,
        (_, true) => classical(session, safe, open),
    }
}

/// The quantum-safe groups that it accepts when asked for them alone, and why that is not known of
/// one of them; where none was asked for, an empty reason.
fn asked<'s>(endpoint: &Endpoint, safe: &'s [String]) -> (Vec<&'s str>, Option<String>) {
    let groups = endpoint.posture.as_deref().map(|posture| &posture.groups);
    let answer = |group: &String| groups.and_then(|groups| groups.get(group));
    let accepted = safe.iter().filter(|group| answer(group) == Some(&Fact::Yes));
    let accepted = accepted.map(String::as_str).collect();
    if safe.iter().all(|group| answer(group).is_none()) {
        return (accepted, Some(String::new()));
    }
    let open = safe.iter().find_map(|group| match answer(group) {
        None => Some(format!("{group} was not asked for")),
        Some(fact) => fact.why().map(|why| format!("{group}: {why}")),
    });
    (accepted, open)
}

/// What the settled session says where no quantum-safe group is known to be accepted.
fn classical(session: &Session, safe: &[String], open: Option<String>) -> Outcome {
    let offered = session.offered_groups.iter().any(|group| safe.contains(group));
    match (&session.group, session.version.as_deref(), open) {
        // Refusing each of them alone is an answer whatever the handshake offered.
        (Some(group), _, None) => {
            Outcome::NotMet(format!("agreed to {group}, and to no quantum-safe group alone"))
        }
        (Some(group), Some("TLSv1.3"), Some(why)) if !offered => {
            let why = if why.is_empty() { why } else { format!("; {why}") };
            Outcome::Unknown(format!(
                "agreed to {group}, but was offered nothing else that counts{why}"
            ))
        }
        (Some(group), ..) => Outcome::NotMet(format!("agreed to {group}")),
        (None, Some(version), _) if version != "TLSv1.3" => {
            Outcome::NotMet(format!("agreed to {version}, which has no quantum-safe key exchange"))
        }
        (None, _, Some(why)) if !why.is_empty() => {
            Outcome::Unknown(format!("no group was settled; {why}"))
        }
        (None, ..) => Outcome::Unknown("the handshake broke before a group was settled".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, limits, posture, session};

    use pki_inventory::{Endpoint, Fact, Handshake, Session};

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
        for old in ["TLSv1.2", "TLSv1.0", "SSLv3"] {
            check(&RULE, &agreeing(None, Some(old)), &limits(), "not-met");
        }
    }

    #[test]
    fn where_groups_were_asked_for_alone_they_decide_unless_a_safe_one_was_wanted_most() {
        let hybrid = "X25519MLKEM768";
        let reset = || Fact::NotObserved("the connection was reset".to_owned());
        for (wanted, alone, expected) in [
            ("x25519", Fact::Yes, "met"),
            (hybrid, Fact::Yes, "not-met"),
            ("x25519", Fact::No, "not-met"),
            (hybrid, reset(), "not-met"),
            ("x25519", reset(), "unknown"),
        ] {
            let (group, offered_groups) = (Some("x25519".to_owned()), vec![wanted.to_owned()]);
            let mut posture = posture();
            posture.groups.insert(hybrid.to_owned(), alone.clone());
            let world =
                World::default().asked(Session { group, offered_groups, ..session() }, posture);
            check(&RULE, &world, &limits(), expected);
        }
    }

    #[test]
    fn refusing_some_of_the_safe_groups_is_not_refusing_all() {
        let group = Some("x25519".to_owned());
        let session = Session { group, offered_groups: vec!["x25519".to_owned()], ..session() };
        let mut limits = limits();
        limits.quantum_safe_groups.push("MLKEM1024".to_owned());
        let mut posture = posture();
        posture.groups.insert("X25519MLKEM768".to_owned(), Fact::No);
        let some = World::default().asked(session.clone(), posture.clone());
        check(&RULE, &some, &limits, "unknown");
        posture.groups.insert("MLKEM1024".to_owned(), Fact::No);
        check(&RULE, &World::default().asked(session, posture), &limits, "not-met");
    }

    #[test]
    fn unknown_when_it_declined_unless_it_accepts_a_safe_group_alone() {
        let offered = vec!["TLSv1.3".to_owned()];
        let declined = Handshake::Declined { alert: "unrecognized_name".to_owned(), offered };
        let endpoint = Endpoint::new(NOW, declined);
        check(&RULE, &World::default().answering(endpoint.clone()), &limits(), "unknown");
        let mut posture = posture();
        posture.groups.insert("X25519MLKEM768".to_owned(), Fact::Yes);
        let endpoint = Endpoint { posture: Some(Box::new(posture)), ..endpoint };
        check(&RULE, &World::default().answering(endpoint), &limits(), "met");
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
