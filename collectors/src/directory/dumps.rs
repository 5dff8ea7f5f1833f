//! Files that were exported elsewhere: dumps of directories (RFC 2849), and what an authority's
//! database says of what it issued.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pki_config::{AuthorityRecords, DirectoryDump};
use pki_descriptors::{Principals, Sid};
use pki_directory::{adcs, certificates, ldif, records};
use pki_encodings::Report as _;
use pki_inventory::{FileFacts, GapReason, Observation, Place, Raw, Time};

use super::active_directory::ambiguous;
use super::items::size;
use super::ranges;
use super::report::EntryReport;
use super::session::{Tally, cover};
use crate::{CollectError, Context, Sink};

/// Accounts and groups of one dump that are kept.
const MOST_PRINCIPALS: usize = 5_000_000;

/// Broken parts of one file that are named.
const MOST_NAMED: usize = 8;

/// Octets of a file that are read at a time.
const BUFFER: usize = 256 * 1024;

/// What is wrong with a file.
#[derive(Default)]
struct Damages {
    named: Vec<String>,
    more: u64,
}

/// Reads every dump and every export.
///
/// # Errors
///
/// When nobody takes observations any more.
pub(super) fn read(cx: &Context, out: &Sink) -> Result<(), CollectError> {
    for DirectoryDump { path, .. } in &cx.directory.dumps {
        file(cx, out, path, |tally, facts| dump(cx, out, path, facts, tally))?;
    }
    for AuthorityRecords { path, authority, .. } in &cx.directory.records {
        let authority = authority.as_deref();
        file(cx, out, path, |tally, facts| export(cx, out, path, authority, facts, tally))?;
    }
    Ok(())
}

