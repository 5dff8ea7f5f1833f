//! Joins findings with people's answers and scores them as the official tools do.
//!
//! [`assess`] runs the rules over an inventory, turns the findings of each rule into a
//! [`Measure`], each measure through a scale of the policy into the highest level that is still
//! consistent with it, and each requirement's measures into a bound and, where the evidence is not
//! thin, a suggestion. What a person answered and what was seen together make the [`Verdict`]. The
//! arithmetic of the official tools is in [`official`].
//!
//! What this crate does not do: no file, no clock, no network, no printing. The same inputs give
//! the same [`Assessment`].
//!
//! ```
//! use pki_config::Policy;
//! use pki_inventory::{Inventory, Time};
//! use pki_maturity::{Map, Model};
//! use pki_scoring::{Answers, History, Inputs, assess};
//!
//! let model = Model::built_in("2.0.0")?;
//! let assessment = assess(&Inputs {
//!     model: &model,
//!     map: &Map::for_model(&model)?,
//!     policy: &Policy::defaults()?,
//!     rules: pki_rules::RULES,
//!     inventory: &Inventory::default(),
//!     answers: &Answers::default(),
//!     history: History::default(),
//!     as_of: Time(1_795_219_200),
//! });
//! assert_eq!(assessment.requirements.len(), 76);
//! assert_eq!(assessment.scores.confirmed.overall.level, 0, "nothing answered, nothing confirmed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod assess;
mod assessment;
mod judgement;
mod limits;
pub mod official;
mod totals;
mod verdict;
mod yaml;

pub use answers::{Answer, Answers, Rating};
pub use assess::{History, Inputs, assess};
pub use assessment::{
    Assessment, Basis, ExceptionUse, RequirementVerdict, RuleEvidence, Suggestion,
};
pub use judgement::{Excepted, Judgement, Measure, judge_all};
pub use limits::limits_of;
pub use totals::{Totals, weights_of};
pub use verdict::Verdict;
