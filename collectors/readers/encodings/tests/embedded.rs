//! Base64 in text: PEM in Kubernetes' objects and their like, bare encodings in JSON and XML.

#![allow(clippy::unwrap_used)]

mod support;

use pki_encodings::embedded::{Embedded, is_worth_a_look};
use pki_encodings::{Collected, der_shape};
use support::{Folder, der, encoded, found, labels};

struct Made {
    certificate: String,
    key: String,
}

fn made() -> Made {
    let folder = Folder::new();
    folder.identity("a", "");
    Made { certificate: folder.text("a.crt"), key: folder.text("a.key") }
}

/// Found by the whole and by [`Embedded`] alone, in windows of any size.
fn check(text: &str, expected: &[&str]) {
    assert_eq!(labels(&found(text)), expected, "{text}");
    assert!(expected.is_empty() || is_worth_a_look(text.as_bytes()), "{text}");
    for step in [97, 1000] {
        let (mut embedded, mut report) = (Embedded::new(), Collected::default());
        let (mut from, mut to) = (0, 0);
        while to < text.len() {
            to = (to + step).min(text.len());
            let done = embedded.feed(&text.as_bytes()[from..to], to == text.len(), &mut report);
            from += done;
        }
        assert_eq!(from, text.len());
        assert_eq!(labels(&report), expected, "in steps of {step}: {text}");
    }
}

#[test]
fn secrets_of_kubernetes_are_called_by_their_object_and_key() {
    let Made { certificate, key } = made();
    let (crt, key) = (encoded(&certificate), encoded(&key));
    let expected = [
        r#"certificate Some("Secret shop/web-tls: tls.crt")"#,
        r#"key Some("Secret shop/web-tls: tls.key")"#,
    ];
    // As people write it, as `kubectl get -o yaml` and `-o json` print it, and in a list.
    let written = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web-tls\n  namespace: shop\n  labels:\n    name: other\ntype: kubernetes.io/tls\ndata:\n  tls.crt: {crt}\n  tls.key: {key}\n"
    );
    check(&written, &expected);
    check(&written.replace('\n', "\r\n"), &expected);
    let printed = format!(
        "apiVersion: v1\ndata:\n  tls.crt: {crt}\n  tls.key: {key}\nkind: Secret\nmetadata:\n  annotations:\n    name: other\n  name: web-tls\n  namespace: shop\n"
    );
    check(&printed, &expected);
    let json = format!(
        "{{\n    \"apiVersion\": \"v1\",\n    \"data\": {{\n        \"tls.crt\": \"{crt}\",\n        \"tls.key\": \"{key}\"\n    }},\n    \"kind\": \"Secret\",\n    \"metadata\": {{\n        \"name\": \"web-tls\",\n        \"namespace\": \"shop\"\n    }}\n}}\n"
    );
    check(&json, &expected);
    let other = written.replace("web-tls", "second").replace("shop", "b");
    let both = format!("{written}---\n{other}");
    check(
        &both,
        &[
            expected[0],
            expected[1],
            r#"certificate Some("Secret b/second: tls.crt")"#,
            r#"key Some("Secret b/second: tls.key")"#,
        ],
    );
    let item = |text: &str| {
        let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
        lines.replacen("  apiVersion", "- apiVersion", 1)
    };
    let list =
        format!("items:\n{}{}kind: List\n", item(&printed), item(&printed.replace("web-tls", "x")));
    check(
        &list,
        &[
            expected[0],
            expected[1],
            r#"certificate Some("Secret shop/x: tls.crt")"#,
            r#"key Some("Secret shop/x: tls.key")"#,
        ],
    );
}

