//! Dumps in the forms that their writers have.

use proptest::prelude::*;

use super::*;

fn read(dump: &[u8]) -> Vec<Result<Entry, Damage>> {
    let mut reader = Reader::new(dump);
    let mut found = Vec::new();
    while let Some(next) = reader.next_entry().expect("memory does not fail") {
        found.push(next);
    }
    found
}

fn entries(dump: &str) -> Vec<Entry> {
    read(dump.as_bytes()).into_iter().map(|next| next.expect("flawless")).collect()
}

/// The one damage of a dump, and how many entries it has.
fn damage(dump: &str) -> (u64, String, usize) {
    let found = read(dump.as_bytes());
    let (entries, mut damages): (Vec<_>, Vec<_>) = found.into_iter().partition(Result::is_ok);
    assert_eq!(damages.len(), 1, "{damages:?}");
    let Some(Err(damage)) = damages.pop() else { unreachable!("it is an error") };
    (damage.line, damage.what, entries.len())
}

#[test]
fn lines_are_unfolded_and_values_decoded() {
    let dump = "\u{feff}version: 1\n# a comment\n  that goes on\ndn:: Y249w6QsZGM9eA==\ncn:: w6Q=\n\
                # in between\ncn: a\n b\n  c\nempty:\nuserCertificate;binary:: MAMC\n AQE=\n\
                \n\n\ndn: dc=x\nCN;lang-de:   spaced \n";
    let found = entries(dump);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].dn, "cn=ä,dc=x");
    assert_eq!(found[0].texts("cn").collect::<Vec<_>>(), ["ä", "ab c"]);
    assert_eq!(found[0].text("empty"), Some(""));
    assert_eq!(found[0].values("userCertificate").next(), Some(&[0x30, 3, 2, 1, 1][..]));
    assert_eq!(found[0].attributes[2].0, "userCertificate;binary");
    assert_eq!(
        found[1].text("cn"),
        Some("spaced "),
        "only the blanks before a value are not its own"
    );
}

#[test]
fn a_dump_of_ldapsearch_ends_with_a_result_that_is_no_entry() {
    let dump = |result: &str| {
        format!(
            "# extended LDIF\n#\n# LDAPv3\n# base <dc=x> with scope subtree\n#\n\n# x\ndn: dc=x\n\
             dc: x\n\n# search result\nsearch: 2\nresult: {result}\ncontrol: 1.2.3 false MAUCAQAEAA==\n\
             \n# numResponses: 2\n# numEntries: 1\n"
        )
    };
    assert_eq!(entries(&dump("0 Success")).len(), 1);
    let (line, what, count) = damage(&dump("4 Size limit exceeded"));
    assert_eq!((line, count), (13, 1));
    assert!(what.contains("entries are missing"), "{what}");
}

#[test]
fn a_dump_of_ldifde_adds_its_entries() {
    let dump = "dn: CN=x,DC=corp\r\nchangetype: add\r\nobjectClass: top\r\ncn: x\r\n\r\n\
                dn: CN=y,DC=corp\r\nchangetype: add\r\ncn:\r\n y\r\n\r\n";
    let found = entries(dump);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].text("cn"), found[1].text("cn")), (Some("x"), Some("y")));
    assert_eq!(found[0].values("changetype").count(), 0);
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(dump.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16), read(dump.as_bytes()), "ldifde -u");
}

#[test]
fn a_referral_of_ldbsearch_is_said_and_not_followed() {
    let dump = "# record 1\ndn: DC=x\ndc: x\n\n# Referral\nref: ldap://x/CN=Configuration,DC=x\n\n\
                # returned 2 records\n# 1 entries\n# 1 referrals\n";
    let (line, what, count) = damage(dump);
    assert_eq!((line, count), (6, 1));
    assert!(what.contains("ldap://x/CN=Configuration,DC=x"), "{what}");
}

#[test]
fn changes_are_skipped_and_said_to_be() {
    for change in [
        "changetype: modify\nreplace: cn\ncn: b\n-\n",
        "changetype: delete\n",
        "control: 1.2.3 true\nchangetype: moddn\nnewrdn: cn=b\n",
    ] {
        let dump = format!("dn: cn=a\n{change}\ndn: cn=c\ncn: c\n");
        let (line, what, count) = damage(&dump);
        assert_eq!(
            (line, count),
            (if change.starts_with("control") { 3 } else { 2 }, 1),
            "{change}"
        );
        assert!(what.contains("a change is not read"), "{what}");
    }
}

