//! The policy: what things are judged by.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;

use crate::Problems;
use crate::reader::{Document, Origin, Reader};

/// The defaults, with the comments that explain them.
pub const DEFAULT_POLICY: &str = include_str!("../examples/policy.toml");

/// The name under which the defaults are cited.
pub const DEFAULT_POLICY_NAME: &str = "default policy";

/// A policy in which every figure is within its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Figures.
    pub thresholds: Thresholds,
    /// By name.
    pub scales: BTreeMap<String, Scale>,
    /// Approved algorithms.
    pub algorithms: Algorithms,
    /// Patterns over places where software ships its own files.
    pub shipped: Vec<String>,
    /// Longest validities, oldest first.
    pub lifetimes: Vec<Lifetime>,
    /// How private keys are to be kept.
    pub keys: Keys,
    /// Who is trusted in a directory.
    pub directory: Directory,
    /// Approved issuers.
    pub issuers: Vec<Issuer>,
    /// Who answers for what.
    pub owners: Vec<Ownership>,
    /// Accepted findings.
    pub exceptions: Vec<Exception>,
    /// What counts when an answer exceeds the evidence.
    pub contradicted: Contradicted,
    /// What a requirement without a rating does.
    pub blank: BlankRule,
    /// Where each key stands.
    origins: BTreeMap<String, Origin>,
}

/// Figures of the policy.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the commented policy file says what each is")]
pub struct Thresholds {
    pub renewal_days: i64,
    pub unattended_days: i64,
    pub renewal_grace_days: i64,
    pub max_gap_share: f64,
    pub min_population: u64,
    pub max_unknown_share: f64,
    pub history_runs: u64,
    pub history_days: i64,
}

/// Turns a share of assets not met into the highest consistent level.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// By rising share.
    pub steps: Vec<Step>,
}

/// Up to this share, this level is consistent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// 0 to 1.
    pub not_met_share: f64,
    /// 1 to 5.
    pub level: u8,
}

/// Approved algorithms.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the commented policy file says what each is")]
pub struct Algorithms {
    pub keys: Vec<KeyKind>,
    pub signatures: Vec<String>,
    pub protocols: Vec<String>,
    pub cipher_suites: Vec<String>,
    pub quantum_safe_groups: Vec<String>,
    pub min_dhe_bits: u32,
}

/// How private keys are to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the commented policy file says what each is")]
pub struct Keys {
    pub reader_groups: Vec<String>,
    pub pbkdf2_iterations: u32,
    pub scrypt_cost: u64,
}

/// Who is trusted in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the commented policy file says what each is")]
pub struct Directory {
    pub trusted_principals: Vec<String>,
}

/// `RSA >= 2048`, `P-256`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyKind {
    /// Name of the algorithm or curve.
    pub name: String,
    /// Smallest size in bits.
    pub min_bits: Option<u32>,
}

/// From a day on, no longer than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetime {
    /// First day of validity from which it holds.
    pub from: Date,
    /// Days.
    pub days: i64,
}

/// An approved issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// `CN=`
    CommonName(String),
    /// `O=`
    Organisation(String),
    /// `DN=`
    Name(String),
}

/// Who answers for what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the commented policy file says what each is")]
pub struct Ownership {
    pub owner: String,
    pub names: Vec<String>,
    pub places: Vec<String>,
}

/// A finding somebody has decided to live with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the commented policy file says what each is")]
pub struct Exception {
    pub rule: String,
    pub pattern: String,
    pub reason: String,
    pub expires: Date,
    pub origin: Origin,
}

/// What counts when an answer exceeds the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradicted {
    /// The evidence.
    Cap,
    /// The answer, for this reason.
    Keep(String),
}

/// What a requirement without a rating does in the official score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlankRule {
    /// It leaves the average, as in the web tool.
    Leave,
    /// It counts as 0, as in the workbook.
    Zero,
}

static DEFAULTS: LazyLock<Result<Policy, Problems>> = LazyLock::new(|| {
    let document = Document::new(DEFAULT_POLICY_NAME, DEFAULT_POLICY);
    let (policy, origins) = document.read(|root| Policy::read(root, None, None))?;
    // Without a base, a missing key is a problem of the file; a test reads it.
    let policy = policy.ok_or_else(|| Problems(Vec::new()))?;
    Ok(Policy { origins, ..policy })
});

impl Policy {
    /// The defaults.
    ///
    /// # Errors
    ///
    /// When the built-in file is broken, which a test rules out.
    pub fn defaults() -> Result<Self, Problems> {
        DEFAULTS.clone()
    }

