//! `terminal`: what a run came to, on one or two screens.
//!
//! A summary, and the only format that shortens: every figure in it has its `why` command, and the
//! counts say how much is not shown.

mod summary;

use std::collections::BTreeMap;
use std::io::{self, Write};

use pki_inventory::{Asset, Endpoint, Fact, GapReason, Handshake, View};
use pki_rules::{Finding, Outcome};
use pki_scoring::official::Score;
use pki_scoring::{ExceptionUse, RequirementVerdict, Verdict};

use crate::plain::{Plain, WIDTH};
use crate::text::{cut, shortened};
use crate::{Changes, Document, Format, endpoint, titles, words};

pub(crate) const FORMAT: Format = Format {
    name: "terminal",
    about: "a summary for a terminal or a mail, without colour",
    render,
};

/// So many rules with findings, and so many examples of each.
const RULES: usize = 10;
const EXAMPLES: usize = 3;
const COLUMN: usize = 18;

fn render(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let view = View::of(document.inventory);
    let mut plain = Plain::fitting();
    let assessment = document.assessment;
    plain.line(
        0,
        &format!("PKI maturity, PKIMM {}, as of {}", document.model.version, assessment.as_of),
    );
    for sentence in document.scope {
        plain.line(2, sentence);
    }
    overall(&mut plain, document);
    modules(&mut plain, document);
    verdicts(&mut plain, document);
    conflicts(&mut plain, document);
    findings(&mut plain, document, &view);
    inventory(&mut plain, document, &view);
    gaps(&mut plain, document);
    exceptions(&mut plain, &assessment.exceptions);
    if let Some(changes) = document.changes {
        changed(&mut plain, changes, &view);
    }
    next(&mut plain, document);
    out.write_all(plain.finish().as_bytes())
}

fn overall(plain: &mut Plain, document: &Document<'_>) {
    let (model, scores) = (document.model, &document.assessment.scores);
    plain.heading("Overall");
    plain.field(2, COLUMN, "Confirmed", &words::confirmed(model, scores));
    let provisional = words::score(model, &scores.provisional.overall);
    plain.field(
        2,
        COLUMN,
        "Provisional",
        &format!("{provisional}, with what evidence suggests and nobody has confirmed"),
    );
    let (low, high) = (&scores.lowest.overall, &scores.highest.overall);
    plain.field(
        2,
        COLUMN,
        "Range",
        &format!(
            "{} to {}, whatever the open answers turn out to be",
            words::end_of_range(model, low),
            words::end_of_range(model, high)
        ),
    );
    let share = scores.evidence_share.map_or_else(
        || "nothing is in scope".to_owned(),
        |share| format!("{} of the weight in scope rests on what was seen", words::percent(share)),
    );
    plain.field(2, COLUMN, "Evidence share", &share);
}

fn modules(plain: &mut Plain, document: &Document<'_>) {
    let (model, scores) = (document.model, &document.assessment.scores);
    let row = |a: &str, b: &str, c: &str, d: &str, e: &str| {
        format!("{a:<16} {b:<23} {c:<23} {d:<15} {e}")
    };
    plain.heading(&row("Modules", "  confirmed", "  provisional", "  range", "  answered"));
    let number = |score: &Score| words::average(score).unwrap_or_else(|| "-".to_owned());
    for (at, module) in model.modules.iter().enumerate() {
        let of = |scores: &[pki_scoring::official::ModuleScore]| scores.get(at).map(|m| m.score);
        let (Some(confirmed), Some(provisional), Some(lowest), Some(highest)) = (
            of(&scores.confirmed.modules),
            of(&scores.provisional.modules),
            of(&scores.lowest.modules),
            of(&scores.highest.modules),
        ) else {
            continue;
        };
        plain.line(
            2,
            &row(
                &format!("{} {}", module.id, module.name)[..],
                &words::score(model, &confirmed),
                &words::score(model, &provisional),
                &format!("{} to {}", number(&lowest), number(&highest)),
                &format!("{} of {}", confirmed.assessed, confirmed.in_scope),
            ),
        );
    }
}

fn verdicts(plain: &mut Plain, document: &Document<'_>) {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for requirement in &document.assessment.requirements {
        let name = requirement.verdict.name();
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    counts.sort();
    let counts: Vec<String> =
        counts.iter().map(|(name, n)| format!("{n} {}", name.replace('-', " "))).collect();
    plain.heading(&format!("Requirements: {}", document.assessment.requirements.len()));
    plain.line(2, &counts.join(" · "));
}

