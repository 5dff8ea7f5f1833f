//! Stands between a server and the client library: every message is checked before it is passed on,
//! and no more of them than there is room for.
//!
//! ldap3 reads whatever comes into a queue without an end. Here every answer to a search takes room
//! that is given back when it was taken out of that queue; while there is none, nothing is read, and
//! TCP makes the server wait.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use pki_encodings::tlv::Header;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use zeroize::Zeroizing;

use super::shape::{self, Message, Operation};

/// The longest message that is taken: a revocation list with a million entries has 40 MiB.
const LONGEST: usize = 96 * 1024 * 1024;

/// KiB of answers that may be waiting to be looked at.
const ROOM_KIB: usize = 32 * 1024;

/// `bindRequest`.
const BIND: u8 = 0x60;
/// `searchRequest`.
const SEARCH: u8 = 0x63;

/// Octets read at a time.
const CHUNK: usize = 64 * 1024;

/// What both ends of a connection share.
#[derive(Debug)]
pub(super) struct Flow {
    room: Semaphore,
    /// What the answers that were passed on weigh, in their order.
    waiting: Mutex<VecDeque<usize>>,
    /// Why the connection ended, if it did.
    ended: Mutex<Option<Ended>>,
    /// The requests that are not answered yet, with their tags.
    asked: Mutex<BTreeMap<u32, u8>>,
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// The sentence.
    pub(super) why: String,
    /// The server's own words, as they came: not for people yet.
    pub(super) said: String,
}

/// A guarded connection.
pub(super) struct Guarded {
    /// The end for the client library.
    pub(super) inner: StdUnixStream,
    /// What both ends share.
    pub(super) flow: Arc<Flow>,
    /// What ends it.
    pub(super) task: AbortHandle,
}

impl From<String> for Ended {
    fn from(why: String) -> Self {
        Self { why, said: String::new() }
    }
}

