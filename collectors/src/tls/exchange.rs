//! One exchange: a hello is sent and the answer read as far as it is wanted.

use std::sync::{Arc, RwLock};

use tokio::time::{Instant, timeout_at};

use super::flight::{Cursor, Hello as Answer, Shown};
use super::hello::{self, Hello, Nonces};
use super::key_schedule::{Records, Suite};
use super::names::{SSL2, SSL3, TLS12, TLS13, alert_code};
use super::shares::Keys;
use super::wire::{End, Stage, Wire};

/// How far the answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// As soon as it is known what the server chose.
    ServerHello,
    /// Until the certificates are known, and what comes with them in the clear.
    Chain,
}

/// What never changes from exchange to exchange.
pub(super) struct Equipment {
    keys: Keys,
    nonces: Nonces,
    /// Hellos without a name, which thousands of places are sent alike, as records.
    written: RwLock<Vec<(Hello, Arc<[u8]>)>>,
}

/// As many kinds of them are kept; the first hello of a run is one or two kinds.
const KINDS: usize = 4;

/// The header of a record (RFC 8446, 5.1).
const HEADER: usize = 5;

/// What came of it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) end: End,
    pub(super) shown: Shown,
    pub(super) stage: Stage,
    /// The first octets the server sent in that stage.
    pub(super) heard: Vec<u8>,
    pub(super) octets: u64,
}

/// Content types (RFC 8446, 5.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// Handshake types (RFC 8446, 4; RFC 5246, 7.4).
const HELLO_REQUEST: u8 = 0;
const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_STATUS: u8 = 22;

/// Every handshake type that a server may send.
const KNOWN: [u8; 13] = [
    HELLO_REQUEST,
    SERVER_HELLO,
    4, // NewSessionTicket
    6, // HelloRetryRequest of the drafts
    ENCRYPTED_EXTENSIONS,
    CERTIFICATE,
    SERVER_KEY_EXCHANGE,
    CERTIFICATE_REQUEST,
    SERVER_HELLO_DONE,
    15, // CertificateVerify
    20, // Finished
    CERTIFICATE_STATUS,
    23, // SupplementalData
];

/// close_notify at level warning: we go, and nothing is wrong.
const GOODBYE: [u8; 2] = [1, alert_code::CLOSE_NOTIFY];

/// Sends a hello over a fresh connection, reads the answer, and closes.
pub(super) async fn exchange(
    mut wire: Wire,
    hello: &Hello,
    until: Until,
    equipment: &Equipment,
    deadline: Instant,
) -> Attempt {
    let mut talk = Talk { pending: Vec::new(), used: 0, records: None, shown: Shown::default() };
    let driven = async {
        match hello.versions.as_slice() {
            [SSL2] => Box::pin(talk.ssl2(&mut wire, equipment)).await,
            _ => talk.drive(&mut wire, hello, until, equipment).await,
        }
    };
    let end = match timeout_at(deadline, driven).await {
        Ok(Ok(())) => End::Enough,
        Ok(Err(end)) => end,
        Err(_) => End::Deadline,
    };
    talk.salvage(&wire);
    let goodbye = talk.goodbye(&end);
    let stage = wire.stage();
    let (heard, octets) = wire.part(&goodbye).await;
    Attempt { end, shown: talk.shown, stage, heard, octets }
}

struct Talk {
    /// Octets of handshake messages, and how many of them were used.
    pending: Vec<u8>,
    used: usize,
    /// Of the server and ours, once they are encrypted.
    records: Option<(Records, Records)>,
    shown: Shown,
}

impl Talk {
    async fn drive(
        &mut self,
        wire: &mut Wire,
        hello: &Hello,
        until: Until,
        equipment: &Equipment,
    ) -> Result<(), End> {
        let first = equipment.record(hello);
        wire.send(&first).await?;
        let (mut answer, mut reply) = self.server_hello(wire).await?;
        if until == Until::ServerHello {
            return Ok(());
        }
        let mut ours = first;
        let mut retried = None;
        if answer.is_retry {
            let mut again = Hello { cookie: answer.cookie.clone(), ..hello.clone() };
            // Without a group it only wants to see its cookie again (RFC 8446, 4.2.2).
            if let Some((group, _)) = &answer.key_share {
                if equipment.keys.share(*group).is_none() {
                    return Err(End::WantsGroup(*group));
                }
                again.shares = vec![*group];
            }
            let second = equipment.record(&again);
            wire.send(&second).await?;
            retried = Some((ours, reply));
            (answer, reply) = self.server_hello(wire).await?;
            if answer.is_retry {
                return Err(End::Broken("a second HelloRetryRequest".to_owned()));
            }
            ours = second;
        }
        if answer.version == TLS13 {
            let retried = retried.as_ref();
            let retried = retried.map(|(hello, request)| (&hello[HEADER..], &request[..]));
            self.encrypt(&answer, retried, [&ours[HEADER..], &reply], equipment)?;
        }
        self.chain(wire).await
    }

