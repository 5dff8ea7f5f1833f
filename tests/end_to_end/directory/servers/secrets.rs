//! The password of an account goes to its server and nowhere else.

use std::fs;

use pkimm_tests::agent::{Home, finish};
use pkimm_tests::canary::Canary;
use pkimm_tests::certificates::{Authority, Order};
use pkimm_tests::servers::Entries;

use crate::AS_OF;
use crate::secrets::files_below;

use super::openldap::{PASSWORD, binds, ldaps, settings, slapd, trusting};

/// What is tried where another password is right.
const WRONG: &str = "Canary-That-Is-Wrong-8247";

#[test]
fn no_output_holds_the_password_of_an_account() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let mut entries = Entries::new(PASSWORD);
    entries.add_person("one", &root.issue(&Order::server("person.lab.test")).der());
    let (server, _) = slapd(&root, &entries, "");
    let mut canary = Canary::default();
    canary.add("the password", PASSWORD.as_bytes());
    canary.add("the wrong password", WRONG.as_bytes());
    let mut outputs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut all = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("PKIMM_LOG", "trace").env("RUST_BACKTRACE", "1");
        command.env("PKIMM_TEST_PASSWORD", PASSWORD);
        let outcome = finish(command);
        let name = arguments.join(" ");
        outputs.push((format!("standard output of {name}"), outcome.stdout.into_bytes()));
        outputs.push((format!("standard error of {name}"), outcome.stderr.into_bytes()));
        outcome.code
    };
    let more = trusting(&root);
    settings(&home, &ldaps(&server), &more);
    assert_eq!(all(&["check"]), Some(0));
    assert_eq!(all(&["scan", "--plan"]), Some(0));
    assert_eq!(all(&["run", "--as-of", AS_OF]), Some(0));
    // From the environment, and wrong; the same as the password of a dead server.
    let at = home.path().join("pkimm-agent.toml");
    let from_file = fs::read_to_string(&at).unwrap();
    let line = from_file.lines().find(|line| line.starts_with("password_file")).unwrap();
    fs::write(&at, from_file.replace(line, "password_env = \"PKIMM_TEST_PASSWORD\"")).unwrap();
    assert_eq!(all(&["scan", "-vv"]), Some(0));
    fs::write(&at, &from_file).unwrap();
    home.write("reader.password", format!("{WRONG}\n"));
    assert!(matches!(all(&["scan", "-vv"]), Some(0 | 3)));
    assert_eq!(binds(&server), 3, "{}", server.log());
    drop(server);
    assert!(matches!(all(&["scan", "-vv"]), Some(0 | 3)));
    // Written where no password belongs.
    home.write("wrong.toml", from_file.replace(line, &format!("password = \"{WRONG}\"")));
    assert_eq!(all(&["check", "--config", "wrong.toml"]), Some(2));
    all(&["assess", "--as-of", AS_OF]);
    for format in ["html", "json", "terminal", "prometheus"] {
        all(&["report", "--format", format, "--as-of", AS_OF]);
    }
    for arguments in [
        &["inventory", "export", "--all-runs"][..],
        &["inventory", "export", "--gaps"],
        &["inventory", "cas"],
        &["inventory", "templates"],
        &["findings", "export"],
    ] {
        all(arguments);
    }
    for file in files_below(&home.path().join("pkimm-report")) {
        outputs.push((file.display().to_string(), fs::read(&file).unwrap()));
    }
    assert!(outputs.iter().any(|(name, _)| name.ends_with("store.sqlite")));
    for (name, octets) in &outputs {
        let found = canary.found_in(octets);
        assert!(found.is_empty(), "{name} holds {found:?}");
    }
    // The search is not blind to it.
    let held = fs::read(home.path().join("reader.password")).unwrap();
    assert!(!canary.found_in(&held).is_empty());
}
