//! Certificates and revocation lists come out of messages, however those are written.

#![allow(clippy::unwrap_used)]

mod support;

use pki_encodings::der_shape::{Shape, announced, is_open, shape};
use pki_inventory::{Digest, Raw};
use support::{Folder, certificates, der, found, labels};

/// A chain, a revocation list, and who signs.
fn material() -> Folder {
    let made = Folder::new();
    made.identity("ca", "");
    made.identity("signer", "");
    made.write("index.txt", "");
    made.write("number", "01\n");
    made.write(
        "ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=9\n",
    );
    made.openssl("ca -gencrl -config ca.cnf -keyfile ca.key -cert ca.crt -out list.crl");
    made.write("content", "a".repeat(100_000));
    made
}

#[test]
fn bundles_give_their_certificates_and_lists() {
    let made = material();
    made.openssl("crl2pkcs7 -in list.crl -certfile ca.crt -certfile signer.crt -out bundle");
    let pem = made.text("bundle");
    let octets = der(&pem);
    let (ca, signer) = (Digest::of(&made.der("ca.crt")), Digest::of(&made.der("signer.crt")));
    assert_eq!(shape(&octets), Some(Shape::Pkcs7));
    for written in [
        pem.clone().into_bytes(),
        pem.replace("PKCS7", "PKCS #7 SIGNED DATA").into_bytes(),
        pem.replace("PKCS7", "CMS").into_bytes(),
        pem.replace("PKCS7", "CERTIFICATE").into_bytes(),
        octets.clone(),
    ] {
        let seen = found(&written);
        assert_eq!(certificates(&seen), [(ca, None), (signer, None)]);
        assert_eq!(labels(&seen), ["certificate None", "certificate None", "list None"]);
        assert!(seen.not_read.is_empty() && !seen.secret);
    }
    // Cut anywhere, it is broken and said to be: the file is named after what it holds.
    for cut in [octets.len() - 1, octets.len() / 2, 60] {
        let mut report = pki_encodings::Collected::default();
        pki_encodings::pkcs7(&octets[..cut], &mut report);
        assert!(labels(&report).iter().any(|label| label.starts_with("unparsed")), "{cut}");
    }
}

#[test]
fn the_certificate_of_who_signed_is_told_from_its_companions() {
    let made = material();
    let (ca, signer) = (Digest::of(&made.der("ca.crt")), Digest::of(&made.der("signer.crt")));
    let sign = "-sign -signer signer.crt -inkey signer.key -certfile ca.crt -binary -in content";
    for (command, open) in [
        (format!("smime {sign} -outform DER -nodetach"), false),
        (format!("smime {sign} -outform DER"), false),
        (format!("cms {sign} -outform DER -nodetach"), false),
        (format!("cms {sign} -outform DER -nodetach -stream"), true),
        (format!("cms {sign} -outform DER -keyid -stream -nodetach"), true),
        (format!("cms {sign} -outform DER -keyid"), false),
        (format!("cms {sign} -outform PEM -nodetach -stream"), false),
    ] {
        let octets = made.openssl(&command);
        assert_eq!(is_open(&octets), open, "{command}");
        let seen = found(&octets);
        let mut certificates = certificates(&seen);
        certificates.sort();
        let mut expected = [(ca, None), (signer, Some("signer"))];
        expected.sort();
        assert_eq!(certificates, expected, "{command}");
        assert_eq!(seen.objects.len(), 2, "{command}");
        if open {
            assert_eq!(announced(&octets), Some(octets.len()));
            let longer = [&octets[..], b"and more"].concat();
            assert_eq!(announced(&longer), Some(octets.len()));
            assert_eq!(announced(&octets[..octets.len() - 1]), None);
            // What follows is found, too.
            let two = [&octets[..], &octets].concat();
            assert_eq!(found(two).objects.len(), 4);
        }
    }
}

#[test]
fn messages_inside_of_messages_are_read_one_level_deep() {
    let made = material();
    made.write("serial", "01\n");
    made.write(
        "tsa.cnf",
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3\ndigests=sha256\n",
    );
    made.identity("tsa", "-addext extendedKeyUsage=critical,timeStamping");
    made.openssl("ts -query -data content -sha256 -cert -out query");
    made.openssl(
        "ts -reply -config tsa.cnf -queryfile query -signer tsa.crt -inkey tsa.key -token_out -out token",
    );
    let tsa = Digest::of(&made.der("tsa.crt"));
    let token = made.read("token");
    assert_eq!(certificates(&found(&token)), [(tsa, Some("signer"))], "on its own");

    let sign = "cms -sign -signer signer.crt -inkey signer.key -in content -outform DER";
    let signed = made.openssl(sign);
    let signer = Digest::of(&made.der("signer.crt"));
    for oid in ["1.2.840.113549.1.9.16.2.14", "1.3.6.1.4.1.311.3.3.1"] {
        let stamped = with_attribute(&signed, oid, &token);
        let seen = found(&stamped);
        assert_eq!(
            certificates(&seen),
            [(signer, Some("signer")), (tsa, Some("timestamp signer"))],
            "{oid}"
        );
    }
    // Another attribute with the same value says nothing.
    let other = with_attribute(&signed, "1.2.840.113549.1.9.16.2.15", &token);
    assert_eq!(certificates(&found(other)), [(signer, Some("signer"))]);

    made.write("inner", &signed);
    let outer = made.openssl(
        "cms -sign -signer ca.crt -inkey ca.key -binary -in inner -nodetach -outform DER -econtent_type pkcs7-signedData",
    );
    let ca = Digest::of(&made.der("ca.crt"));
    assert_eq!(certificates(&found(&outer)), [(ca, Some("signer")), (signer, Some("signer"))]);
    // One level only.
    made.write("inner", &outer);
    let third = made.openssl(
        "cms -sign -signer tsa.crt -inkey tsa.key -binary -in inner -nodetach -outform DER -econtent_type pkcs7-signedData -purpose any",
    );
    assert_eq!(certificates(&found(&third)), [(tsa, Some("signer")), (ca, Some("signer"))]);
}

