//! The populations that several rules share.

use pki_inventory::{Asset, Certificate, Place, Role};

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
/// somebody here has to renew.
pub(crate) fn is_own_leaf(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    match cx.view.role(asset, certificate) {
        Role::Served => true,
        Role::Held => !certificate.is_authority() && !is_shipped(asset, cx),
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

/// A place where software ships its own files.
pub(crate) fn is_shipped_place(place: &Place, cx: &RuleContext<'_>) -> bool {
    if place.is_network() || cx.limits.shipped.is_empty() {
        return false;
    }
    let place = place.to_string();
    cx.limits.shipped.iter().any(|pattern| matches(pattern, &place))
}
