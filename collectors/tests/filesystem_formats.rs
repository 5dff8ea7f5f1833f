//! The filesystem collector reads every format it promises, by content alone.

#![allow(clippy::unwrap_used)]

mod support;

use pki_inventory::{Encryption, GapReason, Half, KeyForm, Kind};
use support::{Seen, Tree, places};

/// A certificate, its key, a request and a revocation list, made once by OpenSSL.
fn material() -> Tree {
    let tree = Tree::new();
    tree.openssl("ecparam -name prime256v1 -genkey -noout -out ca.key");
    tree.openssl("req -x509 -new -key ca.key -subj /CN=ca -days 30 -out ca.crt");
    tree.openssl("req -new -key ca.key -subj /CN=request -out request.csr");
    tree.write("index.txt", "");
    tree.write("number", "01\n");
    tree.write(
        "ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=9\n",
    );
    tree.openssl("ca -gencrl -config ca.cnf -keyfile ca.key -cert ca.crt -out list.crl");
    tree
}

fn certificate() -> String {
    let tree = Tree::new();
    tree.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -out c",
    );
    tree.text("c")
}

fn only_key(seen: &Seen) -> (pki_inventory::Key, KeyForm) {
    let keys = seen.of(Kind::Key);
    assert_eq!(keys.len(), 1, "{:?}", seen.observations);
    let form = keys[0].sightings().next().unwrap().circumstances.key.clone().unwrap();
    (keys[0].key().unwrap().clone(), form)
}

#[test]
fn one_file_with_six_objects_of_four_kinds_gives_six_assets() {
    let made = material();
    let tree = Tree::new();
    let parts = [
        certificate(),
        certificate(),
        made.text("ca.crt"),
        made.text("ca.key"),
        made.text("list.crl"),
        made.text("request.csr"),
    ];
    tree.write("all.bin", parts.concat());
    let seen = tree.scan();
    let expected = [
        (Kind::Certificate, 3),
        (Kind::Key, 1),
        (Kind::RevocationList, 1),
        (Kind::SigningRequest, 1),
    ];
    assert_eq!(seen.kinds(), expected);
    assert_eq!(seen.reasons(), []);
    let base = format!("file://{}/all.bin", tree.path().display());
    let mut all: Vec<String> = seen.inventory.assets().flat_map(places).collect();
    all.sort();
    assert_eq!(all, (1..=6).map(|number| format!("{base}#{number}")).collect::<Vec<_>>());
    assert_eq!((seen.coverage().asked, seen.coverage().read), (1, 1));
}

#[test]
fn binary_encodings_are_told_apart_without_a_name() {
    let made = material();
    for (command, kind) in [
        ("x509 -in ca.crt -outform DER", Kind::Certificate),
        ("crl -in list.crl -outform DER", Kind::RevocationList),
        ("req -in request.csr -outform DER", Kind::SigningRequest),
        ("ec -in ca.key -outform DER", Kind::Key),
        ("ec -in ca.key -pubout -outform DER", Kind::Key),
        ("pkcs8 -topk8 -nocrypt -in ca.key -outform DER", Kind::Key),
        ("pkcs8 -topk8 -passout pass:x -in ca.key -outform DER", Kind::Key),
        ("pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout pass:x -in ca.key -outform DER", Kind::Key),
        ("genrsa -traditional 2048", Kind::Key),
    ] {
        let mut octets = made.openssl(command);
        if command.starts_with("genrsa") {
            made.write("rsa", octets);
            octets = made.openssl("rsa -in rsa -traditional -outform DER");
        }
        let tree = Tree::new();
        tree.write("some.bin", &octets);
        let seen = tree.scan();
        assert_eq!(seen.kinds(), [(kind, 1)], "{command}");
        assert_eq!(seen.reasons(), [], "{command}");
        let place = places(seen.inventory.assets().next().unwrap());
        assert_eq!(place, [format!("file://{}/some.bin", tree.path().display())]);
    }
}

