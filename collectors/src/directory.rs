//! `directory`: what LDAP directories hold, Active Directory Certificate Services above all.
//!
//! ## Sees
//! Authorities, templates, stores, policies and access lists of AD CS; certificates and revocation
//! lists in the attributes of RFC 4523; the same in dumps; what an authority's database says of what
//! it issued. The directory's own certificate.
//! ## Cannot see
//! What is in the registry of an authority's host or in its memory; what the account it binds with
//! may not read. Members of groups beyond the first thousand (a gap says so). Other domains of a forest, unless
//! their servers are listed in `referrals`.
//!
//! ## How
//! ldap3 speaks the protocol, behind a guard of our own ([`guard`], [`shape`]): a server is a
//! stranger like any other. Its certificate is verified ([`trust`]) before anything is asked, a bind
//! is tried once, and only searches follow.

mod active_directory;
mod addresses;
mod answers;
mod connection;
mod dumps;
mod guard;
mod items;
#[cfg(feature = "kerberos")]
mod kerberos;
mod lines;
mod people;
mod plain;
mod ranges;
mod referrals;
mod report;
mod search;
mod session;
mod shape;
mod trail;
mod tries;
mod trust;

use std::sync::Arc;

use pki_config::DirectoryServer;
use pki_directory::Entry;
use pki_inventory::{GapReason, Observation};
use tokio::task::JoinSet;

use self::lines::Line;
use self::report::EntryReport;
use self::search::Manner;
use self::session::{Session, Tally, Trouble};
use self::tries::Account;
use crate::{BoxFuture, CollectError, Collector, Context, Sink};

/// The name in sightings, gaps and coverage.
const NAME: &str = "directory";

/// What the root of a directory is asked (RFC 4512, 5.1; [MS-ADTS], 3.1.1.3.2).
const ROOT: &[&str] = &[
    "configurationNamingContext",
    "defaultNamingContext",
    "namingContexts",
    "rootDomainNamingContext",
    "supportedCapabilities",
    "supportedControl",
    "vendorName",
];

/// Reads directories.
pub(crate) struct Directory;

impl Collector for Directory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn collect<'a>(
        &'a self,
        cx: &'a Context,
        out: Sink,
    ) -> BoxFuture<'a, Result<(), CollectError>> {
        Box::pin(async move {
            // One that is slow keeps no other waiting.
            let mut tasks = JoinSet::new();
            let accounts = tries::accounts(&cx.directory.servers, &cx.directory_passwords);
            for (number, account) in accounts.into_iter().enumerate() {
                let (cx, out) = (cx.clone(), out.clone());
                tasks.spawn(async move { server(&cx, &out, number, account).await });
            }
            let files = cx.clone();
            if !(cx.directory.dumps.is_empty() && cx.directory.records.is_empty()) {
                tasks.spawn_blocking(move || dumps::read(&files, &out));
            }
            let mut result = Ok(());
            while let Some(ended) = tasks.join_next().await {
                match ended {
                    Ok(ended) => result = result.and(ended),
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => result = result.and(Err(CollectError::SinkClosed)),
                    },
                }
            }
            result
        })
    }
}

/// Reads one directory.
async fn server(
    cx: &Context,
    out: &Sink,
    number: usize,
    account: Option<Arc<Account>>,
) -> Result<(), CollectError> {
    let server: &DirectoryServer = &cx.directory.servers[number];
    let password = cx.directory_passwords.get(number).and_then(Option::as_ref);
    let mut session = Session::new(cx, out, server, password, account);
    let mut tally = Tally::default();
    let how = (Manner::Standard, Line::Pages);
    let root = search::one(&mut session, &mut tally, "", ROOT, how).await;
    let ended = match root {
        // Its gap is noted.
        Ok(None) => {
            if tally.is_whole() {
                let detail = "the server tells nothing of itself; check the rights of the account";
                let reason = GapReason::PermissionDenied;
                tally.gap(session.place(""), reason, detail.to_owned());
            }
            Ok(())
        }
        Ok(Some(root)) => {
            tracing::debug!(
                server = server.name(),
                vendor = root.text("vendorName").map(|name| session.quoted(name)),
                "The directory answers."
            );
            match root.text("configurationNamingContext") {
                Some(_) => active_directory::read(&mut session, &root).await,
                None => plain::read(&mut session, &root).await,
            }
        }
        Err(trouble) => Err(trouble),
    };
    let notes = std::mem::take(&mut session.notes);
    for detail in session.limits.sentences().into_iter().chain(notes) {
        tally.gap(session.place(""), GapReason::LimitReached, detail);
    }
    if !tally.is_whole() {
        session.cover("", tally).await?;
    }
    match ended {
        Err(Trouble::Closed(error)) => Err(error),
        // Whatever else ended it is a gap by now.
        _ => Ok(()),
    }
}

/// Reports the entries of a page through a reader, in one go.
async fn hand_in(
    session: &Session<'_>,
    tally: &mut Tally,
    entries: &[Entry],
    mut read: impl FnMut(&Entry, &mut EntryReport<'_>),
) -> Result<(), CollectError> {
    let now = session.cx.now();
    let mut found: Vec<Observation> = Vec::new();
    for entry in entries {
        let place = session.place(&entry.dn);
        let mut report = EntryReport::new(place, now, None, &mut found, tally);
        read(entry, &mut report);
        report.finish();
        tally.read += 1;
        tally.octets += items::size(entry) as u64;
    }
    session.cx.progress.ask(entries.len() as u64);
    session.cx.progress.finish(entries.len() as u64);
    if found.is_empty() { Ok(()) } else { session.out.send_together(found).await }
}
