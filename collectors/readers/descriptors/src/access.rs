//! The check of access ([MS-ADTS], 5.1.3.3), for ordinary accounts and for those that are named.
//!
//! The check is run once for every sort of ordinary account of every domain, with all that such an
//! account is in, and once for everybody whom the list names. The entries are taken in the order in
//! which they stand, and the first one to say something of a bit decides over it.
//!
//! ## What it cannot see
//! - Conditions and claims: conditional entries are left out, and it is said.
//! - The scope of groups: a domain local group counts in every domain.
//! - Settings of the servers that change the check: `dSHeuristics` (rights of owners), and whether
//!   Everyone includes the anonymous.
//! - What properties are in a set: a denial of the set is none of its properties here.

use std::collections::{BTreeMap, BTreeSet};

use pki_inventory::{Access, Grant, Ordinary, Right, Standing, Trustee};

use crate::descriptor::CONDITIONAL_DENIAL;
use crate::principals::{Kind, Reach, Unread};
use crate::{Ace, AceKind, Descriptor, Guid, Principals, Sid, standing};

/// Bits of a mask ([MS-ADTS], 5.1.3.2).
const CREATE_CHILD: u32 = 0x0000_0001;
const WRITE_PROPERTY: u32 = 0x0000_0020;
const CONTROL_ACCESS: u32 = 0x0000_0100;
const WRITE_DACL: u32 = 0x0004_0000;
const WRITE_OWNER: u32 = 0x0008_0000;

/// What the generic bits stand for on an object of a directory ([MS-ADTS], 5.1.3.2).
const GENERIC: [(u32, u32); 4] =
    [(0x1000_0000, ALL), (0x2000_0000, 0x20004), (0x4000_0000, 0x20028), (0x8000_0000, 0x20094)];
const ALL: u32 = 0x000f_01ff;

/// Certificate-Enrollment and Certificate-AutoEnrollment ([MS-CRTD], 2.5).
const ENROL: Guid = Guid(0x0e10_c968_78fb_11d2_90d4_00c0_4f79_dc55);
const AUTO_ENROL: Guid = Guid(0xa05b_8cc2_17bc_4802_a710_e7c1_5ab8_66a2);

/// User-Force-Change-Password ([MS-ADTS], 5.1.3.2.1).
const SET_PASSWORD: Guid = Guid(0x0029_9570_246d_11d0_a768_00aa_006e_0529);

/// The classes whose objects a PKI is made of, by schemaIDGUID ([MS-ADSC], section 2): who may create
/// only these below an object may create enough.
const CLASSES: [Guid; 7] = [
    // pKICertificateTemplate
    Guid(0xe520_9ca2_3bba_11d2_90cc_00c0_4fd9_1ab1),
    // pKIEnrollmentService
    Guid(0xee4a_a692_3bba_11d2_90cc_00c0_4fd9_1ab1),
    // certificationAuthority
    Guid(0x3fdf_ee50_47f4_11d1_a9c3_0000_f803_67c1),
    // cRLDistributionPoint
    Guid(0x1677_58ca_47f3_11d1_a9c3_0000_f803_67c1),
    // msPKI-Enterprise-Oid
    Guid(0x37cf_d85c_6719_4ad8_8f9e_8678_ba62_7563),
    // msPKI-PrivateKeyRecoveryAgent
    Guid(0x1562_a632_44b9_4a7e_a2d3_e426_c96a_3acc),
    // container
    Guid(0xbf96_7a8b_0de6_11d0_a285_00aa_0030_49e2),
];

/// The most domains whose ordinary accounts are looked at one by one.
const MOST_DOMAINS: usize = 256;

/// The most accounts of a group that are looked at one by one: a larger one is nobody's circle of
/// administrators.
const MOST_ADMINISTRATORS: usize = 50;

/// The most names that a sentence about what is not known lists.
const MOST_NAMES: usize = 8;

const SORTS: [Ordinary; 4] =
    [Ordinary::User, Ordinary::Computer, Ordinary::Guest, Ordinary::Anonymous];

impl Principals {
    /// What a descriptor comes to. `properties` are the attributes and sets of attributes whose
    /// change is enough to take over an object of this sort, with their names. The control access
    /// `User-Force-Change-Password` may be among them: who has it sets a password without knowing the
    /// old one, and so it is asked for as the control access that it is ([MS-ADTS], 5.1.3.2.1).
    #[must_use]
    pub fn access(&self, descriptor: &Descriptor, properties: &[(Guid, &str)]) -> Access {
        let check = Check::new(self, descriptor, properties);
        let mut grants = check.grants();
        grants.extend(check.of_owner());
        grants.sort();
        Access {
            owner: descriptor.owner.as_ref().map(|owner| check.trustee(owner, true)),
            denied: check.denied(),
            not_evaluated: check.not_evaluated(),
            unresolved: check.unresolved(&grants),
            grants,
        }
    }
}