    /// Reads a policy file over the defaults. Exceptions may name only these rules.
    ///
    /// # Errors
    ///
    /// All problems of the file at once.
    pub fn parse(file: &str, text: &str, rules: &[&str]) -> Result<Self, Problems> {
        let base = Self::defaults()?;
        let document = Document::new(file, text);
        let (policy, origins) = document.read(|root| Self::read(root, Some(&base), Some(rules)))?;
        let policy = policy.unwrap_or_else(|| base.clone());
        let mut all = base.origins;
        all.extend(origins);
        Ok(Self { origins: all, ..policy })
    }

    /// Where a key stands: the user's file where it sets the key, else the defaults.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key)
    }

    fn read(root: &Reader<'_>, base: Option<&Self>, rules: Option<&[&str]>) -> Option<Self> {
        let thresholds = root
            .table("thresholds", |t| Thresholds::read(t, base.map(|b| &b.thresholds)))
            .flatten()
            .or_else(|| base.map(|b| b.thresholds.clone()));
        let mut scales = base.map(|b| b.scales.clone()).unwrap_or_default();
        root.table("scales", |t| {
            for name in t.keys() {
                let scale = t.table(&name, Scale::read).flatten();
                // The maps know the scales of the defaults; a new one would be a typing error.
                if let Some(base) = base.filter(|base| !base.scales.contains_key(&name)) {
                    let known: Vec<&str> = base.scales.keys().map(String::as_str).collect();
                    t.complain(&name, format!("is not a scale; scales are {}", known.join(", ")));
                } else if let Some(scale) = scale {
                    scales.insert(name, scale);
                }
            }
        });
        let algorithms = root
            .table("algorithms", |t| Algorithms::read(t, base.map(|b| &b.algorithms)))
            .flatten()
            .or_else(|| base.map(|b| b.algorithms.clone()));
        let lifetimes = root.tables("lifetimes", |t| {
            let (from, days) = (t.date("from"), t.integer("days", 1..=36_500));
            needs(t, &[("from", from.is_none()), ("days", days.is_none())]);
            Some(Lifetime { from: from?, days: days? })
        });
        if lifetimes.as_ref().is_some_and(|l| !l.is_sorted_by_key(|limit| limit.from)) {
            root.complain("lifetimes", "must be in the order of `from`, oldest first");
        }
        let shipped = root.table("shipped", |t| t.texts("places")).flatten();
        let keys = root
            .table("keys", |t| Keys::read(t, base.map(|b| &b.keys)))
            .flatten()
            .or_else(|| base.map(|b| b.keys.clone()));
        let directory = root.table("directory", |t| t.parsed("trusted_principals", principal));
        let directory =
            directory.flatten().map(|trusted_principals| Directory { trusted_principals });
        let issuers = root.table("issuers", |t| t.parsed("approved", issuer)).flatten();
        let owners = root.tables("owners", |t| {
            let owner = t.text("owner");
            let names = t.texts("names").unwrap_or_default();
            let places = t.texts("places").unwrap_or_default();
            needs(t, &[("owner", owner.is_none())]);
            if names.is_empty() && places.is_empty() {
                t.complain("", "needs `names` or `places`, or it owns nothing");
            }
            Some(Ownership { owner: owner?, names, places })
        });
        let exceptions = root.tables("exceptions", |t| Exception::read(t, rules));
        let answers = root.table("answers", |t| (contradicted(t), blank(t)));
        let (contradicted, blank) = answers.unwrap_or_default();
        let of = |pick: fn(&Self) -> Vec<String>| base.map(pick);
        Some(Self {
            thresholds: thresholds?,
            scales,
            algorithms: algorithms?,
            lifetimes: lifetimes.or_else(|| base.map(|b| b.lifetimes.clone()))?,
            shipped: shipped.or_else(|| of(|b| b.shipped.clone()))?,
            keys: keys?,
            directory: directory.or_else(|| base.map(|b| b.directory.clone()))?,
            issuers: issuers.or_else(|| base.map(|b| b.issuers.clone()))?,
            owners: owners.unwrap_or_default(),
            exceptions: exceptions.unwrap_or_default(),
            contradicted: contradicted.or_else(|| base.map(|b| b.contradicted.clone()))?,
            blank: blank.or_else(|| base.map(|b| b.blank))?,
            origins: BTreeMap::new(),
        })
    }
}

