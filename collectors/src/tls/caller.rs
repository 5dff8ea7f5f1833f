//! Opens connections to one place, one after the other, within one deadline.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use pki_config::StartTls;
use pki_inventory::GapReason;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::exchange::{Attempt, Equipment, Until, exchange};
use super::flight::Shown;
use super::hello::Hello;
use super::pace::{self, Pace};
use super::starttls;
use super::wire::{End, Wire};

/// The limits every target has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    /// From the first packet to the last.
    pub(super) whole: Duration,
    /// How often the same is asked again of a server that does not answer.
    pub(super) retries: u32,
    /// The most connections to one place.
    pub(super) connections: u32,
}

/// What all places of a run share.
pub(super) struct Means<'a> {
    pub(super) equipment: &'a Equipment,
    pub(super) pace: &'a Pace,
    pub(super) cancelled: &'a AtomicBool,
    pub(super) limits: Limits,
}

/// Asks one place.
pub(super) struct Caller<'a> {
    means: &'a Means<'a>,
    address: SocketAddr,
    pub(super) name: Option<&'a str>,
    pub(super) opening: Option<StartTls>,
    deadline: Instant,
    /// Looking up the name took this long, of the time of the target.
    spent: Duration,
    /// Waited before each connection, once the server has broken off some.
    delay: Duration,
    pub(super) connections: u32,
    pub(super) octets: u64,
}

/// Why there was no exchange.
#[derive(Debug)]
pub(super) enum NoCall {
    /// The run was ended.
    Ended,
    /// The time of the target is over.
    Deadline,
    /// The connections of the target are used up.
    Spent,
    /// There is no connection; why.
    NoConnection(GapReason, String),
}

/// The first wait after a server broke off; it doubles from there.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

impl NoCall {
    /// Why something was not observed.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Ended => "the run was ended before it was asked".to_owned(),
            Self::Deadline => "the time for this target was over before it was asked".to_owned(),
            Self::Spent => {
                "the connections for this target were used up before it was asked".to_owned()
            }
            Self::NoConnection(_, detail) => detail.clone(),
        }
    }
}

