//! Who holds what: allowed, denied, nested, by primary group, as owner.

#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod build;

use build::*;
use pki_descriptors::{Descriptor, Principal, Principals};

/// Reads a descriptor that administrators own, and compares what it comes to, line by line.
#[track_caller]
fn check(principals: &Principals, entries: &[Vec<u8>], expected: &[&str]) {
    let descriptor = Descriptor::parse(&descriptor("!544", entries)).unwrap();
    let access = principals.access(&descriptor, &[(MAPPINGS, "altSecurityIdentities")]);
    let own = r"own: BUILTIN\Administrators (privileged)";
    let lines: Vec<String> = lines(&access).into_iter().filter(|line| line != own).collect();
    assert_eq!(lines, expected);
}

/// A table in which a domain is known and nothing else.
fn nobody() -> Principals {
    table([account("Administrator", "500", &[], 513)])
}

#[test]
fn control_access_with_its_guid_or_with_none_enrols() {
    check(
        &nobody(),
        &[allow_one(CONTROL, ENROL, "S-1-5-11")],
        &["enrol: Authenticated Users (ordinary) reaches users, computers"],
    );
    check(
        &nobody(),
        &[allow(CONTROL, "513")],
        &[
            "enrol: Domain Users (ordinary) reaches users",
            "auto-enrol: Domain Users (ordinary) reaches users",
        ],
    );
    check(&nobody(), &[allow_one(CONTROL, MAPPINGS, "S-1-5-11")], &[]);
    check(&nobody(), &[allow_one(0x10, ENROL, "S-1-5-11")], &[]);
}

#[test]
fn full_control_is_said_once_and_with_what_enrols() {
    let expected = [
        "enrol: Domain Computers (ordinary) reaches computers",
        "auto-enrol: Domain Computers (ordinary) reaches computers",
        "full control: Domain Computers (ordinary) reaches computers",
    ];
    check(&nobody(), &[allow(ALL, "515")], &expected);
    check(&nobody(), &[allow(0x1000_0000, "515")], &expected);
    // Two entries together are full control as well.
    check(&nobody(), &[allow(0xf0000, "515"), allow(0x1ff, "515")], &expected);
    // With any bit less it is not.
    check(
        &nobody(),
        &[allow(ALL & !0x10000, "513")],
        &[
            "enrol: Domain Users (ordinary) reaches users",
            "auto-enrol: Domain Users (ordinary) reaches users",
            "write the access list: Domain Users (ordinary) reaches users",
            "write the owner: Domain Users (ordinary) reaches users",
            "write all properties: Domain Users (ordinary) reaches users",
            "create objects below it: Domain Users (ordinary) reaches users",
        ],
    );
}

#[test]
fn generic_bits_stand_for_what_they_are_on_an_object_of_a_directory() {
    check(
        &nobody(),
        &[allow(0x4000_0000, "513")],
        &["write all properties: Domain Users (ordinary) reaches users"],
    );
    check(&nobody(), &[allow(0x8000_0000, "513"), allow(0x2000_0000, "513")], &[]);
}

#[test]
fn a_denial_that_stands_first_takes_the_right() {
    let enrol = allow_one(CONTROL, ENROL, "S-1-5-11");
    check(
        &nobody(),
        &[deny(CONTROL, "513"), enrol.clone()],
        &[
            "enrol: Authenticated Users (ordinary) reaches computers",
            "denied: Domain Users (ordinary)",
        ],
    );
    check(
        &nobody(),
        &[deny_one(CONTROL, ENROL, "S-1-1-0"), enrol.clone()],
        &["denied: Everyone (ordinary)"],
    );
    check(
        &nobody(),
        &[deny_one(CONTROL, AUTO_ENROL, "S-1-1-0"), enrol.clone()],
        &[
            "enrol: Authenticated Users (ordinary) reaches users, computers",
            "denied: Everyone (ordinary)",
        ],
    );
    // One that stands behind comes too late, and one for objects below says nothing.
    check(
        &nobody(),
        &[ace(1, 0x08, CONTROL, None, "S-1-1-0"), enrol.clone(), deny(CONTROL, "S-1-1-0")],
        &[
            "enrol: Authenticated Users (ordinary) reaches users, computers",
            "denied: Everyone (ordinary)",
        ],
    );
    check(&nobody(), &[ace(5, 0x0a, CONTROL, Some(ENROL), "S-1-5-11")], &[]);
    check(
        &nobody(),
        &[ace(5, 0x12, CONTROL, Some(ENROL), "S-1-5-11")],
        &["enrol: Authenticated Users (ordinary) reaches users, computers"],
    );
}

