//! OpenSSL's names of cipher suites, as settings have them.

use std::sync::LazyLock;

/// OpenSSL's name, IANA's name; sorted by the first.
static NAMES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("../data/suite-names.txt").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect()
});

/// The IANA names of a list in which every word is the name of one suite, OpenSSL's or IANA's;
/// otherwise the first word that is not, such as `HIGH` or `!aNULL`.
pub(crate) fn explicit(list: &str) -> Result<Vec<&str>, &str> {
    let words = list.split([':', ',', ' ', ';']).map(|word| word.trim_matches(['"', '\'']));
    words.filter(|word| !word.is_empty()).map(|word| iana(word).ok_or(word)).collect()
}

fn iana(word: &str) -> Option<&str> {
    if word.starts_with("TLS_") {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        return word.bytes().all(plain).then_some(word);
    }
    let at = NAMES.binary_search_by_key(&word, |(name, _)| name).ok()?;
    Some(NAMES[at].1)
}

#[cfg(test)]
mod tests {
    use super::{NAMES, explicit};

    #[test]
    fn the_names_are_sorted() {
        assert!(NAMES.len() > 150);
        assert!(NAMES.is_sorted_by(|one, next| one.0 < next.0));
    }

    #[test]
    fn only_lists_of_names_are_explicit() {
        let both = explicit("ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256, AES128-SHA");
        let iana = [
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_AES_128_GCM_SHA256",
            "TLS_RSA_WITH_AES_128_CBC_SHA",
        ];
        assert_eq!(both, Ok(iana.to_vec()));
        for word in ["HIGH", "!aNULL", "@SECLEVEL=1", "+AES128-SHA", "kRSA", "TLS_*"] {
            assert_eq!(explicit(&format!("AES128-SHA:{word}")), Err(word));
        }
    }
}