#[test]
fn every_kind_of_key_joins_its_certificate() {
    for (make, parameters) in [
        ("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024", ""),
        ("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", ""),
        ("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", ""),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ec"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "ec"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", "ec"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "ec"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1", "ec with public half"),
        ("genpkey -algorithm ED25519", ""),
    ] {
        let made = Tree::new();
        made.openssl(&format!("{make} -out key"));
        made.openssl("req -x509 -new -key key -subj /CN=joined -out cert");
        let mut forms = vec![made.text("key")];
        if !parameters.is_empty() {
            forms.push(String::from_utf8(made.openssl("ec -in key")).unwrap());
            forms.push(String::from_utf8(made.openssl("ec -in key -pubout")).unwrap());
        }
        if parameters == "ec" {
            forms.push(String::from_utf8(made.openssl("ec -in key -no_public")).unwrap());
        }
        for form in forms {
            let tree = Tree::new();
            tree.write("cert.bin", made.read("cert"));
            tree.write("key.bin", &form);
            let seen = tree.scan();
            let label = form.lines().next().unwrap();
            assert_eq!(seen.kinds(), [(Kind::Certificate, 1), (Kind::Key, 1)], "{make} {label}");
            let certificate = seen.of(Kind::Certificate)[0].certificate().unwrap();
            let (key, _) = only_key(&seen);
            assert_eq!(key.spki, Some(certificate.spki), "{make} {label}");
            // The inventory leaves the size of an RSASSA-PSS key out.
            if !make.contains("RSA-PSS") {
                assert_eq!(key.algorithm.as_ref(), Some(&certificate.key), "{make} {label}");
            }
            assert_eq!(seen.of(Kind::Key)[0].id.sha256, certificate.spki);
        }
    }
}

#[test]
fn keys_of_rcgen_join_too() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["a.example".into()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let tree = Tree::new();
        tree.write("both", certificate.pem() + &key.serialize_pem());
        let seen = tree.scan();
        let (found, form) = only_key(&seen);
        assert_eq!(found.spki, Some(seen.of(Kind::Certificate)[0].certificate().unwrap().spki));
        assert_eq!(
            (form.half, form.encoding.as_str(), form.encryption),
            (Half::Private, "PKCS#8", Encryption::None)
        );
    }
}

#[test]
fn what_protects_a_key_is_said_as_far_as_its_form_says_it() {
    let made = Tree::new();
    made.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key");
    made.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa");
    for (command, encoding, kdf, cipher, iterations) in [
        (
            "pkcs8 -topk8 -in key -passout pass:x",
            "PKCS#8",
            "PBKDF2-HMAC-SHA256",
            "AES-256-CBC",
            Some(2048),
        ),
        (
            "pkcs8 -topk8 -in key -passout pass:x -iter 77 -v2 aes-128-cbc -v2prf hmacWithSHA512",
            "PKCS#8",
            "PBKDF2-HMAC-SHA512",
            "AES-128-CBC",
            Some(77),
        ),
        (
            "pkcs8 -topk8 -in key -passout pass:x -v2 des3 -v2prf hmacWithSHA1",
            "PKCS#8",
            "PBKDF2-HMAC-SHA1",
            "DES-EDE3-CBC",
            Some(2048),
        ),
        (
            "pkcs8 -topk8 -in key -passout pass:x -scrypt",
            "PKCS#8",
            "scrypt (N=16384, r=8, p=1)",
            "AES-256-CBC",
            None,
        ),
        (
            "pkcs8 -topk8 -in key -passout pass:x -v1 PBE-SHA1-3DES",
            "PKCS#8",
            "PKCS12-SHA1",
            "DES-EDE3-CBC",
            Some(2048),
        ),
        (
            "rsa -in rsa -aes256 -traditional -passout pass:x",
            "PKCS#1",
            "EVP_BytesToKey MD5",
            "AES-256-CBC",
            Some(1),
        ),
        ("ec -in key -des3 -passout pass:x", "SEC1", "EVP_BytesToKey MD5", "DES-EDE3-CBC", Some(1)),
    ] {
        let tree = Tree::new();
        tree.write("key.bin", made.openssl(command));
        let (key, form) = only_key(&tree.scan());
        let encryption = Encryption::Passphrase {
            kdf: Some(kdf.into()),
            cipher: Some(cipher.into()),
            iterations,
        };
        assert_eq!(
            form,
            KeyForm { half: Half::Private, encoding: encoding.into(), encryption },
            "{command}"
        );
        assert_eq!(key.spki, None);
    }
}

