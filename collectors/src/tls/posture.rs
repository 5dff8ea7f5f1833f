//! The depth `posture`: how a server behaves when it is asked in many ways.
//!
//! Everything is found out by elimination: what the server chose is left out of the next hello, and
//! when it declines the rest, it has no more. That takes as many connections as a server has
//! features, and not as many as there are features. Whether a server that declined was still
//! willing to talk is asked as well: one that limits connections declines everything in the end.

use std::collections::BTreeMap;

use pki_inventory::{
    Certificate, ClientCertificate, Deployment, Fact, Posture, Suites, VersionFacts,
};

use super::answer::digests;
use super::caller::Caller;
use super::certificate::{ALPN, First, NO_SUITE};
use super::complete;
use super::exchange::{Attempt, Until};
use super::flight::ServerHello;
use super::hello::{
    ECDSA_SCHEMES, EDDSA_SCHEMES, FALLBACK_SCSV, Hello, ML_DSA_SCHEMES, RSA_SCHEMES,
};
use super::names::{
    self, GROUPS_OF_TLS13, SSL2, SSL3, TLS10, TLS11, TLS12, TLS13, VERSIONS, alert_code,
};
use super::suites;
use super::wire::{End, sentence};

/// What was found, and the chains that the first exchange did not show.
pub(super) struct Found {
    pub(super) posture: Posture,
    pub(super) chains: Vec<Vec<Vec<u8>>>,
    pub(super) client_certificate: ClientCertificate,
}

/// Families of signatures and the schemes that stand for them.
const FAMILIES: [(&str, &[u16]); 4] = [
    ("RSA", RSA_SCHEMES),
    ("ECDSA", ECDSA_SCHEMES),
    ("EdDSA", EDDSA_SCHEMES),
    ("ML-DSA", ML_DSA_SCHEMES),
];

const TIRED: &str = "in the end the server declined what it had accepted before; it may limit \
                     connections";

/// Asks in all the ways, after a first exchange that was answered.
pub(super) async fn ask(caller: &mut Caller<'_>, first: &First) -> Found {
    let versions = versions(caller, first).await;
    let offered = |version: u16| {
        versions
            .get(&version)
            .map_or_else(|| unseen("not asked"), |asked| asked.facts.offered.clone())
    };
    let speaks = |version: u16| offered(version) == Fact::Yes;
    let older = [TLS12, TLS11, TLS10, SSL3];
    // The newest version before TLS 1.3 tells of habits that TLS 1.3 has no room for.
    let habits =
        older.iter().find_map(|version| versions.get(version)?.shown.as_ref()?.0.shown.hello);
    let newest = [TLS13].iter().chain(&older).copied().find(|version| speaks(*version));
    let (mut deployments, chains) = deployments(caller, first, newest).await;
    let mut groups = groups(caller, first, &offered(TLS13)).await;
    let mut alpn = alpn(caller, first).await;
    let mut fallback_scsv = fallback(caller, &versions).await;
    let ticket = habits.filter(|_| speaks(TLS12)).map(|hello| hello.ticket);
    let completed = complete::ask(caller, &offered(TLS13), speaks(TLS12), ticket).await;

    let known = answered(first, &versions);
    let mut versions: BTreeMap<String, VersionFacts> = versions
        .into_iter()
        .map(|(version, asked)| (names::version(version), asked.facts))
        .collect();
    // Who declined from the first hello on has not become tired of us.
    let willing = match known {
        Some(known) if !completed.is_complete => is_answered(&known, caller).await,
        _ => true,
    };
    if !willing {
        let declined = versions
            .values_mut()
            .map(|facts| &mut facts.offered)
            .chain(deployments.values_mut().map(|deployment| &mut deployment.offered))
            .chain(groups.values_mut())
            .chain(alpn.values_mut())
            .chain([&mut fallback_scsv])
            .filter(|fact| **fact == Fact::No);
        declined.for_each(|fact| *fact = unseen(TIRED));
    }
    let none_older =
        older.iter().all(|version| versions[&names::version(*version)].offered == Fact::No);
    let habit = |in_tls13: Fact, read: fn(&ServerHello) -> bool| match &habits {
        Some(hello) => Fact::from(read(hello)),
        None if none_older => in_tls13,
        None => unseen("no version that has it answered"),
    };
    let posture = Posture {
        secure_renegotiation: habit(
            unseen("TLS 1.3 has no renegotiation, and it speaks nothing older"),
            |hello| hello.secure_renegotiation,
        ),
        extended_master_secret: habit(
            unseen("TLS 1.3 needs none, and it speaks nothing older"),
            |hello| hello.extended_master_secret,
        ),
        // RFC 8446, 4.1.2: no compression but null.
        compression: habit(Fact::No, |hello| hello.compression),
        versions,
        groups,
        alpn,
        deployments,
        resumption_id: completed.resumption_id,
        resumption_ticket: completed.resumption_ticket,
        early_data: completed.early_data,
        fallback_scsv,
        client_refusal: completed.client_refusal,
    };
    Found { posture, chains, client_certificate: completed.client_certificate }
}

