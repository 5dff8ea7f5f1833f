//! Against modules that are in use: SoftHSM2 and the one of NSS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pki_tokens::wire::{Message, Value};

use crate::process::{Conversation, Heard, Process, pin_of, value};

const PIN: &str = "canary-4711";

const SOFTHSM: [&str; 2] = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"];

const NSS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
    "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
    "/usr/lib64/libsoftokn3.so",
];

/// Two tokens, made by the tools that people make them with.
struct Tokens {
    folder: tempfile::TempDir,
    module: PathBuf,
}

/// The first of these that is installed. Where tests must not be left out, none is a failure.
#[expect(clippy::print_stderr, reason = "says what was not tested")]
fn installed(paths: &[&str], package: &str) -> Option<PathBuf> {
    let found = paths.iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{package} is not installed");
        eprintln!("Not tested: {package} is not installed.");
    }
    found
}

impl Tokens {
    fn make() -> Option<Self> {
        let module = installed(&SOFTHSM, "softhsm2")?;
        installed(&["/usr/bin/pkcs11-tool"], "opensc")?;
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let settings = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
        std::fs::write(folder.path().join("softhsm2.conf"), settings).unwrap();
        let made = Self { folder, module };
        for label in ["first", "second"] {
            made.run(
                "softhsm2-util",
                &[
                    "--init-token",
                    "--free",
                    "--label",
                    label,
                    "--pin",
                    PIN,
                    "--so-pin",
                    "canary-0815",
                ],
            );
        }
        Some(made)
    }

    fn settings(&self) -> String {
        self.folder.path().join("softhsm2.conf").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).env("SOFTHSM2_CONF", self.settings());
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{command:?}");
    }

    fn tool(&self, arguments: &[&str]) {
        let module = self.module.display().to_string();
        let mut all = vec!["--module", &module, "--token-label", "first", "--login", "--pin", PIN];
        all.extend(arguments);
        self.run("pkcs11-tool", &all);
    }

    fn hear(&self, pin: Option<&str>) -> Heard {
        let process = Process::start(&[("SOFTHSM2_CONF", self.settings())]);
        process.all(&self.module, &Conversation::default(), || pin.map(pin_of))
    }

    /// Each file of the tokens with its octets.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        for token in std::fs::read_dir(self.folder.path().join("tokens")).unwrap() {
            for file in std::fs::read_dir(token.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let octets = std::fs::read(&path).unwrap();
                all.insert(path, octets);
            }
        }
        all
    }
}

fn classes(heard: &Heard) -> Vec<(u64, String)> {
    let mut all = heard.labels();
    all.sort();
    all
}

fn owned(labels: &[(u64, &str)]) -> Vec<(u64, String)> {
    labels.iter().map(|(class, label)| (*class, (*label).to_owned())).collect()
}

fn said(heard: &Heard, class: u64, label: &str, attribute: u64) -> Option<Vec<u8>> {
    let octets = pki_tokens::wire::Octets(label.into());
    let object = heard
        .objects()
        .into_iter()
        .find(|object| object.class == class && *value(object, 3) == Value::Octets(octets.clone()));
    match value(object.unwrap(), attribute) {
        Value::Octets(octets) => Some(octets.0.clone()),
        _ => None,
    }
}

