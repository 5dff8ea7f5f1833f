//! Who may have issued a certificate, by name and key identifier.

use std::collections::BTreeMap;

use crate::{Certificate, Digest};

impl Certificate {
    /// Whether this certificate says that the other one issued it: the name of its issuer is the
    /// subject of the other, and the key identifiers agree where both are there (RFC 5280, 4.2.1.1).
    /// The signature is not verified.
    #[must_use]
    pub fn names_as_issuer(&self, other: &Self) -> bool {
        let other_key = matches!(
            (&self.authority_key_id, &other.subject_key_id),
            (Some(wanted), Some(found)) if wanted != found
        );
        self.issuer.sha256 == other.subject.sha256 && !other_key
    }
}

/// Finds those that [`Certificate::names_as_issuer`] holds for without looking at all: peers decide
/// how many certificates there are and which names they share.
#[derive(Debug)]
pub(crate) struct Issuers<'a, T> {
    by_subject: BTreeMap<Digest, BTreeMap<Option<&'a str>, Vec<T>>>,
}

impl<'a, T> Issuers<'a, T> {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { by_subject: BTreeMap::new() }
    }

    /// Files what stands for a certificate.
    pub(crate) fn insert(&mut self, certificate: &'a Certificate, item: T) {
        let keys = self.by_subject.entry(certificate.subject.sha256).or_default();
        keys.entry(certificate.subject_key_id.as_deref()).or_default().push(item);
    }

    /// All that this certificate names as its issuer, itself included.
    pub(crate) fn of<'s>(&'s self, certificate: &'s Certificate) -> impl Iterator<Item = &'s T> {
        let keys = self.by_subject.get(&certificate.issuer.sha256);
        let wanted = certificate.authority_key_id.as_deref();
        let any_key = keys.filter(|_| wanted.is_none());
        let this_key = keys.filter(|_| wanted.is_some()).into_iter().flat_map(move |keys| {
            [wanted, None].into_iter().filter_map(|key| keys.get(&key)).flatten()
        });
        any_key.into_iter().flat_map(BTreeMap::values).flatten().chain(this_key)
    }

    /// The same, but takes them out: whoever walks along issuers needs each one once.
    pub(crate) fn take(&mut self, certificate: &'a Certificate) -> Vec<T> {
        let Some(keys) = self.by_subject.get_mut(&certificate.issuer.sha256) else {
            return Vec::new();
        };
        match certificate.authority_key_id.as_deref() {
            None => std::mem::take(keys).into_values().flatten().collect(),
            wanted => [wanted, None].iter().filter_map(|key| keys.remove(key)).flatten().collect(),
        }
    }
}
