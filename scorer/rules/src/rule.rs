//! What a rule is.

use pki_inventory::{
    Asset, Authority, Certificate, Configuration, Coverage, DirectoryObject, Endpoint, Key, KeyUse,
    Keystore, RevocationList, Template, Time, Token, TokenKey, TrustStore, View,
};

use crate::{Limits, Outcome};

/// One condition that is looked for.
#[derive(Debug)]
pub struct Rule {
    /// `subject.condition`, the condition being the one that is not met: `cert.expired-in-service`.
    pub id: &'static str,
    /// The condition as a sentence without a full stop.
    pub title: &'static str,
    /// Where the limit comes from.
    pub cites: &'static [Cite],
    /// Since when the limit holds.
    pub in_force: InForce,
    /// Names of the collectors whose sightings it needs; their gaps are its gaps.
    pub fed_by: &'static [&'static str],
    /// How much of its population what feeds it can show.
    pub reach: Reach,
    /// The population and the check.
    pub check: Check,
}

/// A document and a section of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cite {
    /// `RFC 5280`.
    pub document: &'static str,
    /// `4.1.2.5`.
    pub section: &'static str,
}

/// Since when a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InForce {
    /// It always did.
    Always,
    /// It changed over the years; each item is judged by the limit of its day, which the limits of
    /// the policy carry.
    ByDate,
    /// The policy of the organisation sets it.
    Policy,
}

/// How much of its population the least that its collectors bring can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of it. Items that are unknown are holes in the evidence.
    Whole,
    /// Only items that showed more than they had to, such as a stapled status or the answers to a
    /// deeper scan. That many are unknown is no hole in what other rules saw.
    WhereShown,
}

/// A check and what it runs over. An item that the rule is not about is `NotApplicable`.
#[derive(Debug)]
pub enum Check {
    /// Every certificate.
    Certificate(fn(&Asset, &Certificate, &RuleContext<'_>) -> Outcome),
    /// Every key seen outside a certificate.
    Key(fn(&Asset, &Key, &RuleContext<'_>) -> Outcome),
    /// Every certified key, with its certificates; and of the others those that the rule is about.
    CertifiedKey(fn(&KeyUse<'_>, &RuleContext<'_>) -> Outcome),
    /// Every keystore.
    Keystore(fn(&Asset, &Keystore, &RuleContext<'_>) -> Outcome),
    /// Every trust store.
    TrustStore(fn(&Asset, &TrustStore, &RuleContext<'_>) -> Outcome),
    /// Everything that settings ask for, part by part.
    Configuration(fn(&Asset, &Configuration, &RuleContext<'_>) -> Outcome),
    /// Every cryptographic token.
    Token(fn(&Asset, &Token, &RuleContext<'_>) -> Outcome),
    /// Every private or symmetric key that lies on a token.
    TokenKey(fn(&TokenKey<'_>, &RuleContext<'_>) -> Outcome),
    /// Every authority that a directory registers.
    Authority(fn(&Asset, &Authority, &RuleContext<'_>) -> Outcome),
    /// Every certificate template.
    Template(fn(&Asset, &Template, &RuleContext<'_>) -> Outcome),
    /// Every other object of a directory that a PKI rests on.
    DirectoryObject(fn(&Asset, &DirectoryObject, &RuleContext<'_>) -> Outcome),
    /// Every revocation list.
    RevocationList(fn(&Asset, &RevocationList, &RuleContext<'_>) -> Outcome),
    /// Everything that has an encoding of its own or claims to have one, what could not be parsed
    /// included.
    Encoded(fn(&Asset, &RuleContext<'_>) -> Outcome),
    /// Every endpoint that answered.
    Endpoint(fn(&Asset, &Endpoint, &RuleContext<'_>) -> Outcome),
    /// Every scope of every collector.
    Scope(fn(&Coverage, &RuleContext<'_>) -> Outcome),
}

/// What a rule may look at besides its item.
#[derive(Debug, Clone, Copy)]
pub struct RuleContext<'a> {
    /// The instant of judgement.
    pub as_of: Time,
    /// The inventory with its joins.
    pub view: &'a View<'a>,
    /// The thresholds and lists of the policy.
    pub limits: &'a Limits,
}

impl std::fmt::Display for Cite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.section.is_empty() {
            return f.write_str(self.document);
        }
        write!(f, "{}, {}", self.document, self.section)
    }
}