#[test]
fn public_keys_and_dsa_keys_are_read() {
    let made = Tree::new();
    made.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key");
    let spki = made.openssl("rsa -in key -pubout");
    let bare = made.openssl("rsa -in key -RSAPublicKey_out");
    let tree = Tree::new();
    tree.write("a", spki);
    tree.write("b", bare);
    let seen = tree.scan();
    let (key, form) = only_key(&seen);
    assert_eq!(key.algorithm.unwrap().label(), "RSA-2048");
    assert_eq!(form.half, Half::Public);
    assert_eq!(places(seen.of(Kind::Key)[0]).len(), 2, "both forms are the same key");

    made.openssl("dsaparam -out parameters 1024");
    made.openssl("gendsa -out dsa parameters");
    made.openssl("req -x509 -new -key dsa -subj /CN=dsa -out cert");
    let tree = Tree::new();
    tree.write("cert", made.read("cert"));
    tree.write("key", made.openssl("dsa -in dsa"));
    let seen = tree.scan();
    let certificate = seen.of(Kind::Certificate)[0].certificate().unwrap().spki;
    let (key, _) = only_key(&seen);
    assert!(key.spki == Some(certificate) || key.spki.is_none(), "PKCS#8 hides the public half");
}

/// A block that is no object.
const KEY_LESS: &str = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n";

#[test]
fn files_that_were_joined_without_a_line_end_lose_nothing() {
    let tree = Tree::new();
    let all: Vec<String> = (0..3).map(|_| certificate().trim_end().to_owned()).collect();
    tree.write("chain.pem", all.concat());
    let seen = tree.scan();
    assert_eq!((seen.kinds(), seen.reasons()), (vec![(Kind::Certificate, 3)], vec![]));
    // Also a broken one: it stands where a line would begin.
    tree.write("chain.pem", format!("{}{}", all[0], &all[1][..200]));
    assert_eq!(tree.scan().kinds(), [(Kind::Certificate, 1), (Kind::Unparsed, 1)]);
}

#[test]
fn keys_under_a_wrong_label_are_keys_by_their_content() {
    let made = Tree::new();
    for (make, right, wrong, encoding) in [
        (
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key",
            " PRIVATE",
            " RSA PRIVATE",
            "PKCS#8",
        ),
        ("genpkey -algorithm ED25519 -out key", " PRIVATE", " EC PRIVATE", "PKCS#8"),
        ("genpkey -algorithm ED25519 -out key", " PRIVATE", " ENCRYPTED PRIVATE", "PKCS#8"),
        ("genpkey -algorithm ED25519 -out key", " PRIVATE", " PUBLIC", "PKCS#8"),
        ("genrsa -traditional -out key 2048", " RSA PRIVATE", " PRIVATE", "PKCS#1"),
        ("ecparam -name secp384r1 -genkey -noout -out key", " EC PRIVATE", " PRIVATE", "SEC1"),
    ] {
        made.openssl(make);
        made.openssl("req -x509 -new -key key -subj /CN=x -out cert");
        let tree = Tree::new();
        tree.write("cert", made.read("cert"));
        tree.write("key.bin", made.text("key").replace(right, wrong));
        let seen = tree.scan();
        let (key, form) = only_key(&seen);
        assert_eq!(key.spki, Some(seen.of(Kind::Certificate)[0].certificate().unwrap().spki));
        assert_eq!(
            (form.half, form.encoding.as_str(), form.encryption),
            (Half::Private, encoding, Encryption::None),
            "{make} as{wrong}"
        );
    }
    made.openssl("genpkey -algorithm ED25519 -out key");
    let encrypted = made.openssl("pkcs8 -topk8 -in key -passout pass:x");
    let public = made.openssl("pkey -in key -pubout");
    for (pem, right, wrong, half) in [
        (encrypted, "ENCRYPTED PRIVATE", "PRIVATE", Half::Private),
        (public, "PUBLIC", "RSA PUBLIC", Half::Public),
    ] {
        let tree = Tree::new();
        tree.write("key.bin", String::from_utf8(pem).unwrap().replace(right, wrong));
        let (_, form) = only_key(&tree.scan());
        assert_eq!(form.half, half, "{wrong}");
        assert_eq!(form.encryption == Encryption::None, half == Half::Public);
    }
}

