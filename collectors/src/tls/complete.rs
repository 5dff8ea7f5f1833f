//! What only a complete handshake shows: whether a client certificate is insisted on, and whether a
//! session can be taken up again. Complete handshakes are rustls' work.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use pki_inventory::{ClientCertificate, Fact};
use rustls::client::{ClientConnection, Tls12Resumption};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::caller::{Caller, ONE_OF_MANY};
use super::names;
use super::posture::unseen;
use super::record_only::{self, Recorder};
use super::wire::{MOST_OCTETS, Stage, sentence};

/// What complete handshakes showed.
#[derive(Debug, Clone)]
pub(super) struct Completed {
    pub(super) client_certificate: ClientCertificate,
    pub(super) resumption_id: Fact,
    pub(super) resumption_ticket: Fact,
    pub(super) early_data: Fact,
    /// The alert for whom has no certificate.
    pub(super) client_refusal: Option<String>,
    /// One at least was complete, so the server was still willing.
    pub(super) is_complete: bool,
}

/// How a handshake went.
struct Outcome {
    complete: bool,
    resumed: bool,
    wants_certificate: bool,
    /// The server has looked at what we sent, and went on.
    settled: bool,
    early_data: bool,
    /// The alert with which the server said no after all.
    refused: Option<String>,
    octets: u64,
}

/// How long a server may take at least to say something after the handshake: a ticket, or that it
/// misses a certificate. In TLS 1.3 our side is complete before it has looked (RFC 8446, 4.4.2).
const AFTERWARDS: Duration = Duration::from_millis(500);

/// A server that took its time for the handshake takes it afterwards as well.
const AS_LONG: u32 = 4;

const NO_MODERN: &str = "a handshake of TLS 1.1 or older is not completed";

/// Completes a handshake and resumes it, in each way there is. `ticket` is whether a server of
/// TLS 1.2 said that it would give one.
pub(super) async fn ask(
    caller: &mut Caller<'_>,
    has_tls13: &Fact,
    has_tls12: bool,
    ticket: Option<bool>,
) -> Completed {
    let mut completed = Completed {
        client_certificate: ClientCertificate::NotObserved,
        resumption_id: unseen(NO_MODERN),
        resumption_ticket: unseen(NO_MODERN),
        // TLS 1.3 alone has it.
        early_data: has_tls13.clone(),
        client_refusal: None,
        is_complete: false,
    };
    if *has_tls13 == Fact::Yes {
        let (first, second) = twice(caller, &TLS13, Tls12Resumption::Disabled).await;
        completed.note(&first);
        completed.resumption_ticket = resumes(&first, &second);
        completed.early_data = match (&completed.resumption_ticket, &second) {
            (Fact::Yes, Ok(second)) => Fact::from(second.early_data),
            (Fact::Yes, Err(why)) => Fact::NotObserved(why.clone()),
            // It comes with a ticket, or not at all (RFC 8446, 4.2.10).
            (other, _) => other.clone(),
        };
        completed.resumption_id = unseen("TLS 1.3 has tickets only, and nothing older answered");
    }
    if has_tls12 {
        let (first, second) = twice(caller, &TLS12, Tls12Resumption::SessionIdOnly).await;
        completed.note(&first);
        completed.resumption_id = resumes(&first, &second);
        if completed.resumption_ticket != Fact::Yes {
            let older = match ticket {
                // A server that will give no ticket does not say that it will (RFC 5077, 3.2).
                Some(false) => Fact::No,
                _ => {
                    let both = Tls12Resumption::SessionIdOrTickets;
                    let (first, second) = twice(caller, &TLS12, both).await;
                    resumes(&first, &second)
                }
            };
            completed.resumption_ticket = match (&completed.resumption_ticket, older) {
                (Fact::No, older) => older,
                (_, Fact::Yes) => Fact::Yes,
                (_, older) if *has_tls13 != Fact::Yes => older,
                (newer, _) => newer.clone(),
            };
        }
    }
    completed
}

impl Completed {
    fn note(&mut self, first: &Told) {
        let Ok(outcome) = first else { return };
        self.is_complete |= outcome.complete;
        if self.client_certificate == ClientCertificate::NotObserved {
            self.client_certificate = outcome.client_certificate();
        }
        if outcome.wants_certificate && self.client_refusal.is_none() {
            self.client_refusal.clone_from(&outcome.refused);
        }
    }
}

impl Outcome {
    fn client_certificate(&self) -> ClientCertificate {
        match (self.wants_certificate, &self.refused) {
            (true, Some(_)) => ClientCertificate::Required,
            (true, None) if self.complete && self.settled => ClientCertificate::Optional,
            (true, None) => ClientCertificate::Asked,
            (false, _) if self.complete => ClientCertificate::NotAsked,
            (false, _) => ClientCertificate::NotObserved,
        }
    }
}

type Told = Result<Outcome, String>;

fn resumes(first: &Told, second: &Told) -> Fact {
    match (first, second) {
        (Ok(Outcome { refused: Some(alert), .. }), _) => Fact::NotObserved(refusal(alert)),
        (Err(why), _) | (_, Err(why)) => Fact::NotObserved(why.clone()),
        (Ok(_), Ok(second)) if second.resumed => Fact::Yes,
        (Ok(_), Ok(Outcome { refused: Some(alert), .. })) => Fact::NotObserved(refusal(alert)),
        (Ok(first), Ok(second)) if first.complete && second.complete => Fact::No,
        _ => unseen("the handshake was not complete in time"),
    }
}

fn refusal(alert: &str) -> String {
    format!("the server sent the alert {alert}")
}

