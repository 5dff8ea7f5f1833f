//! Patterns with `*`, as policies write them for names and places.

/// Whether the text fits the pattern: `*` stands for any run of characters, letters match in either
/// case, everything else stands for itself.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    // `split` yields at least one part.
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, text, expected) in [
            ("*.example.org", "www.Example.org", true),
            ("*.example.org", "example.org", false),
            ("www.example.org", "www.example.org", true),
            ("www.example.org", "www.example.org.", false),
            ("file:///srv/*/tls/*", "file:///srv/a/tls/key.pem#1", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} over {text}");
        }
    }
}
