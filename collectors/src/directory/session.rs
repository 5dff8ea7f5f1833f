//! One directory while it is being read: its servers, the connection, what is left of time and
//! entries, and what has to be said about it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pki_config::{Bind, DirectoryServer, Transport};
use pki_inventory::{Coverage, Gap, GapReason, Observation, Place, Raw, Sighting, Time};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::NAME;
use super::addresses::Target;
use super::answers::{self, Asked, Refusal};
use super::connection::{Connection, Manner, Shown, permitted};
use super::lines::{Line, Lines, Way};
use super::people::Limits;
use super::ranges;
use super::tries::Account;
use super::trust::Trust;
use crate::{CollectError, Context, Sink};

/// Gaps of one scope that are named.
const MOST_GAPS: usize = 10_000;

/// How often it is looked whether the run is to end.
const LOOK: Duration = Duration::from_millis(200);

/// What ends reading, of a search or of more.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody takes observations any more.
    Closed(CollectError),
    /// The run is to end.
    Ended,
    /// The time of the whole server is over.
    Late,
    /// This was not read; something else may be.
    Missed(GapReason, String),
    /// The connection broke, which may be tried once more.
    Broken(String),
}

/// A directory that is being read.
pub(super) struct Session<'a> {
    pub(super) cx: &'a Context,
    pub(super) out: &'a Sink,
    pub(super) server: &'a DirectoryServer,
    password: Option<&'a Zeroizing<String>>,
    /// Whose password that is, shared with every server that has the same.
    account: Option<Arc<Account>>,
    trust: Option<Trust>,
    /// The servers of the directory in their order.
    targets: Vec<Target>,
    /// Where the search is that is at work.
    way: Way,
    lines: Lines,
    deadline: Instant,
    /// Entries that may still be read.
    pub(super) left: u64,
    /// The directory's own servers refused the credentials: they are not sent again.
    refused: Option<Refusal>,
    /// Another server did, which says nothing about our own.
    refused_elsewhere: Option<Refusal>,
    /// Who took them: other servers, or the directory's own (`None`).
    accepted: Vec<Option<Target>>,
    /// Values that may still be fetched of attributes that came in part.
    pub(super) values_left: u64,
    /// What was not read of accounts and groups.
    pub(super) limits: Limits,
    /// What else was not read of the directory as a whole.
    pub(super) notes: Vec<String>,
    /// Whose certificates are reported already.
    shown: Vec<Place>,
}

/// What was read of a scope.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) read: u64,
    pub(super) octets: u64,
    more: u64,
    gaps: BTreeMap<(Place, GapReason), String>,
}

