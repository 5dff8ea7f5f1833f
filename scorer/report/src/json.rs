//! `json`: the whole assessment as one document, for programs.
//!
//! The schema is `schema/assessment-1.schema.json`. Keys are added within a version; a change of
//! what a key means is a new version. Of the assets all but certificates, keys and what certifies
//! them are in it, each made when it is written, and the private and symmetric keys on tokens; of
//! the records of authorities only the first. The rest is in the export, a line each.

mod scores;
mod tokens;

use std::collections::BTreeMap;
use std::io::{self, Write};

use pki_inventory::{AssetId, Body, Digest, Disposition, Kind, Time, View};
use pki_rules::{InForce, Reach, Rule};
use pki_scoring::{
    Answer, Basis, Measure, Rating, RequirementVerdict, RuleEvidence, Suggestion, Verdict,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::lines::{FindingLine, GapLine};
use crate::{Changes, Document, Format, facts, json_text, titles, words};

pub(crate) const FORMAT: Format = Format {
    name: "json",
    about: "everything but certificates and keys themselves, for programs",
    render,
};

const SCHEMA: &str = "pkimm-assessment/1";

#[derive(Serialize)]
struct Assessment<'a> {
    schema: &'static str,
    as_of: String,
    agent_version: &'a str,
    model: ModelFacts<'a>,
    policy: PolicyFacts<'a>,
    scope: &'a [String],
    history: History,
    scores: scores::Scores,
    modules: Vec<scores::Module<'a>>,
    categories: Vec<scores::Category<'a>>,
    requirements: Vec<Requirement<'a>>,
    rules: Vec<RuleFacts<'a>>,
    findings: Vec<FindingLine<'a>>,
    excepted: Vec<FindingLine<'a>>,
    exceptions: Vec<Exception<'a>>,
    inventory: Inventory<'a>,
    endpoints: Assets<'a>,
    keystores: Assets<'a>,
    trust_stores: Assets<'a>,
    automations: Assets<'a>,
    configurations: Assets<'a>,
    authorities: Assets<'a>,
    templates: Assets<'a>,
    directory_objects: Assets<'a>,
    issuances: Issuances<'a>,
    tokens: Assets<'a>,
    token_keys: tokens::TokenKeys<'a>,
    gaps: Vec<GapLine<'a>>,
    changes: Option<ChangeFacts>,
}

#[derive(Serialize)]
struct ModelFacts<'a> {
    version: &'a str,
    official_words: bool,
    level_names: Vec<&'a str>,
}

#[derive(Serialize)]
struct PolicyFacts<'a> {
    name: &'a str,
    sha256: Digest,
}

#[derive(Serialize)]
struct History {
    runs: u64,
    days: i64,
}

#[derive(Serialize)]
struct Requirement<'a> {
    id: &'a str,
    title: &'a str,
    weight: u32,
    verdict: VerdictFacts,
    sentence: String,
    answer: Option<AnswerFacts<'a>>,
    basis: &'static str,
    manual_reason: Option<&'a str>,
    can: Option<u8>,
    beyond: Option<&'a str>,
    bound: Option<u8>,
    suggestion: Option<u8>,
    limited_by: Option<&'a str>,
    no_suggestion: &'a [String],
    rules: Vec<Bearing<'a>>,
}

/// What the two sides make together. `confirmed` and `provisional` are the levels that count.
#[derive(Serialize, Default)]
struct VerdictFacts {
    name: &'static str,
    confirmed: Option<u8>,
    provisional: Option<u8>,
    rests_on_evidence: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_in_use: Option<u64>,
}

#[derive(Serialize)]
struct AnswerFacts<'a> {
    level: Option<u8>,
    out_of_scope: bool,
    by: &'a str,
    when: String,
    why: &'a str,
    evidence: &'a [String],
    review: Option<String>,
    review_overdue: bool,
    line: usize,
}

#[derive(Serialize)]
struct Bearing<'a> {
    rule: &'a str,
    scale: &'a str,
    measure: MeasureFacts,
    level: Option<u8>,
    supports: Option<u8>,
    decides: bool,
    threshold: &'a str,
    origin: Option<Origin<'a>>,
    thin: Option<&'a str>,
}

#[derive(Serialize)]
struct Origin<'a> {
    file: &'a str,
    line: usize,
}