fn conflicts(plain: &mut Plain, document: &Document<'_>) {
    let all: Vec<&RequirementVerdict> = words::conflicts(document.assessment).collect();
    if all.is_empty() {
        return;
    }
    plain.heading(&format!("Answers in conflict with what was seen: {}", all.len()));
    for requirement in all {
        plain.line(2, &requirement.id);
        plain.line(4, &words::verdict_sentence(document.model, requirement));

        let contradicted = matches!(requirement.verdict, Verdict::Contradicted { .. });
        for rule in words::deciding(requirement).filter(|_| contradicted) {
            plain.line(4, &format!("{}: {}", rule.rule, words::not_met(&rule.measure)));
        }
    }
}

/// Rules with findings that are not met: what must not happen at all first, and within that what
/// bears on a requirement.
fn findings(plain: &mut Plain, document: &Document<'_>, view: &View<'_>) {
    let judgement = &document.assessment.judgement;
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &judgement.findings {
        if matches!(finding.outcome, Outcome::NotMet(_)) {
            by_rule.entry(finding.rule).or_default().push(finding);
        }
    }
    let never = titles::never(document);
    let (first, second): (Vec<_>, Vec<_>) =
        by_rule.into_iter().partition(|(rule, _)| never.contains(rule));
    for (heading, mut group) in
        [("Must not happen, and does", first), ("Other conditions found", second)]
    {
        if group.is_empty() {
            continue;
        }
        group.sort_by_key(|(rule, findings)| {
            (!titles::bears(document, rule), std::cmp::Reverse(findings.len()))
        });
        plain.heading(heading);
        for (rule, findings) in group.iter().take(RULES) {
            let measure = judgement.measures.get(rule).copied().unwrap_or_default();
            let title = titles::rule_title(document.rules, rule);
            plain.hanging(2, 4, &format!("{rule}: {title}: {}", words::not_met(&measure)));
            for finding in findings.iter().take(EXAMPLES) {
                let title = titles::subject(&finding.subject, view);
                let name = shortened(&title, 60);
                let sentence = finding.outcome.sentence().unwrap_or_default();
                plain.hanging(4, 8, &format!("{name}: {}", cut(sentence, 120)));
                if let Some(place) = finding.places.first().filter(|p| p.to_string() != title) {
                    let more = match finding.places.len() {
                        1 => String::new(),
                        places => format!(" and {} more", places - 1),
                    };
                    plain.line(6, &format!("{}{more}", shortened(&place.to_string(), 80)));
                }
            }
            if findings.len() > EXAMPLES {
                plain.line(4, &format!("and {} more", findings.len() - EXAMPLES));
            }
        }
        if group.len() > RULES {
            plain.line(2, &format!("and {} more rules", group.len() - RULES));
        }
    }
    let unknown = judgement.findings.iter().filter(|f| matches!(f.outcome, Outcome::Unknown(_)));
    let unknown = unknown.count();
    if unknown > 0 {
        plain.heading(&format!(
            "Unknown: for {} the evidence was not collected",
            words::count(unknown, "item", "items")
        ));
        for (rule, measure) in judgement.measures.iter().filter(|(_, m)| m.unknown > 0) {
            plain.line(2, &format!("{rule}: {} unknown", measure.unknown));
        }
    }
}

fn inventory(plain: &mut Plain, document: &Document<'_>, view: &View<'_>) {
    let counts: Vec<String> = titles::counts(document.inventory)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| words::count_of(kind, count))
        .collect();
    plain.heading("Inventory");
    let none = "nothing was found".to_owned();
    plain.line(2, &if counts.is_empty() { none } else { counts.join(" · ") });
    if let Some(sentence) = words::set_aside(document.assessment.judgement.set_aside) {
        plain.line(2, &sentence);
    }
    spoken(plain, document);
    summary::disk(plain, document, view);
    summary::tokens(plain, view);
    for (collector, scope, coverage) in document.inventory.coverage() {
        plain.line(
            2,
            &format!(
                "{collector} {}: {} of {} places read",
                shortened(scope, 50),
                coverage.read,
                coverage.asked
            ),
        );
        if let Some(unchanged) = words::unchanged(coverage) {
            plain.line(4, &unchanged);
        }
    }
}

