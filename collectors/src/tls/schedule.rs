//! Goes through the targets, never with more in flight than allowed, and keeps count.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pki_config::{Hosts, Target};
use pki_inventory::{Coverage, Endpoint, Gap, GapReason, Observation, Place, Raw, Sighting};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::NAME;
use super::answer::Answer;
use super::exclusions::Exclusions;
use super::pace::Pace;
use super::probe::{self, Limits};
use crate::{CollectError, Context, Sink};

/// What all probes share.
struct Round {
    cx: Context,
    out: Sink,
    exclusions: Exclusions,
    limits: Limits,
    pace: Pace,
}

/// One line of the scope and what came of it. It is reported when nobody works on it any more.
struct Line {
    target: Target,
    /// The user asked for these very hosts, and not for whatever may be in a network.
    explicit: bool,
    read: AtomicU64,
    not_read: AtomicU64,
    octets: AtomicU64,
    /// Probes under way, and one for the schedule while it adds more.
    open: AtomicU64,
}

const ENDED: &str = "the run was ended before all of it was asked";

/// Addresses of one name that are asked. A name may have thousands: the one who runs its zone
/// decides that, and could send us anywhere.
const MOST_ADDRESSES: usize = 16;

/// Addresses passed over before others get a turn on the processor.
const STRIDE: u32 = 1024;

/// Asks every target of the scope.
///
/// # Errors
///
/// When nobody takes observations any more.
pub(super) async fn run(cx: &Context, out: Sink) -> Result<(), CollectError> {
    let scope = &cx.tls;
    let round = Arc::new(Round {
        cx: cx.clone(),
        out,
        exclusions: Exclusions::of(&scope.exclude),
        limits: Limits {
            connect: Duration::from_secs(scope.connect_timeout_secs),
            whole: Duration::from_secs(scope.deadline_secs),
        },
        pace: Pace::per_second(scope.connections_per_sec),
    });
    let mut flight = Flight { tasks: JoinSet::new(), most: scope.concurrency.max(1) };
    for target in &scope.targets {
        let line = Arc::new(Line::new(target));
        if !cx.is_cancelled() {
            round.start(&line, &mut flight).await?;
        }
        if cx.is_cancelled() {
            let place = Place::Scope(line.target.to_string());
            round.missed(&line, place, GapReason::LimitReached, ENDED.to_owned()).await?;
        }
        round.release(&line).await?;
    }
    while flight.land().await? {}
    Ok(())
}

/// Probes under way. Dropping it ends them.
struct Flight {
    tasks: JoinSet<Result<(), CollectError>>,
    most: usize,
}

impl Flight {
    /// Starts a probe as soon as there is room.
    async fn launch(
        &mut self,
        probe: impl Future<Output = Result<(), CollectError>> + Send + 'static,
    ) -> Result<(), CollectError> {
        while self.tasks.len() >= self.most {
            self.land().await?;
        }
        self.tasks.spawn(probe);
        Ok(())
    }

    /// Waits for one probe to end; false when there is none.
    async fn land(&mut self) -> Result<bool, CollectError> {
        match self.tasks.join_next().await {
            None => Ok(false),
            Some(Ok(result)) => result.map(|()| true),
            Some(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Nobody else aborts the tasks.
                Err(_) => Err(CollectError::SinkClosed),
            },
        }
    }
}

