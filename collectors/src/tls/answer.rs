//! From what was seen on the wire to what is said about the server.

use pki_inventory::{
    ClientCertificate, Digest, DistinguishedName, GapReason, Handshake, Session, Staple,
    sct_log_ids,
};

use super::certificate::First;
use super::exchange::Attempt;
use super::flight::Shown;
use super::names;
use super::starttls::quote;
use super::wire::{End, sentence};

/// What came of asking one server.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one lives per probe, and only until it is reported")]
pub(super) enum Answer {
    /// It answered.
    Endpoint(Handshake),
    /// It did not.
    Gap(GapReason, String),
}

/// The most authorities that are kept of a request for a certificate: some servers send all roots
/// there are.
const MOST_AUTHORITIES: usize = 200;

/// Says what asking came to.
pub(super) fn of(first: &First, deadline_secs: u64) -> Answer {
    let attempt = &first.attempt;
    if attempt.is_shown() {
        return Answer::Endpoint(Handshake::Shown(session(first, deadline_secs)));
    }
    let declined = |alert: String| {
        let mut offered = first.offered.clone();
        // Newest first.
        offered.sort_unstable_by(|a, b| b.cmp(a));
        let offered = offered.into_iter().map(names::version).collect();
        Answer::Endpoint(Handshake::Declined { alert, offered })
    };
    let no_tls = |reason| Answer::Endpoint(Handshake::NoTls { reason });
    let told = sentence(&attempt.end, attempt.stage, &attempt.heard, deadline_secs);
    match &attempt.end {
        End::Foreign => no_tls(quote(&attempt.heard)),
        End::Plain(said) => no_tls(said.clone()),
        End::Alert(alert) => declined(names::alert(*alert)),
        End::WantsGroup(group) => {
            declined(format!("none, but it insists on the group {}", names::group(*group)))
        }
        End::Silence | End::Deadline => Answer::Gap(GapReason::TimedOut, told),
        _ => Answer::Gap(GapReason::HandshakeFailed, with_what_was_settled(told, attempt)),
    }
}

fn with_what_was_settled(mut told: String, attempt: &Attempt) -> String {
    if let Some(version) = attempt.shown.version {
        told.push_str(&format!(", after it had chosen {}", names::version(version)));
    }
    told
}

fn session(first: &First, deadline_secs: u64) -> Session {
    let Attempt { end, shown, stage, heard, .. } = &first.attempt;
    let ended = match end {
        End::Enough if shown.left_out > 0 => {
            Some(format!("it sent {} more certificates than are kept", shown.left_out))
        }
        End::Enough => None,
        end => {
            let mut why = sentence(end, *stage, heard, deadline_secs);
            if shown.asked_for_certificate.is_some() {
                why.push_str(", after it had asked for a client certificate");
            }
            Some(why)
        }
    };
    let suite = shown.suite.map(names::suite);
    Session {
        version: shown.version.map(names::version),
        cipher_suite: suite.or_else(|| shown.ssl2_suites.first().cloned()),
        group: shown.group.clone(),
        offered_groups: first.hello.groups.iter().copied().map(names::group).collect(),
        alpn: shown.alpn.clone(),
        staple: (!shown.staple.is_empty()).then(|| Staple::of(&shown.staple)),
        sct_logs: sct_log_ids(&shown.timestamps),
        client_certificate: client_certificate(shown),
        accepted_authorities: authorities(shown),
        chain: digests(&shown.chain),
        ended,
    }
}

/// The identities of certificates.
pub(super) fn digests(chain: &[Vec<u8>]) -> Vec<Digest> {
    chain.iter().map(|der| Digest::of(der)).collect()
}

/// What one exchange tells about the wish for a certificate of ours.
fn client_certificate(shown: &Shown) -> ClientCertificate {
    match (&shown.asked_for_certificate, shown.may_have_asked) {
        (Some(_), _) => ClientCertificate::Asked,
        (None, true) => ClientCertificate::NotAsked,
        (None, false) => ClientCertificate::NotObserved,
    }
}

fn authorities(shown: &Shown) -> Vec<String> {
    let names = shown.asked_for_certificate.as_deref().unwrap_or_default();
    let text = |der: &Vec<u8>| match DistinguishedName::parse(der) {
        Ok(name) => name.text,
        Err(_) => format!("{} octets that are no name", der.len()),
    };
    let more = names.len().saturating_sub(MOST_AUTHORITIES);
    let more = (more > 0).then(|| format!("{more} more that are not kept"));
    names.iter().take(MOST_AUTHORITIES).map(text).chain(more).collect()
}
