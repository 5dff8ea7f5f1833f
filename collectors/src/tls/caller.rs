//! Opens connections to one place, one after the other, within one deadline.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pki_config::StartTls;
use pki_inventory::GapReason;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::exchange::{Attempt, Equipment, Until, exchange};
use super::flight::Shown;
use super::hello::{Hello, SUITES_OF_TLS13};
use super::names::{self, TLS13};
use super::pace::{self, Pace};
use super::starttls;
use super::wire::{End, Stage, Wire};

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
    pub(super) tempers: &'a Tempers,
    pub(super) cancelled: &'a AtomicBool,
    pub(super) limits: Limits,
}

/// How long to wait before each connection to a host that has broken off some: its places share a
/// temper.
#[derive(Default)]
pub(super) struct Tempers(Mutex<BTreeMap<IpAddr, Duration>>);

/// Asks one place.
pub(super) struct Caller<'a> {
    means: &'a Means<'a>,
    address: SocketAddr,
    pub(super) name: Option<&'a str>,
    pub(super) opening: Option<StartTls>,
    deadline: Instant,
    /// Looking up the name took this long, of the time of the target.
    spent: Duration,
    /// The large hello was not answered, and a smaller one was.
    pub(super) small: bool,
    /// The server closes where others send an alert: closing is an answer, and no sign of being
    /// tired.
    pub(super) declines_by_closing: bool,
    /// Connections in a row that did not come about, after some that did.
    failures: u32,
    /// The run was ended in the middle.
    pub(super) is_ended: bool,
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

/// One question of many may take this long: a server that is silent to one of them, as some
/// firewalls are to old versions, must not take the time of all others.
pub(super) const ONE_OF_MANY: Duration = Duration::from_secs(5);

/// Connections in a row that may not come about before a host is left alone.
const MOST_FAILURES: u32 = 1;

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
        Self {
            means,
            address,
            name,
            opening,
            deadline: Instant::now() + means.limits.whole.saturating_sub(spent),
            spent,
            small: false,
            declines_by_closing: false,
            failures: 0,
            is_ended: false,
            connections: 0,
            octets: 0,
        }
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

    /// A hello of TLS 1.3 alone, as large as the server bears it.
    pub(super) fn tls13(&self, alpn: &[&'static str]) -> Hello {
        let base = if self.small { Hello::small } else { Hello::everything };
        Hello { versions: vec![TLS13], suites: SUITES_OF_TLS13.to_vec(), ..base(self.name, alpn) }
    }

    /// A hello of one version.
    pub(super) fn of_version(&self, version: u16) -> Hello {
        match version {
            TLS13 => self.tls13(&[]),
            version => Hello::of_version(version, self.name),
        }
    }

    /// Asks once, for as long as this; the first octet has to come within half of it where `half`.
    pub(super) async fn call_within(
        &mut self,
        time: Duration,
        half: bool,
        hello: &Hello,
        until: Until,
    ) -> Result<Attempt, NoCall> {
        let mut wire = Wire::new(self.connect().await?);
        let deadline = self.deadline.min(Instant::now() + time);
        let opened = self.open(&mut wire, deadline).await;
        let attempt = match opened {
            Ok(()) => {
                let left = deadline.saturating_duration_since(Instant::now());
                wire.begin_tls(Instant::now() + if half { left / 2 } else { left });
                exchange(wire, hello, until, self.means.equipment, deadline).await
            }
            Err(end) => {
                let stage = wire.stage();
                let (heard, octets) = wire.part(&[]).await;
                Attempt { end, shown: Shown::default(), stage, heard, octets }
            }
        };
        self.octets += attempt.octets;
        if !attempt.is_broken_off() {
            self.means.tempers.note(self.address.ip(), false);
        } else if matches!(attempt.end, End::Unwilling(_)) {
            self.slow_down();
        }
        Ok(attempt)
    }

    /// Asks once, for as long as one of many questions may take.
    pub(super) async fn call(&mut self, hello: &Hello, until: Until) -> Result<Attempt, NoCall> {
        self.call_within(ONE_OF_MANY, false, hello, until).await
    }

    /// Asks, and asks again after a while if the server breaks off without a word.
    pub(super) async fn call_patiently(
        &mut self,
        hello: &Hello,
        until: Until,
    ) -> Result<Attempt, NoCall> {
        for _ in 0..self.means.limits.retries {
            let attempt = self.call(hello, until).await?;
            if !attempt.is_broken_off() || self.declines_by_closing {
                return Ok(attempt);
            }
            self.slow_down();
        }
        self.call(hello, until).await
    }

    /// Waits longer before further connections to this host, of all its places.
    pub(super) fn slow_down(&self) {
        self.means.tempers.note(self.address.ip(), true);
    }

    /// A connection, for those who speak TLS on it by other means.
    pub(super) async fn stream(&mut self) -> Result<(TcpStream, Option<End>), NoCall> {
        let mut wire = Wire::new(self.connect().await?);
        let until = self.deadline.min(Instant::now() + ONE_OF_MANY);
        let end = match self.open(&mut wire, until).await {
            Ok(()) if !wire.is_plain() => Some(End::Plain("TLS is inside of packets".to_owned())),
            Ok(()) => None,
            Err(end) => Some(end),
        };
        let (stream, octets) = wire.into_stream();
        self.octets += octets;
        Ok((stream, end))
    }

    /// Says what comes before TLS.
    async fn open(&self, wire: &mut Wire, deadline: Instant) -> Result<(), End> {
        let Some(protocol) = self.opening else { return Ok(()) };
        // In a place of its own, as is all that most probes never come to: what a probe waits in
        // is taken thousands of times.
        let opening = Box::pin(starttls::open(wire, protocol, self.name));
        timeout_at(deadline, opening).await.unwrap_or(Err(End::Deadline))
    }

    async fn connect(&mut self) -> Result<TcpStream, NoCall> {
        let Means { pace, tempers, cancelled, limits, .. } = self.means;
        if self.connections >= limits.connections {
            return Err(NoCall::Spent);
        }
        if self.failures > MOST_FAILURES {
            let detail = "the server takes no more connections".to_owned();
            return Err(NoCall::NoConnection(GapReason::Refused, detail));
        }
        let delay = tempers.of(self.address.ip());
        if !delay.is_zero() {
            let until = Instant::now() + delay.mul_f64(1.0 + pace::chance() / 2.0);
            if !pace::wait(until.min(self.deadline), cancelled).await {
                return self.ended();
            }
        }
        // Waiting for a turn is our own doing and no time of the target.
        let Some(waited) = pace.turn(cancelled).await else { return self.ended() };
        self.deadline += waited;
        let start = Instant::now();
        if start >= self.deadline && self.connections > 0 {
            return Err(NoCall::Deadline);
        }
        let until = self.deadline.min(start + limits.connect);
        if until <= start {
            return Err(self.no_connection(Duration::ZERO));
        }
        self.connections += 1;
        let connected = timeout_at(until, TcpStream::connect(self.address)).await;
        if let Ok(Ok(stream)) = connected {
            self.failures = 0;
            return Ok(stream);
        }
        if self.connections > 1 {
            self.failures += 1;
            self.slow_down();
        }
        match connected {
            Ok(Err(error)) => {
                let (reason, detail) = refusal(&error);
                Err(NoCall::NoConnection(reason, detail))
            }
            _ => Err(self.no_connection(until.saturating_duration_since(start))),
        }
    }

    fn ended(&mut self) -> Result<TcpStream, NoCall> {
        self.is_ended = true;
        Err(NoCall::Ended)
    }

    fn no_connection(&self, waited: Duration) -> NoCall {
        let detail = no_connection(waited, self.spent, self.means.limits);
        NoCall::NoConnection(GapReason::TimedOut, detail)
    }
}

