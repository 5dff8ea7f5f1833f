//! Descriptors in octets and accounts in a table, for the tests, and an access in lines.
#![allow(dead_code, reason = "each test uses its part")]

use pki_descriptors::{Guid, Principal, Principals, Sid};
use pki_inventory::{Access, Grant, Trustee};

pub const DOMAIN: &str = "S-1-5-21-1000000001-2000000002-300000003";
pub const ENROL: Guid = Guid(0x0e10c968_78fb_11d2_90d4_00c04f79dc55);
pub const AUTO_ENROL: Guid = Guid(0xa05b8cc2_17bc_4802_a710_e7c15ab866a2);
pub const MAPPINGS: Guid = Guid(0x00fbf30c_91fe_11d1_aebc_0000f80367c1);

pub const ALL: u32 = 0xf01ff;
pub const CONTROL: u32 = 0x100;
pub const WRITE_PROPERTY: u32 = 0x20;
pub const WRITE_DACL: u32 = 0x40000;
pub const WRITE_OWNER: u32 = 0x80000;

/// A security identifier in text; a number alone is an account of the domain, and `!` before it a
/// built-in group.
pub fn sid(text: &str) -> Sid {
    if let Some(number) = text.strip_prefix('!') {
        return format!("S-1-5-32-{number}").parse().unwrap();
    }
    if text.parse::<u32>().is_ok() {
        return format!("{DOMAIN}-{text}").parse().unwrap();
    }
    text.parse().unwrap()
}

pub fn sid_octets(sid: &Sid) -> Vec<u8> {
    let mut octets = vec![1, u8::try_from(sid.parts.len()).unwrap()];
    octets.extend(&sid.authority.to_be_bytes()[2..]);
    octets.extend(sid.parts.iter().flat_map(|part| part.to_le_bytes()));
    octets
}

/// An entry of a kind and with flags, by their numbers.
pub fn ace(kind: u8, flags: u8, mask: u32, object: Option<Guid>, trustee: &str) -> Vec<u8> {
    let mut body = mask.to_le_bytes().to_vec();
    if matches!(kind, 5 | 6 | 11 | 12) {
        body.extend(u32::from(object.is_some()).to_le_bytes());
        if let Some(Guid(object)) = object {
            let mut octets = object.to_be_bytes();
            octets[..4].reverse();
            octets[4..6].reverse();
            octets[6..8].reverse();
            body.extend(octets);
        }
    }
    body.extend(sid_octets(&sid(trustee)));
    let size = u16::try_from(body.len() + 4).unwrap().to_le_bytes();
    [&[kind, flags, size[0], size[1]][..], &body].concat()
}

pub fn allow(mask: u32, trustee: &str) -> Vec<u8> {
    ace(0, 0, mask, None, trustee)
}

pub fn deny(mask: u32, trustee: &str) -> Vec<u8> {
    ace(1, 0, mask, None, trustee)
}

pub fn allow_one(mask: u32, object: Guid, trustee: &str) -> Vec<u8> {
    ace(5, 0, mask, Some(object), trustee)
}

pub fn deny_one(mask: u32, object: Guid, trustee: &str) -> Vec<u8> {
    ace(6, 0, mask, Some(object), trustee)
}

/// A self-relative descriptor with an owner and a list.
pub fn descriptor(owner: &str, entries: &[Vec<u8>]) -> Vec<u8> {
    let owner = sid_octets(&sid(owner));
    let dacl = 20 + u32::try_from(owner.len()).unwrap();
    let entry_octets = entries.concat();
    let size = u16::try_from(8 + entry_octets.len()).unwrap().to_le_bytes();
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let mut octets = vec![1, 0, 0x04, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    octets.extend(dacl.to_le_bytes());
    octets.extend(owner);
    octets.extend([4, 0, size[0], size[1], count[0], count[1], 0, 0]);
    octets.extend(entry_octets);
    octets
}

/// Where an entry of a name stands.
pub fn dn(name: &str) -> String {
    if name.starts_with("S-1-") {
        format!("CN={name},CN=ForeignSecurityPrincipals,DC=example,DC=org")
    } else {
        format!("CN={name},DC=example,DC=org")
    }
}

pub fn group(name: &str, number: &str, members: &[&str]) -> Principal {
    Principal {
        sid: sid(number),
        dn: dn(name),
        name: Some(format!("EXAMPLE\\{name}")),
        is_group: true,
        member_of: Vec::new(),
        members: members.iter().map(|member| dn(member)).collect(),
        primary_group: None,
    }
}

pub fn account(name: &str, number: &str, member_of: &[&str], primary: u32) -> Principal {
    Principal {
        is_group: false,
        member_of: member_of.iter().map(|group| dn(group)).collect(),
        members: Vec::new(),
        primary_group: Some(primary),
        ..group(name, number, &[])
    }
}

pub fn table(principals: impl IntoIterator<Item = Principal>) -> Principals {
    let mut table = Principals::default();
    principals.into_iter().for_each(|principal| table.add(principal));
    table
}

/// An access, a line for each thing it says.
pub fn lines(access: &Access) -> Vec<String> {
    let mut lines: Vec<String> = access.grants.iter().map(grant).collect();
    lines.extend(access.denied.iter().map(|trustee| format!("denied: {}", of(trustee))));
    lines.extend(access.unresolved.iter().map(|sentence| format!("unresolved: {sentence}")));
    lines.extend(access.not_evaluated.iter().map(|sentence| format!("not evaluated: {sentence}")));
    lines
}

fn grant(grant: &Grant) -> String {
    let reaches: Vec<_> = grant.reaches.iter().map(|sort| sort.name()).collect();
    let mut line = format!("{}: {}", grant.right.name(), of(&grant.trustee));
    if !reaches.is_empty() {
        line += &format!(" reaches {}", reaches.join(", "));
    }
    line
}

fn of(trustee: &Trustee) -> String {
    let mut line = format!("{trustee} ({})", trustee.standing.name());
    if !trustee.through.is_empty() {
        line += &format!(" through {}", trustee.through.join(" > "));
    }
    if let Some(members) = trustee.members {
        line += &format!(" of {members}");
    }
    line
}
