//! The TLS collector: the certificates that servers show, and what they agree to.
//!
//! ## Sees
//! The chain a server presents, in its order; version, cipher suite, key exchange group (post-quantum
//! hybrids included), ALPN and stapled status of the handshake; servers that decline what is
//! offered, with their alert; services that answer, but not in TLS. Certificates are kept whatever
//! is wrong with them, and also when the handshake breaks after they were shown, as with servers
//! that want a client certificate.
//!
//! ## Cannot see
//! TLS 1.1 and older, and cipher suites without forward secrecy or authenticated encryption: such a
//! server is seen to decline. Other certificates of a server that has several, chosen by name or by
//! algorithm: one hello is sent per name, and a smaller one where that failed. Addresses of a name
//! beyond the first sixteen. TLS that begins inside of another protocol (STARTTLS), and
//! QUIC. Names nobody listed: addresses are asked without a server name.

mod answer;
mod exclusions;
mod handshake;
mod names;
mod pace;
mod probe;
mod record_only;
mod schedule;

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
