//! The self-relative form of a security descriptor ([MS-DTYP], 2.4.6).

use std::fmt;

use crate::Sid;

/// A security descriptor, as far as it is evaluated here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// The owner.
    pub owner: Option<Sid>,
    /// The primary group.
    pub group: Option<Sid>,
    /// Whether the descriptor speaks of a discretionary access list at all (SE_DACL_PRESENT). Where it
    /// does not, there is none, or whoever asked a directory for the descriptor did not ask for the
    /// list ([MS-ADTS], 3.1.1.3.4.1.11): the octets are the same.
    pub dacl_present: bool,
    /// The entries of the discretionary access list in their order. Without a list everybody may do
    /// everything; with an empty one nobody may do anything.
    pub dacl: Option<Vec<Ace>>,
    /// Entries of kinds that are not evaluated, such as conditional ones, each in a few words. Those
    /// that are only for objects below are not among them: they say nothing of this one.
    pub left_out: Vec<String>,
}

/// An entry of an access list ([MS-DTYP], 2.4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ace {
    /// Whether it allows or denies.
    pub kind: AceKind,
    /// Whom.
    pub trustee: Sid,
    /// What, as bits ([MS-DTYP], 2.4.3; [MS-ADTS], 5.1.3.2).
    pub mask: u32,
    /// What it is about: a control access right, a property, a set of properties or a class.
    pub object: Option<Guid>,
    /// The class of objects that it is inherited by.
    pub inherited_class: Option<Guid>,
    /// Whether it came from an object above.
    pub inherited: bool,
    /// Whether it is for objects below only and says nothing of this one.
    pub inherit_only: bool,
}

/// What an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AceKind {
    /// ACCESS_ALLOWED_ACE_TYPE, ACCESS_ALLOWED_OBJECT_ACE_TYPE.
    Allow,
    /// ACCESS_DENIED_ACE_TYPE, ACCESS_DENIED_OBJECT_ACE_TYPE.
    Deny,
}

/// A GUID in the order of its text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub u128);

/// How [`Descriptor::left_out`] begins where it denies something.
pub(crate) const CONDITIONAL_DENIAL: &str = "a conditional denial";

/// The length of the part before owner, group and lists.
const HEADER: usize = 20;

/// SE_DACL_PRESENT and SE_SELF_RELATIVE of the control bits ([MS-DTYP], 2.4.6).
const DACL_PRESENT: u16 = 0x0004;
const SELF_RELATIVE: u16 = 0x8000;

/// INHERIT_ONLY_ACE and INHERITED_ACE ([MS-DTYP], 2.4.4.1).
const INHERIT_ONLY: u8 = 0x08;
const INHERITED: u8 = 0x10;

/// ACE_OBJECT_TYPE_PRESENT and ACE_INHERITED_OBJECT_TYPE_PRESENT ([MS-DTYP], 2.4.4.3).
const OBJECT_PRESENT: u32 = 1;
const INHERITED_CLASS_PRESENT: u32 = 2;

impl Descriptor {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub fn parse(octets: &[u8]) -> Result<Self, String> {
        if octets.len() < HEADER {
            return Err(format!(
                "a security descriptor has at least {HEADER} octets, and here are {}",
                octets.len()
            ));
        }
        if octets[0] != 1 {
            return Err(format!(
                "security descriptors are of revision 1, and this one is of {}",
                octets[0]
            ));
        }
        let control = u16::from_le_bytes([octets[2], octets[3]]);
        if control & SELF_RELATIVE == 0 {
            return Err("the parts of this security descriptor stand somewhere else".to_owned());
        }
        let owner = part(octets, 4, "owner")?.map(Sid::first).transpose()?.map(|(sid, _)| sid);
        let group = part(octets, 8, "group")?.map(Sid::first).transpose()?.map(|(sid, _)| sid);
        let dacl_present = control & DACL_PRESENT != 0;
        let mut left_out = Vec::new();
        let dacl = match part(octets, 16, "access list")? {
            Some(list) if dacl_present => Some(entries(list, &mut left_out)?),
            _ => None,
        };
        Ok(Self { owner, group, dacl_present, dacl, left_out })
    }
}

/// What stands where the offset at `field` says, to the end; `None` where it says nowhere.
fn part<'a>(octets: &'a [u8], field: usize, what: &str) -> Result<Option<&'a [u8]>, String> {
    let offset = match number(octets, field) {
        Some(0) => return Ok(None),
        Some(offset) => usize::try_from(offset).unwrap_or(usize::MAX),
        None => return Err(format!("no room for the offset of the {what}")),
    };
    if offset < HEADER {
        return Err(format!("the {what} of the security descriptor stands in its header"));
    }
    match octets.get(offset..) {
        Some(rest) if !rest.is_empty() => Ok(Some(rest)),
        _ => Err(format!("the {what} of the security descriptor stands behind its end")),
    }
}

