//! Rules about what settings ask for.

pub(crate) mod differs_from_endpoint;
pub(crate) mod protocol_deprecated;
pub(crate) mod protocol_not_approved;

use pki_inventory::{Asset, Configuration};

use crate::RuleContext;
use crate::population::is_shipped;

/// The versions of TLS that settings enable, or why they are not known; `None` where there is no
/// question of TLS, and for what software ships as a sample.
fn versions<'c>(
    asset: &Asset,
    configuration: &'c Configuration,
    cx: &RuleContext<'_>,
) -> Option<Result<&'c [String], String>> {
    let software = &configuration.software;
    if software == "OpenSSH" || is_shipped(asset, cx) {
        return None;
    }
    let speaks = !configuration.listens.is_empty() || !configuration.certificates.is_empty();
    match &configuration.versions {
        Some(versions) if versions.is_empty() => {
            Some(Err(format!("the settings of {software} leave no version that is known here")))
        }
        Some(versions) => Some(Ok(versions)),
        None => speaks.then(|| Err(format!("the settings leave the versions to {software}"))),
    }
}