impl Thresholds {
    fn read(t: &Reader<'_>, base: Option<&Self>) -> Option<Self> {
        let days = 0..=36_500;
        let count = |key| t.integer(key, 1..=1_000_000).and_then(|n| u64::try_from(n).ok());
        let (renewal, unattended) =
            (t.integer("renewal_days", days.clone()), t.integer("unattended_days", days.clone()));
        let grace = t.integer("renewal_grace_days", days.clone());
        let (gap, unknown) = (t.share("max_gap_share"), t.share("max_unknown_share"));
        let (population, runs) = (count("min_population"), count("history_runs"));
        let history = t.integer("history_days", days);
        Some(Self {
            renewal_days: renewal.or(base.map(|b| b.renewal_days))?,
            unattended_days: unattended.or(base.map(|b| b.unattended_days))?,
            renewal_grace_days: grace.or(base.map(|b| b.renewal_grace_days))?,
            max_gap_share: gap.or(base.map(|b| b.max_gap_share))?,
            min_population: population.or(base.map(|b| b.min_population))?,
            max_unknown_share: unknown.or(base.map(|b| b.max_unknown_share))?,
            history_runs: runs.or(base.map(|b| b.history_runs))?,
            history_days: history.or(base.map(|b| b.history_days))?,
        })
    }
}

impl Scale {
    fn read(t: &Reader<'_>) -> Option<Self> {
        let steps = t.tables("steps", |t| {
            let (share, level) = (t.share("not_met_share"), t.integer("level", 1..=5));
            needs(t, &[("not_met_share", share.is_none()), ("level", level.is_none())]);
            Some(Step { not_met_share: share?, level: u8::try_from(level?).ok()? })
        });
        needs(t, &[("steps", steps.is_none())]);
        let steps = steps?;
        if steps.is_empty() {
            t.complain("steps", "must hold at least one step, or every share means level 1");
        }
        let rising = steps.is_sorted_by(|a, b| a.not_met_share < b.not_met_share);
        if !rising || !steps.is_sorted_by(|a, b| a.level > b.level) {
            t.complain("steps", "must have rising shares and falling levels");
        }
        Some(Self { steps })
    }

    /// The step that a share falls on, counted from 0, with its level; `None` and 1 beyond the last.
    #[must_use]
    pub fn level(&self, not_met_share: f64) -> (Option<usize>, u8) {
        let on = self.steps.iter().position(|step| not_met_share <= step.not_met_share);
        (on, on.map_or(1, |at| self.steps[at].level))
    }
}

impl Algorithms {
    fn read(t: &Reader<'_>, base: Option<&Self>) -> Option<Self> {
        let keys = t.parsed("keys", key_kind);
        let (signatures, protocols) = (t.texts("signatures"), t.parsed("protocols", protocol));
        let (suites, groups) =
            (t.parsed("cipher_suites", cipher_suite), t.texts("quantum_safe_groups"));
        let bits = t.integer("min_dhe_bits", 512..=16_384).and_then(|n| u32::try_from(n).ok());
        Some(Self {
            keys: keys.or_else(|| base.map(|b| b.keys.clone()))?,
            signatures: signatures.or_else(|| base.map(|b| b.signatures.clone()))?,
            protocols: protocols.or_else(|| base.map(|b| b.protocols.clone()))?,
            cipher_suites: suites.or_else(|| base.map(|b| b.cipher_suites.clone()))?,
            quantum_safe_groups: groups.or_else(|| base.map(|b| b.quantum_safe_groups.clone()))?,
            min_dhe_bits: bits.or(base.map(|b| b.min_dhe_bits))?,
        })
    }
}

impl Keys {
    fn read(t: &Reader<'_>, base: Option<&Self>) -> Option<Self> {
        let groups = t.texts("reader_groups");
        let iterations = t.integer("pbkdf2_iterations", 1..=1_000_000_000);
        let cost = t.integer("scrypt_cost", 2..=1 << 40);
        let (iterations, cost) = (
            iterations.and_then(|n| u32::try_from(n).ok()),
            cost.and_then(|n| u64::try_from(n).ok()),
        );
        Some(Self {
            reader_groups: groups.or_else(|| base.map(|b| b.reader_groups.clone()))?,
            pbkdf2_iterations: iterations.or(base.map(|b| b.pbkdf2_iterations))?,
            scrypt_cost: cost.or(base.map(|b| b.scrypt_cost))?,
        })
    }
}

