//! Which tokens a run reads, and which of them with a login.

use pki_config::{Pkcs11Scope, TokenUri};
use serde_json::{Value, json};

use super::{holds_all, strings};

/// What settings say about tokens, as far as it decides what is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Paths of modules.
    modules: Vec<String>,
    p11_kit: bool,
    /// URIs; empty for all.
    only: Vec<String>,
    /// URIs of tokens that are logged in to.
    logins: Vec<String>,
    max_objects: u64,
}

impl Tokens {
    pub(super) fn of(scope: &Pkcs11Scope) -> Self {
        if scope.is_empty() {
            return Self::default();
        }
        let modules = scope.modules.iter().map(|module| module.path.display().to_string());
        Self {
            modules: modules.collect(),
            p11_kit: scope.p11_kit,
            only: scope.only.iter().map(TokenUri::to_string).collect(),
            logins: scope.logins.iter().map(|login| login.token.to_string()).collect(),
            max_objects: scope.max_objects,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "modules": self.modules,
            "p11_kit": self.p11_kit,
            "only": self.only,
            "logins": self.logins,
            "max_objects": self.max_objects,
        })
    }

    /// As it was recorded; agents that recorded nothing of it read no token.
    pub(super) fn from_json(value: &Value) -> Self {
        let list = |key: &str| strings(&value[key]).unwrap_or_default();
        Self {
            modules: list("modules"),
            p11_kit: value["p11_kit"].as_bool().unwrap_or_default(),
            only: list("only"),
            logins: list("logins"),
            max_objects: value["max_objects"].as_u64().unwrap_or_default(),
        }
    }

    fn is_empty(&self) -> bool {
        self.modules.is_empty() && !self.p11_kit
    }

    /// Whether everything that the other one reads is read with this one: without a login less is seen.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let reaches =
            self.only.is_empty() || (!other.only.is_empty() && holds_all(&self.only, &other.only));
        other.is_empty()
            || (holds_all(&self.modules, &other.modules)
                && (self.p11_kit || !other.p11_kit)
                && reaches
                && holds_all(&self.logins, &other.logins)
                && self.max_objects >= other.max_objects)
    }

    /// As reports tell it.
    pub(super) fn sentences(&self) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let p11_kit = "the modules that p11-kit is configured with".to_owned();
        let modules: Vec<String> =
            self.modules.iter().cloned().chain(self.p11_kit.then_some(p11_kit)).collect();
        let base = Pkcs11Scope::default().max_objects;
        let most = (self.max_objects != base)
            .then(|| format!("Of one token at most {} objects of a class.", self.max_objects));
        let logins = super::told("Logged in to", self.logins.iter());
        [
            super::told("Tokens of", modules.iter()),
            super::told("Of them only", self.only.iter()),
            logins.or_else(|| Some("Without a login to any token.".to_owned())),
            most,
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
