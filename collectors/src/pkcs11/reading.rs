//! The conversation about one module: what it has, what is to be read, what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use pki_inventory::{Coverage, Digest, GapReason, Login, Observation, Place, Raw, Sighting, Token};
use pki_tokens::Objects;
use pki_tokens::attributes::class_name;
use pki_tokens::wire::{LoginOrder, Message, Order, SlotAnswer};
use tokio::time::{Instant, timeout};

use super::child::{Broken, Process};
use super::failures::Failures;
use super::logins::{Decision, Logins, flag};
use super::modules::Module;
use super::seats::{self, Seat};
use super::{NAME, missed};
use crate::{CollectError, Context, Sink};

/// `CKR_OK` (PKCS #11 v3.1, 5.1).
const OK: u64 = 0;
/// `CKR_USER_ALREADY_LOGGED_IN`: the module kept the login of another session.
const USER_ALREADY_LOGGED_IN: u64 = 0x100;
/// How often a module is loaded anew after it broke, to read the tokens behind the one it broke at.
const MOST_STARTS: usize = 4;
/// Octets of answers that are gathered of one token, and of all that a module says of its slots.
const MOST_OCTETS: u64 = 256 << 20;
const MOST_OF_SLOTS: u64 = 16 << 20;
/// How long it may take until somebody has noted that a login is about to be tried.
const NOTING: Duration = Duration::from_secs(60);

/// One module, as it is read.
pub(super) struct Reading<'a> {
    cx: &'a Context,
    out: Sink,
    module: Module,
    process: Option<Process>,
    /// Time that it took so far.
    spent: Duration,
    library: Option<Message>,
    seats: Vec<Seat>,
    /// Whether it told its slots.
    is_listed: bool,
    /// Whether it told all of them.
    is_all_known: bool,
    /// Tokens that are done with, or at which the module broke.
    done: BTreeSet<Place>,
    tally: Tally,
}

/// What was asked for and what came of it.
#[derive(Debug, Default)]
struct Tally {
    asked: u64,
    read: u64,
    not_read: u64,
    octets: u64,
}

/// What came of one token.
struct Outcome {
    objects: Objects,
    counts: Vec<(u64, u64)>,
    login: Login,
    /// Why not all of it was read.
    gaps: Vec<(GapReason, String)>,
}