impl Exception {
    fn read(t: &Reader<'_>, rules: Option<&[&str]>) -> Option<Self> {
        let (rule, pattern) = (t.text("rule"), t.text("match"));
        let (reason, expires) = (t.text("reason"), t.date("expires"));
        needs(
            t,
            &[
                ("rule", rule.is_none()),
                ("match", pattern.is_none()),
                ("reason", reason.is_none()),
                ("expires", expires.is_none()),
            ],
        );
        // What stands before a `*` must begin some rule; without one it must be a rule.
        let fits = |known: &&&str| match rule.as_deref().and_then(|rule| rule.split_once('*')) {
            Some((before, _)) => known.starts_with(before),
            None => Some(**known) == rule.as_deref(),
        };
        if rule.is_some() && rules.is_some_and(|rules| !rules.iter().any(|known| fits(&known))) {
            let known = rules.unwrap_or_default().join(", ");
            t.complain("rule", format!("is not a rule; rules are {known}"));
        }
        let origin = t.origin();
        Some(Self { rule: rule?, pattern: pattern?, reason: reason?, expires: expires?, origin })
    }
}

/// Complains about keys that are missing; those that are there but wrong have been complained
/// about already.
fn needs(t: &Reader<'_>, keys: &[(&str, bool)]) {
    let there = t.keys();
    for (key, _) in keys.iter().filter(|(key, missing)| *missing && !there.contains(&(*key).into()))
    {
        t.complain(key, "is missing");
    }
}

fn contradicted(t: &Reader<'_>) -> Option<Contradicted> {
    let (what, reason) = (t.text("contradicted"), t.text("keep_reason"));
    match (what?.as_str(), reason) {
        ("cap", _) => Some(Contradicted::Cap),
        ("keep", Some(reason)) => Some(Contradicted::Keep(reason)),
        ("keep", None) => {
            t.complain("contradicted", "\"keep\" needs a written keep_reason beside it");
            None
        }
        _ => {
            t.complain("contradicted", "must be \"cap\" or \"keep\"");
            None
        }
    }
}

fn blank(t: &Reader<'_>) -> Option<BlankRule> {
    match t.text("blank")?.as_str() {
        "leave" => Some(BlankRule::Leave),
        "zero" => Some(BlankRule::Zero),
        _ => {
            t.complain("blank", "must be \"leave\" or \"zero\"");
            None
        }
    }
}

fn issuer(text: &str) -> Result<Issuer, String> {
    match text.split_once('=') {
        Some(("CN", name)) => Ok(Issuer::CommonName(name.to_owned())),
        Some(("O", name)) => Ok(Issuer::Organisation(name.to_owned())),
        Some(("DN", name)) => Ok(Issuer::Name(name.to_owned())),
        _ => Err(format!("`{text}` must begin with CN=, O= or DN=")),
    }
}

