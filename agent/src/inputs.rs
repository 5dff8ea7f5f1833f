//! Reads what people wrote: settings, policy, answers, model files. Nothing of it is trusted to be
//! small.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pki_config::{
    Bind, DEFAULT_POLICY, DEFAULT_POLICY_NAME, DirectoryScope, Origin, Policy, Problem, Problems,
    Settings, Target, TargetsFile,
};
use pki_inventory::{Digest, Time};
use pki_maturity::{Map, Model, VERSIONS};
use pki_scoring::Answers;

use crate::output;
use crate::stream::STANDARD;

/// Files that people write are far below this.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// Lists of targets may come from a program: a million lines fit into this.
const MAX_LIST_BYTES: u64 = 64 * 1024 * 1024;

/// Looked for in the working folder when nobody names a file.
const SETTINGS_FILE: &str = "pkimm-agent.toml";
const POLICY_FILE: &str = "policy.toml";
/// Looked for in the folder of the report.
pub const ANSWERS_FILE: &str = "answers.yaml";

/// A policy with its name and digest.
pub struct NamedPolicy {
    pub policy: Policy,
    pub name: String,
    pub digest: Digest,
}

/// Reads a whole file of text.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    let named = || format!("could not read {}", path.display());
    let file = std::fs::File::open(path).with_context(named)?;
    anyhow::ensure!(
        file.metadata().with_context(named)?.is_file(),
        "{} is not a regular file",
        path.display()
    );
    text_of(&path.display().to_string(), file, MAX_BYTES)
}

/// Reads text to its end, which must come.
fn text_of(name: &str, from: impl Read, most: u64) -> anyhow::Result<String> {
    let mut octets = Vec::new();
    let named = || format!("could not read {name}");
    from.take(most + 1).read_to_end(&mut octets).with_context(named)?;
    anyhow::ensure!(
        octets.len() as u64 <= most,
        "{name} is larger than {most} octets, the most that is read of such a file"
    );
    String::from_utf8(octets).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|octet| **octet == b'\n').count() + 1;
        anyhow::anyhow!("{name}:{line}: is not UTF-8 text")
    })
}

/// The file named, else the one with the usual name where there is one.
fn named_or_usual(named: Option<&Path>, usual: PathBuf) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.to_owned()),
        None => usual.is_file().then_some(usual),
    }
}

/// The settings file, if one is named or lies here.
pub fn settings(named: Option<&Path>) -> anyhow::Result<Option<Settings>> {
    let Some(path) = named_or_usual(named, PathBuf::from(SETTINGS_FILE)) else { return Ok(None) };
    let text = read_text(&path)?;
    let mut settings = Settings::parse(&path.display().to_string(), &text)?;
    // Paths in a file are meant from where the file lies, not from where somebody happens to be.
    let folder = path.parent().unwrap_or(Path::new(""));
    for list in &mut settings.tls.targets_files {
        if list.path.as_os_str() != STANDARD {
            list.path = folder.join(&list.path);
        }
    }
    for path in paths_of(&mut settings.directory) {
        *path = std::path::absolute(folder.join(&*path))?;
    }
    Ok(Some(settings))
}

/// Every file that the settings of directories name, but for those of passwords, which have whole
/// paths.
fn paths_of(scope: &mut DirectoryScope) -> Vec<&mut PathBuf> {
    let mut paths: Vec<&mut PathBuf> = Vec::new();
    for server in &mut scope.servers {
        paths.extend(&mut server.trusted);
        if let Bind::External { certificate, key } = &mut server.bind {
            paths.extend([certificate, key]);
        }
    }
    paths.extend(scope.dumps.iter_mut().map(|dump| &mut dump.path));
    paths.extend(scope.records.iter_mut().map(|records| &mut records.path));
    paths
}