impl From<CollectError> for Trouble {
    fn from(error: CollectError) -> Self {
        Self::Closed(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Missed(refusal.reason, refusal.detail)
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(
        cx: &'a Context,
        out: &'a Sink,
        server: &'a DirectoryServer,
        password: Option<&'a Zeroizing<String>>,
        account: Option<Arc<Account>>,
    ) -> Self {
        Self {
            cx,
            out,
            server,
            password,
            account,
            trust: None,
            targets: Vec::new(),
            way: Way { line: Line::Pages, elsewhere: None },
            lines: Lines::default(),
            deadline: Instant::now() + Duration::from_secs(server.deadline_secs),
            left: server.max_entries,
            refused: None,
            refused_elsewhere: None,
            accepted: Vec::new(),
            values_left: ranges::MOST_IN_ALL,
            limits: Limits::default(),
            notes: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// The time for each answer.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.server.timeout_secs)
    }

    /// Whether this is one of the directory's own servers: another port may be somebody else's.
    pub(super) fn is_own(&self, other: &Target) -> bool {
        let is_it =
            |own: &Target| own.port == other.port && own.host.eq_ignore_ascii_case(&other.host);
        self.targets.iter().any(is_it)
    }

    /// Goes to where a search is: several are under way at a time, one between the pages of another.
    pub(super) fn turn_to(&mut self, way: &Way) {
        if self.way != *way {
            self.way = way.clone();
        }
    }

    /// Which connection there is, from 1; 0 for none.
    pub(super) fn number(&self) -> u64 {
        self.lines.number(&self.way)
    }

    /// The connection there is.
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.lines.get(&self.way)
    }

    /// Gives the connection up.
    pub(super) fn close(&mut self) {
        self.lines.close(&self.way);
    }

    /// Why the connection broke.
    pub(super) fn broken(&self) -> String {
        let said = self.connection().and_then(|connection| connection.broken(self.secret()));
        said.unwrap_or_else(|| "the connection broke".to_owned())
    }

    /// What no sentence may repeat.
    fn secret(&self) -> Option<&str> {
        self.password.map(|password| password.as_str())
    }

    /// Words of the server, for people.
    pub(super) fn quoted(&self, said: &str) -> String {
        answers::quoted(said, self.secret())
    }

    /// What stands for words that hold the password; `None` where they do not.
    pub(super) fn left_out(&self, said: &str) -> Option<&'static str> {
        answers::left_out(said, self.secret())
    }

    /// What the code of a search means.
    pub(super) fn meaning(&self, code: u32, said: &str) -> (GapReason, String) {
        let asked = match self.server.bind {
            Bind::Anonymous => Asked::SearchAsNobody,
            _ => Asked::Search,
        };
        answers::meaning(asked, code, said, self.secret())
    }

    /// Whether a referral led to a server that is none of the directory's own.
    fn is_elsewhere(&self) -> bool {
        self.way.elsewhere.as_ref().is_some_and(|(target, _)| !self.is_own(target))
    }

    /// The seconds until the time of this server is over.
    pub(super) fn seconds_left(&self) -> u64 {
        self.deadline.saturating_duration_since(Instant::now()).as_secs()
    }

    /// A connection that is bound: the one there is, or a new one.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(super) async fn connected(&mut self) -> Result<&Connection, Trouble> {
        if self.connection().is_none() {
            let connection = self.connect().await?;
            self.lines.add(self.way.clone(), connection);
        }
        Ok(self.connection().expect("there is one since the lines above"))
    }

    async fn connect(&mut self) -> Result<Connection, Trouble> {
        // An account that its own server refused is not tried elsewhere either: wrong tries add up.
        let elsewhere = self.refused_elsewhere.as_ref().filter(|_| self.is_elsewhere());
        if let Some(refusal) = self.refused.as_ref().or(elsewhere) {
            return Err(refusal.clone().into());
        }
        let transport = self.way.elsewhere.as_ref().map_or(self.server.transport, |(_, how)| *how);
        permitted(&self.server.bind, transport)?;
        if transport != Transport::Plain && self.trust.is_none() {
            self.trust = Some(Trust::of(self.server)?);
        }
        if self.targets.is_empty() {
            self.targets = self.wait(super::addresses::of(self.server)).await??;
        }
        let targets = match &self.way.elsewhere {
            Some((target, _)) => vec![target.clone()],
            None => self.targets.clone(),
        };
        let mut last = Refusal::passing(GapReason::NameNotResolved, "there is no server to ask");
        for target in &targets {
            let (result, shown) = self.try_one(target, transport).await;
            self.report_shown(shown).await?;
            match result? {
                Ok(connection) => return Ok(connection),
                Err(refusal) if refusal.another => last = refusal,
                Err(refusal) => {
                    last = refusal;
                    break;
                }
            }
        }
        Err(last.into())
    }

