//! One connection: what is read from it is bounded, and kept until somebody wants it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use super::names;

/// A connection and what came over it.
pub(super) struct Wire {
    stream: TcpStream,
    stage: Stage,
    /// When the first octet of TLS has to be there; before TLS begins there is no such time.
    patience: Option<Instant>,
    framing: Framing,
    /// Received and not yet used.
    buffer: Vec<u8>,
    used: usize,
    /// Received inside of packets that are not complete yet.
    packets: Vec<u8>,
    /// The first octets that were received.
    heard: Vec<u8>,
    octets: u64,
    /// A record was read, so what comes after it is no other protocol.
    speaks_tls: bool,
    /// Held by those who send much: all of them together may fill only so much memory.
    _heavy: Option<SemaphorePermit<'static>>,
}

/// How far a conversation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The words before TLS.
    Opening,
    /// Our hello was sent, or was about to be.
    Tls,
}

/// What lies between TCP and TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Plain,
    /// TDS packets, as long as the handshake lasts (MS-TDS, 3.2.5.2).
    Tds,
}

/// Why a conversation was over.
#[derive(Debug)]
pub(super) enum End {
    /// All that was wanted is known.
    Enough,
    /// The server sent an alert that ends the connection.
    Alert(u8),
    /// What the server sent breaks the protocol.
    Broken(String),
    /// The first octets are no TLS.
    Foreign,
    /// The server does not go on to TLS; what it said.
    Plain(String),
    /// The server does not want to talk, now or with us; what it said.
    Unwilling(String),
    /// The server insists on a key exchange group that we cannot compute.
    WantsGroup(u16),
    Closed,
    Failed(io::Error),
    /// Not one octet came as long as we were willing to wait for the first.
    Silence,
    Deadline,
    /// More was sent than any handshake takes.
    TooMuch,
}

/// A record of TLS (RFC 8446, 5.1).
pub(super) struct Record {
    pub(super) kind: u8,
    pub(super) fragment: Vec<u8>,
}

/// The most that is read from one connection.
pub(super) const MOST_OCTETS: u64 = 1024 * 1024;

/// Enough of the first octets to tell what a service is and to quote it.
const HEARD: usize = 256;

/// What is read at once: a usual chain of certificates in one call, or two.
const AT_ONCE: usize = 4 * 1024;

/// The longest fragment any version allows (RFC 5246, 6.2.3).
const LONGEST_FRAGMENT: usize = 16 * 1024 + 2048;

/// More than this is sent by few, and those share what memory there is for it.
const MUCH: u64 = 128 * 1024;
static HEAVY: Semaphore = Semaphore::const_new(16);

/// How long the server may take to close after we did; a reset would show in its log.
const PARTING: Duration = Duration::from_millis(100);

