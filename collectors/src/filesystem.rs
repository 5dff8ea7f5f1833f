//! The filesystem collector: certificates, keys, requests and revocation lists in files.
//!
//! ## Sees
//! PEM and DER of certificates, revocation lists, certification requests, public and private keys
//! in any regular file below the roots, whatever its name, several in one file included; of private
//! keys the public half, the form, and how a passphrase protects them; owner and permissions of
//! every file something was found in; bundles of trust anchors. PKCS#7, PKCS#12, Java keystores,
//! OpenSSH and OpenPGP private keys are recognised and reported as not read.
//!
//! ## Cannot see
//! Content of archives, images, databases and compressed files; PEM inside JSON or program strings,
//! where line ends are written as `\n`; UTF-16; base64 without markers, as in kubeconfig; what lies
//! behind symbolic links that leave the roots, beyond `max_file_bytes` or the first 20,000 objects
//! of a file, or under a mount point; files that the kernel makes up (`/proc`, `/sys`, `/dev`). The
//! public half of DSA keys in PKCS#8 and of keys under a passphrase stays unknown.

mod base64;
mod boundaries;
mod content;
mod der_shape;
mod encrypted_key;
mod links;
mod mounts;
mod objects;
mod opening;
mod owners;
mod parallel;
mod pem;
mod private_key;
mod public_key;
mod report;
mod tlv;
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
