//! Asks one place as deeply as wanted and says what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use pki_config::{Depth, StartTls};
use pki_inventory::{ClientCertificate, Endpoint, GapReason, Handshake, Time};

use super::answer::{self, Answer};
use super::caller::{Caller, Means, NoCall};
use super::certificate;
use super::{posture, suites};

/// What came of one place, and how much was read.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Result<Seen, (GapReason, String)>,
    pub(super) octets: u64,
}

/// A server that answered, and the encodings of its certificates: chains, each in its order.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) endpoint: Endpoint,
    pub(super) chains: Vec<Vec<Vec<u8>>>,
}

/// One place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) address: SocketAddr,
    pub(super) name: Option<&'a str>,
    pub(super) opening: Option<StartTls>,
    /// Looking up the name took this long, of the time of the target.
    pub(super) spent: Duration,
    pub(super) depth: Depth,
}

/// Asks. `None` when the run was ended before anything was.
pub(super) async fn ask(
    question: Question<'_>,
    means: &Means<'_>,
    now: impl Fn() -> Time,
) -> Option<Reply> {
    let Question { address, name, opening, spent, depth } = question;
    let mut caller = Caller::new(means, address, name, opening, spent);
    let first = match certificate::ask(&mut caller).await {
        Ok(first) => first,
        Err(NoCall::Ended) => return None,
        Err(NoCall::NoConnection(reason, detail)) => {
            return Some(Reply { answer: Err((reason, detail)), octets: caller.octets });
        }
        Err(other) => {
            let answer = Err((GapReason::TimedOut, other.reason()));
            return Some(Reply { answer, octets: caller.octets });
        }
    };
    let mut handshake = match answer::of(&first, means.limits.whole.as_secs()) {
        Answer::Endpoint(handshake) => handshake,
        Answer::Gap(reason, detail) => {
            return Some(Reply { answer: Err((reason, detail)), octets: caller.octets });
        }
    };
    let mut chains = Vec::new();
    let mut found = None;
    if let (Handshake::Shown(session), true) = (&mut handshake, depth > Depth::Certificate) {
        let mut asked = posture::ask(&mut caller, &first).await;
        if depth == Depth::Suites {
            suites::ask(&mut caller, &mut asked.posture).await;
        }
        // A complete handshake says more about what is wanted of clients than a broken one.
        if asked.client_certificate > ClientCertificate::NotAsked {
            session.client_certificate = asked.client_certificate;
        }
        chains = asked.chains;
        found = Some(Box::new(asked.posture));
    }
    chains.insert(0, first.attempt.shown.chain);
    let connections = caller.connections;
    let endpoint = Endpoint { observed: now(), handshake, connections, posture: found };
    Some(Reply { answer: Ok(Seen { endpoint, chains }), octets: caller.octets })
}
