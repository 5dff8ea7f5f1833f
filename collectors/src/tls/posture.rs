//! The depth `posture`: how a server behaves when it is asked in many ways.
//!
//! Everything is found out by elimination: what the server chose is left out of the next hello, and
//! when it declines the rest, it has no more. That takes as many connections as a server has
//! features, and not as many as there are features.

use std::collections::BTreeMap;

use pki_inventory::{
    Certificate, ClientCertificate, Deployment, Fact, Posture, Suites, VersionFacts,
};

use super::answer::digests;
use super::caller::Caller;
use super::certificate::{ALPN, First};
use super::complete;
use super::exchange::{Attempt, Until};
use super::hello::{
    ECDSA_SCHEMES, EDDSA_SCHEMES, FALLBACK_SCSV, Hello, ML_DSA_SCHEMES, RSA_SCHEMES,
};
use super::names::{
    self, GROUPS_OF_TLS13, SSL2, SSL3, TLS10, TLS11, TLS12, TLS13, VERSIONS, alert_code,
};
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

/// Asks in all the ways, after a first exchange that showed something.
pub(super) async fn ask(caller: &mut Caller<'_>, first: &First) -> Found {
    let versions = versions(caller, first).await;
    let speaks = |version: u16| versions.get(&version).is_some_and(|asked| asked.is_spoken());
    let has_tls13 = speaks(TLS13);
    let oldest_hello = [TLS12, TLS11, TLS10, SSL3]
        .iter()
        .find_map(|version| versions.get(version).and_then(|asked| asked.shown.as_ref()));
    let newest = [TLS13, TLS12, TLS11, TLS10, SSL3].into_iter().find(|version| speaks(*version));
    let (deployments, chains) = deployments(caller, first, newest).await;
    let groups = groups(caller, &versions).await;
    let alpn = alpn(caller, first).await;
    let fallback_scsv = fallback(caller, &versions).await;
    let completed = complete::ask(caller, has_tls13, speaks(TLS12)).await;
    let habit = |built_in: Fact, read: fn(&super::flight::ServerHello) -> bool| match oldest_hello
        .and_then(|attempt| attempt.shown.hello.as_ref())
    {
        Some(hello) => Fact::from(read(hello)),
        None if has_tls13 => built_in,
        None => unseen("no version that has it answered"),
    };
    let posture = Posture {
        secure_renegotiation: habit(
            unseen("TLS 1.3 has no renegotiation, and nothing older answered"),
            |hello| hello.secure_renegotiation,
        ),
        extended_master_secret: habit(
            unseen("TLS 1.3 needs none, and nothing older answered"),
            |hello| hello.extended_master_secret,
        ),
        // RFC 8446, 4.1.2: no compression but null.
        compression: habit(Fact::No, |hello| hello.compression),
        versions: VERSIONS
            .iter()
            .filter_map(|version| {
                Some((names::version(*version), versions.get(version)?.facts.clone()))
            })
            .collect(),
        groups,
        alpn,
        deployments,
        resumption_id: completed.resumption_id.clone(),
        resumption_ticket: completed.resumption_ticket.clone(),
        early_data: completed.early_data.clone(),
        fallback_scsv,
    };
    Found { posture, chains, client_certificate: completed.client_certificate }
}

/// A version that was asked for.
pub(super) struct Asked {
    facts: VersionFacts,
    /// The answer, if the version is spoken.
    shown: Option<Attempt>,
}

impl Asked {
    fn is_spoken(&self) -> bool {
        self.facts.offered == Fact::Yes
    }
}

