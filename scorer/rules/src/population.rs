//! The populations that several rules share.

use pki_inventory::{Asset, Certificate, Place, Role, published, snakeoil};

use crate::RuleContext;
use crate::pattern::matches;

/// A server presents it, as its own or in its chain.
pub(crate) fn is_presented(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    matches!(cx.view.role(asset, certificate), Role::Served | Role::Chain)
}

/// A server presents it as its own.
pub(crate) fn is_served(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    cx.view.role(asset, certificate) == Role::Served
}

/// An end-entity certificate that a server presents or whose private key lies here: one that
/// somebody here has to renew. Not so one whose key the world has, or that a package made for the
/// host to begin with: while no server presents it, it is test material.
pub(crate) fn is_own_leaf(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    match cx.view.role(asset, certificate) {
        Role::Served => true,
        Role::Held => {
            let is_test = published(&certificate.spki).is_some() || snakeoil(asset).is_some();
            !certificate.is_authority() && !is_test && !is_shipped(asset, cx)
        }
        Role::Chain | Role::Authority | Role::Stored => false,
    }
}

/// As [`is_own_leaf`], and usable for TLS servers as far as its extended key usage tells.
pub(crate) fn is_own_server(
    asset: &Asset,
    certificate: &Certificate,
    cx: &RuleContext<'_>,
) -> bool {
    let usage = &certificate.extended_key_usage;
    let server =
        usage.is_empty() || usage.iter().any(|u| u == "serverAuth" || u == "anyExtendedKeyUsage");
    let served = is_served(asset, certificate, cx);
    served || (server && is_own_leaf(asset, certificate, cx))
}

/// Presented, or still valid wherever it lies. Members of trust stores are what others trust, and
/// what comes with software is what others made: neither is issued here.
pub(crate) fn is_current(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    let presented = is_presented(asset, certificate, cx);
    let foreign = || cx.view.is_anchor(asset.id) || is_shipped(asset, cx);
    presented || (cx.as_of <= certificate.not_after && !foreign())
}

/// Seen only where software ships its own files: test keys, samples, documentation.
pub(crate) fn is_shipped(asset: &Asset, cx: &RuleContext<'_>) -> bool {
    let mut places = asset.places().peekable();
    places.peek().is_some() && places.all(|place| is_shipped_place(place, cx))
}

/// A place where software ships its own files, on a host or inside of an archive, a package or an
/// image.
pub(crate) fn is_shipped_place(place: &Place, cx: &RuleContext<'_>) -> bool {
    if place.is_network() || cx.limits.shipped.is_empty() {
        return false;
    }
    let inner = place.inner().map(|inner| format!("file:///{inner}"));
    let place = place.to_string();
    let is_shipped = |place: &str| cx.limits.shipped.iter().any(|pattern| matches(pattern, place));
    is_shipped(&place) || inner.is_some_and(|inner| is_shipped(&inner))
}

/// A place on the network that is the very host whose files are read (RFC 1122, 3.2.1.3; RFC 4291,
/// 2.5.3).
pub(crate) fn is_loopback(place: &Place) -> bool {
    let Place::Tls { host, .. } = place else { return false };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    inner.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
