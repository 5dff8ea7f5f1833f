//! `endpoint.key-exchange-weak`: an endpoint agrees on keys in a finite field that is too short.
//!
//! ## What it looks at
//! Endpoints that took an ephemeral Diffie-Hellman suite: the length of the prime they sent, or of
//! the named group they chose; and the named groups they accept, where those were asked for.
//! ## Why it matters
//! The work of breaking a field of 1024 bit is done once for all who share it, and most servers
//! share a few; what was agreed on in it can then be read and forged.
//! ## What it cannot see
//! The field of servers that take such suites but prefer another key exchange: those are unknown,
//! as are those whose suites were not all asked for with `depth = "suites"`. A server may keep a
//! field for each strength; only the one that was shown is judged.

use pki_inventory::{Asset, Endpoint, Fact};

use super::{ASK_ALL, VERSIONS, is_tls, speaks, unlisted};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "endpoint.key-exchange-weak",
    title: "An endpoint agrees on keys in a short finite field",
    cites: &[
        Cite { document: "RFC 8270", section: "2" },
        Cite { document: "RFC 9325", section: "4.2" },
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
    let least = cx.limits.min_dhe_bits;
    let session = endpoint.session();
    let settled = session.and_then(|session| session.group.as_deref());
    let groups = endpoint.posture.iter().flat_map(|posture| &posture.groups);
    let accepted = groups.filter(|(_, fact)| **fact == Fact::Yes).map(|(group, _)| group.as_str());
    let fields: Vec<u32> = settled.into_iter().chain(accepted).filter_map(bits).collect();
    if let Some(bits) = fields.iter().min().filter(|bits| **bits < least) {
        return Outcome::NotMet(format!("takes a finite field of {bits} bit, not {least} or more"));
    }
    // The groups of TLS 1.3 say nothing about the field for older clients.
    let older = session.is_some_and(|session| session.version.as_deref() != Some("TLSv1.3"));
    if older && settled.and_then(bits).is_some() {
        return Outcome::Met;
    }
    if endpoint.posture.is_none() {
        let why = "one handshake does not show which suites it takes";
        return Outcome::Unknown(format!("{why}; {ASK_ALL}"));
    }
    match takes_suites(endpoint) {
        Fact::Yes => Outcome::Unknown(
            "takes suites with a finite field, but preferred others; it was not shown".to_owned(),
        ),
        Fact::NotObserved(why) => Outcome::Unknown(why),
        Fact::No if fields.is_empty() => Outcome::NotApplicable,
        Fact::No => Outcome::Met,
    }
}

/// The length of a finite field: `DHE 1024 bit`, `ffdhe2048` (RFC 7919).
fn bits(group: &str) -> Option<u32> {
    let unnamed = group.strip_prefix("DHE ").and_then(|rest| rest.strip_suffix(" bit"));
    unnamed.or_else(|| group.strip_prefix("ffdhe"))?.parse().ok()
}

/// Whether it takes ephemeral Diffie-Hellman suites in any version that has such.
fn takes_suites(endpoint: &Endpoint) -> Fact {
    let mut open = None;
    let with_suites = |version: &&&str| !matches!(**version, "SSLv2" | "TLSv1.3");
    for version in VERSIONS.iter().filter(with_suites) {
        let why = match speaks(endpoint, version) {
            Fact::No => continue,
            Fact::NotObserved(why) => Some(format!("{version}: {why}")),
            Fact::Yes => {
                let why = unlisted(endpoint, version);
                why.map(|why| format!("not all suites of {version} are known: {why}"))
            }
        };
        let facts = endpoint.posture.as_ref().and_then(|posture| posture.versions.get(*version));
        let suites = facts.and_then(|facts| facts.suites.as_ref());
        let mut accepted = suites.into_iter().flat_map(|suites| &suites.accepted);
        if accepted.any(|suite| suite.starts_with("TLS_DHE_") || suite.starts_with("TLS_DH_anon_"))
        {
            return Fact::Yes;
        }
        open = open.or(why);
    }
    open.map_or(Fact::No, Fact::NotObserved)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, newest_only, posture, session};

    use pki_inventory::{Fact, Handshake, Posture, Session, Suites};

    fn settled(version: &str, group: &str) -> Session {
        let (version, group) = (Some(version.to_owned()), Some(group.to_owned()));
        Session { version, group, ..session() }
    }

    /// Of TLS 1.2, these suites and no others.
    fn listing(suite: &str) -> Posture {
        let mut posture = posture();
        let accepted = vec![suite.to_owned()];
        posture.versions.get_mut("TLSv1.2").unwrap().suites =
            Some(Suites { accepted, complete: Fact::Yes, server_order: Fact::Yes });
        posture
    }

    #[test]
    fn not_met_below_the_limit_and_met_from_it_on() {
        for (group, expected) in [
            ("DHE 512 bit", "not-met"),
            ("DHE 2047 bit", "not-met"),
            ("DHE 2048 bit", "met"),
            ("ffdhe3072", "met"),
        ] {
            let world = World::default().endpoint(Handshake::Shown(settled("TLSv1.2", group)));
            check(&RULE, &world, &limits(), expected);
        }
    }

    #[test]
    fn the_limit_is_that_of_the_policy_and_holds_for_named_groups_too() {
        let mut limits = limits();
        limits.min_dhe_bits = 3072;
        let world = World::default().endpoint(Handshake::Shown(settled("TLSv1.3", "ffdhe2048")));
        check(&RULE, &world, &limits, "not-met");
        let mut posture = newest_only();
        posture.groups.insert("ffdhe2048".to_owned(), Fact::Yes);
        let world = World::default().asked(session(), posture.clone());
        check(&RULE, &world, &limits, "not-met");
        limits.min_dhe_bits = 2048;
        check(&RULE, &World::default().asked(session(), posture), &limits, "met");
    }

    #[test]
    fn unknown_where_the_field_was_not_shown_or_the_suites_are_not_known() {
        let elliptic = settled("TLSv1.2", "secp256r1");
        let one = World::default().endpoint(Handshake::Shown(elliptic.clone()));
        check(&RULE, &one, &limits(), "unknown");
        check(&RULE, &World::default().asked(elliptic.clone(), posture()), &limits(), "unknown");
        let listed = listing("TLS_DHE_RSA_WITH_AES_128_CBC_SHA");
        check(&RULE, &World::default().asked(elliptic, listed), &limits(), "unknown");
        // The named group of TLS 1.3 does not speak for TLS 1.2.
        let world = World::default().asked(settled("TLSv1.3", "ffdhe3072"), posture());
        check(&RULE, &world, &limits(), "unknown");
    }

    #[test]
    fn not_applicable_without_such_suites_or_without_tls() {
        let listed = listing("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        for posture in [listed, newest_only()] {
            check(&RULE, &World::default().asked(session(), posture), &limits(), "not-applicable");
        }
        let handshake = Handshake::NoTls { reason: "SSH-2.0".to_owned() };
        check(&RULE, &World::default().endpoint(handshake), &limits(), "not-applicable");
    }
}