    /// The ServerHello or HelloRetryRequest, and its whole message.
    async fn server_hello(&mut self, wire: &mut Wire) -> Result<(Answer, Vec<u8>), End> {
        let (kind, message) = self.message(wire).await?;
        if kind != SERVER_HELLO {
            return Err(End::Broken(format!("a message of type {kind} before ServerHello")));
        }
        let answer = Answer::read(&message[4..])
            .ok_or_else(|| End::Broken("a ServerHello that cannot be read".to_owned()))?;
        self.shown.note(&answer);
        Ok((answer, message))
    }

    fn encrypt(
        &mut self,
        answer: &Answer,
        retried: Option<(&[u8], &[u8])>,
        hellos: [&[u8]; 2],
        equipment: &Equipment,
    ) -> Result<(), End> {
        let suite = Suite::of(answer.suite)
            .ok_or_else(|| End::Broken("a cipher suite that was not offered".to_owned()))?;
        let (group, share) = answer
            .key_share
            .as_ref()
            .ok_or_else(|| End::Broken("TLS 1.3 without a key share".to_owned()))?;
        let shared = equipment
            .keys
            .agree(*group, share)
            .ok_or_else(|| End::Broken("a key share that is none of its group".to_owned()))?;
        let transcript = suite.transcript(retried, hellos);
        self.records = suite.handshake_records(&shared, &transcript);
        // Every length that goes in is of a kind that the ciphers take.
        self.records.as_ref().map(|_| ()).ok_or_else(|| End::Broken("no keys".to_owned()))
    }

    /// Reads on until the certificates are there, and what comes in the same flight.
    async fn chain(&mut self, wire: &mut Wire) -> Result<(), End> {
        loop {
            let (kind, message) = self.message(wire).await?;
            let body = &message[4..];
            match kind {
                ENCRYPTED_EXTENSIONS => self.shown.note_encrypted_extensions(body),
                CERTIFICATE => {
                    self.shown.note_certificate(body);
                    if self.records.is_some() {
                        return Ok(());
                    }
                }
                CERTIFICATE_STATUS => self.shown.note_status(body),
                SERVER_KEY_EXCHANGE => self.shown.note_key_exchange(body),
                CERTIFICATE_REQUEST => self.shown.note_request(body),
                SERVER_HELLO_DONE => {
                    self.shown.may_have_asked = true;
                    return Ok(());
                }
                // Finished and the like: whoever is there has shown what there is.
                _ if self.records.is_some() => return Ok(()),
                _ => return Err(End::Broken(format!("a message of type {kind} in its flight"))),
            }
        }
    }

    /// The next handshake message with its header.
    async fn message(&mut self, wire: &mut Wire) -> Result<(u8, Vec<u8>), End> {
        loop {
            let there = &self.pending[self.used..];
            if let Some(&[kind, high, middle, low]) = there.first_chunk::<4>() {
                // Waiting for the length of a message that is none would be waiting for nothing.
                if !KNOWN.contains(&kind) {
                    return Err(End::Broken(format!("a message of type {kind}")));
                }
                let length = 4 + u32::from_be_bytes([0, high, middle, low]) as usize;
                if there.len() >= length {
                    // RFC 5246, 7.4.1.1: may come at any time and means nothing to us.
                    let message = (kind != HELLO_REQUEST).then(|| there[..length].to_vec());
                    self.used += length;
                    match message {
                        Some(message) => return Ok((kind, message)),
                        None => continue,
                    }
                }
            }
            self.pending.drain(..self.used);
            self.used = 0;
            let record = wire.record().await?;
            match (record.kind, self.records.as_mut()) {
                (HANDSHAKE, None) => self.pending.extend(record.fragment),
                (ALERT, _) => alert(&record.fragment)?,
                (CHANGE_CIPHER_SPEC, _) => {}
                (APPLICATION_DATA, Some((theirs, _))) => {
                    let opened = theirs.open(record.fragment).ok_or_else(|| {
                        End::Broken("a record that is not encrypted for us".to_owned())
                    })?;
                    match opened.kind {
                        HANDSHAKE => self.pending.extend(opened.content),
                        ALERT => alert(&opened.content)?,
                        kind => return Err(End::Broken(format!("a record of type {kind}"))),
                    }
                }
                (kind, _) => return Err(End::Broken(format!("a record of type {kind}"))),
            }
        }
    }

    /// Keeps what came before the answer was cut off, in the middle of a record or of a message.
    fn salvage(&mut self, wire: &Wire) {
        if !self.shown.chain.is_empty() {
            return;
        }
        if let ([HANDSHAKE, 3, _, _, _, rest @ ..], None) = (wire.peek(), &self.records) {
            self.pending.extend_from_slice(rest);
        }
        let pending = std::mem::take(&mut self.pending);
        let mut rest = Cursor(pending.get(self.used..).unwrap_or_default());
        while let Some(kind) = rest.u8() {
            match (kind, rest.vector24_or_rest()) {
                (SERVER_HELLO, body) if self.shown.version.is_none() => {
                    if let Some(answer) = Answer::read(body) {
                        self.shown.note(&answer);
                    }
                }
                (CERTIFICATE, body) => self.shown.note_certificate(body),
                _ => {}
            }
        }
    }

