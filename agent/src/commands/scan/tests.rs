use clap::Parser as _;
use pki_inventory::{Digest, Endpoint, Handshake, Inventory, Observation, Raw, Sighting, Time};
use pki_store::{Batch, Outcome, RunEnd, RunId, RunRecord, RunStart, Selection, Store as _};

use super::*;
use crate::cli::{Cli, Command};
use crate::scope::Scope;

/// A folder with a tree to scan, a store and a file for lines.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(home.path("tree")).expect("makes it");
        std::fs::write(home.path("tree/a.pem"), pem("MAA=")).expect("writes");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(self.path("store.sqlite")).expect("opens")
    }

    fn runs(&self) -> Vec<RunRecord> {
        self.store().runs().expect("lists")
    }

    fn wanted(&self, arguments: &[&str]) -> ScanArgs {
        let all = ["pkimm-agent", "scan"].iter().chain(arguments);
        match Cli::try_parse_from(all).expect("a command line").command {
            Command::Scan(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn scan(&self, arguments: &[&str]) -> anyhow::Result<Ending> {
        let args = self.wanted(arguments);
        scan(&args, &self.path("store.sqlite"), &self.path("report"))
    }

    /// Begins a run that asks for the same.
    fn begin(&self, store: &mut SqliteStore, arguments: &[&str]) -> RunId {
        let wanted = wanted(&self.wanted(arguments).scope, &self.path("report"));
        let Wanted { settings, loopback } = wanted.expect("a scope");
        let start = RunStart {
            started: Time(0),
            scope: Scope::of(&settings, &loopback, None).to_json(),
            config_digest: Digest::of(b""),
            agent_version: "0".to_owned(),
        };
        store.begin_run(&start).expect("begins")
    }
}

fn pem(content: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
}

fn text(path: &Path) -> String {
    path.to_str().expect("is text").to_owned()
}

#[test]
fn the_lines_of_another_scan_are_not_touched_by_one_that_is_refused() {
    let home = Home::new();
    let (tree, lines) = (text(&home.path("tree")), text(&home.path("lines.jsonl")));
    let others = "{\"kind\":\"gap\"}\n{\"half";
    let left = || std::fs::read_to_string(&lines).expect("reads");
    let arguments = ["--root", tree.as_str(), "--jsonl", lines.as_str()];
    let resuming = [&arguments[..], &["--resume"]].concat();
    std::fs::write(&lines, others).expect("writes");
    let mut store = home.store();
    let run = home.begin(&mut store, &arguments);
    assert!(home.scan(&arguments).is_err() && home.scan(&resuming).is_err(), "one is going on");
    assert_eq!(left(), others);
    store.end_run(run, Time(1), RunEnd::Cancelled).expect("ends");
    drop(store);
    let elsewhere = ["--root", "/nowhere", "--jsonl", lines.as_str(), "--resume"];
    assert!(home.scan(&elsewhere).is_err(), "it was asked for something else");
    assert!(home.scan(&[&arguments[..], &["--plan"]].concat()).is_err(), "a plan is no record");
    assert_eq!(left(), others);

    assert!(home.scan(&resuming).is_ok());
    assert!(left().starts_with("{\"kind\":\"gap\"}\n{\""), "adds behind the last whole line");
    assert_eq!(home.runs().last().map(|run| run.continues), Some(Some(run)));
    assert!(home.scan(&resuming).is_ok(), "there is nothing to go on with any more");
    assert!(!left().starts_with("{\"kind\":\"gap\"}\n"), "a new run begins anew");
}

#[test]
fn a_scan_whose_lines_cannot_be_written_is_ended_and_may_be_gone_on_with() {
    let home = Home::new();
    let tree = text(&home.path("tree"));
    let nowhere = text(&home.path("missing/lines.jsonl"));
    let error = home.scan(&["--root", &tree, "--jsonl", &nowhere]).expect_err("is refused");
    assert!(error.to_string().contains("missing/lines.jsonl"), "{error}");
    assert!(
        home.scan(&["--root", &tree, "--jsonl", "/dev/full"]).is_ok_and(|e| e == Ending::Cancelled)
    );
    assert!(home.scan(&["--root", &tree, "--resume"]).is_ok_and(|e| e == Ending::Fine));
    let runs: Vec<(Outcome, Option<RunId>)> =
        home.runs().into_iter().map(|run| (run.outcome, run.continues)).collect();
    let expected = [
        (Outcome::Cancelled, None),
        (Outcome::Cancelled, None),
        (Outcome::Completed, Some(RunId(2))),
    ];
    assert_eq!(runs, expected);
}

#[test]
fn resume_begins_anew_when_there_is_nothing_to_go_on_with() {
    let home = Home::new();
    let tree = text(&home.path("tree"));
    assert!(home.scan(&["--config", "missing.toml", "--resume"]).is_err());
    assert!(!home.path("store.sqlite").exists(), "what failed has made no store");
    let arguments = ["--root", tree.as_str(), "--resume"];
    for round in 1..=2 {
        assert!(home.scan(&arguments).is_ok());
        let runs = home.runs();
        assert_eq!(runs.len(), round);
        assert!(runs.iter().all(|run| run.continues.is_none()));
    }
}

#[test]
fn what_was_read_before_counts_as_read() {
    let home = Home::new();
    // This name never has an address (RFC 6761, 6.4).
    let arguments = ["--target", "www.test.invalid:443", "--deadline-secs", "1"];
    let mut store = home.store();
    let run = home.begin(&mut store, &arguments);
    let mut seen = Inventory::default();
    let handshake = Handshake::NoTls { reason: "SSH".to_owned() };
    let place = "tls://192.0.2.1:443?sni=www.test.invalid".parse().expect("a place");
    seen.absorb(Observation::found(
        Raw::Endpoint(Endpoint::new(Time(0), handshake)),
        Sighting::at(place, "tls", Time(0)),
    ));
    store.record(run, &Batch::from(&seen)).expect("records");
    store.end_run(run, Time(1), RunEnd::Cancelled).expect("ends");
    drop(store);
    let resuming = [&arguments[..], &["--resume"]].concat();
    assert!(home.scan(&resuming).is_ok_and(|ending| ending == Ending::Fine));
    assert!(home.scan(&resuming).is_ok_and(|ending| ending == Ending::NothingRead));
    // A run that went through all and read nothing is not gone on with for ever.
    assert!(home.scan(&resuming).is_ok_and(|ending| ending == Ending::NothingRead));
    assert!(home.runs()[2..].iter().all(|run| run.continues.is_none()));
}

#[test]
fn what_is_newly_left_out_is_not_gone() {
    let home = Home::new();
    let tree = text(&home.path("tree"));
    let file = text(&home.path("tree/a.pem"));
    std::fs::write(home.path("tree/b.pem"), pem("MAAA")).expect("writes");
    assert!(home.scan(&["--root", &tree]).is_ok());
    assert!(home.scan(&["--root", &tree, "--exclude", &file]).is_ok());
    let command = Cli::try_parse_from(["pkimm-agent", "assess"]).expect("a command line").command;
    let Command::Assess { judging, .. } = command else { panic!("{command:?}") };
    let desk = Desk::load(&home.store(), &judging, &home.path("report")).expect("loads");
    let assessment = desk.assess();
    let document = desk.document(&assessment);
    let changes = document.changes.expect("there was a run before");
    assert_eq!((changes.gone.len(), changes.not_looked_at.len()), (0, 1));
    assert!(document.scope.iter().any(|told| told.contains(&file)), "{:?}", document.scope);
}

#[test]
fn what_listens_on_loopback_is_not_among_the_targets() {
    let home = Home::new();
    let settings = home.path("s.toml");
    std::fs::write(&settings, "[tls]\ntargets = [\"a.test\"]\nloopback = true\n").expect("writes");
    let _listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let scope = |more: &[&str]| {
        let file = text(&settings);
        let arguments = [&["--config", file.as_str()], more].concat();
        wanted(&home.wanted(&arguments).scope, &home.path("report")).expect("a scope")
    };
    let all = scope(&[]);
    assert_eq!(all.settings.tls.targets.len(), 1);
    assert!(!all.loopback.is_empty());
    let given = scope(&["--target", "b.test", "--per-host", "9", "--retries", "0"]);
    assert!(given.loopback.is_empty(), "targets of the command line stand alone");
    assert_eq!((given.settings.tls.per_host, given.settings.tls.retries), (9, 0));
}

#[test]
fn files_and_how_they_are_read_come_from_settings_and_command_line() {
    let home = Home::new();
    let settings = home.path("s.toml");
    let tree = text(&home.path("tree"));
    std::fs::write(
        &settings,
        format!(
            "[filesystem]\nroots = [\"{tree}\"]\nexclude = [\"*.bak\", \"/srv/tmp\"]\n\
             include = [\"*.pem\"]\none_filesystem = false\n"
        ),
    )
    .expect("writes");
    let scope = |more: &[&str]| {
        let file = text(&settings);
        let arguments = [&["--config", file.as_str()], more].concat();
        let wanted = wanted(&home.wanted(&arguments).scope, &home.path("report"));
        wanted.expect("a scope").settings.filesystem
    };
    let plain = scope(&[]);
    assert!(!plain.one_filesystem && !plain.network_filesystems && plain.archives.open);
    let given = scope(&[
        "--exclude",
        "**/*.old",
        "--exclude",
        "/opt/x",
        "--include",
        "*.key",
        "--include",
        "/etc/**",
        "--one-filesystem",
        "--network-filesystems",
        "--no-archives",
        "--nice",
        "3",
        "--io-priority",
        "idle",
    ]);
    assert_eq!(
        given.exclude_globs.written(),
        ["*.bak", "**/*.old"],
        "left out wherever it is said"
    );
    assert_eq!(given.exclude, [Path::new("/srv/tmp"), Path::new("/opt/x")]);
    assert_eq!(given.include.written(), ["*.key", "/etc/**"], "in place of those of the settings");
    assert!(given.one_filesystem && given.network_filesystems && !given.archives.open);
    assert_eq!((given.nice, given.io_priority), (3, pki_config::IoPriority::Idle));
    assert!(!scope(&["--all-filesystems"]).one_filesystem);
    for wrong in [
        &["--include", "a/*.pem"][..],
        &["--nice", "20"],
        &["--io-priority", "fast"],
        &["--one-filesystem", "--all-filesystems"],
    ] {
        let all = ["pkimm-agent", "scan"].iter().chain(wrong);
        assert!(Cli::try_parse_from(all).is_err(), "{wrong:?}");
    }
    let relative = home.wanted(&["--root", &tree, "--exclude", "tmp/*.pem"]).scope;
    let error = wanted(&relative, &home.path("report")).map(|_| ()).expect_err("is refused");
    assert!(error.to_string().contains("write an absolute path, or begin with **/"), "{error}");
}

#[test]
fn a_password_that_is_missing_is_told_before_anything_is_looked_at() {
    let home = Home::new();
    let (settings, tree) = (home.path("s.toml"), text(&home.path("tree")));
    let secret = text(&home.path("secret"));
    std::fs::write(
        &settings,
        format!(
            "[filesystem]\nroots = [\"{tree}\"]\n[[filesystem.passwords]]\npaths = [\"*.p12\"]\n\
             file = \"{secret}\"\n"
        ),
    )
    .expect("writes");
    let arguments = ["--config", &text(&settings)];
    let error = home.scan(&arguments).expect_err("is missing").to_string();
    let place = format!("{}:5: filesystem.passwords: could not read", settings.display());
    assert!(error.starts_with(&place), "{error}");
    assert!(!home.path("store.sqlite").exists(), "nothing was begun");
    assert!(home.scan(&[&arguments[..], &["--plan"]].concat()).is_ok(), "a plan opens no keystore");
    std::fs::write(&secret, "hunter2\n").expect("writes");
    assert!(home.scan(&arguments).is_ok_and(|ending| ending == Ending::Fine));
    let octets = std::fs::read(home.path("store.sqlite")).expect("reads");
    assert!(!octets.windows(7).any(|window| window == b"hunter2"), "it is kept nowhere");
}

/// What the latest run saw, and how many of its files it did not read again.
fn latest(home: &Home) -> (Inventory, u64) {
    let store = home.store();
    let run = home.runs().last().expect("a run").id;
    let coverage = store.coverage(run).expect("loads");
    assert_eq!(store.verify_chain().expect("verifies"), []);
    let unchanged = coverage.iter().map(|(_, _, coverage)| coverage.unchanged).sum();
    (store.inventory(Selection::Run(run)).expect("loads"), unchanged)
}

/// Files are too fresh to be known again when they changed in the second in which they were read.
fn wait_until_settled() {
    std::thread::sleep(std::time::Duration::from_secs(4));
}

#[test]
fn what_has_not_changed_is_not_read_again_and_is_in_the_run_all_the_same() {
    let home = Home::new();
    let (tree, lines) = (text(&home.path("tree")), text(&home.path("lines.jsonl")));
    std::fs::write(home.path("tree/b.pem"), pem("MAAA") + &pem("MAAAAA==")).expect("writes");
    std::fs::write(home.path("tree/none.txt"), "nothing").expect("writes");
    wait_until_settled();
    let arguments = ["--root", tree.as_str()];
    assert!(home.scan(&arguments).is_ok());
    let (first, unchanged) = latest(&home);
    assert_eq!((first.assets().count(), unchanged), (3, 0));

    // A scan of the network in between has read no files and forgets none.
    assert!(home.scan(&["--target", "127.0.0.1:1", "--deadline-secs", "1"]).is_ok());
    std::fs::write(home.path("tree/a.pem"), pem("MAAAAAA=")).expect("writes");
    let arguments = ["--root", tree.as_str(), "--jsonl", lines.as_str()];
    assert!(home.scan(&arguments).is_ok());
    let (second, unchanged) = latest(&home);
    assert_eq!((second.assets().count(), unchanged), (3, 2), "b.pem and none.txt");
    let both = second.assets().filter(|asset| first.get(asset.id).is_some()).count();
    assert_eq!(both, 2, "what lies in b.pem");
    let told = std::fs::read_to_string(&lines).expect("reads");
    assert_eq!(told.lines().filter(|line| line.contains("b.pem")).count(), 2, "{told}");

    let full = ["--root", tree.as_str(), "--full"];
    assert!(home.scan(&full).is_ok());
    let (third, unchanged) = latest(&home);
    assert_eq!(unchanged, 0);
    let ids = |seen: &Inventory| seen.assets().map(|asset| asset.id).collect::<Vec<_>>();
    assert_eq!(ids(&third), ids(&second));
    // Another reader would see something else.
    let other = ["--root", tree.as_str(), "--no-archives"];
    assert!(home.scan(&other).is_ok());
    assert_eq!(latest(&home).1, 0);
    assert!(home.scan(&other).is_ok());
    assert_eq!(latest(&home).1, 2, "its own index is kept; a.pem changed a moment ago");
}

#[test]
fn an_index_that_is_damaged_is_replaced_by_a_full_scan() {
    let home = Home::new();
    let arguments = ["--root", &text(&home.path("tree"))];
    wait_until_settled();
    assert!(home.scan(&arguments).is_ok());
    let edit = "UPDATE file_index SET files = zeroblob(8)";
    let raw = rusqlite::Connection::open(home.path("store.sqlite")).expect("opens");
    raw.execute(edit, []).expect("edits");
    drop(raw);
    assert!(home.scan(&arguments).is_ok_and(|ending| ending == Ending::Fine));
    assert_eq!(latest(&home).1, 0, "every file is read");
    assert!(home.scan(&arguments).is_ok());
    assert_eq!(latest(&home).1, 1, "there is a new one");
}

#[test]
fn a_password_that_may_have_changed_unseen_makes_every_file_read_again() {
    let home = Home::new();
    let (tree, secret) = (text(&home.path("tree")), text(&home.path("secret")));
    std::fs::write(&secret, "hunter2\n").expect("writes");
    wait_until_settled();
    // Every process has a PATH.
    for (source, expected) in [("env = \"PATH\"", 0), (&format!("file = \"{secret}\""), 1)] {
        let settings = home.path("s.toml");
        let written = format!(
            "[filesystem]\nroots = [\"{tree}\"]\n[[filesystem.passwords]]\npaths = [\"*.p12\"]\n\
             {source}\n"
        );
        std::fs::write(&settings, written).expect("writes");
        for _ in 0..2 {
            assert!(home.scan(&["--config", &text(&settings)]).is_ok());
        }
        assert_eq!(latest(&home).1, expected, "{source}");
    }
}

#[test]
fn lines_about_unchanged_files_are_those_of_a_full_run() {
    let home = Home::new();
    let (tree, lines) = (text(&home.path("tree")), text(&home.path("lines.jsonl")));
    std::fs::write(home.path("tree/large"), pem("MAAA")).expect("writes");
    wait_until_settled();
    let told = |more: &[&str]| {
        let arguments = ["--root", &tree, "--jsonl", &lines, "--as-of", "2030-01-01T00:00:00Z"];
        assert!(home.scan(&[&arguments[..], more].concat()).is_ok());
        let text = std::fs::read_to_string(&lines).expect("reads");
        let lines = text.lines().filter(|line| !line.contains("\"kind\":\"coverage\""));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(home.scan(&["--root", &tree, "--as-of", "2029-01-01T00:00:00Z"]).is_ok());
    let again = told(&[]);
    assert_eq!(latest(&home).1, 2, "nothing was read");
    assert_eq!(again.len(), 2, "{again:?}");
    assert_eq!(again, told(&["--full"]));
}

#[test]
fn a_run_that_was_not_completed_leaves_the_index_of_the_one_before() {
    let home = Home::new();
    let tree = text(&home.path("tree"));
    wait_until_settled();
    assert!(home.scan(&["--root", &tree]).is_ok());
    let ended = home.scan(&["--root", &tree, "--jsonl", "/dev/full"]);
    assert!(ended.is_ok_and(|ending| ending == Ending::Cancelled));
    assert!(home.scan(&["--root", &tree, "--resume"]).is_ok());
    assert_eq!(latest(&home).1, 0, "a run that is gone on with reads files itself");
    assert!(home.scan(&["--root", &tree]).is_ok());
    assert_eq!(latest(&home).1, 1);
}

#[test]
fn how_much_was_read_again_is_told() {
    let files = |read, unchanged| Files { read, unchanged, since: RunId(7) };
    let one = told(&files(1, 20));
    assert_eq!(one, "1 file read, 20 unchanged since run 7 and not read again.");
    let none = told(&files(0, 3));
    assert_eq!(none, "0 files read, 3 unchanged since run 7 and not read again.");
}

#[test]
fn a_directory_alone_is_enough_to_look_at_and_its_password_is_told_missing_first() {
    let home = Home::new();
    let settings = home.path("s.toml");
    std::fs::write(&settings, "").expect("writes");
    let arguments = ["--config", &text(&settings)];
    let error = home.scan(&arguments).expect_err("nothing is named").to_string();
    assert!(error.starts_with("there is nothing to look at"), "{error}");
    let secret = text(&home.path("secret"));
    std::fs::write(
        &settings,
        format!(
            "[[directory.servers]]\nurl = \"ldaps://dc.test.invalid\"\nname = \"cn=x\"\n\
             password_file = \"{secret}\"\n"
        ),
    )
    .expect("writes");
    let error = home.scan(&arguments).expect_err("is missing").to_string();
    let place = format!("{}:2: directory.servers[0]: could not read the pass", settings.display());
    assert!(error.starts_with(&place), "{error}");
    assert!(!home.path("store.sqlite").exists(), "nothing was begun");
    assert!(home.scan(&[&arguments[..], &["--plan"]].concat()).is_ok(), "a plan binds to nobody");
}

#[test]
fn tokens_are_read_on_this_machine_or_where_they_are_asked_for() {
    let home = Home::new();
    let tree = text(&home.path("tree"));
    let scope = |options: &[&str]| {
        wanted(&home.wanted(options).scope, &home.path("report")).expect("a scope").settings
    };
    let machine = scope(&[]);
    assert!(machine.pkcs11.p11_kit && machine.pkcs11.logins.is_empty());
    assert!(!machine.filesystem.roots.is_empty());
    assert!(scope(&["--no-p11-kit"]).pkcs11.is_empty());
    assert!(scope(&["--root", &tree]).pkcs11.is_empty(), "nobody asked for them");
    for options in [&["--pkcs11-module", "/a.so"][..], &["--token", "pkcs11:serial=1"]] {
        let alone = scope(options);
        assert!(!alone.pkcs11.is_empty() && alone.filesystem.roots.is_empty(), "{options:?}");
        assert!(!alone.tls.loopback, "{options:?}");
    }
    let both = scope(&["--root", &tree, "--p11-kit"]);
    assert!(both.pkcs11.p11_kit && both.filesystem.roots.len() == 1);
}