#[test]
fn a_denial_of_a_part_leaves_the_other_parts() {
    check(
        &nobody(),
        &[deny_one(CONTROL, ENROL, "S-1-5-11"), allow(ALL, "S-1-5-11")],
        &[
            "auto-enrol: Authenticated Users (ordinary) reaches users, computers",
            "write the access list: Authenticated Users (ordinary) reaches users, computers",
            "write the owner: Authenticated Users (ordinary) reaches users, computers",
            "write all properties: Authenticated Users (ordinary) reaches users, computers",
            "create objects below it: Authenticated Users (ordinary) reaches users, computers",
            "denied: Authenticated Users (ordinary)",
        ],
    );
    // What reaches further than full control is said besides.
    check(
        &nobody(),
        &[deny(0x1, "515"), allow(ALL, "S-1-5-11")],
        &[
            "enrol: Authenticated Users (ordinary) reaches users, computers",
            "auto-enrol: Authenticated Users (ordinary) reaches users, computers",
            "full control: Authenticated Users (ordinary) reaches users",
            "write the access list: Authenticated Users (ordinary) reaches users, computers",
            "write the owner: Authenticated Users (ordinary) reaches users, computers",
            "write all properties: Authenticated Users (ordinary) reaches users, computers",
            "denied: Domain Computers (ordinary)",
        ],
    );
}

#[test]
fn one_property_is_written_by_its_guid() {
    check(
        &nobody(),
        &[allow_one(WRITE_PROPERTY, MAPPINGS, "!545")],
        &[r"write altSecurityIdentities: BUILTIN\Users (ordinary) reaches users, computers"],
    );
    check(&nobody(), &[allow_one(WRITE_PROPERTY, ENROL, "!545")], &[]);
    check(
        &nobody(),
        &[deny_one(WRITE_PROPERTY, MAPPINGS, "513"), allow(WRITE_PROPERTY, "513")],
        &["denied: Domain Users (ordinary)"],
    );
}

#[test]
fn groups_within_groups_arm_an_entry_and_denials_alike() {
    let nested = table([
        group("Users", "513", &[]),
        group("PKI", "1105", &["Staff"]),
        group("Staff", "1106", &["Users", "Loop"]),
        group("Loop", "1107", &["PKI", "Staff"]),
    ]);
    check(
        &nested,
        &[allow_one(CONTROL, ENROL, "1105")],
        &[r"enrol: EXAMPLE\PKI (ordinary) through EXAMPLE\Staff > EXAMPLE\Users reaches users"],
    );
    check(
        &nested,
        &[deny(CONTROL, "1105"), allow(CONTROL, "S-1-5-11")],
        &[
            "enrol: Authenticated Users (ordinary) reaches computers",
            "auto-enrol: Authenticated Users (ordinary) reaches computers",
            r"denied: EXAMPLE\PKI (ordinary) through EXAMPLE\Staff > EXAMPLE\Users",
        ],
    );
    // The other direction of the same, and in another case.
    let mut users = group("users", "513", &[]);
    users.member_of = vec![dn("PKI").to_uppercase()];
    check(
        &table([users, group("PKI", "1105", &[])]),
        &[allow_one(CONTROL, ENROL, "1105")],
        &[r"enrol: EXAMPLE\PKI (ordinary) through EXAMPLE\users reaches users"],
    );
}

