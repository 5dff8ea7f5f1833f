//! PKCS#12 (RFC 7292): what shows without a password, and more with one that fits.

mod bags;
mod integrity;

use pki_encodings::Report;
use pki_encodings::tlv::{INTEGER, OBJECT_IDENTIFIER, SEQUENCE};
use pki_inventory::Lock;
use zeroize::Zeroizing;

use crate::Passwords;
use crate::ber::{Content, Node, Nodes};
use crate::contents::Contents;
use crate::passwords::{Budget, Candidate, count, none_fits, too_dear};
use crate::scheme::{Password, Scheme};

use bags::Bags;
use integrity::Integrity;

pub(crate) const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";

/// Whether a store begins here: version 3, then a content type of PKCS#7 (RFC 7292, 4).
pub(crate) fn recognise(prefix: &[u8]) -> bool {
    let begins = || {
        let mut fields = Node::first(prefix).filter(|outer| outer.tag == SEQUENCE)?.inside();
        let version = fields.take(INTEGER)?.number()?;
        let oid = fields.take(SEQUENCE)?.inside().take(OBJECT_IDENTIFIER)?.oid()?;
        Some(version == 3 && (oid == DATA || oid == SIGNED_DATA))
    };
    begins().unwrap_or(false)
}

pub(crate) fn read(octets: &[u8], passwords: Passwords<'_>, report: &mut dyn Report) -> usize {
    let mut contents = Contents::of("PKCS#12");
    let candidates = Candidate::all(passwords);
    let mut keys = Locksmith::new(&candidates, Budget::of(passwords));
    let outer = Outer::read(octets, &mut contents);
    if let Some(integrity) = &outer.integrity {
        contents.integrity = Some(integrity.to_string());
        keys.check(integrity, &outer.safe);
    }
    let mut bags = Bags::default();
    bags.authenticated_safe(Nodes(&outer.safe), &mut keys, &mut contents);
    bags.finish(&mut contents);
    let lock = keys.lock(&mut contents);
    contents.report(outer.whole, lock, report);
    outer.whole.len()
}

/// The two halves of a store.
struct Outer<'a> {
    /// All of it, without what follows its end.
    whole: &'a [u8],
    /// The octets of the `AuthenticatedSafe`.
    safe: Content<'a>,
    integrity: Option<Integrity>,
}

impl<'a> Outer<'a> {
    fn read(octets: &'a [u8], contents: &mut Contents) -> Self {
        let Some(store) = Node::first(octets).filter(|store| store.tag == SEQUENCE) else {
            contents.damaged("its outermost structure is not readable");
            return Self { whole: octets, safe: Content::default(), integrity: None };
        };
        if !store.complete {
            contents.damaged("its end is missing; what came before was read");
        }
        let mut fields = store.inside();
        fields.take(INTEGER);
        let safe = fields.take(SEQUENCE).and_then(|content| authenticated(content, 0));
        if safe.is_none() {
            contents.damaged("it has no content that could be read");
        }
        let integrity = match fields.take(SEQUENCE) {
            Some(mac) => Some(Integrity::read(mac)),
            None => safe.as_ref().filter(|(_, signed)| *signed).map(|_| Integrity::Signature),
        };
        let safe = safe.map(|(safe, _)| safe).unwrap_or_default();
        Self { whole: store.whole, safe, integrity }
    }
}

/// The octets in a `ContentInfo`, and whether they are signed.
fn authenticated(content: Node<'_>, depth: usize) -> Option<(Content<'_>, bool)> {
    let mut fields = content.inside();
    let oid = fields.take(OBJECT_IDENTIFIER)?.oid()?;
    let inside = fields.take(0xa0)?;
    match oid.as_str() {
        DATA => Some((inside.inside().any()?.octets(), depth > 0)),
        // RFC 5652, 5.1: version, digest algorithms, the content.
        SIGNED_DATA if depth == 0 => {
            let mut fields = inside.inside().take(SEQUENCE)?.inside();
            fields.take(INTEGER)?;
            fields.take(0x31)?;
            authenticated(fields.take(SEQUENCE)?, 1)
        }
        _ => None,
    }
}