/// A version that was asked for.
struct Asked {
    facts: VersionFacts,
    /// The answer and the hello that it was to, if the version is spoken.
    shown: Option<(Attempt, Hello)>,
}

async fn versions(caller: &mut Caller<'_>, first: &First) -> BTreeMap<u16, Asked> {
    let mut asked = BTreeMap::new();
    let mut doubtful = Vec::new();
    let settled = first.attempt.shown.version;
    for version in VERSIONS {
        // The first exchange offered all there is of TLS 1.3; of older versions it did not offer
        // what only a bad server takes.
        let found = if version == TLS13 && settled == Some(TLS13) {
            Some(Asked::of(version, first.attempt.clone_shown(), first.hello.clone(), caller))
        } else {
            Asked::ask(version, caller).await
        };
        match found {
            Some(found) if found.shown.is_none() && settled == Some(version) => {
                let (attempt, hello) = (first.attempt.clone_shown(), first.hello.clone());
                asked.insert(version, Asked::of(version, attempt, hello, caller));
            }
            Some(found) => {
                asked.insert(version, found);
            }
            None => doubtful.push(version),
        }
    }
    // Whoever closes without a word may not speak the version, or may be tired of us. A hello that
    // was answered before tells which, and so does asking once more.
    if doubtful.is_empty() {
        return asked;
    }
    let known = answered(first, &asked);
    let mut awake = is_still_answered(known, caller).await;
    caller.declines_by_closing = awake;
    if !awake {
        caller.slow_down();
    }
    let mut still = Vec::new();
    for version in doubtful {
        match Asked::ask(version, caller).await {
            Some(found) => {
                asked.insert(version, found);
            }
            None => still.push(version),
        }
    }
    if !still.is_empty() {
        awake = is_still_answered(answered(first, &asked), caller).await;
        caller.declines_by_closing = awake;
    }
    for version in still {
        let offered = if awake {
            Fact::No
        } else {
            unseen("the server closed the connection; it may be tired of being asked")
        };
        asked.insert(version, Asked::without(offered));
    }
    asked
}

/// A hello that was answered, and the version of the answer.
fn answered(first: &First, versions: &BTreeMap<u16, Asked>) -> Option<(u16, Hello)> {
    if let Some(version) = first.attempt.shown.version {
        return Some((version, first.hello.clone()));
    }
    let shown = |(version, asked): (&u16, &Asked)| {
        asked.shown.as_ref().map(|(_, hello)| (*version, hello.clone()))
    };
    versions.iter().find_map(shown)
}

/// Whether the server still answers what it answered before.
async fn is_answered((version, hello): &(u16, Hello), caller: &mut Caller<'_>) -> bool {
    let answer = caller.call(hello, Until::ServerHello).await;
    answer.is_ok_and(|attempt| attempt.shown.version == Some(*version))
}

/// The same; nothing that was ever answered is nothing that is.
async fn is_still_answered(known: Option<(u16, Hello)>, caller: &mut Caller<'_>) -> bool {
    match known {
        Some(known) => is_answered(&known, caller).await,
        None => false,
    }
}

impl Asked {
    /// Asks for one version; `None` when the server broke off without a word.
    async fn ask(version: u16, caller: &mut Caller<'_>) -> Option<Self> {
        let mut hello = caller.of_version(version);
        if version == TLS13 {
            // Any group and any suite is a proof, also those that we cannot compute.
            hello.shares.clear();
            hello.groups = GROUPS_OF_TLS13.to_vec();
            hello.suites = suites::candidates(TLS13);
        }
        let until = if version == TLS13 { Until::ServerHello } else { Until::Chain };
        let mut answer = caller.call(&hello, until).await;
        if let (Ok(Attempt { end: End::Alert(alert), .. }), SSL3..=TLS12) = (&answer, version)
            && NO_SUITE.contains(alert)
        {
            // There are suites that only a few servers have.
            hello.suites = suites::candidates(version);
            answer = caller.call(&hello, until).await;
        }
        match answer {
            Ok(attempt) if attempt.is_broken_off() => None,
            Ok(attempt) => Some(Self::of(version, attempt, hello, caller)),
            Err(no_call) => Some(Self::without(Fact::NotObserved(no_call.reason()))),
        }
    }

