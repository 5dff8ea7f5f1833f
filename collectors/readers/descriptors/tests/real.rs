//! Descriptors that Samba encoded, and the answers of its own check (`data/make.py`).

#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod build;

use build::{MAPPINGS, lines, sid};
use pki_descriptors::{Descriptor, Principals};
use pki_inventory::{Ordinary, Right};

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap();
    (0..hexadecimal.len()).step_by(2).map(digit).collect()
}

#[track_caller]
fn check(name: &str, expected: &[&str]) {
    let row = include_str!("data/real.tsv")
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .find(|row| row[0] == name)
        .unwrap_or_else(|| panic!("no descriptor is called {name}"));
    let descriptor = Descriptor::parse(&octets(row[2])).unwrap();
    let access = Principals::default().access(&descriptor, &[(MAPPINGS, "altSecurityIdentities")]);
    // Administrators may do everything, and each list says so.
    let lines: Vec<_> =
        lines(&access).into_iter().filter(|line| !line.ends_with("(privileged)")).collect();
    assert_eq!(lines, expected, "{name}: {}", row[1]);
}

#[test]
fn what_samba_encodes_is_read() {
    check("default user template", &["enrol: Domain Users (ordinary) reaches users"]);
    check(
        "machine template",
        &[
            "enrol: Domain Computers (ordinary) reaches computers",
            "auto-enrol: Domain Computers (ordinary) reaches computers",
        ],
    );
    check(
        "generic all to everyone signed in",
        &[
            "enrol: Authenticated Users (ordinary) reaches users, computers",
            "auto-enrol: Authenticated Users (ordinary) reaches users, computers",
            "full control: Authenticated Users (ordinary) reaches users, computers",
        ],
    );
    check(
        "generic write to domain users",
        &["write all properties: Domain Users (ordinary) reaches users"],
    );
    check(
        "denied to users",
        &[
            "enrol: Authenticated Users (ordinary) reaches computers",
            "denied: Domain Users (ordinary)",
        ],
    );
    check(
        "denied for another right",
        &[
            "enrol: Authenticated Users (ordinary) reaches users, computers",
            "denied: Authenticated Users (ordinary)",
        ],
    );
    check(
        "denied too late",
        &[
            "enrol: Authenticated Users (ordinary) reaches users, computers",
            "denied: Authenticated Users (ordinary)",
        ],
    );
    let group = sid("1105");
    check(
        "for a group",
        &[
            &format!("enrol: {group} (particular)"),
            &format!("unresolved: who is in or behind these was not read: {group}"),
        ],
    );
    check("inherited", &["write the owner: Domain Users (ordinary) reaches users"]);
    check(
        "one attribute",
        &[
            &format!("write altSecurityIdentities: {group} (particular)"),
            r"write altSecurityIdentities: BUILTIN\Users (ordinary) reaches users, computers",
            &format!("unresolved: who is in or behind these was not read: {group}"),
        ],
    );
    check("templates below", &["create objects below it: Domain Users (ordinary) reaches users"]);
    let owner = sid("1106");
    check(
        "owned by a user",
        &[
            &format!("own: {owner} (particular)"),
            &format!("unresolved: who is in or behind these was not read: {owner}"),
        ],
    );
    check("owned without rights", &[]);
    check("empty list", &[]);
    check("audited", &[]);
    check("list not asked for", &["not evaluated: its access list was not handed over"]);
    let everybody = "Everyone (ordinary) reaches users, computers, guests, anonymous";
    check(
        "no list",
        &[
            &format!("enrol: {everybody}"),
            &format!("auto-enrol: {everybody}"),
            &format!("full control: {everybody}"),
        ],
    );
}

#[test]
fn flags_and_classes_are_kept() {
    let row = include_str!("data/real.tsv").lines().find(|row| row.starts_with("one attribute"));
    let read = Descriptor::parse(&octets(row.unwrap().split('\t').next_back().unwrap())).unwrap();
    assert_eq!(read.owner, Some(sid("519")));
    assert_eq!(read.group, Some(sid("519")));
    let entries = read.dacl.unwrap();
    assert_eq!(entries.len(), 6);
    assert_eq!((entries[0].object, entries[0].inherited_class), (Some(MAPPINGS), None));
    let class = entries[1].inherited_class.map(|class| class.to_string());
    assert_eq!(class.as_deref(), Some("bf967aba-0de6-11d0-a285-00aa003049e2"));
    assert_eq!(entries[1].object, None);
    assert!(entries[1].inherit_only && !entries[1].inherited);
    assert!(entries[2].inherited && !entries[2].inherit_only);
}

/// Each single bit of each sort of ordinary account, in lists made by chance: Samba's check and ours
/// say the same.
#[test]
fn another_check_gives_the_same_answers() {
    let mut granted = 0;
    for row in include_str!("data/checked.tsv").lines() {
        let row: Vec<&str> = row.split('\t').collect();
        let descriptor = Descriptor::parse(&octets(row[0])).unwrap();
        // The group that lists name beside the well-known ones is known, and empty.
        let principals = build::table([build::group("PKI", "1105", &[])]);
        let access = principals.access(&descriptor, &[]);
        for (answer, sort) in row[2..].iter().zip([
            Ordinary::User,
            Ordinary::Computer,
            Ordinary::Guest,
            Ordinary::Anonymous,
        ]) {
            let (name, bits) = answer.split_once('=').unwrap();
            assert_eq!(name, sort.name());
            let bits: Vec<&str> = bits.split(',').collect();
            for (bit, right) in [
                ("CC", Right::CreateChild),
                ("WP", Right::WriteProperties),
                ("CR", Right::Enrol),
                ("WD", Right::WriteDacl),
                ("WO", Right::WriteOwner),
            ] {
                let ours = access.grants.iter().any(|grant| {
                    let owns = right == Right::WriteDacl && grant.right == Right::Own;
                    (owns || grant.right == right) && grant.reaches.contains(&sort)
                });
                assert_eq!(ours, bits.contains(&bit), "{bit} of {name}: {}", row[1]);
                granted += usize::from(ours);
            }
        }
    }
    assert!(granted > 300, "{granted} granted: the test would hold for little");
}
