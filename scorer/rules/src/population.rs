//! The populations that several rules share.

use pki_inventory::{Asset, Certificate, Role};

use crate::RuleContext;

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
        Role::Held => !certificate.is_authority(),
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

/// Presented, or still valid wherever it lies. Members of trust stores are what others trust, not
/// what is issued here.
pub(crate) fn is_current(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    let presented = is_presented(asset, certificate, cx);
    presented || (!cx.view.is_anchor(asset.id) && cx.as_of <= certificate.not_after)
}
