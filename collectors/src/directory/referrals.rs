//! Where a server sends us on to, and whether we go (RFC 4511, 4.1.10; RFC 4516).

use ldap3::Scope;
use pki_config::{Bind, Transport};
use pki_inventory::Place;

use super::addresses::Target;
use super::session::Session;

/// How many referrals are followed one after the other.
const DEEPEST: u8 = 3;

/// A referral that is followed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Referral {
    pub(super) target: Target,
    pub(super) transport: Transport,
    pub(super) base: String,
    /// Absent where that of the search stays.
    pub(super) scope: Option<Scope>,
}

/// An LDAP URL (RFC 4516).
#[derive(Debug, Clone, PartialEq)]
struct Url {
    secure: bool,
    host: String,
    port: Option<u16>,
    /// Absent where that of the search stays.
    dn: Option<String>,
    scope: Option<Scope>,
}

/// Whether a referral is followed, or the gap that it is.
pub(super) fn judge(
    text: &str,
    session: &Session<'_>,
    base: &str,
    depth: u8,
) -> Result<Referral, (Place, String)> {
    let Some(url) = parse(text) else {
        let shown = session.quoted(text);
        let detail = format!("the server refers to `{shown}`, which is no address of LDAP");
        return Err((session.place(base), detail));
    };
    // Of an address parts are shown, and its base is where a gap is.
    let parts = [Some(text), Some(url.host.as_str()), url.dn.as_deref()];
    if let Some(left_out) = parts.into_iter().flatten().find_map(|it| session.left_out(it)) {
        return Err((session.place(base), format!("the server refers to `{left_out}`")));
    }
    let base = url.dn.as_deref().unwrap_or(base).to_owned();
    // Where the entries would be, had they been read: the host stands in the sentence.
    let gap = |detail: String| Err((session.place(&base), detail));
    let (transport, usual) = match (url.secure, session.server.transport) {
        (true, _) => (Transport::Ldaps, Transport::Ldaps.port()),
        // Never less protection than is configured, whatever the server says.
        (false, Transport::Ldaps) if url.port.is_none() => {
            (Transport::Ldaps, Transport::Ldaps.port())
        }
        (false, Transport::Ldaps) => (Transport::StartTls, Transport::StartTls.port()),
        (false, transport) => (transport, transport.port()),
    };
    let target = Target { host: url.host.clone(), port: url.port.unwrap_or(usual) };
    let own = session.is_own(&target);
    if !own && !is_listed(&url.host, &session.server.referrals) {
        return gap(format!(
            "the server refers to {} for this part; it is followed there only if the host is \
             listed in `referrals`",
            url.host
        ));
    }
    if depth >= DEEPEST {
        return gap(format!(
            "more than {DEEPEST} referrals one after the other, the last one to {}",
            url.host
        ));
    }
    if !own && transport == Transport::Plain && session.server.bind != Bind::Anonymous {
        return gap(format!(
            "the server refers to {}; credentials are sent to another host only over TLS: write \
             `url = \"ldaps://…\"` or `starttls = true`",
            url.host
        ));
    }
    Ok(Referral { target, transport, base, scope: url.scope })
}

/// Whether a host is one of a list of names, or below a domain of it.
fn is_listed(host: &str, list: &[String]) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    list.iter().any(|listed| {
        let listed = listed.trim_end_matches('.').to_ascii_lowercase();
        match listed.strip_prefix('*') {
            // The dot stays: `*.example` is no `badexample`.
            Some(domain) => domain.starts_with('.') && host.ends_with(domain),
            None => host == listed,
        }
    })
}

fn parse(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "ldap" => false,
        "ldaps" => true,
        _ => return None,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.strip_prefix('[') {
        Some(address) => {
            let (host, port) = address.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let host = decoded(host)?;
    // Nobody may hide a second part in a name that is compared and then shown.
    if host.is_empty() || host.chars().any(|c| c.is_control() || c.is_whitespace() || c == '@') {
        return None;
    }
    let port = port.filter(|port| !port.is_empty()).map(str::parse).transpose().ok()?;
    let mut parts = path.split('?');
    let dn = parts.next().filter(|dn| !dn.is_empty()).map(decoded);
    let dn = match dn {
        Some(dn) => Some(dn?),
        None => None,
    };
    let scope = match parts.nth(1).unwrap_or_default().to_ascii_lowercase().as_str() {
        "base" => Some(Scope::Base),
        "one" => Some(Scope::OneLevel),
        "sub" => Some(Scope::Subtree),
        _ => None,
    };
    Some(Url { secure, host, port, dn, scope })
}

/// Undoes percent-encoding (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            octets.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            octets.push(first);
            rest = tail;
        }
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_ldap_are_taken_apart() {
        let url = parse("ldap://dc.example:3268/DC=b,DC=example??base?").expect("an address");
        assert_eq!((url.secure, url.host.as_str(), url.port), (false, "dc.example", Some(3268)));
        assert_eq!((url.dn.as_deref(), url.scope), (Some("DC=b,DC=example"), Some(Scope::Base)));
        let url = parse("LDAPS://[2001:db8::1]/CN=a%20b").expect("an address");
        assert_eq!((url.secure, url.host.as_str(), url.port), (true, "2001:db8::1", None));
        assert_eq!((url.dn.as_deref(), url.scope), (Some("CN=a b"), None));
        let url = parse("ldap://h").expect("an address");
        assert_eq!((url.host.as_str(), url.dn), ("h", None));
        for wrong in [
            "",
            "http://h/",
            "ldap://",
            "ldap:///dc=a",
            "ldap://a@b/",
            "ldap://h:x/",
            "ldap://h/%zz",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_host_is_listed_by_its_name_or_by_a_domain_above_it() {
        let list = ["dc.example".to_owned(), "*.child.example".to_owned(), "*bad".to_owned()];
        assert!(is_listed("DC.example.", &list));
        assert!(is_listed("dc1.child.example", &list));
        assert!(is_listed("a.b.child.example", &list));
        assert!(!is_listed("child.example", &list));
        assert!(!is_listed("evilchild.example", &list));
        assert!(!is_listed("notbad", &list));
    }
}
