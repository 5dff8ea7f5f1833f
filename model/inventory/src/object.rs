//! What readers of formats find in octets.

use crate::{KeyForm, Layer, Raw, SshCertificate};

/// One thing found in octets, and what its form told besides. The octets' place is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What.
    pub raw: Raw,
    /// For keys: which half, in which form.
    pub key: Option<KeyForm>,
    /// What it is called there.
    pub label: Option<String>,
    /// For keys: what an SSH certificate says of it.
    pub ssh_certificate: Option<SshCertificate>,
    /// The layer of a container image it lies in.
    pub layer: Option<Layer>,
}

impl Object {
    /// A thing whose form says nothing besides.
    #[must_use]
    pub fn of(raw: Raw) -> Self {
        Self { raw, key: None, label: None, ssh_certificate: None, layer: None }
    }

    /// The same under the name it has there.
    #[must_use]
    pub fn called(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }
}

impl From<Raw> for Object {
    fn from(raw: Raw) -> Self {
        Self::of(raw)
    }
}