/// A right as the check is asked for it: all of these bits, and for what.
struct Question {
    right: Right,
    mask: u32,
    object: Option<Guid>,
}

/// An entry that says something of the object itself, with generic bits mapped.
struct Entry<'a> {
    is_denial: bool,
    trustee: &'a Sid,
    mask: u32,
    object: Option<Guid>,
}

/// An account as the check sees it: what it is in, and the answer to each question.
struct Account {
    reach: Reach,
    holds: Vec<bool>,
}

struct Check<'a> {
    principals: &'a Principals,
    descriptor: &'a Descriptor,
    questions: Vec<Question>,
    entries: Vec<Entry<'a>>,
    /// Where the entries of each trustee stand.
    of_trustee: BTreeMap<&'a Sid, Vec<usize>>,
    ordinary: Vec<(Ordinary, Account)>,
    too_many_domains: bool,
}

impl<'a> Check<'a> {
    fn new(
        principals: &'a Principals,
        descriptor: &'a Descriptor,
        properties: &[(Guid, &str)],
    ) -> Self {
        let mut check = Self {
            principals,
            descriptor,
            questions: questions(properties),
            entries: descriptor.dacl.iter().flatten().filter_map(entry).collect(),
            of_trustee: BTreeMap::new(),
            ordinary: Vec::new(),
            too_many_domains: false,
        };
        for (at, entry) in check.entries.iter().enumerate() {
            check.of_trustee.entry(entry.trustee).or_default().push(at);
        }
        let mut domains = check.domains();
        check.too_many_domains = domains.len() > MOST_DOMAINS;
        domains.truncate(MOST_DOMAINS);
        for sort in SORTS {
            let of: Vec<Option<&Sid>> = match sort {
                Ordinary::Anonymous => vec![None],
                _ if domains.is_empty() => vec![None],
                _ => domains.iter().map(Some).collect(),
            };
            for domain in of {
                let account = check.account(&standing::ordinary(sort, domain));
                check.ordinary.push((sort, account));
            }
        }
        check
    }

    /// The domains that there are: those whose accounts were read, and those of groups that every
    /// domain has. Other identifiers may be left of domains that are gone.
    fn domains(&self) -> Vec<Sid> {
        let entries = self.entries.iter().map(|entry| entry.trustee);
        let named = entries.chain(&self.descriptor.owner);
        let default = named.filter(|sid| sid.relative().is_some_and(|own| own < 1000));
        let mut domains = self.principals.domains().clone();
        domains.extend(default.filter_map(Sid::domain));
        domains.into_iter().collect()
    }

    fn account(&self, first: &[Sid]) -> Account {
        let mut reach = self.principals.reach(first);
        // OWNER RIGHTS is whoever owns the object ([MS-DTYP], 2.4.2.4).
        if self.descriptor.owner.as_ref().is_some_and(|owner| reach.has(owner)) {
            reach.put(standing::owner_rights());
        }
        let holds = self.answers(&reach);
        Account { reach, holds }
    }

    /// Goes through the list once for an account: each entry takes bits from what is still asked
    /// for, and a denial of one that is left decides ([MS-DTYP], 2.5.3.2).
    fn answers(&self, reach: &Reach) -> Vec<bool> {
        let mut left: Vec<u32> = self.questions.iter().map(|question| question.mask).collect();
        let mut is_denied = vec![false; left.len()];
        let own = reach.sids().filter_map(|sid| self.of_trustee.get(sid));
        let mut own: Vec<usize> = own.flatten().copied().collect();
        own.sort_unstable();
        for entry in own.into_iter().map(|at| &self.entries[at]) {
            for (at, question) in self.questions.iter().enumerate() {
                if !entry.is_about(question) {
                    continue;
                }
                if entry.is_denial {
                    is_denied[at] |= left[at] & entry.mask != 0;
                } else {
                    left[at] &= !entry.mask;
                }
            }
        }
        let holds: Vec<bool> =
            left.iter().zip(is_denied).map(|(left, denied)| *left == 0 && !denied).collect();
        self.joined(holds)
    }

