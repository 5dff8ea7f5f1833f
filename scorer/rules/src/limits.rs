//! The thresholds and lists that rules compare with.
//!
//! They are what the policy file says, in the form in which rules need it. The defaults here are
//! empty lists and strict figures; the policy's own defaults are in its commented file.

use pki_inventory::{Certificate, KeyAlgorithm, Standing, Time, Trustee};

use crate::matches;

/// Thresholds and lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// A certificate is due for renewal this many days before its end, or when a third of its life
    /// is left, whichever is later.
    pub renewal_days: i64,
    /// An expired certificate still served after this many days says that nobody watches.
    pub unattended_days: i64,
    /// An automatic renewal that is overdue for more days than these has stalled.
    pub renewal_grace_days: i64,
    /// Longest validity by first day of validity, oldest first.
    pub lifetimes: Vec<LifetimeLimit>,
    /// Approved key algorithms.
    pub keys: Vec<KeyLimit>,
    /// Approved signature algorithms, by name.
    pub signatures: Vec<String>,
    /// Approved protocol versions, by name.
    pub protocols: Vec<String>,
    /// Approved cipher suites: patterns over their IANA names.
    pub cipher_suites: Vec<String>,
    /// Key exchange groups that resist a quantum computer, by IANA name.
    pub quantum_safe_groups: Vec<String>,
    /// Shortest prime of a finite field for ephemeral keys, in bits.
    pub min_dhe_bits: u32,
    /// Approved issuers; empty means that the policy names none.
    pub issuers: Vec<Approval>,
    /// Who owns what; empty means that the policy names nobody.
    pub owners: Vec<Owner>,
    /// Groups that may read private keys, by name.
    pub key_reader_groups: Vec<String>,
    /// Fewest iterations of a derivation such as PBKDF2 that protects a key.
    pub pbkdf2_iterations: u32,
    /// Smallest cost N of scrypt.
    pub scrypt_cost: u64,
    /// Accounts and groups of a directory that are trusted as administrators are: names such as
    /// `CORP\PKI Admins`, or security identifiers.
    pub trusted_principals: Vec<String>,
    /// Patterns over places of files that come with software.
    pub shipped: Vec<String>,
    /// Highest share of a scope that may go unread.
    pub max_gap_share: f64,
}

/// An approved key algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLimit {
    /// Name of the algorithm or curve.
    pub name: String,
    /// Smallest size in bits, for algorithms that come in sizes.
    pub min_bits: Option<u32>,
}

/// From a day on, certificates may not be valid longer than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifetimeLimit {
    /// First day of validity from which it holds.
    pub from: Time,
    /// Days, both ends included, fractions counted as a day.
    pub days: i64,
}

/// An approved issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// By common name of the issuer.
    CommonName(String),
    /// By organisation of the issuer.
    Organisation(String),
    /// By the issuer's whole name.
    Name(String),
}

/// Who answers for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// A person or team.
    pub owner: String,
    /// Patterns over names in the certificate.
    pub names: Vec<String>,
    /// Patterns over places.
    pub places: Vec<String>,
}

impl KeyLimit {
    /// Whether this line approves the algorithm.
    #[must_use]
    pub fn approves(&self, key: &KeyAlgorithm) -> bool {
        let named = key.name == self.name || key.curve.as_deref() == Some(&self.name);
        named && self.min_bits.is_none_or(|least| key.bits.is_some_and(|bits| bits >= least))
    }
}

impl Limits {
    /// Whether any line approves the algorithm.
    #[must_use]
    pub fn approves_key(&self, key: &KeyAlgorithm) -> bool {
        self.keys.iter().any(|limit| limit.approves(key))
    }

    /// Whether a size or curve that is not known decides over the approval of this algorithm.
    #[must_use]
    pub fn is_undecided(&self, key: &KeyAlgorithm) -> bool {
        let sized = |limit: &KeyLimit| limit.name == key.name && limit.min_bits.is_some();
        match key.name.as_str() {
            "EC" => key.curve.is_none(),
            _ => key.bits.is_none() && self.keys.iter().any(sized),
        }
    }

    /// Whether somebody whom an access list names is trusted: by what he is, or by the policy.
    #[must_use]
    pub fn trusts(&self, trustee: &Trustee) -> bool {
        let is = |text: &String| {
            let (text, name) = (text.to_lowercase(), trustee.name.as_ref());
            text == trustee.sid.to_lowercase()
                || name.is_some_and(|name| text == name.to_lowercase())
        };
        trustee.standing == Standing::Privileged || self.trusted_principals.iter().any(is)
    }

    /// Whether any pattern approves the cipher suite.
    #[must_use]
    pub fn approves_suite(&self, suite: &str) -> bool {
        self.cipher_suites.iter().any(|pattern| matches(pattern, suite))
    }

    /// The longest validity for a certificate that begins at this instant.
    #[must_use]
    pub fn lifetime_at(&self, not_before: Time) -> Option<LifetimeLimit> {
        self.lifetimes.iter().rev().find(|limit| limit.from <= not_before).copied()
    }

    /// Whether the issuer of a certificate is approved.
    #[must_use]
    pub fn approves_issuer(&self, certificate: &Certificate) -> bool {
        let issuer = &certificate.issuer;
        self.issuers.iter().any(|approval| match approval {
            Approval::CommonName(name) => issuer.common_name.as_ref() == Some(name),
            Approval::Organisation(name) => issuer.organisation.as_ref() == Some(name),
            Approval::Name(name) => issuer.text == *name,
        })
    }
}
