//! The TLS collector: the certificates that servers show, and what they agree to.
//!
//! ## Sees
//! The chain a server presents, in its order, whatever is wrong with it and however the handshake
//! ends; version, from SSL 2.0 to TLS 1.3, cipher suite, key exchange group (post-quantum hybrids
//! included), ALPN, stapled status, timestamps and the wish for a client certificate; services that
//! begin in the clear (STARTTLS); servers that decline, with their alert; services that answer, but
//! not in TLS. With the depth `posture` every version and group, the certificate for each family of
//! signatures, resumption and other habits; with `suites` every cipher suite and whose order counts.
//!
//! ## Cannot see
//! What needs a key of ours: what a server shows to those who have a certificate. Addresses of a
//! name beyond the first sixteen, and names that nobody listed. QUIC. The certificates of a TLS 1.3
//! server that agrees to none of the groups we compute, or to CCM suites only. Whether the server
//! holds the key of what it shows: signatures are not verified.
//!
//! ## How
//! The hello is our own ([`hello`]), and one exchange reads what any server from TLS 1.0 to 1.3
//! shows: before 1.3 in the clear, in 1.3 after agreeing on a key ([`shares`], [`key_schedule`]).
//! It ends as soon as the chain is known. Only what takes a complete handshake is left to rustls
//! ([`complete`]), with a verifier that records ([`record_only`]).

mod answer;
mod caller;
mod certificate;
mod complete;
mod crowd;
mod exchange;
mod exclusions;
mod feed;
mod flight;
mod hello;
mod key_schedule;
mod names;
mod pace;
pub(crate) mod plan;
mod posture;
mod probe;
mod record_only;
mod schedule;
mod shares;
mod starttls;
mod suites;
mod wire;

use crate::{BoxFuture, CollectError, Collector, Context, Sink};

/// The name in sightings, gaps and coverage.
const NAME: &str = "tls";

/// Asks TLS servers.
pub(crate) struct Tls;

impl Collector for Tls {
    fn name(&self) -> &'static str {
        NAME
    }

    fn collect<'a>(
        &'a self,
        cx: &'a Context,
        out: Sink,
    ) -> BoxFuture<'a, Result<(), CollectError>> {
        Box::pin(schedule::run(cx, out))
    }
}
