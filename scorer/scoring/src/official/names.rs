//! How names are compared between model versions.

/// Brings a category name or requirement description into the form in which versions are matched.
///
/// Lower case, runs of white space as one space, none at the ends, and then no punctuation at the
/// end. A space before that punctuation stays, as it does in the web tool.
#[must_use]
pub fn normalise_name(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().collect();
    words.join(" ").to_lowercase().trim_end_matches(['.', ',', ';', ':', '!', '?']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_space_and_final_punctuation_do_not_matter() {
        assert_eq!(normalise_name(" Key\t management .;"), "key management ");
        assert_eq!(normalise_name("\nKEY   Management?!"), "key management");
        assert_eq!(normalise_name("re-keying, planned"), "re-keying, planned");
        assert_eq!(normalise_name("..."), "");
    }
}
