//! What may go into a trace: nothing long, nothing with control characters, names that are names.

use pki_inventory::Automation;

/// The most octets of any text.
pub(crate) const LONGEST_TEXT: usize = 1_024;
/// The most names of one certificate.
pub(crate) const MOST_DOMAINS: usize = 200;
/// The most places that one trace manages.
const MOST_PLACES: usize = 200;
/// The most traces of one file.
const MOST_TRACES: usize = 2_000;

/// Brings every trace within the limits.
pub(crate) fn bounded(traces: impl Iterator<Item = Automation>) -> Vec<Automation> {
    let mut traces: Vec<Automation> = traces.take(MOST_TRACES).collect();
    for trace in &mut traces {
        for text in [
            &mut trace.name,
            &mut trace.issuer,
            &mut trace.authenticator,
            &mut trace.key_type,
            &mut trace.schedule,
        ] {
            *text = text.take().and_then(|text| short(&text));
        }
        trace.domains = domains(trace.domains.iter().map(String::as_str));
        // A path that was cut short is another path.
        trace.manages.retain(|place| place.len() <= LONGEST_TEXT);
        trace.manages.sort();
        trace.manages.dedup();
        trace.manages.truncate(MOST_PLACES);
    }
    traces
}

/// A text without white space around it and control characters in it, cut to the longest allowed;
/// `None` when nothing is left.
pub(crate) fn short(text: &str) -> Option<String> {
    let mut kept = String::new();
    for letter in text.trim().chars().filter(|letter| !letter.is_control()) {
        if kept.len() + letter.len_utf8() > LONGEST_TEXT {
            break;
        }
        kept.push(letter);
    }
    (!kept.is_empty()).then_some(kept)
}

/// The words that can be names in a certificate, in their order, each once.
pub(crate) fn domains<'t>(words: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in words.map(str::trim).filter(|word| is_name(word)) {
        if names.len() == MOST_DOMAINS {
            break;
        }
        if !names.iter().any(|name| name == word) {
            names.push(word.to_owned());
        }
    }
    names
}

/// A host name, with a star or without, or an address. No e-mail address, no path, no text.
pub(crate) fn is_name(word: &str) -> bool {
    let allowed = |letter: char| letter.is_alphanumeric() || "-._*:".contains(letter);
    !word.is_empty() && word.len() <= 255 && word.chars().all(allowed)
}

/// A word as in `dns-01`; `None` for anything that could be more than a word.
pub(crate) fn word(text: &str) -> Option<String> {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:+".contains(&octet);
    let text = text.trim();
    let is_word = !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed);
    is_word.then(|| text.to_owned())
}

/// An authority: a URL without what may be secret in it (user, password, query), or a name.
pub(crate) fn issuer(text: &str) -> Option<String> {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else { return short(text) };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    short(&format!("{scheme}://{host}{path}"))
}

/// The authority that a URL is of, without the path: of an account or a certificate there.
pub(crate) fn origin(url: &str) -> Option<String> {
    let url = issuer(url)?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next().filter(|host| !host.is_empty())?;
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_loses_what_may_be_secret() {
        assert_eq!(issuer("https://u:p@ca.example/d?t=1#x").unwrap(), "https://ca.example/d");
        assert_eq!(origin("https://ca.example/cert/7").unwrap(), "https://ca.example");
        assert_eq!(issuer("SelfSign").unwrap(), "SelfSign");
        assert_eq!(issuer("  "), None);
    }

    #[test]
    fn only_names_are_domains() {
        let words =
            ["a.example", "me@example.org", "*.a.example", "a.example", "/x", "2001:db8::1"];
        assert_eq!(domains(words.into_iter()), ["a.example", "*.a.example", "2001:db8::1"]);
        let many: Vec<String> = (0..300).map(|number| format!("{number}.example")).collect();
        assert_eq!(domains(many.iter().map(String::as_str)).len(), MOST_DOMAINS);
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(short(&"ä".repeat(600)).unwrap().len(), LONGEST_TEXT);
        assert_eq!(short(" a\u{1b}b\n ").unwrap(), "ab");
    }
}
