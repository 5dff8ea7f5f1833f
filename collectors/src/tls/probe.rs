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
use super::handshake::{self, End, Offer};
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
    /// There was a connection, and not one octet came over it while we waited for the first.
    silent: bool,
}

/// Asks with a full hello, and once more with a smaller one if TLS broke over it or nothing was
/// heard: there are middleboxes that drop a hello which does not fit into one packet. `spent` was
/// used up before, by looking up the name. Waiting for a turn is our own doing and not counted.
/// `None` when the run was ended before anything was asked.
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
    let first = attempt(address, name, limits, spent, deadline, Offer::Both).await;
    let again = first.silent || first.answer.is_worth_another_try();
    if !again || Instant::now() >= deadline {
        return Some(first);
    }
    let Some(waited) = pace.turn(cancelled).await else { return Some(first) };
    deadline += waited;
    let second = attempt(address, name, limits, spent, deadline, Offer::Tls12).await;
    let better = second.answer.is_shown() || (first.silent && second.answer.is_endpoint());
    let octets = first.octets + second.octets;
    let Reply { answer, silent, .. } = if better { second } else { first };
    Some(Reply { answer, octets, silent })
}

async fn attempt(
    address: SocketAddr,
    name: Option<&str>,
    limits: Limits,
    spent: Duration,
    deadline: Instant,
    offer: Offer,
) -> Reply {
    let gap = |reason, detail: String| {
        let answer = Answer::Gap(reason, detail);
        Reply { answer, octets: 0, silent: false }
    };
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
    let start = Instant::now();
    let until = deadline.min(start + limits.connect);
    if until <= start {
        return gap(GapReason::TimedOut, no_connection(Duration::ZERO, spent, limits));
    }
    let stream = match timeout_at(until, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let (reason, detail) = refusal(&error);
            return gap(reason, detail);
        }
        Err(_) => {
            let detail = no_connection(until.saturating_duration_since(start), spent, limits);
            return gap(GapReason::TimedOut, detail);
        }
    };
    let now = Instant::now();
    let patience = match offer {
        // What is left is for the smaller hello.
        Offer::Both => now + deadline.saturating_duration_since(now) / 2,
        Offer::Tls12 => deadline,
    };
    match handshake::shake(stream, server_name, offer, patience, deadline).await {
        Ok(attempt) => {
            let octets = attempt.octets;
            let silent = matches!(attempt.end, End::Silence);
            Reply { answer: answer::of(attempt, limits.whole.as_secs()), octets, silent }
        }
        Err(error) => {
            gap(GapReason::HandshakeFailed, format!("no handshake could be begun: {error}"))
        }
    }
}

/// What is said when a connection did not come about in this time.
fn no_connection(waited: Duration, spent: Duration, limits: Limits) -> String {
    let whole = limits.whole.as_secs();
    if waited.is_zero() {
        return format!("not asked: looking up the name took all of the {whole} s for this target");
    }
    let mut detail =
        format!("no connection within {:.1} s; a firewall may drop it", waited.as_secs_f64());
    if waited < limits.connect && !spent.is_zero() {
        let spent = spent.as_secs_f64();
        detail.push_str(&format!("; {spent:.1} s of {whole} s were spent on looking up the name"));
    }
    detail
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_did_not_come_about_says_how_long_was_waited() {
        let limits = Limits { connect: Duration::from_secs(3), whole: Duration::from_secs(10) };
        let secs = Duration::from_secs_f64;
        for (waited, spent, said) in [
            (3.0, 0.0, "no connection within 3.0 s; a firewall may drop it"),
            (3.0, 2.0, "no connection within 3.0 s; a firewall may drop it"),
            (
                1.5,
                8.5,
                "no connection within 1.5 s; a firewall may drop it; 8.5 s of 10 s were spent on looking up the name",
            ),
            (0.0, 10.0, "not asked: looking up the name took all of the 10 s for this target"),
        ] {
            assert_eq!(no_connection(secs(waited), secs(spent), limits), said);
        }
    }
}