impl Round {
    /// Starts all probes of a line. Networks are gone through address by address: their size costs
    /// time and no memory.
    async fn start(
        self: &Arc<Self>,
        line: &Arc<Line>,
        flight: &mut Flight,
    ) -> Result<(), CollectError> {
        match &line.target.hosts {
            Hosts::Name(name) if self.exclusions.name(name) => Ok(()),
            Hosts::Name(name) => {
                line.open.fetch_add(1, Ordering::Relaxed);
                let (round, line, name) = (Arc::clone(self), Arc::clone(line), name.clone());
                flight.launch(async move { round.ask_name(&line, &name).await }).await
            }
            Hosts::Address(address) => self.start_address(line, *address, flight).await,
            Hosts::Network(network) if self.exclusions.network(network) => Ok(()),
            Hosts::Network(network) => {
                for (address, count) in network.hosts().zip((1..=STRIDE).cycle()) {
                    if self.cx.is_cancelled() {
                        break;
                    }
                    if count == STRIDE {
                        tokio::task::yield_now().await;
                    }
                    self.start_address(line, address, flight).await?;
                }
                Ok(())
            }
        }
    }

    async fn start_address(
        self: &Arc<Self>,
        line: &Arc<Line>,
        address: IpAddr,
        flight: &mut Flight,
    ) -> Result<(), CollectError> {
        if self.exclusions.address(address) {
            return Ok(());
        }
        for &port in &line.target.ports {
            if self.cx.is_cancelled() {
                break;
            }
            line.open.fetch_add(1, Ordering::Relaxed);
            let (round, line, address) =
                (Arc::clone(self), Arc::clone(line), SocketAddr::new(address, port));
            let probe = async move {
                round.ask(&line, address, None, Duration::ZERO).await?;
                round.release(&line).await
            };
            flight.launch(probe).await?;
        }
        Ok(())
    }

    /// Looks a name up once and asks every address behind it, one after the other: they are often
    /// one machine.
    async fn ask_name(&self, line: &Line, name: &str) -> Result<(), CollectError> {
        let start = Instant::now();
        let found = timeout(self.limits.whole, tokio::net::lookup_host((name, 0))).await;
        let spent = start.elapsed();
        let addresses = match found {
            Ok(Ok(addresses)) => {
                let (addresses, left_out) =
                    choose(addresses.map(|address| address.ip()), &self.exclusions);
                if left_out > 0 {
                    let detail = format!(
                        "the name has {left_out} more addresses; the first {MOST_ADDRESSES} were asked"
                    );
                    let place = Place::Scope(line.target.to_string());
                    self.missed(line, place, GapReason::LimitReached, detail).await?;
                }
                addresses
            }
            Ok(Err(error)) => {
                let detail = format!(
                    "no address for this name: {error}; check its spelling and the resolver"
                );
                self.unresolved(line, name, GapReason::NameNotResolved, &detail).await?;
                Vec::new()
            }
            Err(_) => {
                let detail =
                    format!("the name was not looked up within {} s", self.limits.whole.as_secs());
                self.unresolved(line, name, GapReason::TimedOut, &detail).await?;
                Vec::new()
            }
        };
        for address in addresses {
            for &port in &line.target.ports {
                self.ask(line, SocketAddr::new(address, port), Some(name), spent).await?;
            }
        }
        self.release(line).await
    }

    async fn unresolved(
        &self,
        line: &Line,
        name: &str,
        reason: GapReason,
        detail: &str,
    ) -> Result<(), CollectError> {
        for &port in &line.target.ports {
            let (host, server_name) = (name.to_owned(), Some(name.to_owned()));
            let place = Place::Tls { host, port, server_name };
            self.missed(line, place, reason, detail.to_owned()).await?;
        }
        Ok(())
    }