/// What is wrong with the files that the settings of directories name: a run would say so of each, and
/// read the others.
pub fn directory_files(scope: &DirectoryScope) -> Vec<Problem> {
    let mut files: Vec<(&Option<Origin>, String, &Path)> = Vec::new();
    for (at, server) in scope.servers.iter().enumerate() {
        let key = |key: &str| format!("directory.servers[{at}].{key}");
        files.extend(server.trusted.iter().map(|path| (&server.origin, key("trusted"), &**path)));
        if let Bind::External { certificate, key: private } = &server.bind {
            files.push((&server.origin, key("certificate"), certificate));
            files.push((&server.origin, key("key"), private));
        }
    }
    let dumps = scope.dumps.iter().enumerate();
    files.extend(
        dumps.map(|(at, dump)| (&dump.origin, format!("directory.dumps[{at}].path"), &*dump.path)),
    );
    let records = scope.records.iter().enumerate();
    files.extend(records.map(|(at, records)| {
        (&records.origin, format!("directory.records[{at}].path"), &*records.path)
    }));
    let problem = |(origin, key, path): (&Option<Origin>, String, &Path)| {
        let why = match std::fs::metadata(path).and_then(|facts| {
            // One that is no file is not opened: a FIFO would hold us up.
            if facts.is_file() { std::fs::File::open(path).map(|_| true) } else { Ok(false) }
        }) {
            Ok(true) => return None,
            Ok(false) => format!("{} is not a regular file", path.display()),
            Err(error) => format!("could not read {}: {error}", path.display()),
        };
        let origin = origin.clone();
        let (file, line) = origin.map_or((String::new(), 1), |origin| (origin.file, origin.line));
        Some(Problem { file, line, key, message: why })
    };
    files.into_iter().filter_map(problem).collect()
}

