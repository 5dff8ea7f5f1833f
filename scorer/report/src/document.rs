//! What a report is made from, and what a format is.

use std::io::{self, Write};

use pki_inventory::{AssetId, Digest, Inventory, Time};
use pki_maturity::{Map, Model};
use pki_rules::Rule;
use pki_scoring::Assessment;

/// Everything a report may print. All of it is borrowed; nothing is looked up elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The model that was assessed against.
    pub model: &'a Model,
    /// Which rules bear on which requirement.
    pub map: &'a Map,
    /// The rules that ran.
    pub rules: &'a [&'static Rule],
    /// What it came to.
    pub assessment: &'a Assessment,
    /// What was seen.
    pub inventory: &'a Inventory,
    /// What differs from the run before; `None` for a first run.
    pub changes: Option<&'a Changes>,
    /// Version of the agent.
    pub agent_version: &'a str,
    /// `default policy`, or the path of the policy file.
    pub policy_name: &'a str,
    /// SHA-256 of the policy's text.
    pub policy_digest: Digest,
    /// What was asked for, in sentences.
    pub scope: &'a [String],
}

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The run before.
    pub since: Time,
    /// Assets that were not there before.
    pub new: Vec<AssetId>,
    /// Assets that are not there any more although their places were read.
    pub gone: Vec<AssetId>,
    /// Certificates with their successors.
    pub renewed: Vec<(AssetId, AssetId)>,
    /// Assets whose places were not read this time: nothing is known of them.
    pub not_looked_at: Vec<AssetId>,
    /// What the run before saw: the only place where what is gone still has a name.
    pub before: Inventory,
}

/// A form that a document can be printed in.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The name used in options.
    pub name: &'static str,
    /// What it is good for, in a few words.
    pub about: &'static str,
    /// Prints.
    pub render: fn(&Document<'_>, &mut dyn Write) -> io::Result<()>,
}
