//! `endpoint.protocol-not-approved`: an endpoint speaks a protocol version that the policy does not
//! approve, or none that it approves.
//!
//! ## What it looks at
//! Endpoints that answered in TLS: every version from SSL 2.0 to TLS 1.3, as far as it was asked
//! for, or the alert with which they agreed to nothing.
//! ## Why it matters
//! TLS 1.1 and older rest on MD5 and SHA-1 and are withdrawn; a server that speaks nothing newer
//! cannot be reached safely, and one that speaks them as well can be talked down to them.
//! ## What it cannot see
//! With one handshake, versions besides the one that was settled: a good one is then no proof, and
//! the outcome is unknown until the posture is asked for.

use pki_inventory::{Asset, Endpoint, Handshake};

use super::{ASK, VERSIONS, is_tls, listed, spoken, unseen};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.protocol-not-approved",
    title: "An endpoint speaks a protocol version that is not approved",
    cites: &[
        Cite { document: "RFC 8996", section: "1" },
        Cite { document: "RFC 9325", section: "3.1.1" },
    ],
    in_force: InForce::Policy,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Endpoint(check),
};

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    if !is_tls(endpoint) {
        return Outcome::NotApplicable;
    }
    let approves = |version: &str| cx.limits.protocols.iter().any(|approved| approved == version);
    let (approved, others): (Vec<&str>, Vec<&str>) =
        VERSIONS.iter().copied().partition(|version| approves(version));
    let found = spoken(endpoint, &others);
    if !found.is_empty() {
        let alone = endpoint.posture.is_none();
        let rest = if alone { format!("; for the others {ASK}") } else { String::new() };
        return Outcome::NotMet(format!("speaks {}{rest}", listed(&found, "and")));
    }
    if let Handshake::Declined { alert, offered } = &endpoint.handshake
        && alert == "protocol_version"
        && cx.limits.protocols.iter().all(|version| offered.contains(version))
        // What many handshakes found says more than how one of them ended.
        && spoken(endpoint, &approved).is_empty()
    {
        return Outcome::NotMet(format!("declined {} as too new", listed(offered, "and")));
    }
    if let Some(why) = unseen(endpoint, &others) {
        return Outcome::Unknown(why);
    }
    if !spoken(endpoint, &approved).is_empty() {
        return Outcome::Met;
    }
    let why = unseen(endpoint, &approved);
    Outcome::Unknown(why.unwrap_or_else(|| "agreed to no version that it was offered".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, newest_only, posture, session};

    use pki_inventory::{Endpoint, Fact, Handshake, Session};

    fn speaking(version: Option<&str>) -> World {
        let version = version.map(str::to_owned);
        World::default().endpoint(Handshake::Shown(Session { version, ..session() }))
    }

    fn declining(alert: &str) -> Handshake {
        let offered = vec!["TLSv1.3".to_owned(), "TLSv1.2".to_owned()];
        Handshake::Declined { alert: alert.to_owned(), offered }
    }

    #[test]
    fn met_when_nothing_but_an_approved_version_is_spoken() {
        check(&RULE, &World::default().asked(session(), newest_only()), &limits(), "met");
    }

    #[test]
    fn not_met_when_another_is_spoken_as_well() {
        check(&RULE, &World::default().asked(session(), posture()), &limits(), "not-met");
    }

    #[test]
    fn not_met_when_another_or_none_was_agreed_to() {
        check(&RULE, &speaking(Some("TLSv1.2")), &limits(), "not-met");
        let declined = World::default().endpoint(declining("protocol_version"));
        check(&RULE, &declined, &limits(), "not-met");
    }

    #[test]
    fn a_posture_that_found_an_approved_version_outweighs_the_alert() {
        let endpoint = Endpoint::new(crate::fixtures::NOW, declining("protocol_version"));
        let asked = |posture| Endpoint { posture: Some(Box::new(posture)), ..endpoint.clone() };
        check(&RULE, &World::default().answering(asked(newest_only())), &limits(), "met");
        let mut none = newest_only();
        none.versions.get_mut("TLSv1.3").unwrap().offered = Fact::No;
        check(&RULE, &World::default().answering(asked(none)), &limits(), "not-met");
    }

    #[test]
    fn unknown_after_one_handshake_however_good() {
        check(&RULE, &speaking(Some("TLSv1.3")), &limits(), "unknown");
        check(&RULE, &speaking(None), &limits(), "unknown");
        let declined = World::default().endpoint(declining("handshake_failure"));
        check(&RULE, &declined, &limits(), "unknown");
    }

    #[test]
    fn unknown_when_a_version_could_not_be_tried_or_none_was_found() {
        let mut open = newest_only();
        open.versions.get_mut("SSLv3").unwrap().offered =
            Fact::NotObserved("the connection was reset".to_owned());
        check(&RULE, &World::default().asked(session(), open), &limits(), "unknown");
        let mut none = newest_only();
        none.versions.get_mut("TLSv1.3").unwrap().offered = Fact::No;
        let endpoint = Endpoint::new(crate::fixtures::NOW, declining("handshake_failure"));
        let endpoint = Endpoint { posture: Some(Box::new(none)), ..endpoint };
        check(&RULE, &World::default().answering(endpoint), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_tls() {
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
