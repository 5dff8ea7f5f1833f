//! The conversation about one module: what it has, what is to be read, what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use pki_config::TokenDescription;
use pki_inventory::{GapReason, Login, Observation, Place, Raw, Sighting, Token};
use pki_tokens::Objects;
use pki_tokens::attributes::class_name;
use pki_tokens::wire::{Message, Octets, Order, SlotAnswer, TokenAnswer};
use tokio::time::Instant;

use super::child::{Broken, Process};
use super::logins::{Decision, Logins, flag};
use super::modules::Module;
use super::{NAME, Tally, missed};
use crate::{CollectError, Context, Sink};

/// `CKR_OK` (PKCS #11 v3.1, 5.1).
const OK: u64 = 0;
/// `CKR_USER_ALREADY_LOGGED_IN`: the module kept the login of another session.
const USER_ALREADY_LOGGED_IN: u64 = 0x100;
/// How often a module is loaded anew after it broke, to read the tokens behind the one it broke at.
const MOST_STARTS: usize = 4;
/// Octets of answers that are gathered of one token.
const MOST_OCTETS: u64 = 256 << 20;
/// Failed calls that are told one by one.
const MOST_TOLD: usize = 4;

/// One module, as it is read.
struct Reading<'r, 'a> {
    cx: &'a Context,
    out: &'r Sink,
    module: &'r Module,
    logins: &'r mut Logins<'a>,
    tally: &'r mut Tally,
    /// Whether it told its slots.
    is_listed: bool,
    /// Tokens that are done with, or at which the module broke.
    done: BTreeSet<Place>,
}

/// A token in its slot.
struct Seat {
    slot: SlotAnswer,
    place: Place,
    description: TokenDescription,
    flags: u64,
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

/// Reads all tokens of a module that are to be read. A module that breaks is loaded anew for those behind
/// the one it broke at.
pub(super) async fn read<'a>(
    cx: &'a Context,
    out: &Sink,
    module: &Module,
    logins: &mut Logins<'a>,
    tally: &mut Tally,
) -> Result<(), CollectError> {
    let deadline = Instant::now() + Duration::from_secs(cx.pkcs11.deadline_secs);
    let mut reading =
        Reading { cx, out, module, logins, tally, is_listed: false, done: BTreeSet::new() };
    for _ in 0..MOST_STARTS {
        let before = reading.done.len();
        let mut process = match Process::start(cx, deadline) {
            Ok(process) => process,
            Err(broken) => return reading.gap(module.place(), broken).await,
        };
        let ended = reading.converse(&mut process).await;
        reading.tally.octets += process.octets;
        match ended {
            Ok(()) => {
                process.part().await;
                return Ok(());
            }
            Err(Stop::Closed(error)) => {
                process.kill().await;
                return Err(error);
            }
            Err(Stop::Broken(broken)) => {
                process.kill().await;
                // At a token its gap is told already; another start reads those behind it.
                if reading.done.len() == before {
                    return reading.gap(module.place(), broken).await;
                }
                if matches!(broken, Broken::Late(_) | Broken::Cancelled) {
                    return reading.gap(module.place(), broken).await;
                }
            }
        }
    }
    let detail =
        format!("it broke at each of {MOST_STARTS} tokens; what comes behind them was not read");
    reading.tally.asked += 1;
    reading.tally.not_read += 1;
    out.send(missed(cx, module.place(), GapReason::ModuleFailed, detail)).await
}

impl Reading<'_, '_> {
    async fn converse(&mut self, process: &mut Process) -> Result<(), Stop> {
        let cx = self.cx;
        let start = Order::Start {
            module: self.module.path.to_string_lossy().into_owned(),
            parameters: self.module.parameters.clone(),
            memory_mib: cx.pkcs11.memory_mib,
        };
        process.order(&start).await?;
        let mut library = None;
        let mut slots: Vec<SlotAnswer> = Vec::new();
        let mut failures = Failures::default();
        loop {
            match process.answer(cx).await? {
                answer @ Message::Library { .. } => library = Some(answer),
                Message::Slot(slot) => slots.push(*slot),
                Message::SlotsEnd => break,
                Message::Failed { slot, call, returned, detail } => {
                    failures.add(slot, &call, returned, &detail);
                    // Without a library there is nothing behind this.
                    if library.is_none() {
                        return Ok(self.failed(failures).await?);
                    }
                }
                other => return Err(unexpected(&other)),
            }
        }
        let Some(library) = library else {
            return Err(
                Broken::Garbage("slots of a module that did not tell what it is".into()).into()
            );
        };
        // The list of what there is counts as a place, or a module without a token would look unread.
        if !self.is_listed {
            self.is_listed = true;
            if failures.is_empty() {
                (self.tally.asked, self.tally.read) = (self.tally.asked + 1, self.tally.read + 1);
            } else {
                self.failed(failures).await?;
            }
        }
        let seats = self.seats(&library, slots);
        let others: Vec<TokenDescription> = seats.iter().map(|it| it.description.clone()).collect();
        for seat in &seats {
            if self.done.contains(&seat.place) || !self.logins.is_chosen(&seat.description) {
                continue;
            }
            if cx.is_cancelled() {
                return Err(Broken::Cancelled.into());
            }
            self.done.insert(seat.place.clone());
            self.tally.asked += 1;
            self.token(process, &library, seat, &others).await?;
        }
        process.order(&Order::End).await?;
        // What it has to say in the end is counted for people only.
        if let Message::End { calls } = process.answer(cx).await? {
            tracing::debug!(module = %self.module.path.display(), calls, "The module is done with.");
        }
        Ok(())
    }

