//! Which accounts are in which groups, as far as a directory told.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Descriptor, Sid, standing};

/// An account or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Security identifier.
    pub sid: Sid,
    /// Distinguished name.
    pub dn: String,
    /// `sAMAccountName`, with its domain before it where that is known.
    pub name: Option<String>,
    /// Whether it is a group.
    pub is_group: bool,
    /// The groups it is in (`memberOf`), by distinguished name.
    pub member_of: Vec<String>,
    /// What is in it (`member`), by distinguished name; for a group.
    pub members: Vec<String>,
    /// `primaryGroupID`, for an account: it is in that group of its domain as well, and stands in no
    /// list of members.
    pub primary_group: Option<u32>,
}

/// What is known of accounts and groups.
#[derive(Debug, Clone, Default)]
pub struct Principals {
    /// Whatever has a distinguished name: entries that were added, and those that they name.
    nodes: Vec<Node>,
    /// By distinguished name, in lower case.
    by_dn: BTreeMap<String, usize>,
    /// By security identifier. Several for one that has an entry in each domain: built-in groups, and
    /// foreign principals such as `CN=S-1-5-11,CN=ForeignSecurityPrincipals,…`.
    by_sid: BTreeMap<Sid, Vec<usize>>,
    /// The accounts whose primary group one is.
    primary: BTreeMap<Sid, BTreeSet<usize>>,
    /// The domains whose accounts were added. Foreign principals are not counted: they stand for
    /// accounts of domains that somebody trusts, or trusted once.
    domains: BTreeSet<Sid>,
    trusted: BTreeSet<Sid>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    sid: Option<Sid>,
    /// The part of its distinguished name that it is called by.
    label: String,
    name: Option<String>,
    /// Whether its own entry was added, and not only its name read in another's.
    added: bool,
    is_group: bool,
    is_foreign: bool,
    incomplete: bool,
    primary: Option<Sid>,
    groups: BTreeSet<usize>,
    members: BTreeSet<usize>,
}

impl Principals {
    /// Adds one, or adds to what is known of it.
    pub fn add(&mut self, principal: Principal) {
        let Principal { sid, dn, name, is_group, member_of, members, primary_group } = principal;
        let own = self.node(&dn);
        self.identify(own, &sid);
        for group in member_of {
            let group = self.node(&group);
            self.link(own, group);
        }
        for member in members {
            let member = self.node(&member);
            self.link(member, own);
        }
        let primary = primary_group.and_then(|group| Some(sid.domain()?.account(group)));
        if let Some(group) = &primary {
            self.primary.entry(group.clone()).or_default().insert(own);
        }
        let node = &mut self.nodes[own];
        if !node.is_foreign {
            self.domains.extend(sid.domain());
        }
        node.added = true;
        node.is_group |= is_group;
        node.name = name.or(node.name.take());
        node.primary = primary.or(node.primary.take());
    }

    /// The hosts of authorities: they are trusted with their own objects.
    pub fn trust(&mut self, hosts: impl IntoIterator<Item = Sid>) {
        self.trusted.extend(hosts);
    }

    /// Says that the list of members of this group was not read as a whole.
    pub fn incomplete(&mut self, dn: &str) {
        let group = self.node(dn);
        self.nodes[group].incomplete = true;
    }

    /// Calls those anew for whom there is a better name, by distinguished name in lower case and name:
    /// for what is known only when all of them were added.
    pub fn rename(&mut self, better: impl Fn(&str, &str) -> Option<String>) {
        for (dn, own) in &self.by_dn {
            let name = &mut self.nodes[*own].name;
            if let Some(new) = name.as_deref().and_then(|name| better(dn, name)) {
                *name = Some(new);
            }
        }
    }

    /// Everybody whom a descriptor names: its owner and the trustees of its entries.
    #[must_use]
    pub fn named(descriptor: &Descriptor) -> Vec<Sid> {
        let entries = descriptor.dacl.iter().flatten();
        let named: BTreeSet<&Sid> =
            entries.map(|entry| &entry.trustee).chain(&descriptor.owner).collect();
        named.into_iter().cloned().collect()
    }

    /// What an account or group is called, and whether it administers the forest, a domain or the PKI
    /// by default. One that is in such a group does, too.
    #[must_use]
    pub fn standing_of(&self, dn: &str) -> Option<(String, bool)> {
        let node = &self.nodes[*self.by_dn.get(&folded(dn))?];
        let sid = node.sid.as_ref().filter(|_| node.added)?;
        let groups = self.reach(std::slice::from_ref(sid));
        Some((self.name(sid)?, groups.sids().any(|sid| self.administers(sid))))
    }