/// A name as Windows writes it, or a security identifier ([MS-DTYP], 2.4.2.1). A bare name would
/// be another principal in every domain.
fn principal(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_sid = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("S-1-"))
        && text[4..].split('-').all(|part| !part.is_empty() && part.parse::<u64>().is_ok());
    let is_name = text.split_once('\\').is_some_and(|(domain, name)| {
        !domain.is_empty() && !name.is_empty() && !name.contains('\\')
    });
    match is_sid || is_name {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{}` must be a name with its domain, such as 'CORP\\PKI Admins', or a SID such as \
             \"S-1-5-21-1-2-3-1105\"",
            crate::target::shown(text)
        )),
    }
}

fn protocol(text: &str) -> Result<String, String> {
    const KNOWN: &[&str] = &["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    match KNOWN.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a protocol; protocols are {}", KNOWN.join(", "))),
    }
}

/// A name as in the registry of IANA, such as `TLS_AES_128_GCM_SHA256`, or a pattern over such
/// names. Names of other worlds (`ECDHE-RSA-AES128-GCM-SHA256`) would silently approve nothing.
fn cipher_suite(text: &str) -> Result<String, String> {
    let of_iana = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_*".contains(c);
    let begins = ["TLS_", "SSL_", "*"].iter().any(|start| text.starts_with(start));
    match begins && text.chars().all(of_iana) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not a cipher suite by its IANA name, such as \
             \"TLS_AES_128_GCM_SHA256\" or \"TLS_AES_*\""
        )),
    }
}

fn key_kind(text: &str) -> Result<KeyKind, String> {
    if text.trim().is_empty() {
        return Err("an algorithm or curve must be named".to_owned());
    }
    let Some((name, bits)) = text.split_once(">=") else {
        return Ok(KeyKind { name: text.trim().to_owned(), min_bits: None });
    };
    let bits = bits.trim().parse().map_err(|_| format!("`{text}` must be like \"RSA >= 2048\""))?;
    Ok(KeyKind { name: name.trim().to_owned(), min_bits: Some(bits) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound() {
        let policy = Policy::defaults().unwrap_or_else(|problems| panic!("{problems}"));
        let scales: Vec<&str> = policy.scales.keys().map(String::as_str).collect();
        assert_eq!(scales, ["adoption", "hygiene", "never"]);
        assert!(policy.origin("scales.never").is_some_and(|origin| origin.line > 20));
    }

    #[test]
    fn a_file_changes_only_what_it_says() {
        let text = "[thresholds]\nrenewal_days = 14\n[issuers]\napproved = [\"O=Corp\"]\n";
        let policy = Policy::parse("p.toml", text, &["cert.name-mismatch"])
            .unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(policy.thresholds.renewal_days, 14);
        assert_eq!(policy.thresholds.unattended_days, 7);
        assert_eq!(policy.issuers, [Issuer::Organisation("Corp".to_owned())]);
        let origin = policy.origin("thresholds.renewal_days").map(|o| (o.file.as_str(), o.line));
        assert_eq!(origin, Some(("p.toml", 2)));
        let origin = policy.origin("thresholds.unattended_days").map(|o| o.file.as_str());
        assert_eq!(origin, Some(DEFAULT_POLICY_NAME));
    }

    #[test]
    fn all_problems_come_at_once_with_line_and_key() {
        let text = "[thresholds]\nrenewal_days = \"soon\"\nmax_gap_share = 3\ntypo = 1\n\n\
                    [[exceptions]]\nrule = \"x*\"\nexpires = \"never\"\n[answers]\ncontradicted = \"keep\"\n\
                    [algorithms]\nkeys = [\"\"]\nprotocols = [\"TLS 1.2\"]\n\
                    cipher_suites = [\n  \"TLS_AES_*\",\n  \"ECDHE-RSA-AES128-GCM-SHA256\",\n  \"\"]\n\
                    [scales.hygeine]\nsteps = [{ not_met_share = 0.1, level = 5 }]\n[scales.never]\nsteps = []\n";
        let problems =
            Policy::parse("p.toml", text, &["cert.name-mismatch"]).map(|_| ()).unwrap_err().0;
        let found: Vec<(usize, &str)> =
            problems.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
        assert_eq!(
            found,
            [
                (2, "thresholds.renewal_days"),
                (3, "thresholds.max_gap_share"),
                (4, "thresholds.typo"),
                (6, "exceptions[0].match"),
                (6, "exceptions[0].reason"),
                (7, "exceptions[0].rule"),
                (8, "exceptions[0].expires"),
                (10, "answers.contradicted"),
                (12, "algorithms.keys"),
                (13, "algorithms.protocols"),
                (16, "algorithms.cipher_suites"),
                (17, "algorithms.cipher_suites"),
                (18, "scales.hygeine"),
                (21, "scales.never.steps"),
            ]
        );
    }

    #[test]
    fn who_is_trusted_in_a_directory_is_named_with_the_domain_or_by_sid() {
        let read = |list: &str| {
            let text = format!("[directory]\ntrusted_principals = [{list}]\n");
            Policy::parse("p.toml", &text, &[]).map(|policy| policy.directory.trusted_principals)
        };
        let list = "'CORP\\PKI Admins', \"S-1-5-21-1-2-3-1105\"";
        let both = ["CORP\\PKI Admins", "S-1-5-21-1-2-3-1105"].map(str::to_owned);
        assert_eq!(read(list), Ok(both.into()));
        assert_eq!(read(""), Ok(Vec::new()));
        for wrong in
            ["PKI Admins", "", "\\\\x", "CORP\\\\", "a\\\\b\\\\c", "S-1-5-x", "S-1-", "S-1-5-"]
        {
            let problems = read(&format!("\"{wrong}\"")).expect_err(wrong).0;
            assert_eq!(
                (problems[0].line, problems[0].key.as_str()),
                (2, "directory.trusted_principals")
            );
        }
        assert_eq!(Policy::parse("p.toml", "", &[]).unwrap().directory, Directory::default());
    }

    #[test]
    fn a_scale_gives_the_first_step_that_is_not_exceeded() {
        let policy = Policy::defaults().unwrap_or_else(|problems| panic!("{problems}"));
        for (scale, share, level) in [
            ("never", 0.0, 5),
            ("never", 0.001, 3),
            ("never", 0.05, 2),
            ("never", 0.06, 1),
            ("hygiene", 0.02, 4),
            ("adoption", 0.91, 1),
        ] {
            assert_eq!(policy.scales[scale].level(share).1, level, "{scale} at {share}");
        }
    }
}
