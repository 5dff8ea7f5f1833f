//! Distinguished names in their text form (RFC 4514), as far as telling them apart needs.

/// The relative names, the one of the entry first, in lower case and without blanks around `=`.
pub(super) fn parts(dn: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut escaped = false;
    for c in plain(dn).chars() {
        match c {
            ',' | ';' if !escaped => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(part);
    parts.iter().map(|part| folded(part)).collect()
}

/// The value of the first relative name, unescaped.
pub(super) fn first_value(dn: &str) -> String {
    let dn = plain(dn);
    let mut value = String::new();
    let mut rest = dn.split_once('=').map_or(dn.as_str(), |(_, value)| value).chars();
    while let Some(c) = rest.next() {
        match c {
            ',' => break,
            // RFC 4514, 2.4 also knows two digits; what has them is shown as it is written.
            '\\' => match rest.next() {
                Some(next) if next.is_ascii_hexdigit() => value.extend(['\\', next]),
                next => value.extend(next),
            },
            c => value.push(c),
        }
    }
    value.trim().to_owned()
}

/// The domain that a name lies in: the values of its `DC` parts, in lower case.
pub(super) fn domain(dn: &str) -> Vec<String> {
    parts(dn).iter().filter_map(|part| part.strip_prefix("dc=").map(str::to_owned)).collect()
}

/// A name without the `<GUID=…>;<SID=…>;` in front of it that the extended form of Active Directory
/// has ([MS-ADTS], 3.1.1.3.4.1.5), for people to read.
pub(super) fn plain(dn: &str) -> String {
    let mut rest = dn.trim();
    while let Some(behind) = rest.strip_prefix('<') {
        let Some((_, name)) = behind.split_once(">;") else { break };
        rest = name;
    }
    crate::clean(rest)
}

fn folded(part: &str) -> String {
    let part = part.to_lowercase();
    match part.split_once('=') {
        Some((kind, value)) => format!("{}={}", kind.trim(), value.trim()),
        None => part.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_apart_at_its_commas_and_not_at_escaped_ones() {
        let dn = r"<GUID=0a>;<SID=0b>;CN=Smith\, J\\, Ou = Staff ,DC=Corp,DC=Example";
        assert_eq!(parts(dn), [r"cn=smith\, j\\", "ou=staff", "dc=corp", "dc=example"]);
        assert_eq!(first_value(dn), r"Smith, J\");
        assert_eq!(domain(dn), ["corp", "example"]);
        assert_eq!(plain("<GUID=0a"), "<GUID=0a");
    }
}