async fn versions(caller: &mut Caller<'_>, first: &First) -> BTreeMap<u16, Asked> {
    let mut asked = BTreeMap::new();
    let mut doubtful = Vec::new();
    for version in VERSIONS {
        // The first exchange offered all there is of TLS 1.3.
        let found = if version == TLS13 && first.attempt.shown.version == Some(TLS13) {
            Some(Asked::of(version, first.attempt.clone_shown(), caller))
        } else {
            Asked::ask(version, caller).await
        };
        match found {
            Some(found) => {
                asked.insert(version, found);
            }
            None => doubtful.push(version),
        }
    }
    // Whoever closes without a word may not speak the version, or may be tired of us. A hello that
    // was answered before tells which.
    let known = first.attempt.shown.version.unwrap_or(TLS12);
    let mut awake = !doubtful.is_empty() && is_answered(known, caller).await;
    if !awake {
        let mut still = Vec::new();
        for version in doubtful {
            caller.slow_down();
            match Asked::ask(version, caller).await {
                Some(found) => {
                    asked.insert(version, found);
                }
                None => still.push(version),
            }
        }
        awake = !still.is_empty() && is_answered(known, caller).await;
        doubtful = still;
    }
    for version in doubtful {
        let offered = if awake {
            Fact::No
        } else {
            unseen("the server closed the connection; it may be tired of being asked")
        };
        asked.insert(version, Asked::without(offered));
    }
    asked
}

/// Whether the server still answers what it answered before.
async fn is_answered(known: u16, caller: &mut Caller<'_>) -> bool {
    let answer = caller.call(&of_version(known, caller.name), Until::ServerHello, 1.0).await;
    answer.is_ok_and(|attempt| attempt.shown.version == Some(known))
}

/// A hello of one version.
pub(super) fn of_version(version: u16, name: Option<&str>) -> Hello {
    match version {
        TLS13 => Hello::tls13(name, &[]),
        version => Hello::of_version(version, name),
    }
}

impl Asked {
    /// Asks for one version; `None` when the server broke off without a word.
    async fn ask(version: u16, caller: &mut Caller<'_>) -> Option<Self> {
        match caller.call(&of_version(version, caller.name), Until::Chain, 1.0).await {
            Ok(attempt) if attempt.is_broken_off() => None,
            Ok(attempt) => Some(Self::of(version, attempt, caller)),
            Err(no_call) => Some(Self::without(Fact::NotObserved(no_call.reason()))),
        }
    }

    fn of(version: u16, attempt: Attempt, caller: &Caller<'_>) -> Self {
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
            return Self { facts, shown: Some(attempt) };
        }
        let offered = match &attempt.end {
            // Another version was chosen, or one that was not offered: not this one.
            _ if attempt.shown.version.is_some() => Fact::No,
            End::Alert(_) | End::Foreign => Fact::No,
            // An answer of another protocol to SSL 2.0 is a refusal of SSL 2.0.
            End::Broken(_) if version == SSL2 => Fact::No,
            end => {
                let secs = caller.limits().whole.as_secs();
                Fact::NotObserved(sentence(end, &attempt.heard, secs))
            }
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
        if known == Some(family) {
            deployment.offered = Fact::Yes;
            deployment.chain = digests(&first.attempt.shown.chain);
        } else if let Some(hello) =
            newest.and_then(|version| of_family(family, schemes, version, caller.name))
        {
            match caller.call_patiently(&hello, Until::Chain).await {
                Ok(attempt) if family_of(&attempt.shown.chain) == Some(family) => {
                    deployment.offered = Fact::Yes;
                    deployment.chain = digests(&attempt.shown.chain);
                    chains.push(attempt.shown.chain);
                }
                Ok(attempt) => deployment.offered = refused(&attempt, caller),
                Err(no_call) => deployment.offered = Fact::NotObserved(no_call.reason()),
            }
        }
        found.insert(family.to_owned(), deployment);
    }
    (found, chains)
}

