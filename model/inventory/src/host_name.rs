//! Whether a certificate names the host that was asked for (RFC 9525, section 6).

use std::net::IpAddr;

use crate::{AlternativeName, Certificate};

impl Certificate {
    /// Whether a subject alternative name stands for this host.
    ///
    /// DNS names are compared without regard to case, and one trailing dot of the host does not
    /// count. A wildcard is the whole left-most label of a name and stands for exactly one label. A
    /// host that is an IP address, bracketed or not, is compared with the IP addresses of the
    /// certificate and with nothing else. The common name never counts. Names beyond ASCII are
    /// expected in the form in which they are sent, as A-labels (RFC 5890).
    #[must_use]
    pub fn names_host(&self, host: &str) -> bool {
        if let Some(address) = ip_address(host) {
            return self.names.contains(&AlternativeName::Ip(address));
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        // Without this a name with a wildcard would name itself, or an empty label.
        if host.contains('*') || host.split('.').any(str::is_empty) {
            return false;
        }
        self.names.iter().any(|name| match name {
            AlternativeName::Dns(listed) => dns_name_covers(listed, host),
            _ => false,
        })
    }
}

fn ip_address(host: &str) -> Option<IpAddr> {
    let unbracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    unbracketed.unwrap_or(host).parse().ok()
}

fn dns_name_covers(listed: &str, host: &str) -> bool {
    match (listed.strip_prefix("*."), host.split_once('.')) {
        (Some(listed), Some((_, parent))) => listed.eq_ignore_ascii_case(parent),
        (Some(_), None) => false,
        (None, _) => listed.eq_ignore_ascii_case(host),
    }
}
