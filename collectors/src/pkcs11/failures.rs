//! Calls of a module that failed, as a sentence of a gap tells them.

use std::fmt;

/// Failed calls that are told one by one.
const MOST_TOLD: usize = 4;
/// `CKR_TOKEN_NOT_RECOGNIZED` (PKCS #11 v3.1, 5.1).
const TOKEN_NOT_RECOGNIZED: u64 = 0xe1;

/// Calls that failed.
#[derive(Debug, Default)]
pub(super) struct Failures {
    told: Vec<String>,
    more: usize,
    /// Whether all of them say that the token is none that can be used.
    unrecognised: bool,
}

impl Failures {
    pub(super) fn add(
        &mut self,
        slot: Option<u64>,
        call: &str,
        returned: Option<u64>,
        detail: &str,
    ) {
        let is_unrecognised = call == "C_OpenSession" && returned == Some(TOKEN_NOT_RECOGNIZED);
        self.unrecognised = is_unrecognised && (self.unrecognised || self.is_empty());
        if self.told.len() >= MOST_TOLD {
            self.more += 1;
            return;
        }
        let call: String = call.chars().take(64).collect();
        let detail: String = detail.chars().take(512).collect();
        let mut told = match returned {
            Some(returned) => format!("{call} returned {}", pki_tokens::returned(returned)),
            None => call,
        };
        if let Some(slot) = slot {
            told.push_str(&format!(" for slot {slot}"));
        }
        if !detail.is_empty() {
            told.push_str(&format!(" ({detail})"));
        }
        if !self.told.contains(&told) {
            self.told.push(told);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    pub(super) fn is_unrecognised_token(&self) -> bool {
        self.unrecognised
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told.join("; "))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
