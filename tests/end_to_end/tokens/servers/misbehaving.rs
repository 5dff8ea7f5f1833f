//! A module that misbehaves costs one gap: what it told before is kept, everything else in the run is
//! read, and no process is left behind.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pkimm_tests::agent::{Home, Outcome, Running, finish, is_root};
use pkimm_tests::canary::Canary;
use pkimm_tests::certificates::path;
use pkimm_tests::servers::tokens::{SoftHsm, misbehaving, processes_with, softhsm};
use serde_json::Value;

use super::login::login_to_misbehaving;
use super::{PIN, TOKEN, good, login, named, names, reasons, settings, small};

/// Seconds that a call may take here.
const PATIENCE: u64 = 3;

/// The misbehaving module and one that behaves, with logins to both.
struct Lab {
    home: Home,
    hsm: SoftHsm,
    /// In the environment of everything that is started here.
    mark: String,
}

impl Lab {
    fn new() -> Self {
        let (home, hsm) = small(TOKEN, PIN);
        let at = |name: &str, pin: &str| {
            format!("pin_file = {:?}", path(&home.write(name, format!("{pin}\n"))))
        };
        let logins =
            [login(TOKEN, &at("pin", PIN)), login_to_misbehaving(&at("misbehaving.pin", "1234"))];
        let more = format!(
            "call_timeout_secs = {PATIENCE}\ndeadline_secs = 30\nmemory_mib = 512\nmax_objects = 20000"
        );
        // The one that behaves comes last: what goes before must not keep it from being read.
        settings(&home, &more, &[&misbehaving(), &softhsm()], &logins.concat());
        let mark = format!("PKIMM_LAB_MARK={}", path(home.path()));
        Self { home, hsm, mark }
    }

    fn command(&self, mode: &str, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        self.hsm.tell(&mut command).env("PKIMM_MISBEHAVE", mode);
        let (name, value) = self.mark.split_once('=').unwrap();
        command.env(name, value).env("PKIMM_ATTEMPTS", self.home.path().join("attempts"));
        command
    }

    fn scan(&self, mode: &str) -> Outcome {
        let _ = fs::remove_file(self.home.path().join("attempts"));
        let _ = fs::remove_dir_all(self.home.path().join("pkimm-report"));
        let outcome = good(finish(self.command(mode, &["scan"])));
        let left = processes_with(&self.mark);
        assert_eq!(left, Vec::<u32>::new(), "{mode} left processes behind");
        outcome
    }

    /// What the module noted.
    fn notes(&self) -> String {
        fs::read_to_string(self.home.path().join("attempts")).unwrap_or_default()
    }

    /// What was seen on the token of the misbehaving module.
    fn seen(&self, inventory: &[Value]) -> Vec<String> {
        let is_there = |asset: &&Value| {
            let places = asset["places"].as_array().unwrap();
            places
                .iter()
                .any(|place| place.as_str().unwrap().starts_with("pkcs11:token=Misbehaving"))
        };
        let seen: Vec<Value> = inventory.iter().filter(is_there).cloned().collect();
        names(&seen)
    }
}

/// What is on its token, as far as everybody may see it.
const PUBLIC: &[&str] =
    &["certificate Root", "key Root", "secret-key Wrapping", "token Misbehaving"];

#[test]
fn a_module_that_misbehaves_costs_one_gap_and_nothing_else() {
    let lab = Lab::new();
    let all = ["certificate Root", "key Root", "secret-key Wrapping", "token Misbehaving"];
    for (mode, reason, seen) in [
        ("", None, Some(&all[..])),
        // Before anything is known of it.
        ("crash-in-load", Some("module-failed"), None),
        ("exit-in-load", Some("module-failed"), None),
        ("hang-in-load", Some("timed-out"), None),
        ("crash-in-initialize", Some("module-failed"), None),
        ("hang-in-initialize", Some("timed-out"), None),
        ("exit-in-initialize", Some("module-failed"), None),
        ("initialize-fails", Some("module-failed"), None),
        ("no-functions", Some("module-failed"), None),
        ("list-fails", Some("module-failed"), None),
        ("crash-in-slots", Some("module-failed"), None),
        ("hang-in-slots", Some("timed-out"), None),
        ("slots-fail", Some("module-failed"), None),
        // At its token, which is known by then.
        ("crash-in-search", Some("module-failed"), Some(&["token Misbehaving"])),
        ("hang-in-search", Some("timed-out"), Some(&["token Misbehaving"])),
        ("exit-in-search", Some("module-failed"), Some(&["token Misbehaving"])),
        ("crash-in-attributes", Some("module-failed"), None),
        ("hang-in-attributes", Some("timed-out"), None),
        // Oddities that cost nothing.
        ("prints", None, Some(&all)),
        ("reads", None, Some(&all)),
        ("cannot-lock", None, Some(&all)),
        ("batch-invalid", None, Some(&all)),
        ("batch-fails", None, Some(&all)),
        ("stops-early", None, Some(&all)),
        ("handles-change", None, Some(&all)),
        ("knows-no-validation", None, Some(&all)),
        ("crash-in-finalize", None, Some(&all)),
        ("ignores-class", Some("read-failed"), Some(&all)),
    ] {
        let outcome = lab.scan(mode);
        let gaps = lab.home.gaps();
        assert_eq!(reasons(&gaps), Vec::from_iter(reason), "{mode}: {gaps:#?}\n{}", outcome.stderr);
        let inventory = lab.home.inventory();
        // The module behind it was read as ever.
        assert_eq!(named(&inventory, "token Lab CA")["facts"]["login"], "done", "{mode}");
        let key = named(&inventory, "key only");
        assert_eq!(super::object(key, "private")["sensitive"], true, "{mode}");
        if let Some(seen) = seen {
            assert_eq!(lab.seen(&inventory), seen, "{mode}");
        }
        let patience = Duration::from_secs(PATIENCE * 4 + 15);
        assert!(outcome.took < patience, "{mode} took {:?}", outcome.took);
        let notes = lab.notes();
        for bad in ["forbidden", "secret", "session with flags", "something else than a class"] {
            assert!(!notes.contains(bad), "{mode}: {notes}");
        }
        assert!(notes.matches("login").count() <= 1, "{mode}: {notes}");
    }
}