/// Puts an unsigned attribute behind the only signature, which OpenSSL cannot be told to do.
fn with_attribute(signed: &[u8], oid: &str, value: &[u8]) -> Vec<u8> {
    use pki_encodings::tlv::{Element, OBJECT_IDENTIFIER, SEQUENCE, element};
    const SET: u8 = 0x31;
    let last = |inside: &[u8]| {
        let (mut at, mut start) = (0, 0);
        while let Some(next) = Element::first(&inside[at..]) {
            (start, at) = (at, at + next.whole.len());
        }
        (inside[..start].to_vec(), Element::first(&inside[start..]).unwrap().value.to_vec())
    };
    let message = Element::first(signed).unwrap().value;
    let (content_type, explicit) = last(message);
    let data = Element::first(&explicit).unwrap().value;
    let (before, infos) = last(data);
    let info = Element::first(&infos).unwrap().value;
    let mut arcs: Vec<u64> = oid.split('.').map(|arc| arc.parse().unwrap()).collect();
    let first = arcs.remove(0) * 40;
    arcs[0] += first;
    let octets: Vec<u8> = arcs
        .into_iter()
        .flat_map(|arc| {
            let groups = (0..9).rev().map(|group| (arc >> (7 * group) & 0x7f) as u8);
            let mut octets: Vec<u8> = groups.skip_while(|octet| *octet == 0).collect();
            let end = octets.len() - 1;
            octets[..end].iter_mut().for_each(|octet| *octet |= 0x80);
            octets
        })
        .collect();
    let oid = element(OBJECT_IDENTIFIER, &[&octets]);
    let attribute = element(SEQUENCE, &[&oid, &element(SET, &[value])]);
    let info = element(SEQUENCE, &[info, &element(0xa1, &[&attribute])]);
    let data = element(SEQUENCE, &[&before, &element(SET, &[&info])]);
    element(SEQUENCE, &[&content_type, &element(0xa0, &[&data])])
}

#[test]
fn what_is_in_an_envelope_stays_there_and_is_known() {
    let made = material();
    made.openssl("req -x509 -newkey rsa:2048 -nodes -keyout r.key -out r.crt -subj /CN=r");
    for command in [
        "cms -encrypt -aes128 -in content -outform DER r.crt",
        "cms -encrypt -aes128 -in content -outform DER -stream r.crt",
        "cms -encrypt -aes-128-gcm -in content -outform DER r.crt",
        "cms -encrypt -aes128 -in content -outform PEM r.crt",
        "cms -data_create -in content -outform DER",
        "cms -digest_create -in content -outform DER",
    ] {
        let seen = found(made.openssl(command));
        assert!(seen.known, "{command}");
        assert_eq!((seen.objects, seen.not_read.len()), (vec![], 0), "{command}");
    }
    for label in ["DH PARAMETERS", "EC PARAMETERS", "X509 ATTRIBUTE CERTIFICATE", "SIGNATURE"] {
        let text = format!("-----BEGIN {label}-----\nMAYCAQcCAQI=\n-----END {label}-----\n");
        let seen = found(text);
        assert!(seen.known && seen.objects.is_empty(), "{label}");
    }
}

#[test]
fn what_a_message_calls_a_certificate_and_is_none_is_not_handed_on() {
    let made = material();
    made.openssl("crl2pkcs7 -nocrl -certfile ca.crt -outform DER -out bundle");
    let (bundle, certificate) = (made.read("bundle"), made.der("ca.crt"));
    let key = made.openssl("ec -in signer.key -outform DER");
    let start = bundle.windows(certificate.len()).position(|part| part == certificate).unwrap();
    // A key where the certificate was; the rest of the certificate behind it is nothing.
    let mut swapped = bundle.clone();
    swapped[start..start + key.len()].copy_from_slice(&key);
    let seen = found(&swapped);
    for object in &seen.objects {
        let Raw::Unparsed { unparsed, .. } = &object.raw else { panic!("{object:?}") };
        assert!(["unparsed", "certificate"].contains(&unparsed.claimed.as_str()));
    }
    assert!(!seen.objects.is_empty());
    assert!(seen.secret, "buffers have to be wiped");
}

/// Every cut and many flips of a real message end quietly.
#[test]
fn broken_messages_never_panic() {
    let made = material();
    made.write("content", "small");
    let octets = made.openssl(
        "cms -sign -signer signer.crt -inkey signer.key -in content -outform DER -stream -nodetach",
    );
    for cut in 0..octets.len() {
        found(&octets[..cut]);
    }
    for at in 0..octets.len() {
        for flip in [0x80, 0x01, 0xff] {
            let mut broken = octets.clone();
            broken[at] ^= flip;
            found(&broken);
        }
    }
}
