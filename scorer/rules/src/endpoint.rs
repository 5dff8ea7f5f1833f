//! Rules about endpoints.

pub(crate) mod chain_disordered;
pub(crate) mod chain_incomplete;
pub(crate) mod cipher_not_approved;
pub(crate) mod compression_enabled;
pub(crate) mod key_exchange_classical_only;
pub(crate) mod key_exchange_weak;
pub(crate) mod protocol_deprecated;
pub(crate) mod protocol_not_approved;
pub(crate) mod renegotiation_insecure;
pub(crate) mod staple_stale;

use pki_inventory::{Endpoint, Fact, Handshake, Posture};

/// Every protocol version that a server can speak, oldest first.
const VERSIONS: &[&str] = &["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/// Versions that were withdrawn, each with the document that says so.
pub(crate) const WITHDRAWN: &[(&str, &str)] = &[
    ("SSLv2", "RFC 6176"),
    ("SSLv3", "RFC 7568"),
    ("TLSv1.0", "RFC 8996"),
    ("TLSv1.1", "RFC 8996"),
];

/// What to do about a fact that one handshake does not show.
const ASK: &str = "ask with `depth = \"posture\"`";

/// What to do about suites that a posture does not show.
const ASK_ALL: &str = "ask with `depth = \"suites\"`";

/// Whether a service answered in TLS at all.
fn is_tls(endpoint: &Endpoint) -> bool {
    !matches!(endpoint.handshake, Handshake::NoTls { .. })
}

/// Whether it speaks a version: what the posture found or, where that says nothing, what the
/// handshake settled on.
fn speaks(endpoint: &Endpoint, version: &str) -> Fact {
    match endpoint.session().and_then(|session| session.version.as_deref()) {
        Some(settled) if settled == version => Fact::Yes,
        _ => endpoint.speaks(version),
    }
}

/// The versions that it speaks among these.
fn spoken<'v>(endpoint: &Endpoint, among: &[&'v str]) -> Vec<&'v str> {
    among.iter().copied().filter(|version| speaks(endpoint, version) == Fact::Yes).collect()
}

/// Whether something older than TLS 1.3 may be spoken there, so that what was abolished with
/// TLS 1.3 is a question at all.
fn may_be_older(endpoint: &Endpoint) -> bool {
    let older = VERSIONS.iter().filter(|version| **version != "TLSv1.3");
    is_tls(endpoint) && older.into_iter().any(|version| speaks(endpoint, version) != Fact::No)
}

/// Why it is not known of all of these versions whether they are spoken; `None` when it is.
fn unseen(endpoint: &Endpoint, among: &[&str]) -> Option<String> {
    let open = |version: &&str| speaks(endpoint, version).why().map(str::to_owned);
    let open: Vec<(&str, String)> =
        among.iter().filter_map(|version| Some((*version, open(version)?))).collect();
    let (_, first) = open.first()?;
    let names: Vec<&str> = open.iter().map(|(version, _)| *version).collect();
    if endpoint.posture.is_none() {
        let names = listed(&names, "or");
        return Some(match &endpoint.handshake {
            Handshake::Declined { alert, offered } => format!(
                "declined {} with the alert {alert}; whether it speaks {names} was not asked, so \
                 {ASK}",
                listed(offered, "and")
            ),
            _ => format!("one handshake does not show whether it speaks {names}; {ASK}"),
        });
    }
    if open.iter().all(|(_, why)| why == first) {
        return Some(format!("{} could not be observed: {first}", listed(&names, "and")));
    }
    let each: Vec<String> = open.iter().map(|(version, why)| format!("{version}: {why}")).collect();
    Some(format!("could not be observed: {}", each.join("; ")))
}

/// Why it is not known which suites of one version it accepts; `None` when it is.
fn unlisted(endpoint: &Endpoint, version: &str) -> Option<String> {
    let facts = endpoint.posture.as_ref().and_then(|posture| posture.versions.get(version));
    let Some(suites) = facts.and_then(|facts| facts.suites.as_ref()) else {
        return Some(ASK_ALL.to_owned());
    };
    match &suites.complete {
        Fact::Yes if suites.accepted.is_empty() => Some("none was seen".to_owned()),
        Fact::Yes => None,
        Fact::No => Some("it accepts others as well".to_owned()),
        Fact::NotObserved(why) => Some(why.clone()),
    }
}

/// The answer to a question that only a posture holds, or why there is none.
fn answered(endpoint: &Endpoint, fact: fn(&Posture) -> &Fact) -> Result<bool, String> {
    let posture = endpoint.posture.as_deref();
    match posture.map(fact) {
        None => Err(format!("one handshake does not show it; {ASK}")),
        Some(Fact::Yes) => Ok(true),
        Some(Fact::No) => Ok(false),
        Some(Fact::NotObserved(why)) => Err(format!("could not be observed: {why}")),
    }
}

/// `a, b and c`.
pub(crate) fn listed<T: AsRef<str>>(names: &[T], last: &str) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => (*only).to_owned(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}