impl Tempers {
    fn of(&self, host: IpAddr) -> Duration {
        self.lock().get(&host).copied().unwrap_or_default()
    }

    /// Whoever broke off is left alone for longer and longer; whoever answers is forgiven by
    /// halves.
    fn note(&self, host: IpAddr, broke_off: bool) {
        let mut tempers = self.lock();
        if broke_off {
            let delay = tempers.entry(host).or_default();
            *delay = (*delay * 2).clamp(FIRST_DELAY, LONGEST_DELAY);
        } else if let Some(delay) = tempers.get_mut(&host) {
            *delay /= 2;
            if *delay < FIRST_DELAY / 4 {
                tempers.remove(&host);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Duration>> {
        // A number is replaced by another; an error there would spoil nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// The server ended the connection without having said a word about the hello.
    pub(super) fn is_broken_off(&self) -> bool {
        let said_nothing = self.heard.is_empty() && self.shown.version.is_none();
        match self.end {
            End::Unwilling(_) => true,
            // An alert that is not about what was offered is no better than none.
            End::Alert(alert) => !names::is_about_the_offer(alert),
            End::Closed | End::Failed(_) => said_nothing || self.stage == Stage::Opening,
            _ => false,
        }
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
    fn who_breaks_off_is_left_alone_for_longer_and_forgiven_by_halves() {
        let (tempers, host) = (Tempers::default(), IpAddr::from([192, 0, 2, 1]));
        let waits = |broke_off: bool| {
            tempers.note(host, broke_off);
            tempers.of(host).as_millis()
        };
        assert_eq!([true; 5].map(waits), [250, 500, 1000, 2000, 2000]);
        assert_eq!([false; 6].map(waits), [1000, 500, 250, 125, 62, 0]);
        assert_eq!(tempers.of(IpAddr::from([192, 0, 2, 2])), Duration::ZERO);
    }

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
