//! Who is behind the security identifiers that access lists name: accounts, groups, the groups they
//! are in, and who is in those.

use std::collections::{BTreeMap, BTreeSet};

use ldap3::{Scope, ldap_escape};
use pki_descriptors::{Principals, Sid};
use pki_directory::{Entry, adcs};

use super::lines::Line;
use super::ranges;
use super::search::{self, Manner, Query, Search, named};
use super::session::{Session, Tally, Trouble};

/// What is asked of an account or a group.
const ATTRIBUTES: &[&str] =
    &["adminCount", "memberOf", "objectClass", "objectSid", "primaryGroupID", "sAMAccountName"];
/// The same, with those who are in it.
const WITH_MEMBERS: &[&str] = &[
    "adminCount",
    "member",
    "memberOf",
    "objectClass",
    "objectSid",
    "primaryGroupID",
    "sAMAccountName",
];

/// Identifiers asked for at a time.
const TOGETHER: usize = 40;
/// Identifiers that are looked up, in one directory.
const MOST_SIDS: usize = 10_000;
/// Groups that are looked at upwards.
const MOST_ABOVE: usize = 20_000;
/// Groups whose members are read.
const MOST_GROUPS: usize = 500;
/// Members of one group that are read.
const MOST_MEMBERS: u64 = 1000;

/// Characters of a name in a sentence.
const LONGEST_NAME: usize = 200;

/// LDAP_MATCHING_RULE_IN_CHAIN ([MS-ADTS], 3.1.1.3.4.4.3): members of members as well.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// Groups that everybody of some sort is in: their members are not counted.
const RELATIVES_OF_EVERYBODY: [u32; 3] = [513, 514, 515];

/// How questions about people are asked: one that breaks or lasts must not end the pages that it came
/// up between.
const MANNER: (Manner, Line) = (Manner::ActiveDirectory, Line::Questions);

/// What was not read of accounts and groups of one directory, for each limit of ours.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Identifiers that were not looked up.
    unnamed: u64,
    /// Accounts and groups whose groups were not looked at.
    nested: u64,
    /// Groups whose members were not read.
    groups: u64,
    /// Groups with more members than were read, and one of them.
    large: u64,
    such_as: String,
}

impl Limits {
    /// A sentence for each limit that was reached: what was not read, and what follows.
    pub(super) fn sentences(&self) -> Vec<String> {
        let Self { unnamed, nested, groups, large, such_as } = self;
        let all = [
            (
                *unnamed,
                format!(
                    "access lists name more than {MOST_SIDS} accounts and groups; of {unnamed} \
                     others only the identifiers are known, and what only they may do is `unknown`"
                ),
            ),
            (
                *nested,
                format!(
                    "more than {MOST_ABOVE} accounts and groups; what {nested} others are in is \
                     not known, and neither is what they may do by that"
                ),
            ),
            (
                *groups,
                format!(
                    "access lists name more than {MOST_GROUPS} groups that are no administrators; \
                     who is in {groups} others was not read, and what only they may do is `unknown`"
                ),
            ),
            (
                *large,
                format!(
                    "of groups with more than {MOST_MEMBERS} members that many were read; {large} \
                     are larger, such as {such_as}: who else is in them is not known, and what only \
                     they may do is `unknown`"
                ),
            ),
        ];
        all.into_iter().filter(|(count, _)| *count > 0).map(|(_, sentence)| sentence).collect()
    }

    fn add_large(&mut self, dn: &str) {
        if self.large == 0 {
            self.such_as = dn.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        }
        self.large += 1;
    }
}

/// What is known of accounts and groups so far.
pub(super) struct People {
    pub(super) principals: Principals,
    /// The naming contexts they may be in.
    domains: Vec<String>,
    /// What those are called.
    called: adcs::Domains,
    sids: BTreeSet<Sid>,
    names: BTreeSet<String>,
    /// Groups that entries named and that were not looked at.
    above: Vec<String>,
    /// Groups that access lists name, whose members are to be read.
    groups: BTreeMap<String, Sid>,
    expanded: usize,
}

impl People {
    pub(super) fn new(domains: Vec<String>, called: adcs::Domains) -> Self {
        Self {
            principals: Principals::default(),
            domains,
            called,
            sids: BTreeSet::new(),
            names: BTreeSet::new(),
            above: Vec::new(),
            groups: BTreeMap::new(),
            expanded: 0,
        }
    }