/// What came of a file.
enum Ended {
    Whole,
    Failed(std::io::Error),
    Closed(CollectError),
    /// The run is to end.
    Cancelled,
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<CollectError> for Ended {
    fn from(error: CollectError) -> Self {
        Self::Closed(error)
    }
}

/// Reads one file and says how much of it was read.
fn file(
    cx: &Context,
    out: &Sink,
    path: &Path,
    read: impl FnOnce(&mut Tally, &FileFacts) -> Result<(), Ended>,
) -> Result<(), CollectError> {
    let mut tally = Tally::default();
    let place = Place::file(path);
    let ended = match path.metadata() {
        // Opening what is no regular file may wait for ever.
        Ok(facts) if !facts.is_file() => {
            tally.gap(place.clone(), GapReason::NotRegularFile, "is no regular file".to_owned());
            Ended::Whole
        }
        Ok(facts) => {
            // The file is as of this instant, whatever the clock of the run says.
            let (uid, gid, written) = (facts.uid(), facts.gid(), Time(facts.mtime()));
            let facts = FileFacts::of(facts.mode() & 0o7777, uid, gid, written);
            read(&mut tally, &facts).err().unwrap_or(Ended::Whole)
        }
        Err(error) => Ended::Failed(error),
    };
    match ended {
        Ended::Whole => {}
        Ended::Cancelled => {
            let detail = "the run was ended while this was read".to_owned();
            tally.gap(place, GapReason::RunEnded, detail);
        }
        Ended::Closed(error) => return Err(error),
        Ended::Failed(error) => {
            let reason = match error.kind() {
                std::io::ErrorKind::PermissionDenied => GapReason::PermissionDenied,
                std::io::ErrorKind::InvalidData => GapReason::Unrecognised,
                _ => GapReason::ReadFailed,
            };
            tally.gap(place, reason, format!("{error}; check the path and the format of the file"));
        }
    }
    cover(cx, path.display().to_string(), tally).send_blocking(out)
}

/// Reads a dump twice: who is in which group has to be known before access lists are read.
fn dump(
    cx: &Context,
    out: &Sink,
    path: &Path,
    facts: &FileFacts,
    tally: &mut Tally,
) -> Result<(), Ended> {
    let place = Place::file(path);
    let (principals, hosts) = first(|| cx.is_cancelled(), path, MOST_PRINCIPALS, tally)?;
    let mut reader = ldif::Reader::new(opened(path)?);
    let (mut damages, mut found) = (Damages::default(), Vec::new());
    while let Some(next) = reader.next_entry()? {
        let entry = match next {
            Ok(entry) => entry,
            Err(damage) => {
                damages.add(&damage);
                continue;
            }
        };
        let at = place.within(entry.dn.as_bytes());
        let mut report = EntryReport::new(at, cx.now(), Some(facts), &mut found, tally);
        if adcs::is_known(&entry) {
            adcs::read(&entry, &principals, &hosts, &mut report);
        } else {
            certificates::read(&entry, &mut report);
        }
        for name in ranges::cut_off(&entry) {
            let (reason, detail) = ranges::gap(&name, entry.values(&name).count() as u64, "");
            report.gap(reason, detail);
        }
        report.finish();
        one_more(cx, out, tally, size(&entry), &mut found)?;
    }
    damages.file(tally, place);
    Ok(())
}

/// Accounts, groups and the hosts of authorities.
fn first(
    is_cancelled: impl Fn() -> bool,
    path: &Path,
    most: usize,
    tally: &mut Tally,
) -> Result<(Principals, Vec<String>), Ended> {
    let mut principals = Principals::default();
    let mut domains = adcs::Domains::default();
    let mut hosts = BTreeSet::new();
    let mut computers: BTreeMap<String, BTreeSet<Sid>> = BTreeMap::new();
    let mut reader = ldif::Reader::new(opened(path)?);
    let mut count: usize = 0;
    while let Some(next) = reader.next_entry()? {
        if is_cancelled() {
            return Err(Ended::Cancelled);
        }
        // What is broken is said in the second pass.
        let Ok(entry) = next else { continue };
        let host = || entry.text("dNSHostName").map(str::to_lowercase);
        if entry.is_a("pKIEnrollmentService") {
            hosts.extend(host());
        }
        domains.add(&entry);
        let Some(principal) = adcs::principal(&entry) else { continue };
        count += 1;
        if count > most {
            continue;
        }
        if ranges::cut_off(&entry).iter().any(|name| name.eq_ignore_ascii_case("member")) {
            principals.incomplete(&principal.dn);
        }
        if let Some(host) = host() {
            computers.entry(host).or_default().insert(principal.sid.clone());
        }
        principals.add(principal);
    }
    for host in &hosts {
        let its = computers.remove(host).unwrap_or_default();
        if its.len() > 1 {
            let (reason, detail) = ambiguous(host, its.len());
            tally.gap(Place::file(path), reason, detail);
        } else {
            principals.trust(its);
        }
    }
    if count > most {
        let detail = format!(
            "{count} accounts and groups, of which {most} are kept; who the others are and what they \
             are in is not known, and what depends on it is `unknown`"
        );
        tally.gap(Place::file(path), GapReason::LimitReached, detail);
        incomplete(&is_cancelled, path, most, &mut principals)?;
    }
    domains.rename(&mut principals);
    Ok((principals, hosts.into_iter().collect()))
}

/// Says of every group that was kept that others may be in it. Their names are read once more: there
/// may be millions.
fn incomplete(
    is_cancelled: &impl Fn() -> bool,
    path: &Path,
    most: usize,
    principals: &mut Principals,
) -> Result<(), Ended> {
    let mut reader = ldif::Reader::new(opened(path)?);
    let mut count = 0;
    while let Some(next) = reader.next_entry()? {
        if is_cancelled() {
            return Err(Ended::Cancelled);
        }
        let Some(principal) = next.ok().as_ref().and_then(adcs::principal) else { continue };
        count += 1;
        if count > most {
            break;
        }
        if principal.is_group {
            principals.incomplete(&principal.dn);
        }
    }
    Ok(())
}

/// Reads what an authority's database says.
fn export(
    cx: &Context,
    out: &Sink,
    path: &Path,
    authority: Option<&str>,
    facts: &FileFacts,
    tally: &mut Tally,
) -> Result<(), Ended> {
    let place = Place::file(path);
    let mut reader = records::Reader::new(opened(path)?, authority)?;
    let (mut damages, mut found, mut number) = (Damages::default(), Vec::new(), 0u32);
    while let Some(next) = reader.next_row()? {
        number = number.saturating_add(1);
        let row = match next {
            Ok(row) => row,
            Err(damage) => {
                damages.add(&damage);
                continue;
            }
        };
        // A row is one object of the file, with the certificate in it.
        let at = place.object(number);
        let octets = row.certificate.as_ref().map_or(0, Vec::len);
        let mut report = EntryReport::new(at, cx.now(), Some(facts), &mut found, tally).row();
        report.object(Raw::Issuance(Box::new(row.issuance)).into());
        if let Some(certificate) = row.certificate {
            report.object(Raw::Certificate(certificate).into());
        }
        report.finish();
        one_more(cx, out, tally, octets, &mut found)?;
    }
    damages.file(tally, place);
    Ok(())
}

/// Counts an entry or a row and hands in what was in it.
fn one_more(
    cx: &Context,
    out: &Sink,
    tally: &mut Tally,
    octets: usize,
    found: &mut Vec<Observation>,
) -> Result<(), Ended> {
    tally.read += 1;
    tally.octets += octets as u64;
    cx.progress.ask(1);
    cx.progress.finish(1);
    found.drain(..).try_for_each(|observation| out.send_blocking(observation))?;
    if cx.is_cancelled() { Err(Ended::Cancelled) } else { Ok(()) }
}

fn opened(path: &Path) -> std::io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(BUFFER, File::open(path)?))
}

