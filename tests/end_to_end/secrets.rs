//! No octet of a private key leaves the file it lies in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkimm_tests::agent::{Home, finish};
use pkimm_tests::canary::Canary;
use pkimm_tests::certificates::{Issued, Key, der_of, make_key, openssl, path};
use pkimm_tests::facts;
use pkimm_tests::tools::run;
use serde_json::json;

use crate::AS_OF;
use crate::files::place;

const PASSPHRASE: &str = "pass:correct horse battery staple";
/// Passwords of keystores: one that a file tells the agent, one that its environment tells it, and
/// one that nobody tells it.
const FROM_FILE: &str = "canary-from-a-file-8151";
const FROM_ENVIRONMENT: &str = "canary-from-the-environment-1623";
const UNTOLD: &str = "canary-that-is-untold-4236";

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

/// Plants keys in the forms of other programs than OpenSSL, whole and cut short.
fn plant_others(home: &Home, canary: &mut Canary) -> Vec<PathBuf> {
    let mut planted = Vec::new();
    let write = |name: &str, content: &[u8]| home.write(&format!("tree/others/{name}"), content);
    for name in ["rsa", "ec", "p521"] {
        let file = write(
            &format!("{name}.ssh"),
            &fs::read(home.path().join(format!("{name}.key"))).unwrap(),
        );
        fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        // It reads what OpenSSL wrote, and writes its own form.
        run("ssh-keygen", &["-q", "-p", "-N", "", "-f", path(&file)]);
        planted.push(file);
    }
    let file = home.path().join("tree/others/ed25519.ssh");
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "a@host", "-f", path(&file)]);
    canary.add("OpenSSH, seed", &seed_of_openssh(&file));
    planted.push(file);
    for source in planted.clone() {
        let putty = source.with_extension("ppk");
        run("puttygen", &[path(&source), "-O", "private", "-o", path(&putty)]);
        planted.push(putty);
    }

    let raw = |name: &str, algorithm: &str| {
        let (pem, der) = (home.write(name, ""), home.write(&format!("{name}.der"), ""));
        openssl(&["genpkey", "-algorithm", algorithm, "-out", path(&pem)]);
        openssl(&["pkey", "-in", path(&pem), "-outform", "DER", "-out", path(&der)]);
        let der = fs::read(der).unwrap();
        // RFC 8410, section 7: 32 octets end it.
        (der[der.len() - 32..].to_vec(), fs::read_to_string(pem).unwrap())
    };
    let (tunnel, _) = raw("x25519", "X25519");
    canary.add("WireGuard", &tunnel);
    let text = format!("[Interface]\nPrivateKey = {}\n", STANDARD.encode(&tunnel));
    planted.push(write("wg0.conf", text.as_bytes()));
    let (seed, _) = raw("okp", "ED25519");
    let (symmetric, _) = raw("oct", "X25519");
    canary.add("JWK, seed", &seed);
    canary.add("JWK, symmetric", &symmetric);
    let written = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let public = written(&[7; 32]);
    let set = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": public, "d": written(&seed)},
        {"kty": "oct", "kid": "b", "k": written(&symmetric)},
    ]});
    planted.push(write("jwks.json", set.to_string().as_bytes()));
    // A key in base64 in base64: neither of the two may come out.
    let (seed, pem) = raw("embedded", "ED25519");
    canary.add("embedded, seed", &seed);
    let body = pem.lines().nth(1).unwrap();
    canary.add("embedded, text", &body.as_bytes()[24..]);
    let value = STANDARD.encode(pem);
    let secret = format!("kind: Secret\nmetadata:\n  name: web\ndata:\n  tls.key: {value}\n");
    planted.push(write("secret.yaml", secret.as_bytes()));

    for file in planted.clone() {
        let content = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        planted.push(write(&format!("cut.{name}"), &content[..content.len() * 9 / 10]));
    }
    planted
}

/// The private section of OpenSSH's form has the seed and the public key in 64 octets, and the
/// public key before them (PROTOCOL.key, and draft-miller-ssh-agent, 4.2.3).
fn seed_of_openssh(file: &Path) -> Vec<u8> {
    let octets = der_of(file);
    let length = [0, 0, 0, 64];
    let at = octets.windows(4).rposition(|window| window == length).unwrap() + 4;
    let (seed, public) = octets[at..at + 64].split_at(32);
    assert_eq!(&octets[at - 36..at - 4], public, "{}", file.display());
    seed.to_vec()
}