#[test]
fn of_an_entry_that_is_broken_in_part_the_rest_is_kept() {
    let dump = "dn: cn=a\ncn: a\njpegPhoto:< file:///tmp/a.jpg\nuserCertificate:: M*==\nsn: b\n\n\
                dn: cn=c\n";
    let found = read(dump.as_bytes());
    let entry = found[0].as_ref().expect("what is left");
    assert_eq!(
        (entry.text("cn"), entry.text("sn"), entry.attributes.len()),
        (Some("a"), Some("b"), 2)
    );
    let damage = found[1].as_ref().expect_err("what is wrong");
    assert_eq!(damage.line, 3);
    let expected =
        "the value of `jpegPhoto` is a file elsewhere, not read, and 1 more in this entry";
    assert_eq!(damage.what, expected);
    assert!(found[2].is_ok());
}

#[test]
fn what_is_no_entry_is_said_with_its_line_and_reading_goes_on() {
    for (broken, says) in [
        ("cn: a\nsn: b\n", "no entry begins with `cn`"),
        ("rubbish\n", "no entry begins with `rubbish`"),
        ("dn:: /w==\ncn: a\n", "the distinguished name is no UTF-8"),
        ("dn:: *\ncn: a\n", "the distinguished name is no base64"),
        (" folded: into nothing\n", "no entry begins with"),
        ("version: 2\n", "a version of the format that is not known"),
    ] {
        let (line, what, count) = damage(&format!("dn: cn=x\n\n{broken}\ndn: cn=z\ncn: z\n"));
        assert_eq!((line, count), (3, 2), "{broken}");
        assert!(what.contains(says), "{what}");
    }
    let (line, what, count) = damage("dn: cn=a\nno colon\n\ndn: cn=b\n");
    assert!(what.contains("`no colon` has no attribute"), "{what}");
    assert_eq!((line, count), (2, 2));
}

#[test]
fn a_value_that_is_too_large_costs_the_value_and_not_the_entry() {
    let large = "A".repeat(MOST_OF_A_VALUE / 3 * 4 + 8);
    let dump = format!(
        "dn: cn=a\nuserCertificate:: {large}\nx: {}\ncn: a\n\ndn: cn=b\n",
        "b".repeat(MOST_OF_A_VALUE + 1)
    );
    let found = read(dump.as_bytes());
    let entry = found[0].as_ref().unwrap();
    assert_eq!((entry.attributes.len(), entry.text("cn")), (1, Some("a")));
    let damage = found[1].as_ref().unwrap_err();
    assert_eq!(damage.line, 2);
    assert!(damage.what.ends_with("and 1 more in this entry"), "{damage:?}");
    assert!(found[2].is_ok() && found.len() == 3);
}

#[test]
fn an_entry_that_is_too_large_is_not_read_and_the_next_one_is() {
    let value = format!("x: {}\n", "b".repeat(MOST_OF_A_VALUE));
    let dump = format!("dn: cn=a\n{}\ndn: cn=b\n", value.repeat(5));
    let (line, what, count) = damage(&dump);
    assert_eq!((line, count), (5, 1));
    assert!(what.contains("64 MiB"), "{what}");
}

proptest! {
    #[test]
    fn any_octets_come_to_an_end(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&octets);
    }

    #[test]
    fn anything_like_a_dump_comes_to_an_end(
        lines in proptest::collection::vec("(dn|cn|version|ref|search|result|changetype)?(:|::|:<)?[ -~]{0,6}|-| a|#x||", 0..30)
    ) {
        read(lines.join("\n").as_bytes());
    }

    #[test]
    fn what_is_written_is_read_however_it_is_folded(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 1..5),
        width in 1_usize..80,
    ) {
        let mut dump = "dn: cn=a\n".to_owned();
        for value in &values {
            let line = format!("x:: {}", BASE64.encode(value));
            let pieces: Vec<&str> = line.as_bytes().chunks(width)
                .map(|piece| std::str::from_utf8(piece).expect("ASCII")).collect();
            dump.push_str(&pieces.join("\n "));
            dump.push('\n');
        }
        let found = entries(&dump);
        prop_assert_eq!(found[0].values("x").map(<[u8]>::to_vec).collect::<Vec<_>>(), values);
    }
}
