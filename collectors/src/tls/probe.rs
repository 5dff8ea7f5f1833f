//! Asks one address on one port, within one deadline.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pki_inventory::GapReason;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Answer};
use super::handshake::{self, Offer};
use super::pace::Pace;

/// The limits every target has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    /// From the first packet to the last.
    pub(super) whole: Duration,
}

/// What came of it, and how much was read.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) octets: u64,
}

/// Asks with a full hello, and once more with a smaller one if TLS broke over it. `spent` was used
/// up before, by looking up the name. Waiting for a turn is our own doing and not counted. `None`
/// when the run was ended before anything was asked.
pub(super) async fn ask(
    address: SocketAddr,
    name: Option<&str>,
    limits: Limits,
    spent: Duration,
    pace: &Pace,
    cancelled: &AtomicBool,
) -> Option<Reply> {
    pace.turn(cancelled).await?;
    let mut deadline = Instant::now() + limits.whole.saturating_sub(spent);
    let first = attempt(address, name, limits, deadline, Offer::Both).await;
    if !first.answer.is_worth_another_try() || Instant::now() >= deadline {
        return Some(first);
    }
    let Some(waited) = pace.turn(cancelled).await else { return Some(first) };
    deadline += waited;
    let second = attempt(address, name, limits, deadline, Offer::Tls12).await;
    let octets = first.octets + second.octets;
    let answer = if second.answer.is_shown() { second.answer } else { first.answer };
    Some(Reply { answer, octets })
}

async fn attempt(
    address: SocketAddr,
    name: Option<&str>,
    limits: Limits,
    deadline: Instant,
    offer: Offer,
) -> Reply {
    let gap = |reason, detail: String| Reply { answer: Answer::Gap(reason, detail), octets: 0 };
    // An address is never sent in the server name indication (RFC 6066, section 3).
    let server_name = match name {
        None => ServerName::from(address.ip()),
        Some(name) => match ServerName::try_from(name.trim_end_matches('.').to_owned()) {
            Ok(name) => name,
            Err(_) => {
                let detail =
                    format!("`{name}` cannot be sent as a server name; ask by address instead");
                return gap(GapReason::HandshakeFailed, detail);
            }
        },
    };
    let until = deadline.min(Instant::now() + limits.connect);
    let stream = match timeout_at(until, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let (reason, detail) = refusal(&error);
            return gap(reason, detail);
        }
        Err(_) => {
            let detail = format!(
                "no connection within {} s; a firewall may drop it",
                limits.connect.as_secs()
            );
            return gap(GapReason::TimedOut, detail);
        }
    };
    match handshake::shake(stream, server_name, offer, deadline).await {
        Ok(attempt) => {
            let octets = attempt.octets;
            Reply { answer: answer::of(attempt, limits.whole.as_secs()), octets }
        }
        Err(error) => {
            gap(GapReason::HandshakeFailed, format!("no handshake could be begun: {error}"))
        }
    }
}

/// Why there is no connection.
fn refusal(error: &io::Error) -> (GapReason, String) {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => (GapReason::Refused, "nothing listens there".to_owned()),
        Some(Errno::TIMEDOUT) => {
            (GapReason::TimedOut, "no connection: the operating system gave up waiting".to_owned())
        }
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => (
            GapReason::LimitReached,
            format!(
                "no connection could be opened: {error}; lower `concurrency` or raise the limit of open files"
            ),
        ),
        Some(Errno::ACCESS | Errno::PERM) => (
            GapReason::PermissionDenied,
            format!("this host did not let us connect: {error}; its firewall may forbid it"),
        ),
        Some(Errno::CONNRESET | Errno::CONNABORTED) => (
            GapReason::HandshakeFailed,
            "the connection was reset as soon as it was opened".to_owned(),
        ),
        _ => (GapReason::Unreachable, format!("no way to the address: {error}")),
    }
}