impl Damages {
    fn add(&mut self, damage: &ldif::Damage) {
        if self.named.len() < MOST_NAMED {
            self.named.push(format!("line {}: {}", damage.line, damage.what));
        } else {
            self.more += 1;
        }
    }

    fn file(self, tally: &mut Tally, place: Place) {
        if self.named.is_empty() {
            return;
        }
        let more = match self.more {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        tally.gap(place, GapReason::Damaged, format!("{}{more}", self.named.join("; ")));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_domain_is_called_by_its_netbios_name_wherever_in_the_dump_that_stands() {
        const DUMP: &str = "dn: CN=Ann,DC=corp,DC=example\nobjectClass: user\n\
            sAMAccountName: ann\nobjectSid: S-1-5-21-1-2-3-1105\n\n\
            dn: CN=ACME,CN=Partitions,CN=Configuration,DC=corp,DC=example\n\
            objectClass: crossRef\nnCName: DC=corp,DC=example\nnETBIOSName: ACME\n\n";
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(DUMP.as_bytes()).expect("written");
        let read = first(|| false, file.path(), 9, &mut Tally::default());
        let (principals, _) = read.unwrap_or_else(|_| panic!("read to its end"));
        let (name, _) = principals.standing_of("CN=Ann,DC=corp,DC=example").expect("known");
        assert_eq!(name, r"ACME\ann");
    }

    #[test]
    fn a_host_that_two_computers_say_they_are_is_neither() {
        const DUMP: &str = "dn: CN=CA,DC=corp\nobjectClass: pKIEnrollmentService\n\
            dNSHostName: CA.corp\n\n\
            dn: CN=One,DC=corp\nobjectClass: computer\nsAMAccountName: One$\n\
            dNSHostName: ca.corp\nobjectSid: S-1-5-21-1-2-3-1105\n\n";
        let other = DUMP.split_once("\n\n").expect("two").1;
        let other = other.replace("One", "Two").replace("-1105", "-1106");
        let again = DUMP.split_once("\n\n").expect("two").1;
        for (dump, is_trusted) in [
            (DUMP.to_owned(), true),
            (format!("{DUMP}{other}"), false),
            // Dumps laid together may have one twice.
            (format!("{DUMP}{again}"), true),
        ] {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(dump.as_bytes()).expect("written");
            let mut tally = Tally::default();
            let read = first(|| false, file.path(), 9, &mut tally);
            let (principals, _) = read.unwrap_or_else(|_| panic!("read to its end"));
            let standing = principals.standing_of("CN=One,DC=corp").expect("known");
            assert_eq!((standing.1, tally.is_whole()), (is_trusted, is_trusted));
        }
    }

    #[test]
    fn groups_of_a_dump_that_is_not_kept_as_a_whole_may_have_more_members() {
        const DUMP: &str = "dn: CN=G,DC=corp\nobjectClass: group\nsAMAccountName: G\n\
            objectSid: S-1-5-21-1-2-3-1104\n\n\
            dn: CN=A,DC=corp\nobjectClass: user\nsAMAccountName: A\n\
            objectSid: S-1-5-21-1-2-3-1105\nmemberOf: CN=G,DC=corp\n\n\
            dn: CN=CA,DC=corp\nobjectClass: pKIEnrollmentService\ndNSHostName: ca.corp\n\n";
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(DUMP.as_bytes()).expect("written");
        for (most, is_whole) in [(2, true), (1, false)] {
            let mut tally = Tally::default();
            let read = first(|| false, file.path(), most, &mut tally);
            let (principals, hosts) = read.unwrap_or_else(|_| panic!("read to its end"));
            assert_eq!(tally.is_whole(), is_whole, "{tally:?}");
            // Authorities are found wherever they stand.
            assert_eq!(hosts, ["ca.corp"]);
            let known = format!("{principals:?}");
            assert_eq!(known.contains("incomplete: true"), !is_whole, "{known}");
        }
    }
}
