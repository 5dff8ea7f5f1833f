//! No octet of a private key leaves the file it lies in.

use std::fs;
use std::path::{Path, PathBuf};

use pkimm_tests::agent::{Home, finish};
use pkimm_tests::canary::Canary;
use pkimm_tests::certificates::{Issued, Key, der_of, make_key, openssl, path};
use pkimm_tests::facts;

use crate::AS_OF;

const PASSPHRASE: &str = "pass:correct horse battery staple";

/// Plants keys in every form, whole and broken ones, and gives what must not be found anywhere,
/// with the files it must be found in.
fn plant(home: &Home) -> (Canary, Vec<PathBuf>) {
    let mut canary = Canary::default();
    let mut planted = Vec::new();
    let keys = [("rsa", Key::Rsa(2048)), ("ec", Key::Ec("P-256")), ("p521", Key::Ec("P-521"))];
    for (name, kind) in keys.into_iter().chain([("ed25519", Key::Ed25519)]) {
        let issued = Issued {
            certificate: PathBuf::new(),
            key: home.write(&format!("{name}.key"), ""),
            chain: Vec::new(),
        };
        make_key(kind, &issued.key);
        canary.add_key(name, &issued.key_der());
        let mut forms = vec![
            ("pkcs8.pem", vec!["pkcs8", "-topk8", "-nocrypt"]),
            ("pkcs8.der", vec!["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"]),
        ];
        match kind {
            Key::Rsa(_) => forms.extend([
                ("pkcs1.pem", vec!["rsa", "-traditional"]),
                ("pkcs1.der", vec!["rsa", "-traditional", "-outform", "DER"]),
            ]),
            Key::Ec(_) => {
                forms.extend([
                    ("sec1.pem", vec!["ec"]),
                    ("sec1.der", vec!["ec", "-outform", "DER"]),
                ]);
            }
            Key::Ed25519 => {}
        }
        for (form, conversion) in forms {
            let out = home.write(&format!("tree/{name}.{form}"), "");
            openssl(&[&conversion[..], &["-in", path(&issued.key), "-out", path(&out)]].concat());
            planted.push(out);
        }
        planted.extend(broken(home, name, &issued));
        // What is under a passphrase is nobody's to copy either.
        let sealed = home.write(&format!("tree/{name}.sealed.pem"), "");
        openssl(&[
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-passout",
            PASSPHRASE,
            "-in",
            path(&issued.key),
            "-out",
            path(&sealed),
        ]);
        canary.add(&format!("{name}, sealed"), &der_of(&sealed)[64..]);
        planted.push(sealed);
    }
    (canary, planted)
}

/// Keys that cannot be read: what is said about them must not quote them.
fn broken(home: &Home, name: &str, issued: &Issued) -> Vec<PathBuf> {
    let der = issued.key_der();
    let pem = fs::read_to_string(&issued.key).unwrap();
    let lines: Vec<&str> = pem.lines().collect();
    let mut files = Vec::new();
    let mut add = |form: &str, content: &[u8]| {
        files.push(home.write(&format!("tree/{name}.broken.{form}"), content));
    };
    add("short.der", &der[..der.len() - 1]);
    add("no-end.pem", lines[..lines.len() - 1].join("\n").as_bytes());
    add("as-certificate.pem", pem.replace("PRIVATE KEY", "CERTIFICATE").as_bytes());
    add("as-rsa.pem", pem.replace("PRIVATE KEY", "RSA PRIVATE KEY").as_bytes());
    add("as-unknown.pem", pem.replace("PRIVATE KEY", "SPECIAL PRIVATE KEY").as_bytes());
    let mut bent = lines.clone();
    let star = format!("{}*", lines[1]);
    bent[1] = &star;
    add("bent.pem", bent.join("\n").as_bytes());
    // With the numbers changed in length, and with something behind.
    let mut wrong = der.clone();
    wrong[3] ^= 1;
    add("wrong.der", &wrong);
    add("long.der", &[&der[..], b"trailing"].concat());
    add("line.pem", pem.replace('\n', "").as_bytes());
    files
}

#[test]
fn no_output_holds_an_octet_of_a_private_key() {
    let home = Home::new();
    let (canary, planted) = plant(&home);
    for file in &planted {
        let found = canary.found_in(&fs::read(file).unwrap());
        assert!(!found.is_empty(), "the search is blind to {}", file.display());
    }

    let tree = home.path().join("tree");
    let mut outputs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut all = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("PKIMM_LOG", "trace").env("RUST_BACKTRACE", "1");
        let outcome = finish(command).expect_code(0);
        let name = arguments.join(" ");
        outputs.push((format!("standard output of {name}"), outcome.stdout.clone().into_bytes()));
        outputs.push((format!("standard error of {name}"), outcome.stderr.clone().into_bytes()));
        outcome
    };
    all(&["run", "--root", path(&tree), "--as-of", AS_OF]);
    all(&["scan", "-vv", "--root", path(&tree), "--as-of", AS_OF]);
    all(&["assess", "--as-of", AS_OF]);
    for format in ["html", "json", "terminal", "answers-yaml", "pkimm-web"] {
        all(&["report", "--format", format, "--as-of", AS_OF]);
    }
    all(&["answers", "export", "--as", "pkimm-web"]);
    let inventory = all(&["inventory", "export", "--all-runs"]).lines();
    for (command, more) in [
        ("inventory", &["list"][..]),
        ("inventory", &["export", "--gaps"]),
        ("findings", &["list"]),
        ("findings", &["export"]),
        ("findings", &["export", "--gaps"]),
        ("why", &["M.key-management.key-lifecycle"]),
        ("why", &["key.stored-unencrypted"]),
    ] {
        all(&[&[command], more].concat());
    }
    // One of each kind and shape would do; there are few enough to take all.
    for asset in &inventory {
        let id = asset["id"].as_str().unwrap();
        all(&["inventory", "show", id]);
        all(&["why", id]);
    }
    assert!(facts::of_kind(&inventory, "key").len() >= 8, "the keys were looked at");
    assert!(facts::of_kind(&inventory, "unparsed").len() >= 4, "the broken ones as well");

    for file in files_below(&home.path().join("pkimm-report")) {
        outputs.push((file.display().to_string(), fs::read(&file).unwrap()));
    }
    assert!(
        outputs
            .iter()
            .any(|(name, octets)| name.ends_with("store.sqlite") && octets.len() > 10_000)
    );
    for (name, octets) in &outputs {
        let found = canary.found_in(octets);
        assert!(found.is_empty(), "{name} holds {found:?}");
        let said = octets.windows(10).any(|window| window == b"horse batt");
        assert!(!said, "{name} holds the passphrase");
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
