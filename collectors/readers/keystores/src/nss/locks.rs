//! The password of a `key4.db`.
//!
//! NSS hashes the password with a salt of the database before it derives anything. One item of the
//! table `metaData` holds the salt and a known text under the password. Without a password, NSS
//! takes the empty one, and one iteration.

use pki_inventory::{Encryption, Lock};
use sha1::Digest as _;
use zeroize::Zeroizing;

use super::database::Database;
use super::scheme;
use crate::Passwords;
use crate::contents::Contents;
use crate::passwords::{Budget, Candidate, TooDear, none_fits, too_dear};
use crate::scheme::{Password, Scheme};

/// The text under the password.
const KNOWN: &[u8] = b"password-check";

pub(super) struct Locks<'a> {
    salt: Vec<u8>,
    budget: Budget<'a>,
    fits: Option<Candidate<'a>>,
    encryption: Encryption,
    lock: Lock,
    /// What stayed closed although the password fits, and why.
    unspent: Option<(usize, TooDear)>,
}

impl<'a> Locks<'a> {
    pub(super) fn of(
        database: &Database,
        passwords: Passwords<'a>,
        contents: &mut Contents,
    ) -> Self {
        let encryption = Encryption::Passphrase { kdf: None, cipher: None, iterations: None };
        let (salt, budget, fits) = (Vec::new(), Budget::of(passwords), None);
        // Certificates have no lock, and neither have keys before a first password was set.
        let mut locks = Self { salt, budget, fits, encryption, lock: Lock::None, unspent: None };
        let Some((salt, item)) = database.password() else {
            if database.has(super::Table::Private) {
                locks.lock = closed("it says nothing about its password");
            }
            return locks;
        };
        locks.salt = salt;
        let Some((scheme, octets)) = scheme(&item) else {
            locks.lock = closed("what it says about its password is not readable");
            return locks;
        };
        contents.protected(&scheme.encryption);
        locks.encryption = scheme.encryption.clone();
        locks.lock = locks.find(&Candidate::texts(passwords), &scheme, octets);
        locks
    }

    fn find(&mut self, candidates: &[Candidate<'a>], scheme: &Scheme, octets: &[u8]) -> Lock {
        if let Some(obstacle) = scheme.obstacle() {
            return closed(obstacle);
        }
        for (at, candidate) in candidates.iter().enumerate() {
            if let Err(why) = self.budget.spend(scheme.work(octets.len()).saturating_add(1)) {
                return closed(&too_dear(why, &candidates[..at], candidates));
            }
            let plain = self.open(*candidate, scheme, octets);
            if plain.is_some_and(|plain| *plain == *KNOWN) {
                self.fits = Some(*candidate);
                return candidate.lock();
            }
        }
        closed(&none_fits(candidates))
    }

    /// How keys are protected where they do not say it themselves.
    pub(super) fn encryption(&self) -> Encryption {
        self.encryption.clone()
    }

    /// Opens something with the password that fits, if one does.
    pub(super) fn decrypt(&mut self, scheme: &Scheme, octets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let candidate = self.fits?;
        if let Err(why) = self.budget.spend(scheme.work(octets.len()).saturating_add(1)) {
            self.unspent.get_or_insert((0, why)).0 += 1;
            return None;
        }
        self.open(candidate, scheme, octets)
    }

    fn open(
        &self,
        candidate: Candidate<'_>,
        scheme: &Scheme,
        octets: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut hash = sha1::Sha1::new();
        hash.update(&self.salt);
        hash.update(candidate.text());
        let password: Zeroizing<[u8; 20]> = Zeroizing::new(hash.finalize().into());
        // Only PBKDF2 takes it; the older scheme of NSS is none that is opened.
        scheme.decrypt(&Password { bmp: &[], octets: &*password }, octets)
    }

    /// What became of the lock; says so if an opened database is read only in part.
    pub(super) fn lock(self, contents: &mut Contents) -> Lock {
        if let Some((closed, why)) = self.unspent {
            contents.limited(&format!("{closed} of its private keys stayed closed: {why}"));
        }
        self.lock
    }
}

fn closed(reason: &str) -> Lock {
    Lock::Closed(reason.to_owned())
}
