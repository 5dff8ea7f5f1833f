//! Which passwords are tried, and how much work may go into it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use pki_inventory::Lock;
use zeroize::Zeroizing;

use crate::Passwords;

/// Those that stand in manuals, as examples or as what a tool takes unless told otherwise.
const WELL_KNOWN: [&str; 7] =
    ["", "changeit", "changeme", "password", "secret", "123456", "notasecret"];

/// Iterations of all derivations for one store, over all tries and all of its entries: some seconds
/// of a core. Whoever writes a larger number into a file shall not keep a scan busy.
const MOST_ITERATIONS: u64 = 5_000_000;

/// One password to try.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'a> {
    /// None is not the same as an empty one: PKCS#12 keeps them apart (RFC 7292, B.1).
    text: Option<&'a str>,
    known: Option<&'static str>,
}

/// Iterations for all stores of one file on disk. An archive can hold a hundred thousand stores that
/// each ask for what is spent on one.
const MOST_OF_A_FILE: u64 = 4 * MOST_ITERATIONS;

/// The work that is left for all keystores of one file on disk, those in archives among them. Whoever
/// opens the file owns it.
#[derive(Debug)]
pub struct Purse(Cell<u64>);

impl Purse {
    /// With so many iterations of a key derivation.
    #[must_use]
    pub const fn new(iterations: u64) -> Self {
        Self(Cell::new(iterations))
    }
}

impl Default for Purse {
    fn default() -> Self {
        Self::new(MOST_OF_A_FILE)
    }
}

/// The work that is left for one store.
pub(crate) struct Budget<'a> {
    left: u64,
    purse: &'a Purse,
}

/// What was not enough for another try.
#[derive(Clone, Copy)]
pub(crate) enum TooDear {
    Store,
    File,
}

impl fmt::Display for TooDear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store => write!(
                f,
                "its derivation asks for more iterations than are spent on one store \
                 ({MOST_ITERATIONS} over all tries)"
            ),
            Self::File => f.write_str(
                "the iterations that are spent on all stores of one file on disk were used up",
            ),
        }
    }
}

impl<'a> Budget<'a> {
    pub(crate) fn of(passwords: Passwords<'a>) -> Self {
        Self { left: MOST_ITERATIONS, purse: passwords.purse }
    }

    /// Spends as much, if there is as much left.
    pub(crate) fn spend(&mut self, work: u64) -> Result<(), TooDear> {
        let left = self.left.checked_sub(work).ok_or(TooDear::Store)?;
        let purse = self.purse.0.get().checked_sub(work).ok_or(TooDear::File)?;
        self.left = left;
        self.purse.0.set(purse);
        Ok(())
    }
}

impl<'a> Candidate<'a> {
    /// All that may be tried, in order.
    pub(crate) fn all(passwords: Passwords<'a>) -> Vec<Self> {
        // Who configures what every manual says has not chosen a password either.
        let known = |text: &str| WELL_KNOWN.into_iter().find(|known| *known == text);
        let configured = passwords.configured.iter();
        let mut all: Vec<_> =
            configured.map(|text| Self { text: Some(text), known: known(text) }).collect();
        if passwords.well_known {
            all.push(Self { text: None, known: Some("") });
            let configured: BTreeSet<&str> = all.iter().filter_map(|one| one.text).collect();
            let more = WELL_KNOWN.into_iter().filter(|text| !configured.contains(text));
            let more: Vec<_> =
                more.map(|text| Self { text: Some(text), known: Some(text) }).collect();
            all.extend(more);
        }
        all
    }

    /// The same for formats to which no password and an empty one are the same.
    pub(crate) fn texts(passwords: Passwords<'a>) -> Vec<Self> {
        let mut all = Self::all(passwords);
        all.retain(|one| !one.is_none());
        all
    }

    /// No password, not even an empty one.
    pub(crate) fn is_none(self) -> bool {
        self.text.is_none()
    }

    /// The lock that this one opened.
    pub(crate) fn lock(self) -> Lock {
        self.known.map_or(Lock::Configured, |known| Lock::WellKnown(known.to_owned()))
    }

    /// For formats to which no password and an empty one are the same.
    pub(crate) fn text(self) -> &'a str {
        self.text.unwrap_or_default()
    }

    /// As the derivation of PKCS#12 wants it: UTF-16, and two zeros at the end (RFC 7292, B.1). No
    /// password at all is no octet at all.
    pub(crate) fn bmp(self) -> Zeroizing<Vec<u8>> {
        let Some(text) = self.text else { return Zeroizing::default() };
        let mut octets = utf16(text);
        octets.extend_from_slice(&[0, 0]);
        octets
    }
}

/// The text in UTF-16, high octet first, in a buffer with room for two more.
pub(crate) fn utf16(text: &str) -> Zeroizing<Vec<u8>> {
    // No text has more units than octets; a buffer that grows leaves its octets behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
    text.encode_utf16().for_each(|unit| octets.extend_from_slice(&unit.to_be_bytes()));
    octets
}

/// Passwords as people count them: none at all and an empty one are one.
pub(crate) fn count(candidates: &[Candidate<'_>]) -> usize {
    candidates.iter().map(|one| one.text()).collect::<BTreeSet<_>>().len()
}

/// Why a store stays closed of which every password was tried.
pub(crate) fn none_fits(candidates: &[Candidate<'_>]) -> String {
    match count(candidates) {
        0 => "no password was to be tried".to_owned(),
        1 => "the one password that was tried does not fit".to_owned(),
        count => format!("none of the {count} passwords that were tried fits"),
    }
}

/// Why a store stays closed on which trying costs too much. The first candidates were tried.
pub(crate) fn too_dear(why: TooDear, tried: &[Candidate<'_>], all: &[Candidate<'_>]) -> String {
    format!("{why}; {} of {} passwords were tried", count(tried), count(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_on_disk_pays_for_four_dear_stores() {
        let purse = Purse::default();
        let passwords = Passwords { configured: &[], well_known: true, purse: &purse };
        for _ in 0..4 {
            let mut budget = Budget::of(passwords);
            assert!(matches!(budget.spend(MOST_ITERATIONS + 1), Err(TooDear::Store)));
            assert!(budget.spend(MOST_ITERATIONS).is_ok());
            assert!(matches!(budget.spend(1), Err(TooDear::Store)));
        }
        assert!(matches!(Budget::of(passwords).spend(1), Err(TooDear::File)));
    }

    #[test]
    fn no_password_is_tried_twice() {
        let configured = ["changeit", "x", ""].map(|text| Zeroizing::new(text.to_owned()));
        let purse = Purse::default();
        let passwords = Passwords { configured: &configured, well_known: true, purse: &purse };
        let texts = Candidate::texts(passwords);
        assert_eq!(texts.len(), WELL_KNOWN.len() + 1);
        assert_eq!(count(&texts), texts.len());
        assert_eq!(count(&Candidate::all(passwords)), texts.len());
    }
}
