//! Logins that were refused are remembered.

use pki_inventory::Digest;
use pki_store::{SqliteStore, Store as _, StoreError};

use super::{later, open};

#[test]
fn a_refused_login_is_kept_once_and_over_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut logins = [Digest::of(b"slot 1, user"), Digest::of(b"slot 2, user")];
    logins.sort();
    let mut store = open(folder.path());
    assert_eq!(store.refused_logins().expect("loads"), []);
    for (login, hour) in [(logins[1], 1), (logins[0], 2), (logins[1], 3)] {
        store.add_refused_login(login, later(hour)).expect("keeps");
    }
    let worked = Digest::of(b"slot 3, user");
    store.add_refused_login(worked, later(4)).expect("keeps");
    store.remove_refused_login(worked).expect("forgets");
    store.remove_refused_login(Digest::of(b"never there")).expect("forgets");
    let path = store.path().to_owned();
    drop(store);
    assert_eq!(open(folder.path()).refused_logins().expect("loads"), logins);

    let mut reader = SqliteStore::open_read_only(path).expect("opens");
    assert_eq!(reader.refused_logins().expect("loads"), logins);
    let refused = reader.add_refused_login(Digest::of(b"another"), later(4));
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
}

#[test]
fn a_refused_login_is_there_for_others_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let run = store.begin_run(&super::start(0)).expect("begins");
    let login = Digest::of(b"slot 1, user");
    store.add_refused_login(login, later(0)).expect("keeps");
    // Whatever becomes of the run: it may be killed now.
    let reader = SqliteStore::open_read_only(store.path()).expect("opens");
    assert_eq!(reader.refused_logins().expect("loads"), [login]);
    store.end_run(run, later(1), pki_store::RunEnd::Cancelled).expect("ends");
    assert_eq!(store.verify_chain().expect("verifies"), []);
}