#[test]
fn softhsm_is_read_with_and_without_its_pin_and_not_changed() {
    let Some(tokens) = Tokens::make() else { return };
    tokens.tool(&["--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--label", "born"]);
    tokens.tool(&["--keypairgen", "--key-type", "EC:prime256v1", "--id", "02", "--label", "curve"]);
    tokens.tool(&[
        "--keygen",
        "--key-type",
        "aes:32",
        "--id",
        "03",
        "--label",
        "wrapping",
        "--private",
    ]);
    // What is made without saying so is to be seen by everybody.
    tokens.tool(&["--keygen", "--key-type", "aes:32", "--id", "05", "--label", "open"]);
    let key = tokens.folder.path().join("key.der");
    let key = key.display().to_string();
    tokens.run(
        "openssl",
        &[
            "genpkey",
            "-algorithm",
            "RSA",
            "-pkeyopt",
            "rsa_keygen_bits:1024",
            "-outform",
            "DER",
            "-out",
            &key,
        ],
    );
    tokens.tool(&[
        "--write-object",
        &key,
        "--type",
        "privkey",
        "--id",
        "04",
        "--label",
        "imported",
    ]);
    let before = tokens.contents();

    let public = tokens.hear(None);
    assert_eq!(classes(&public), owned(&[(2, "born"), (2, "curve"), (4, "open")]));
    assert_eq!(public.failures(), []);
    assert_eq!(differing(&before, &tokens.contents()), Vec::<PathBuf>::new());
    let slots = public.messages.iter().filter(|message| matches!(message, Message::Slot(_)));
    assert_eq!(slots.count(), 3, "two tokens and the slot for the next one");

    let user = tokens.hear(Some(PIN));
    let all = [
        (2, "born"),
        (2, "curve"),
        (3, "born"),
        (3, "curve"),
        (3, "imported"),
        (4, "open"),
        (4, "wrapping"),
    ];
    assert_eq!(classes(&user), owned(&all));
    assert_eq!(user.failures(), []);
    let (local, extractable, modulus) = (0x163, 0x162, 0x120);
    assert_eq!(said(&user, 3, "born", local), Some(vec![1]));
    assert_eq!(said(&user, 3, "imported", local), Some(vec![0]));
    assert_eq!(said(&user, 3, "born", extractable), Some(vec![0]));
    assert_eq!(said(&user, 3, "born", modulus).unwrap().len(), 256);
    assert_eq!(said(&user, 3, "curve", modulus), None);
    assert!(!String::from_utf8_lossy(&user.raw).contains(PIN));

    let wrong = tokens.hear(Some("canary-wrong"));
    let logins: Vec<&Message> =
        wrong.messages.iter().filter(|message| matches!(message, Message::Login { .. })).collect();
    assert_eq!(logins.len(), 2, "one for each token");
    assert!(
        logins
            .iter()
            .all(|message| matches!(message, Message::Login { returned, .. } if *returned != 0))
    );
    assert_eq!(classes(&wrong), classes(&public));

    // What the token keeps of tries at its PIN it writes itself; no object is touched.
    let changed = differing(&before, &tokens.contents());
    assert!(changed.iter().all(|path| path.ends_with("token.object")), "{changed:?}");
}

fn differing(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<PathBuf> {
    let all = before.keys().chain(after.keys());
    let mut differing: Vec<PathBuf> =
        all.filter(|path| before.get(*path) != after.get(*path)).cloned().collect();
    differing.dedup();
    differing
}

#[test]
fn many_objects_cost_a_call_each() {
    let Some(tokens) = Tokens::make() else { return };
    for number in 1..=12 {
        let id = format!("{number:02}");
        tokens.tool(&["--keygen", "--key-type", "aes:16", "--id", &id, "--label", &id]);
    }
    let calls = |heard: &Heard| heard.calls().unwrap();
    let heard = tokens.hear(Some(PIN));
    assert_eq!(heard.objects().len(), 12);
    let with = calls(&heard);
    for number in 13..=24 {
        let id = format!("{number:02}");
        tokens.tool(&["--keygen", "--key-type", "aes:16", "--id", &id, "--label", &id]);
    }
    let heard = tokens.hear(Some(PIN));
    assert_eq!(heard.objects().len(), 24);
    assert_eq!(calls(&heard) - with, 12);
}

#[test]
fn nss_is_read_with_its_parameters() {
    let Some(module) = installed(&NSS, "libnss3") else { return };
    if installed(&["/usr/bin/certutil"], "libnss3-tools").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = |arguments: &[&str]| {
        let folder = format!("sql:{}", folder.path().display());
        let noise = folder_file(&folder, "noise");
        let status = Command::new("certutil")
            .args(["-d", &folder])
            .args(arguments)
            .args(if arguments.contains(&"-S") { vec!["-z", noise.as_str()] } else { vec![] })
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "{arguments:?}");
    };
    std::fs::write(folder.path().join("noise"), [7; 64]).unwrap();
    made(&["-N", "--empty-password"]);
    made(&["-S", "-x", "-n", "root", "-s", "CN=root", "-t", "C,C,C"]);
    let parameters = format!(
        "configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=readOnly",
        folder.path().display()
    );
    let how = Conversation { parameters: Some(&parameters), ..Conversation::default() };
    let heard = Process::start(&[]).all(&module, &how, || None);
    let labels = classes(&heard);
    assert!(labels.contains(&(1, "root".to_owned())), "{labels:?} {:?}", heard.failures());
    assert!(labels.iter().any(|(class, _)| *class == 3), "{labels:?}");
    assert!(heard.calls().is_some());
}

fn folder_file(folder: &str, name: &str) -> String {
    Path::new(folder.trim_start_matches("sql:")).join(name).display().to_string()
}
