//! A PIN is asked for nowhere but where the settings say, and tried once.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};

use pkimm_tests::agent::{Home, Outcome, finish};
use pkimm_tests::certificates::path;
use pkimm_tests::servers::tokens::{SoftHsm, calls, library, misbehaving, softhsm};
use serde_json::{Value, json};

use super::{
    Lab, PIN, TOKEN, findings, good, login, name_of, named, names, reasons, scan, settings, small,
};

const OTHER: &str = "Canary-That-Is-Wrong-4471";

/// A scan with these more variables.
fn scan_with(home: &Home, hsm: &SoftHsm, variables: &[(&str, &str)]) -> Outcome {
    let mut command = home.command(&["scan"]);
    hsm.tell(&mut command).envs(variables.iter().copied());
    good(finish(command))
}

/// How often `C_Login` was called in a scan.
fn logins(home: &Home, hsm: &SoftHsm) -> usize {
    let written = home.path().join("spy");
    let _ = fs::remove_file(&written);
    let module = softhsm();
    let variables = [("PKCS11SPY", path(&module)), ("PKCS11SPY_OUTPUT", path(&written))];
    scan_with(home, hsm, &variables);
    let spied = fs::read(written).unwrap();
    calls(&String::from_utf8_lossy(&spied)).iter().filter(|call| *call == "C_Login").count()
}

#[test]
fn without_a_pin_public_objects_are_read_and_the_rest_is_a_gap() {
    let lab = Lab::new();
    settings(&lab.home, "", &[&softhsm()], "");
    let before = lab.material.hsm.contents();
    let _ = good(lab.agent(&["scan"]));
    let gaps = lab.home.gaps();
    assert_eq!(reasons(&gaps), ["login-required", "login-required"], "{gaps:#?}");
    let inventory = lab.home.inventory();
    assert_eq!(named(&inventory, "token Lab CA")["facts"]["login"], "not-configured");
    let seen = names(&inventory);
    for public in ["key rsa-2048", "certificate ca", "certificate orphan", "key shown-to-all"] {
        assert!(seen.iter().any(|name| name == public), "{public} is not among {seen:?}");
    }
    let private: BTreeSet<String> = inventory
        .iter()
        .filter(|asset| {
            let sightings = asset["facts"]["sightings"].as_array().unwrap();
            sightings.iter().any(|it| it["token"]["private"] == true)
        })
        .map(name_of)
        .collect();
    assert!(private.is_empty(), "nothing that is private is seen: {private:?}");
    // Who has not looked says nothing about keys; the one that shows itself to everybody is found.
    let not_met = findings(&lab.home, "not-met");
    let of = |rule: &str| -> Vec<&str> {
        not_met.iter().filter(|(it, _)| it == rule).map(|(_, name)| name.as_str()).collect()
    };
    assert_eq!(of("token.key-not-private"), ["key ended", "key in-force", "key shown-to-all"]);
    assert_eq!(of("token.certificate-without-key"), Vec::<&str>::new());
    let unknown = findings(&lab.home, "unknown");
    let orphan = ("token.certificate-without-key".to_owned(), "token Lab Spare".to_owned());
    assert!(unknown.contains(&orphan), "{unknown:#?}");
    let after = lab.material.hsm.contents();
    let octets = |contents: &pkimm_tests::servers::tokens::Contents| {
        contents
            .iter()
            .map(|(file, (octets, _))| (file.clone(), octets.clone()))
            .collect::<Vec<_>>()
    };
    assert!(octets(&before) == octets(&after), "nothing is written to a token");
}

/// A token without a PIN was read as far as everybody may read it: the run is not one that read nothing.
#[test]
fn what_everybody_may_see_counts_as_read() {
    let home = Home::new();
    settings(&home, "", &[&misbehaving()], "");
    for _ in 0..2 {
        let mut command = home.command(&["scan"]);
        command.env("PKIMM_MISBEHAVE", "");
        let outcome = finish(command).expect_code(0);
        assert!(!outcome.stderr.contains("Nothing could be read"), "{}", outcome.stderr);
        let _ = named(&home.inventory(), "certificate Root");
        assert_eq!(reasons(&home.gaps()), ["login-required"]);
    }
}

