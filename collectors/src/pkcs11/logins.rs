//! Whether to log in to a token, and with what. A PIN is tried once: most tokens lock themselves after a
//! few wrong ones, some for good.

use pki_config::{PinSource, TokenDescription, TokenLogin};
use pki_inventory::{Digest, Login, Place};
use pki_tokens::wire::{LoginOrder, Pin};
use zeroize::Zeroizing;

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
    /// For each login of the settings, the token it was used for.
    used: Vec<Option<Place>>,
    /// For each token that the settings choose, whether there was one.
    chosen: Vec<bool>,
    /// Tokens that refused in this run.
    refused: Vec<Place>,
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
    /// None used yet.
    pub(super) fn of(cx: &'a Context) -> Self {
        let (logins, chosen) = (cx.pkcs11.logins.len(), cx.pkcs11.only.len());
        let refused = Vec::new();
        Self { cx, used: vec![None; logins], chosen: vec![false; chosen], refused }
    }

    /// Whether the settings choose this token.
    pub(super) fn is_chosen(&mut self, token: &TokenDescription) -> bool {
        let only = &self.cx.pkcs11.only;
        for (uri, chosen) in only.iter().zip(&mut self.chosen) {
            *chosen |= uri.fits(token);
        }
        only.is_empty() || only.iter().any(|uri| uri.fits(token))
    }

    /// What is done about a token. `others` are all tokens of its module, itself included.
    pub(super) fn decide(
        &mut self,
        place: &Place,
        token: &TokenDescription,
        flags: u64,
        others: &[TokenDescription],
    ) -> Decision {
        let scope = &self.cx.pkcs11;
        let entry = scope.logins.iter().position(|login| login.token.fits(token));
        if flags & flag::LOGIN_REQUIRED == 0 {
            self.use_for(entry, place);
            return Decision::Without(Login::NotRequired);
        }
        let Some(entry) = entry else { return Decision::Without(Login::NotConfigured) };
        let login = &scope.logins[entry];
        let before = self.use_for(Some(entry), place);
        match self.obstacle(login, entry, flags, before.as_ref(), place, others) {
            Some(why) => Decision::NotTried(why),
            None => self.order(login, entry, place),
        }
    }

    /// Why a PIN is not to be tried.
    fn obstacle(
        &self,
        login: &TokenLogin,
        entry: usize,
        flags: u64,
        before: Option<&Place>,
        place: &Place,
        others: &[TokenDescription],
    ) -> Option<String> {
        let has = |flag| flags & flag != 0;
        let also = others.iter().filter(|other| login.token.fits(other)).count();
        if also > 1 || before.is_some_and(|before| before != place) {
            return Some(format!(
                "{} chooses more than this token, and a PIN belongs to one; name it by its serial \
                 number as well",
                login.token
            ));
        }
        if self.refused.contains(place) {
            return Some(
                "the token refused the PIN when it was read through another module".into(),
            );
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
        let attempt = self.attempt(login, entry, place);
        attempt.is_some_and(|attempt| self.cx.refused_logins.contains(&attempt)).then(|| {
            "the token refused this PIN in an earlier run; it is tried again when its file was \
             written anew, or `attempt` of the login is raised by one"
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
        let (token, attempt) = (&login.token, login.attempt);
        Some(Digest::of(format!("{place}\n{token}\n{mark}\n{attempt}").as_bytes()))
    }

    /// Notes that this token is the one of a login, and which one was before it.
    fn use_for(&mut self, entry: Option<usize>, place: &Place) -> Option<Place> {
        let used = self.used.get_mut(entry?)?;
        match used {
            Some(before) => Some(before.clone()),
            None => {
                *used = Some(place.clone());
                None
            }
        }
    }

    /// Notes that a token refused.
    pub(super) fn refused(&mut self, place: &Place) {
        self.refused.push(place.clone());
    }

    /// Tokens that the settings name and that were in no module.
    pub(super) fn unused(&self) -> Vec<(Place, String)> {
        let scope = &self.cx.pkcs11;
        let chosen = scope.only.iter().zip(&self.chosen).filter(|(_, chosen)| !**chosen);
        let chosen = chosen.map(|(uri, _)| {
            (uri.to_string(), "no module shows a token like this one, which was to be read")
        });
        // Where only some tokens are chosen, the others need not be there.
        let all_are_read = scope.only.is_empty();
        let logins = scope.logins.iter().zip(&self.used);
        let logins = logins.filter(|(_, used)| all_are_read && used.is_none());
        let logins = logins.map(|(login, _)| {
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