/// Each of these may cost a gap or not; none may cost more than one, or anything of the other module.
#[test]
fn answers_that_cannot_be_are_believed_by_nobody() {
    let lab = Lab::new();
    for mode in [
        "noise-everywhere",
        "lengths-beyond",
        "lengths-unset",
        "wrong-bools",
        "too-many-handles",
        "endless-search",
        "search-fails",
        "attributes-fail",
        "session-fails",
        "session-lost",
        "deleted",
        "growing-slots",
        "many-slots",
        "slots-twice",
        "slot-fails",
        "empty-slot",
        "token-fails",
        "mechanisms-fail",
        "info-fails",
        "bad-clock",
        "hides",
        "sensitive",
        "long-values",
        "vendor-types",
        "null-functions",
        "version-1",
        "allocate",
        "million-objects",
    ] {
        let outcome = lab.scan(mode);
        let gaps = lab.home.gaps();
        // That no login was tried or configured, or nothing there to log in to, is told besides.
        let is_of_login = |gap: &&Value| {
            let never = gap["detail"].as_str().unwrap().contains("as far as the login");
            let another = gap["reason"] == "login-required";
            never || another || gap["place"] == "pkcs11:token=Misbehaving"
        };
        let of_module = gaps.iter().filter(|gap| !is_of_login(gap));
        assert!(of_module.count() <= 1, "{mode}: {gaps:#?}");
        let inventory = lab.home.inventory();
        assert_eq!(named(&inventory, "token Lab CA")["facts"]["login"], "done", "{mode}");
        assert!(outcome.took < Duration::from_secs(60), "{mode} took {:?}", outcome.took);
        let peak = outcome.peak_rss / (1 << 20);
        assert!(peak < 300, "{mode}: the agent held {peak} MiB");
        let notes = lab.notes();
        for bad in ["forbidden", "secret", "session with flags"] {
            assert!(!notes.contains(bad), "{mode}: {notes}");
        }
        let told: Vec<&str> = gaps.iter().map(|gap| gap["detail"].as_str().unwrap()).collect();
        match mode {
            "million-objects" => {
                assert_eq!(reasons(&gaps), ["limit-reached"], "{gaps:#?}");
                assert!(told[0].contains("20000"), "{told:?}");
            }
            "vendor-types" => {
                let vendor = named(&inventory, "key Vendor");
                assert_eq!(super::object(vendor, "private")["key_type"], "0x80000042");
            }
            "wrong-bools" => {
                let root = named(&inventory, "key Root");
                let told = super::object(root, "private")["untold"]["CKA_SENSITIVE"].to_string();
                assert!(told.contains("4 octets"), "{told}");
                // What was not told is unknown, and never met.
                let unknown = super::findings(&lab.home, "unknown");
                let sensitive = ("token.key-not-sensitive".to_owned(), "key Root".to_owned());
                assert!(unknown.contains(&sensitive), "{unknown:#?}");
            }
            "noise-everywhere" | "allocate" | "search-fails" | "endless-search" => {
                assert!(!gaps.is_empty(), "{mode} is told");
            }
            _ => {}
        }
    }
}

