//! Findings, exceptions and measures: what the rules came to over the whole inventory.

use std::collections::BTreeMap;

use pki_config::{Exception, Policy};
use pki_inventory::{Asset, AssetId, Inventory, Kind, Time, View};
use pki_rules::{Finding, Outcome, Rule, RuleContext, Subject, is_set_aside, judge, matches};

use crate::limits::{limits_of, start_of};

/// One rule over its population.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// N: assets for which the rule came to met or not met, exceptions left out.
    pub judged: u64,
    /// n: of these, not met.
    pub not_met: u64,
    /// u: assets for which the evidence was not collected.
    pub unknown: u64,
    /// Assets not met that an exception of the policy accepts; they are in no other figure.
    pub excepted: u64,
    /// g: places that were asked for and not read, in the scopes that feed the rule.
    pub gaps: u64,
    /// Places that were asked for in those scopes.
    pub asked: u64,
}

/// A finding that an exception accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excepted {
    /// The finding, always `NotMet`.
    pub finding: Finding,
    /// Which exception of the policy, the first that accepts it, counted from 0.
    pub exception: usize,
}

/// Everything the rules came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// By rule id.
    pub measures: BTreeMap<&'static str, Measure>,
    /// Findings that are not met or unknown, by rule and asset.
    pub findings: Vec<Finding>,
    /// Findings accepted by an exception.
    pub excepted: Vec<Excepted>,
    /// For each exception of the policy, how many findings it accepts.
    pub exception_uses: Vec<u64>,
    /// Assets that take no part because they were seen only where software ships its own files.
    pub set_aside: u64,
}

impl Measure {
    /// n ÷ N; `None` when nothing was judged.
    #[must_use]
    pub fn not_met_share(&self) -> Option<f64> {
        share(self.not_met, self.judged)
    }

    /// n ÷ (N + u): what n ÷ N would come to if everything unknown were met. A level that the
    /// evidence rules out must be ruled out whatever is unknown, and bad things often show where
    /// good ones do not: one handshake proves an old protocol, and never the absence of one.
    #[must_use]
    pub fn least_not_met_share(&self) -> Option<f64> {
        if self.judged == 0 { None } else { share(self.not_met, self.judged + self.unknown) }
    }

    /// u ÷ (N + u).
    #[must_use]
    pub fn unknown_share(&self) -> Option<f64> {
        share(self.unknown, self.judged + self.unknown)
    }

    /// g ÷ asked.
    #[must_use]
    pub fn gap_share(&self) -> Option<f64> {
        share(self.gaps, self.asked)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Runs the rules under a policy. Each finding also goes to `each`, `Met` and `NotApplicable` ones
/// included, which the judgement does not keep.
pub fn judge_all(
    rules: &[&'static Rule],
    inventory: &Inventory,
    policy: &Policy,
    as_of: Time,
    each: &mut dyn FnMut(&Finding),
) -> Judgement {
    let view = View::of(inventory);
    let limits = limits_of(policy);
    let mut all = Judgement {
        exception_uses: vec![0; policy.exceptions.len()],
        measures: rules.iter().map(|rule| (rule.id, fed(rule, inventory))).collect(),
        ..Judgement::default()
    };
    let cx = RuleContext { as_of, view: &view, limits: &limits };
    let aside = |asset: &&Asset| is_set_aside(asset, &cx);
    all.set_aside = inventory.assets().filter(aside).count() as u64;
    judge(rules, &cx, &mut |finding| {
        each(&finding);
        let measure = all.measures.entry(finding.rule).or_default();
        match finding.outcome {
            Outcome::NotApplicable | Outcome::NotApplicableBecause(_) => {}
            Outcome::Met | Outcome::MetBecause(_) => measure.judged += 1,
            Outcome::Unknown(_) => {
                measure.unknown += 1;
                all.findings.push(finding);
            }
            Outcome::NotMet(_) => {
                let accepting = accepting(&finding, policy, &view, as_of);
                for exception in &accepting {
                    all.exception_uses[*exception] += 1;
                }
                match accepting.first() {
                    Some(&exception) => {
                        measure.excepted += 1;
                        all.excepted.push(Excepted { finding, exception });
                    }
                    None => {
                        measure.judged += 1;
                        measure.not_met += 1;
                        all.findings.push(finding);
                    }
                }
            }
        }
    });
    all
}

/// The gaps of the collectors whose sightings the rule needs. Of several collectors the one that
/// read least counts: a hundred thousand files must not hide ten servers that nobody reached.
fn fed(rule: &Rule, inventory: &Inventory) -> Measure {
    let feeding = rule.fed_by.iter().map(|collector| {
        let mut measure = Measure::default();
        for (_, _, coverage) in inventory.coverage().filter(|(name, ..)| name == collector) {
            measure.gaps += coverage.not_read;
            measure.asked += coverage.asked;
        }
        measure
    });
    let share = |measure: &Measure| measure.gap_share().unwrap_or(-1.0);
    feeding.max_by(|a, b| share(a).total_cmp(&share(b))).unwrap_or_default()
}

/// The exceptions in force that accept the finding: by its subject or a name, or because they match
/// every one of its places. One place of a key that lies in two excuses nothing.
fn accepting(finding: &Finding, policy: &Policy, view: &View<'_>, as_of: Time) -> Vec<usize> {
    if policy.exceptions.is_empty() {
        return Vec::new();
    }
    let mut texts = vec![finding.subject.to_string()];
    if let Subject::Asset(id) = &finding.subject {
        texts.extend(names(*id, view));
    }
    let places: Vec<String> = finding.places.iter().map(ToString::to_string).collect();
    let accepts = |exception: &Exception| {
        let fits = |text: &String| matches(&exception.pattern, text);
        in_force(exception, as_of)
            && matches(&exception.rule, finding.rule)
            && (texts.iter().any(fits) || (!places.is_empty() && places.iter().all(fits)))
    };
    let all = policy.exceptions.iter().enumerate();
    all.filter(|(_, exception)| accepts(exception)).map(|(at, _)| at).collect()
}

/// An exception holds through its last day.
pub(crate) fn in_force(exception: &Exception, as_of: Time) -> bool {
    as_of < start_of(exception.expires).plus_days(1)
}

fn names(id: AssetId, view: &View<'_>) -> Vec<String> {
    let of = |asset: &Asset| {
        asset.certificate().map(pki_inventory::Certificate::lineage_names).unwrap_or_default()
    };
    match id.kind {
        Kind::Key => view.certificates_of(id.sha256).iter().flat_map(|asset| of(asset)).collect(),
        _ => view.inventory().get(id).map(of).unwrap_or_default(),
    }
}