    /// An entry that was read for another reason.
    pub(super) fn add(&mut self, entry: &Entry) {
        self.names.insert(entry.dn.to_lowercase());
        self.above.extend(entry.texts("memberOf").map(str::to_owned));
        if let Some(principal) = self.called.principal(entry) {
            self.principals.add(principal);
        }
    }

    /// A group that an entry names.
    pub(super) fn named(&mut self, dn: &str) {
        self.above.push(dn.to_owned());
    }

    /// Those whom every ordinary account of a domain is, and everywhere.
    ///
    /// # Errors
    ///
    /// What ends more than this.
    pub(super) async fn broad(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
    ) -> Result<Vec<Sid>, Trouble> {
        let mut broad: Vec<Sid> = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546"]
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        for domain in self.domains.clone() {
            let asked = ["objectSid"];
            let entry = search::one(session, tally, &domain, &asked, MANNER).await?;
            let sid = entry.and_then(|entry| Sid::parse(entry.values("objectSid").next()?).ok());
            let relatives = RELATIVES_OF_EVERYBODY;
            broad.extend(sid.into_iter().flat_map(|sid| relatives.map(|last| sid.account(last))));
        }
        Ok(broad)
    }

    /// Looks up identifiers, the groups above them, and the members of those that are groups.
    ///
    /// # Errors
    ///
    /// What ends more than this.
    pub(super) async fn resolve(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
        sids: impl IntoIterator<Item = Sid>,
    ) -> Result<(), Trouble> {
        let mut wanted: Vec<Sid> = Vec::new();
        for sid in sids {
            if self.sids.contains(&sid) {
                continue;
            }
            if self.sids.len() >= MOST_SIDS {
                session.limits.unnamed += 1;
                continue;
            }
            self.sids.insert(sid.clone());
            wanted.push(sid);
        }
        for some in wanted.chunks(TOGETHER) {
            let filter: String =
                some.iter().map(|sid| format!("(objectSid={})", octets(sid))).collect();
            for domain in self.domains.clone() {
                let query = query(domain, format!("(|{filter})"), WITH_MEMBERS, None);
                let mut search = Search::new(query);
                while let Some(page) = search.next(session, tally).await? {
                    page.iter().for_each(|entry| self.found(entry));
                }
            }
        }
        self.climb(session, tally).await?;
        self.descend(session, tally).await
    }

    /// Says that nothing more is read: who is in the groups that are left is not known.
    pub(super) fn cut_short(&mut self) {
        while let Some((dn, _)) = self.groups.pop_first() {
            self.principals.incomplete(&dn);
        }
    }

    /// An entry that an access list names.
    fn found(&mut self, entry: &Entry) {
        self.add(entry);
        let sid = entry.values("objectSid").next().and_then(|sid| Sid::parse(sid).ok());
        if ranges::cut_off(entry).iter().any(|name| name.eq_ignore_ascii_case("member")) {
            self.principals.incomplete(&entry.dn);
        }
        if let Some(sid) = sid.filter(|_| entry.is_a("group")) {
            self.groups.insert(entry.dn.clone(), sid);
        }
    }

    /// Reads the groups that others are in, each once, up to the outermost.
    async fn climb(&mut self, session: &mut Session<'_>, tally: &mut Tally) -> Result<(), Trouble> {
        while let Some(dn) = self.above.pop() {
            if !self.names.insert(dn.to_lowercase()) {
                continue;
            }
            if self.names.len() > MOST_ABOVE {
                let left = self.above.drain(..).map(|dn| dn.to_lowercase());
                let left: BTreeSet<String> = left.filter(|dn| !self.names.contains(dn)).collect();
                session.limits.nested += 1 + left.len() as u64;
                return Ok(());
            }
            let asked = ATTRIBUTES;
            let entry = search::one(session, tally, &dn, asked, MANNER).await?;
            if let Some(entry) = entry {
                self.add(&entry);
            }
        }
        Ok(())
    }

