//! Values of the attributes, good and bad.

use pki_encodings::{Collected, tlv};
use proptest::prelude::*;

use super::*;
use crate::made;

fn entry(attribute: &str, values: &[&[u8]]) -> Entry {
    let values = values.iter().map(|value| value.to_vec()).collect();
    Entry { dn: "cn=a".to_owned(), attributes: vec![(attribute.to_owned(), values)] }
}

fn all(attribute: &str, values: &[&[u8]]) -> Collected {
    let mut report = Collected::default();
    read(&entry(attribute, values), &mut report);
    report
}

fn errors(report: &Collected) -> Vec<String> {
    let errors = report.objects.iter().filter_map(|object| match &object.raw {
        Raw::Unparsed { unparsed, .. } => Some(unparsed.error.clone()),
        _ => None,
    });
    errors.collect()
}

#[test]
fn each_value_is_an_object_under_the_name_of_its_attribute() {
    let (one, other) = (made::certificate("a"), made::certificate("b"));
    for attribute in ["userCertificate", "USERCERTIFICATE;binary", "cACertificate;binary"] {
        let found = all(attribute, &[&one, &other]);
        let label = if attribute.starts_with('c') { "cACertificate" } else { "userCertificate" };
        let expected =
            [&one, &other].map(|der| Object::of(Raw::Certificate(der.clone())).called(label));
        assert_eq!(found.objects, expected, "{attribute}");
    }
    let list = made::revocation_list();
    for attribute in
        ["certificateRevocationList;binary", "authorityRevocationList", "deltaRevocationList"]
    {
        let found = all(attribute, &[&list]);
        assert_eq!(found.objects.len(), 1);
        assert_eq!(found.objects[0].raw, Raw::RevocationList(list.clone()));
        let label = attribute.split(';').next().map(str::to_owned);
        assert_eq!(found.objects[0].label, label);
    }
}

#[test]
fn a_pair_of_cross_certificates_is_two_certificates() {
    let (one, other) = (made::certificate("a"), made::certificate("b"));
    let (forward, reverse) = (tlv::element(0xa0, &[&one]), tlv::element(0xa1, &[&other]));
    for (parts, count) in
        [(&[&forward[..], &reverse][..], 2), (&[&forward[..]][..], 1), (&[&reverse[..]][..], 1)]
    {
        let found = all("crossCertificatePair;binary", &[&tlv::element(SEQUENCE, parts)]);
        assert_eq!(found.objects.len(), count);
        assert!(found.objects.iter().all(|object| matches!(object.raw, Raw::Certificate(_))));
        assert_eq!(found.objects[0].label.as_deref(), Some("crossCertificatePair"));
    }
    let empty = tlv::element(SEQUENCE, &[]);
    assert_eq!(errors(&all("crossCertificatePair", &[&empty])).len(), 1);
}

#[test]
fn a_placeholder_is_known_and_nothing() {
    let found = all("certificateRevocationList", &[&[0], b""]);
    assert!(found.known && found.objects.is_empty() && found.gaps.is_empty());
}

#[test]
fn what_is_no_certificate_is_kept_with_what_is_wrong_with_it() {
    let der = made::certificate("a");
    let longer = [&der[..], b"x"].concat();
    let pem = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    let request: &[u8] = &[0x30, 3, 2, 1, 1];
    for (value, says) in [
        (&pem[..], "PEM"),
        (&b"rubbish"[..], "no encoding of a certificate"),
        (&der[..der.len() - 1], "only"),
        (&longer, "1 octets follow"),
        (request, "another encoding"),
    ] {
        let errors = errors(&all("userCertificate;binary", &[value]));
        assert_eq!(errors.len(), 1, "{says}");
        assert!(
            errors[0].starts_with("`userCertificate`: ") && errors[0].contains(says),
            "{errors:?}"
        );
    }
}

#[test]
fn a_private_key_is_a_secret_wherever_it_stands() {
    let key = made::key();
    let pem = b"-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n";
    for value in [&key[..], pem] {
        let found = all("userCertificate", &[value]);
        assert!(found.secret);
        assert_eq!(errors(&found).len(), 1);
    }
}

#[test]
fn what_is_found_is_told_by_its_digests_once() {
    let der = made::certificate("a");
    let mut report = Collected::default();
    let found = of(&entry("cACertificate", &[&der, &der]), &["cACertificate"], &mut report);
    assert_eq!((found.certificates, found.lists), (vec![Digest::of(&der)], vec![]));
}

proptest! {
    #[test]
    fn any_value_is_an_object_or_known(
        value in proptest::collection::vec(any::<u8>(), 0..200),
        attribute in proptest::sample::select(ATTRIBUTES),
    ) {
        let found = all(attribute, &[&value]);
        prop_assert!(found.known || found.objects.len() == 1);
    }

    #[test]
    fn a_changed_octet_makes_no_panic(at in 0_usize..500, octet in any::<u8>()) {
        let mut der = tlv::element(SEQUENCE, &[&tlv::element(0xa0, &[&made::certificate("a")])]);
        let at = at % der.len();
        der[at] = octet;
        for attribute in ATTRIBUTES {
            all(attribute, &[&der]);
        }
    }
}
