//! `pkcs11`: what PKCS #11 modules tell of tokens and of what lies on them.
//!
//! ## Sees
//! Modules, slots, tokens with their flags, versions and mechanisms; certificates, public, private and
//! secret keys with their attributes, as far as they are to be seen without a login, and with one where a
//! PIN is configured; the certifications that a device states of itself.
//! ## Cannot see
//! Values of keys: they are never asked for. Private objects of tokens without a PIN. Whether what a
//! module claims is so. Devices in safes, and those that no module is configured for.
//!
//! ## How
//! The library of a vendor is foreign machine code, so each module is loaded by a process of its own, the
//! agent's own program started anew ([`child`]). All are asked what they have before any token is read,
//! one after the other: no token is logged in to twice, and which one a PIN belongs to can be told.

mod child;
mod failures;
mod logins;
mod modules;
mod p11_kit;
mod reading;
mod seats;

use std::time::Duration;

use pki_inventory::{Gap, GapReason, Observation, Place};

use self::logins::Logins;
use self::reading::Reading;
use crate::{BoxFuture, CollectError, Collector, Context, Sink};

/// The name in sightings, gaps and coverage.
const NAME: &str = "pkcs11";
/// How long it may take to find out which modules there are.
const LOOKING: Duration = Duration::from_secs(30);

/// Reads tokens.
pub(crate) struct Pkcs11;

impl Collector for Pkcs11 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn collect<'a>(
        &'a self,
        cx: &'a Context,
        out: Sink,
    ) -> BoxFuture<'a, Result<(), CollectError>> {
        Box::pin(async move {
            if cx.pkcs11.is_empty() {
                return Ok(());
            }
            let scope = cx.pkcs11.clone();
            let found = tokio::task::spawn_blocking(move || {
                modules::of(&scope, &p11_kit::Folders::of_host())
            });
            // A folder on a server that does not answer holds nobody up.
            let found = match tokio::time::timeout(LOOKING, found).await {
                Ok(found) => found.map_err(|_| CollectError::SinkClosed)?,
                Err(_) => modules::Modules::late(),
            };
            for (place, detail) in found.problems {
                out.send(missed(cx, place, GapReason::ReadFailed, detail)).await?;
            }
            cx.progress.ask(found.modules.len() as u64);
            // Which tokens there are is heard from all modules before any is logged in to: a PIN that may
            // be for one of several is tried on none.
            let mut readings: Vec<Reading<'_>> = Vec::new();
            for module in found.modules {
                let mut reading = Reading::of(cx, out.clone(), module);
                reading.list().await?;
                readings.push(reading);
            }
            let mut logins = Logins::of(cx, readings.iter().flat_map(Reading::seats));
            let mut all_known = true;
            for mut reading in readings {
                reading.read(&mut logins).await?;
                all_known &= reading.is_all_known();
                reading.cover().await?;
                cx.progress.finish(1);
            }
            // Of a module that broke nobody knows what it has.
            if all_known && !cx.is_cancelled() {
                for (place, detail) in logins.unused() {
                    out.send(missed(cx, place, GapReason::ReadFailed, detail)).await?;
                }
            }
            Ok(())
        })
    }
}

/// A gap.
fn missed(cx: &Context, place: Place, reason: GapReason, detail: String) -> Observation {
    let (first_seen, last_seen) = (cx.now(), cx.now());
    let collector = NAME.to_owned();
    Observation::Missed(Gap { place, collector, reason, detail, first_seen, last_seen })
}
