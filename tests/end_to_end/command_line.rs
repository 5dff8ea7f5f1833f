//! What every user of a command line relies on.

use std::fs;
use std::process::Command;

use pkimm_tests::agent::{Home, Outcome, binary};
use pkimm_tests::certificates::{Authority, Order, path};
use pkimm_tests::servers::{free_port, own_address};
use pkimm_tests::tree::{Plan, plant};

use crate::AS_OF;

#[test]
fn exit_codes_tell_how_a_command_ended() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("www.test"));
    home.write("tree/key.pem", fs::read(&leaf.key).unwrap());
    home.write("bad-policy.toml", "[thresholds]\nrenewal_days = -1\ncolour = \"red\"\n");
    home.write("bad-settings.toml", "[tls]\ntargets = [\"a:0\"]\n");
    home.write("empty.toml", "");
    let refused = free_port(own_address()).to_string();
    for (code, arguments) in [
        (0, &["run", "--root", "tree"][..]),
        (0, &["run", "--root", "tree", "--fail-on", "contradicted"]),
        (0, &["run", "--root", "tree", "--root", "missing"]),
        (0, &["--help"]),
        (0, &["--version"]),
        (1, &["run", "--root", "tree", "--fail-on", "not-met"]),
        (1, &["assess", "--fail-on", "not-met"]),
        (2, &["run", "--root", "tree", "--policy", "bad-policy.toml"]),
        (2, &["run", "--root", "tree", "--policy", "missing.toml"]),
        (2, &["run", "--config", "bad-settings.toml"]),
        (2, &["run", "--config", "empty.toml"]),
        (2, &["run", "--root", "tree", "--answers", "missing.yaml"]),
        (2, &["run", "--root", "tree", "--model", "9.9.9"]),
        (2, &["run", "--no-such-option"]),
        (2, &["run", "--target", "not a target"]),
        (2, &["run", "--as-of", "yesterday"]),
        (2, &["report", "--format", "papyrus"]),
        (2, &["why", "no.such.thing"]),
        (2, &["inventory", "show", "certificate:0000000000"]),
        (2, &["inventory", "export", "--run", "99"]),
        (2, &["--dir", "elsewhere", "inventory", "list"]),
        (2, &[]),
        (3, &["run", "--root", "missing"]),
        (3, &["scan", "--root", "missing"]),
        (3, &["scan", "--target", &refused]),
    ] {
        let outcome = home.agent(arguments).expect_code(code);
        assert!(!outcome.stderr.contains("panicked"), "{arguments:?}\n{}", outcome.stderr);
        assert!(code == 0 || code == 1 || !outcome.stderr.is_empty(), "{arguments:?} says nothing");
    }
    assert!(!home.path().join("elsewhere").exists(), "reading makes no store");
}

#[test]
fn all_problems_of_a_policy_are_told_at_once_with_line_and_key() {
    let home = Home::new();
    home.write(
        "policy.toml",
        "[thresholds]\nrenewal_days = -1\n\n[algorithms]\nkeys = 3\ncolour = 1\n",
    );
    let outcome = home.agent(&["check"]).expect_code(2);
    for problem in [
        "policy.toml:2: thresholds.renewal_days: ",
        "policy.toml:5: algorithms.keys: ",
        "policy.toml:6: algorithms.colour: ",
    ] {
        assert!(outcome.stderr.contains(problem), "{problem}\nis not in\n{}", outcome.stderr);
    }
}

#[test]
fn nothing_but_text_goes_into_a_pipe_whatever_names_are_found() {
    let home = Home::new();
    let hostile = "evil\u{1b}[2J\u{7}\u{9b}31m";
    let root = Authority::root(home.path(), "Lab Root");
    let order = Order { subject: format!("/CN={hostile}"), ..Order::server("www.test") };
    let leaf = root.issue(&order);
    home.write(&format!("tree/{hostile}.pem"), fs::read(&leaf.certificate).unwrap());
    home.write(&format!("tree/{hostile}.key"), fs::read(&leaf.key).unwrap());
    home.write(&format!("tree/{hostile}.crt"), "noise");
    for arguments in [
        &["run", "--root", "tree", "-vv"][..],
        &["inventory", "list"],
        &["inventory", "export"],
        &["inventory", "export", "--gaps"],
        &["findings", "list"],
        &["findings", "export"],
        &["report", "--format", "json"],
        &["report", "--format", "terminal"],
        &["why", "key.stored-unencrypted"],
        &["why", &format!("certificate:{}", leaf.sha256())],
        &["inventory", "show", &leaf.sha256()],
        &["--help"],
    ] {
        let outcome = home.agent(arguments).expect_code(0);
        assert_plain("standard output", &outcome, &outcome.stdout);
        assert_plain("standard error", &outcome, &outcome.stderr);
    }
    let lost = home.agent(&["run", "--root", hostile]).expect_code(3);
    assert_plain("standard error", &lost, &lost.stderr);
    assert_plain("standard output", &lost, &lost.stdout);
}