/// What SoftHSM itself writes at a login, `pkcs11-tool` has it write as well; no object is touched.
#[test]
fn a_login_changes_no_object_on_a_token() {
    let lab = Lab::new();
    lab.log_in();
    let before = lab.material.hsm.contents();
    let _ = lab.agent(&["scan"]).expect_code(0);
    let after = lab.material.hsm.contents();
    let files = |contents: &pkimm_tests::servers::tokens::Contents| {
        contents.keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(files(&before), files(&after));
    let own = ["token.object", "generation", "token.lock"];
    let is_own = |file: &std::path::Path| own.iter().any(|name| file.ends_with(name));
    let objects = before.iter().filter(|(file, _)| !is_own(file));
    let changed: Vec<_> = objects.filter(|(file, before)| after[*file] != **before).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(before.len() > 40, "{}", before.len());
}

#[test]
fn a_pin_comes_from_a_file_a_variable_or_a_descriptor() {
    let (home, hsm) = small(TOKEN, PIN);
    let file = home.write("pin", format!("{PIN}\n"));
    let read = |what: &str| {
        assert_eq!(home.gaps(), Vec::<Value>::new(), "{what}");
        let inventory = home.inventory();
        assert_eq!(named(&inventory, "token Lab CA")["facts"]["login"], "done", "{what}");
        let key = named(&inventory, "key only");
        assert_eq!(super::object(key, "private")["sensitive"], true, "{what}");
    };
    let with = |pin: &str| settings(&home, "", &[&softhsm()], &login(TOKEN, pin));
    with(&format!("pin_file = {:?}", path(&file)));
    scan(&home, &hsm);
    read("a file");
    with("pin_env = \"LAB_TOKEN_PIN\"");
    scan_with(&home, &hsm, &[("LAB_TOKEN_PIN", PIN)]);
    read("a variable");
    with("pin_descriptor = 0");
    let mut command = home.command(&["scan"]);
    hsm.tell(&mut command).stdin(Stdio::from(fs::File::open(&file).unwrap()));
    let _ = good(finish(command));
    read("a descriptor");
    // The same from the command line, without settings.
    fs::remove_file(home.path().join("pkimm-agent.toml")).unwrap();
    let module = softhsm();
    let arguments = [
        "scan",
        "--pkcs11-module",
        path(&module),
        "--token",
        "pkcs11:token=Lab%20CA",
        "--pin-file",
        path(&file),
    ];
    let mut command = home.command(&arguments);
    hsm.tell(&mut command);
    let _ = good(finish(command));
    read("the command line");
}

/// Nobody writes to the pipe: the run says so and does not hang.
#[test]
fn a_descriptor_that_nobody_writes_to_is_no_reason_to_wait_for_ever() {
    let (home, hsm) = small(TOKEN, PIN);
    settings(&home, "", &[&softhsm()], &login(TOKEN, "pin_descriptor = 0"));
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = home.command(&["scan"]);
    hsm.tell(&mut command).stdin(Stdio::from(reader));
    let outcome = finish(command).expect_code(2);
    assert!(outcome.took.as_secs() < 60, "{:?}", outcome.took);
    assert!(outcome.stderr.contains("pin_descriptor") || outcome.stderr.contains("descriptor 0"));
    assert!(writer.as_raw_fd() > 2);
}

#[test]
fn a_wrong_pin_is_tried_once_and_again_only_when_the_settings_say_so() {
    let (home, hsm) = small(TOKEN, PIN);
    let file = home.write("pin", format!("{OTHER}\n"));
    let pin = format!("pin_file = {:?}\nalthough_count_low = true", path(&file));
    settings(&home, "", &[&library("pkcs11-spy.so")], &login(TOKEN, &pin));
    assert_eq!(logins(&home, &hsm), 1, "one attempt");
    let gaps = home.gaps();
    assert_eq!(reasons(&gaps), ["login-refused"], "{gaps:#?}");
    let detail = gaps[0]["detail"].as_str().unwrap();
    assert!(detail.contains("CKR_PIN_INCORRECT"), "{detail}");
    assert!(facts_login(&home) == "refused");
    // What is public was read all the same.
    let _ = named(&home.inventory(), "key only");

    assert_eq!(logins(&home, &hsm), 0, "none with the same settings");
    assert_eq!(reasons(&home.gaps()), ["login-refused"]);
    assert_eq!(facts_login(&home), "not-tried");
    // What keeps secrets writes their files anew at each start; a file tells nothing.
    home.write("pin", format!("{OTHER}\n"));
    assert_eq!(logins(&home, &hsm), 0, "none because of a file");
    let detail = home.gaps()[0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("`attempt`"), "{detail}");
    home.write("pin", format!("{PIN}\n"));
    let again = format!("{pin}\nattempt = 2");
    settings(&home, "", &[&library("pkcs11-spy.so")], &login(TOKEN, &again));
    assert_eq!(logins(&home, &hsm), 1, "the settings say so");
    assert_eq!(home.gaps(), Vec::<Value>::new());
    assert_eq!(facts_login(&home), "done");
    assert_eq!(logins(&home, &hsm), 1, "what was right is tried each time");
}

/// The same token seen through two modules is one, and what is wrong through one is so through the other.
#[test]
fn a_wrong_pin_is_not_tried_through_another_module() {
    let (home, hsm) = small(TOKEN, PIN);
    let file = home.write("pin", format!("{OTHER}\n"));
    let pin = format!("pin_file = {:?}\nalthough_count_low = true", path(&file));
    let spy = library("pkcs11-spy.so");
    let copy = home.path().join("another-spy.so");
    fs::copy(&spy, &copy).unwrap();
    settings(&home, "", &[&spy, &copy], &login(TOKEN, &pin));
    assert_eq!(logins(&home, &hsm), 1, "{:#?}", home.gaps());
    let inventory = home.inventory();
    let tokens = names(&inventory).into_iter().filter(|name| name == "token Lab CA").count();
    assert_eq!(tokens, 1);
    home.write("pin", format!("{PIN}\n"));
    let again = format!("{pin}\nattempt = 2");
    settings(&home, "", &[&spy, &copy], &login(TOKEN, &again));
    assert_eq!(logins(&home, &hsm), 1, "the right one is tried through one as well");
    assert_eq!(home.gaps(), Vec::<Value>::new());
}

fn facts_login(home: &Home) -> String {
    let inventory = home.inventory();
    named(&inventory, "token Lab CA")["facts"]["login"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_that_is_killed_during_a_login_does_not_try_it_again() {
    let (home, hsm) = small(TOKEN, PIN);
    let file = home.write("pin", "1234\n");
    let counted = home.path().join("attempts");
    let pin = format!("pin_file = {:?}", path(&file));
    let more = "call_timeout_secs = 5";
    settings(&home, more, &[&misbehaving()], &login_to_misbehaving(&pin));
    let run = |mode: &str| {
        let variables = [("PKIMM_MISBEHAVE", mode), ("PKIMM_ATTEMPTS", path(&counted))];
        scan_with(&home, &hsm, &variables)
    };
    run("crash-in-login");
    let attempts = || {
        let written = fs::read_to_string(&counted).unwrap_or_default();
        written.lines().filter(|line| line.starts_with("login")).count()
    };
    assert_eq!(attempts(), 1);
    let gaps = home.gaps();
    assert!(reasons(&gaps).contains(&"login-refused"), "{gaps:#?}");
    run("crash-in-login");
    assert_eq!(attempts(), 1, "{:#?}", home.gaps());
}

/// Whoever is killed while a token thinks about a PIN has noted before that it is tried.
#[test]
fn an_agent_that_is_killed_in_a_login_does_not_try_it_again() {
    let (home, _) = small(TOKEN, PIN);
    let file = home.write("pin", "1234\n");
    let counted = home.path().join("attempts");
    let pin = format!("pin_file = {:?}", path(&file));
    settings(&home, "", &[&misbehaving()], &login_to_misbehaving(&pin));
    let attempts = || {
        let written = fs::read_to_string(&counted).unwrap_or_default();
        written.lines().filter(|line| line.starts_with("login")).count()
    };
    let mut command = home.command(&["scan"]);
    command.env("PKIMM_MISBEHAVE", "hang-in-login").env("PKIMM_ATTEMPTS", &counted);
    let mut agent = command.spawn().unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while attempts() == 0 && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(attempts(), 1);
    let mut command = home.command(&["scan"]);
    command.env("PKIMM_MISBEHAVE", "").env("PKIMM_ATTEMPTS", &counted);
    let _ = good(finish(command));
    assert_eq!(attempts(), 1, "{:#?}", home.gaps());
    assert_eq!(reasons(&home.gaps()), ["login-refused"]);
}

/// A login to the token of the misbehaving module.
pub fn login_to_misbehaving(pin: &str) -> String {
    format!("[[pkcs11.logins]]\ntoken = \"pkcs11:token=Misbehaving\"\n{pin}\n")
}

#[test]
fn a_token_with_few_tries_left_is_not_logged_in_to_unless_told() {
    let (home, hsm) = small(TOKEN, PIN);
    // Somebody else mistypes it.
    let mut wrong = Command::new("pkcs11-tool");
    wrong.arg("--module").arg(softhsm()).args(["--token-label", TOKEN, "--login", "--pin", OTHER]);
    let wrong = hsm.tell(&mut wrong).arg("-O").output().unwrap();
    assert!(!wrong.status.success());
    let file = home.write("pin", format!("{PIN}\n"));
    let pin = format!("pin_file = {:?}", path(&file));
    let spy = library("pkcs11-spy.so");
    settings(&home, "", &[&spy], &login(TOKEN, &pin));
    assert_eq!(logins(&home, &hsm), 0, "the token says that one was wrong");
    let gaps = home.gaps();
    assert_eq!(reasons(&gaps), ["login-refused"], "{gaps:#?}");
    let detail = gaps[0]["detail"].as_str().unwrap();
    assert!(detail.contains("although_count_low"), "{detail}");
    let inventory = home.inventory();
    let state = &named(&inventory, "token Lab CA")["facts"]["user_pin"];
    assert!(state.to_string().contains("count"), "{state}");
    let not_met = findings(&home, "not-met");
    let at_risk = ("token.pin-at-risk".to_owned(), "token Lab CA".to_owned());
    assert!(not_met.contains(&at_risk), "{not_met:#?}");

    let pin = format!("{pin}\nalthough_count_low = true");
    settings(&home, "", &[&spy], &login(TOKEN, &pin));
    assert_eq!(logins(&home, &hsm), 1);
    assert_eq!(home.gaps(), Vec::<Value>::new());
    assert_eq!(facts_login(&home), "done");
}

/// A URI chooses tokens; what it chooses nothing of is a gap.
#[test]
fn tokens_are_chosen_by_uri() {
    let lab = Lab::new();
    let read = |only: &str| -> BTreeSet<String> {
        settings(&lab.home, &format!("only = [{only}]"), &[&softhsm()], "");
        let _ = good(lab.agent(&["scan"]));
        let inventory = lab.home.inventory();
        inventory.iter().filter(|asset| asset["kind"] == "token").map(name_of).collect()
    };
    let one: BTreeSet<String> = ["token Lab Spare".to_owned()].into();
    assert_eq!(read("\"pkcs11:token=Lab%20Spare\""), one);
    assert_eq!(read("\"pkcs11:model=SoftHSM%20v2;token=Lab%20Spare;library-version=2.6\""), one);
    assert_eq!(read("\"pkcs11:token=lab%20spare\""), BTreeSet::new(), "letters count");
    let gaps = lab.home.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    let place = gaps[0]["place"].as_str().unwrap();
    assert!(place.contains("lab%20spare"), "{place}");
    let both: BTreeSet<String> = ["token Lab CA", "token Lab Spare"].map(str::to_owned).into();
    assert_eq!(read("\"pkcs11:token=Lab%20CA\", \"pkcs11:token=Lab%20Spare\""), both);
    // A PIN in a URI is refused, and not repeated.
    settings(
        &lab.home,
        &format!("only = [\"pkcs11:token=x?pin-value={OTHER}\"]"),
        &[&softhsm()],
        "",
    );
    let refused = lab.agent(&["scan"]).expect_code(2);
    assert!(!refused.stderr.contains(OTHER), "{}", refused.stderr);
    assert_eq!(json!(refused.stderr.contains("pin")), json!(true), "{}", refused.stderr);
}