    /// Reads who is in groups, members of members included.
    async fn descend(
        &mut self,
        session: &mut Session<'_>,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        while let Some((dn, sid)) = self.groups.pop_first() {
            let privileged = self.principals.standing_of(&dn).is_some_and(|(_, is)| is);
            if privileged || is_everybody(&sid) {
                continue;
            }
            if self.expanded >= MOST_GROUPS {
                session.limits.groups += 1;
                self.principals.incomplete(&dn);
                continue;
            }
            self.expanded += 1;
            let (mut is_said, mut is_large) = (false, false);
            for domain in self.domains.clone() {
                let in_chain = format!("(memberOf:{IN_CHAIN}:={})", ldap_escape(dn.as_str()));
                // Only accounts of its own domain can have it as their primary group.
                let own = is_below(&dn, &domain);
                let filter = match sid.relative().filter(|_| own) {
                    Some(relative) => format!("(|{in_chain}(primaryGroupID={relative}))"),
                    None => in_chain,
                };
                let mut missed = Tally::default();
                let query = query(domain, filter, ATTRIBUTES, Some(MOST_MEMBERS));
                let mut search = Search::new(query);
                loop {
                    let page = match search.next(session, &mut missed).await {
                        Ok(Some(page)) => page,
                        Ok(None) => break,
                        // What ends everything is said where it is looked for.
                        Err(trouble) => {
                            self.principals.incomplete(&dn);
                            let place = session.place(&dn);
                            session.file(tally, place, trouble)?;
                            break;
                        }
                    };
                    // What they are in besides is no matter here: they are ordinary or not by the
                    // groups that access lists name.
                    let found = page.iter().filter_map(|entry| self.called.principal(entry));
                    found.for_each(|it| self.principals.add(it));
                }
                if let Some((reason, why)) = missed.first().filter(|_| !is_said) {
                    is_said = true;
                    let detail = format!("who is in this group was not read as a whole: {why}");
                    tally.gap(session.place(&dn), reason, detail);
                }
                is_large |= search.more;
                if search.more || !missed.is_whole() {
                    self.principals.incomplete(&dn);
                }
            }
            if is_large {
                session.limits.add_large(&dn);
            }
        }
        Ok(())
    }
}

fn query(base: String, filter: String, attributes: &[&str], most: Option<u64>) -> Query {
    Query {
        base,
        scope: Scope::Subtree,
        filter,
        attributes: named(attributes),
        manner: MANNER.0,
        line: MANNER.1,
        ahead: false,
        most,
    }
}

fn is_everybody(sid: &Sid) -> bool {
    // S-1-5-21-…-513 and its like; S-1-1-0, S-1-5-11 and the built-in users and guests.
    let of_a_domain = sid.parts.first() == Some(&21);
    let last = sid.parts.last().copied().unwrap_or_default();
    if of_a_domain {
        return RELATIVES_OF_EVERYBODY.contains(&last);
    }
    sid.parts.len() < 2 || matches!(last, 545 | 546)
}

/// Whether an entry lies in a naming context.
fn is_below(dn: &str, base: &str) -> bool {
    let (dn, base) = (dn.to_lowercase(), base.to_lowercase());
    dn == base || dn.strip_suffix(&base).is_some_and(|rest| rest.ends_with(','))
}

/// An identifier as octets in a filter ([MS-DTYP], 2.4.2.2; RFC 4515, 3).
fn octets(sid: &Sid) -> String {
    let count = u8::try_from(sid.parts.len()).unwrap_or(u8::MAX);
    let mut octets = vec![1, count];
    octets.extend_from_slice(&sid.authority.to_be_bytes()[2..]);
    sid.parts.iter().for_each(|part| octets.extend_from_slice(&part.to_le_bytes()));
    octets.iter().map(|octet| format!("\\{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_asked_for_by_its_octets() {
        let sid = Sid { authority: 5, parts: vec![32, 545] };
        let expected = "\\01\\02\\00\\00\\00\\00\\00\\05\\20\\00\\00\\00\\21\\02\\00\\00";
        assert_eq!(octets(&sid), expected);
    }

    #[test]
    fn who_is_everybody_is_not_counted() {
        let sid = |parts: &[u32]| Sid { authority: 5, parts: parts.to_vec() };
        assert!(is_everybody(&sid(&[21, 1, 2, 3, 513])));
        assert!(is_everybody(&sid(&[11])));
        assert!(is_everybody(&sid(&[32, 545])));
        assert!(!is_everybody(&sid(&[32, 551])));
        assert!(!is_everybody(&sid(&[21, 1, 2, 3, 1104])));
    }

    #[test]
    fn an_entry_lies_in_a_naming_context_by_whole_names() {
        assert!(is_below("CN=a,DC=corp,DC=example", "dc=corp,dc=example"));
        assert!(!is_below("CN=a,DC=xcorp,DC=example", "corp,dc=example"));
        assert!(!is_below("CN=a,DC=other", "dc=corp,dc=example"));
    }
}
