//! Asks one place as deeply as wanted and says what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use pki_config::{Depth, StartTls};
use pki_inventory::{Endpoint, GapReason, Handshake, Time};

use super::answer::{self, Answer};
use super::caller::{Caller, Means, NoCall};
use super::certificate;
use super::{posture, suites};

/// What came of one place, and how much was read.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Result<Seen, (GapReason, String)>,
    pub(super) octets: u64,
    /// The run was ended before all of it was asked.
    pub(super) is_cut_off: bool,
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
            return Some(Reply::gap(reason, detail, &caller));
        }
        Err(other) => return Some(Reply::gap(GapReason::TimedOut, other.reason(), &caller)),
    };
    let mut handshake = match answer::of(&first, means.limits.whole.as_secs()) {
        Answer::Endpoint(handshake) => handshake,
        Answer::Gap(..) if caller.is_ended => return None,
        Answer::Gap(reason, detail) => return Some(Reply::gap(reason, detail, &caller)),
    };
    let mut chains = vec![first.attempt.shown.chain.clone()];
    let mut found = None;
    let speaks_tls = !matches!(handshake, Handshake::NoTls { .. });
    if speaks_tls && depth > Depth::Certificate {
        // In a place of its own: most probes never come here, and thousands are under way.
        let mut asked = Box::pin(posture::ask(&mut caller, &first)).await;
        if depth == Depth::Suites {
            Box::pin(suites::ask(&mut caller, &mut asked.posture)).await;
        }
        if let Handshake::Shown(session) = &mut handshake {
            // A complete handshake says more about what is wanted of clients than a broken one.
            session.client_certificate = session.client_certificate.max(asked.client_certificate);
        }
        chains.extend(asked.chains);
        found = Some(Box::new(asked.posture));
    }
    let connections = caller.connections;
    let endpoint = Endpoint { observed: now(), handshake, connections, posture: found };
    let answer = Ok(Seen { endpoint, chains });
    Some(Reply { answer, octets: caller.octets, is_cut_off: caller.is_ended })
}

impl Reply {
    fn gap(reason: GapReason, detail: String, caller: &Caller<'_>) -> Self {
        Self { answer: Err((reason, detail)), octets: caller.octets, is_cut_off: false }
    }
}