    /// Reads one token, and hands in what was read of it whatever happens.
    async fn token(
        &mut self,
        process: &mut Process,
        library: &Message,
        seat: &Seat,
        others: &[TokenDescription],
    ) -> Result<(), Stop> {
        let mut outcome = Outcome {
            objects: Objects::of(seat.place.clone()),
            counts: Vec::new(),
            login: Login::NotRequired,
            gaps: Vec::new(),
        };
        let mut ended = Ok(());
        // There is nothing on a token before it is initialised, and no session with it.
        if seat.flags & flag::TOKEN_INITIALIZED != 0 {
            let decision = self.logins.decide(&seat.place, &seat.description, seat.flags, others);
            ended = self.objects(process, seat, decision, &mut outcome).await;
            if let Err(Stop::Broken(broken)) = &ended {
                outcome.gaps.push((reason(broken), broken.to_string()));
            }
        }
        self.hand_in(library, seat, outcome).await?;
        ended
    }

    async fn objects(
        &mut self,
        process: &mut Process,
        seat: &Seat,
        decision: Decision,
        outcome: &mut Outcome,
    ) -> Result<(), Stop> {
        let (order, attempt) = match decision {
            Decision::With { order, attempt } => {
                outcome.login = Login::NotTried;
                (Some(order), attempt)
            }
            Decision::NotTried(why) => {
                outcome.login = Login::NotTried;
                let detail = format!("its private objects were not read: {why}");
                outcome.gaps.push((GapReason::LoginRefused, detail));
                (None, None)
            }
            Decision::Without(login) => {
                outcome.login = login;
                if login == Login::NotConfigured {
                    outcome.gaps.push((
                        GapReason::LoginRequired,
                        "its private objects were not to be seen without a login; \
                         `[[pkcs11.logins]]` takes where its PIN is"
                            .to_owned(),
                    ));
                }
                (None, None)
            }
        };
        let (number, max_objects) = (seat.slot.id, self.cx.pkcs11.max_objects);
        let (mut due, mut trying) = (order.is_some(), false);
        process.order(&Order::Read { slot: number, login: order, max_objects }).await?;
        let mut failures = Failures::default();
        let before = process.octets;
        let ended = loop {
            let answer = match process.answer(self.cx).await {
                Ok(answer) => answer,
                Err(broken) => {
                    if trying {
                        // Whether it counted the attempt is not known, so it counts here.
                        self.refused(seat, attempt, "the module broke while it was tried", outcome)
                            .await?;
                    }
                    break Err(broken.into());
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
                        }
                        other => {
                            let name = pki_tokens::returned(other);
                            self.refused(seat, attempt, &name, outcome).await?;
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
                            "more than {max_objects} objects; `max_objects` sets how many are read"
                        );
                        outcome.gaps.push((GapReason::LimitReached, detail));
                    }
                    break Ok(());
                }
                other => break Err(unexpected(&other)),
            }
            if process.octets - before > MOST_OCTETS {
                let detail = format!("its objects take more than {} MiB", MOST_OCTETS >> 20);
                break Err(Broken::Garbage(detail).into());
            }
        };
        if due && ended.is_ok() {
            let detail =
                "its private objects were not read: the module did not get as far as the login";
            outcome.gaps.push((GapReason::LoginRefused, detail.to_owned()));
        }
        if !failures.is_empty() {
            outcome.gaps.push((GapReason::ReadFailed, failures.to_string()));
        }
        ended
    }

    /// A login that did not come about: never again with this configuration.
    async fn refused(
        &mut self,
        seat: &Seat,
        attempt: Option<pki_inventory::Digest>,
        how: &str,
        outcome: &mut Outcome,
    ) -> Result<(), CollectError> {
        self.logins.refused(&seat.place);
        outcome.login = Login::Refused;
        let again = match attempt {
            Some(_) => {
                "; it is not tried again until its file is written anew, or `attempt` of the login \
                 is raised by one"
            }
            None => "",
        };
        let detail = format!("the login was refused ({how}), after one attempt{again}");
        outcome.gaps.push((GapReason::LoginRefused, detail));
        match attempt {
            Some(attempt) => self.out.send(Observation::LoginRefused(attempt)).await,
            None => Ok(()),
        }
    }

    async fn hand_in(
        &mut self,
        library: &Message,
        seat: &Seat,
        outcome: Outcome,
    ) -> Result<(), CollectError> {
        let path = self.module.path.display().to_string();
        if let Some(mut token) = pki_tokens::token(&path, library, &seat.slot, outcome.login) {
            describe(&mut token, &outcome);
            let seen = Sighting::at(seat.place.clone(), NAME, self.cx.now());
            self.out.send(Observation::found(Raw::Token(Box::new(token)), seen)).await?;
        }
        let mut found = Vec::new();
        // Whether certificates are all there is on a token can be told only where all was to be seen.
        let all_seen = matches!(outcome.login, Login::NotRequired | Login::Done);
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

    /// The tokens in these slots, each with its place.
    fn seats(&self, library: &Message, slots: Vec<SlotAnswer>) -> Vec<Seat> {
        let plain: Vec<Option<Place>> =
            slots.iter().map(|slot| pki_tokens::place(slot, false)).collect();
        let twice = |place: &Option<Place>| plain.iter().filter(|it| *it == place).count() > 1;
        let with_slot: Vec<bool> = plain.iter().map(twice).collect();
        let seats = slots.into_iter().zip(with_slot).filter_map(|(slot, with_slot)| {
            let place = pki_tokens::place(&slot, with_slot)?;
            let token = slot.token.as_ref()?;
            let description = self.description(library, &slot, token);
            Some(Seat { place, description, flags: token.flags, slot })
        });
        seats.collect()
    }

    fn description(
        &self,
        library: &Message,
        slot: &SlotAnswer,
        token: &TokenAnswer,
    ) -> TokenDescription {
        let mut described = TokenDescription {
            token: text(&token.label),
            manufacturer: text(&token.manufacturer),
            model: text(&token.model),
            serial: text(&token.serial),
            slot_description: text(&slot.description),
            slot_manufacturer: text(&slot.manufacturer),
            slot_id: slot.id,
            module_path: self.module.path.clone(),
            ..TokenDescription::default()
        };
        if let Message::Library { manufacturer, description, version, .. } = library {
            described.library_manufacturer = text(manufacturer);
            described.library_description = text(description);
            described.library_version = format!("{}.{}", version.0, version.1);
        }
        described
    }

    /// A gap for all of the module.
    async fn gap(&mut self, place: Place, broken: Broken) -> Result<(), CollectError> {
        self.tally.asked += 1;
        self.tally.not_read += 1;
        self.out.send(missed(self.cx, place, reason(&broken), broken.to_string())).await
    }

    /// A gap for calls that failed and were about no token.
    async fn failed(&mut self, failures: Failures) -> Result<(), CollectError> {
        self.tally.asked += 1;
        self.tally.not_read += 1;
        let (place, detail) = (self.module.place(), failures.to_string());
        self.out.send(missed(self.cx, place, GapReason::ModuleFailed, detail)).await
    }
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
    let told = format!("{message:?}");
    let told: String = told.chars().take(60).collect();
    Broken::Garbage(format!("{told} out of its order")).into()
}

