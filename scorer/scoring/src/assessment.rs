//! The result: what every report prints.

use pki_config::{Exception, Origin};
use pki_inventory::Time;
use pki_maturity::Level;
use pki_rules::Finding;

use crate::{Answer, Judgement, Measure, Totals, Verdict};

/// Everything a report may say. It computes nothing itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The instant of judgement.
    pub as_of: Time,
    /// Version of the model.
    pub model_version: String,
    /// In the order of the model.
    pub requirements: Vec<RequirementVerdict>,
    /// The three scores and the evidence share.
    pub scores: Totals,
    /// What the rules came to.
    pub judgement: Judgement,
    /// Each exception of the policy and what it did.
    pub exceptions: Vec<ExceptionUse>,
    /// Completed runs that the history cap was decided by, and the days they span.
    pub history: crate::History,
}

/// One requirement, with everything its level rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct RequirementVerdict {
    /// Id in the model.
    pub id: String,
    /// What evidence can say about it.
    pub basis: Basis,
    /// The person's side.
    pub answer: Option<Answer>,
    /// Whether the review date of the answer is past.
    pub review_overdue: bool,
    /// Both together.
    pub verdict: Verdict,
}

/// The evidence's side.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// Rules bear on it.
    Judged {
        /// The highest level evidence alone may suggest.
        can: Level,
        /// What no scan can see of it.
        beyond: String,
        /// Each rule.
        rules: Vec<RuleEvidence>,
        /// The highest level consistent with what was seen; `None` when nothing was judged.
        bound: Option<Level>,
        /// What the evidence suggests.
        suggestion: Suggestion,
    },
    /// Evidence says nothing.
    Manual {
        /// Why.
        reason: String,
    },
}

/// A suggestion, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// This level.
    Level {
        /// The suggestion.
        level: Level,
        /// What held it down: the rules, what evidence can support at all, or the history.
        limited_by: String,
    },
    /// None, for these reasons.
    None(Vec<String>),
}

/// One rule's part in one requirement.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleEvidence {
    /// The rule.
    pub rule: &'static str,
    /// Name of the scale.
    pub scale: String,
    /// The figures.
    pub measure: Measure,
    /// The highest level consistent with them, whatever the unknown ones may be; `None` when
    /// nothing was judged.
    pub level: Option<Level>,
    /// The level that the judged ones by themselves come to, where they are not thin: what a
    /// suggestion may rest on. Never above `level`.
    pub supports: Option<Level>,
    /// The threshold that decided, in words.
    pub threshold: String,
    /// Where the scale stands in the policy.
    pub origin: Option<Origin>,
    /// Why the figures are too thin to suggest anything from, if they are. Of a rule that reaches
    /// only what was shown ([`pki_rules::Reach`]) this keeps no other rule from suggesting.
    pub thin: Option<String>,
}

/// An exception of the policy and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionUse {
    /// The exception.
    pub exception: Exception,
    /// How many findings it accepted. 0 deserves a look.
    pub accepted: u64,
    /// Whether its last day is past; it accepts nothing then.
    pub expired: bool,
}

impl RequirementVerdict {
    /// The highest level consistent with what was seen.
    #[must_use]
    pub fn bound(&self) -> Option<Level> {
        match &self.basis {
            Basis::Judged { bound, .. } => *bound,
            Basis::Manual { .. } => None,
        }
    }

    /// The level the evidence suggests.
    #[must_use]
    pub fn suggestion(&self) -> Option<Level> {
        match &self.basis {
            Basis::Judged { suggestion: Suggestion::Level { level, .. }, .. } => Some(*level),
            _ => None,
        }
    }

    /// The rules that bear on it.
    #[must_use]
    pub fn rules(&self) -> &[RuleEvidence] {
        match &self.basis {
            Basis::Judged { rules, .. } => rules,
            Basis::Manual { .. } => &[],
        }
    }
}

impl Assessment {
    /// One requirement.
    #[must_use]
    pub fn requirement(&self, id: &str) -> Option<&RequirementVerdict> {
        self.requirements.iter().find(|requirement| requirement.id == id)
    }

    /// The findings of one rule that are not met or unknown.
    pub fn findings_of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Finding> {
        self.judgement.findings.iter().filter(move |finding| finding.rule == rule)
    }
}