    async fn try_one(
        &mut self,
        target: &Target,
        transport: Transport,
    ) -> (Result<Result<Connection, Refusal>, Trouble>, Vec<Shown>) {
        let mut shown = Vec::new();
        let manner = Manner {
            transport,
            bind: &self.server.bind,
            password: self.password,
            trust: self.trust.as_ref(),
            timeout: self.timeout(),
        };
        // Each step has its own timeout; here only the end of the run and of all time is waited for.
        let opened =
            self.wait_until(self.deadline, Connection::open(target, &manner, &mut shown)).await;
        let mut connection = match opened {
            Ok(Ok(connection)) => connection,
            Ok(Err(refusal)) => return (Ok(Err(refusal)), shown),
            Err(trouble) => return (Err(trouble), shown),
        };
        let is_elsewhere = self.is_elsewhere();
        let at = is_elsewhere.then(|| target.clone());
        // Whoever took the password is not asked whether somebody else refused it.
        let is_accepted = self.accepted.contains(&at);
        let bound = async {
            let mut told = match &self.account {
                Some(account) => Some(account.turn().await),
                None => None,
            };
            let before = told.as_ref().filter(|_| !is_accepted);
            if let Some(refusal) = before.and_then(|told| told.refusal(is_elsewhere)) {
                return Err(refusal);
            }
            let bound = connection.bind(target, &manner).await;
            if let (Some(told), Err(refusal)) = (&mut told, &bound)
                && refusal.is_of_account
            {
                told.refused(target.host.clone(), is_elsewhere);
            }
            bound
        };
        match self.wait_until(self.deadline, bound).await {
            Ok(Ok(())) => {
                if !is_accepted {
                    self.accepted.push(at);
                }
                (Ok(Ok(connection)), shown)
            }
            Ok(Err(refusal)) => {
                if is_elsewhere {
                    self.refused_elsewhere = Some(refusal.clone());
                } else {
                    self.refused = Some(refusal.clone());
                }
                (Ok(Err(refusal)), shown)
            }
            Err(trouble) => (Err(trouble), shown),
        }
    }

    /// Hands in the certificates that servers showed, each once.
    async fn report_shown(&mut self, shown: Vec<Shown>) -> Result<(), CollectError> {
        let now = self.cx.now();
        for Shown { place, chain } in shown {
            if self.shown.contains(&place) {
                continue;
            }
            let found = chain.into_iter().zip(0..).map(|(octets, position)| {
                let mut sighting = Sighting::at(place.clone(), NAME, now);
                sighting.circumstances.chain_position = Some(position);
                Observation::found(Raw::Certificate(octets), sighting)
            });
            self.out.send_together(found.collect()).await?;
            self.shown.push(place);
        }
        Ok(())
    }

    /// Waits for an answer, and no longer than it may take.
    ///
    /// # Errors
    ///
    /// When it did not come in time, or the run is to end.
    pub(super) async fn wait<T>(&self, answer: impl Future<Output = T>) -> Result<T, Trouble> {
        self.wait_until(Instant::now() + self.timeout(), answer).await
    }

    async fn wait_until<T>(
        &self,
        limit: Instant,
        answer: impl Future<Output = T>,
    ) -> Result<T, Trouble> {
        let limit = limit.min(self.deadline);
        let mut answer = std::pin::pin!(answer);
        loop {
            let until = limit.min(Instant::now() + LOOK);
            if let Ok(answer) = tokio::time::timeout_at(until, &mut answer).await {
                return Ok(answer);
            }
            self.may_go_on()?;
            if Instant::now() >= limit {
                let seconds = self.server.timeout_secs;
                return Err(Trouble::Missed(
                    GapReason::TimedOut,
                    format!("the server did not answer within {seconds} seconds (`timeout_secs`)"),
                ));
            }
        }
    }

    /// Looks whether the run and the time of this server go on.
    ///
    /// # Errors
    ///
    /// When they do not.
    pub(super) fn may_go_on(&self) -> Result<(), Trouble> {
        if self.cx.is_cancelled() {
            return Err(Trouble::Ended);
        }
        if Instant::now() >= self.deadline { Err(Trouble::Late) } else { Ok(()) }
    }

    /// An entry of this directory.
    pub(super) fn place(&self, dn: &str) -> Place {
        Place::directory(&self.server.name(), dn)
    }

