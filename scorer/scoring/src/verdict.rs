//! What an answer and the evidence make together.

use pki_config::Contradicted;
use pki_maturity::Level;

use crate::{Answer, Rating};

/// The outcome for one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Neither answered nor suggested.
    Unrated,
    /// Not answered; the evidence suggests this level. It counts in the provisional score only.
    Suggested(Level),
    /// Answered; evidence says nothing.
    Declared(Level),
    /// Answered, and what was seen agrees with it.
    Corroborated(Level),
    /// Answered higher than what was seen supports, but not contradicted.
    BeyondEvidence {
        /// The answer, which counts.
        answered: Level,
        /// What the evidence supports.
        supported: Level,
    },
    /// Answered higher than what was seen is consistent with.
    Contradicted {
        /// The answer.
        answered: Level,
        /// The highest level consistent with what was seen.
        bound: Level,
        /// What counts, by the policy.
        counts: Level,
        /// The written reason of the policy, where the answer counts all the same.
        kept_because: Option<String>,
    },
    /// A person took it out of scope.
    OutOfScope {
        /// How many assets the evidence shows in use all the same; 0 is no conflict.
        seen_in_use: u64,
    },
}

impl Verdict {
    /// Joins the two sides by the table of the design: an answer stands unless what was seen
    /// contradicts it.
    pub(crate) fn of(
        answer: Option<&Answer>,
        bound: Option<Level>,
        suggestion: Option<Level>,
        judged: u64,
        contradicted: &Contradicted,
    ) -> Self {
        let answered = match answer.map(|answer| answer.rating) {
            None => return suggestion.map_or(Self::Unrated, Self::Suggested),
            Some(Rating::OutOfScope) => return Self::OutOfScope { seen_in_use: judged },
            Some(Rating::Level(level)) => level,
        };
        match (bound, suggestion) {
            (None, _) => Self::Declared(answered),
            (Some(bound), _) if answered > bound => {
                let (counts, kept_because) = match contradicted {
                    Contradicted::Cap => (bound, None),
                    Contradicted::Keep(reason) => (answered, Some(reason.clone())),
                };
                Self::Contradicted { answered, bound, counts, kept_because }
            }
            (Some(_), Some(supported)) if answered > supported => {
                Self::BeyondEvidence { answered, supported }
            }
            (Some(_), _) => Self::Corroborated(answered),
        }
    }

    /// The name used in files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unrated => "unrated",
            Self::Suggested(_) => "suggested",
            Self::Declared(_) => "declared",
            Self::Corroborated(_) => "corroborated",
            Self::BeyondEvidence { .. } => "declared-beyond-evidence",
            Self::Contradicted { .. } => "contradicted",
            Self::OutOfScope { .. } => "out-of-scope",
        }
    }

    /// The level that counts in the confirmed score: what a person answered, capped.
    #[must_use]
    pub fn confirmed(&self) -> Option<Level> {
        match self {
            Self::Declared(level)
            | Self::Corroborated(level)
            | Self::BeyondEvidence { answered: level, .. }
            | Self::Contradicted { counts: level, .. } => Some(*level),
            Self::Unrated | Self::Suggested(_) | Self::OutOfScope { .. } => None,
        }
    }

    /// The level that counts in the provisional score: suggestions too.
    #[must_use]
    pub fn provisional(&self) -> Option<Level> {
        match self {
            Self::Suggested(level) => Some(*level),
            other => other.confirmed(),
        }
    }

    /// Whether what was seen bears on it.
    #[must_use]
    pub fn rests_on_evidence(&self) -> bool {
        match self {
            Self::Suggested(_)
            | Self::Corroborated(_)
            | Self::BeyondEvidence { .. }
            | Self::Contradicted { .. } => true,
            Self::Unrated | Self::Declared(_) | Self::OutOfScope { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use pki_inventory::Time;

    use super::*;

    fn level(number: i64) -> Level {
        Level::try_from(number).unwrap_or_else(|error| panic!("{error}"))
    }

    fn answer(rating: Rating) -> Answer {
        Answer {
            rating,
            by: "J".to_owned(),
            when: Time(0),
            why: "w".to_owned(),
            evidence: Vec::new(),
            review: None,
            line: 1,
        }
    }

    #[test]
    fn every_row_of_the_truth_table() {
        let (keep, cap) = (Contradicted::Keep("agreed".to_owned()), Contradicted::Cap);
        let at = |number| Some(Rating::Level(level(number)));
        let contradicted = |counts| Verdict::Contradicted {
            answered: level(4),
            bound: level(2),
            counts: level(counts),
            kept_because: (counts == 4).then(|| "agreed".to_owned()),
        };
        let beyond = Verdict::BeyondEvidence { answered: level(4), supported: level(3) };
        for (rating, bound, suggestion, policy, expected) in [
            (None, None, None, &cap, Verdict::Unrated),
            (None, Some(2), None, &cap, Verdict::Unrated),
            (None, Some(5), Some(3), &cap, Verdict::Suggested(level(3))),
            (at(4), None, None, &cap, Verdict::Declared(level(4))),
            (at(2), Some(5), None, &cap, Verdict::Corroborated(level(2))),
            (at(3), Some(5), Some(3), &cap, Verdict::Corroborated(level(3))),
            (at(4), Some(5), Some(3), &cap, beyond),
            (at(4), Some(2), None, &cap, contradicted(2)),
            (at(4), Some(2), Some(2), &cap, contradicted(2)),
            (at(4), Some(2), None, &keep, contradicted(4)),
            (
                Some(Rating::OutOfScope),
                Some(2),
                Some(2),
                &cap,
                Verdict::OutOfScope { seen_in_use: 7 },
            ),
        ] {
            let answer = rating.map(answer);
            let verdict =
                Verdict::of(answer.as_ref(), bound.map(level), suggestion.map(level), 7, policy);
            assert_eq!(verdict, expected, "{rating:?} {bound:?} {suggestion:?}");
        }
    }
}
