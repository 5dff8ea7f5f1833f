//! Who may do what to an object of a directory, as its security descriptor says.

use serde::{Deserialize, Serialize};

/// What a security descriptor comes to, denials taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Access {
    /// The owner, who may change the list whatever it says ([MS-DTYP], 2.5.3.2).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<Trustee>,
    /// Rights that somebody has in effect, sorted: those of the list, and those of the owner.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub grants: Vec<Grant>,
    /// Whom entries of the list deny rights that are looked at here.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub denied: Vec<Trustee>,
    /// What could not be told of members, in a sentence: a group whose members were not read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unresolved: Option<String>,
    /// What of the list itself is not in this, in a sentence: no list was handed over, an entry is of
    /// a kind that is not evaluated, there are too many domains.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_evaluated: Option<String>,
}

/// One right of one trustee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// What.
    pub right: Right,
    /// Who, as the list names him.
    pub trustee: Trustee,
    /// Which ordinary accounts have the right by this, perhaps through nested groups.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reaches: Vec<Ordinary>,
}

/// Somebody whom a security descriptor names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trustee {
    /// Security identifier in its text form ([MS-DTYP], 2.4.2.1).
    pub sid: String,
    /// What the directory, or [MS-DTYP] 2.4.2.4, calls it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What it is.
    pub standing: Standing,
    /// The groups through which ordinary accounts are in it, the outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub through: Vec<String>,
    /// How many accounts are in it, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub members: Option<u32>,
}

/// How much a trustee is trusted with anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Administers the forest, a domain or the PKI by default, or is the host of an authority.
    Privileged,
    /// Every ordinary account of some sort is in it.
    Ordinary,
    /// A user, a computer or a group of its own; how far it is trusted is not in the directory.
    Particular,
}

/// The sorts of accounts that nobody is asked about before they exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ordinary {
    /// A user with no membership beyond those that everyone has.
    User,
    /// A computer that joined the domain; any user may join some, by default.
    Computer,
    /// A guest of the domain.
    Guest,
    /// Nobody in particular.
    Anonymous,
}

/// Rights that matter to a PKI in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// To ask for a certificate (control access `Certificate-Enrollment`).
    Enrol,
    /// To be enrolled without asking (control access `Certificate-AutoEnrollment`).
    AutoEnrol,
    /// To own it, and so to change who may what.
    Own,
    /// All there is.
    FullControl,
    /// To change who may what.
    WriteDacl,
    /// To become its owner.
    WriteOwner,
    /// To change every attribute.
    WriteProperties,
    /// To change one attribute, or the attributes of one set, that decides over a PKI.
    WriteProperty(String),
    /// To create objects below it.
    CreateChild,
}

impl Access {
    /// The grants of a right.
    pub fn of<'a>(&'a self, right: &'a Right) -> impl Iterator<Item = &'a Grant> {
        self.grants.iter().filter(move |grant| grant.right == *right)
    }

    /// The grants that are enough to take the object over.
    pub fn takeovers(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.right.is_takeover())
    }
}

impl Grant {
    /// Whether ordinary accounts have the right by it.
    #[must_use]
    pub fn is_ordinary(&self) -> bool {
        !self.reaches.is_empty()
    }
}

impl Right {
    /// Whether who has it can make the object say whatever he likes.
    #[must_use]
    pub fn is_takeover(&self) -> bool {
        !matches!(self, Self::Enrol | Self::AutoEnrol | Self::CreateChild)
    }

    /// The words for it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Enrol => "enrol".to_owned(),
            Self::AutoEnrol => "auto-enrol".to_owned(),
            Self::Own => "own".to_owned(),
            Self::FullControl => "full control".to_owned(),
            Self::WriteDacl => "write the access list".to_owned(),
            Self::WriteOwner => "write the owner".to_owned(),
            Self::WriteProperties => "write all properties".to_owned(),
            Self::WriteProperty(name) => format!("write {name}"),
            Self::CreateChild => "create objects below it".to_owned(),
        }
    }
}

impl Ordinary {
    /// The word for several of them.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Computer => "computers",
            Self::Guest => "guests",
            Self::Anonymous => "anonymous",
        }
    }
}

impl Standing {
    /// The word for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Ordinary => "ordinary",
            Self::Particular => "particular",
        }
    }
}

impl std::fmt::Display for Trustee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or(&self.sid))
    }
}
