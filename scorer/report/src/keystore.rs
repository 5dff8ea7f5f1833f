//! What people read of a keystore.

use pki_inventory::{Holds, Keystore, Lock, StoreEntry, View};

use crate::told::{Rows, Told};
use crate::{sighting, words};

/// How far it was opened.
pub(crate) fn lock(lock: &Lock) -> String {
    match lock {
        Lock::Closed(why) => format!("closed: {why}"),
        Lock::Configured => "opened by a configured password".to_owned(),
        Lock::WellKnown(password) if password.is_empty() => {
            "opened by the empty password".to_owned()
        }
        Lock::WellKnown(password) => format!("opened by the well-known password \"{password}\""),
        Lock::None => "no lock: reading the file is enough".to_owned(),
    }
}

/// The word for a lock's state in exports.
pub(crate) fn lock_name(lock: &Lock) -> &'static str {
    match lock {
        Lock::Closed(_) => "closed",
        Lock::Configured => "configured",
        Lock::WellKnown(_) => "well-known",
        Lock::None => "none",
    }
}

/// What an entry holds.
pub(crate) fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::PrivateKey => "private key",
        Holds::Certificate => "certificate",
        Holds::SecretKey => "secret key",
        Holds::Unknown => "not to be told",
    }
}

/// How many entries there are, and how many of them could be seen.
pub(crate) fn entries(store: &Keystore) -> String {
    let seen = store.entries.len();
    match store.count {
        None if seen == 0 => "number of entries not visible".to_owned(),
        None => format!("{} seen", words::count(seen, "entry", "entries")),
        Some(count) => {
            let all = words::count(count as usize, "entry", "entries");
            if seen == count as usize { all } else { format!("{all}, {seen} of them seen") }
        }
    }
}

/// Each way in which encrypted parts are protected.
pub(crate) fn protection(store: &Keystore) -> Vec<String> {
    store.protection.iter().map(sighting::wrapped).collect()
}

/// An entry's name, content and date.
pub(crate) fn entry(entry: &StoreEntry) -> String {
    let alias = entry.alias.as_ref();
    let alias = alias.map_or_else(|| "without a name".to_owned(), |alias| format!("\"{alias}\""));
    let created = entry.created.map_or_else(String::new, |at| format!(", put in on {}", at.date()));
    format!("{alias}: {}{created}", holds(entry.holds))
}

/// All of it.
pub(crate) fn rows(store: &Keystore, view: &View<'_>) -> Rows {
    let stated = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
    let mut listed = vec![Told::text(entries(store))];
    for one in &store.entries {
        listed.push(Told::text(entry(one)));
        listed.extend(one.assets.iter().map(|id| Told::asset(*id, view)));
    }
    vec![
        ("format", vec![Told::text(store.format.clone())]),
        ("lock", vec![Told::text(lock(&store.lock))]),
        ("integrity", vec![Told::text(stated(&store.integrity))]),
        ("protection", Told::texts(protection(store))),
        ("entries", listed),
    ]
}