#[test]
fn text_around_and_inside_does_not_matter() {
    let pem = certificate();
    let lines: Vec<&str> = pem.lines().collect();
    for (name, text) in [
        ("CRLF", pem.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{feff}{pem}")),
        ("no last line end", pem.trim_end().to_owned()),
        ("joined without a line end", format!("{}{pem}", KEY_LESS.trim_end())),
        ("text around", format!("subject=x\n\n{pem}\nand after\n")),
        ("indentation", lines.iter().map(|line| format!("      {line}\n")).collect()),
        ("trailing blanks", lines.iter().map(|line| format!("{line}  \t\n")).collect()),
        ("old label", pem.replace(" CERTIFICATE-", " X509 CERTIFICATE-")),
        (
            "one long line",
            format!(
                "{}\n{}\n{}\n",
                lines[0],
                lines[1..lines.len() - 1].concat(),
                lines[lines.len() - 1]
            ),
        ),
        ("blank lines", lines.join("\n\n")),
        ("a header", pem.replacen('\n', "\nComment: mine\n\n", 1)),
        ("inside of a string", format!("pem = \"\"\"{pem}\"\"\"\n")),
        ("a broken one before", format!("{}\nnot base64!\n{pem}", lines[..3].join("\n"))),
    ] {
        let tree = Tree::new();
        tree.write("f.bin", &text);
        let seen = tree.scan();
        assert_eq!(seen.of(Kind::Certificate).len(), 1, "{name}: {text}");
    }
}

#[test]
fn a_trusted_certificate_is_the_certificate_without_its_settings() {
    let made = material();
    made.openssl("x509 -in ca.crt -addtrust serverAuth -setalias mine -trustout -out trusted");
    let tree = Tree::new();
    tree.write("plain", made.read("ca.crt"));
    tree.write("trusted", made.read("trusted"));
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Certificate, 1)]);
    assert_eq!(places(seen.of(Kind::Certificate)[0]).len(), 2);
}

#[test]
fn certificates_one_after_the_other_in_binary_are_all_read() {
    let made = material();
    let der = made.openssl("x509 -in ca.crt -outform DER");
    let list = made.openssl("crl -in list.crl -outform DER");
    let tree = Tree::new();
    tree.write("f", [&der[..], &list, &der, b"\n"].concat());
    assert_eq!(tree.scan().kinds(), [(Kind::Certificate, 1), (Kind::RevocationList, 1)]);
}