#[derive(Serialize)]
struct MeasureFacts {
    judged: u64,
    not_met: u64,
    unknown: u64,
    excepted: u64,
    gaps: u64,
    asked: u64,
    not_met_share: Option<f64>,
    least_not_met_share: Option<f64>,
    unknown_share: Option<f64>,
    gap_share: Option<f64>,
}

#[derive(Serialize)]
struct RuleFacts<'a> {
    id: &'a str,
    title: &'a str,
    looks_at: &'static str,
    cites: Vec<CiteFacts>,
    in_force: &'static str,
    fed_by: &'a [&'static str],
    reach: &'static str,
    measure: MeasureFacts,
    requirements: Vec<&'a str>,
}

#[derive(Serialize)]
struct CiteFacts {
    document: &'static str,
    section: &'static str,
}

#[derive(Serialize)]
struct Exception<'a> {
    rule: &'a str,
    #[serde(rename = "match")]
    pattern: &'a str,
    reason: &'a str,
    expires: String,
    origin: Origin<'a>,
    accepted: u64,
    expired: bool,
}

#[derive(Serialize)]
struct Inventory<'a> {
    counts: Vec<Count>,
    set_aside: u64,
    coverage: Vec<CoverageFacts<'a>>,
}

/// Every asset of a kind with its facts, but its sightings. There may be a hundred thousand
/// endpoints with a posture each: their JSON is made one after the other.
struct Assets<'a> {
    kind: Kind,
    view: &'a View<'a>,
    as_of: Time,
    /// So many of them.
    most: usize,
}

/// So many records of authorities are in the document; a database may have millions.
const ISSUANCES: usize = 1_000;

/// Records of authorities: how many there are in all and of each disposition, and the first of
/// them.
#[derive(Serialize)]
struct Issuances<'a> {
    count: usize,
    dispositions: BTreeMap<&'static str, usize>,
    listed: Assets<'a>,
    not_listed: usize,
}

#[derive(Serialize)]
struct AssetFacts {
    id: String,
    places: Vec<String>,
    facts: Value,
}

impl Serialize for Assets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { kind, view, as_of, most } = self;
        let assets = view.inventory().assets().filter(|asset| asset.id.kind == *kind).take(*most);
        serializer.collect_seq(assets.map(|asset| {
            let mut facts = facts::of(asset, view, *as_of);
            if let Some(facts) = facts.as_object_mut() {
                facts.remove("sightings");
            }
            AssetFacts {
                id: asset.id.to_string(),
                places: asset.places().map(ToString::to_string).collect(),
                facts,
            }
        }))
    }
}

#[derive(Serialize)]
struct Count {
    kind: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct CoverageFacts<'a> {
    collector: &'a str,
    scope: &'a str,
    asked: u64,
    read: u64,
    not_read: u64,
    octets: u64,
    unchanged: u64,
    gap_share: Option<f64>,
    finished: String,
}

#[derive(Serialize)]
struct ChangeFacts {
    since: String,
    new: Vec<String>,
    gone: Vec<String>,
    renewed: Vec<Renewed>,
    not_looked_at: Vec<String>,
}

#[derive(Serialize)]
struct Renewed {
    old: String,
    new: String,
}