fn assert_plain(stream: &str, outcome: &Outcome, text: &str) {
    let found = text.chars().find(|character| character.is_control() && *character != '\n');
    assert!(found.is_none(), "{found:?} on {stream} of {:?}:\n{text:?}", outcome.arguments);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    let _ = plant(&home.folder("tree"), Plan { files: 800, planted: 800, seed: 11, tools: false });
    let _ = home.agent(&["run", "--root", "tree"]).expect_code(0);
    for command in [
        "inventory export",
        "inventory list",
        "findings export",
        "findings list",
        "report --format json",
        "report --format html",
        "report --format answers-yaml",
        "report",
    ] {
        let script = format!("{{ {} {command}; echo code $? >&2; }} | head -1", path(&binary()));
        let output = Command::new("bash").args(["-c", &script]).current_dir(home.path()).output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(told.trim(), "code 0", "{command}");
        assert_eq!(output.stdout.iter().filter(|octet| **octet == b'\n').count(), 1, "{command}");
    }
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    let home = Home::new();
    let bash = home.agent(&["completions", "bash"]).expect_code(0).stdout;
    let script = home.write("completions.bash", &bash);
    assert!(Command::new("bash").arg("-n").arg(script).status().unwrap().success());
    assert!(bash.contains("complete") && bash.contains("--fail-on"), "{bash}");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = home.agent(&["completions", shell]).expect_code(0).stdout;
        assert!(script.contains("pkimm-agent"), "{shell}");
    }
}

#[test]
fn help_shows_examples_and_exit_codes_and_every_command() {
    let home = Home::new();
    let help = home.agent(&["--help"]).expect_code(0).stdout;
    for said in ["Examples:", "Exit codes:", "0 fine", "3 nothing could be read"] {
        assert!(help.contains(said), "{said} is not in\n{help}");
    }
    for command in [
        "run",
        "init",
        "check",
        "scan",
        "assess",
        "report",
        "inventory",
        "findings",
        "answers",
        "why",
    ] {
        assert!(
            help.lines().any(|line| line.trim_start().starts_with(command)),
            "{command}\n{help}"
        );
        let _ = home.agent(&[command, "--help"]).expect_code(0);
    }
}

#[test]
fn init_writes_files_that_check_accepts_and_writes_over_none() {
    let home = Home::new();
    let _ = home.agent(&["init"]).expect_code(0);
    let written: Vec<String> =
        ["pkimm-agent.toml", "policy.toml"].map(|name| home.read(name)).into();
    let checked = home.agent(&["check"]).expect_code(0);
    assert!(checked.stdout.contains("policy: policy.toml"), "{}", checked.stdout);
    let mine = format!("{}\n# mine\n", written[1]);
    home.write("policy.toml", &mine);
    let again = home.agent(&["init"]).expect_code(2);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    assert_eq!(home.read("policy.toml"), mine);
    fs::remove_file(home.path().join("pkimm-agent.toml")).unwrap();
    let _ = home.agent(&["init"]).expect_code(2);
    assert!(!home.path().join("pkimm-agent.toml").exists(), "both files or none");
}

#[test]
fn the_default_policy_written_out_judges_as_the_built_in_one() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let _ = root.issue(&Order::server("www.test"));
    let _ = home.agent(&["scan", "--root", "pki", "--as-of", AS_OF]).expect_code(0);
    let built_in = home.findings(AS_OF);
    let _ = home.agent(&["init"]).expect_code(0);
    assert!(!built_in.is_empty());
    assert_eq!(home.findings(AS_OF), built_in);
}

#[test]
fn every_requirement_rule_and_asset_can_be_asked_why() {
    let home = Home::new();
    let root = Authority::root(home.path(), "Lab Root");
    let leaf = root.issue(&Order::server("www.test"));
    let _ = home.agent(&["scan", "--root", "pki", "--as-of", AS_OF]).expect_code(0);
    let report = home.agent(&["report", "--format", "json", "--as-of", AS_OF]).expect_code(0);
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    let ids = |list: &str| -> Vec<String> {
        let all = report[list].as_array().unwrap().iter();
        all.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let rules = ids("rules");
    assert_eq!((ids("requirements").len(), rules.len() >= 18), (76, true), "{rules:?}");
    // Every rule, and of the many requirements one of each kind of basis.
    let requirements = ["G.strategy-and-vision.sponsor-support", "M.key-management.key-lifecycle"]
        .map(str::to_owned);
    for subject in rules.into_iter().chain(requirements) {
        let told = home.agent(&["why", &subject, "--as-of", AS_OF]).expect_code(0).stdout;
        assert!(told.contains(&subject), "{subject}:\n{told}");
    }
    let told = home.agent(&["why", &leaf.sha256()[..8], "--as-of", AS_OF]).expect_code(0).stdout;
    assert!(told.contains("www.test"), "{told}");
}