    async fn ask(
        &self,
        line: &Line,
        address: SocketAddr,
        name: Option<&str>,
        spent: Duration,
    ) -> Result<(), CollectError> {
        let place = Place::tls(address, name);
        self.cx.progress.ask(1);
        let cancelled = &self.cx.cancelled;
        let reply = probe::ask(address, name, self.limits, spent, &self.pace, cancelled).await;
        self.cx.progress.finish(1);
        let Some(reply) = reply else {
            line.not_read.fetch_add(1, Ordering::Relaxed);
            return self.gap(place, GapReason::LimitReached, ENDED.to_owned()).await;
        };
        line.octets.fetch_add(reply.octets, Ordering::Relaxed);
        let now = self.cx.now();
        let (handshake, chain) = match reply.answer {
            Answer::Endpoint(handshake, chain) => (handshake, chain),
            Answer::Gap(reason, detail) => {
                // Nothing was promised to be at every address of a network: a refused port there
                // was looked at and holds nothing.
                let empty = reason == GapReason::Refused && !line.explicit;
                let count = if empty { &line.read } else { &line.not_read };
                count.fetch_add(1, Ordering::Relaxed);
                return self.gap(place, reason, detail).await;
            }
        };
        line.read.fetch_add(1, Ordering::Relaxed);
        for (der, position) in chain.into_iter().zip(0..) {
            let mut sighting = Sighting::at(place.clone(), NAME, now);
            sighting.circumstances.chain_position = Some(position);
            self.out.send(Observation::found(Raw::Certificate(der), sighting)).await?;
        }
        let endpoint = Endpoint { observed: now, handshake };
        let sighting = Sighting::at(place, NAME, now);
        self.out.send(Observation::found(Raw::Endpoint(endpoint), sighting)).await
    }

    /// Reports a place that was never asked, and counts it.
    async fn missed(
        &self,
        line: &Line,
        place: Place,
        reason: GapReason,
        detail: String,
    ) -> Result<(), CollectError> {
        self.cx.progress.ask(1);
        self.cx.progress.finish(1);
        line.not_read.fetch_add(1, Ordering::Relaxed);
        self.gap(place, reason, detail).await
    }

    async fn gap(
        &self,
        place: Place,
        reason: GapReason,
        detail: String,
    ) -> Result<(), CollectError> {
        let now = self.cx.now();
        let collector = NAME.to_owned();
        let gap = Gap { place, collector, reason, detail, first_seen: now, last_seen: now };
        self.out.send(Observation::Missed(gap)).await
    }

    /// Gives up one share of a line; the last one reports it.
    async fn release(&self, line: &Line) -> Result<(), CollectError> {
        if line.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(());
        }
        let count = |count: &AtomicU64| count.load(Ordering::Acquire);
        let (read, not_read) = (count(&line.read), count(&line.not_read));
        let coverage = Coverage {
            finished: self.cx.now(),
            asked: read + not_read,
            read,
            not_read,
            octets: count(&line.octets),
        };
        let (collector, scope) = (NAME.to_owned(), line.target.to_string());
        self.out.send(Observation::Covered { collector, scope, coverage }).await
    }
}

/// The addresses of a name that are asked, the same ones every time, and how many are not.
fn choose(
    addresses: impl Iterator<Item = IpAddr>,
    exclusions: &Exclusions,
) -> (Vec<IpAddr>, usize) {
    let mut all: Vec<IpAddr> = addresses.filter(|address| !exclusions.address(*address)).collect();
    all.sort_unstable();
    all.dedup();
    let left_out = all.len().saturating_sub(MOST_ADDRESSES);
    all.truncate(MOST_ADDRESSES);
    (all, left_out)
}

impl Line {
    fn new(target: &Target) -> Self {
        Self {
            target: target.clone(),
            explicit: !matches!(target.hosts, Hosts::Network(_)),
            read: AtomicU64::new(0),
            not_read: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            open: AtomicU64::new(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_with_many_addresses_the_first_few_are_asked() {
        let exclusions = Exclusions::of(&["192.0.2.0".parse().expect("a target")]);
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        for (found, asked, left_out) in
            [(0..1, 0, 0), (0..17, 16, 0), (0..18, 16, 1), (0..200, 16, 183)]
        {
            // Resolvers give them in any order, and some twice.
            let twice = found.clone().rev().chain(found).map(address);
            let (chosen, more) = choose(twice, &exclusions);
            assert_eq!((chosen.len(), more), (asked, left_out));
            assert!(chosen.iter().copied().eq((1..=16).map(address).take(asked)));
        }
    }
}