impl Flow {
    fn new() -> Self {
        Self {
            room: Semaphore::new(ROOM_KIB),
            waiting: Mutex::default(),
            ended: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// One answer was taken out of the queue.
    pub(super) fn taken(&self) {
        let weight = lock(&self.waiting).pop_front();
        self.room.add_permits(weight.unwrap_or_default());
    }

    /// Why the connection ended.
    pub(super) fn ended(&self) -> Option<Ended> {
        lock(&self.ended).clone()
    }

    fn end(&self, ended: Ended) {
        lock(&self.ended).get_or_insert(ended);
    }

    /// Whether an answer may be passed on, and what room it takes.
    fn admit(&self, message: Message<'_>, length: usize) -> Result<Option<usize>, Ended> {
        if message.id == 0 {
            // RFC 4511, 4.4.1: the notice of disconnection says why.
            let code = message.code.unwrap_or_default();
            let why = format!("the server hung up (code {code})");
            return Err(Ended { why, said: message.text.to_owned() });
        }
        let mut asked = lock(&self.asked);
        let request = asked.get(&message.id).copied();
        let weight = match (message.operation, request) {
            (Operation::Intermediate, _) | (_, None) => return Ok(None),
            (Operation::Bind, Some(BIND)) => 0,
            (Operation::Entry | Operation::Reference | Operation::Done, Some(SEARCH)) => {
                (1 + length / 1024).min(ROOM_KIB)
            }
            _ => return Err("an answer to something else than was asked".to_owned().into()),
        };
        if matches!(message.operation, Operation::Bind | Operation::Done) {
            asked.remove(&message.id);
        }
        Ok(Some(weight))
    }

    async fn pass(&self, weights: &mut Vec<usize>) -> Result<(), String> {
        for weight in weights.drain(..).filter(|weight| *weight > 0) {
            // The semaphore is never closed, and no weight is larger than what it holds.
            let room = self.room.acquire_many(u32::try_from(weight).unwrap_or(u32::MAX)).await;
            room.map_err(|error| error.to_string())?.forget();
            lock(&self.waiting).push_back(weight);
        }
        Ok(())
    }
}

/// Puts a guard before a server.
///
/// # Errors
///
/// When the operating system has no more descriptors.
pub(super) fn guard<S>(server: S) -> std::io::Result<Guarded>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (inner, outer) = StdUnixStream::pair()?;
    outer.set_nonblocking(true)?;
    let outer = UnixStream::from_std(outer)?;
    let flow = Arc::new(Flow::new());
    let shared = Arc::clone(&flow);
    let task = tokio::spawn(async move {
        let (from_server, to_server) = tokio::io::split(server);
        let (from_client, to_client) = outer.into_split();
        let ended = tokio::select! {
            ended = answers(from_server, to_client, &shared) => ended,
            ended = requests(from_client, to_server, &shared) => ended,
        };
        if let Err(why) = ended {
            shared.end(why);
        }
    });
    Ok(Guarded { inner, flow, task: task.abort_handle() })
}

/// Passes requests on, and remembers what they are.
async fn requests(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    flow: &Flow,
) -> Result<(), Ended> {
    // Wiped also where the task is ended in the middle. A bind has room from the start.
    let mut buffer = Zeroizing::new(Vec::with_capacity(2 * CHUNK));
    loop {
        buffer.reserve(CHUNK);
        if from.read_buf(&mut *buffer).await.map_err(|error| error.to_string())? == 0 {
            return Ok(());
        }
        let mut end = 0;
        while let Some(message) = whole(&buffer[end..])? {
            let mut parts = pki_encodings::tlv::Reader(&buffer[end..end + message])
                .any()
                .map(pki_encodings::tlv::Element::inside);
            let id = parts.as_mut().and_then(|parts| parts.any()?.number());
            let tag = parts.as_mut().and_then(|parts| parts.any()).map(|part| part.tag);
            if let (Some(id), Some(tag @ (BIND | SEARCH))) = (id, tag) {
                lock(&flow.asked).insert(id, tag);
            }
            end += message;
        }
        to.write_all(&buffer[..end]).await.map_err(|error| error.to_string())?;
        to.flush().await.map_err(|error| error.to_string())?;
        // A bind may have been in it.
        zeroize::Zeroize::zeroize(&mut buffer[..end]);
        buffer.drain(..end);
    }
}

/// Checks answers and passes them on.
async fn answers(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    flow: &Flow,
) -> Result<(), Ended> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut weights = Vec::new();
    loop {
        // Grows with what is there, never with what is announced.
        buffer.reserve(CHUNK);
        if from.read_buf(&mut buffer).await.map_err(|error| error.to_string())? == 0 {
            return Err("the server closed the connection".to_owned().into());
        }
        // From `start` on, octets up to `end` are checked and to be passed on.
        let (mut start, mut end) = (0, 0);
        let mut refused = None;
        while let Some(length) = whole(&buffer[end..])? {
            let message = shape::check(&buffer[end..end + length]);
            let admitted = message
                .map_err(|what| format!("the server does not speak LDAP: {what}").into())
                .and_then(|message| flow.admit(message, length));
            match admitted {
                Ok(Some(weight)) => {
                    // What waits for room has to wait for answers that were passed on already.
                    let waiting: usize = weights.iter().sum();
                    if waiting > 0 && waiting + weight > ROOM_KIB / 2 {
                        flow.pass(&mut weights).await?;
                        hand_on(&mut to, &buffer[start..end]).await?;
                        start = end;
                    }
                    weights.push(weight);
                }
                Ok(None) => {
                    flow.pass(&mut weights).await?;
                    hand_on(&mut to, &buffer[start..end]).await?;
                    start = end + length;
                }
                Err(why) => {
                    refused = Some(why);
                    break;
                }
            }
            end += length;
        }
        flow.pass(&mut weights).await?;
        hand_on(&mut to, &buffer[start..end]).await?;
        if let Some(why) = refused {
            return Err(why);
        }
        buffer.drain(..end);
        if buffer.len() < CHUNK {
            buffer.shrink_to(4 * CHUNK);
        }
    }
}

async fn hand_on(to: &mut (impl AsyncWrite + Unpin), octets: &[u8]) -> Result<(), String> {
    to.write_all(octets).await.map_err(|error| error.to_string())
}

/// The length of the message at the front, if all of it is there.
fn whole(octets: &[u8]) -> Result<Option<usize>, String> {
    let wrong = || "the server does not speak LDAP: no message begins like that".to_owned();
    if octets.first().is_some_and(|tag| *tag != pki_encodings::tlv::SEQUENCE) {
        return Err(wrong());
    }
    match Header::read(octets) {
        // The longest header that is read here has six octets.
        None if octets.len() >= 6 => Err(wrong()),
        None => Ok(None),
        Some(header) if header.total() > LONGEST => Err(format!(
            "the server announced a message of {} MiB; {} is the most that is read",
            header.total() >> 20,
            LONGEST >> 20
        )),
        Some(header) => Ok((header.total() <= octets.len()).then(|| header.total())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