    /// A right over everything is not one where an entry for a single thing denies that thing.
    fn joined(&self, mut holds: Vec<bool>) -> Vec<bool> {
        let all = |among: fn(&Question) -> bool| {
            let mut of = self.questions.iter().zip(&holds).filter(|(own, _)| among(own));
            of.all(|(_, holds)| *holds)
        };
        let properties = all(Question::is_property);
        let controls = all(|question| question.mask == CONTROL_ACCESS);
        for (question, holds) in self.questions.iter().zip(&mut holds) {
            *holds &= match question.right {
                Right::FullControl => properties && controls,
                Right::WriteProperties => properties,
                _ => true,
            };
        }
        holds
    }

    fn grants(&self) -> Vec<Grant> {
        if self.descriptor.dacl.is_none() {
            return if self.descriptor.dacl_present { self.everything() } else { Vec::new() };
        }
        let mut grants = Vec::new();
        for (sid, at) in &self.of_trustee {
            // An entry for whoever creates something is for what is created below.
            let allows = at.iter().any(|at| !self.entries[*at].is_denial);
            if !allows || standing::is_placeholder(sid) {
                continue;
            }
            let rights = self.rights_of(sid);
            if rights.is_empty() {
                continue;
            }
            let trustee = self.trustee(sid, false);
            grants.extend(rights.into_iter().map(|(right, reaches)| Grant {
                right,
                trustee: trustee.clone(),
                reaches: reaches.into_iter().collect(),
            }));
        }
        grants
    }

    /// The rights that entries give to one, and whom they reach; without those that follow from
    /// another.
    fn rights_of(&self, sid: &Sid) -> BTreeMap<Right, BTreeSet<Ordinary>> {
        let own = self.named(sid);
        let given: Vec<&Entry<'_>> = self.of_trustee[sid]
            .iter()
            .map(|at| &self.entries[*at])
            .filter(|entry| !entry.is_denial)
            .collect();
        let reached: Vec<_> =
            self.ordinary.iter().filter(|(_, account)| account.reach.has(sid)).collect();
        let mut rights: BTreeMap<Right, BTreeSet<Ordinary>> = BTreeMap::new();
        for (at, question) in self.questions.iter().enumerate() {
            let about = given.iter().filter(|entry| entry.is_about(question));
            let given = about.fold(0, |given, entry| given | entry.mask);
            if given & question.mask != question.mask {
                continue;
            }
            let holders = reached.iter().filter(|(_, account)| account.holds[at]);
            let reaches: BTreeSet<Ordinary> = holders.map(|(sort, _)| *sort).collect();
            if own.as_ref().is_some_and(|own| own.holds[at]) || !reaches.is_empty() {
                rights.entry(question.right.clone()).or_default().extend(reaches);
            }
        }
        let full = rights.get(&Right::FullControl).cloned();
        let properties = rights.get(&Right::WriteProperties).cloned();
        let written = self.questions.iter().filter(|question| question.is_property());
        let written: BTreeSet<&Right> = written.map(|question| &question.right).collect();
        // What follows is left away, unless it reaches further than what it follows from.
        rights.retain(|right, reaches| {
            let from = match right {
                Right::Enrol | Right::AutoEnrol | Right::FullControl => None,
                _ if written.contains(right) => properties.as_ref().or(full.as_ref()),
                _ => full.as_ref(),
            };
            !from.is_some_and(|from| reaches.is_subset(from))
        });
        rights
    }

    /// Somebody whom the list names, as an account of his own: with what he is in and what everybody
    /// is in.
    fn named(&self, sid: &Sid) -> Option<Account> {
        let mut first = vec![sid.clone()];
        if *sid == standing::owner_rights() {
            let owner = self.descriptor.owner.as_ref()?;
            first.extend(standing::besides(owner));
            first.push(owner.clone());
        } else {
            first.extend(standing::besides(sid));
        }
        Some(self.account(&first))
    }

    /// Without a list everybody may do everything, the anonymous included: nothing is checked
    /// ([MS-ADTS], 5.1.3.3.2). A descriptor that does not speak of a list would be read so, too, by
    /// the server that holds it; here it may as well come from a search that left the list out.
    fn everything(&self) -> Vec<Grant> {
        let trustee = self.trustee(&standing::everyone(), false);
        [Right::Enrol, Right::AutoEnrol, Right::FullControl]
            .into_iter()
            .map(|right| Grant { right, trustee: trustee.clone(), reaches: SORTS.to_vec() })
            .collect()
    }

    /// The owner may change the list whatever it says, unless it says what owners may ([MS-DTYP],
    /// 2.5.3.2).
    fn of_owner(&self) -> Option<Grant> {
        let owner = self.descriptor.owner.as_ref()?;
        let rights = standing::owner_rights();
        if self.entries.iter().any(|entry| *entry.trustee == rights) {
            return None;
        }
        Some(Grant {
            right: Right::Own,
            trustee: self.trustee(owner, true),
            reaches: self.sorts_in(owner).collect::<BTreeSet<_>>().into_iter().collect(),
        })
    }