#[test]
fn other_files_that_hold_pem_in_base64_are_read() {
    let Made { certificate, key } = made();
    let (crt, secret) = (encoded(&certificate), encoded(&key));
    let folded: String = crt
        .as_bytes()
        .chunks(64)
        .map(|part| format!("      {}\n", str::from_utf8(part).unwrap()))
        .collect();
    check(
        &format!(
            "apiVersion: v1\nkind: Config\nusers:\n- name: me\n  user:\n    client-certificate-data: {crt}\n    client-key-data: {secret}\n"
        ),
        &[r#"certificate Some("client-certificate-data")"#, r#"key Some("client-key-data")"#],
    );
    check(
        &format!("webhooks:\n- clientConfig:\n    caBundle: {crt}\n  name: a\n"),
        &[r#"certificate Some("caBundle")"#],
    );
    check(&format!("data:\n  ca.crt: |\n{folded}  other: 1\n"), &[r#"certificate Some("ca.crt")"#]);
    check(&format!("data:\n  ca.crt: >-\n{folded}"), &[r#"certificate Some("ca.crt")"#]);
    // Traefik, terraform, cloud-init.
    check(
        &format!("{{\"Certificates\":[{{\"certificate\":\"{crt}\",\"key\":\"{secret}\"}}]}}"),
        &[r#"certificate Some("certificate")"#, r#"key Some("key")"#],
    );
    check(
        &format!("{{\"cert\": \"{}\"}}", folded.replace("      ", "").replace('\n', "\\n")),
        &[r#"certificate Some("cert")"#],
    );
    check(
        &format!("write_files:\n- encoding: b64\n  content: {crt}\n  path: /a\n"),
        &[r#"certificate Some("content")"#],
    );
    // What stands before a block moves its digits.
    for before in ["", "\n", "a\n", "ab\n", "abc\n", "subject=CN = a\n\n", &"# text\n".repeat(99)] {
        let text = encoded(format!("{before}{certificate}"));
        check(&format!("ca.crt: {text}\n"), &[r#"certificate Some("ca.crt")"#]);
    }
    let chain = encoded(certificate.repeat(3));
    check(&format!("ca: {chain}\n"), &[r#"certificate Some("ca")"#; 3]);
    // Without padding, the next key reads like more of it.
    for filling in 0..3 {
        let text = encoded(format!("{certificate}{}", "\n".repeat(filling)));
        check(
            &format!("a: {text}\nb: {text}\n"),
            &[r#"certificate Some("a")"#, r#"certificate Some("b")"#],
        );
    }
}

#[test]
fn bare_encodings_are_reported_where_values_stand_and_only_whole() {
    let folder = Folder::new();
    folder.identity("a", "");
    folder.identity("b", "");
    folder.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa");
    folder.openssl("genpkey -algorithm ED25519 -out ed");
    folder.openssl("ecparam -name secp384r1 -genkey -noout -out sec1");
    folder.openssl("pkcs8 -topk8 -nocrypt -in sec1 -out ec");
    let (first, second) = (encoded(folder.der("a.crt")), encoded(folder.der("b.crt")));
    check(
        &format!("{{\"keys\":[{{\"kid\":\"1\",\"x5c\":[\"{first}\",\n  \"{second}\"]}}]}}"),
        &[r#"certificate Some("x5c")"#, r#"certificate Some("x5c")"#],
    );
    check(
        &format!("{{\"certificate\": \"{}\"}}", first.replace('/', "\\/").replace('+', "\\u002B")),
        &[r#"certificate Some("certificate")"#],
    );
    let lines: String = first
        .as_bytes()
        .chunks(76)
        .map(|part| format!("{}&#13;\n", str::from_utf8(part).unwrap()))
        .collect();
    for body in [&lines, &first, &format!("\n   {first}\n  ")] {
        check(
            &format!("<KeyInfo><ds:X509Certificate>{body}</ds:X509Certificate></KeyInfo>"),
            &[r#"certificate Some("X509Certificate")"#],
        );
    }
    check(
        &format!("idp:\n  certs:\n    - {first}\n    - {second}\n"),
        &[r#"certificate Some("certs")"#, r#"certificate Some("certs")"#],
    );
    check(&format!("{first}\n"), &["certificate None"]);
    for key in ["rsa", "ed", "ec", "a.key"] {
        check(
            &format!("{{\"private_key\": \"{}\"}}", encoded(folder.der(key))),
            &[r#"key Some("private_key")"#],
        );
    }

    // Never: cut, lengthened, changed at its front, in prose, in a block, other things in base64.
    let certificate = folder.der("a.crt");
    assert!(der_shape::is_certificate(&certificate));
    let longer = [&certificate[..], b"x"].concat();
    let mut other = certificate.clone();
    other[4] = 0x31;
    for text in [
        format!("\"a\": \"{}\"", &first[..first.len() - 8]),
        format!("\"a\": \"{}\"", encoded(&certificate[..certificate.len() - 3])),
        format!("\"a\": \"{}\"", encoded(longer)),
        format!("\"a\": \"{}\"", encoded(other)),
        format!("\"a\": \"{first}AAAA\""),
        format!("some words {first}\n"),
        format!("\"a\": \"x{first}\""),
        format!(
            "\"request\": \"{}\"",
            encoded(der(
                &String::from_utf8(folder.openssl("req -new -key a.key -subj /CN=x")).unwrap()
            ))
        ),
    ] {
        check(&text, &[]);
    }
    for pem in [folder.text("a.crt"), folder.text("rsa"), folder.text("sec1")] {
        let mut report = Collected::default();
        Embedded::new().feed(pem.as_bytes(), true, &mut report);
        assert_eq!(report.objects, [], "a block is not reported twice");
    }
}

#[test]
fn blocks_that_this_crate_does_not_read_go_to_whoever_does() {
    let text = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    let secret = format!("ssh-privatekey: {}\n", encoded(text));
    let mut report = Collected::default();
    Embedded::with(|block, _, report| report.not_read(block.label)).feed(
        secret.as_bytes(),
        true,
        &mut report,
    );
    assert_eq!(report.not_read.into_iter().collect::<Vec<_>>(), ["OPENSSH PRIVATE KEY"]);
}

#[test]
fn windows_of_four_mebibytes_cut_nothing() {
    const WINDOW: usize = 4 * 1024 * 1024;
    let Made { certificate, .. } = made();
    let line = format!("a: {}\n", encoded(&certificate));
    let mut text = "filling: 0123456789\n".repeat(WINDOW / 20 - 20);
    for _ in 0..6000 {
        text.push_str(&line);
    }
    let (mut embedded, mut report) = (Embedded::new(), Collected::default());
    let mut from = 0;
    loop {
        let to = text.len().min(from + WINDOW);
        let done = embedded.feed(&text.as_bytes()[from..to], to == text.len(), &mut report);
        if to == text.len() {
            break;
        }
        assert!(done > 0, "the window moves");
        from += done;
    }
    assert_eq!(report.objects.len(), 6000);
    assert!(report.objects.iter().all(|object| object.label.as_deref() == Some("a")));
}

/// What a collector is handed of a text, whole and in windows, with the label of what it reports.
fn keystores(text: &str) -> Vec<(Vec<u8>, Option<String>)> {
    let mut all = Vec::new();
    for step in [text.len(), 97, 1000] {
        let (mut embedded, mut report) = (Embedded::new(), Collected::default());
        let (mut from, mut to) = (0, 0);
        let mut stores = Vec::new();
        while to < text.len() {
            to = (to + step).min(text.len());
            let (window, last) = (&text.as_bytes()[from..to], to == text.len());
            let mut take = |octets: &[u8], report: &mut dyn pki_encodings::Report| {
                stores.push(octets.to_vec());
                report.unparsed(pki_inventory::Kind::Certificate, b"x", String::new());
            };
            from += embedded.feed_with(window, last, &mut take, &mut report);
        }
        let label = |object: &pki_inventory::Object| match &object.raw {
            pki_inventory::Raw::Unparsed { unparsed, .. } => {
                unparsed.error.strip_suffix(": ").map(str::to_owned)
            }
            other => panic!("{other:?}"),
        };
        let found: Vec<_> = stores.into_iter().zip(report.objects.iter().map(label)).collect();
        assert!(all.is_empty() || all == found, "in steps of {step}: {text}");
        all = found;
    }
    assert!(all.is_empty() || is_worth_a_look(text.as_bytes()), "{text}");
    all
}

#[test]
fn keystores_in_secrets_are_handed_out_whole() {
    let folder = Folder::new();
    folder.identity("a", "");
    folder.openssl("pkcs12 -export -in a.crt -inkey a.key -passout pass:changeit -out a.p12");
    let pkcs12 = folder.read("a.p12");
    // Two entries of nothing in particular, and a digest.
    let java = |magic: u8| [&[magic, 0xed, magic, 0xed, 0, 0, 0, 2][..], &[7; 300]].concat();
    let (jks, jceks) = (java(0xfe), [&[0xce; 4][..], &[0, 0, 0, 2], &[7; 301]].concat());
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\n  namespace: shop\ndata:\n  keystore.jks: {}\n  keystore.p12: {}\n  other: {}\n",
        encoded(&jks),
        encoded(&pkcs12),
        encoded(&jceks)
    );
    let called = |name: &str| Some(format!("Secret shop/web: {name}"));
    assert_eq!(
        keystores(&secret),
        [
            (jks.clone(), called("keystore.jks")),
            (pkcs12.clone(), called("keystore.p12")),
            (jceks, called("other")),
        ]
    );
    let json = format!("{{\"p\": \"{}\"}}", encoded(&pkcs12));
    assert_eq!(keystores(&json), [(pkcs12.clone(), Some("p".to_owned()))]);
    // Cut, longer, without a value around it, of another version.
    let longer = [&pkcs12[..], b"x"].concat();
    let mut other = pkcs12.clone();
    other[6] = 9;
    for text in [
        format!("\"p\": \"{}\"", encoded(&pkcs12[..pkcs12.len() - 3])),
        format!("\"p\": \"{}\"", encoded(longer)),
        format!("\"p\": \"{}\"", encoded(other)),
        format!("\"p\": \"{}\"", encoded(&jks[..20])),
        format!("some words {}\n", encoded(&pkcs12)),
        format!("some words {}\n", encoded(&jks)),
    ] {
        assert_eq!(keystores(&text), [], "{text}");
    }
    check(&secret, &[]);
}

#[test]
fn values_between_equals_signs_are_looked_through_once() {
    let begun = std::time::Instant::now();
    let text = format!("a: {}", "=MIIBAAAA".repeat(4 * 1024 * 1024 / 9));
    Embedded::new().feed(text.as_bytes(), true, &mut Collected::default());
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn base64_before_an_equals_sign_is_no_name() {
    let Made { certificate, .. } = made();
    let value = encoded(der(&certificate));
    check(&format!("{}={value}\n", encoded("user:pass")), &["certificate None"]);
    check(&format!("SSL_CERT={value}\n"), &[r#"certificate Some("SSL_CERT")"#]);
}