fn render(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let assessment = document.assessment;
    let judgement = &assessment.judgement;
    let model = document.model;
    let view = View::of(document.inventory);
    let assets = |kind| Assets { kind, view: &view, as_of: assessment.as_of, most: usize::MAX };
    let reason = |number: usize| {
        assessment.exceptions.get(number).map(|used| used.exception.reason.as_str())
    };
    let facts = Assessment {
        schema: SCHEMA,
        as_of: assessment.as_of.to_string(),
        agent_version: document.agent_version,
        model: ModelFacts {
            version: &model.version,
            official_words: model.official_words,
            level_names: model.level_names.iter().map(String::as_str).collect(),
        },
        policy: PolicyFacts { name: document.policy_name, sha256: document.policy_digest },
        scope: document.scope,
        history: History { runs: assessment.history.runs, days: assessment.history.days },
        scores: scores::Scores::of(&assessment.scores),
        modules: scores::modules(model, &assessment.scores),
        categories: scores::categories(model, &assessment.scores),
        requirements: assessment.requirements.iter().map(|r| requirement(document, r)).collect(),
        rules: document.rules.iter().map(|of| rule(document, of)).collect(),
        findings: judgement.findings.iter().map(|f| FindingLine::of(f, None)).collect(),
        excepted: judgement
            .excepted
            .iter()
            .map(|excepted| FindingLine::of(&excepted.finding, reason(excepted.exception)))
            .collect(),
        exceptions: assessment
            .exceptions
            .iter()
            .map(|used| Exception {
                rule: &used.exception.rule,
                pattern: &used.exception.pattern,
                reason: &used.exception.reason,
                expires: used.exception.expires.to_string(),
                origin: Origin {
                    file: &used.exception.origin.file,
                    line: used.exception.origin.line,
                },
                accepted: used.accepted,
                expired: used.expired,
            })
            .collect(),
        inventory: inventory(document),
        endpoints: assets(Kind::Endpoint),
        keystores: assets(Kind::Keystore),
        trust_stores: assets(Kind::TrustStore),
        automations: assets(Kind::Automation),
        configurations: assets(Kind::Configuration),
        authorities: assets(Kind::Authority),
        templates: assets(Kind::Template),
        directory_objects: assets(Kind::DirectoryObject),
        issuances: issuances(assets(Kind::Issuance)),
        tokens: assets(Kind::Token),
        token_keys: tokens::TokenKeys { view: &view },
        gaps: document.inventory.gaps().map(GapLine::of).collect(),
        changes: document.changes.map(changes),
    };
    json_text::pretty(&facts, out)?;
    out.write_all(b"\n")
}

fn requirement<'a>(
    document: &'a Document<'_>,
    requirement: &'a RequirementVerdict,
) -> Requirement<'a> {
    let of_model = document.model.requirement(&requirement.id);
    let (mut manual_reason, mut can, mut beyond) = (None, None, None);
    let (mut limited_by, mut no_suggestion) = (None, &[][..]);
    let basis = match &requirement.basis {
        Basis::Manual { reason } => {
            manual_reason = Some(reason.as_str());
            "manual"
        }
        Basis::Judged { can: level, beyond: unseen, suggestion, .. } => {
            (can, beyond) = (Some(level.number()), Some(unseen.as_str()));
            match suggestion {
                Suggestion::Level { limited_by: by, .. } => limited_by = Some(by.as_str()),
                Suggestion::None(reasons) => no_suggestion = reasons.as_slice(),
            }
            "judged"
        }
    };
    let deciding: Vec<&str> = words::deciding(requirement).map(|rule| rule.rule).collect();
    Requirement {
        id: &requirement.id,
        title: of_model.map_or("", |r| &r.title),
        weight: of_model.map_or(0, |r| r.weight),
        verdict: verdict(&requirement.verdict),
        sentence: words::verdict_sentence(document.model, requirement),
        answer: requirement.answer.as_ref().map(|a| answer(a, requirement.review_overdue)),
        basis,
        manual_reason,
        can,
        beyond,
        bound: requirement.bound().map(u8::from),
        suggestion: requirement.suggestion().map(u8::from),
        limited_by,
        no_suggestion,
        rules: requirement
            .rules()
            .iter()
            .map(|evidence| bearing(evidence, deciding.contains(&evidence.rule)))
            .collect(),
    }
}

fn verdict(verdict: &Verdict) -> VerdictFacts {
    let facts = VerdictFacts {
        name: verdict.name(),
        confirmed: verdict.confirmed().map(u8::from),
        provisional: verdict.provisional().map(u8::from),
        rests_on_evidence: verdict.rests_on_evidence(),
        ..VerdictFacts::default()
    };
    match verdict {
        Verdict::BeyondEvidence { answered, supported } => VerdictFacts {
            answered: Some(answered.number()),
            supported: Some(supported.number()),
            ..facts
        },
        Verdict::Contradicted { answered, bound, .. } => {
            VerdictFacts { answered: Some(answered.number()), bound: Some(bound.number()), ..facts }
        }
        Verdict::OutOfScope { seen_in_use } => {
            VerdictFacts { seen_in_use: Some(*seen_in_use), ..facts }
        }
        Verdict::Declared(level) | Verdict::Corroborated(level) => {
            VerdictFacts { answered: Some(level.number()), ..facts }
        }
        Verdict::Unrated | Verdict::Suggested(_) => facts,
    }
}

