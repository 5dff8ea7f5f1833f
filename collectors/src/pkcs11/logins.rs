//! Whether to log in to a token, and with what. A PIN is tried once: most tokens lock themselves after a
//! few wrong ones, some for good.

use std::collections::BTreeSet;

use pki_config::{PinSource, TokenDescription, TokenLogin, TokenUri};
use pki_inventory::{Digest, Login, Place};
use pki_tokens::wire::{LoginOrder, Pin};
use zeroize::Zeroizing;

use super::seats::Seat;
use crate::Context;

/// Flags of a token (`CK_TOKEN_INFO.flags`; PKCS #11 v3.1, 3.2).
pub(super) mod flag {
    /// `CKF_LOGIN_REQUIRED`.
    pub(in super::super) const LOGIN_REQUIRED: u64 = 0x4;
    /// `CKF_USER_PIN_INITIALIZED`.
    pub(in super::super) const USER_PIN_INITIALIZED: u64 = 0x8;
    /// `CKF_PROTECTED_AUTHENTICATION_PATH`.
    pub(in super::super) const PROTECTED_AUTHENTICATION_PATH: u64 = 0x100;
    /// `CKF_TOKEN_INITIALIZED`.
    pub(in super::super) const TOKEN_INITIALIZED: u64 = 0x400;
    /// `CKF_USER_PIN_COUNT_LOW`.
    pub(in super::super) const USER_PIN_COUNT_LOW: u64 = 0x1_0000;
    /// `CKF_USER_PIN_FINAL_TRY`.
    pub(in super::super) const USER_PIN_FINAL_TRY: u64 = 0x2_0000;
    /// `CKF_USER_PIN_LOCKED`.
    pub(in super::super) const USER_PIN_LOCKED: u64 = 0x4_0000;
}

/// The logins of the settings, and what became of them in this run.
pub(super) struct Logins<'a> {
    cx: &'a Context,
    /// All tokens of all modules.
    tokens: Vec<(Place, TokenDescription)>,
    /// Tokens that were read, or tried to log in to.
    read: BTreeSet<Place>,
    /// Tokens that refused in this run or an earlier one, by what they say of themselves.
    refused: BTreeSet<String>,
}

/// What is done about one token.
#[derive(Debug)]
pub(super) enum Decision {
    /// It is read without a login, which has this reason.
    Without(Login),
    /// The settings have a PIN, and it is not tried: why, and what to do.
    NotTried(String),
    /// It is logged in to.
    With {
        /// How.
        order: LoginOrder,
        /// The name of this attempt for later runs; none where a person gives the PIN each time.
        attempt: Option<Digest>,
    },
}