#[test]
fn foreign_principals_are_known_by_their_identifier() {
    let old = group("Old", "!554", &["S-1-5-11", "S-1-5-7"]);
    check(
        &table([account("Administrator", "500", &[], 513), old]),
        &[allow(WRITE_DACL, "!554")],
        &[
            r"write the access list: EXAMPLE\Old (ordinary) through Authenticated Users reaches users, computers, anonymous",
        ],
    );
    // A name alone makes none.
    let mut named = account("S-1-5-11", "1110", &["PKI"], 513);
    named.dn = "CN=S-1-5-11,CN=Users,DC=example,DC=org".to_owned();
    check(
        &table([named, group("PKI", "1105", &[])]),
        &[allow(WRITE_DACL, "1105")],
        &[r"write the access list: EXAMPLE\PKI (particular) of 1"],
    );
}

#[test]
fn a_primary_group_stands_in_no_list_of_members() {
    let accounts = table([
        group("PKI", "1105", &["Inner", "Ann"]),
        group("Inner", "1106", &[]),
        account("Ann", "1107", &[], 513),
        account("Ben", "1108", &["PKI"], 1106),
        account("Host$", "1109", &[], 1105),
    ]);
    check(
        &accounts,
        &[allow(WRITE_OWNER, "1105")],
        &[r"write the owner: EXAMPLE\PKI (particular) of 3"],
    );
    // Ann is in Domain Users by her primary group, and so the denial is hers; Ben is not.
    check(
        &accounts,
        &[deny(WRITE_OWNER, "513"), allow(WRITE_OWNER, "1107"), allow(WRITE_OWNER, "1108")],
        &[r"write the owner: EXAMPLE\Ben (particular)", "denied: Domain Users (ordinary)"],
    );
}

#[test]
fn who_is_privileged_is_so_until_somebody_ordinary_is_in_it() {
    let mut accounts = table([
        group("Admins", "512", &[]),
        group("Publishers", "517", &["Users"]),
        group("Users", "513", &[]),
        account("CA$", "1120", &[], 515),
    ]);
    accounts.trust([sid("1120")]);
    check(
        &accounts,
        &[
            allow(WRITE_DACL, "S-1-5-18"),
            allow(WRITE_DACL, "512"),
            allow(WRITE_DACL, "517"),
            allow(WRITE_DACL, "1120"),
        ],
        &[
            "write the access list: SYSTEM (privileged)",
            r"write the access list: EXAMPLE\CA$ (privileged)",
            r"write the access list: EXAMPLE\Admins (privileged)",
            r"write the access list: EXAMPLE\Publishers (ordinary) through EXAMPLE\Users reaches users",
        ],
    );
}

#[test]
fn guests_and_the_anonymous_are_sorts_of_their_own() {
    check(
        &nobody(),
        &[allow(WRITE_DACL, "S-1-1-0"), allow(WRITE_OWNER, "S-1-5-7"), allow(0x1, "!546")],
        &[
            "write the access list: Everyone (ordinary) reaches users, computers, guests",
            "write the owner: ANONYMOUS LOGON (ordinary) reaches anonymous",
            r"create objects below it: BUILTIN\Guests (ordinary) reaches guests",
        ],
    );
    // Guests are no authenticated users, and so keep what is denied to those.
    check(
        &nobody(),
        &[deny(WRITE_DACL, "S-1-5-11"), allow(WRITE_DACL, "S-1-1-0")],
        &[
            "write the access list: Everyone (ordinary) reaches guests",
            "denied: Authenticated Users (ordinary)",
        ],
    );
}

#[test]
fn each_domain_has_users_of_its_own() {
    let other = "S-1-5-21-7-7-7";
    let accounts = table([
        account("Ann", "1107", &[], 513),
        account("Bob", &format!("{other}-1107"), &[], 513),
    ]);
    let enrol = allow_one(CONTROL, ENROL, "S-1-5-11");
    let denied = "denied: Domain Users (ordinary)";
    check(
        &accounts,
        &[deny(CONTROL, "513"), enrol.clone()],
        &["enrol: Authenticated Users (ordinary) reaches users, computers", denied],
    );
    check(
        &accounts,
        &[deny(CONTROL, "513"), deny(CONTROL, &format!("{other}-513")), enrol.clone()],
        &["enrol: Authenticated Users (ordinary) reaches computers", denied, denied],
    );
    // An account left of a domain that is gone makes no domain.
    check(
        &table([account("Ann", "1107", &[], 513)]),
        &[deny(CONTROL, "513"), allow(0x10, "S-1-5-21-9-9-9-1400"), enrol],
        &["enrol: Authenticated Users (ordinary) reaches computers", denied],
    );
}

