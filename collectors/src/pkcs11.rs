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
//! agent's own program started anew ([`child`]). Modules are asked one after the other: no token is logged
//! in to twice, and which one a PIN belongs to can be told.

mod child;
mod logins;
mod modules;
mod p11_kit;
mod reading;

use pki_inventory::{Coverage, Gap, GapReason, Observation, Place};

use self::logins::Logins;
use self::modules::Module;
use crate::{BoxFuture, CollectError, Collector, Context, Sink};

/// The name in sightings, gaps and coverage.
const NAME: &str = "pkcs11";

/// Reads tokens.
pub(crate) struct Pkcs11;

/// What was asked for and what came of it, for one module.
#[derive(Debug, Default)]
struct Tally {
    asked: u64,
    read: u64,
    not_read: u64,
    octets: u64,
}

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
            let found = found.await.map_err(|_| CollectError::SinkClosed)?;
            for (place, detail) in found.problems {
                out.send(missed(cx, place, GapReason::ReadFailed, detail)).await?;
            }
            cx.progress.ask(found.modules.len() as u64);
            let mut logins = Logins::of(cx);
            for module in found.modules {
                read(cx, &out, &module, &mut logins).await?;
                cx.progress.finish(1);
            }
            for (place, detail) in logins.unused() {
                out.send(missed(cx, place, GapReason::ReadFailed, detail)).await?;
            }
            Ok(())
        })
    }
}

/// Reads one module, and says how much of it was read.
async fn read<'a>(
    cx: &'a Context,
    out: &Sink,
    module: &Module,
    logins: &mut Logins<'a>,
) -> Result<(), CollectError> {
    let mut tally = Tally::default();
    let scope = module.path.display().to_string();
    if cx.is_cancelled() {
        (tally.asked, tally.not_read) = (1, 1);
        let detail = "the run was ended before this module was loaded".to_owned();
        out.send(missed(cx, module.place(), GapReason::RunEnded, detail)).await?;
    } else {
        reading::read(cx, out, module, logins, &mut tally).await?;
    }
    let coverage = Coverage {
        finished: cx.now(),
        asked: tally.asked,
        read: tally.read,
        not_read: tally.not_read,
        octets: tally.octets,
        unchanged: 0,
    };
    out.send(Observation::Covered { collector: NAME.to_owned(), scope, coverage }).await
}

/// A gap.
fn missed(cx: &Context, place: Place, reason: GapReason, detail: String) -> Observation {
    let (first_seen, last_seen) = (cx.now(), cx.now());
    let collector = NAME.to_owned();
    Observation::Missed(Gap { place, collector, reason, detail, first_seen, last_seen })
}
