//! `run` and `scan`: looking.

mod directories;
mod tokens;

use std::path::{Path, PathBuf};

use pki_config::{Globs, Settings, Target, TargetsFile};
use pki_store::SqliteStore;

use crate::cli::{FilesArgs, JudgingArgs, RunArgs, ScanArgs, ScopeArgs};
use crate::commands::{judge, plan};
use crate::desk::Desk;
use crate::inputs::ANSWERS_FILE;
use crate::pipeline::{self, Files, Order, Scanned};
use crate::stream::{STANDARD, Stream};
use crate::{Ending, inputs, output, passwords, this_machine};

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
    let passwords = passwords::read(&settings, Some(&mut passwords::at_terminal))?;
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
            full: args.scope.full,
            passwords: &passwords,
            jsonl,
            show: !jsonl.is_some_and(Stream::is_on_terminal),
        },
    )?;
    output::remark(&format!("Run {} is in {}.", scanned.run, store.display()));
    scanned.files.as_ref().map(told).iter().for_each(|told| output::remark(told));
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
    let passwords = passwords::read(&settings, Some(&mut passwords::at_terminal))?;

    let mut opened = SqliteStore::open(store)?;
    let scanned = pipeline::scan(
        &mut opened,
        Order {
            settings: &settings,
            loopback: &loopback,
            own_files: &own_files(store, dir)?,
            fixed_clock: args.scope.as_of,
            resume: args.scope.resume,
            full: args.scope.full,
            passwords: &passwords,
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
    scanned.files.as_ref().map(told).iter().for_each(|told| output::remark(told));
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

/// How much of the files was read anew.
fn told(files: &Files) -> String {
    let Files { read, unchanged, since } = files;
    let plural = if *read == 1 { "" } else { "s" };
    format!("{read} file{plural} read, {unchanged} unchanged since run {since} and not read again.")
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
        None if targets_given
            || !args.root.is_empty()
            || directories::are_given(&args.directories)
            || tokens::are_given(&args.tokens) =>
        {
            Settings::default()
        }
        None => Settings { pkcs11: tokens::of_this_machine(), ..this_machine::scope() },
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
    settings.directory = directories::wanted(settings.directory, &args.directories)?;
    settings.pkcs11 = tokens::wanted(settings.pkcs11, &args.tokens)?;
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
    let files = &mut settings.filesystem;
    for path in &args.exclude {
        match path.to_str().filter(|text| Globs::is_pattern(text)) {
            Some(pattern) => files.exclude_globs = files.exclude_globs.with([pattern])?,
            None => files.exclude.push(std::path::absolute(path)?),
        }
    }
    let FilesArgs { include, one_filesystem, all_filesystems, .. } = &args.files;
    if !include.is_empty() {
        files.include = Globs::new(include)?;
    }
    files.one_filesystem = *one_filesystem || (files.one_filesystem && !all_filesystems);
    files.network_filesystems |= args.files.network_filesystems;
    files.archives.open &= !args.files.no_archives;
    files.nice = args.files.nice.unwrap_or(files.nice);
    files.io_priority = args.files.io_priority.unwrap_or(files.io_priority);
    anyhow::ensure!(
        !settings.tls.targets.is_empty()
            || !loopback.is_empty()
            || !settings.filesystem.roots.is_empty()
            || !settings.directory.is_empty()
            || !settings.pkcs11.is_empty(),
        "there is nothing to look at: name --root, --target, --target-file, --directory, --domain, \
         --ldif, --ca-database, --p11-kit, --pkcs11-module or --token, or fill the settings file"
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
mod tests;
