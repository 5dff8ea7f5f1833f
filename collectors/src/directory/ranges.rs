//! Attributes of which a server gives some values only, with the range in the name: `member;range=0-1499`
//! ([MS-ADTS], 3.1.1.3.1.3.3). The rest is asked for part by part; the last one ends in `-*`.

use ldap3::Scope;
use pki_directory::Entry;
use pki_inventory::GapReason;

use super::lines::Line;
use super::search::{Manner, Query, Search};
use super::session::{Session, Tally, Trouble};

/// Values and octets of one entry that are fetched in this way.
const MOST_VALUES: usize = 100_000;
const MOST_OCTETS: usize = 64 * 1024 * 1024;
/// Questions about one entry.
const MOST_PARTS: usize = 1000;
/// Values of all entries of one server.
pub(super) const MOST_IN_ALL: u64 = 5_000_000;

/// The longest name of an attribute that is sent back.
const LONGEST_NAME: usize = 128;

/// A name with a range in it.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    /// Without the range, with what other options there are.
    name: String,
    first: u64,
    /// Absent for the last part.
    last: Option<u64>,
}

/// What may still be asked for one entry.
struct Left {
    parts: usize,
    values: usize,
    octets: usize,
}

/// The attributes of which more values follow: a dump may have all parts in one entry.
pub(super) fn cut_off(entry: &Entry) -> Vec<String> {
    let parts: Vec<Part> = entry.attributes.iter().filter_map(|(name, _)| part(name)).collect();
    let is_last =
        |name: &str| parts.iter().any(|it| it.last.is_none() && it.name.eq_ignore_ascii_case(name));
    let open = parts.iter().filter(|it| it.last.is_some() && !is_last(&it.name));
    let mut names: Vec<String> = open.map(|it| it.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// What is said of an attribute that was not read as a whole.
pub(super) fn gap(name: &str, count: u64, why: &str) -> (GapReason, String) {
    let detail = format!(
        "of `{name}` only the first {count} values were read{why}; what the others are is not known"
    );
    (GapReason::LimitReached, detail)
}

/// Fetches what is left of the attributes of entries. Where the server does not go on, that is
/// noted, and the range stays in the name.
///
/// # Errors
///
/// What ends more than this. The entries are what they are by then.
pub(super) async fn complete(
    session: &mut Session<'_>,
    tally: &mut Tally,
    like: &Search,
    entries: &mut [Entry],
) -> Result<(), Trouble> {
    let mut ended = Ok(());
    for entry in entries {
        if !entry.attributes.iter().any(|(name, _)| part(name).is_some_and(|it| it.last.is_some()))
        {
            continue;
        }
        let mut left = Left { parts: MOST_PARTS, values: MOST_VALUES, octets: MOST_OCTETS };
        for at in 0..entry.attributes.len() {
            let Some(Part { name, first: 0, last: Some(_) }) = part(&entry.attributes[at].0) else {
                continue;
            };
            let why = match &ended {
                Ok(()) => one(session, like, entry, at, &mut left).await,
                Err(_) => Ok(Some("the time was over".to_owned())),
            };
            let why = match why {
                Ok(None) => continue,
                Ok(Some(why)) => why,
                Err(trouble) => {
                    ended = Err(trouble);
                    "the reading was ended".to_owned()
                }
            };
            let count = entry.attributes[at].1.len() as u64;
            let (reason, detail) = gap(&name, count, &format!(": {why}"));
            tally.gap(session.place(&entry.dn), reason, detail);
        }
    }
    ended
}

/// Fetches the rest of one attribute, or says why not.
async fn one(
    session: &mut Session<'_>,
    like: &Search,
    entry: &mut Entry,
    at: usize,
    left: &mut Left,
) -> Result<Option<String>, Trouble> {
    loop {
        let (written, values) = &mut entry.attributes[at];
        let Some(Part { name, last: Some(last), .. }) = part(written) else { return Ok(None) };
        let Some(next) = last.checked_add(1) else {
            return Ok(Some("the server counts them wrongly".to_owned()));
        };
        if left.parts == 0 || left.values == 0 || left.octets == 0 || session.values_left == 0 {
            return Ok(Some("more are not fetched".to_owned()));
        }
        left.parts -= 1;
        let query = Query {
            base: entry.dn.clone(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec![format!("{name};range={next}-*")],
            manner: like.manner().without_descriptors(),
            line: Line::Questions,
            ahead: false,
            most: None,
        };
        let mut missed = Tally::default();
        let mut search = Search::beside(like, query);
        let mut more = None;
        while let Some(page) = search.step(session, &mut missed).await? {
            let all = page.into_iter().flat_map(|entry| entry.attributes);
            more = more.or_else(|| {
                let mut found = all.filter_map(|(name, values)| Some((part(&name)?, values)));
                found.find(|(it, _)| it.first == next && it.name.eq_ignore_ascii_case(&name))
            });
        }
        let is_forward = |it: &(Part, Vec<Vec<u8>>)| {
            !it.1.is_empty() && it.0.last.is_none_or(|last| last >= next)
        };
        let Some((found, mut fetched)) = more.filter(is_forward) else {
            let why = missed.first().map(|(_, why)| why.to_owned());
            return Ok(Some(why.unwrap_or_else(|| "the server gives no more".to_owned())));
        };
        left.values = left.values.saturating_sub(fetched.len());
        let octets: usize = fetched.iter().map(Vec::len).sum();
        left.octets = left.octets.saturating_sub(octets);
        session.values_left = session.values_left.saturating_sub(fetched.len() as u64);
        values.append(&mut fetched);
        *written = match found.last {
            Some(last) => format!("{name};range=0-{last}"),
            None => name,
        };
    }
}

/// Takes a name apart that has a range in it. Names that no attribute can have are left alone: they
/// would be sent back (RFC 4512, 2.5).
fn part(written: &str) -> Option<Part> {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "-.;=*".contains(c);
    if written.len() > LONGEST_NAME || !written.contains(';') || !written.chars().all(is_usual) {
        return None;
    }
    let mut range = None;
    let mut name = String::with_capacity(written.len());
    for option in written.split(';') {
        match option.get(..6).filter(|start| start.eq_ignore_ascii_case("range=")) {
            Some(_) => range = Some(&option[6..]),
            None => {
                if !name.is_empty() {
                    name.push(';');
                }
                name.push_str(option);
            }
        }
    }
    let (first, last) = range?.split_once('-')?;
    let last = match last {
        "*" => None,
        last => Some(last.parse().ok()?),
    };
    Some(Part { name, first: first.parse().ok()?, last })
}

impl Manner {
    /// A part of an attribute needs no descriptor beside it.
    fn without_descriptors(self) -> Self {
        match self {
            Self::Standard => Self::Standard,
            Self::ActiveDirectory | Self::Descriptors => Self::ActiveDirectory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_the_range_in_its_name() {
        let told = |written| part(written).map(|it| (it.name, it.first, it.last));
        let some = |name: &str, first, last| Some((name.to_owned(), first, last));
        assert_eq!(told("member;range=0-1499"), some("member", 0, Some(1499)));
        assert_eq!(told("member;Range=1500-*"), some("member", 1500, None));
        assert_eq!(
            told("userCertificate;binary;range=0-9"),
            some("userCertificate;binary", 0, Some(9))
        );
        assert_eq!(told("a;range=0-9;binary"), some("a;binary", 0, Some(9)));
        for other in ["member", "userCertificate;binary", "a;range=", "a;range=-1", "a;range=0-x"] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(told("a(b;range=0-9"), None);
        assert_eq!(told(&format!("{};range=0-9", "a".repeat(200))), None);
    }

    #[test]
    fn an_attribute_is_whole_with_its_last_part() {
        let entry = |names: &[&str]| Entry {
            dn: "cn=a".to_owned(),
            attributes: names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect(),
        };
        assert_eq!(cut_off(&entry(&["member;range=0-9", "a;range=0-1"])), ["a", "member"]);
        let whole = ["member;range=0-9", "member;range=10-19", "Member;range=20-*"];
        assert_eq!(cut_off(&entry(&whole)), Vec::<String>::new());
        assert_eq!(cut_off(&entry(&whole[..2])), ["member"]);
    }
}