/// A hello that only a certificate of this family can answer; `None` where no version that the
/// server speaks has a place for it.
fn of_family(family: &str, schemes: &[u16], version: u16, name: Option<&str>) -> Option<Hello> {
    if version == TLS13 {
        return Some(Hello { schemes: schemes.to_vec(), ..Hello::tls13(name, &[]) });
    }
    if family == "ML-DSA" {
        return None;
    }
    // Before TLS 1.3 the suite says how the server signs; EdDSA goes with those of ECDSA (RFC 8422,
    // 5.1.1).
    let signs = |suite: &u16| {
        let known = tls_parser::TlsCipherSuite::from_id(*suite);
        known.is_some_and(|suite| match suite.au {
            tls_parser::TlsCipherAu::Ecdsa => family != "RSA",
            tls_parser::TlsCipherAu::Rsa => family == "RSA",
            _ => false,
        })
    };
    // TLS 1.1 and older have no signature schemes, and EdDSA cannot be told from ECDSA.
    if version < TLS12 && family == "EdDSA" {
        return None;
    }
    let hello = Hello::of_version(version, name);
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
    versions: &BTreeMap<u16, Asked>,
) -> BTreeMap<String, Fact> {
    let mut left = GROUPS_OF_TLS13.to_vec();
    let mut facts = BTreeMap::new();
    let rest = match versions.get(&TLS13).map(|asked| &asked.facts.offered) {
        Some(Fact::Yes) => loop {
            if left.is_empty() {
                break Fact::No;
            }
            let hello = Hello {
                groups: left.clone(),
                shares: Vec::new(),
                ..Hello::tls13(caller.name, &[])
            };
            let attempt = match caller.call_patiently(&hello, Until::ServerHello).await {
                Ok(attempt) => attempt,
                Err(no_call) => break Fact::NotObserved(no_call.reason()),
            };
            match attempt.shown.hello.and_then(|hello| hello.retry) {
                Some(group) if left.contains(&group) => {
                    left.retain(|other| *other != group);
                    facts.insert(names::group(group), Fact::Yes);
                }
                Some(_) => break unseen("the server named a group that was not offered"),
                None => break refused(&attempt, caller),
            }
        },
        Some(Fact::No) => Fact::No,
        Some(Fact::NotObserved(why)) => Fact::NotObserved(why.clone()),
        None => unseen("TLS 1.3 was not asked for"),
    };
    facts.extend(left.into_iter().map(|group| (names::group(group), rest.clone())));
    facts
}

async fn alpn(caller: &mut Caller<'_>, first: &First) -> BTreeMap<String, Fact> {
    let mut facts = BTreeMap::new();
    if caller.opening.is_some() {
        return facts;
    }
    let chosen = first.attempt.shown.alpn.as_deref();
    for name in ALPN {
        let fact = match chosen {
            Some(chosen) if chosen == name => Fact::Yes,
            // Whoever chose none of two does not choose either.
            None => Fact::No,
            Some(_) => {
                let hello = Hello::everything(caller.name, &[name]);
                match caller.call_patiently(&hello, Until::Chain).await {
                    Ok(attempt) if attempt.shown.alpn.as_deref() == Some(name) => Fact::Yes,
                    Ok(attempt) if attempt.is_shown() => Fact::No,
                    Ok(attempt) => refused(&attempt, caller),
                    Err(no_call) => Fact::NotObserved(no_call.reason()),
                }
            }
        };
        facts.insert(name.to_owned(), fact);
    }
    facts
}

/// Whether the server notices that a hello of a lower version is a second try (RFC 7507).
async fn fallback(caller: &mut Caller<'_>, versions: &BTreeMap<u16, Asked>) -> Fact {
    let spoken: Vec<u16> = [TLS13, TLS12, TLS11, TLS10, SSL3]
        .into_iter()
        .filter(|version| versions.get(version).is_some_and(Asked::is_spoken))
        .collect();
    let [_, lower, ..] = spoken[..] else {
        return unseen("it speaks one version only, so there is nothing to fall back to");
    };
    let mut hello = of_version(lower, caller.name);
    hello.suites.push(FALLBACK_SCSV);
    match caller.call_patiently(&hello, Until::ServerHello).await {
        Ok(Attempt { end: End::Alert(alert_code::INAPPROPRIATE_FALLBACK), .. }) => Fact::Yes,
        Ok(attempt) if attempt.shown.version.is_some() => Fact::No,
        Ok(attempt) => {
            let secs = caller.limits().whole.as_secs();
            Fact::NotObserved(sentence(&attempt.end, &attempt.heard, secs))
        }
        Err(no_call) => Fact::NotObserved(no_call.reason()),
    }
}

/// What it means that a server did not take what was offered: an alert about it is a no, and
/// silence is none.
pub(super) fn refused(attempt: &Attempt, caller: &Caller<'_>) -> Fact {
    match &attempt.end {
        End::Alert(_) | End::Enough | End::WantsGroup(_) => Fact::No,
        end => {
            let secs = caller.limits().whole.as_secs();
            Fact::NotObserved(sentence(end, &attempt.heard, secs))
        }
    }
}

pub(super) fn unseen(why: &str) -> Fact {
    Fact::NotObserved(why.to_owned())
}
