//! Goes through the places, never with more in flight than allowed, and keeps count.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pki_config::Hosts;
use pki_inventory::{Coverage, Gap, GapReason, Observation, Place, Raw, Sighting};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::NAME;
use super::caller::{Limits, Means, Tempers};
use super::certificate::most_connections;
use super::crowd::Crowd;
use super::exchange::Equipment;
use super::exclusions::Exclusions;
use super::feed::{Feed, Line, Step, Unit, units};
use super::pace::Pace;
use super::probe::{self, Question, Seen};
use crate::context::hash;
use crate::{CollectError, Context, Sink};

/// What all probes share.
struct Round {
    cx: Context,
    out: Sink,
    exclusions: Exclusions,
    equipment: Equipment,
    limits: Limits,
    pace: Pace,
    tempers: Tempers,
}

const ENDED: &str = "the run was ended before all of it was asked";

/// Addresses of one name that are asked. A name may have thousands: the one who runs its zone
/// decides that, and could send us anywhere.
const MOST_ADDRESSES: usize = 16;

/// Addresses passed over before others get a turn on the processor.
const STRIDE: u32 = 1024;

/// Looking up a name may take this long: a resolver that does not answer by then will not.
const LOOK_UP: Duration = Duration::from_secs(10);

/// What a task came to.
enum Landed {
    /// Nobody of this address is asked any more by this task.
    Asked(IpAddr),
    /// A name has these places.
    Found(Vec<Unit>),
}

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
        equipment: Equipment::new(),
        limits: Limits {
            connect: Duration::from_secs(scope.connect_timeout_secs),
            whole: scope.deadline(),
            retries: scope.retries,
            connections: most_connections(scope.depth, None, scope.retries),
        },
        pace: Pace::new(
            scope.connections_per_sec,
            scope.jitter_percent,
            scope.windows.clone(),
            Arc::clone(&cx.wall_clock),
        ),
        tempers: Tempers::default(),
    });
    let mut flight = Flight {
        round: Arc::clone(&round),
        tasks: JoinSet::new(),
        most: scope.concurrency.max(1),
        crowd: Crowd::new(scope.per_host, scope.per_network),
        admitted: VecDeque::new(),
        remembered: BTreeSet::new(),
    };
    let mut feed = Feed::new(scope, &round.exclusions);
    let mut passed = 0;
    while !cx.is_cancelled() {
        // More that waits for its host or network would only take memory.
        if flight.crowd.waiting() + flight.admitted.len() >= flight.most.max(1024) {
            flight.land().await?;
            flight.launch().await?;
            continue;
        }
        match feed.next() {
            None => break,
            Some(Step::Passed) => {
                passed += 1;
                if passed % STRIDE == 0 {
                    tokio::task::yield_now().await;
                }
            }
            Some(Step::Over(line)) => round.release(&line).await?,
            Some(Step::LookUp(line)) => flight.look_up(line).await?,
            Some(Step::Ask(unit)) => flight.ask(unit).await?,
        }
    }
    // With the run ended these are the lines that were not gone through; else there are none.
    for line in feed.abandon() {
        let place = Place::Scope(line.target.to_string());
        round.missed(&line, place, GapReason::RunEnded, ENDED.to_owned()).await?;
        round.release(&line).await?;
    }
    flight.finish().await
}

/// Probes under way. Dropping it ends them.
struct Flight {
    round: Arc<Round>,
    tasks: JoinSet<Result<Landed, CollectError>>,
    most: usize,
    crowd: Crowd<Unit>,
    /// May be asked as soon as there is room for one more.
    admitted: VecDeque<Unit>,
    /// Places of small lines, by their hash: lines may overlap, and nobody is asked twice.
    remembered: BTreeSet<u64>,
}

impl Flight {
    /// Asks a place, as soon as there is room, unless it was asked before.
    async fn ask(&mut self, unit: Unit) -> Result<(), CollectError> {
        unit.line.open.fetch_add(1, Ordering::Relaxed);
        self.admit(unit).await?;
        self.launch().await
    }

    /// Lets a place in that has its share of its line.
    async fn admit(&mut self, unit: Unit) -> Result<(), CollectError> {
        let place = unit.place();
        if unit.line.is_small() && !self.remembered.insert(hash(&place)) {
            return self.round.release(&unit.line).await;
        }
        if let Some(gap) = self.round.cx.done.outcome(&place) {
            self.round.cx.progress.ask(1);
            self.round.cx.progress.finish(1);
            unit.line.count(gap);
            return self.round.release(&unit.line).await;
        }
        if let Some(unit) = self.crowd.enter(unit.address.ip(), unit) {
            self.admitted.push_back(unit);
        }
        Ok(())
    }

    /// Starts what may be asked.
    async fn launch(&mut self) -> Result<(), CollectError> {
        while !self.admitted.is_empty() {
            while self.tasks.len() >= self.most {
                self.land().await?;
            }
            let Some(unit) = self.admitted.pop_front() else { break };
            let round = Arc::clone(&self.round);
            self.tasks.spawn(async move {
                let address = unit.address.ip();
                round.ask(&unit).await?;
                round.release(&unit.line).await?;
                Ok(Landed::Asked(address))
            });
        }
        Ok(())
    }