/// Tries the passwords, and remembers which fit and why something stayed closed.
pub(crate) struct Locksmith<'a> {
    candidates: &'a [Candidate<'a>],
    budget: Budget<'a>,
    /// The one that fitted last: it comes first.
    fits: Option<usize>,
    /// The integrity was checked with every password, and none was right.
    refused: bool,
    locked: usize,
    opened: usize,
    obstacle: Option<String>,
    /// Why not all passwords were tried.
    over: Option<String>,
}

impl<'a> Locksmith<'a> {
    fn new(candidates: &'a [Candidate<'a>], budget: Budget<'a>) -> Self {
        let (fits, refused, locked, opened) = (None, false, 0, 0);
        let (obstacle, over) = (None, None);
        Self { candidates, budget, fits, refused, locked, opened, obstacle, over }
    }

    /// Finds the password by which the integrity is right.
    fn check(&mut self, integrity: &Integrity, safe: &[u8]) {
        let Some(work) = integrity.work(safe.len()) else { return };
        for (at, candidate) in self.candidates.iter().enumerate() {
            if let Err(why) = self.budget.spend(work) {
                self.over = Some(too_dear(why, &self.candidates[..at], self.candidates));
                break;
            }
            if integrity.verifies(*candidate, safe) {
                self.fits = Some(at);
                return;
            }
        }
        self.refused = true;
    }

    /// Opens one encrypted part with whatever password makes it acceptable.
    fn open(
        &mut self,
        scheme: &Scheme,
        octets: &[u8],
        accept: impl Fn(&[u8]) -> bool,
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.locked += 1;
        if let Some(obstacle) = scheme.obstacle() {
            self.obstacle.get_or_insert_with(|| obstacle.to_owned());
            return None;
        }
        if self.refused {
            return None;
        }
        let all = 0..self.candidates.len();
        // Some stores have one password for their integrity and another one for their content.
        let order = self.fits.into_iter().chain(all.filter(|at| Some(*at) != self.fits));
        let mut tried = Vec::new();
        for at in order {
            let candidate = *self.candidates.get(at)?;
            if let Err(why) = self.budget.spend(scheme.work(octets.len()).saturating_add(1)) {
                self.over.get_or_insert_with(|| too_dear(why, &tried, self.candidates));
                return None;
            }
            tried.push(candidate);
            let bmp = candidate.bmp();
            let password = Password { bmp: &bmp, octets: candidate.text().as_bytes() };
            if let Some(plain) = scheme.decrypt(&password, octets).filter(|plain| accept(plain)) {
                self.fits = Some(at);
                self.opened += 1;
                return Some(plain);
            }
        }
        None
    }

    /// A part that no password opens.
    fn barred(&mut self, obstacle: &str) {
        self.locked += 1;
        self.obstacle.get_or_insert_with(|| obstacle.to_owned());
    }

    /// What became of the lock, and what to say if an opened store is read only in part.
    fn lock(self, contents: &mut Contents) -> Lock {
        let fitting = self.fits.and_then(|at| self.candidates.get(at));
        if self.opened == self.locked {
            return match fitting {
                Some(candidate) => candidate.lock(),
                // What is missing may have been encrypted.
                None if contents.is_damaged() => {
                    Lock::Closed("it is damaged, so its lock does not show".to_owned())
                }
                None => Lock::None,
            };
        }
        let closed = self.locked - self.opened;
        let is_over = self.over.is_some();
        let reason = match (self.over, self.obstacle) {
            (Some(reason), _) | (None, Some(reason)) => reason,
            _ if fitting.is_some() => {
                format!(
                    "none of the {} passwords that were tried opens {closed} of its parts",
                    count(self.candidates)
                )
            }
            _ if self.refused && !self.candidates.is_empty() => {
                let reason = none_fits(self.candidates);
                format!("{reason} its integrity check, so its content was not tried with them")
            }
            _ => none_fits(self.candidates),
        };
        if is_over && self.opened > 0 {
            contents.limited(&format!("{closed} of its parts stayed closed: {reason}"));
        }
        Lock::Closed(reason)
    }
}