#[track_caller]
fn owned(principals: &Principals, owner: &str, entries: &[Vec<u8>], expected: &[&str]) {
    let descriptor = Descriptor::parse(&descriptor(owner, entries)).unwrap();
    assert_eq!(lines(&principals.access(&descriptor, &[])), expected);
}

#[test]
fn an_owner_may_change_the_list_unless_it_says_what_owners_may() {
    let mut accounts = table([account("Ann", "1107", &[], 513), account("CA$", "1120", &[], 515)]);
    let ann = r"own: EXAMPLE\Ann (particular)";
    owned(&accounts, "1107", &[], &[ann]);
    let denied = r"denied: EXAMPLE\Ann (particular)";
    owned(&accounts, "1107", &[deny(ALL, "1107")], &[ann, denied]);
    owned(&accounts, "1107", &[allow(0x20000, "S-1-3-4")], &[]);
    owned(&accounts, "1107", &[ace(0, 0x08, 0x20000, None, "S-1-3-4")], &[ann]);
    owned(
        &accounts,
        "1107",
        &[allow(WRITE_OWNER, "S-1-3-4")],
        &["write the owner: OWNER RIGHTS (particular)"],
    );
    owned(
        &accounts,
        "513",
        &[allow(WRITE_OWNER, "S-1-3-4")],
        &["write the owner: OWNER RIGHTS (ordinary) reaches users"],
    );
    owned(&accounts, "513", &[], &["own: Domain Users (ordinary) reaches users"]);
    owned(&accounts, "1120", &[], &[r"own: EXAMPLE\CA$ (particular)"]);
    accounts.trust([sid("1120")]);
    owned(&accounts, "1120", &[], &[r"own: EXAMPLE\CA$ (privileged)"]);
    owned(&accounts, "519", &[], &["own: Enterprise Admins (privileged)"]);
    // Who may stand in a list may not own without a word.
    owned(
        &accounts,
        "517",
        &[],
        &[
            "own: Cert Publishers (particular)",
            "unresolved: who is in or behind these was not read: Cert Publishers",
        ],
    );
    // Creators own nothing here.
    owned(&accounts, "519", &[allow(ALL, "S-1-3-0")], &["own: Enterprise Admins (privileged)"]);
}

#[test]
fn what_was_not_read_is_said_where_it_matters() {
    let mut accounts = table([
        group("PKI", "1105", &["Ann", "Elsewhere"]),
        group("Large", "1106", &["Ann"]),
        account("Ann", "1107", &[], 513),
    ]);
    accounts.incomplete(&dn("large"));
    check(
        &accounts,
        &[allow(WRITE_DACL, "1105"), allow(WRITE_DACL, "1106"), allow(WRITE_DACL, "1130")],
        &[
            r"write the access list: EXAMPLE\PKI (particular)",
            r"write the access list: EXAMPLE\Large (particular)",
            &format!("write the access list: {DOMAIN}-1130 (particular)"),
            &format!(
                r"unresolved: who is in or behind these was not read: {DOMAIN}-1130; not all members of these were read: EXAMPLE\Large, EXAMPLE\PKI (such as Elsewhere)"
            ),
        ],
    );
    // It does not matter who is in a group that may only read.
    check(&accounts, &[allow(0x10, "1105"), allow(0x10, "1130")], &[]);
    // Who is in a group that is denied something may.
    check(
        &accounts,
        &[deny(CONTROL, "1130"), allow_one(CONTROL, ENROL, "513")],
        &[
            "enrol: Domain Users (ordinary) reaches users",
            &format!("denied: {DOMAIN}-1130 (particular)"),
            &format!("unresolved: who is in or behind these was not read: {DOMAIN}-1130"),
        ],
    );
    check(
        &accounts,
        &[
            ace(9, 0, ALL, None, "S-1-5-11"),
            ace(10, 8, ALL, None, "S-1-5-11"),
            ace(77, 0, 0, None, "513"),
        ],
        &[
            "not evaluated: entries of its list were left out: a conditional permission for Authenticated Users, an entry of kind 77",
        ],
    );
    check(
        &accounts,
        &[ace(9, 0, ALL, None, "513"), ace(12, 0, CONTROL, Some(ENROL), "S-1-5-11")],
        &[
            "not evaluated: entries of its list were left out, a denial among them: a conditional denial for Authenticated Users, a conditional permission for Domain Users",
        ],
    );
}