/// How many endpoints speak each version, and of how many more than one handshake is known.
fn spoken(plain: &mut Plain, document: &Document<'_>) {
    let tls = |endpoint: &&Endpoint| !matches!(endpoint.handshake, Handshake::NoTls { .. });
    let endpoints = document.inventory.assets().filter_map(Asset::endpoint).filter(tls);
    let endpoints: Vec<&Endpoint> = endpoints.collect();
    if endpoints.is_empty() {
        return;
    }
    let counted = endpoint::VERSIONS.iter().filter_map(|version| {
        let speaking = endpoints.iter().filter(|e| e.speaks(version) == Fact::Yes).count();
        (speaking > 0).then(|| format!("{version} {speaking}"))
    });
    let counted: Vec<String> = counted.collect();
    if !counted.is_empty() {
        plain.line(2, &format!("Endpoints that speak {}", counted.join(" · ")));
    }
    let asked = endpoints.iter().filter(|endpoint| endpoint.posture.is_some()).count();
    let more = if asked < endpoints.len() {
        "; of the others one handshake, which shows one version"
    } else {
        ""
    };
    plain.line(2, &format!("Posture is known of {asked} of {}{more}", endpoints.len()));
}

fn gaps(plain: &mut Plain, document: &Document<'_>) {
    let mut by_reason: BTreeMap<GapReason, Vec<String>> = BTreeMap::new();
    for gap in document.inventory.gaps() {
        by_reason.entry(gap.reason).or_default().push(gap.place.to_string());
    }
    let all: usize = by_reason.values().map(Vec::len).sum();
    plain.heading(&format!("Asked for and not read: {}", words::count(all, "place", "places")));
    for (reason, places) in by_reason {
        let example = places.first().map_or_else(String::new, |place| shortened(place, 54));
        plain.line(2, &format!("{:>6}  {:<20} e.g. {example}", places.len(), reason.to_string()));
    }
}

fn exceptions(plain: &mut Plain, exceptions: &[ExceptionUse]) {
    if exceptions.is_empty() {
        return;
    }
    plain.heading("Exceptions of the policy");
    for used in exceptions {
        let state = match (used.expired, used.accepted) {
            (true, _) => format!("expired on {} and accepts nothing", used.exception.expires),
            (false, 0) => "matches nothing; does it have to stay?".to_owned(),
            (false, accepted) => format!(
                "accepts {} until {}",
                words::count(
                    usize::try_from(accepted).unwrap_or(usize::MAX),
                    "finding",
                    "findings"
                ),
                used.exception.expires
            ),
        };
        let (rule, pattern) = (&used.exception.rule, &used.exception.pattern);
        plain.hanging(2, 4, &format!("{rule} on {pattern}: {state}"));
    }
}

fn changed(plain: &mut Plain, changes: &Changes, view: &View<'_>) {
    plain.heading(&format!("Changes since {}", changes.since));
    let before = View::of(&changes.before);
    let names = |ids: &mut dyn Iterator<Item = pki_inventory::AssetId>| -> String {
        let name = |id| shortened(&titles::now_or_before(id, view, &before), 36);
        let names: Vec<String> = ids.take(EXAMPLES).map(name).collect();
        if names.is_empty() { String::new() } else { format!("  e.g. {}", names.join(", ")) }
    };
    let mut row = |label: &str, count: usize, names: String| {
        plain.hanging(2, 24, &format!("{label:<15} {count:>5}{names}"));
    };
    row("New", changes.new.len(), names(&mut changes.new.iter().copied()));
    row("Renewed", changes.renewed.len(), names(&mut changes.renewed.iter().map(|r| r.1)));
    row("Gone", changes.gone.len(), names(&mut changes.gone.iter().copied()));
    let unseen = names(&mut changes.not_looked_at.iter().copied());
    row("Not looked at", changes.not_looked_at.len(), unseen);
}

fn next(plain: &mut Plain, document: &Document<'_>) {
    plain.heading("Next");
    let first = words::conflicts(document.assessment)
        .next()
        .or_else(|| document.assessment.requirements.iter().find(|r| !r.rules().is_empty()));
    if let Some(requirement) = first {
        plain.line(2, &format!("pkimm-agent why {}", requirement.id));
    }
    plain.line(2, "pkimm-agent why <requirement, rule or asset id>   what a number rests on");
    plain.line(2, "pkimm-agent report --format html -o report.html   everything, for people");
    plain.line(2, "pkimm-agent report --format answers-yaml -o answers.yaml");
    plain.line(4, "what is left for people to answer, with what evidence suggests beside it");
    plain.line(
        2,
        &format!(
            "Judged by {}, sha256 {}.",
            shortened(document.policy_name, WIDTH / 2),
            document.policy_digest.short()
        ),
    );
}