    async fn look_up(&mut self, line: Arc<Line>) -> Result<(), CollectError> {
        while self.tasks.len() >= self.most {
            self.land().await?;
            self.launch().await?;
        }
        let round = Arc::clone(&self.round);
        self.tasks.spawn(async move {
            let found = round.look_up(&line).await?;
            // Each has its own share of the line before this one is given up.
            line.open.fetch_add(found.len() as u64, Ordering::Relaxed);
            round.release(&line).await?;
            Ok(Landed::Found(found))
        });
        Ok(())
    }

    /// Waits for one task to end; false when there is none.
    async fn land(&mut self) -> Result<bool, CollectError> {
        let landed = match self.tasks.join_next().await {
            None => return Ok(false),
            Some(Ok(landed)) => landed?,
            Some(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Nobody else aborts the tasks.
                Err(_) => return Err(CollectError::SinkClosed),
            },
        };
        match landed {
            Landed::Asked(address) => self.admitted.extend(self.crowd.leave(address)),
            Landed::Found(found) => {
                for unit in found {
                    self.admit(unit).await?;
                }
            }
        }
        Ok(true)
    }

    /// Ends when everything that was begun has ended.
    async fn finish(mut self) -> Result<(), CollectError> {
        loop {
            if self.round.cx.is_cancelled() {
                let rest: Vec<Unit> = self.admitted.drain(..).chain(self.crowd.dismiss()).collect();
                for unit in rest {
                    let place = unit.place();
                    self.round
                        .missed(&unit.line, place, GapReason::RunEnded, ENDED.to_owned())
                        .await?;
                    self.round.release(&unit.line).await?;
                }
            }
            // One that lands may admit others.
            while self.tasks.len() < self.most && !self.round.cx.is_cancelled() {
                let before = self.admitted.len();
                if before == 0 {
                    break;
                }
                self.launch().await?;
            }
            if !self.land().await? && self.admitted.is_empty() {
                return Ok(());
            }
        }
    }
}

impl Round {
    /// Looks a name up once; every address behind it is asked.
    async fn look_up(&self, line: &Arc<Line>) -> Result<Vec<Unit>, CollectError> {
        let Hosts::Name(name) = &line.target.hosts else { return Ok(Vec::new()) };
        let start = Instant::now();
        let longest = self.limits.whole.min(LOOK_UP);
        let found = timeout(longest, tokio::net::lookup_host((name.as_str(), 0))).await;
        let spent = start.elapsed();
        match found {
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
                let (scope, exclusions) = (&self.cx.tls, &self.exclusions);
                return Ok(units(line, name, &addresses, spent, scope, exclusions));
            }
            Ok(Err(error)) => {
                let detail = format!(
                    "no address for this name: {error}; check its spelling and the resolver"
                );
                self.unresolved(line, name, GapReason::NameNotResolved, &detail).await?;
            }
            Err(_) => {
                let detail = format!("the name was not looked up within {} s", longest.as_secs());
                self.unresolved(line, name, GapReason::TimedOut, &detail).await?;
            }
        }
        Ok(Vec::new())
    }

    async fn unresolved(
        &self,
        line: &Line,
        name: &str,
        reason: GapReason,
        detail: &str,
    ) -> Result<(), CollectError> {
        for port in line.target.ports.iter() {
            let (host, server_name) = (name.to_owned(), Some(name.to_owned()));
            let starttls = line.opening(port).map(|protocol| protocol.name().to_owned());
            let place = Place::Tls { host, port, server_name, starttls };
            self.missed(line, place, reason, detail.to_owned()).await?;
        }
        Ok(())
    }

    async fn ask(&self, unit: &Unit) -> Result<(), CollectError> {
        let Unit { line, address, name, spent } = unit;
        let place = unit.place();
        self.cx.progress.ask(1);
        let question = Question {
            address: *address,
            name: name.as_deref(),
            opening: unit.opening(),
            spent: *spent,
            depth: self.cx.tls.depth,
        };
        let means = Means {
            equipment: &self.equipment,
            pace: &self.pace,
            tempers: &self.tempers,
            cancelled: &self.cx.cancelled,
            limits: Limits {
                connections: most_connections(
                    self.cx.tls.depth,
                    unit.opening(),
                    self.limits.retries,
                ),
                ..self.limits
            },
        };
        let reply = probe::ask(question, &means, || self.cx.now()).await;
        self.cx.progress.finish(1);
        let Some(reply) = reply else {
            line.count(Some(GapReason::RunEnded));
            return self.gap(place, GapReason::RunEnded, ENDED.to_owned()).await;
        };
        line.octets.fetch_add(reply.octets, Ordering::Relaxed);
        let Seen { endpoint, chains } = match reply.answer {
            Ok(seen) => seen,
            Err((reason, detail)) => {
                line.count(Some(reason));
                return self.gap(place, reason, detail).await;
            }
        };
        line.count(None);
        let mut seen = Vec::with_capacity(4);
        for (der, position) in chains.into_iter().flat_map(|chain| chain.into_iter().zip(0..)) {
            let mut sighting = Sighting::at(place.clone(), NAME, endpoint.observed);
            sighting.circumstances.chain_position = Some(position);
            seen.push(Observation::found(Raw::Certificate(der), sighting));
        }
        let sighting = Sighting::at(place.clone(), NAME, endpoint.observed);
        seen.push(Observation::found(Raw::Endpoint(endpoint), sighting));
        self.out.send_together(seen).await?;
        if reply.is_cut_off {
            // What was found is kept, and the place is asked again when the run goes on.
            return self.gap(place, GapReason::RunEnded, ENDED.to_owned()).await;
        }
        Ok(())
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
        line.count(Some(reason));
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
            unchanged: 0,
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