    /// What the directory calls one, or else what it is called everywhere.
    pub(crate) fn name(&self, sid: &Sid) -> Option<String> {
        let nodes = self.by_sid.get(sid).into_iter().flatten().map(|node| &self.nodes[*node]);
        let added: Vec<&Node> = nodes.filter(|node| node.added).collect();
        let named = added.iter().find(|node| !node.is_foreign && node.name.is_some());
        let foreign = added.iter().find(|node| node.name.is_some());
        named
            .and_then(|node| node.name.clone())
            .or_else(|| sid.well_known().map(str::to_owned))
            .or_else(|| foreign.and_then(|node| node.name.clone()))
            .or_else(|| added.iter().find(|node| !node.is_foreign).map(|node| node.label.clone()))
    }

    pub(crate) fn is_trusted(&self, sid: &Sid) -> bool {
        self.trusted.contains(sid)
    }

    fn administers(&self, sid: &Sid) -> bool {
        self.is_trusted(sid) || standing::is_privileged(sid) || standing::is_protected(sid)
    }

    /// What one is, as far as entries tell.
    pub(crate) fn kind(&self, sid: &Sid) -> Kind {
        let nodes = self.by_sid.get(sid).into_iter().flatten().map(|node| &self.nodes[*node]);
        let own = nodes.filter(|node| node.added && !node.is_foreign);
        match own.map(|node| node.is_group).max() {
            None => Kind::Unread,
            Some(false) => Kind::Account,
            Some(true) => Kind::Group,
        }
    }

    /// The domains whose accounts were read.
    pub(crate) fn domains(&self) -> &BTreeSet<Sid> {
        &self.domains
    }

    /// Everything that these are in. No depth is too deep: everything is looked at once, and a circle
    /// ends where it began.
    pub(crate) fn reach(&self, first: &[Sid]) -> Reach {
        let mut reach = Reach::default();
        let mut next: Vec<(Sid, Option<usize>)> =
            first.iter().rev().map(|sid| (sid.clone(), None)).collect();
        let mut waiting = std::collections::VecDeque::new();
        let mut seen = BTreeSet::new();
        loop {
            // Identifiers first: each stands for all of its entries.
            while let Some((sid, from)) = next.pop() {
                if reach.steps.contains_key(&sid) {
                    continue;
                }
                for node in self.by_sid.get(&sid).into_iter().flatten() {
                    if seen.insert(*node) {
                        waiting.push_back(*node);
                    }
                }
                reach.steps.insert(sid, from);
            }
            let Some(at) = waiting.pop_front() else { return reach };
            let node = &self.nodes[at];
            next.extend(node.primary.iter().map(|group| (group.clone(), Some(at))));
            for group in &node.groups {
                match &self.nodes[*group].sid {
                    Some(sid) => next.push((sid.clone(), Some(at))),
                    None if seen.insert(*group) => {
                        reach.nameless.insert(*group, at);
                        waiting.push_back(*group);
                    }
                    None => {}
                }
            }
        }
    }

    /// The groups between one and those that it was reached from, the outermost first and the last
    /// one an ordinary group. Itself is not among them.
    pub(crate) fn path(&self, reach: &Reach, sid: &Sid) -> Vec<String> {
        let mut path = Vec::new();
        let mut from = reach.steps.get(sid).copied().flatten();
        let mut steps = 0;
        while let Some(at) = from {
            let node = &self.nodes[at];
            let name = node.sid.as_ref().and_then(|sid| self.name(sid));
            let name = name.unwrap_or_else(|| node.label.clone());
            if path.len() < MOST_STEPS {
                path.push(name);
            } else {
                path[MOST_STEPS - 1] = name;
            }
            from = match &node.sid {
                Some(sid) => reach.steps.get(sid).copied().flatten(),
                None => reach.nameless.get(&at).copied(),
            };
            // Each step leads to something that was seen before the last: this is for the reader.
            steps += 1;
            if steps > self.nodes.len() {
                break;
            }
        }
        path
    }

