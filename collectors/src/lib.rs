//! Collectors read one kind of place each and report what is there.
//!
//! A collector never judges what it finds and never names a requirement. It only reads: it writes
//! nothing, enrols nowhere and logs in nowhere. Octets go to the [`Sink`] as received; parsing
//! happens once, in the inventory. Everything asked for and not read is a gap.
//!
//! Adding one is a file beside this one and a line in [`COLLECTORS`].

mod context;
mod directory;
mod filesystem;
mod pkcs11;
mod tls;

pub use context::{
    Before, CollectError, Context, Done, FileState, KeystorePassword, NotedLogins, Progress, Seen,
    Sink, Source, TokenPin,
};
pub use tls::plan::{Plan, PlanLine, plan as tls_plan};

use std::future::Future;
use std::pin::Pin;

/// A future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Reads one kind of place and reports what is there. It never judges what it finds.
pub trait Collector: Send + Sync {
    /// The name it signs its sightings with: the protocol or store it reads.
    fn name(&self) -> &'static str;

    /// Reports everything seen, and a gap for everything asked for but not read.
    ///
    /// # Errors
    ///
    /// Only when nothing at all can be read. One bad target is a gap.
    fn collect<'a>(&'a self, cx: &'a Context, out: Sink)
    -> BoxFuture<'a, Result<(), CollectError>>;
}

/// Every collector, sorted by name.
pub const COLLECTORS: &[&dyn Collector] =
    &[&directory::Directory, &filesystem::Filesystem, &pkcs11::Pkcs11, &tls::Tls];
