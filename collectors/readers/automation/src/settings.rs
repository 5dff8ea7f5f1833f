//! Files of settings that are not YAML or JSON: sections with `key = value`, shell assignments.

/// `key = value` lines with the section they stand in. Comments start with `#` or `;`; a section
/// is in brackets, however many (ConfigObj nests them so).
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return None;
        }
        if line.starts_with('[') && line.ends_with(']') {
            section = line.trim_matches(['[', ']']).trim();
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((section, key.trim(), value.trim()))
    })
}

/// Assignments of a shell script without its substitutions: `KEY=value`, quoted or not.
pub(crate) fn assignments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line.split_once('=')?;
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
        (!key.is_empty() && key.bytes().all(is_name)).then(|| (key, unquoted(value)))
    })
}

/// The last of these assignments, as the shell has it.
pub(crate) fn assigned<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    assignments(text).filter(|(name, _)| *name == key).last().map(|(_, value)| value)
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default();
        }
    }
    value.split(char::is_whitespace).next().unwrap_or_default()
}

/// What a setting that is yes or no says, in the words that such files use.
pub(crate) fn yes(value: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| value.trim().eq_ignore_ascii_case(word));
    if is(&["yes", "true", "1", "on"]) {
        return Some(true);
    }
    is(&["no", "false", "0", "off"]).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_quotes_are_understood() {
        let text = "a = 1\n# b = 2\n[s]\nc = 3 \n[[t u]]\nd=4=5\n";
        let found: Vec<_> = pairs(text).collect();
        assert_eq!(found, [("", "a", "1"), ("s", "c", "3"), ("t u", "d", "4=5")]);
        let text = "A=\"x y\" # z\n export B='q'\nC=r # s\nD E=1\n#F=1\nA=last\n";
        assert_eq!(assigned(text, "A"), Some("last"));
        assert_eq!(assigned(text, "B"), Some("q"));
        assert_eq!(assigned(text, "C"), Some("r"));
        assert_eq!(assigned(text, "E"), None);
        assert_eq!(yes("True"), Some(true));
        assert_eq!(yes("maybe"), None);
    }
}