    fn sorts_in(&self, sid: &Sid) -> impl Iterator<Item = Ordinary> {
        let ordinary = self.ordinary.iter();
        ordinary.filter(move |(_, account)| account.reach.has(sid)).map(|(sort, _)| *sort)
    }

    fn denied(&self) -> Vec<Trustee> {
        let denied: BTreeSet<&Sid> = self.denials().map(|entry| entry.trustee).collect();
        let mut denied: Vec<_> = denied.into_iter().map(|sid| self.trustee(sid, false)).collect();
        denied.sort();
        denied
    }

    /// Denials of something that is looked at. Full control is not: a denial of any bit takes from it.
    fn denials(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(|entry| {
            let mut questions =
                self.questions.iter().filter(|question| question.right != Right::FullControl);
            entry.is_denial
                && questions
                    .any(|question| entry.is_about(question) && entry.mask & question.mask != 0)
        })
    }

    /// Somebody whom the descriptor names, as its owner or in its list.
    fn trustee(&self, sid: &Sid, owns: bool) -> Trustee {
        // OWNER RIGHTS is trusted as far as the owner is.
        let (person, owns) = match &self.descriptor.owner {
            Some(owner) if *sid == standing::owner_rights() => (owner, true),
            _ => (sid, owns),
        };
        let found = self.ordinary.iter().find(|(_, account)| account.reach.has(person));
        let through = found
            .map_or_else(Vec::new, |(_, account)| self.principals.path(&account.reach, person));
        let accounts = (self.principals.kind(person) == Kind::Group)
            .then(|| self.principals.accounts_of(person).ok())
            .flatten();
        let standing = if found.is_some() || standing::is_anybody(person) {
            Standing::Ordinary
        } else if self.is_privileged(person, owns)
            || accounts.as_ref().is_some_and(|accounts| self.are_privileged(accounts, owns))
        {
            Standing::Privileged
        } else {
            Standing::Particular
        };
        let members = accounts
            .filter(|_| standing == Standing::Particular)
            .map(|accounts| u32::try_from(accounts.len()).unwrap_or(u32::MAX));
        Trustee {
            sid: sid.to_string(),
            name: self.principals.name(sid),
            standing,
            through,
            members,
        }
    }

    /// Whether one is privileged, by itself or by a group that it is in. A group of administrators
    /// that ordinary accounts are in, too, tells nothing of anybody.
    fn is_privileged(&self, sid: &Sid, owns: bool) -> bool {
        let is = if owns { standing::is_fit_to_own } else { standing::is_privileged };
        let reach = self.principals.reach(std::slice::from_ref(sid));
        let mut groups = reach.sids().filter(|sid| is(sid) || self.principals.is_trusted(sid));
        groups.any(|group| group == sid || self.sorts_in(group).next().is_none())
    }

    /// Whether all accounts of a group are privileged. An empty group is for whoever comes into it.
    fn are_privileged(&self, accounts: &BTreeSet<&Sid>, owns: bool) -> bool {
        (1..=MOST_ADMINISTRATORS).contains(&accounts.len())
            && accounts.iter().all(|account| self.is_privileged(account, owns))
    }

    /// What of the list itself is not in the answer.
    fn not_evaluated(&self) -> Option<String> {
        let mut sentences = Vec::new();
        if !self.descriptor.dacl_present {
            sentences.push("its access list was not handed over".to_owned());
        }
        let left_out: BTreeSet<String> = self.descriptor.left_out.iter().cloned().collect();
        if !left_out.is_empty() {
            // Without a denial nobody has less than is said here, and perhaps somebody has more.
            let is_denial = left_out.iter().any(|entry| entry.starts_with(CONDITIONAL_DENIAL));
            let denial = if is_denial { ", a denial among them" } else { "" };
            let left_out = listed(left_out);
            sentences.push(format!("entries of its list were left out{denial}: {left_out}"));
        }
        if self.too_many_domains {
            sentences.push(format!("its list names more than {MOST_DOMAINS} domains"));
        }
        (!sentences.is_empty()).then(|| sentences.join("; "))
    }