    fn of(version: u16, attempt: Attempt, hello: Hello, caller: &Caller<'_>) -> Self {
        // A ServerHello is the proof; what comes after it may break.
        if attempt.shown.version == Some(version) {
            let ssl2 = attempt.shown.ssl2_suites.first().cloned();
            let suites = (version == SSL2).then(|| Suites {
                accepted: attempt.shown.ssl2_suites.clone(),
                complete: Fact::Yes,
                server_order: unseen("the client chooses in SSL 2.0"),
            });
            let facts = VersionFacts {
                offered: Fact::Yes,
                preferred_suite: attempt.shown.suite.map(names::suite).or(ssl2),
                suites,
            };
            return Self { facts, shown: Some((attempt, hello)) };
        }
        let offered = match &attempt.end {
            // Another version was chosen: not this one.
            _ if attempt.shown.version.is_some() => Fact::No,
            // An answer of another protocol to SSL 2.0 is a refusal of SSL 2.0.
            End::Broken(_) | End::Foreign if version == SSL2 => Fact::No,
            _ => refused(&attempt, caller),
        };
        Self::without(offered)
    }

    fn without(offered: Fact) -> Self {
        Self { facts: VersionFacts { offered, preferred_suite: None, suites: None }, shown: None }
    }
}

/// The certificate for each family of signatures. A server may send the wrong one rather than none
/// (RFC 8446, 4.4.2.2), so its key is looked at.
async fn deployments(
    caller: &mut Caller<'_>,
    first: &First,
    newest: Option<u16>,
) -> (BTreeMap<String, Deployment>, Vec<Vec<Vec<u8>>>) {
    let mut found = BTreeMap::new();
    let mut chains: Vec<Vec<Vec<u8>>> = Vec::new();
    let known = family_of(&first.attempt.shown.chain);
    for (family, schemes) in FAMILIES {
        let mut deployment = Deployment {
            offered: unseen("no version that it speaks has a place for it"),
            chain: Vec::new(),
        };
        let hello = newest.and_then(|version| of_family(family, schemes, version, caller));
        if known == Some(family) {
            deployment.offered = Fact::Yes;
            deployment.chain = digests(&first.attempt.shown.chain);
        } else if let Some(hello) = hello {
            match caller.call_patiently(&hello, Until::Chain).await {
                Err(no_call) => deployment.offered = Fact::NotObserved(no_call.reason()),
                Ok(attempt) if attempt.shown.chain.is_empty() => {
                    deployment.offered = refused(&attempt, caller);
                }
                Ok(attempt) => match family_of(&attempt.shown.chain) {
                    Some(of) if of == family => {
                        deployment.offered = Fact::Yes;
                        deployment.chain = digests(&attempt.shown.chain);
                        chains.push(attempt.shown.chain);
                    }
                    Some(_) => deployment.offered = Fact::No,
                    None => {
                        deployment.offered =
                            unseen("the kind of key in the certificate cannot be read");
                    }
                },
            }
        }
        found.insert(family.to_owned(), deployment);
    }
    (found, chains)
}

/// A hello that only a certificate of this family can answer; `None` where the version has no place
/// for it.
fn of_family(family: &str, schemes: &[u16], version: u16, caller: &Caller<'_>) -> Option<Hello> {
    let hello = caller.of_version(version);
    if version == TLS13 {
        return Some(Hello { schemes: schemes.to_vec(), ..hello });
    }
    // Before TLS 1.3 the suite says how the server signs; EdDSA goes with those of ECDSA (RFC 8422,
    // 5.1.1), and where there are no signature schemes it cannot be told from it.
    if family == "ML-DSA" || (version < TLS12 && family == "EdDSA") {
        return None;
    }
    let signs = |suite: &u16| {
        let known = tls_parser::TlsCipherSuite::from_id(*suite);
        known.is_some_and(|suite| match suite.au {
            tls_parser::TlsCipherAu::Ecdsa => family != "RSA",
            tls_parser::TlsCipherAu::Rsa => family == "RSA",
            _ => false,
        })
    };
    let suites = hello.suites.iter().copied().filter(signs).collect();
    Some(Hello { suites, schemes: schemes.to_vec(), ..hello })
}

/// The family of signatures that the key of the first certificate makes.
fn family_of(chain: &[Vec<u8>]) -> Option<&'static str> {
    let certificate = Certificate::parse(chain.first()?.clone()).ok()?;
    let name = certificate.key.name.as_str();
    Some(match name {
        _ if name.starts_with("RSA") => "RSA",
        _ if name.starts_with("Ed") => "EdDSA",
        _ if name.starts_with("ML-DSA") => "ML-DSA",
        _ if name.starts_with("EC") || certificate.key.curve.is_some() => "ECDSA",
        _ => return None,
    })
}

