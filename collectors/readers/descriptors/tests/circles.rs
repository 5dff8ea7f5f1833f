//! Accounts and groups that a list names themselves, and the groups of administrators they are in;
//! and what of a list is left out.

#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod build;

use build::*;
use pki_descriptors::{Descriptor, Guid, Principals};
use pki_inventory::Access;

/// User-Force-Change-Password.
const PASSWORD: Guid = Guid(0x00299570_246d_11d0_a768_00aa006e0529);

fn access(principals: &Principals, owner: &str, entries: &[Vec<u8>]) -> Access {
    let descriptor = Descriptor::parse(&descriptor(owner, entries)).unwrap();
    principals
        .access(&descriptor, &[(MAPPINGS, "altSecurityIdentities"), (PASSWORD, "the password")])
}

/// The standing of the one whom the list lets change it.
#[track_caller]
fn check(principals: &Principals, trustee: &str, expected: &str) {
    let found = lines(&access(principals, "519", &[allow(WRITE_DACL, trustee)]));
    assert_eq!(found[1], format!("write the access list: {expected}"));
}

fn forest() -> Principals {
    table([
        group("Domain Admins", "512", &["Al", "Deputies"]),
        group("Deputies", "1105", &["Bea"]),
        account("Al", "1110", &[], 513),
        account("Bea", "1111", &[], 513),
        account("Cy", "1112", &[], 513),
        account("Root", "500", &[], 512),
    ])
}

#[test]
fn who_is_in_a_group_of_administrators_is_privileged_when_named_in_person() {
    check(&forest(), "1110", r"EXAMPLE\Al (privileged)");
    check(&forest(), "1111", r"EXAMPLE\Bea (privileged)");
    check(&forest(), "1105", r"EXAMPLE\Deputies (privileged)");
    check(&forest(), "1112", r"EXAMPLE\Cy (particular)");
    // Groups that are only protected are none that may by default.
    let mut operators = forest();
    operators.add(group("Account Operators", "!548", &["Cy"]));
    check(&operators, "1112", r"EXAMPLE\Cy (particular)");
}

#[test]
fn an_owner_is_fit_by_the_groups_he_is_in() {
    let own = |owner: &str| lines(&access(&forest(), owner, &[]));
    assert_eq!(own("1110"), [r"own: EXAMPLE\Al (privileged)"]);
    assert_eq!(own("500"), [r"own: EXAMPLE\Root (privileged)"]);
    assert_eq!(own("1112"), [r"own: EXAMPLE\Cy (particular)"]);
    // Cert Publishers may stand in lists, and its members own nothing without a word.
    let mut publishers = forest();
    publishers.add(group("Cert Publishers", "517", &["Cy"]));
    check(&publishers, "1112", r"EXAMPLE\Cy (privileged)");
    assert_eq!(lines(&access(&publishers, "1112", &[])), [r"own: EXAMPLE\Cy (particular)"]);
}

#[test]
fn a_group_is_privileged_if_all_who_are_in_it_are_and_were_read() {
    let with = |members: &[&str]| {
        let mut forest = forest();
        forest.add(group("PKI", "1120", members));
        forest
    };
    check(&with(&["Al", "Deputies"]), "1120", r"EXAMPLE\PKI (privileged)");
    check(&with(&["Al", "Cy"]), "1120", r"EXAMPLE\PKI (particular) of 2");
    check(&with(&["Al", "Unread"]), "1120", r"EXAMPLE\PKI (particular)");
    check(&with(&[]), "1120", r"EXAMPLE\PKI (particular) of 0");
    let mut incomplete = with(&["Al"]);
    incomplete.incomplete(&dn("PKI"));
    check(&incomplete, "1120", r"EXAMPLE\PKI (particular)");
    // The host of an authority is trusted, and so is a group of such hosts.
    let mut hosts = with(&["Cy"]);
    hosts.trust([sid("1112")]);
    check(&hosts, "1120", r"EXAMPLE\PKI (privileged)");
}

#[test]
fn a_group_of_administrators_that_everybody_is_in_tells_nothing() {
    let accounts = table([
        group("Domain Admins", "512", &["Al", "Users"]),
        group("Users", "513", &[]),
        account("Al", "1110", &[], 1130),
    ]);
    check(&accounts, "1110", r"EXAMPLE\Al (particular)");
}

#[test]
fn doubt_about_the_list_is_apart_from_doubt_about_members() {
    let of = |entries: &[Vec<u8>]| {
        let access = access(&Principals::default(), "519", entries);
        (access.unresolved.is_some(), access.not_evaluated.is_some())
    };
    assert_eq!(of(&[allow(WRITE_DACL, "1105")]), (true, false));
    assert_eq!(of(&[ace(9, 0, ALL, None, "1105")]), (false, true));
    assert_eq!(of(&[ace(9, 0, ALL, None, "1105"), allow(WRITE_DACL, "1105")]), (true, true));

    let mut octets = descriptor("519", &[allow(WRITE_DACL, "513")]);
    octets[2] = 0;
    let access = Principals::default().access(&Descriptor::parse(&octets).unwrap(), &[]);
    assert_eq!(access.not_evaluated.as_deref(), Some("its access list was not handed over"));
    assert_eq!(access.unresolved, None);
}

#[test]
fn a_password_is_set_by_control_access_and_not_by_writing() {
    let of = |entries: &[Vec<u8>]| {
        let lines = lines(&access(&Principals::default(), "519", entries));
        lines.into_iter().filter(|line| !line.ends_with("(privileged)")).collect::<Vec<_>>()
    };
    let one = |what: &str| format!("{what}: Domain Users (ordinary) reaches users");
    let password = one("write the password");
    assert_eq!(of(&[allow_one(CONTROL, PASSWORD, "513")]), std::slice::from_ref(&password));
    assert_eq!(
        of(&[allow(CONTROL, "513")]),
        [one("enrol"), one("auto-enrol"), password.clone()],
        "without a GUID it is about all control access"
    );
    assert!(of(&[allow_one(WRITE_PROPERTY, PASSWORD, "513")]).is_empty());
    let properties = one("write all properties");
    assert_eq!(of(&[allow(WRITE_PROPERTY, "513")]), std::slice::from_ref(&properties));
    assert_eq!(
        of(&[allow(WRITE_PROPERTY, "513"), allow_one(CONTROL, PASSWORD, "513")]),
        [properties, password],
        "the one does not follow from the other"
    );
    let full = [one("enrol"), one("auto-enrol"), one("full control")];
    assert_eq!(of(&[allow(ALL, "513")]), full);
    let most = of(&[deny_one(CONTROL, PASSWORD, "513"), allow(ALL, "513")]);
    assert!(!most.contains(&full[2]) && most.contains(&full[0]), "{most:?}");
}

#[test]
fn a_better_name_takes_the_place_of_the_one_before() {
    let mut accounts = forest();
    accounts.rename(|dn, name| {
        assert_eq!(dn, dn.to_lowercase());
        (dn == "cn=al,dc=example,dc=org").then(|| name.replace("EXAMPLE", "EX"))
    });
    check(&accounts, "1110", r"EX\Al (privileged)");
    check(&accounts, "1111", r"EXAMPLE\Bea (privileged)");
}