fn answer(answer: &Answer, review_overdue: bool) -> AnswerFacts<'_> {
    AnswerFacts {
        level: match answer.rating {
            Rating::Level(level) => Some(level.number()),
            Rating::OutOfScope => None,
        },
        out_of_scope: answer.rating == Rating::OutOfScope,
        by: &answer.by,
        when: answer.when.to_string(),
        why: &answer.why,
        evidence: &answer.evidence,
        review: answer.review.map(|review| review.to_string()),
        review_overdue,
        line: answer.line,
    }
}

fn bearing(evidence: &RuleEvidence, decides: bool) -> Bearing<'_> {
    Bearing {
        rule: evidence.rule,
        scale: &evidence.scale,
        measure: measure(&evidence.measure),
        level: evidence.level.map(u8::from),
        supports: evidence.supports.map(u8::from),
        decides,
        threshold: &evidence.threshold,
        origin: evidence
            .origin
            .as_ref()
            .map(|origin| Origin { file: &origin.file, line: origin.line }),
        thin: evidence.thin.as_deref(),
    }
}

fn measure(measure: &Measure) -> MeasureFacts {
    MeasureFacts {
        judged: measure.judged,
        not_met: measure.not_met,
        unknown: measure.unknown,
        excepted: measure.excepted,
        gaps: measure.gaps,
        asked: measure.asked,
        not_met_share: measure.not_met_share(),
        least_not_met_share: measure.least_not_met_share(),
        unknown_share: measure.unknown_share(),
        gap_share: measure.gap_share(),
    }
}

fn rule<'a>(document: &Document<'a>, rule: &'static Rule) -> RuleFacts<'a> {
    let measures = &document.assessment.judgement.measures;
    RuleFacts {
        id: rule.id,
        title: rule.title,
        looks_at: words::population(rule),
        cites: rule
            .cites
            .iter()
            .map(|cite| CiteFacts { document: cite.document, section: cite.section })
            .collect(),
        in_force: match rule.in_force {
            InForce::Always => "always",
            InForce::ByDate => "by-date",
            InForce::Policy => "policy",
        },
        fed_by: rule.fed_by,
        reach: match rule.reach {
            Reach::Whole => "whole",
            Reach::WhereShown => "where-shown",
        },
        measure: measure(&measures.get(rule.id).copied().unwrap_or_default()),
        requirements: document.map.requirements_of(rule.id).collect(),
    }
}

fn inventory<'a>(document: &Document<'a>) -> Inventory<'a> {
    let coverage = document.inventory.coverage();
    Inventory {
        counts: titles::counts(document.inventory)
            .into_iter()
            .map(|(kind, count)| Count { kind: kind.name(), count })
            .collect(),
        set_aside: document.assessment.judgement.set_aside,
        coverage: coverage
            .map(|(collector, scope, coverage)| CoverageFacts {
                collector,
                scope,
                asked: coverage.asked,
                read: coverage.read,
                not_read: coverage.not_read,
                octets: coverage.octets,
                unchanged: coverage.unchanged,
                gap_share: coverage.gap_share(),
                finished: coverage.finished.to_string(),
            })
            .collect(),
    }
}

fn issuances(all: Assets<'_>) -> Issuances<'_> {
    let mut dispositions = BTreeMap::new();
    for asset in all.view.inventory().assets() {
        let Body::Issuance(record) = &asset.body else { continue };
        let name = match record.disposition {
            Disposition::Issued => "issued",
            Disposition::Revoked => "revoked",
            Disposition::Denied => "denied",
            Disposition::Failed => "failed",
            Disposition::Pending => "pending",
            Disposition::Other(_) => "other",
        };
        *dispositions.entry(name).or_default() += 1;
    }
    let count: usize = dispositions.values().sum();
    Issuances {
        count,
        dispositions,
        not_listed: count.saturating_sub(ISSUANCES),
        listed: Assets { most: ISSUANCES, ..all },
    }
}

fn changes(changes: &Changes) -> ChangeFacts {
    let ids = |ids: &[AssetId]| ids.iter().map(ToString::to_string).collect();
    ChangeFacts {
        since: changes.since.to_string(),
        new: ids(&changes.new),
        gone: ids(&changes.gone),
        renewed: changes
            .renewed
            .iter()
            .map(|(old, new)| Renewed { old: old.to_string(), new: new.to_string() })
            .collect(),
        not_looked_at: ids(&changes.not_looked_at),
    }
}
