//! The filesystem collector: certificates, keys, requests and revocation lists in files.
//!
//! ## Sees
//! Whatever its name, in any regular file below the roots: PEM and DER of certificates, revocation
//! lists, certification requests, public and private keys, PKCS#7; keystores (PKCS#12, JKS, JCEKS,
//! BKS, NSS and others) as far as they open; keys of OpenSSH, PuTTY, OpenPGP, JOSE and WireGuard; all
//! of these inside of base64 in YAML and JSON, of archives, packages and container images. Of private
//! keys the public half, the form, and how a passphrase protects them. Owner, permissions, type of
//! filesystem and closed folders above every file something was found in; bundles of trust anchors.
//! What tools for automatic renewal leave behind, and how programs are set up to use TLS.
//!
//! ## Cannot see
//! What lies behind symbolic links that leave the roots, beyond `max_file_bytes` or the limits of
//! archives, beyond the first 20,000 objects of a file, or on filesystems that were not asked for;
//! files that the kernel makes up (`/proc`, `/sys`, `/dev`). Encrypted archives, databases other than
//! those of NSS, disk images. The public half of keys under a passphrase, where their form does not
//! show it. Settings inside of archives and images are not read as settings.

mod archive;
mod boundaries;
mod content;
mod declared;
mod host;
mod layout;
mod links;
mod mounts;
mod opening;
mod owners;
mod parallel;
mod priority;
mod reading;
mod report;
mod state;
mod stores;
mod text;
mod walk;

use crate::{BoxFuture, CollectError, Collector, Context, Sink};

/// The name in sightings, gaps and coverage.
const NAME: &str = "filesystem";

/// Reads files.
pub(crate) struct Filesystem;

impl Collector for Filesystem {
    fn name(&self) -> &'static str {
        NAME
    }

    fn collect<'a>(
        &'a self,
        cx: &'a Context,
        out: Sink,
    ) -> BoxFuture<'a, Result<(), CollectError>> {
        let cx = cx.clone();
        Box::pin(async move {
            // Disks block: the walk has its own threads, and this one waits for them.
            match tokio::task::spawn_blocking(move || walk::walk(&cx, &out)).await {
                Ok(result) => result,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(CollectError::SinkClosed),
                },
            }
        })
    }
}