/// Plants keystores with the keys of [`plant`] in them; gives each with what becomes of its lock.
fn plant_keystores(home: &Home) -> Vec<(PathBuf, &'static str)> {
    let mut planted = Vec::new();
    for (name, password, lock) in [
        ("rsa", FROM_FILE, "configured"),
        ("ec", FROM_ENVIRONMENT, "configured"),
        ("p521", UNTOLD, "closed"),
        ("ed25519", FROM_FILE, "configured"),
    ] {
        let (key, certificate) =
            (home.path().join(format!("{name}.key")), home.write("own.pem", ""));
        let subject = ["-subj", "/CN=a", "-days", "3650", "-out", path(&certificate)];
        openssl(&[&["req", "-x509", "-new", "-key", path(&key)], &subject[..]].concat());
        let folder = home.folder(&format!("tree/stores/{lock}/{name}"));
        let packed = folder.join("store.p12");
        let pass = format!("pass:{password}");
        let export = ["pkcs12", "-export", "-inkey", path(&key), "-in", path(&certificate)];
        openssl(
            &[&export[..], &["-name", "web", "-passout", &pass, "-out", path(&packed)]].concat(),
        );
        for kind in ["JKS", "JCEKS"] {
            let store = folder.join(kind);
            let source = ["-srckeystore", path(&packed), "-srcstorepass", password];
            let target = ["-destkeystore", path(&store), "-deststorepass", password];
            let kinds = ["-srcstoretype", "PKCS12", "-deststoretype", kind];
            let import = ["-importkeystore", "-noprompt"];
            run("keytool", &[&import[..], &source, &target, &kinds].concat());
            planted.push((store, lock));
        }
        planted.push((packed, lock));
    }
    let secret = home.write("store.password", format!("{FROM_FILE}\n"));
    let settings = format!(
        "[[filesystem.passwords]]\npaths = [\"**/stores/**\"]\nfile = {:?}\n\
         [[filesystem.passwords]]\npaths = [\"**/stores/**\"]\nenv = \"PKIMM_TEST_PASSWORD\"\n",
        path(&secret)
    );
    home.write("pkimm-agent.toml", settings);
    planted
}

#[test]
fn no_output_holds_an_octet_of_a_private_key() {
    let home = Home::new();
    let (mut canary, mut planted) = plant(&home);
    planted.extend(plant_others(&home, &mut canary));
    let keystores = plant_keystores(&home);
    for file in &planted {
        let found = canary.found_in(&fs::read(file).unwrap());
        assert!(!found.is_empty(), "the search is blind to {}", file.display());
    }

    let tree = home.path().join("tree");
    let mut outputs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut all = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("PKIMM_LOG", "trace").env("RUST_BACKTRACE", "1");
        command.env("PKIMM_TEST_PASSWORD", FROM_ENVIRONMENT);
        let outcome = finish(command).expect_code(0);
        let name = arguments.join(" ");
        outputs.push((format!("standard output of {name}"), outcome.stdout.clone().into_bytes()));
        outputs.push((format!("standard error of {name}"), outcome.stderr.clone().into_bytes()));
        outcome
    };
    all(&["run", "--root", path(&tree), "--as-of", AS_OF]);
    all(&["scan", "-vv", "--root", path(&tree), "--as-of", AS_OF]);
    all(&["assess", "--as-of", AS_OF]);
    for format in ["html", "json", "terminal", "answers-yaml", "pkimm-web", "prometheus"] {
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
    assert!(facts::of_kind(&inventory, "key").len() >= 12, "the keys were looked at");
    for (file, lock) in &keystores {
        let store = facts::at(&inventory, "keystore", &place(file));
        let expected = json!({"lock": {"state": lock}});
        facts::assert_facts(&place(file), &store["facts"], &expected);
    }
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
        for phrase in ["horse batt", FROM_FILE, FROM_ENVIRONMENT, UNTOLD] {
            let said = memchr::memmem::find(octets, phrase.as_bytes()).is_some();
            assert!(!said, "{name} holds the passphrase {phrase}");
        }
    }
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