impl<'a> Caller<'a> {
    /// `spent` was used up before, by looking up the name.
    pub(super) fn new(
        means: &'a Means<'a>,
        address: SocketAddr,
        name: Option<&'a str>,
        opening: Option<StartTls>,
        spent: Duration,
    ) -> Self {
        let deadline = Instant::now() + means.limits.whole.saturating_sub(spent);
        let delay = Duration::ZERO;
        Self { means, address, name, opening, deadline, spent, delay, connections: 0, octets: 0 }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn limits(&self) -> Limits {
        self.means.limits
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is left of the time.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Asks once; the first octet has to come within this share of the time that is left.
    pub(super) async fn call(
        &mut self,
        hello: &Hello,
        until: Until,
        patience: f64,
    ) -> Result<Attempt, NoCall> {
        let stream = self.connect().await?;
        let patience = Instant::now() + self.left().mul_f64(patience);
        let mut wire = Wire::new(stream, patience);
        let attempt = match self.open(&mut wire).await {
            Ok(()) => exchange(wire, hello, until, self.means.equipment, self.deadline).await,
            Err(end) => {
                let (heard, octets) = wire.part(&[]).await;
                Attempt { end, shown: Shown::default(), heard, octets }
            }
        };
        self.octets += attempt.octets;
        if !attempt.is_broken_off() {
            // It talks again; who is tired says so soon enough.
            self.delay /= 2;
        }
        Ok(attempt)
    }

    /// Asks, and asks again after a while if the server breaks off without a word.
    pub(super) async fn call_patiently(
        &mut self,
        hello: &Hello,
        until: Until,
    ) -> Result<Attempt, NoCall> {
        for _ in 0..self.means.limits.retries {
            let attempt = self.call(hello, until, 1.0).await?;
            if !attempt.is_broken_off() {
                return Ok(attempt);
            }
            self.slow_down();
        }
        self.call(hello, until, 1.0).await
    }

    /// A connection, for those who speak TLS on it by other means.
    pub(super) async fn stream(&mut self) -> Result<(TcpStream, Option<End>), NoCall> {
        let stream = self.connect().await?;
        let mut wire = Wire::new(stream, self.deadline);
        let opened = self.open(&mut wire).await;
        let end = match opened {
            Ok(()) if !wire.is_plain() => Some(End::Plain("TLS is inside of packets".to_owned())),
            Ok(()) => None,
            Err(end) => Some(end),
        };
        let (stream, octets) = wire.into_stream();
        self.octets += octets;
        Ok((stream, end))
    }

    /// Waits longer before every further connection.
    pub(super) fn slow_down(&mut self) {
        self.delay = (self.delay * 2).clamp(FIRST_DELAY, LONGEST_DELAY);
    }

    async fn open(&self, wire: &mut Wire) -> Result<(), End> {
        let Some(protocol) = self.opening else { return Ok(()) };
        timeout_at(self.deadline, starttls::open(wire, protocol, self.name))
            .await
            .unwrap_or(Err(End::Deadline))
    }

    async fn connect(&mut self) -> Result<TcpStream, NoCall> {
        let Means { pace, cancelled, limits, .. } = self.means;
        if self.connections >= limits.connections {
            return Err(NoCall::Spent);
        }
        if !self.delay.is_zero() {
            let until = Instant::now() + self.delay.mul_f64(1.0 + pace::chance() / 2.0);
            if !pace::wait(until.min(self.deadline), cancelled).await {
                return Err(NoCall::Ended);
            }
        }
        // Waiting for a turn is our own doing and no time of the target.
        self.deadline += pace.turn(cancelled).await.ok_or(NoCall::Ended)?;
        let start = Instant::now();
        if start >= self.deadline && self.connections > 0 {
            return Err(NoCall::Deadline);
        }
        let until = self.deadline.min(start + limits.connect);
        if until <= start {
            return Err(self.no_connection(Duration::ZERO));
        }
        self.connections += 1;
        match timeout_at(until, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                let (reason, detail) = refusal(&error);
                Err(NoCall::NoConnection(reason, detail))
            }
            Err(_) => Err(self.no_connection(until.saturating_duration_since(start))),
        }
    }

    fn no_connection(&self, waited: Duration) -> NoCall {
        let detail = no_connection(waited, self.spent, self.means.limits);
        NoCall::NoConnection(GapReason::TimedOut, detail)
    }
}

impl Attempt {
    /// The server ended the connection without having said a word about the hello.
    pub(super) fn is_broken_off(&self) -> bool {
        let ended = matches!(self.end, End::Closed | End::Failed(_));
        ended && self.heard.is_empty() && self.shown.version.is_none()
    }
}

/// What is said when a connection did not come about in this time. What was spent on the name is
/// told without figures: they would be others in every run.
fn no_connection(waited: Duration, spent: Duration, limits: Limits) -> String {
    let whole = limits.whole.as_secs();
    if waited.is_zero() {
        return format!("not asked: looking up the name took all of the {whole} s for this target");
    }
    if waited < limits.connect && !spent.is_zero() {
        return format!(
            "no connection in what looking up the name had left of the {whole} s for this target"
        );
    }
    let connect = limits.connect.min(limits.whole).as_secs();
    format!("no connection within {connect} s; a firewall may drop it")
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
        let limits = Limits {
            connect: Duration::from_secs(3),
            whole: Duration::from_secs(10),
            retries: 1,
            connections: 4,
        };
        let secs = Duration::from_secs_f64;
        for (waited, spent, said) in [
            (3.0, 0.0, "no connection within 3 s; a firewall may drop it"),
            (3.0, 2.0, "no connection within 3 s; a firewall may drop it"),
            (
                1.5,
                8.5,
                "no connection in what looking up the name had left of the 10 s for this target",
            ),
            (0.0, 10.0, "not asked: looking up the name took all of the 10 s for this target"),
        ] {
            assert_eq!(no_connection(secs(waited), secs(spent), limits), said);
        }
    }
}
