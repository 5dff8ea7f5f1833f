//! The PIN of a token goes to its module and nowhere else.

use std::fs;

use pkimm_tests::agent::finish;
use pkimm_tests::canary::Canary;
use pkimm_tests::certificates::path;
use pkimm_tests::servers::tokens::softhsm;

use crate::AS_OF;
use crate::secrets::files_below;

use super::{Lab, PIN, SECOND, SECOND_PIN, TOKEN, login, settings};

/// What is tried where another PIN is right.
const WRONG: &str = "Canary-That-Is-Wrong-6605";

#[test]
fn no_output_holds_the_pin_of_a_token() {
    let lab = Lab::new();
    let mut canary = Canary::default();
    canary.add("the PIN", PIN.as_bytes());
    canary.add("the other PIN", SECOND_PIN.as_bytes());
    canary.add("the wrong PIN", WRONG.as_bytes());
    let mut outputs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut all = |arguments: &[&str]| {
        let mut command = lab.command(arguments);
        command.env("PKIMM_LOG", "trace").env("RUST_BACKTRACE", "1");
        command.env("LAB_SECOND_PIN", SECOND_PIN);
        let outcome = finish(command);
        let name = arguments.join(" ");
        outputs.push((format!("standard output of {name}"), outcome.stdout.into_bytes()));
        outputs.push((format!("standard error of {name}"), outcome.stderr.into_bytes()));
        outcome.code
    };
    let file = lab.home.path().join("pin");
    let logins = [
        login(TOKEN, &format!("pin_file = {:?}", path(&file))),
        login(SECOND, "pin_env = \"LAB_SECOND_PIN\""),
    ];
    settings(&lab.home, "", &[&softhsm()], &logins.concat());
    assert_eq!(all(&["check"]), Some(0));
    assert_eq!(all(&["scan", "--plan"]), Some(0));
    assert_eq!(all(&["run", "--as-of", AS_OF]), Some(0));
    // Wrong, and then not tried again.
    lab.home.write("pin", format!("{WRONG}\n"));
    assert!(matches!(all(&["scan", "-vv"]), Some(0 | 3)));
    assert!(matches!(all(&["scan", "-vv"]), Some(0 | 3)));
    // Written where no PIN belongs.
    let settings = lab.home.read("pkimm-agent.toml");
    let line = settings.lines().find(|line| line.starts_with("pin_file")).unwrap();
    lab.home.write("wrong.toml", settings.replace(line, &format!("pin = \"{WRONG}\"")));
    assert_eq!(all(&["check", "--config", "wrong.toml"]), Some(2));
    let uri = format!("pkcs11:token=Lab%20CA?pin-value={WRONG}");
    let chosen = settings.replace("pkcs11:token=Lab%20CA", &uri);
    lab.home.write("wrong.toml", chosen);
    assert_eq!(all(&["check", "--config", "wrong.toml"]), Some(2));
    all(&["assess", "--as-of", AS_OF]);
    for format in ["html", "json", "terminal", "prometheus"] {
        all(&["report", "--format", format, "--as-of", AS_OF]);
    }
    for arguments in [
        &["inventory", "export", "--all-runs"][..],
        &["inventory", "export", "--gaps"],
        &["inventory", "tokens"],
        &["inventory", "keys"],
        &["findings", "export"],
    ] {
        all(arguments);
    }
    for file in files_below(&lab.home.path().join("pkimm-report")) {
        outputs.push((file.display().to_string(), fs::read(&file).unwrap()));
    }
    assert!(outputs.iter().any(|(name, _)| name.ends_with("store.sqlite")));
    for (name, octets) in &outputs {
        let found = canary.found_in(octets);
        assert!(found.is_empty(), "{name} holds {found:?}");
    }
    // The search is not blind to it.
    let held = fs::read(lab.home.path().join("second.pin")).unwrap();
    assert!(!canary.found_in(&held).is_empty());
}