/// The entries of an access list ([MS-DTYP], 2.4.5).
fn entries(octets: &[u8], left_out: &mut Vec<String>) -> Result<Vec<Ace>, String> {
    let Some(&[revision, _, a, b, c, d, _, _]) = octets.first_chunk() else {
        return Err("an access list ends within its header".to_owned());
    };
    if !(2..=4).contains(&revision) {
        return Err(format!("access lists are of revision 2 or 4, and this one is of {revision}"));
    }
    let size = usize::from(u16::from_le_bytes([a, b]));
    let count = u16::from_le_bytes([c, d]);
    let Some(mut rest) = octets.get(8..size) else {
        return Err(format!(
            "an access list says it has {size} octets, and there are {}",
            octets.len()
        ));
    };
    let mut entries = Vec::new();
    for number in 1..=count {
        let size = match rest {
            [_, _, a, b, ..] => usize::from(u16::from_le_bytes([*a, *b])),
            _ => return Err(format!("an access list ends before entry {number} of {count}")),
        };
        let Some((one, after)) = rest.split_at_checked(size).filter(|_| size >= 4) else {
            return Err(format!("entry {number} of an access list is cut off"));
        };
        rest = after;
        let flags = one[1];
        match entry(one) {
            Some(Ok(entry)) => entries.push(entry),
            Some(Err(wrong)) => return Err(format!("entry {number} of an access list: {wrong}")),
            None if flags & INHERIT_ONLY != 0 => {}
            None => left_out.push(other(one)),
        }
    }
    Ok(entries)
}

/// One entry; `None` if it is of a kind that is not evaluated.
fn entry(octets: &[u8]) -> Option<Result<Ace, String>> {
    let (kind, is_object) = match octets[0] {
        0x00 => (AceKind::Allow, false),
        0x01 => (AceKind::Deny, false),
        0x05 => (AceKind::Allow, true),
        0x06 => (AceKind::Deny, true),
        _ => return None,
    };
    Some(body(octets, is_object).map(|(mask, object, inherited_class, trustee)| Ace {
        kind,
        trustee,
        mask,
        object,
        inherited_class,
        inherited: octets[1] & INHERITED != 0,
        inherit_only: octets[1] & INHERIT_ONLY != 0,
    }))
}

type Body = (u32, Option<Guid>, Option<Guid>, Sid);

/// What follows the header of an entry ([MS-DTYP], 2.4.4.2 and 2.4.4.3). Octets may follow the
/// trustee: entries are as long as their header says.
fn body(octets: &[u8], is_object: bool) -> Result<Body, String> {
    let mask = number(octets, 4).ok_or("it ends before its mask")?;
    let mut at = 8;
    let (mut object, mut inherited_class) = (None, None);
    if is_object {
        let present = number(octets, at).ok_or("it ends before its flags")?;
        at += 4;
        for (bit, guid) in
            [(OBJECT_PRESENT, &mut object), (INHERITED_CLASS_PRESENT, &mut inherited_class)]
        {
            if present & bit != 0 {
                let octets = octets.get(at..).and_then(<[u8]>::first_chunk);
                let read = Guid::of_octets(*octets.ok_or("it ends within a GUID")?);
                // The GUID of zeros is nobody's; tools write it for "no GUID".
                *guid = Some(read).filter(|guid| guid.0 != 0);
                at += 16;
            }
        }
    }
    let (trustee, _) = Sid::first(octets.get(at..).unwrap_or_default())?;
    Ok((mask, object, inherited_class, trustee))
}

/// An entry that is not evaluated, in a few words ([MS-DTYP], 2.4.4.1).
fn other(octets: &[u8]) -> String {
    let (what, is_object) = match octets[0] {
        0x09 => ("a conditional permission", false),
        0x0a => (CONDITIONAL_DENIAL, false),
        0x0b => ("a conditional permission", true),
        0x0c => (CONDITIONAL_DENIAL, true),
        kind => return format!("an entry of kind {kind}"),
    };
    match body(octets, is_object) {
        Ok((_, _, _, trustee)) => {
            let name = trustee.well_known().map_or_else(|| trustee.to_string(), str::to_owned);
            format!("{what} for {name}")
        }
        Err(_) => what.to_owned(),
    }
}

fn number(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..).and_then(<[u8]>::first_chunk).map(|octets| u32::from_le_bytes(*octets))
}

impl Guid {
    /// Reads the octets that Windows writes, with the first three fields turned round ([MS-DTYP],
    /// 2.3.4.2).
    #[must_use]
    pub fn of_octets(octets: [u8; 16]) -> Self {
        let mut turned = octets;
        turned[..4].reverse();
        turned[4..6].reverse();
        turned[6..8].reverse();
        Self(u128::from_be_bytes(turned))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c, d, e) =
            (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}
