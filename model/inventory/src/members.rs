//! What there is to say about the members of a trust store.

use std::sync::LazyLock;

use crate::{Asset, AssetId, Certificate, Digest, Kind, Time, TrustStore, View};

/// One member of a trust store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// SHA-256 of its encoding.
    pub sha256: Digest,
    /// Absent where it is not in the inventory, so that nothing is known of it.
    pub facts: Option<MemberFacts<'a>>,
}

/// What a member's certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFacts<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// How it stands to the instant asked for.
    pub dates: Dates,
    /// The key, where it is weaker than 112 bits (NIST SP 800-57 part 1, 5.6.1.1): RSA and DSA
    /// below 2048, a curve below 224 bits. Of a curve without a name here nothing is known.
    pub weak_key: Option<String>,
    /// The hash of its signature, where collisions of it can be made: MD2, MD4, MD5 or SHA-1.
    pub weak_signature: Option<String>,
    /// Whether anybody relies on that signature: not on one a root made of itself, because an
    /// anchor is trusted for being in the store (RFC 5280, 6.1.1).
    pub signature_matters: bool,
    /// What a root program says against its authority.
    pub distrusted: Option<&'static Distrusted>,
}

/// A certificate's dates at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dates {
    /// Its validity has not begun.
    NotYetValid,
    /// Within its validity.
    Valid,
    /// Past its validity.
    Expired,
}

/// An authority that Mozilla's root program distrusts; known by its key, because it is distrusted in
/// all its certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distrusted {
    /// SHA-256 of the SPKI.
    pub spki: Digest,
    /// The name in the program's list.
    pub label: &'static str,
    /// Certificates for servers issued from then on are not trusted; absent where none ever is.
    pub issued_from: Option<Time>,
}

static DISTRUSTED: LazyLock<Vec<Distrusted>> = LazyLock::new(|| {
    let lines = include_str!("../data/distrusted-roots.txt").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(Distrusted::parse).collect()
});

impl Distrusted {
    fn parse(line: &'static str) -> Option<Self> {
        let (spki, rest) = line.split_once(' ')?;
        let (day, label) = rest.split_once(' ')?;
        let issued_from = if day == "never" { None } else { Some(day.parse().ok()?) };
        Some(Self { spki: spki.parse().ok()?, label, issued_from })
    }
}

/// What a root program says against the authority with this key. The list is as old as its
/// sources: an authority that is not on it may be distrusted since.
#[must_use]
pub fn distrusted(spki: &Digest) -> Option<&'static Distrusted> {
    let at = DISTRUSTED.binary_search_by_key(spki, |one| one.spki).ok()?;
    Some(&DISTRUSTED[at])
}

/// The members of a trust store with what is known of each at this instant, by digest.
#[must_use]
pub fn members<'a>(store: &TrustStore, view: &View<'a>, at: Time) -> Vec<Member<'a>> {
    let member = |sha256: &Digest| {
        let asset = view.inventory().get(AssetId::new(Kind::Certificate, *sha256));
        let facts = asset.and_then(Asset::certificate).map(|one| MemberFacts::of(one, at));
        Member { sha256: *sha256, facts }
    };
    store.members.iter().map(member).collect()
}

impl<'a> MemberFacts<'a> {
    fn of(certificate: &'a Certificate, at: Time) -> Self {
        let dates = if at < certificate.not_before {
            Dates::NotYetValid
        } else if certificate.not_after < at {
            Dates::Expired
        } else {
            Dates::Valid
        };
        let key = &certificate.key;
        let least = if matches!(key.name.as_str(), "RSA" | "DSA") { 2048 } else { 224 };
        let hash = certificate.signature.hash.as_deref();
        let broken = |hash: &&str| matches!(*hash, "MD2" | "MD4" | "MD5" | "SHA-1");
        Self {
            certificate,
            dates,
            weak_key: key.bits.filter(|bits| *bits < least).map(|_| key.label()),
            weak_signature: hash.filter(broken).map(str::to_owned),
            signature_matters: !certificate.is_self_signed(),
            distrusted: distrusted(&certificate.spki),
        }
    }
}

impl Dates {
    /// The word for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotYetValid => "not-yet-valid",
            Self::Valid => "valid",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DISTRUSTED;

    #[test]
    fn every_line_of_the_list_is_read_and_they_are_sorted() {
        let lines = include_str!("../data/distrusted-roots.txt").lines();
        assert_eq!(DISTRUSTED.len(), lines.filter(|line| !line.starts_with('#')).count());
        assert!(DISTRUSTED.len() >= 9 && DISTRUSTED.is_sorted_by(|one, next| one.spki < next.spki));
        assert!(DISTRUSTED.iter().any(|one| one.label == "DigiNotar Root CA"));
    }
}
