//! Corners of tables and of lists that seldom meet.

#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod build;

use build::*;
use pki_descriptors::{Descriptor, Guid, Principal, Principals};

#[track_caller]
fn check(principals: &Principals, owner: &str, entries: &[Vec<u8>], expected: &[&str]) {
    let descriptor = Descriptor::parse(&descriptor(owner, entries)).unwrap();
    let lines = lines(&principals.access(&descriptor, &[]));
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.ends_with("(privileged)")).collect();
    assert_eq!(lines, expected);
}

fn foreign(text: &str, domain: &str, name: Option<&str>) -> Principal {
    Principal {
        dn: format!("CN={text},CN=ForeignSecurityPrincipals,DC={domain}"),
        name: name.map(str::to_owned),
        is_group: false,
        ..group(text, text, &[])
    }
}

#[test]
fn all_entries_of_one_identifier_count() {
    let mut last = foreign("S-1-5-11", "b", Some("S-1-5-11"));
    last.member_of = vec![dn("PKI")];
    let accounts = table([foreign("S-1-5-11", "a", None), last, group("PKI", "1105", &[])]);
    check(
        &accounts,
        "519",
        &[allow(WRITE_DACL, "1105")],
        &[
            r"write the access list: EXAMPLE\PKI (ordinary) through Authenticated Users reaches users, computers",
        ],
    );
    // An account by that name elsewhere is another one, even unread.
    let mut named = group("PKI", "1105", &[]);
    named.members = vec![r"CN=S-1-5-11,CN=Users,DC=a".to_owned(), r"CN=Doe\, Jane,DC=a".to_owned()];
    check(
        &table([named]),
        "519",
        &[allow(WRITE_DACL, "1105")],
        &[
            r"write the access list: EXAMPLE\PKI (particular)",
            r"unresolved: not all members of these were read: EXAMPLE\PKI (such as Doe, Jane)",
        ],
    );
}

#[test]
fn an_entry_that_is_somebody_else_now_is_no_longer_who_it_was() {
    let accounts = table([group("PKI", "1105", &["Users"]), group("Users", "513", &[])]);
    let mut renewed = accounts.clone();
    renewed.add(group("PKI", "1106", &[]));
    let list = [allow(WRITE_DACL, "1105")];
    check(
        &accounts,
        "519",
        &list,
        &[r"write the access list: EXAMPLE\PKI (ordinary) through EXAMPLE\Users reaches users"],
    );
    check(
        &renewed,
        "519",
        &list,
        &[
            &format!("write the access list: {DOMAIN}-1105 (particular)"),
            &format!("unresolved: who is in or behind these was not read: {DOMAIN}-1105"),
        ],
    );
}

#[test]
fn denials_are_said_where_they_matter() {
    let accounts = table([account("Ann", "1107", &[], 513)]);
    // To delete is nothing that is looked at.
    check(&accounts, "519", &[deny(0x10000, "513")], &[]);
    // Who is in Domain Admins does not matter for others.
    let reaches = "write the access list: Domain Users (ordinary) reaches users";
    let list = [deny(WRITE_DACL, "512"), allow(WRITE_DACL, "513")];
    check(&accounts, "519", &list, &[reaches]);
    // What a denial takes from the owner it takes from OWNER RIGHTS.
    check(
        &accounts,
        "1107",
        &[deny(WRITE_OWNER, "1107"), allow(WRITE_OWNER, "S-1-3-4")],
        &[r"denied: EXAMPLE\Ann (particular)"],
    );
    check(
        &accounts,
        "1108",
        &[allow(WRITE_OWNER, "S-1-3-4")],
        &[
            "write the owner: OWNER RIGHTS (particular)",
            &format!("unresolved: who is in or behind these was not read: {DOMAIN}-1108"),
        ],
    );
}

#[test]
fn guests_do_not_profit_from_what_authenticated_users_may() {
    let of_users = "write the access list: Authenticated Users (ordinary) reaches users, computers";
    check(
        &Principals::default(),
        "519",
        &[allow(WRITE_DACL, "S-1-5-11"), deny(WRITE_DACL, "514"), allow(WRITE_DACL, "514")],
        &[of_users, "denied: Domain Guests (ordinary)"],
    );
    check(
        &Principals::default(),
        "519",
        &[allow(WRITE_DACL, "S-1-5-11"), deny(WRITE_DACL, "S-1-5-7"), allow(WRITE_DACL, "S-1-5-7")],
        &[of_users, "denied: ANONYMOUS LOGON (ordinary)"],
    );
}

#[test]
fn what_users_hold_in_common_with_nobody_is_still_listed() {
    // Accounts with another primary group are left.
    check(
        &Principals::default(),
        "519",
        &[deny(WRITE_DACL, "513"), deny(WRITE_DACL, "515"), allow(WRITE_DACL, "S-1-5-11")],
        &[
            "write the access list: Authenticated Users (ordinary)",
            "denied: Domain Users (ordinary)",
            "denied: Domain Computers (ordinary)",
        ],
    );
}

#[test]
fn the_guid_of_zeros_is_none() {
    let users = "write the access list: Domain Users (ordinary) reaches users";
    check(&Principals::default(), "519", &[allow_one(WRITE_DACL, Guid(0), "513")], &[users]);
    check(&Principals::default(), "519", &[allow_one(WRITE_DACL, Guid(1), "513")], &[]);
}

#[test]
fn a_list_that_is_not_present_is_not_read() {
    let mut octets = descriptor("519", &[allow(WRITE_DACL, "513")]);
    assert!(Descriptor::parse(&octets).unwrap().dacl_present);
    octets[2] = 0;
    let read = Descriptor::parse(&octets).unwrap();
    assert!(!read.dacl_present && read.dacl.is_none());
}

#[test]
fn who_is_trusted_by_default_and_who_is_anybody() {
    let of = |text: &str| {
        let octets = descriptor("519", &[allow(WRITE_DACL, text)]);
        let access = Principals::default().access(&Descriptor::parse(&octets).unwrap(), &[]);
        access
            .grants
            .iter()
            .find(|grant| grant.right.name() == "write the access list")
            .map_or("nobody", |grant| grant.trustee.standing.name())
    };
    for text in [
        "498", "500", "512", "516", "517", "519", "521", "526", "527", "S-1-5-9", "S-1-5-10",
        "S-1-5-18", "!544",
    ] {
        assert_eq!(of(text), "privileged", "{text}");
    }
    for text in
        ["S-1-0-0", "S-1-1-0", "S-1-5-7", "S-1-5-11", "!545", "!546", "501", "513", "514", "515"]
    {
        assert_eq!(of(text), "ordinary", "{text}");
    }
    for text in ["502", "518", "520", "525", "553", "1105", "S-1-5-19", "!548", "!551", "!554"] {
        assert_eq!(of(text), "particular", "{text}");
    }
    assert_eq!(of("S-1-3-0"), "nobody");

    let owner = |text: &str| {
        let octets = descriptor(text, &[]);
        let access = Principals::default().access(&Descriptor::parse(&octets).unwrap(), &[]);
        access.owner.unwrap().standing.name()
    };
    for (text, standing) in [
        ("512", "privileged"),
        ("519", "privileged"),
        ("S-1-5-18", "privileged"),
        ("!544", "privileged"),
        ("500", "privileged"),
        ("516", "particular"),
        ("513", "ordinary"),
        ("S-1-5-11", "ordinary"),
    ] {
        assert_eq!(owner(text), standing, "{text}");
    }
}