#[test]
fn keystores_and_messages_are_read_whatever_they_are_called() {
    let made = material();
    for (password, file) in [("x", "closed"), ("changeit", "open")] {
        let export = "pkcs12 -export -inkey ca.key -in ca.crt -name lab";
        made.openssl(&format!("{export} -passout pass:{password} -out {file}"));
    }
    made.openssl("crl2pkcs7 -nocrl -certfile ca.crt -out chain");
    made.openssl("crl2pkcs7 -nocrl -certfile ca.crt -outform DER -out chain.der");
    let damaged = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1][..], &[0; 40]].concat();
    let closed = [(Kind::Key, 1), (Kind::Keystore, 1)];
    let open = [(Kind::Certificate, 1), (Kind::Key, 1), (Kind::Keystore, 1)];
    for (content, kinds, reasons) in [
        (made.read("closed"), &closed[..], &[][..]),
        (made.read("open"), &open, &[]),
        (made.read("chain"), &open[..1], &[]),
        (made.read("chain.der"), &open[..1], &[]),
        (damaged, &closed[1..], &[GapReason::Damaged]),
    ] {
        let tree = Tree::new();
        tree.write("f.bin", content);
        let seen = tree.scan();
        assert_eq!((seen.kinds(), seen.reasons()), (kinds.to_vec(), reasons.to_vec()));
    }
}

#[test]
fn what_follows_a_keystore_or_a_message_is_read_too() {
    let made = material();
    made.openssl("pkcs12 -export -inkey ca.key -in ca.crt -passout pass:x -out store");
    made.openssl("crl2pkcs7 -nocrl -certfile ca.crt -outform DER -out chain.der");
    let other = rcgen::generate_simple_self_signed(vec!["b.example".into()]).unwrap();
    let (pem, der) = (other.cert.pem().into_bytes(), other.cert.der().to_vec());
    let (store, chain) = (made.read("store"), made.read("chain.der"));
    let found = [other.cert.der().to_vec()];
    for (name, parts) in [
        ("PKCS#12, PEM", [&store[..], &pem]),
        ("PKCS#7, DER", [&chain, &der]),
        ("PKCS#7, PEM", [&chain, &pem]),
        (
            "DER, line end, DER",
            [&[&made.openssl("x509 -in ca.crt -outform DER")[..], b"\r\n"].concat(), &der],
        ),
    ] {
        let tree = Tree::new();
        tree.write("f", parts.concat());
        let seen = tree.scan();
        let digests: Vec<_> = seen.of(Kind::Certificate).iter().map(|a| a.id.sha256).collect();
        assert!(digests.contains(&pki_inventory::Digest::of(&found[0])), "{name}");
    }
}

#[test]
fn a_bundle_of_authorities_is_a_trust_store_unless_a_key_lies_with_it() {
    let key = rcgen::KeyPair::generate().unwrap();
    let roots: String = (0..25)
        .map(|number| {
            let mut root = rcgen::CertificateParams::new(vec![]).unwrap();
            root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            root.distinguished_name.push(rcgen::DnType::CommonName, format!("root {number}"));
            root.self_signed(&key).unwrap().pem()
        })
        .collect();
    let tree = Tree::new();
    tree.write("bundle.txt", &roots);
    let seen = tree.scan();
    assert_eq!(seen.kinds(), [(Kind::Certificate, 25), (Kind::TrustStore, 1)]);
    let place = format!("file://{}/bundle.txt", tree.path().display());
    assert_eq!(places(seen.of(Kind::TrustStore)[0]), [place]);

    tree.write("bundle.txt", roots + &key.serialize_pem());
    assert_eq!(tree.scan().kinds(), [(Kind::Certificate, 25), (Kind::Key, 1)]);
}

#[test]
fn post_quantum_keys_are_named_and_joined_where_the_provider_can() {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::signature::{KeyPair as _, ML_DSA_65_SIGNING, PqdsaKeyPair};
    let pair = PqdsaKeyPair::generate(&ML_DSA_65_SIGNING).unwrap();
    let tree = Tree::new();
    tree.write("key", pair.to_pkcs8v1().unwrap().as_ref());
    let (key, _) = only_key(&tree.scan());
    let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    assert_eq!(key.algorithm.unwrap().label(), "ML-DSA-65");
    assert_eq!(key.spki, Some(pki_inventory::Digest::of(spki.as_ref())));
}

