//! Keys and certificates that the world knows, or that every host makes for itself to begin with.

use std::sync::LazyLock;

use crate::disk::file_paths;
use crate::{Asset, Body, Digest};

/// SHA-256 of the SPKI in hexadecimal, and where the private key is published; sorted.
static PUBLISHED: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("../data/published-keys.txt").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect()
});

/// Where the private half of this key is published, by the SHA-256 of its SPKI: test material of
/// software, samples of standards. Whoever uses it for real has no secret. The list is far from
/// complete: a key that is not on it may be public all the same.
#[must_use]
pub fn published(spki: &Digest) -> Option<&'static str> {
    let hex = spki.to_string();
    let at = PUBLISHED.binary_search_by_key(&hex.as_str(), |(digest, _)| digest).ok()?;
    Some(PUBLISHED[at].1)
}

/// Says what it is if it is the placeholder that Debian's package `ssl-cert` makes for a host: a
/// self-signed certificate, or a key, in a file of its name. Each host makes its own, so the key
/// is no published one; but nobody asked for it and no client trusts it.
#[must_use]
pub fn snakeoil(asset: &Asset) -> Option<&'static str> {
    let named = || {
        let mut files = file_paths(asset).filter_map(|path| path.rsplit('/').next());
        files.any(|file| file.starts_with("ssl-cert-snakeoil."))
    };
    match &asset.body {
        Body::Certificate(certificate) if certificate.is_self_signed() => {
            named().then_some("placeholder certificate that Debian's package ssl-cert made")
        }
        Body::Key(_) => named()
            .then_some("key of a placeholder certificate that Debian's package ssl-cert made"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::PUBLISHED;
    use crate::Digest;

    #[test]
    fn the_list_is_sorted_and_every_line_is_a_digest_with_its_origin() {
        assert!((500..=1500).contains(&PUBLISHED.len()), "{}", PUBLISHED.len());
        assert!(PUBLISHED.is_sorted_by(|one, next| one.0 < next.0));
        for (digest, origin) in PUBLISHED.iter() {
            let parsed: Digest = digest.parse().unwrap();
            assert_eq!((parsed.to_string().as_str(), origin.is_empty()), (*digest, false));
        }
    }
}