/// Shakes hands twice with one memory of sessions.
async fn twice(
    caller: &mut Caller<'_>,
    version: &'static SupportedProtocolVersion,
    tls12: Tls12Resumption,
) -> (Told, Told) {
    let recorder = Arc::new(Recorder::default());
    let config = match record_only::client(&[version], tls12, &recorder) {
        Ok(config) => Arc::new(config),
        Err(error) => return (Err(error.to_string()), Err(error.to_string())),
    };
    let first = once(caller, &config, &recorder).await;
    let second = match &first {
        Ok(outcome) if outcome.complete => once(caller, &config, &recorder).await,
        Ok(outcome) => Err(refusal(outcome.refused.as_deref().unwrap_or("close_notify"))),
        Err(why) => Err(why.clone()),
    };
    (first, second)
}

async fn once(caller: &mut Caller<'_>, config: &Arc<ClientConfig>, recorder: &Recorder) -> Told {
    // Sessions are remembered by name, so one is needed that is always the same.
    let name = caller.name.map(|name| name.trim_end_matches('.').to_owned());
    let name = match name.map(ServerName::try_from) {
        Some(Ok(name)) => name,
        Some(Err(_)) => return Err("the name cannot be sent as a server name".to_owned()),
        None => ServerName::from(caller.address().ip()),
    };
    let (mut stream, end) = caller.stream().await.map_err(|no_call| no_call.reason())?;
    if let Some(end) = end {
        return Err(sentence(&end, Stage::Opening, &[], caller.limits().whole.as_secs()));
    }
    let mut tls =
        ClientConnection::new(Arc::clone(config), name).map_err(|error| error.to_string())?;
    let early_data = tls.early_data().is_some();
    let mut outcome = Outcome {
        complete: false,
        resumed: false,
        wants_certificate: false,
        settled: false,
        early_data,
        refused: None,
        octets: 0,
    };
    let begin = Instant::now();
    let until = caller.deadline().min(begin + ONE_OF_MANY);
    let shaken = timeout_at(until, shake(&mut stream, &mut tls, &mut outcome)).await;
    caller.octets += outcome.octets;
    outcome.wants_certificate = recorder.wants_certificate();
    match shaken {
        Ok(Ok(())) => outcome.complete = true,
        // An alert is an answer; it may be the one that a missing certificate gets.
        Ok(Err(Broke::Alert(alert))) => {
            outcome.refused = Some(alert);
            return Ok(outcome);
        }
        Ok(Err(Broke::Other(why))) => return Err(why),
        Err(_) => return Err("the handshake was not complete in time".to_owned()),
    }
    let took = begin.elapsed();
    outcome.resumed = tls.handshake_kind() == Some(HandshakeKind::Resumed);
    outcome.early_data &= tls.is_early_data_accepted();
    let until = caller.deadline().min(Instant::now() + AFTERWARDS.max(took * AS_LONG));
    let is_tls12 = tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_2);
    if is_tls12 {
        // Here the server looks before it completes.
        outcome.settled = true;
    } else if let Ok(Err(Broke::Alert(alert))) =
        timeout_at(until, listen(&mut stream, &mut tls, &mut outcome)).await
    {
        outcome.refused = Some(alert);
    }
    tls.send_close_notify();
    // Whether the server hears it does not matter any more.
    let _ = timeout_at(until, write(&mut stream, &mut tls)).await;
    let _ = stream.shutdown().await;
    Ok(outcome)
}

/// Why a handshake broke.
enum Broke {
    Alert(String),
    Other(String),
}

impl From<io::Error> for Broke {
    fn from(error: io::Error) -> Self {
        Self::Other(format!("the connection broke in the middle of the handshake: {error}"))
    }
}

async fn shake(
    stream: &mut TcpStream,
    tls: &mut ClientConnection,
    outcome: &mut Outcome,
) -> Result<(), Broke> {
    loop {
        // A server that closes early may have said why before: what it sent is read first.
        let written = write(stream, tls).await;
        if !tls.is_handshaking() {
            return Ok(written?);
        }
        read(stream, tls, outcome).await?;
    }
}

/// After our side is complete: reads until the server gives a ticket or says no.
async fn listen(
    stream: &mut TcpStream,
    tls: &mut ClientConnection,
    outcome: &mut Outcome,
) -> Result<(), Broke> {
    while !outcome.settled {
        read(stream, tls, outcome).await?;
        outcome.settled = tls.tls13_tickets_received() > 0;
    }
    Ok(())
}

async fn write(stream: &mut TcpStream, tls: &mut ClientConnection) -> io::Result<()> {
    let mut pending = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut pending)?;
    }
    stream.write_all(&pending).await
}

async fn read(
    stream: &mut TcpStream,
    tls: &mut ClientConnection,
    outcome: &mut Outcome,
) -> Result<(), Broke> {
    let mut buffer = Vec::with_capacity(8 * 1024);
    let count = stream.read_buf(&mut buffer).await?;
    outcome.octets += count as u64;
    if count == 0 {
        return Err(Broke::Other("the server closed the connection".to_owned()));
    }
    if outcome.octets > MOST_OCTETS {
        return Err(Broke::Other("the server sent more than any handshake takes".to_owned()));
    }
    let mut received = buffer.as_slice();
    while !received.is_empty() && tls.read_tls(&mut received)? > 0 {
        match tls.process_new_packets() {
            Ok(_) => {}
            Err(rustls::Error::AlertReceived(alert)) => {
                return Err(Broke::Alert(names::alert(alert.into())));
            }
            Err(error) => {
                let why = format!("a complete handshake is not possible: {error}");
                return Err(Broke::Other(why));
            }
        }
    }
    Ok(())
}
