//! `endpoint.cipher-not-approved`: an endpoint chooses or accepts a cipher suite that the policy
//! does not approve.
//!
//! ## What it looks at
//! Endpoints that answered in TLS: the suite of the handshake, the suite that they prefer in each
//! version they speak and, where all were asked for, every suite they accept.
//! ## Why it matters
//! The suite decides whether traffic can be forged, and whether it can be read later with a stolen
//! key. Static RSA, RC4 and CBC suites fail at one or both.
//! ## What it cannot see
//! Suites that are accepted from clients that offer nothing better, unless all were asked for with
//! `depth = "suites"`: a good one that is preferred is then no proof, and the outcome is unknown.

use pki_inventory::{Asset, Endpoint};

use super::{ASK_ALL, VERSIONS, is_tls, listed, spoken, unlisted, unseen};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.cipher-not-approved",
    title: "An endpoint takes a cipher suite that is not approved",
    cites: &[
        Cite { document: "RFC 7465", section: "2" },
        Cite { document: "RFC 9325", section: "4.2" },
        Cite { document: "RFC 10015", section: "1" },
    ],
    in_force: InForce::Policy,
    fed_by: &["tls"],
    reach: Reach::WhereShown,
    check: Check::Endpoint(check),
};

/// So many suites are named in a sentence.
const NAMED: usize = 2;

fn check(_: &Asset, endpoint: &Endpoint, cx: &RuleContext<'_>) -> Outcome {
    if !is_tls(endpoint) {
        return Outcome::NotApplicable;
    }
    let mut found: Vec<(&str, &str)> = Vec::new();
    for version in VERSIONS {
        let wrong =
            seen(endpoint, version).into_iter().filter(|suite| !cx.limits.approves_suite(suite));
        found.extend(wrong.map(|suite| (*version, suite)));
    }
    if !found.is_empty() {
        let named = found.iter().take(NAMED).map(|(version, suite)| format!("{suite} ({version})"));
        let mut named: Vec<String> = named.collect();
        if found.len() > NAMED {
            named.push(format!("{} more", found.len() - NAMED));
        }
        return Outcome::NotMet(format!("takes {}", listed(&named, "and")));
    }
    if endpoint.posture.is_none() {
        let why = "one handshake shows the suite of one version at most";
        return Outcome::Unknown(format!("{why}; {ASK_ALL}"));
    }
    if let Some(why) = unseen(endpoint, VERSIONS) {
        return Outcome::Unknown(why);
    }
    let spoken = spoken(endpoint, VERSIONS);
    let open: Vec<(&str, String)> = spoken
        .iter()
        .filter_map(|version| Some((*version, unlisted(endpoint, version)?)))
        .collect();
    match (open.first(), spoken.is_empty()) {
        (Some((_, why)), _) => {
            let versions: Vec<&str> = open.iter().map(|(version, _)| *version).collect();
            let versions = listed(&versions, "and");
            Outcome::Unknown(format!("not all suites of {versions} are known: {why}"))
        }
        (None, true) => Outcome::Unknown("agreed to no version that it was offered".to_owned()),
        (None, false) => Outcome::Met,
    }
}

/// The suites of one version that it was seen to take, each once.
fn seen<'a>(endpoint: &'a Endpoint, version: &str) -> Vec<&'a str> {
    let session = endpoint.session().filter(|s| s.version.as_deref() == Some(version));
    let facts = endpoint.posture.as_ref().and_then(|posture| posture.versions.get(version));
    let settled = session.and_then(|session| session.cipher_suite.as_deref());
    let preferred = facts.and_then(|facts| facts.preferred_suite.as_deref());
    let all = facts.and_then(|facts| facts.suites.as_ref()).map_or(&[][..], |s| &s.accepted);
    let mut suites = Vec::new();
    for suite in settled.into_iter().chain(preferred).chain(all.iter().map(String::as_str)) {
        if !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    suites
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{NOW, World, check, limits, newest_only, posture, session};

    use pki_inventory::{Endpoint, Fact, Handshake, Posture, Session, Suites};

    const RC4: &str = "TLS_RSA_WITH_RC4_128_SHA";

    fn with(change: impl FnOnce(&mut Posture)) -> World {
        let mut posture = posture();
        change(&mut posture);
        World::default().asked(session(), posture)
    }

    /// All suites of one version were asked for, this one was accepted, and that is all or not.
    fn enumerated(posture: &mut Posture, version: &str, complete: Fact) {
        let accepted = vec!["TLS_AES_128_GCM_SHA256".to_owned()];
        let suites = Suites { accepted, complete, server_order: Fact::Yes };
        posture.versions.get_mut(version).unwrap().suites = Some(suites);
    }

    #[test]
    fn met_when_every_suite_of_every_version_is_known_and_approved() {
        let world = with(|posture| {
            enumerated(posture, "TLSv1.2", Fact::Yes);
            enumerated(posture, "TLSv1.3", Fact::Yes);
        });
        check(&RULE, &world, &limits(), "met");
        let mut newest = newest_only();
        enumerated(&mut newest, "TLSv1.3", Fact::Yes);
        check(&RULE, &World::default().asked(session(), newest), &limits(), "met");
    }

    #[test]
    fn unknown_when_only_the_preferred_suites_are_known_or_not_all() {
        check(&RULE, &with(|_| {}), &limits(), "unknown");
        for complete in [Fact::No, Fact::NotObserved("the server limits connections".to_owned())] {
            let world = with(|posture| {
                enumerated(posture, "TLSv1.2", complete.clone());
                enumerated(posture, "TLSv1.3", Fact::Yes);
            });
            check(&RULE, &world, &limits(), "unknown");
        }
        let world = with(|posture| enumerated(posture, "TLSv1.3", Fact::Yes));
        check(&RULE, &world, &limits(), "unknown");
        let mut none = newest_only();
        none.versions.get_mut("TLSv1.3").unwrap().offered = Fact::No;
        let declined = Handshake::Declined { alert: "x".to_owned(), offered: Vec::new() };
        let endpoint = Endpoint::new(NOW, declined);
        let endpoint = Endpoint { posture: Some(Box::new(none)), ..endpoint };
        check(&RULE, &World::default().answering(endpoint), &limits(), "unknown");
    }

    #[test]
    fn not_met_when_one_version_prefers_another() {
        let world = with(|posture| {
            posture.versions.get_mut("TLSv1.2").unwrap().preferred_suite = Some(RC4.to_owned());
        });
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn not_met_when_another_is_accepted_last() {
        let world = with(|posture| {
            let accepted = vec!["TLS_AES_256_GCM_SHA384".to_owned(), RC4.to_owned()];
            posture.versions.get_mut("TLSv1.2").unwrap().suites =
                Some(Suites { accepted, complete: Fact::Yes, server_order: Fact::Yes });
        });
        check(&RULE, &world, &limits(), "not-met");
    }

    #[test]
    fn not_met_when_the_one_handshake_settled_on_another() {
        let cipher_suite = Some(RC4.to_owned());
        let handshake = Handshake::Shown(Session { cipher_suite, ..session() });
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-met");
    }

    #[test]
    fn unknown_after_one_handshake_or_when_a_version_was_not_seen() {
        let one = World::default().endpoint(Handshake::Shown(session()));
        check(&RULE, &one, &limits(), "unknown");
        let world = with(|posture| {
            enumerated(posture, "TLSv1.2", Fact::Yes);
            enumerated(posture, "TLSv1.3", Fact::Yes);
            posture.versions.get_mut("TLSv1.0").unwrap().offered =
                Fact::NotObserved("the connection was reset".to_owned());
        });
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_tls() {
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