/// A packet of TDS with its header of eight octets.
const TDS_PACKET: usize = 4096;

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            stage: Stage::Opening,
            patience: None,
            framing: Framing::Plain,
            buffer: Vec::new(),
            used: 0,
            packets: Vec::new(),
            heard: Vec::new(),
            octets: 0,
            speaks_tls: false,
            _heavy: None,
        }
    }

    /// From here on TLS is spoken inside of TDS packets.
    pub(super) fn wrap_in_tds(&mut self) {
        self.framing = Framing::Tds;
    }

    /// From here on TLS is spoken, and its first octet has to be there by then. What was heard
    /// before says nothing about it.
    pub(super) fn begin_tls(&mut self, patience: Instant) {
        self.stage = Stage::Tls;
        self.patience = Some(patience);
        self.heard.clear();
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// The connection, for those who speak TLS on it by other means.
    pub(super) fn into_stream(self) -> (TcpStream, u64) {
        (self.stream, self.octets)
    }

    pub(super) fn is_plain(&self) -> bool {
        self.framing == Framing::Plain && self.used == self.buffer.len()
    }

    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), End> {
        match self.framing {
            Framing::Plain => self.stream.write_all(octets).await.map_err(End::Failed),
            Framing::Tds => {
                for part in octets.chunks(TDS_PACKET - 8) {
                    let packet = super::starttls::tds_packet(part);
                    self.stream.write_all(&packet).await.map_err(End::Failed)?;
                }
                Ok(())
            }
        }
    }

    /// Reads until this many octets are there.
    pub(super) async fn at_least(&mut self, count: usize) -> Result<(), End> {
        while self.buffer.len() - self.used < count {
            self.fill().await?;
        }
        Ok(())
    }

    /// The octets that are there and not used yet.
    pub(super) fn peek(&self) -> &[u8] {
        &self.buffer[self.used..]
    }

    /// Uses up this many of them.
    pub(super) fn advance(&mut self, count: usize) {
        self.used = (self.used + count).min(self.buffer.len());
    }

    /// Takes exactly this many octets.
    pub(super) async fn take(&mut self, count: usize) -> Result<Vec<u8>, End> {
        self.at_least(count).await?;
        let taken = self.peek()[..count].to_vec();
        self.advance(count);
        Ok(taken)
    }

    /// The next record of TLS.
    pub(super) async fn record(&mut self) -> Result<Record, End> {
        self.at_least(1).await?;
        // Its type is 20 to 24, and the first half of its version is 3 in every version there is.
        let is_foreign = |octets: &[u8]| {
            let kind = octets.first().is_some_and(|kind| !(20..=24).contains(kind));
            kind || octets.get(1).is_some_and(|major| *major != 3)
        };
        if is_foreign(self.peek()) {
            return Err(self.not_a_record());
        }
        self.at_least(5).await?;
        if is_foreign(self.peek()) {
            return Err(self.not_a_record());
        }
        let header = self.peek();
        let (kind, length) = (header[0], usize::from(u16::from_be_bytes([header[3], header[4]])));
        if length > LONGEST_FRAGMENT {
            return Err(End::Broken(format!("a record of {length} octets")));
        }
        // Header and fragment leave the buffer together, so that it always begins with a header.
        self.at_least(5 + length).await?;
        let fragment = self.peek()[5..5 + length].to_vec();
        self.advance(5 + length);
        self.speaks_tls = true;
        Ok(Record { kind, fragment })
    }

    fn not_a_record(&self) -> End {
        if self.speaks_tls {
            End::Broken("octets that are no record".to_owned())
        } else {
            End::Foreign
        }
    }

    async fn fill(&mut self) -> Result<(), End> {
        if self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
        } else if self.used > AT_ONCE {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        if self.octets > MOST_OCTETS {
            return Err(End::TooMuch);
        }
        if self.octets > MUCH && self._heavy.is_none() {
            // Nobody closes it.
            self._heavy = HEAVY.acquire().await.ok();
        }
        // Thousands may be waiting at a time: room is made when there is something to read.
        match self.patience {
            Some(patience) => match timeout_at(patience, self.stream.readable()).await {
                Ok(ready) => ready.map_err(End::Failed)?,
                Err(_) => return Err(End::Silence),
            },
            None => self.stream.readable().await.map_err(End::Failed)?,
        }
        let target = match self.framing {
            Framing::Plain => &mut self.buffer,
            Framing::Tds => &mut self.packets,
        };
        let before = target.len();
        target.reserve(AT_ONCE);
        let count = self.stream.read_buf(target).await.map_err(End::Failed)?;
        if count == 0 {
            return Err(End::Closed);
        }
        self.octets += count as u64;
        self.patience = None;
        if self.framing == Framing::Tds {
            return self.unwrap_packets();
        }
        let received = &self.buffer[before..];
        let room = HEARD - self.heard.len();
        self.heard.extend_from_slice(&received[..received.len().min(room)]);
        Ok(())
    }

    /// Takes the contents out of the packets that are complete.
    fn unwrap_packets(&mut self) -> Result<(), End> {
        while let Some(&[_, _, high, low]) = self.packets.first_chunk::<4>() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length < 8 {
                return Err(End::Broken(format!("a TDS packet of {length} octets")));
            }
            if self.packets.len() < length {
                break;
            }
            let room = HEARD - self.heard.len();
            let content = &self.packets[8..length];
            self.heard.extend_from_slice(&content[..content.len().min(room)]);
            self.buffer.extend_from_slice(content);
            self.packets.drain(..length);
        }
        Ok(())
    }

    /// Says goodbye and lets the server close. Also gathers the rest of what a service that speaks
    /// no TLS has to say. Gives the number of octets read in all.
    pub(super) async fn part(mut self, goodbye: &[u8]) -> (Vec<u8>, u64) {
        if !goodbye.is_empty() {
            // It said all we wanted, and hears that it was enough; what else is there already is
            // taken, because closing on it would reset the connection.
            // None of these waits: what does not go out at once is not worth it.
            let goodbye = match self.framing {
                Framing::Plain => goodbye.to_vec(),
                Framing::Tds => super::starttls::tds_packet(goodbye),
            };
            if self.stream.try_write(&goodbye).is_ok() && self.stream.shutdown().await.is_ok() {
                self.buffer.clear();
                let _ = self.stream.try_read_buf(&mut self.buffer);
            }
            return (self.heard, self.octets);
        }
        let gone = async {
            if self.stream.shutdown().await.is_err() {
                return;
            }
            // Who has said enough to be quoted need not say more.
            while self.heard.len() < HEARD && self.fill().await.is_ok() {
                self.advance(usize::MAX / 2);
            }
        };
        // Whoever does not close by then is left.
        let _ = timeout(PARTING, gone).await;
        (self.heard, self.octets)
    }
}

/// How a conversation ended, in words. `heard` is what had been received by then of its stage.
/// Whether a server closed or reset a connection is often chance, and told alike.
pub(super) fn sentence(end: &End, stage: Stage, heard: &[u8], deadline_secs: u64) -> String {
    let when = match (stage, heard.is_empty()) {
        (Stage::Opening, _) => "before TLS began",
        (Stage::Tls, true) => "right after our hello",
        (Stage::Tls, false) => "in the middle of the handshake",
    };
    match end {
        End::Enough => "all that was wanted was seen".to_owned(),
        End::Alert(alert) => format!("the server sent the alert {}", names::alert(*alert)),
        End::Broken(what) => format!("what the server sent breaks the protocol: {what}"),
        End::Foreign => "the server does not answer in TLS".to_owned(),
        End::Plain(said) => said.clone(),
        End::Unwilling(said) => format!("the server did not want to talk: {said}"),
        End::WantsGroup(group) => {
            format!("the server insists on the key exchange group {}", names::group(*group))
        }
        End::Failed(error) if !is_closed(error) => format!("the connection broke {when}: {error}"),
        End::Closed | End::Failed(_) => format!("the server closed the connection {when}"),
        End::Silence | End::Deadline => match (stage, heard.is_empty()) {
            (Stage::Opening, true) => {
                format!("connected, but the server said nothing within {deadline_secs} s")
            }
            (Stage::Opening, false) => {
                format!("TLS had not begun within {deadline_secs} s")
            }
            (Stage::Tls, true) => {
                format!("connected, but no answer to our hello within {deadline_secs} s")
            }
            (Stage::Tls, false) => {
                format!("the handshake began, but was not complete within {deadline_secs} s")
            }
        },
        End::TooMuch => {
            "the server sent more than 1 MiB without completing the handshake".to_owned()
        }
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), ConnectionReset | BrokenPipe | ConnectionAborted)
}
