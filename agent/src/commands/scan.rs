//! `run` and `scan`: looking.

use std::path::{Path, PathBuf};

use pki_config::{Settings, Target, TargetsFile};
use pki_store::SqliteStore;

use crate::cli::{JudgingArgs, RunArgs, ScanArgs, ScopeArgs};
use crate::commands::{judge, plan};
use crate::desk::Desk;
use crate::inputs::ANSWERS_FILE;
use crate::pipeline::{self, Order, Scanned};
use crate::stream::{STANDARD, Stream};
use crate::{Ending, inputs, output, this_machine};

/// Scans into the store, or says what a scan would be.
pub fn scan(args: &ScanArgs, store: &Path, dir: &Path) -> anyhow::Result<Ending> {
    let jsonl = args.jsonl.as_deref();
    let is_standard = jsonl.is_none_or(|path| path.as_os_str() == STANDARD);
    anyhow::ensure!(
        !args.plan || is_standard,
        "a plan is printed and not kept; with --plan write `--jsonl -`, the file was not touched"
    );
    let Wanted { settings, loopback } = wanted(&args.scope, dir)?;
    if args.plan {
        plan::print(settings, &loopback, jsonl.is_some())?;
        return Ok(Ending::Fine);
    }
    let mut opened = SqliteStore::open(store)?;
    let mut own_files = own_files(store, dir)?;
    if let Some(path) = jsonl.filter(|_| !is_standard) {
        own_files.push(std::path::absolute(path)?);
    }
    let scanned = pipeline::scan(
        &mut opened,
        Order {
            settings: &settings,
            loopback: &loopback,
            own_files: &own_files,
            fixed_clock: args.scope.as_of,
            resume: args.scope.resume,
            jsonl,
            show: !jsonl.is_some_and(Stream::is_on_terminal),
        },
    )?;
    output::remark(&format!("Run {} is in {}.", scanned.run, store.display()));
    Ok(match scanned {
        Scanned { cancelled: true, .. } => Ending::Cancelled,
        Scanned { anything_read: true, .. } => Ending::Fine,
        _ => nothing_read(),
    })
}

/// Scans, judges and reports.
pub fn run(args: RunArgs, store: &Path, dir: &Path) -> anyhow::Result<Ending> {
    // Whatever people wrote is read before anything is looked at: a typing error must not cost a
    // scan of hours.
    let mut judging = JudgingArgs { by: args.by, as_of: args.scope.as_of, run: None };
    inputs::policy(judging.by.policy.as_deref())?;
    let (model, _) = inputs::model(&judging.by.model)?;
    let as_of = judging.as_of.unwrap_or_else(pipeline::now);
    inputs::answers(judging.by.answers.as_deref(), dir, &model, as_of)?;
    let Wanted { settings, loopback } = wanted(&args.scope, dir)?;

    let mut opened = SqliteStore::open(store)?;
    let scanned = pipeline::scan(
        &mut opened,
        Order {
            settings: &settings,
            loopback: &loopback,
            own_files: &own_files(store, dir)?,
            fixed_clock: args.scope.as_of,
            resume: args.scope.resume,
            jsonl: None,
            show: true,
        },
    )?;
    judging.run = Some(scanned.run);
    let desk = Desk::load(&opened, &judging, dir)?;
    let assessment = desk.assess();
    judge::keep(&mut opened, &desk, &assessment)?;
    let document = desk.document(&assessment);
    let report = dir.join("index.html");
    for (format, path) in [("html", &report), ("json", &dir.join("assessment.json"))] {
        output::write_file(path, |out| judge::render(format, &document, out))?;
    }
    let questionnaire = dir.join(ANSWERS_FILE);
    if judging.by.answers.is_none() && !questionnaire.exists() {
        output::write_file(&questionnaire, |out| judge::render("answers-yaml", &document, out))?;
    }
    let mut summary = Vec::new();
    judge::render("terminal", &document, &mut summary)?;
    output::print(&String::from_utf8_lossy(&summary))?;
    output::remark(&format!(
        "Report: {}\nStore: {}\nQuestionnaire: {}",
        report.display(),
        store.display(),
        judging.by.answers.as_deref().unwrap_or(&questionnaire).display()
    ));
    Ok(match scanned {
        Scanned { cancelled: true, .. } => {
            output::remark("The run was ended early; the report covers what was read until then.");
            Ending::Cancelled
        }
        Scanned { anything_read: true, .. } => judge::ending(args.fail.fail_on, &desk, &assessment),
        _ => nothing_read(),
    })
}