#[test]
fn no_octet_of_a_private_key_leaves_the_collector() {
    let made = Tree::new();
    let tree = Tree::new();
    let mut canaries: Vec<Vec<u8>> = Vec::new();
    for (number, make) in [
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
        "genpkey -algorithm ED25519",
        "genpkey -algorithm X25519",
        "genpkey -algorithm ED448",
    ]
    .into_iter()
    .enumerate()
    {
        made.openssl(&format!("{make} -out key"));
        let text = String::from_utf8(made.openssl("pkey -in key -noout -text")).unwrap();
        canaries.extend(secrets(&text));
        let pem = made.text("key");
        let der = made.openssl("pkey -in key -outform DER");
        tree.write(&format!("{number}/whole.pem"), &pem);
        tree.write(&format!("{number}/whole.der"), &der);
        tree.write(&format!("{number}/cut.pem"), &pem[..pem.len() - 40]);
        tree.write(&format!("{number}/cut.key"), &der[..der.len() - 3]);
        tree.write(&format!("{number}/flipped.pem"), pem.replacen("\nM", "\nN", 1));
        tree.write(&format!("{number}/relabelled.pem"), pem.replace(" PRIVATE", " RSA PRIVATE"));
        for label in [
            "PUBLIC KEY",
            "RSA PUBLIC KEY",
            "CERTIFICATE",
            "TRUSTED CERTIFICATE",
            "X509 CRL",
            "CERTIFICATE REQUEST",
        ] {
            tree.write(&format!("{number}/{label}.pem"), pem.replace("PRIVATE KEY", label));
            tree.write(
                &format!("{number}/broken {label}.pem"),
                pem.replacen("\nM", "\nN", 1).replace("PRIVATE KEY", label),
            );
        }
        // A certificate with a key behind it in the same block.
        made.openssl("req -x509 -newkey ed25519 -nodes -keyout other -out cert -subj /CN=x");
        let joined = [made.openssl("x509 -in cert -outform DER"), der].concat();
        let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &joined);
        tree.write(
            &format!("{number}/joined.pem"),
            format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
        );
        tree.write(&format!("{number}/joined.der"), joined);
    }
    assert!(canaries.len() >= 10);
    let seen = tree.scan();
    let told = format!("{:?}", seen.observations);
    for secret in &canaries {
        // Any eight octets in a row, in any of the forms that a program would print them in.
        for part in secret.windows(8) {
            let hex: String = part.iter().map(|octet| format!("{octet:02x}")).collect();
            let decimal = format!("{part:?}");
            let decimal = decimal.trim_matches(['[', ']']);
            let raw = String::from_utf8_lossy(part);
            assert!(!told.contains(&hex) && !told.contains(&hex.to_uppercase()));
            assert!(!told.contains(decimal));
            assert!(!told.contains(&*raw));
        }
        for skip in 0..3 {
            let text =
                base64::Engine::encode(&base64::prelude::BASE64_STANDARD_NO_PAD, &secret[skip..]);
            for part in text.as_bytes().windows(12) {
                assert!(!told.contains(std::str::from_utf8(part).unwrap()));
            }
        }
    }
}

/// The secret numbers in what `openssl pkey -text` prints.
fn secrets(text: &str) -> Vec<Vec<u8>> {
    const NAMES: &[&str] = &[
        "priv:",
        "privateExponent:",
        "prime1:",
        "prime2:",
        "exponent1:",
        "exponent2:",
        "coefficient:",
    ];
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            inside = NAMES.contains(&line.trim());
            if inside {
                found.push(Vec::new());
            }
        } else if inside {
            let octets = line.trim().split(':').filter_map(|hex| u8::from_str_radix(hex, 16).ok());
            found.last_mut().unwrap().extend(octets);
        }
    }
    found
}
