//! One TLS handshake over one connection, with an end to everything.
//!
//! rustls is driven by hand rather than through a stream adapter, because what is known when a
//! handshake breaks (the first octets heard, the version, the certificates) is what the inventory
//! wants, and adapters drop it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ClientConnection;
use rustls::crypto::aws_lc_rs::ALL_KX_GROUPS;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ProtocolVersion, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::names;
use super::record_only::{self, Recorder, Shown};

/// The versions a hello offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// TLS 1.3 and 1.2.
    Both,
    /// TLS 1.2, for servers that trip over the larger hello of 1.3.
    Tls12,
}

/// All that is known when a handshake is over.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) end: End,
    pub(super) shown: Shown,
    pub(super) version: Option<String>,
    pub(super) cipher_suite: Option<String>,
    pub(super) group: Option<String>,
    pub(super) offered_groups: Vec<String>,
    pub(super) alpn: Option<String>,
    /// The first octets the server sent.
    pub(super) heard: Vec<u8>,
    pub(super) octets: u64,
}

/// How a handshake ended.
#[derive(Debug)]
pub(super) enum End {
    Complete,
    /// The server sent a fatal alert.
    Alert(AlertDescription),
    /// What the server sent breaks the protocol, or cannot be agreed with.
    Broken(rustls::Error),
    Closed,
    Failed(io::Error),
    /// Not one octet came as long as we were willing to wait for the first.
    Silence,
    Deadline,
    /// More was sent than any handshake takes.
    TooMuch,
}

/// The most that is read from one connection.
const MOST_OCTETS: u64 = 1024 * 1024;

/// Enough of the first octets to tell what a service is and to quote it.
const HEARD: usize = 256;

/// How long a server that wanted a client certificate may take to say that it needs one. In TLS 1.3
/// our side is complete before it has looked (RFC 8446, 4.4.2).
const VERDICT_ON_CLIENT: Duration = Duration::from_millis(500);

/// How long the server may take to close after we did; a reset would show in its log.
const PARTING: Duration = Duration::from_millis(100);

impl Offer {
    fn versions(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Both => vec![&TLS13, &TLS12],
            Self::Tls12 => vec![&TLS12],
        }
    }

    fn groups(self) -> Vec<String> {
        let versions: Vec<ProtocolVersion> =
            self.versions().iter().map(|version| version.version).collect();
        names::groups_for(ALL_KX_GROUPS, &versions)
    }
}

/// Shakes hands over a fresh connection, then closes it. The first octet has to come within
/// `patience`.
///
/// # Errors
///
/// When rustls will not begin, such as for a name it cannot send.
pub(super) async fn shake(
    stream: TcpStream,
    name: ServerName<'static>,
    offer: Offer,
    patience: Instant,
    deadline: Instant,
) -> Result<Attempt, rustls::Error> {
    let recorder = Arc::new(Recorder::default());
    let config = record_only::client(&offer.versions(), &recorder)?;
    let tls = ClientConnection::new(Arc::new(config), name)?;
    let mut wire = Wire { stream, tls, patience, heard: Vec::new(), octets: 0, closing: false };
    let mut end = match timeout_at(deadline, wire.drive()).await {
        Ok(end) => end,
        Err(_) => End::Deadline,
    };
    if matches!(end, End::Complete) && recorder.shown().wants_client_certificate {
        let until = deadline.min(Instant::now() + VERDICT_ON_CLIENT);
        if let Ok(Some(verdict)) = timeout_at(until, wire.listen()).await {
            end = verdict;
        }
    }
    let tls = &wire.tls;
    let attempt = Attempt {
        end,
        shown: recorder.shown(),
        version: tls.protocol_version().map(names::version),
        cipher_suite: tls.negotiated_cipher_suite().map(|suite| names::suite(suite.suite())),
        group: tls.negotiated_key_exchange_group().map(|group| names::group(group.name())),
        offered_groups: offer.groups(),
        alpn: tls.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        heard: Vec::new(),
        octets: 0,
    };
    let complete = matches!(attempt.end, End::Complete);
    let _ = timeout_at(deadline.max(Instant::now() + PARTING), wire.part(complete)).await;
    Ok(Attempt { heard: wire.heard, octets: wire.octets, ..attempt })
}

struct Wire {
    stream: TcpStream,
    tls: ClientConnection,
    patience: Instant,
    heard: Vec<u8>,
    octets: u64,
    /// The server said that it will send no more; what it sends nevertheless is not read.
    closing: bool,
}

impl Wire {
    /// Writes and reads until the handshake is complete or over.
    async fn drive(&mut self) -> End {
        loop {
            // A server that closes early may have said why before: what it sent is read first.
            let written = self.write().await;
            if !self.tls.is_handshaking() {
                return written.map_or_else(End::Failed, |()| End::Complete);
            }
            match self.read().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(error) => return End::Failed(written.err().unwrap_or(error)),
            }
        }
    }

    /// After our side is complete: reads until the server says no, or nothing.
    async fn listen(&mut self) -> Option<End> {
        loop {
            match self.read().await {
                Ok(None) if self.closing => return None,
                Ok(None) => {}
                // Closing without a word is an answer too, but not one to this question.
                Ok(Some(End::Closed)) | Err(_) => return None,
                Ok(Some(end)) => return Some(end),
            }
        }
    }

    async fn write(&mut self) -> io::Result<()> {
        let mut pending = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut pending)?;
        }
        self.stream.write_all(&pending).await
    }

    async fn read(&mut self) -> io::Result<Option<End>> {
        let mut buffer = [0; 16 * 1024];
        let count = if self.heard.is_empty() {
            match timeout_at(self.patience, self.stream.read(&mut buffer)).await {
                Ok(count) => count?,
                Err(_) => return Ok(Some(End::Silence)),
            }
        } else {
            self.stream.read(&mut buffer).await?
        };
        let mut received = &buffer[..count];
        self.hear(received);
        if received.is_empty() {
            return Ok(Some(End::Closed));
        }
        if self.octets > MOST_OCTETS {
            return Ok(Some(End::TooMuch));
        }
        while !received.is_empty() {
            // After a close_notify rustls takes nothing more, and says so by taking nothing. That is
            // not the end of a handshake: ours may be complete.
            if self.tls.read_tls(&mut received)? == 0 {
                break;
            }
            match self.tls.process_new_packets() {
                Ok(state) => self.closing = state.peer_has_closed(),
                Err(rustls::Error::AlertReceived(alert)) => return Ok(Some(End::Alert(alert))),
                Err(error) => return Ok(Some(End::Broken(error))),
            }
        }
        Ok(None)
    }

    fn hear(&mut self, received: &[u8]) {
        self.octets += received.len() as u64;
        let room = HEARD - self.heard.len();
        self.heard.extend_from_slice(&received[..received.len().min(room)]);
    }

    /// Says goodbye, or why not, and lets the server close.
    async fn part(&mut self, complete: bool) {
        if complete {
            self.tls.send_close_notify();
        }
        let _ = self.write().await;
        let _ = self.stream.shutdown().await;
        // Also gathers the rest of what a service that speaks no TLS has to say.
        let rest = async {
            let mut buffer = [0; 4096];
            while self.octets <= MOST_OCTETS
                && let Ok(count) = self.stream.read(&mut buffer).await
                && count > 0
            {
                self.hear(&buffer[..count]);
            }
        };
        let _ = timeout(PARTING, rest).await;
    }
}