/// The targets of all these files, in their order; `-` is standard input. Pipes are read as well as
/// files: lists come from programs.
pub fn target_lists(files: &[TargetsFile]) -> anyhow::Result<Vec<Target>> {
    let (mut targets, mut problems) = (Vec::new(), Vec::new());
    for TargetsFile { path, origin } in files {
        let (name, text) = match (list_text(path), origin) {
            (Ok(read), _) => read,
            (Err(error), None) => return Err(error),
            (Err(error), Some(Origin { file, line })) => {
                let (file, key) = (file.clone(), "tls.targets_file".to_owned());
                problems.push(Problem { file, line: *line, key, message: format!("{error:#}") });
                continue;
            }
        };
        match Target::parse_list(&name, &text) {
            Ok(listed) => targets.extend(listed),
            Err(Problems(found)) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(targets) } else { Err(Problems(problems).into()) }
}

/// What a list is called, with its text.
fn list_text(path: &Path) -> anyhow::Result<(String, String)> {
    if path.as_os_str() == STANDARD {
        let name = "standard input".to_owned();
        let text = text_of(&name, std::io::stdin().lock(), MAX_LIST_BYTES)?;
        return Ok((name, text));
    }
    let name = path.display().to_string();
    let file = std::fs::File::open(path).with_context(|| format!("could not read {name}"))?;
    let text = text_of(&name, file, MAX_LIST_BYTES)?;
    Ok((name, text))
}

/// The policy file, if one is named or lies here, else the defaults.
pub fn policy(named: Option<&Path>) -> anyhow::Result<NamedPolicy> {
    let Some(path) = named_or_usual(named, PathBuf::from(POLICY_FILE)) else {
        return Ok(NamedPolicy {
            policy: Policy::defaults()?,
            name: DEFAULT_POLICY_NAME.to_owned(),
            digest: Digest::of(DEFAULT_POLICY.as_bytes()),
        });
    };
    let text = read_text(&path)?;
    let name = path.display().to_string();
    let rules: Vec<&str> = pki_rules::RULES.iter().map(|rule| rule.id).collect();
    let policy = Policy::parse(&name, &text, &rules)?;
    Ok(NamedPolicy { policy, name, digest: Digest::of(text.as_bytes()) })
}

/// A built-in version, or an official model file by its path.
pub fn model(choice: &str) -> anyhow::Result<(Model, Map)> {
    let model = if VERSIONS.iter().any(|version| version.id == choice) {
        Model::built_in(choice)?
    } else if Path::new(choice).exists() {
        Model::official(&read_text(Path::new(choice))?).with_context(|| choice.to_owned())?
    } else {
        let known: Vec<&str> = VERSIONS.iter().map(|version| version.id).collect();
        anyhow::bail!("--model {choice}: no such file, and built in are {}", known.join(", "));
    };
    let map = Map::for_model(&model)?;
    Ok((model, map))
}

/// The answers file, if one is named or lies in the folder of the report. Nobody can have answered
/// after the instant of judgement.
pub fn answers(
    named: Option<&Path>,
    dir: &Path,
    model: &Model,
    as_of: Time,
) -> anyhow::Result<Option<ReadAnswers>> {
    let Some(path) = named_or_usual(named, dir.join(ANSWERS_FILE)) else { return Ok(None) };
    let text = read_text(&path)?;
    let file = path.display().to_string();
    let answers = Answers::parse(&file, &text, model)?;
    // Dates are days, and somewhere it is tomorrow already.
    let latest = as_of.plus_days(1);
    let early: Vec<Problem> = answers
        .all()
        .filter(|(_, answer)| answer.when > latest)
        .map(|(id, answer)| Problem {
            file: file.clone(),
            line: answer.line,
            key: format!("{id}.when"),
            message: format!("{} is after {as_of}, the instant judged", answer.when.date()),
        })
        .collect();
    if !early.is_empty() {
        return Err(Problems(early).into());
    }
    if !answers.left_behind().is_empty() {
        output::remark(&format!(
            "{file}: model {} has no place for the answers to {}; they do not count.",
            model.version,
            answers.left_behind().join(", ")
        ));
    }
    Ok(Some(ReadAnswers { answers, text }))
}

/// Answers with the text they were read from, which the store keeps.
pub struct ReadAnswers {
    pub answers: Answers,
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_targets_lie_beside_the_settings_that_name_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("writes");
            path
        };
        let hosts = write("hosts.txt", "# web\na.test b.test:8443\n192.0.2.0/30\n");
        let path = write("s.toml", "[tls]\ntargets_file = [\"hosts.txt\", \"-\"]\n");
        let read = settings(Some(&path)).expect("reads").expect("is there");
        let files: Vec<&Path> = read.tls.targets_files.iter().map(|file| &*file.path).collect();
        assert_eq!(files, [&*hosts, Path::new("-")]);
        let targets = target_lists(&[hosts.into()]).expect("reads");
        let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
        assert_eq!(targets, ["a.test:443", "b.test:8443", "192.0.2.0/30:443"]);
    }

    #[test]
    fn files_of_directories_lie_beside_the_settings_that_name_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.toml");
        let text = "[[directory.servers]]\nurl = \"ldaps://a\"\ntrusted = \"ca.pem\"\n\
                    [[directory.servers]]\nurl = \"ldaps://b\"\nbind = \"external\"\n\
                    certificate = \"c.pem\"\nkey = \"/nowhere/k.pem\"\n\
                    [[directory.dumps]]\npath = \"../d.ldif\"\n\
                    [[directory.records]]\npath = \"r.csv\"\n";
        std::fs::write(&path, text).expect("writes");
        std::fs::write(folder.path().join("c.pem"), "").expect("writes");
        std::fs::create_dir(folder.path().join("r.csv")).expect("makes it");
        let scope = settings(Some(&path)).expect("reads").expect("is there").directory;
        assert_eq!(scope.servers[0].trusted.as_deref(), Some(&*folder.path().join("ca.pem")));
        assert_eq!(scope.dumps[0].path, folder.path().join("../d.ldif"));
        let problems = directory_files(&scope);
        let told: Vec<(usize, &str)> = problems.iter().map(|p| (p.line, p.key.as_str())).collect();
        let expected = [
            (2, "directory.servers[0].trusted"),
            (5, "directory.servers[1].key"),
            (10, "directory.dumps[0].path"),
            (12, "directory.records[0].path"),
        ];
        assert_eq!(told, expected);
        assert!(problems[3].message.ends_with("r.csv is not a regular file"), "{}", problems[3]);
    }

    #[test]
    fn the_problems_of_all_lists_come_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = ["a.txt", "b.txt"].map(|name| folder.path().join(name));
        std::fs::write(&paths[0], "good.test\nbad:0\n").expect("writes");
        std::fs::write(&paths[1], "\n\n-\u{1b}[2J\n").expect("writes");
        let files = paths.clone().map(TargetsFile::from);
        let told = target_lists(&files).expect_err("both are wrong").to_string();
        assert!(told.contains("a.txt:2: ") && told.contains("b.txt:3: "), "{told}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
        std::fs::write(&paths[0], b"good.test\n\xff\n").expect("writes");
        let told = target_lists(&files).expect_err("is no text").to_string();
        assert!(told.ends_with("a.txt:2: is not UTF-8 text"), "{told}");
        let missing = folder.path().join("missing.txt");
        assert!(target_lists(&[missing.into()]).is_err());
    }

    #[test]
    fn a_list_that_is_missing_is_told_with_the_line_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.toml");
        let text = "[tls]\ntargets_file = [\n  \"nofile.txt\",\n  \"gone.txt\",\n]\n";
        std::fs::write(&path, text).expect("writes");
        let read = settings(Some(&path)).expect("reads").expect("is there");
        let error = target_lists(&read.tls.targets_files).expect_err("there is no such file");
        let place = format!("{}:3: tls.targets_file: could not read ", path.display());
        assert!(error.to_string().starts_with(&place), "{error:#}");
        let next = format!("\n{}:4: tls.targets_file: could not read ", path.display());
        assert!(error.to_string().contains(&next), "{error:#}");
    }

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        let told = text_of("it", std::io::repeat(b'a'), 1000).expect_err("has no end");
        assert!(told.to_string().starts_with("it is larger than 1000 octets"), "{told}");
    }
}
