//! `keystore.password-well-known`: a keystore with keys opens with a password from a manual.
//!
//! ## What it looks at
//! Keystores that hold a private or a secret key, whatever their format. One that needs no password
//! is no better. Stores of certificates alone are met: what they hold is public, and their usual
//! password, `changeit`, only checks that nothing was changed by accident.
//! ## Why it matters
//! The passwords in manuals are the first that anybody tries. They protect a key as little as none.
//! ## What it cannot see
//! Weak passwords that are in no manual; whether a configured password that opened it is a good
//! one; stores of formats that are not opened here: unknown.

use pki_inventory::{Asset, Holds, Keystore, Kind, Lock, StoreEntry, published};

use crate::population::is_shipped;
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "keystore.password-well-known",
    title: "A keystore with keys opens with a well-known password or with none",
    cites: &[
        Cite { document: "NIST SP 800-57 part 1 r5", section: "6.2.2.3" },
        Cite { document: "NIST SP 800-63B", section: "5.1.1.2" },
        Cite { document: "CWE-1393", section: "Use of Default Password" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem"],
    reach: Reach::WhereShown,
    check: Check::Keystore(check),
};

fn check(asset: &Asset, store: &Keystore, cx: &RuleContext<'_>) -> Outcome {
    if is_shipped(asset, cx) {
        return Outcome::NotApplicable;
    }
    let keys: Vec<&StoreEntry> = store.entries.iter().filter(|entry| is_key(entry.holds)).collect();
    // Of a store as a whole it is not known what the entries are that were not kept.
    let all_seen = store.count.is_none_or(|count| count as usize <= store.entries.len())
        && store.entries.iter().all(|entry| entry.holds != Holds::Unknown);
    let opened = match &store.lock {
        Lock::Configured => return Outcome::Met,
        Lock::Closed(why) if resists(why) => return Outcome::Met,
        Lock::Closed(why) => return Outcome::Unknown(format!("it stayed closed: {why}")),
        Lock::WellKnown(password) if password.is_empty() => {
            "the empty password opens it".to_owned()
        }
        Lock::WellKnown(password) => format!("`{password}` opens it, as manuals say"),
        Lock::None => "it has no password".to_owned(),
    };
    if keys.is_empty() && !all_seen {
        return Outcome::Unknown(format!("{opened}, but not all that it holds was told apart"));
    }
    if keys.is_empty() {
        return Outcome::MetBecause(format!("{opened}, but it holds certificates only"));
    }
    if keys.iter().all(|entry| is_published(entry)) {
        return Outcome::NotApplicableBecause("every key in it is published".to_owned());
    }
    let count = keys.len();
    let word = if count == 1 { "key" } else { "keys" };
    Outcome::NotMet(format!("{opened}, and {count} {word} with it"))
}

fn is_key(holds: Holds) -> bool {
    matches!(holds, Holds::PrivateKey | Holds::SecretKey)
}

/// Passwords of the manuals are among those that are tried; the reader of keystores says in these
/// words that none fits. Were they others one day, the outcome would be unknown.
fn resists(why: &str) -> bool {
    why.contains("tried fits") || why.contains("tried does not fit")
}

fn is_published(entry: &StoreEntry) -> bool {
    entry.assets.iter().any(|id| id.kind == Kind::Key && published(&id.sha256).is_some())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::fixtures::{World, check, limits, test_key};

    use pki_inventory::{AssetId, Holds, Keystore, Kind, Lock, StoreEntry};

    fn store(lock: Lock, holds: &[Holds]) -> Keystore {
        let entry = |holds: &Holds| StoreEntry {
            alias: None,
            holds: *holds,
            assets: Vec::new(),
            created: None,
        };
        Keystore {
            format: "JKS".to_owned(),
            lock,
            integrity: None,
            protection: Vec::new(),
            count: u32::try_from(holds.len()).ok(),
            entries: holds.iter().map(entry).collect(),
        }
    }

    fn outcome(store: Keystore, expected: &'static str) {
        check(&RULE, &World::default().keystore(store), &limits(), expected);
    }

    fn default() -> Lock {
        Lock::WellKnown("changeit".to_owned())
    }

    #[test]
    fn met_under_another_password_or_with_certificates_only() {
        outcome(store(Lock::Configured, &[Holds::PrivateKey]), "met");
        let none = "none of the 9 passwords that were tried fits".to_owned();
        outcome(store(Lock::Closed(none), &[Holds::Unknown]), "met");
        outcome(store(default(), &[Holds::Certificate]), "met");
        outcome(store(Lock::None, &[Holds::Certificate]), "met");
    }

    #[test]
    fn not_met_when_a_manual_opens_a_key_or_nothing_is_needed() {
        outcome(store(default(), &[Holds::Certificate, Holds::PrivateKey]), "not-met");
        outcome(store(default(), &[Holds::SecretKey]), "not-met");
        outcome(store(Lock::None, &[Holds::PrivateKey]), "not-met");
    }

    #[test]
    fn unknown_when_it_is_not_opened_or_not_told_apart() {
        outcome(store(Lock::Closed("this format is not opened here".to_owned()), &[]), "unknown");
        outcome(store(default(), &[Holds::Unknown]), "unknown");
        let more = Keystore { count: Some(3000), ..store(default(), &[Holds::Certificate]) };
        outcome(more, "unknown");
    }

    #[test]
    fn not_applicable_when_its_keys_are_published_or_it_comes_with_software() {
        let mut test = store(default(), &[Holds::PrivateKey]);
        test.entries[0].assets.push(AssetId::new(Kind::Key, test_key()));
        outcome(test, "not-applicable");
        let shipped = crate::Limits { shipped: vec!["file:///s*".to_owned()], ..limits() };
        let world = World::default().keystore(store(default(), &[Holds::PrivateKey]));
        check(&RULE, &world, &shipped, "not-applicable");
    }
}
