//! Findings: one rule's outcome for one item.

use std::fmt;

use pki_inventory::{Asset, AssetId, Body, KeyUse, Kind, Place};

use crate::population::is_shipped;
use crate::{Check, Rule, RuleContext};

/// One rule's outcome for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// What came of it.
    pub outcome: Outcome,
    /// Where it can be looked at.
    pub places: Vec<Place>,
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An asset of the inventory.
    Asset(AssetId),
    /// A scope that a collector was given.
    Scope {
        /// The collector.
        collector: String,
        /// The scope as the user wrote it.
        scope: String,
    },
}

/// The outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The condition was looked for and is not there.
    Met,
    /// The same, and the sentence says what shows it, or why what looks like it is not.
    MetBecause(String),
    /// It is there; the sentence says how it shows.
    NotMet(String),
    /// The rule is not about this item.
    NotApplicable,
    /// The rule would be about it, but for what the sentence says.
    NotApplicableBecause(String),
    /// It could not be looked for; the sentence says why.
    Unknown(String),
}

/// Runs rules over everything in the view, in the order of the rules and of the inventory, and
/// hands out each finding. `NotApplicable` ones come too, without places where they say nothing.
pub fn judge(rules: &[&'static Rule], cx: &RuleContext<'_>, out: &mut dyn FnMut(Finding)) {
    for rule in rules {
        match rule.check {
            Check::Certificate(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Certificate(certificate) => Some(check(asset, certificate, cx)),
                _ => None,
            }),
            Check::Key(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Key(key) => Some(check(asset, key, cx)),
                _ => None,
            }),
            Check::Endpoint(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Endpoint(endpoint) => Some(check(asset, endpoint, cx)),
                _ => None,
            }),
            Check::Keystore(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Keystore(store) => Some(check(asset, store, cx)),
                _ => None,
            }),
            Check::TrustStore(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::TrustStore(store) => Some(check(asset, store, cx)),
                _ => None,
            }),
            Check::Configuration(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Configuration(configuration) => Some(check(asset, configuration, cx)),
                _ => None,
            }),
            Check::Token(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Token(token) => Some(check(asset, token, cx)),
                _ => None,
            }),
            Check::TokenKey(check) => {
                for key in cx.view.token_keys() {
                    let outcome = check(key, cx);
                    let places = match outcome {
                        Outcome::NotApplicable => Vec::new(),
                        _ => key.objects.iter().map(|held| held.sighting.place.clone()).collect(),
                    };
                    out(Finding::new(rule.id, Subject::Asset(key.asset.id), outcome, places));
                }
            }
            Check::Authority(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Authority(authority) => Some(check(asset, authority, cx)),
                _ => None,
            }),
            Check::Template(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Template(template) => Some(check(asset, template, cx)),
                _ => None,
            }),
            Check::DirectoryObject(check) => {
                each_asset(rule, cx, out, &|asset| match &asset.body {
                    Body::DirectoryObject(object) => Some(check(asset, object, cx)),
                    _ => None,
                })
            }
            Check::RevocationList(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::RevocationList(list) => Some(check(asset, list, cx)),
                _ => None,
            }),
            Check::Encoded(check) => each_asset(rule, cx, out, &|asset| match &asset.body {
                Body::Authority(_)
                | Body::Automation(_)
                | Body::Configuration(_)
                | Body::DirectoryObject(_)
                | Body::Endpoint(_)
                | Body::Issuance(_)
                | Body::SecretKey(_)
                | Body::Template(_)
                | Body::Token(_) => None,
                _ => Some(check(asset, cx)),
            }),
            Check::CertifiedKey(check) => {
                for key in cx.view.keys() {
                    let subject = Subject::Asset(AssetId::new(Kind::Key, key.spki));
                    let mut places: Vec<Place> =
                        key.certificates.iter().flat_map(|asset| asset.places()).cloned().collect();
                    places.sort();
                    places.dedup();
                    out(Finding::new(rule.id, subject, check(&key, cx), places));
                }
                for (spki, assets) in cx.view.bare_keys() {
                    let key = KeyUse { spki, certificates: &[] };
                    let outcome = check(&key, cx);
                    if outcome != Outcome::NotApplicable {
                        let subject = Subject::Asset(AssetId::new(Kind::Key, spki));
                        let places = assets.iter().flat_map(|asset| asset.places()).cloned();
                        out(Finding::new(rule.id, subject, outcome, places.collect()));
                    }
                }
            }
            Check::Scope(check) => {
                for (collector, scope, coverage) in cx.view.inventory().coverage() {
                    let (collector, scope) = (collector.to_owned(), scope.to_owned());
                    let subject = Subject::Scope { collector, scope };
                    out(Finding::new(rule.id, subject, check(coverage, cx), Vec::new()));
                }
            }
        }
    }
}

/// Whether an asset takes no part because it was seen only where software ships its own files and
/// no server presents it.
#[must_use]
pub fn is_set_aside(asset: &Asset, cx: &RuleContext<'_>) -> bool {
    is_shipped(asset, cx)
}

fn each_asset(
    rule: &'static Rule,
    cx: &RuleContext<'_>,
    out: &mut dyn FnMut(Finding),
    check: &dyn Fn(&Asset) -> Option<Outcome>,
) {
    for asset in cx.view.inventory().assets() {
        if let Some(outcome) = check(asset) {
            let places = match outcome {
                Outcome::NotApplicable => Vec::new(),
                _ => asset.places().cloned().collect(),
            };
            out(Finding::new(rule.id, Subject::Asset(asset.id), outcome, places));
        }
    }
}

impl Finding {
    fn new(rule: &'static str, subject: Subject, outcome: Outcome, places: Vec<Place>) -> Self {
        Self { rule, subject, outcome, places }
    }
}

impl Outcome {
    /// `met`, `not-met`, `not-applicable` or `unknown`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Met | Self::MetBecause(_) => "met",
            Self::NotMet(_) => "not-met",
            Self::NotApplicable | Self::NotApplicableBecause(_) => "not-applicable",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The sentence, where there is one.
    #[must_use]
    pub fn sentence(&self) -> Option<&str> {
        match self {
            Self::MetBecause(sentence)
            | Self::NotMet(sentence)
            | Self::NotApplicableBecause(sentence)
            | Self::Unknown(sentence) => Some(sentence),
            Self::Met | Self::NotApplicable => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asset(id) => id.fmt(f),
            Self::Scope { collector, scope } => write!(f, "scope:{collector}:{scope}"),
        }
    }
}