/// Key exchange groups of TLS 1.3: a hello without key shares makes the server name the one it
/// would take.
async fn groups(
    caller: &mut Caller<'_>,
    first: &First,
    has_tls13: &Fact,
) -> BTreeMap<String, Fact> {
    let mut left = GROUPS_OF_TLS13.to_vec();
    let mut facts = BTreeMap::new();
    let mut named = false;
    let rest = match has_tls13 {
        Fact::Yes => loop {
            if left.is_empty() {
                break Fact::No;
            }
            let hello = Hello {
                groups: left.clone(),
                shares: Vec::new(),
                suites: suites::candidates(TLS13),
                ..caller.of_version(TLS13)
            };
            let attempt = match caller.call_patiently(&hello, Until::ServerHello).await {
                Ok(attempt) => attempt,
                Err(no_call) => break Fact::NotObserved(no_call.reason()),
            };
            match attempt.shown.hello.and_then(|hello| hello.retry) {
                Some(group) if left.contains(&group) => {
                    named = true;
                    left.retain(|other| *other != group);
                    facts.insert(names::group(group), Fact::Yes);
                }
                Some(_) => break unseen("the server named a group that was not offered"),
                None if named => break refused(&attempt, caller),
                None => break unseen("the server does not answer a hello without a key share"),
            }
        },
        other => other.clone(),
    };
    facts.extend(left.into_iter().map(|group| (names::group(group), rest.clone())));
    // What was agreed on was offered, whatever became of the rest.
    if let (Some(TLS13), Some(group)) = (first.attempt.shown.version, &first.attempt.shown.group) {
        facts.insert(group.clone(), Fact::Yes);
    }
    facts
}

async fn alpn(caller: &mut Caller<'_>, first: &First) -> BTreeMap<String, Fact> {
    let mut facts = BTreeMap::new();
    if caller.opening.is_some() {
        return facts;
    }
    let shown = &first.attempt.shown;
    // Whoever was offered both and chose none does not choose either.
    let chose_none =
        first.attempt.is_shown() && shown.alpn.is_none() && !first.hello.alpn.is_empty();
    for name in ALPN {
        let fact = if shown.alpn.as_deref() == Some(name) {
            Fact::Yes
        } else if chose_none {
            Fact::No
        } else if shown.version.is_some_and(|version| version < TLS10) {
            unseen("SSL has no place for it")
        } else {
            let hello = Hello { alpn: vec![name], ..first.hello.clone() };
            match caller.call_patiently(&hello, Until::Chain).await {
                Ok(attempt) if attempt.shown.alpn.as_deref() == Some(name) => Fact::Yes,
                Ok(attempt) if attempt.is_shown() => Fact::No,
                Ok(attempt) => refused(&attempt, caller),
                Err(no_call) => Fact::NotObserved(no_call.reason()),
            }
        };
        facts.insert(name.to_owned(), fact);
    }
    facts
}

/// Whether the server notices that a hello of a lower version is a second try (RFC 7507).
async fn fallback(caller: &mut Caller<'_>, versions: &BTreeMap<u16, Asked>) -> Fact {
    let is_spoken =
        |version: &u16| versions.get(version).is_some_and(|asked| asked.facts.offered == Fact::Yes);
    let spoken: Vec<u16> =
        [TLS13, TLS12, TLS11, TLS10, SSL3].into_iter().filter(is_spoken).collect();
    let [_, lower, ..] = spoken[..] else {
        return unseen("it speaks one version only, so there is nothing to fall back to");
    };
    let mut hello = caller.of_version(lower);
    hello.suites.push(FALLBACK_SCSV);
    match caller.call_patiently(&hello, Until::ServerHello).await {
        Ok(Attempt { end: End::Alert(alert_code::INAPPROPRIATE_FALLBACK), .. }) => Fact::Yes,
        Ok(attempt) if attempt.shown.version.is_some() => Fact::No,
        // It spoke this version without the signal, so closing is about the signal.
        Ok(attempt) if attempt.is_broken_off() && caller.declines_by_closing => Fact::Yes,
        Ok(attempt) => told(&attempt, caller),
        Err(no_call) => Fact::NotObserved(no_call.reason()),
    }
}

/// What it means that a server did not take what was offered: an alert about it is a no, and so is
/// closing where that is how the server declines; silence and trouble are none.
pub(super) fn refused(attempt: &Attempt, caller: &Caller<'_>) -> Fact {
    match &attempt.end {
        End::Alert(alert) if names::is_about_the_offer(*alert) => Fact::No,
        End::Enough => Fact::No,
        _ if attempt.is_broken_off() && caller.declines_by_closing => Fact::No,
        _ => told(attempt, caller),
    }
}

fn told(attempt: &Attempt, caller: &Caller<'_>) -> Fact {
    let secs = caller.limits().whole.as_secs();
    Fact::NotObserved(sentence(&attempt.end, attempt.stage, &attempt.heard, secs))
}

pub(super) fn unseen(why: &str) -> Fact {
    Fact::NotObserved(why.to_owned())
}