#[test]
fn a_login_is_refused_where_the_token_says_it_could_lock_it() {
    let lab = Lab::new();
    for (mode, words) in [
        ("count-low", "a wrong PIN was entered"),
        ("final-try", "one more wrong PIN locks it"),
        ("locked", "locked"),
        ("device-login", "pin_at_device"),
    ] {
        lab.scan(mode);
        let gaps = lab.home.gaps();
        assert_eq!(reasons(&gaps), ["login-refused"], "{mode}: {gaps:#?}");
        let detail = gaps[0]["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{mode}: {detail}");
        assert!(!lab.notes().contains("login"), "{mode}: {}", lab.notes());
        assert_eq!(lab.seen(&lab.home.inventory()), PUBLIC, "{mode}");
    }
    // With the PIN entered at the device, the module gets none.
    let logins = login_to_misbehaving("pin_at_device = true");
    settings(&lab.home, "", &[&misbehaving(), &softhsm()], &logins);
    let _ = lab.scan("device-login");
    assert_eq!(lab.notes().matches(": 0\n").count(), 1, "{}", lab.notes());
    let inventory = lab.home.inventory();
    assert_eq!(named(&inventory, "token Misbehaving")["facts"]["login"], "done");
    let key = named(&inventory, "key Root");
    assert_eq!(super::object(key, "private")["sensitive"], true);
}

/// The environment, the arguments and the open files of the process that has a module loaded.
#[test]
fn a_module_that_hangs_has_no_pin_within_reach_and_ends_with_the_agent() {
    // What the process of a module has in its memory and environment, it shows to root only.
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    let text = fs::read_to_string(lab.home.path().join("pkimm-agent.toml")).unwrap();
    let line = text.lines().rfind(|line| line.starts_with("pin_file")).unwrap();
    let text = text.replace(line, "pin_env = \"LAB_OTHER_PIN\"");
    let text = text.replace(&format!("call_timeout_secs = {PATIENCE}"), "call_timeout_secs = 25");
    lab.home.write("pkimm-agent.toml", text);
    let other = "Canary-Of-A-Variable-9931";
    let mut command = lab.command("hang-in-slots", &["scan"]);
    command.env("LAB_OTHER_PIN", other).stdout(Stdio::null()).stderr(Stdio::null());
    let agent = Running::start(&mut command);
    let begin = Instant::now();
    let child = loop {
        let all = processes_with(&lab.mark);
        let child = all.into_iter().find(|number| {
            let maps = fs::read_to_string(format!("/proc/{number}/maps")).unwrap_or_default();
            *number != agent.id() && maps.contains("misbehaving")
        });
        match child {
            Some(child) => break child,
            None => assert!(begin.elapsed() < Duration::from_secs(20), "no module is loaded"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    let mut canary = Canary::default();
    canary.add("the PIN of the other module", PIN.as_bytes());
    canary.add("the PIN in the environment", other.as_bytes());
    for what in ["environ", "cmdline"] {
        let octets = fs::read(format!("/proc/{child}/{what}")).unwrap();
        assert!(!octets.is_empty());
        let found = canary.found_in(&octets);
        assert!(found.is_empty(), "{what} of the process of the module holds {found:?}");
    }
    // The search is not blind.
    let own = fs::read(format!("/proc/{}/environ", agent.id())).unwrap();
    assert!(!canary.found_in(&own).is_empty());
    // It has the pipes, and nothing of the store.
    for entry in fs::read_dir(format!("/proc/{child}/fd")).unwrap() {
        let target = fs::read_link(entry.unwrap().path()).unwrap_or_default();
        let target = target.display().to_string();
        assert!(!target.contains("pkimm-report"), "{target} is open in the process of the module");
    }
    let limits = fs::read_to_string(format!("/proc/{child}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max address space")).unwrap();
    assert!(line.contains(&(512_u64 << 20).to_string()), "{line}");
    let _ = agent.kill();
    let begin = Instant::now();
    while !processes_with(&lab.mark).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(5), "it outlives the agent");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_that_is_told_to_end_does_not_wait_for_a_module() {
    if !is_root() {
        return;
    }
    let lab = Lab::new();
    let text = fs::read_to_string(lab.home.path().join("pkimm-agent.toml")).unwrap();
    let text = text.replace(&format!("call_timeout_secs = {PATIENCE}"), "call_timeout_secs = 30");
    lab.home.write("pkimm-agent.toml", text);
    let mut command = lab.command("hang-in-search", &["scan"]);
    let mut agent = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let begin = Instant::now();
    while processes_with(&lab.mark).len() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(20), "no module is loaded");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(500));
    assert!(
        Command::new("kill").args(["-TERM", &agent.id().to_string()]).status().unwrap().success()
    );
    let begin = Instant::now();
    let status = agent.child().wait().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    assert_eq!(status.code(), Some(130), "{status}");
    assert_eq!(processes_with(&lab.mark), Vec::<u32>::new());
    let gaps = lab.home.gaps();
    assert!(reasons(&gaps).contains(&"run-ended"), "{gaps:#?}");
    assert!(reasons(&gaps).iter().all(|reason| *reason == "run-ended"), "{gaps:#?}");
}
