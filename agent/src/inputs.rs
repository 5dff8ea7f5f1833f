//! Reads what people wrote: settings, policy, answers, model files. Nothing of it is trusted to be
//! small.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pki_config::{DEFAULT_POLICY, DEFAULT_POLICY_NAME, Policy, Problem, Problems, Settings};
use pki_inventory::{Digest, Time};
use pki_maturity::{Map, Model, VERSIONS};
use pki_scoring::Answers;

use crate::output;

/// Files that people write are far below this.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

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
    let mut octets = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut octets).with_context(named)?;
    anyhow::ensure!(
        octets.len() as u64 <= MAX_BYTES,
        "{} is larger than {MAX_BYTES} octets; this is not a file that people write",
        path.display()
    );
    String::from_utf8(octets).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|octet| **octet == b'\n').count() + 1;
        anyhow::anyhow!("{}:{line}: is not UTF-8 text", path.display())
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
    Ok(Some(Settings::parse(&path.display().to_string(), &text)?))
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