#[test]
fn a_group_that_was_not_read_still_joins_what_is_in_it_to_what_it_is_in() {
    let mut users = group("Users", "513", &[]);
    users.member_of = vec![dn("Elsewhere")];
    check(
        &table([users, group("PKI", "1105", &["Elsewhere"])]),
        &[allow(WRITE_DACL, "1105")],
        &[
            r"write the access list: EXAMPLE\PKI (ordinary) through Elsewhere > EXAMPLE\Users reaches users",
        ],
    );
}

#[test]
fn who_is_behind_a_foreign_principal_is_not_known() {
    let foreign = "S-1-5-21-7-7-7-1400";
    let accounts = table([
        group("Interactive", "1105", &["S-1-5-4"]),
        group("Partners", "1106", &[foreign]),
        group("Operators", "!548", &["Unread"]),
        Principal { name: None, is_group: false, ..group(foreign, foreign, &[]) },
    ]);
    check(
        &accounts,
        &[
            allow(WRITE_DACL, "1105"),
            allow(WRITE_DACL, "1106"),
            allow(WRITE_DACL, foreign),
            allow(WRITE_DACL, "!548"),
            allow(WRITE_DACL, "S-1-5-20"),
        ],
        &[
            "write the access list: NETWORK SERVICE (particular)",
            r"write the access list: EXAMPLE\Interactive (particular)",
            r"write the access list: EXAMPLE\Partners (particular)",
            &format!("write the access list: {foreign} (particular)"),
            r"write the access list: EXAMPLE\Operators (particular)",
            &format!(
                r"unresolved: who is in or behind these was not read: {foreign}; not all members of these were read: EXAMPLE\Partners (such as {foreign})"
            ),
        ],
    );
    // The domain of a foreign principal is not one whose users are asked about.
    check(
        &accounts,
        &[deny(CONTROL, "513"), allow_one(CONTROL, ENROL, "S-1-5-11")],
        &[
            "enrol: Authenticated Users (ordinary) reaches computers",
            "denied: Domain Users (ordinary)",
        ],
    );
}

#[test]
fn a_group_is_known_by_its_name_and_by_what_it_is_in() {
    let accounts = table([
        group("Domain Admins", "512", &["Deputies"]),
        group("Deputies", "1105", &[]),
        group("Schema", "518", &[]),
        group("Print", "1106", &[]),
    ]);
    let of = |name: &str| accounts.standing_of(&dn(name));
    assert_eq!(of("domain admins"), Some((r"EXAMPLE\Domain Admins".to_owned(), true)));
    assert_eq!(of("Deputies"), Some((r"EXAMPLE\Deputies".to_owned(), true)));
    assert_eq!(of("Schema"), Some((r"EXAMPLE\Schema".to_owned(), true)));
    assert_eq!(of("Print"), Some((r"EXAMPLE\Print".to_owned(), false)));
    assert_eq!(of("Nobody"), None);
}

#[test]
fn everybody_named_is_asked_for_once() {
    let octets = descriptor("519", &[allow(1, "513"), deny(1, "513"), allow(1, "S-1-5-11")]);
    let named = Principals::named(&Descriptor::parse(&octets).unwrap());
    assert_eq!(named, [sid("S-1-5-11"), sid("513"), sid("519")]);
}