impl<'a> Logins<'a> {
    /// Of a run with these tokens.
    pub(super) fn of<'s>(cx: &'a Context, seats: impl IntoIterator<Item = &'s Seat>) -> Self {
        let seats = seats.into_iter().map(|seat| (seat.place.clone(), seat.description.clone()));
        Self { cx, tokens: seats.collect(), read: BTreeSet::new(), refused: BTreeSet::new() }
    }

    /// Whether the settings choose this token.
    pub(super) fn is_chosen(&self, token: &TokenDescription) -> bool {
        let only = &self.cx.pkcs11.only;
        only.is_empty() || only.iter().any(|uri| uri.fits(token))
    }

    /// Whether a token was read already, through another module: it is not read or logged in to twice.
    pub(super) fn is_read(&self, place: &Place) -> bool {
        self.read.contains(place)
    }

    /// Notes that a token was read as far as it can be.
    pub(super) fn read(&mut self, place: &Place) {
        self.read.insert(place.clone());
    }

    /// What is done about a token.
    pub(super) fn decide(
        &mut self,
        place: &Place,
        token: &TokenDescription,
        flags: u64,
    ) -> Decision {
        let logins = &self.cx.pkcs11.logins;
        let entry = logins.iter().position(|login| login.token.fits(token));
        let has = |flag| flags & flag != 0;
        match entry {
            Some(_) if !has(flag::TOKEN_INITIALIZED) => {
                Decision::NotTried("the token says that it is not initialised".to_owned())
            }
            _ if !has(flag::TOKEN_INITIALIZED) || !has(flag::LOGIN_REQUIRED) => {
                Decision::Without(Login::NotRequired)
            }
            None => Decision::Without(Login::NotConfigured),
            Some(entry) => match self.obstacle(&logins[entry], entry, flags, place) {
                Some(why) => Decision::NotTried(why),
                None => self.order(&logins[entry], entry, place),
            },
        }
    }

    /// Why a PIN is not to be tried.
    fn obstacle(
        &mut self,
        login: &TokenLogin,
        entry: usize,
        flags: u64,
        place: &Place,
    ) -> Option<String> {
        let has = |flag| flags & flag != 0;
        let fits = self.tokens.iter().filter(|(_, token)| login.token.fits(token));
        let places: BTreeSet<&Place> = fits.map(|(place, _)| place).collect();
        if places.len() > 1 {
            return Some(format!(
                "{} chooses {} tokens, and a PIN belongs to one; name it by its serial number as \
                 well",
                login.token,
                places.len()
            ));
        }
        if self.refused.contains(&identity(place)) {
            return Some("the token refused a PIN already".to_owned());
        }
        if !has(flag::USER_PIN_INITIALIZED) {
            return Some("the PIN of its user was never set".to_owned());
        }
        let state = [
            (flag::USER_PIN_LOCKED, "its PIN is locked"),
            (flag::USER_PIN_FINAL_TRY, "one more wrong PIN locks it"),
            (flag::USER_PIN_COUNT_LOW, "a wrong PIN was entered before"),
        ];
        let state = state.into_iter().find(|(flag, _)| has(*flag)).map(|(_, state)| state);
        if let Some(state) = state.filter(|_| !login.although_count_low) {
            return Some(format!(
                "the token says that {state}; `although_count_low = true` has the PIN tried all the \
                 same, once"
            ));
        }
        let at_device = has(flag::PROTECTED_AUTHENTICATION_PATH);
        match (&login.pin, at_device) {
            (PinSource::Device, false) => {
                return Some("the token has no way to enter a PIN at the device itself".to_owned());
            }
            (PinSource::Device, true) => return None,
            (_, true) => {
                return Some(
                    "the token wants its PIN entered at the device; `pin_at_device = true` has it \
                     asked for there"
                        .to_owned(),
                );
            }
            (_, false) => {}
        }
        let attempt = self.attempt(login, entry, place)?;
        self.cx.refused_logins.contains(&attempt).then(|| {
            // Whatever else is configured for it: it is one PIN too many already.
            self.refused.insert(identity(place));
            "in an earlier run this login was tried and did not work; raise `attempt` of the login \
             (`--pin-attempt`) by one when the PIN is right"
                .to_owned()
        })
    }

    fn order(&self, login: &TokenLogin, entry: usize, place: &Place) -> Decision {
        let order = match login.pin {
            PinSource::Device => LoginOrder::Device,
            _ => match self.cx.pins.get(entry) {
                Some(Some(given)) => LoginOrder::Pin(Pin(Zeroizing::new((*given.pin).clone()))),
                _ => return Decision::NotTried("no PIN was given for it".to_owned()),
            },
        };
        Decision::With { order, attempt: self.attempt(login, entry, place) }
    }

    /// The name of an attempt: everything about it but the PIN itself, of which even a digest would let
    /// a short one be guessed. What a person enters each time is a new attempt each time.
    fn attempt(&self, login: &TokenLogin, entry: usize, place: &Place) -> Option<Digest> {
        if matches!(login.pin, PinSource::Device | PinSource::Prompt) {
            return None;
        }
        let mark = &self.cx.pins.get(entry)?.as_ref()?.mark;
        let (token, attempt) = (identity(place), login.attempt);
        Some(Digest::of(format!("{token}\n{mark}\n{attempt}").as_bytes()))
    }

    /// Notes that a token refused.
    pub(super) fn refused(&mut self, place: &Place) {
        self.refused.insert(identity(place));
    }

    /// Tokens that the settings name and that are in no module.
    pub(super) fn unused(&self) -> Vec<(Place, String)> {
        let scope = &self.cx.pkcs11;
        let is_there = |uri: &TokenUri| self.tokens.iter().any(|(_, token)| uri.fits(token));
        let chosen = scope.only.iter().filter(|uri| !is_there(uri));
        let chosen = chosen.map(|uri| {
            (uri.to_string(), "no module shows a token like this one, which was to be read")
        });
        // Where only some tokens are chosen, the others need not be there.
        let logins =
            scope.logins.iter().filter(|login| scope.only.is_empty() && !is_there(&login.token));
        let logins = logins.map(|login| {
            (login.token.to_string(), "no module shows a token like this one, which has a PIN")
        });
        let mut all: Vec<(Place, String)> = Vec::new();
        for (uri, detail) in chosen.chain(logins) {
            // The text of the settings is a place of its own kind.
            let place = uri.parse().unwrap_or(Place::Scope(uri));
            if !all.iter().any(|(known, _)| *known == place) {
                all.push((place, detail.to_owned()));
            }
        }
        all
    }
}

/// What a token says of itself, wherever it is plugged in: two slots may show one card.
fn identity(place: &Place) -> String {
    let attributes = place.token_part().unwrap_or_default().split(';');
    let told: Vec<&str> = attributes.filter(|it| !it.starts_with("slot-id=")).collect();
    told.join(";")
}
