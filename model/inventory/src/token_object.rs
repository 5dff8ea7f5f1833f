//! What a token says of one object on it (PKCS #11 v3.1, section 4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Time;

/// An object on a token, by its attributes. Each is absent where the object has none such or the
/// module did not tell it; [`untold`](Self::untold) says which of those that were asked for and why.
///
/// They belong to the object, not to the key: the same key may be extractable on one token and not on
/// another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenObject {
    /// Its class.
    pub class: ObjectClass,
    /// `CKA_ID` in hexadecimal digits; empty where the object has an empty one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// `CKA_UNIQUE_ID`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unique_id: Option<String>,
    /// `CKA_KEY_TYPE` by its name in the standard, such as `CKK_RSA`, or its number in hexadecimal
    /// digits, such as `0x80000042`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_type: Option<String>,
    /// `CKA_TOKEN`: it stays when the session ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<bool>,
    /// `CKA_PRIVATE`: it is shown to a user who is logged in only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub private: Option<bool>,
    /// `CKA_MODIFIABLE`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub modifiable: Option<bool>,
    /// `CKA_COPYABLE`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub copyable: Option<bool>,
    /// `CKA_DESTROYABLE`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub destroyable: Option<bool>,
    /// `CKA_LOCAL`: it was generated on the token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub local: Option<bool>,
    /// `CKA_KEY_GEN_MECHANISM`, named as mechanisms are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_gen_mechanism: Option<String>,
    /// `CKA_SENSITIVE`: its value cannot be read in the clear.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sensitive: Option<bool>,
    /// `CKA_ALWAYS_SENSITIVE`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub always_sensitive: Option<bool>,
    /// `CKA_EXTRACTABLE`: it can leave the token under another key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub extractable: Option<bool>,
    /// `CKA_NEVER_EXTRACTABLE`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub never_extractable: Option<bool>,
    /// `CKA_WRAP_WITH_TRUSTED`: only keys that the security officer trusts may take it out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wrap_with_trusted: Option<bool>,
    /// `CKA_TRUSTED`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trusted: Option<bool>,
    /// `CKA_ALWAYS_AUTHENTICATE`: each use asks for the PIN.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub always_authenticate: Option<bool>,
    /// What it may be used for, as far as the token tells: `CKA_SIGN` and the like.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub usages: BTreeMap<Usage, bool>,
    /// `CKA_ALLOWED_MECHANISMS`, named as mechanisms are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub allowed_mechanisms: Option<Vec<String>>,
    /// `CKA_PUBLIC_EXPONENT` in hexadecimal digits without leading zeros.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub public_exponent: Option<String>,
    /// `CKA_START_DATE`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start: Option<Time>,
    /// `CKA_END_DATE`, the last second of that day.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end: Option<Time>,
    /// Which of `wrap`, `unwrap` and `derive` have a template that the other key has to match.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub templates: Vec<String>,
    /// Attributes that were asked for and not told, by their names in the standard, with the reason:
    /// `invalid`, `sensitive`, `unavailable`, `unreadable: 3 octets`, or what the module returned.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub untold: BTreeMap<String, String>,
}

/// The classes of objects (`CKO_…`) that are kept one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectClass {
    /// `CKO_CERTIFICATE`.
    Certificate,
    /// `CKO_PUBLIC_KEY`.
    PublicKey,
    /// `CKO_PRIVATE_KEY`.
    PrivateKey,
    /// `CKO_SECRET_KEY`.
    SecretKey,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// `CKA_DECAPSULATE`.
    Decapsulate,
    /// `CKA_DECRYPT`.
    Decrypt,
    /// `CKA_DERIVE`.
    Derive,
    /// `CKA_ENCAPSULATE`.
    Encapsulate,
    /// `CKA_ENCRYPT`.
    Encrypt,
    /// `CKA_SIGN`.
    Sign,
    /// `CKA_SIGN_RECOVER`.
    SignRecover,
    /// `CKA_UNWRAP`.
    Unwrap,
    /// `CKA_VERIFY`.
    Verify,
    /// `CKA_VERIFY_RECOVER`.
    VerifyRecover,
    /// `CKA_WRAP`.
    Wrap,
}

impl ObjectClass {
    /// The word for it in a place (RFC 7512, 2.3).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "cert",
            Self::PublicKey => "public",
            Self::PrivateKey => "private",
            Self::SecretKey => "secret-key",
        }
    }
}

impl TokenObject {
    /// An object of this class of which nothing else is known.
    #[must_use]
    pub fn of(class: ObjectClass) -> Self {
        Self {
            class,
            id: None,
            unique_id: None,
            key_type: None,
            token: None,
            private: None,
            modifiable: None,
            copyable: None,
            destroyable: None,
            local: None,
            key_gen_mechanism: None,
            sensitive: None,
            always_sensitive: None,
            extractable: None,
            never_extractable: None,
            wrap_with_trusted: None,
            trusted: None,
            always_authenticate: None,
            usages: BTreeMap::new(),
            allowed_mechanisms: None,
            public_exponent: None,
            start: None,
            end: None,
            templates: Vec::new(),
            untold: BTreeMap::new(),
        }
    }

    /// Whether it is the half of a key that has to be kept secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self.class, ObjectClass::PrivateKey | ObjectClass::SecretKey)
    }

    /// Whether it may be used so; `None` where the token did not tell.
    #[must_use]
    pub fn may(&self, usage: Usage) -> Option<bool> {
        self.usages.get(&usage).copied()
    }
}