    /// Files what kept a scope from being read as a whole. What ends more than the scope is handed
    /// back.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more, or the run or the time of this server ended.
    pub(super) fn file(
        &self,
        tally: &mut Tally,
        place: Place,
        trouble: Trouble,
    ) -> Result<(), Trouble> {
        match trouble {
            Trouble::Missed(reason, detail) => tally.gap(place, reason, detail),
            Trouble::Broken(detail) => tally.gap(place, GapReason::ReadFailed, detail),
            Trouble::Late => {
                tally.gap(
                    place,
                    GapReason::LimitReached,
                    format!(
                        "the {} seconds for this directory were over (`deadline_secs`); what came \
                         before is in the inventory",
                        self.server.deadline_secs
                    ),
                );
                return Err(Trouble::Late);
            }
            Trouble::Ended => {
                let detail = "the run was ended while this was read".to_owned();
                tally.gap(place, GapReason::RunEnded, detail);
                return Err(Trouble::Ended);
            }
            Trouble::Closed(error) => return Err(Trouble::Closed(error)),
        }
        Ok(())
    }

    /// Hands in the gaps of a scope and how much of it was read.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub(super) async fn cover(&self, base: &str, tally: Tally) -> Result<(), CollectError> {
        let scope = format!("ldap://{}/{base}", self.server.name());
        cover(self.cx, scope, tally).send(self.out).await
    }
}

/// What is said at the end of a scope.
pub(super) struct Covered(Vec<Observation>);

/// The gaps and the coverage of a scope.
pub(super) fn cover(cx: &Context, scope: String, tally: Tally) -> Covered {
    let now = cx.now();
    let not_read = tally.gaps.len() as u64 + u64::from(tally.more > 0);
    let gaps =
        tally.gaps.into_iter().map(|((place, reason), detail)| gap(place, reason, detail, now));
    let mut all: Vec<Observation> = gaps.map(Observation::Missed).collect();
    if tally.more > 0 {
        let detail = format!("{} more places that were not read", tally.more);
        all.push(Observation::Missed(gap(
            Place::Scope(scope.clone()),
            GapReason::LimitReached,
            detail,
            now,
        )));
    }
    cx.progress.ask(not_read);
    cx.progress.finish(not_read);
    let coverage = Coverage {
        finished: now,
        asked: tally.read + not_read,
        read: tally.read,
        not_read,
        octets: tally.octets,
        unchanged: 0,
    };
    all.push(Observation::Covered { collector: NAME.to_owned(), scope, coverage });
    Covered(all)
}

impl Covered {
    /// Hands it in.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub(super) async fn send(self, out: &Sink) -> Result<(), CollectError> {
        out.send_together(self.0).await
    }

    /// Hands it in from a thread of its own.
    ///
    /// # Errors
    ///
    /// When nobody takes observations any more.
    pub(super) fn send_blocking(self, out: &Sink) -> Result<(), CollectError> {
        self.0.into_iter().try_for_each(|observation| out.send_blocking(observation))
    }
}

impl Tally {
    /// Whether nothing was missed so far.
    pub(super) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    /// One of the sentences.
    pub(super) fn first(&self) -> Option<(GapReason, &str)> {
        self.gaps.iter().next().map(|((_, reason), detail)| (*reason, detail.as_str()))
    }

    /// Notes what was not read; a place has one sentence for each reason.
    pub(super) fn gap(&mut self, place: Place, reason: GapReason, detail: String) {
        let full = self.gaps.len() >= MOST_GAPS;
        match self.gaps.entry((place, reason)) {
            Entry::Occupied(mut said) => {
                let said = said.get_mut();
                if said.len() < 1024 && !said.contains(&detail) {
                    said.push_str("; ");
                    said.push_str(&detail);
                }
            }
            // A server may make each of a million entries one.
            Entry::Vacant(_) if full => self.more += 1,
            Entry::Vacant(empty) => {
                empty.insert(detail);
            }
        }
    }
}

fn gap(place: Place, reason: GapReason, detail: String, now: Time) -> Gap {
    Gap { place, collector: NAME.to_owned(), reason, detail, first_seen: now, last_seen: now }
}
