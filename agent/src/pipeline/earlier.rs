//! What earlier runs are good for: one to go on with, one to expect the same of.

use pki_store::{Outcome, RunId, RunRecord, SqliteStore, Store as _, StoreError};

use super::NOTHING_READ;
use crate::scope::{Scope, Scopes};

/// The latest run, if it did not come to its end; `None` when there is nothing to go on with.
///
/// # Errors
///
/// When it is still going on, or was asked for something else.
pub(super) fn unfinished(
    store: &SqliteStore,
    runs: &[RunRecord],
    scope: &Scope,
) -> anyhow::Result<Option<RunId>> {
    let Some(latest) = runs.last() else { return Ok(None) };
    let run = latest.id;
    match &latest.outcome {
        Outcome::Running => anyhow::bail!("run {run} is still going on; wait until it is done"),
        Outcome::Completed => return Ok(None),
        // It asked everybody, and nobody answered.
        Outcome::Failed(reason) if reason == NOTHING_READ => return Ok(None),
        Outcome::Interrupted | Outcome::Cancelled | Outcome::Failed(_) => {}
    }
    let its = Scope::recorded(store, latest)?;
    anyhow::ensure!(
        its.is_same_work_as(scope),
        "run {run} was asked for something else and cannot be gone on with: {} Give the same \
         settings and options, or leave out --resume to begin a new run",
        its.sentences().join(" ")
    );
    Ok(Some(run))
}

/// How many places the latest completed run with the same scope asked for.
pub(super) fn expected_places(
    store: &SqliteStore,
    earlier: &[RunRecord],
    scope: &Scope,
) -> Result<Option<u64>, StoreError> {
    let mut scopes = Scopes::that(store, |its| its.is_same_work_as(scope));
    for before in earlier.iter().rev().filter(|run| run.outcome == Outcome::Completed) {
        if scopes.fit(before)? {
            let coverage = store.coverage(before.id)?;
            return Ok(Some(coverage.iter().map(|(_, _, coverage)| coverage.asked).sum()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use pki_config::Settings;
    use pki_inventory::{Coverage, Digest, Time};
    use pki_store::{Batch, RunEnd, RunStart};

    use super::*;

    fn begin(store: &mut SqliteStore, scope: &Scope) -> RunId {
        let start = RunStart {
            started: Time(0),
            scope: scope.to_json(),
            config_digest: Digest::of(b""),
            agent_version: "0".to_owned(),
        };
        store.begin_run(&start).expect("begins")
    }

    fn at(target: &str) -> Scope {
        let mut settings = Settings::default();
        settings.tls.targets = vec![target.parse().expect("a target")];
        Scope::of(&settings, &[], None)
    }

    #[test]
    fn only_an_unfinished_run_of_the_same_scope_is_gone_on_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = SqliteStore::open(folder.path().join("store.sqlite")).expect("opens");
        let scope = at("a.test:443");
        let found = |store: &SqliteStore, scope: &Scope| {
            unfinished(store, &store.runs().expect("lists"), scope).map_err(|e| e.to_string())
        };
        assert_eq!(found(&store, &scope), Ok(None), "there is none at all");
        let run = begin(&mut store, &scope);
        let busy = found(&store, &scope).expect_err("must be refused");
        assert!(busy.contains("still going on"), "{busy}");
        store.end_run(run, Time(1), RunEnd::Cancelled).expect("ends");
        for (end, goes_on) in [
            (RunEnd::Cancelled, true),
            (RunEnd::Failed("the disk was full".to_owned()), true),
            (RunEnd::Failed(NOTHING_READ.to_owned()), false),
            (RunEnd::Completed, false),
        ] {
            let run = begin(&mut store, &scope);
            store.end_run(run, Time(2), end.clone()).expect("ends");
            assert_eq!(found(&store, &scope), Ok(goes_on.then_some(run)), "{end:?}");
            let other = found(&store, &at("b.test:443"));
            match goes_on {
                true => assert!(other.expect_err("refused").contains("TLS at a.test:443.")),
                false => assert_eq!(other, Ok(None)),
            }
        }
    }

    #[test]
    fn as_much_is_expected_as_the_latest_completed_run_of_the_same_scope_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = SqliteStore::open(folder.path().join("store.sqlite")).expect("opens");
        for (target, asked, end) in [
            ("a.test:443", 7, RunEnd::Completed),
            ("a.test:443", 8, RunEnd::Completed),
            ("b.test:443", 9, RunEnd::Completed),
            ("a.test:443", 1, RunEnd::Cancelled),
        ] {
            let run = begin(&mut store, &at(target));
            let coverage = Coverage {
                finished: Time(0),
                asked,
                read: 0,
                not_read: 0,
                octets: 0,
                unchanged: 0,
            };
            let coverage = vec![("tls".to_owned(), target.to_owned(), coverage)];
            store.record(run, &Batch { coverage, ..Batch::default() }).expect("records");
            store.end_run(run, Time(1), end).expect("ends");
        }
        let runs = store.runs().expect("lists");
        for (target, expected) in
            [("a.test:443", Some(8)), ("b.test:443", Some(9)), ("c.test:443", None)]
        {
            let found = expected_places(&store, &runs, &at(target)).expect("loads");
            assert_eq!(found, expected, "{target}");
        }
    }
}