    /// Whose members could change the answer if they were known.
    fn unresolved(&self, grants: &[Grant]) -> Option<String> {
        let mut sentences = Vec::new();
        let (mut unread, mut members) = (BTreeSet::new(), BTreeSet::new());
        for sid in self.doubtful(grants) {
            // NETWORK SERVICE and the like are no entries of a directory, and who is in a group that
            // Active Directory protects is an administrator of some sort, whoever he is.
            let is_entry = sid.domain().is_some() || sid.is_built_in();
            if !is_entry || standing::is_protected(&sid) {
                continue;
            }
            let name = self.principals.name(&sid).unwrap_or_else(|| sid.to_string());
            match self.principals.kind(&sid) {
                Kind::Account => {}
                Kind::Unread => drop(unread.insert(name)),
                Kind::Group => match self.principals.accounts_of(&sid) {
                    Ok(_) | Err(Unread::Number) => {}
                    Err(Unread::List) => drop(members.insert(name)),
                    Err(Unread::Member(member)) => {
                        members.insert(format!("{name} (such as {member})"));
                    }
                },
            }
        }
        if !unread.is_empty() {
            sentences.push(format!("who is in or behind these was not read: {}", listed(unread)));
        }
        if !members.is_empty() {
            sentences.push(format!("not all members of these were read: {}", listed(members)));
        }
        (!sentences.is_empty()).then(|| sentences.join("; "))
    }

    /// Those of whom it matters who is in them: particular ones who have a right that reaches nobody
    /// ordinary as far as is known, and those to whom a right is denied that reaches somebody.
    fn doubtful(&self, grants: &[Grant]) -> BTreeSet<Sid> {
        let holders = grants.iter().filter(|grant| {
            grant.reaches.is_empty() && grant.trustee.standing == Standing::Particular
        });
        let mut named: BTreeSet<&str> = holders.map(|grant| grant.trustee.sid.as_str()).collect();
        let owner = self.descriptor.owner.as_ref().map(ToString::to_string);
        if let Some(owner) = owner.as_deref().filter(|_| named.remove("S-1-3-4")) {
            named.insert(owner);
        }
        let mut doubtful: BTreeSet<Sid> =
            named.into_iter().filter_map(|sid| sid.parse().ok()).collect();
        if grants.iter().any(Grant::is_ordinary) {
            let denied = self.denials().map(|entry| entry.trustee);
            let denied = denied.filter(|sid| {
                let is_known = standing::is_privileged(sid) || standing::is_anybody(sid);
                !is_known && self.sorts_in(sid).next().is_none()
            });
            doubtful.extend(denied.cloned());
        }
        doubtful
    }
}

impl Question {
    /// Whether it is about one attribute or set of attributes, and not about everything.
    fn is_property(&self) -> bool {
        self.mask == WRITE_PROPERTY && self.object.is_some()
    }
}

impl Entry<'_> {
    /// An entry with a GUID is about that alone, one without is about everything ([MS-ADTS],
    /// 5.1.3.3.3 and 5.1.3.3.4).
    fn is_about(&self, question: &Question) -> bool {
        self.object.is_none() || self.object == question.object
    }
}

fn entry(ace: &Ace) -> Option<Entry<'_>> {
    // The class that an entry is inherited by needs no look: where it is not this object's, the
    // entry came down as one for objects further below ([MS-DTYP], 2.5.3.4).
    (!ace.inherit_only).then(|| Entry {
        is_denial: ace.kind == AceKind::Deny,
        trustee: &ace.trustee,
        mask: GENERIC
            .iter()
            .filter(|(bit, _)| ace.mask & bit != 0)
            .fold(ace.mask, |mask, (_, own)| mask | own),
        object: ace.object,
    })
}

fn questions(properties: &[(Guid, &str)]) -> Vec<Question> {
    let ask = |right, mask, object| Question { right, mask, object };
    let mut questions = vec![
        ask(Right::Enrol, CONTROL_ACCESS, Some(ENROL)),
        ask(Right::AutoEnrol, CONTROL_ACCESS, Some(AUTO_ENROL)),
        ask(Right::FullControl, ALL, None),
        ask(Right::WriteDacl, WRITE_DACL, None),
        ask(Right::WriteOwner, WRITE_OWNER, None),
        ask(Right::WriteProperties, WRITE_PROPERTY, None),
        ask(Right::CreateChild, CREATE_CHILD, None),
    ];
    questions.extend(CLASSES.map(|class| ask(Right::CreateChild, CREATE_CHILD, Some(class))));
    questions.extend(properties.iter().map(|(guid, name)| {
        let mask = if *guid == SET_PASSWORD { CONTROL_ACCESS } else { WRITE_PROPERTY };
        ask(Right::WriteProperty((*name).to_owned()), mask, Some(*guid))
    }));
    questions
}

/// Names in a row, at most so many.
fn listed(names: BTreeSet<String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let mut names: Vec<String> = names.into_iter().take(MOST_NAMES).collect();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