fn nothing_read() -> Ending {
    output::remark("Nothing could be read; `pkimm-agent inventory export --gaps` says why.");
    Ending::NothingRead
}

/// What is asked for.
struct Wanted {
    settings: Settings,
    /// What listens on loopback now, where that is asked for. It changes from day to day.
    loopback: Vec<Target>,
}

/// The scope: of the settings file, else this machine; a list given on the command line takes the
/// place of the one in the file, and stands alone where there is no file. What is to be left out is
/// left out wherever that is said.
fn wanted(args: &ScopeArgs, dir: &Path) -> anyhow::Result<Wanted> {
    let network = &args.network;
    let targets_given = !network.target.is_empty() || !network.target_file.is_empty();
    let mut settings = match inputs::settings(args.settings.config.as_deref())? {
        Some(settings) => settings,
        None if targets_given || !args.root.is_empty() => Settings::default(),
        None => this_machine::scope(),
    };
    let tls = &mut settings.tls;
    if targets_given {
        tls.targets.clone_from(&network.target);
        tls.targets_files = network.target_file.iter().cloned().map(TargetsFile::from).collect();
        tls.loopback = false;
    }
    let listed = inputs::target_lists(&tls.targets_files)?;
    tls.targets.extend(listed);
    tls.exclude.extend_from_slice(&network.exclude_target);
    tls.depth = network.depth.unwrap_or(tls.depth);
    tls.connections_per_sec = network.rate.unwrap_or(tls.connections_per_sec);
    tls.concurrency = network.concurrency.map_or(tls.concurrency, usize::from);
    tls.per_host = network.per_host.map_or(tls.per_host, usize::from);
    tls.retries = network.retries.unwrap_or(tls.retries);
    tls.deadline_secs = network.deadline_secs.or(tls.deadline_secs);
    if !args.root.is_empty() {
        settings.filesystem.roots =
            args.root.iter().map(std::path::absolute).collect::<Result<_, _>>()?;
    }
    let loopback =
        if settings.tls.loopback { this_machine::loopback_targets() } else { Vec::new() };
    let dir = std::path::absolute(dir)?;
    for root in &settings.filesystem.roots {
        anyhow::ensure!(
            !root.starts_with(&dir),
            "{} lies in {}, the folder of our own report, which is never scanned; choose another --dir",
            root.display(),
            dir.display()
        );
    }
    for path in &args.exclude {
        settings.filesystem.exclude.push(std::path::absolute(path)?);
    }
    anyhow::ensure!(
        !settings.tls.targets.is_empty()
            || !loopback.is_empty()
            || !settings.filesystem.roots.is_empty(),
        "there is nothing to look at: name --root, --target or --target-file, or fill the settings file"
    );
    Ok(Wanted { settings, loopback })
}

/// Our own files, which no scan reads: they change while it runs and hold what it found before.
fn own_files(store: &Path, dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut own = vec![std::path::absolute(dir)?];
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut path = std::path::absolute(store)?.into_os_string();
        path.push(suffix);
        own.push(path.into());
    }
    Ok(own)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use pki_inventory::{Digest, Endpoint, Handshake, Inventory, Observation, Raw, Sighting, Time};
    use pki_store::{Batch, Outcome, RunEnd, RunId, RunRecord, RunStart, Store as _};

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
            home.scan(&["--root", &tree, "--jsonl", "/dev/full"])
                .is_ok_and(|e| e == Ending::Cancelled)
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
        let command =
            Cli::try_parse_from(["pkimm-agent", "assess"]).expect("a command line").command;
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
        std::fs::write(&settings, "[tls]\ntargets = [\"a.test\"]\nloopback = true\n")
            .expect("writes");
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
}