/// A text that is filled up with blanks (PKCS #11 v3.1, 3.2), as URIs name it.
fn text(octets: &Octets) -> String {
    let end = octets.0.iter().rposition(|octet| !matches!(octet, b' ' | 0)).map_or(0, |at| at + 1);
    String::from_utf8_lossy(&octets.0[..end]).into_owned()
}

/// Calls that failed.
#[derive(Debug, Default)]
struct Failures {
    told: Vec<String>,
    more: usize,
}

impl Failures {
    fn add(&mut self, slot: Option<u64>, call: &str, returned: Option<u64>, detail: &str) {
        if self.told.len() >= MOST_TOLD {
            self.more += 1;
            return;
        }
        let call: String = call.chars().take(64).collect();
        let detail: String = detail.chars().take(512).collect();
        let mut told = match returned {
            Some(returned) => format!("{call} returned {}", pki_tokens::returned(returned)),
            None => call,
        };
        if let Some(slot) = slot {
            told.push_str(&format!(" for slot {slot}"));
        }
        if !detail.is_empty() {
            told.push_str(&format!(" ({detail})"));
        }
        if !self.told.contains(&told) {
            self.told.push(told);
        }
    }

    fn is_empty(&self) -> bool {
        self.told.is_empty()
    }
}

impl std::fmt::Display for Failures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told.join("; "))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