/// Why a module is not read further.
enum Stop {
    /// Its process broke.
    Broken(Broken),
    /// Nobody takes what was read.
    Closed(CollectError),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<CollectError> for Stop {
    fn from(error: CollectError) -> Self {
        Self::Closed(error)
    }
}

impl<'a> Reading<'a> {
    /// A module of which nothing is known yet.
    pub(super) fn of(cx: &'a Context, out: Sink, module: Module) -> Self {
        Self {
            cx,
            out,
            module,
            process: None,
            spent: Duration::ZERO,
            library: None,
            seats: Vec::new(),
            is_listed: false,
            is_all_known: false,
            done: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// Loads the module and hears what it has. The process is kept until it is read.
    pub(super) async fn list(&mut self) -> Result<(), CollectError> {
        let begun = Instant::now();
        let listed = self.load().await;
        self.spent += begun.elapsed();
        match listed {
            Ok(()) => Ok(()),
            Err(Stop::Closed(error)) => Err(error),
            Err(Stop::Broken(broken)) => self.gap(broken).await,
        }
    }

    /// Its tokens.
    pub(super) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// Whether all that it has is known.
    pub(super) fn is_all_known(&self) -> bool {
        self.is_all_known
    }

    /// Reads all tokens that are to be read. A module that breaks is loaded anew for those behind the
    /// one it broke at.
    pub(super) async fn read(&mut self, logins: &mut Logins<'_>) -> Result<(), CollectError> {
        for _ in 0..MOST_STARTS {
            if !self.is_listed || (self.process.is_none() && self.rest(logins) == 0) {
                break;
            }
            let begun = Instant::now();
            let before = self.done.len();
            let ended = self.converse(logins).await;
            self.spent += begun.elapsed();
            self.let_go(ended.is_ok()).await;
            match ended {
                Ok(()) => break,
                Err(Stop::Closed(error)) => return Err(error),
                // At a token its gap is told already; another start reads those behind it.
                Err(Stop::Broken(broken)) => {
                    let is_over = matches!(broken, Broken::Late(_) | Broken::Cancelled);
                    let at_token = self.done.len() > before;
                    if !at_token || (is_over && self.rest(logins) > 0) {
                        return self.gap(broken).await;
                    }
                }
            }
        }
        self.let_go(true).await;
        if self.is_listed && self.rest(logins) > 0 {
            let detail = format!(
                "it broke at each of {MOST_STARTS} tokens; what comes behind them was not read"
            );
            self.tally.asked += 1;
            self.tally.not_read += 1;
            let gap = missed(self.cx, self.module.place(), GapReason::ModuleFailed, detail);
            self.out.send(gap).await?;
        }
        Ok(())
    }

    /// How many tokens are still to be read.
    fn rest(&self, logins: &mut Logins<'_>) -> usize {
        let mut count = 0;
        for seat in &self.seats {
            let open = !self.done.contains(&seat.place) && logins.is_chosen(&seat.description);
            count += usize::from(open);
        }
        count
    }

    /// Says how much of it was read.
    pub(super) async fn cover(self) -> Result<(), CollectError> {
        let coverage = Coverage {
            finished: self.cx.now(),
            asked: self.tally.asked,
            read: self.tally.read,
            not_read: self.tally.not_read,
            octets: self.tally.octets,
            unchanged: 0,
        };
        let scope = self.module.path.display().to_string();
        let covered = Observation::Covered { collector: NAME.to_owned(), scope, coverage };
        self.out.send(covered).await
    }

    async fn let_go(&mut self, in_peace: bool) {
        if let Some(process) = self.process.take() {
            self.tally.octets += process.octets;
            match in_peace {
                true => process.part().await,
                false => process.kill().await,
            }
        }
    }

    /// When it has to be done.
    fn deadline(&self) -> Instant {
        let all = Duration::from_secs(self.cx.pkcs11.deadline_secs);
        Instant::now() + all.saturating_sub(self.spent)
    }

    /// Starts the process and hears what the module has.
    async fn load(&mut self) -> Result<(), Stop> {
        let cx = self.cx;
        if cx.is_cancelled() {
            return Err(Broken::Cancelled.into());
        }
        let process = self.process.insert(Process::start(cx, self.deadline())?);
        let start = Order::Start {
            module: self.module.path.to_string_lossy().into_owned(),
            parameters: self.module.parameters.clone(),
            memory_mib: cx.pkcs11.memory_mib,
        };
        process.order(&start).await?;
        let mut slots: Vec<SlotAnswer> = Vec::new();
        let mut failures = Failures::default();
        loop {
            match process.answer(cx).await? {
                answer @ Message::Library { .. } => self.library = Some(answer),
                Message::Slot(slot) => slots.push(*slot),
                Message::SlotsEnd => break,
                Message::Failed { slot, call, returned, detail } => {
                    failures.add(slot, &call, returned, &detail);
                }
                other => return Err(unexpected(&other)),
            }
            if process.octets > MOST_OF_SLOTS {
                let detail = format!(
                    "what it says of its slots takes more than {} MiB",
                    MOST_OF_SLOTS >> 20
                );
                return Err(Broken::Garbage(detail).into());
            }
        }
        let nothing = self.library.is_none() && slots.is_empty();
        if nothing && failures.is_empty() {
            return Err(
                Broken::Garbage("it tells neither what it is nor what it has".into()).into()
            );
        }
        self.seats = seats::of(&self.module, self.library.as_ref(), slots);
        // The list of what there is counts as a place, or a module without a token would look unread.
        if !self.is_listed {
            self.is_listed = !nothing;
            self.is_all_known = failures.is_empty();
            self.tally.asked += 1;
            if failures.is_empty() {
                self.tally.read += 1;
            } else {
                self.tally.not_read += 1;
                let (place, detail) = (self.module.place(), failures.to_string());
                self.out.send(missed(cx, place, GapReason::ModuleFailed, detail)).await?;
            }
        }
        Ok(())
    }

    async fn converse(&mut self, logins: &mut Logins<'_>) -> Result<(), Stop> {
        match self.process.is_some() {
            true => {
                let deadline = self.deadline();
                self.process().has_until(deadline);
            }
            false => self.load().await?,
        }
        let seats = std::mem::take(&mut self.seats);
        let mut ended = Ok(());
        for seat in &seats {
            if self.done.contains(&seat.place) || !logins.is_chosen(&seat.description) {
                continue;
            }
            if self.cx.is_cancelled() {
                ended = Err(Broken::Cancelled.into());
                break;
            }
            self.done.insert(seat.place.clone());
            self.tally.asked += 1;
            if logins.is_read(&seat.place) {
                tracing::debug!(place = %seat.place, "The token was read through another module.");
                self.tally.read += 1;
                continue;
            }
            ended = self.token(logins, seat).await;
            if ended.is_err() {
                break;
            }
        }
        self.seats = seats;
        ended?;
        // All is read: whatever the module does now costs nothing.
        let parted = match self.process().order(&Order::End).await {
            Ok(()) => {
                let cx = self.cx;
                self.process().answer(cx).await
            }
            Err(broken) => Err(broken),
        };
        let module = self.module.path.display();
        match parted {
            Ok(Message::End { calls }) => {
                tracing::debug!(%module, calls, "The module is done with.")
            }
            Ok(_) => tracing::debug!(%module, "The module did not say that it is done."),
            Err(broken) => {
                tracing::debug!(%module, %broken, "The module broke when it was let go.")
            }
        }
        Ok(())
    }

    fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("there is one while it is talked to")
    }

    /// Reads one token, and hands in what was read of it whatever happens.
    async fn token(&mut self, logins: &mut Logins<'_>, seat: &Seat) -> Result<(), Stop> {
        let mut outcome = Outcome {
            objects: Objects::of(seat.place.clone()),
            counts: Vec::new(),
            login: Login::NotRequired,
            gaps: Vec::new(),
        };
        let decision = logins.decide(&seat.place, &seat.description, seat.flags);
        let ended = self.objects(logins, seat, decision, &mut outcome).await;
        if let Err(Stop::Broken(broken)) = &ended {
            outcome.gaps.push((reason(broken), broken.to_string()));
        }
        if outcome.gaps.is_empty() || matches!(outcome.login, Login::Done | Login::Refused) {
            logins.read(&seat.place);
        }
        self.hand_in(seat, outcome).await?;
        ended
    }

    /// The order that a decision comes to. A login is noted for later runs before it is tried.
    async fn order_of(
        &self,
        decision: Decision,
        outcome: &mut Outcome,
    ) -> Result<Option<(LoginOrder, Option<Digest>)>, CollectError> {
        let (login, gap) = match decision {
            Decision::With { order, attempt } => {
                outcome.login = Login::NotTried;
                let Some(digest) = attempt else { return Ok(Some((order, None))) };
                self.out.send(Observation::LoginTried(digest)).await?;
                let is_noted = match &self.cx.noted_logins {
                    Some(noted) => timeout(NOTING, noted.wait_for(digest)).await.is_ok(),
                    None => true,
                };
                if is_noted {
                    return Ok(Some((order, attempt)));
                }
                let why = "that it is about to be tried could not be noted for later runs";
                (Login::NotTried, Some((GapReason::LoginRefused, private_unread(why))))
            }
            Decision::NotTried(why) => {
                (Login::NotTried, Some((GapReason::LoginRefused, private_unread(&why))))
            }
            Decision::Without(Login::NotConfigured) => {
                let detail = "its private objects were not to be seen without a login; \
                              `[[pkcs11.logins]]` takes where its PIN is";
                (Login::NotConfigured, Some((GapReason::LoginRequired, detail.to_owned())))
            }
            Decision::Without(login) => (login, None),
        };
        outcome.login = login;
        outcome.gaps.extend(gap);
        Ok(None)
    }

    async fn objects(
        &mut self,
        logins: &mut Logins<'_>,
        seat: &Seat,
        decision: Decision,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        let (order, attempt) = match self.order_of(decision, outcome).await? {
            Some((order, attempt)) => (Some(order), attempt),
            None => (None, None),
        };
        let (mut due, mut trying) = (order.is_some(), false);
        let (cx, number) = (self.cx, seat.slot.id);
        let max_objects = cx.pkcs11.max_objects;
        let process = self.process.as_mut().expect("there is one while it is talked to");
        let before = process.octets;
        let mut failures = Failures::default();
        let mut ended: Result<(), Broken> =
            process.order(&Order::Read { slot: number, login: order, max_objects }).await;
        while ended.is_ok() {
            let answer = match process.answer(cx).await {
                Ok(answer) => answer,
                Err(broken) => {
                    ended = Err(broken);
                    break;
                }
            };
            match answer {
                Message::Object(object) if object.slot == number => outcome.objects.add(*object),
                Message::LoginBegins { slot } if slot == number && due => {
                    (due, trying) = (false, true);
                }
                Message::Login { slot, returned } if slot == number && trying => {
                    trying = false;
                    match returned {
                        OK | USER_ALREADY_LOGGED_IN => {
                            outcome.login = Login::Done;
                            if let Some(attempt) = attempt {
                                self.out.send(Observation::LoginCleared(attempt)).await?;
                            }
                        }
                        other => {
                            refused(logins, seat, attempt, &pki_tokens::returned(other), outcome)
                        }
                    }
                }
                Message::Failed { slot, call, returned, detail } => {
                    failures.add(slot, &call, returned, &detail);
                }
                Message::ReadEnd { slot, counts, truncated } if slot == number => {
                    outcome.counts = counts;
                    if truncated {
                        let detail = format!(
                            "more than {max_objects} objects of a class; `max_objects` sets how many are \
                             read"
                        );
                        outcome.gaps.push((GapReason::LimitReached, detail));
                    }
                    break;
                }
                other => {
                    ended = Err(out_of_order(&other));
                    break;
                }
            }
            if process.octets - before > MOST_OCTETS {
                let detail = format!("its objects take more than {} MiB", MOST_OCTETS >> 20);
                ended = Err(Broken::Garbage(detail));
            }
        }
        if trying {
            // Whether it counted the attempt is not known, so it counts here.
            refused(logins, seat, attempt, "the module broke while it was tried", outcome);
        }
        if due {
            if let Some(attempt) = attempt {
                self.out.send(Observation::LoginCleared(attempt)).await?;
            }
            if ended.is_ok() {
                let detail = private_unread("the module did not get as far as the login");
                outcome.gaps.push((GapReason::LoginRefused, detail));
            }
        }
        // A token that is not initialised has nothing to read, and says so.
        let is_bare = seat.flags & flag::TOKEN_INITIALIZED == 0 && failures.is_unrecognised_token();
        if !failures.is_empty() && !is_bare {
            outcome.gaps.push((GapReason::ReadFailed, failures.to_string()));
        }
        ended.map_err(Stop::from)
    }

    async fn hand_in(&mut self, seat: &Seat, outcome: Outcome) -> Result<(), CollectError> {
        let path = self.module.path.display().to_string();
        let library = self.library.as_ref();
        if let Some(mut token) = pki_tokens::token(&path, library, &seat.slot, outcome.login) {
            describe(&mut token, &outcome);
            let seen = Sighting::at(seat.place.clone(), NAME, self.cx.now());
            self.out.send(Observation::found(Raw::Token(Box::new(token)), seen)).await?;
        }
        let mut found = Vec::new();
        // Whether certificates are all there is on a token can be told only where all was to be seen.
        let all_seen = outcome.gaps.is_empty();
        outcome.objects.finish(&mut |one| {
            if all_seen || !matches!(one.raw, Raw::Bundle(_)) {
                found.push(one);
            }
        });
        for one in found {
            let mut seen = Sighting::at(one.place, NAME, self.cx.now());
            seen.circumstances = one.circumstances;
            self.out.send(Observation::found(one.raw, seen)).await?;
        }
        match outcome.gaps.is_empty() {
            true => self.tally.read += 1,
            false => self.tally.not_read += 1,
        }
        for (reason, detail) in outcome.gaps {
            self.out.send(missed(self.cx, seat.place.clone(), reason, detail)).await?;
        }
        Ok(())
    }

    /// A gap for all of the module.
    async fn gap(&mut self, broken: Broken) -> Result<(), CollectError> {
        self.let_go(false).await;
        self.tally.asked += 1;
        self.tally.not_read += 1;
        let gap = missed(self.cx, self.module.place(), reason(&broken), broken.to_string());
        self.out.send(gap).await
    }
}

/// A login that did not come about: not again with this configuration.
fn refused(
    logins: &mut Logins<'_>,
    seat: &Seat,
    attempt: Option<Digest>,
    how: &str,
    outcome: &mut Outcome,
) {
    logins.refused(&seat.place);
    outcome.login = Login::Refused;
    let again = match attempt {
        Some(_) => {
            "; it is not tried again until `attempt` of the login (`--pin-attempt`) is raised"
        }
        None => "",
    };
    let detail = format!("the login was refused ({how}), after one attempt{again}");
    outcome.gaps.push((GapReason::LoginRefused, detail));
}

fn private_unread(why: &str) -> String {
    format!("its private objects were not read: {why}")
}

fn describe(token: &mut Token, outcome: &Outcome) {
    let name = |class: u64| class_name(class).map_or_else(|| format!("{class:#x}"), str::to_owned);
    let counts = outcome.counts.iter().filter(|(_, count)| *count > 0);
    token.objects = counts.map(|(class, count)| (name(*class), *count)).collect();
    token.validations = outcome.objects.validations();
}

/// Why a place behind a broken process is a gap.
fn reason(broken: &Broken) -> GapReason {
    match broken {
        Broken::Silent(_) | Broken::Late(_) => GapReason::TimedOut,
        Broken::Cancelled => GapReason::RunEnded,
        Broken::NotStarted(_) | Broken::Ended(_) | Broken::Garbage(_) => GapReason::ModuleFailed,
    }
}

fn unexpected(message: &Message) -> Stop {
    out_of_order(message).into()
}

fn out_of_order(message: &Message) -> Broken {
    let told = format!("{message:?}");
    let told: String = told.chars().take(60).collect();
    Broken::Garbage(format!("{told} out of its order"))
}