    /// The accounts that are in a group, directly or not; otherwise why that is not known.
    pub(crate) fn accounts_of(&self, group: &Sid) -> Result<BTreeSet<&Sid>, Unread> {
        let mut seen = vec![false; self.nodes.len()];
        let mut accounts: BTreeSet<&Sid> = BTreeSet::new();
        let mut is_counted = true;
        let mut waiting: Vec<usize> =
            self.by_sid.get(group).into_iter().flatten().copied().collect();
        waiting.iter().for_each(|at| seen[*at] = true);
        while let Some(at) = waiting.pop() {
            let node = &self.nodes[at];
            if node.incomplete {
                return Err(Unread::List);
            }
            match &node.sid {
                // Such as Enterprise Domain Controllers: they need no entry, and are no one account.
                Some(sid) if node.is_foreign && sid.domain().is_none() => is_counted = false,
                Some(sid) if node.added && !node.is_foreign => {
                    if !node.is_group {
                        accounts.insert(sid);
                        continue;
                    }
                    let primary = self.primary.get(sid).into_iter().flatten();
                    for member in node.members.iter().chain(primary) {
                        if !std::mem::replace(&mut seen[*member], true) {
                            waiting.push(*member);
                        }
                    }
                }
                // What was not read may be a group, and so may a principal of another forest.
                _ => return Err(Unread::Member(node.label.clone())),
            }
        }
        if is_counted { Ok(accounts) } else { Err(Unread::Number) }
    }

    fn node(&mut self, dn: &str) -> usize {
        let folded = folded(dn);
        if let Some(known) = self.by_dn.get(&folded) {
            return *known;
        }
        let own = self.nodes.len();
        let (label, above) = first_name(dn);
        // The names of foreign principals are identifiers ([MS-ADTS], 6.1.1.4): they are known
        // before their entries are read.
        let is_foreign = above.to_lowercase().starts_with("cn=foreignsecurityprincipals,");
        let sid: Option<Sid> = label.parse().ok().filter(|_| is_foreign);
        self.nodes.push(Node { label, is_foreign, ..Node::default() });
        self.by_dn.insert(folded, own);
        if let Some(sid) = sid {
            self.identify(own, &sid);
        }
        own
    }

    fn identify(&mut self, own: usize, sid: &Sid) {
        let before = self.nodes[own].sid.replace(sid.clone());
        if before.as_ref() == Some(sid) {
            return;
        }
        if let Some(nodes) = before.and_then(|before| self.by_sid.get_mut(&before)) {
            nodes.retain(|node| *node != own);
        }
        self.by_sid.entry(sid.clone()).or_default().push(own);
    }

    fn link(&mut self, member: usize, group: usize) {
        self.nodes[member].groups.insert(group);
        self.nodes[group].members.insert(member);
        // Whatever has members is a group, whether its entry was read or not.
        self.nodes[group].is_group = true;
    }
}

/// The longest way through nested groups that is written down as a whole.
const MOST_STEPS: usize = 32;

/// What one is, as far as entries tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No entry of it was read, or one that stands for somebody of another forest.
    Unread,
    /// A user, a computer or the like.
    Account,
    /// A group.
    Group,
}

/// Why the members of a group are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Everybody in it is known, but not how many they are.
    Number,
    /// A list was not read as a whole.
    List,
    /// What stands in a list was not read.
    Member(String),
}

/// What somebody is in.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// By identifier: the entry that it was reached from, none for what was given.
    steps: BTreeMap<Sid, Option<usize>>,
    /// The same for groups whose identifier is not known.
    nameless: BTreeMap<usize, usize>,
}

impl Reach {
    pub(crate) fn has(&self, sid: &Sid) -> bool {
        self.steps.contains_key(sid)
    }

    pub(crate) fn sids(&self) -> impl Iterator<Item = &Sid> {
        self.steps.keys()
    }

    /// Puts one in that is in no group itself.
    pub(crate) fn put(&mut self, sid: Sid) {
        self.steps.entry(sid).or_insert(None);
    }
}

/// Directories compare names without regard to case, and write them in one form otherwise.
fn folded(dn: &str) -> String {
    dn.trim().to_lowercase()
}

/// The value of the first part of a distinguished name, and the parts above it (RFC 4514, 2.1). A
/// comma behind a backslash is part of the value.
fn first_name(dn: &str) -> (String, &str) {
    let mut escaped = false;
    let end = dn.bytes().position(|octet| {
        let ends = octet == b',' && !escaped;
        escaped = octet == b'\\' && !escaped;
        ends
    });
    let (first, above) = end.map_or((dn, ""), |end| (&dn[..end], &dn[end + 1..]));
    let value = first.split_once('=').map_or(first, |(_, value)| value);
    (value.trim().replace('\\', ""), above.trim_start())
}
