//! Which PKCS #11 modules to load, which of their tokens to read and how to log in to them.

use std::path::PathBuf;

use crate::{Origin, SecretSource, TokenUri};

/// The scope of the PKCS #11 collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Scope {
    /// Modules to load.
    pub modules: Vec<Pkcs11Module>,
    /// Whether to load those that p11-kit is configured with on this host as well.
    pub p11_kit: bool,
    /// Tokens to read; all where none are given.
    pub only: Vec<TokenUri>,
    /// How to log in; a token that none of them names is read without a login.
    pub logins: Vec<TokenLogin>,
    /// Seconds that one module may take in all.
    pub deadline_secs: u64,
    /// Seconds that one call of a module may take.
    pub call_timeout_secs: u64,
    /// MiB of address space that the process of one module may have.
    pub memory_mib: u64,
    /// No more objects of one class than these are read of one token; the rest is a gap.
    pub max_objects: u64,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Module {
    /// The library.
    pub path: PathBuf,
    /// The text that the reserved argument of `C_Initialize` points to, which NSS softokn needs.
    pub parameters: Option<String>,
    /// Where the settings name it; `None` when the command line does.
    pub origin: Option<Origin>,
}

/// How to log in to tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLogin {
    /// The tokens it is for.
    pub token: TokenUri,
    /// Where the PIN comes from.
    pub pin: PinSource,
    /// Whether to try it although the token says that a wrong one was entered before.
    pub although_count_low: bool,
    /// A number to raise when a PIN that was refused is to be tried again from the same source.
    pub attempt: u32,
    /// Where the settings name it; `None` when the command line does.
    pub origin: Option<Origin>,
}

/// Where a PIN comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinSource {
    /// From a file or a variable.
    Kept(SecretSource),
    /// From an open file descriptor with this number, up to the first line's end.
    Descriptor(i32),
    /// From whoever sits at the terminal.
    Prompt,
    /// From whoever stands at the device (`CKF_PROTECTED_AUTHENTICATION_PATH`).
    Device,
}

impl Pkcs11Scope {
    /// Whether there is nothing to load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty() && !self.p11_kit
    }
}

impl Default for Pkcs11Scope {
    fn default() -> Self {
        Self {
            modules: Vec::new(),
            p11_kit: false,
            only: Vec::new(),
            logins: Vec::new(),
            deadline_secs: 600,
            call_timeout_secs: 60,
            memory_mib: 2048,
            max_objects: 100_000,
        }
    }
}