    /// What is said last. Nothing to whom does not speak TLS, and to whom ended it himself.
    fn goodbye(&mut self, end: &End) -> Vec<u8> {
        let version = match (end, self.shown.version) {
            (End::Enough | End::WantsGroup(_) | End::TooMuch, Some(version)) => version,
            _ => return Vec::new(),
        };
        if let Some((_, ours)) = &mut self.records {
            return ours.seal(ALERT, &GOODBYE).unwrap_or_default();
        }
        if version == SSL2 {
            return Vec::new();
        }
        let [major, minor] = version.min(TLS12).to_be_bytes();
        [&[ALERT, major, minor, 0, 2][..], &GOODBYE].concat()
    }

    /// SSL 2.0 has records and messages of its own; one exchange lists all its ciphers.
    async fn ssl2(&mut self, wire: &mut Wire, equipment: &Equipment) -> Result<(), End> {
        wire.send(&hello::ssl2(&equipment.nonces)).await?;
        wire.at_least(2).await?;
        // Whoever knows TLS only answers with a record of it, an alert most likely.
        if let [ALERT..=HANDSHAKE, 3, ..] = wire.peek() {
            self.message(wire).await?;
            return Err(End::Broken("an answer in TLS to a hello of SSL 2.0".to_owned()));
        }
        let &[high, low] = wire.peek().first_chunk::<2>().unwrap_or(&[0, 0]);
        if high & 0x80 == 0 {
            return Err(End::Foreign);
        }
        let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
        wire.advance(2);
        let body = wire.take(length).await?;
        let mut body = Cursor(&body);
        let mut read = || {
            let server_hello = body.u8()? == 4;
            body.take(2)?;
            let version = body.u16()?;
            let (certificate, kinds) = (body.u16()?, body.u16()?);
            body.u16()?;
            let certificate = body.take(usize::from(certificate))?;
            let kinds = body.take(usize::from(kinds))?;
            (server_hello && version == SSL2).then_some((certificate, kinds))
        };
        let (certificate, kinds) = read()
            .ok_or_else(|| End::Broken("no SERVER-HELLO of SSL 2.0, but an error".to_owned()))?;
        self.shown.version = Some(SSL2);
        self.shown.ssl2_suites = kinds
            .chunks_exact(3)
            .map(|kind| super::names::suite_of_ssl2([kind[0], kind[1], kind[2]]))
            .collect();
        if !certificate.is_empty() {
            self.shown.chain.push(certificate.to_vec());
        }
        Ok(())
    }
}

/// The record of a hello. Its version is the lowest that the hello allows, for the sake of old
/// servers (RFC 8446, 5.1).
fn record(hello: &Hello, message: &[u8]) -> Vec<u8> {
    let version = if hello.versions == [SSL3] { SSL3 } else { super::names::TLS10 };
    let mut octets = Vec::with_capacity(5 + message.len());
    octets.push(HANDSHAKE);
    octets.extend(version.to_be_bytes());
    // Hellos of ours are below four KiB.
    octets.extend(u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes());
    octets.extend(message);
    octets
}

/// A fatal alert ends the exchange, and so does a goodbye; warnings are passed over (RFC 5246, 7.2).
fn alert(content: &[u8]) -> Result<(), End> {
    match *content {
        [2, code, ..] | [_, code @ alert_code::CLOSE_NOTIFY, ..] => Err(End::Alert(code)),
        [1, _, ..] => Ok(()),
        _ => Err(End::Broken("an alert that cannot be read".to_owned())),
    }
}

impl Attempt {
    /// The same, as far as what was shown.
    pub(super) fn clone_shown(&self) -> Self {
        Self {
            end: End::Enough,
            shown: self.shown.clone(),
            stage: self.stage,
            heard: Vec::new(),
            octets: 0,
        }
    }
}

impl Equipment {
    pub(super) fn new() -> Self {
        let mut nonces = Nonces { random: [0; 32], session_id: [0; 32] };
        // Without randomness the hello is still one; what is random in it protects nothing.
        let _ = aws_lc_rs::rand::fill(&mut nonces.random);
        let _ = aws_lc_rs::rand::fill(&mut nonces.session_id);
        Self { keys: Keys::new(), nonces, written: RwLock::default() }
    }

    /// A hello as the record that is sent.
    fn record(&self, hello: &Hello) -> Arc<[u8]> {
        let is_alike =
            |(known, record): &(Hello, Arc<[u8]>)| (known == hello).then(|| Arc::clone(record));
        let is_common = hello.server_name.is_none() && hello.cookie.is_empty();
        if is_common
            && let Some(known) =
                self.written.read().ok().and_then(|all| all.iter().find_map(is_alike))
        {
            return known;
        }
        let record: Arc<[u8]> = record(hello, &hello.message(&self.keys, &self.nonces)).into();
        if is_common
            && let Ok(mut all) = self.written.write()
            && all.len() < KINDS
        {
            all.push((hello.clone(), Arc::clone(&record)));
        }
        record
    }
}
