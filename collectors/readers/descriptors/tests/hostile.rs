//! Octets that are no descriptor, and tables that no directory would give.

#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod build;

use build::*;
use pki_descriptors::{Descriptor, Principal, Principals, Sid};
use pki_inventory::Access;
use proptest::prelude::*;

/// Reads octets and, if they are a descriptor, goes all the way.
fn read(octets: &[u8]) -> Option<Access> {
    let _ = Sid::parse(octets);
    let descriptor = Descriptor::parse(octets).ok()?;
    let _ = Principals::named(&descriptor);
    Some(Principals::default().access(&descriptor, &[(MAPPINGS, "altSecurityIdentities")]))
}

fn whole() -> Vec<u8> {
    descriptor(
        "519",
        &[
            deny_one(CONTROL, ENROL, "1105"),
            allow_one(CONTROL, ENROL, "S-1-5-11"),
            ace(9, 0, 1, None, "513"),
            allow(ALL, "512"),
        ],
    )
}

#[test]
fn any_truncation_is_an_error() {
    let octets = whole();
    assert!(read(&octets).is_some());
    for length in 0..octets.len() {
        assert!(read(&octets[..length]).is_none(), "{length} of {}", octets.len());
    }
}

#[test]
fn any_octet_changed_is_read_to_an_end() {
    let octets = whole();
    for at in 0..octets.len() {
        for value in [0, 1, 4, 7, 8, 0x7f, 0x80, 0xff, octets[at] ^ 1] {
            let mut changed = octets.clone();
            changed[at] = value;
            read(&changed);
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let with = |at: usize, value: u8| {
        let mut octets = whole();
        octets[at] = value;
        Descriptor::parse(&octets).unwrap_err()
    };
    assert!(with(0, 2).contains("revision"));
    assert!(with(3, 0).contains("somewhere else"));
    assert!(with(4, 19).contains("in its header"));
    assert!(with(17, 0xff).contains("behind its end"));
    // 48 is where the list begins: its revision, its size, its count, the size of an entry.
    assert!(with(48, 1).contains("revision 2 or 4"));
    assert!(with(51, 0xff).contains("octets"));
    assert!(with(52, 5).contains("before entry 5 of 5"));
    assert!(with(58, 3).contains("entry 1 of an access list is cut off"));
    assert!(with(58, 20).contains("entry 1 of an access list"));
}

/// The longest list that there can be, of as many domains as fit: bounded, and it is said.
#[test]
fn a_list_of_a_thousand_domains_is_read_to_an_end() {
    let entries: Vec<_> =
        (0..1600).map(|number| allow(ALL, &format!("S-1-5-21-1-1-{number}-513"))).collect();
    let access = read(&descriptor("519", &entries)).unwrap();
    assert!(access.not_evaluated.unwrap().contains("more than 256 domains"));
    assert_eq!(access.grants.len(), 3 * 1600 + 1);
}

#[test]
fn a_deep_nest_is_followed_to_its_end() {
    let last = 20_000;
    let name = |number: u32| format!("G{number}");
    let mut accounts = Principals::default();
    accounts.add(group("Users", "513", &[]));
    for number in 0..last {
        let inner = if number == 0 { "Users".to_owned() } else { name(number - 1) };
        accounts.add(group(&name(number), &(2000 + number).to_string(), &[&inner]));
    }
    let octets = descriptor("519", &[allow(WRITE_DACL, &(2000 + last - 1).to_string())]);
    let access = accounts.access(&Descriptor::parse(&octets).unwrap(), &[]);
    let grant = access.grants.iter().find(|grant| grant.is_ordinary()).unwrap();
    assert_eq!(grant.trustee.through.len(), 32);
    assert_eq!(grant.trustee.through[0], r"EXAMPLE\G19998");
    assert_eq!(grant.trustee.through[31], r"EXAMPLE\Users");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&octets);
        let mut header = vec![1, 0, 0x04, 0x80, 20, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
        header.extend(&octets);
        read(&header);
    }

    #[test]
    fn entries_of_any_kind(
        entries in prop::collection::vec((0_u8..24, any::<u8>(), any::<u32>(), any::<bool>()), 0..20),
    ) {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(kind, flags, mask, one)| ace(kind, flags, mask, one.then_some(ENROL), "513"))
            .collect();
        prop_assert!(read(&descriptor("519", &entries)).is_some());
    }

    #[test]
    fn texts_and_octets_of_identifiers(authority in 0_u64..1 << 48, parts in prop::collection::vec(any::<u32>(), 0..=15)) {
        let sid = Sid { authority, parts };
        prop_assert_eq!(&sid.to_string().parse::<Sid>().unwrap(), &sid);
        prop_assert_eq!(&Sid::parse(&sid_octets(&sid)).unwrap(), &sid);
    }

    #[test]
    fn any_text(text in "\\PC{0,40}", numbers in "S-1(-[0-9x+]{0,12}){0,17}") {
        let _ = text.parse::<Sid>();
        let _ = numbers.parse::<Sid>();
    }

    /// Whoever is in whom, with circles and with entries that stand for the same.
    #[test]
    fn any_table(links in prop::collection::vec((0_u32..12, 0_u32..12, any::<bool>(), 510_u32..520), 0..60)) {
        let mut accounts = Principals::default();
        for (one, other, is_group, primary) in links {
            accounts.add(Principal {
                sid: sid(&(508 + one).to_string()),
                dn: dn(&one.to_string()),
                name: None,
                is_group,
                member_of: vec![dn(&other.to_string()), dn("S-1-5-11")],
                members: vec![dn(&(other + 1).to_string()), dn(",,=\\"), String::new()],
                primary_group: Some(primary),
            });
        }
        let entries: Vec<_> = (505..522).map(|number| allow(ALL, &number.to_string())).collect();
        let descriptor = Descriptor::parse(&descriptor("519", &entries)).unwrap();
        let access = accounts.access(&descriptor, &[]);
        let by_users = accounts.standing_of(&dn("5"));
        prop_assert!(access.grants.iter().any(|grant| grant.trustee.sid.ends_with("-513")));
        prop_assert!(by_users.is_none_or(|(name, _)| !name.is_empty()));
    }
}
