//! A connection to one server, up to the bind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use pki_config::{Bind, Transport};
use pki_encodings::tlv;
use pki_inventory::{GapReason, Place};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::addresses::Target;
use super::answers::{Asked, Refusal, code, meaning, quoted};
use super::guard::{Flow, guard};
use super::shape::{self, Operation};
use super::trust::Trust;

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 16;

/// The longest answer to StartTLS.
const LONGEST_ANSWER: usize = 64 * 1024;

/// A connection that is bound.
pub(super) struct Connection {
    /// Where requests go.
    pub(super) ldap: Ldap,
    flow: Option<Arc<Flow>>,
    tasks: Vec<AbortHandle>,
}

/// The certificates a server showed, and where.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) place: Place,
    pub(super) chain: Vec<Vec<u8>>,
}

/// How to connect and as whom to bind.
pub(super) struct Manner<'a> {
    pub(super) transport: Transport,
    pub(super) bind: &'a Bind,
    pub(super) password: Option<&'a Zeroizing<String>>,
    pub(super) trust: Option<&'a Trust>,
    /// To connect, and for each answer.
    pub(super) timeout: Duration,
}

impl Manner<'_> {
    /// What no sentence may repeat.
    fn secret(&self) -> Option<&str> {
        self.password.map(|password| password.as_str())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Connection {
    /// One answer was taken.
    pub(super) fn taken(&self) {
        if let Some(flow) = &self.flow {
            flow.taken();
        }
    }

    /// Why it broke, where that is known. `secret` is what the sentence must not repeat.
    pub(super) fn broken(&self, secret: Option<&str>) -> Option<String> {
        let ended = self.flow.as_ref().and_then(|flow| flow.ended())?;
        Some(format!("{} {}", ended.why, quoted(&ended.said, secret)).trim_end().to_owned())
    }

    /// Connects. What the server shows is added to `shown`, also if it is refused.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub(super) async fn open(
        target: &Target,
        manner: &Manner<'_>,
        shown: &mut Vec<Shown>,
    ) -> Result<Self, Refusal> {
        let (stream, address) = reach(target, manner.timeout).await?;
        #[cfg(feature = "kerberos")]
        if matches!(manner.bind, Bind::Kerberos) {
            return super::kerberos::open(target, manner, stream, address, shown).await;
        }
        if manner.transport == Transport::Plain {
            return Self::guarded(stream).await;
        }
        let trust = manner.trust.expect("settings of TLS are read before a server is asked for it");
        let (config, watching) = trust.client()?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| {
            let detail = format!("`{}` is no name that a certificate can have", target.host);
            Refusal::lasting(GapReason::NameNotResolved, detail)
        })?;
        let secured = async {
            let mut stream = stream;
            if manner.transport == Transport::StartTls {
                start_tls(&mut stream, manner.secret()).await?;
            }
            let connector = TlsConnector::from(config);
            connector.connect(name, stream).await.map_err(|error| trust.failure(&error))
        };
        let secured = tokio::time::timeout(manner.timeout, secured).await;
        keep(&watching.shown(), address, target, manner.transport, shown);
        Self::guarded(secured.map_err(|_| late(manner.timeout, "while TLS began"))??).await
    }

    async fn guarded<S>(stream: S) -> Result<Self, Refusal>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let failed = |error: String| Refusal::lasting(GapReason::ReadFailed, error);
        let guarded = guard(stream).map_err(|error| failed(error.to_string()))?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(guarded.inner));
        // The stream is there already; of the address only the scheme is looked at.
        let connection = LdapConnAsync::with_settings(settings, "ldapi:///").await;
        let (driver, ldap) = connection.map_err(|error| failed(error.to_string()))?;
        let driver = tokio::spawn(driver.drive()).abort_handle();
        Ok(Self { ldap, flow: Some(guarded.flow), tasks: vec![driver, guarded.task] })
    }

    #[cfg(feature = "kerberos")]
    pub(super) fn unguarded(ldap: Ldap, driver: AbortHandle) -> Self {
        Self { ldap, flow: None, tasks: vec![driver] }
    }

    /// Binds, once.
    ///
    /// # Errors
    ///
    /// Why the server, or this program, refused.
    pub(super) async fn bind(
        &mut self,
        target: &Target,
        manner: &Manner<'_>,
    ) -> Result<(), Refusal> {
        let result = match manner.bind {
            Bind::Anonymous => return Ok(()),
            Bind::Simple { name, .. } => {
                let password = manner.password.map(|password| password.as_str());
                // RFC 4513, 5.1.2: with an empty password the server binds as nobody and says that
                // it went well.
                let password = password.filter(|password| !password.is_empty()).ok_or_else(|| {
                    Refusal::lasting(
                        GapReason::PermissionDenied,
                        "the password of `bind` is empty; a server would take that for a bind as \
                         nobody",
                    )
                })?;
                let bound = self.ldap.simple_bind(name, password);
                tokio::time::timeout(manner.timeout, bound).await
            }
            Bind::External { .. } => {
                tokio::time::timeout(manner.timeout, self.ldap.sasl_external_bind()).await
            }
            #[cfg(feature = "kerberos")]
            Bind::Kerberos => {
                let bound = self.ldap.sasl_gssapi_bind(&target.host);
                tokio::time::timeout(manner.timeout, bound).await
            }
            #[cfg(not(feature = "kerberos"))]
            Bind::Kerberos => {
                let _ = target;
                return Err(without_kerberos());
            }
        };
        // Whatever came of it, these credentials are not sent again: a few wrong tries lock an
        // account.
        let result = result
            .map_err(|_| Refusal { another: false, ..late(manner.timeout, "after the bind") })?
            .map_err(|_| {
                let why = self.broken(manner.secret());
                let why = why.unwrap_or_else(|| "the connection broke".to_owned());
                Refusal::lasting(GapReason::ReadFailed, why)
            })?;
        if result.rc == code::SUCCESS {
            return Ok(());
        }
        let (reason, detail) = meaning(Asked::Bind, result.rc, &result.text, manner.secret());
        let is_of_account = result.rc == code::INVALID_CREDENTIALS;
        Err(Refusal { is_of_account, ..Refusal::lasting(reason, detail) })
    }
}

/// What keeps a bind from being tried at all.
///
/// # Errors
///
/// Which setting to change.
pub(super) fn permitted(bind: &Bind, transport: Transport) -> Result<(), Refusal> {
    let refused = |detail: &str| Err(Refusal::lasting(GapReason::PermissionDenied, detail));
    match (bind, transport) {
        (Bind::Simple { in_the_clear: false, .. }, Transport::Plain) => refused(
            "the password would go over the network in the clear; write \
             `url = \"ldaps://…\"` or `starttls = true`, or allow it by `in_the_clear`",
        ),
        (Bind::External { .. }, Transport::Plain) => refused(
            "a bind by certificate needs TLS; write `url = \"ldaps://…\"` or `starttls = true`",
        ),
        #[cfg(not(feature = "kerberos"))]
        (Bind::Kerberos, _) => Err(without_kerberos()),
        _ => Ok(()),
    }
}

#[cfg(not(feature = "kerberos"))]
fn without_kerberos() -> Refusal {
    Refusal::lasting(
        GapReason::PermissionDenied,
        "this program was built without Kerberos; take one that was built with the feature \
         `kerberos`, or bind by password or certificate",
    )
}

/// Connects to the first address that answers.
async fn reach(target: &Target, timeout: Duration) -> Result<(TcpStream, SocketAddr), Refusal> {
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::time::timeout(timeout, tokio::net::lookup_host((host, target.port))).await;
    let unresolved = |what: &str| {
        let detail = format!("`{}` has no address: {what}; check the name", target.host);
        Refusal::passing(GapReason::NameNotResolved, detail)
    };
    let addresses = found
        .map_err(|_| late(timeout, "while its name was looked up"))?
        .map_err(|error| unresolved(&error.to_string()))?;
    let mut refusal = unresolved("DNS knows none");
    for address in addresses.take(MOST_ADDRESSES) {
        refusal = match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Requests are small, and each waits for its answer.
                let _ = stream.set_nodelay(true);
                return Ok((stream, address));
            }
            Ok(Err(error)) => {
                let reason = match error.kind() {
                    std::io::ErrorKind::ConnectionRefused => GapReason::Refused,
                    _ => GapReason::Unreachable,
                };
                let detail =
                    format!("{address} is not to be reached: {error}; check host and port");
                Refusal::passing(reason, detail)
            }
            Err(_) => late(timeout, &format!("while {address} was called")),
        };
    }
    Err(refusal)
}

/// Asks for TLS (RFC 4511, 4.14). Octet by octet no more is read than the answer: whatever somebody
/// put behind it in the clear ends in the handshake and breaks it.
async fn start_tls(stream: &mut TcpStream, secret: Option<&str>) -> Result<(), Refusal> {
    let broken = |error: std::io::Error| {
        Refusal::passing(GapReason::ReadFailed, format!("the connection broke: {error}"))
    };
    let strange = |what: &str| {
        let detail = format!("what answers does not speak LDAP: {what}; check the port");
        Refusal::passing(GapReason::Unrecognised, detail)
    };
    let name = tlv::element(0x80, &[b"1.3.6.1.4.1.1466.20037"]);
    let request = tlv::element(0x77, &[&name]);
    let message = tlv::element(tlv::SEQUENCE, &[&[tlv::INTEGER, 1, 1], &request]);
    stream.write_all(&message).await.map_err(broken)?;
    let mut answer = vec![0; 2];
    stream.read_exact(&mut answer).await.map_err(broken)?;
    if answer[0] != tlv::SEQUENCE {
        return Err(strange("no message begins like that"));
    }
    let more = usize::from(answer[1]).checked_sub(0x80).filter(|more| (1..=4).contains(more));
    if let Some(more) = more {
        answer.resize(2 + more, 0);
        stream.read_exact(&mut answer[2..]).await.map_err(broken)?;
    }
    let header = tlv::Header::read(&answer).filter(|header| header.value <= LONGEST_ANSWER);
    let header = header.ok_or_else(|| strange("its answer is too long"))?;
    answer.resize(header.total(), 0);
    stream.read_exact(&mut answer[header.header..]).await.map_err(broken)?;
    let message = shape::check(&answer).map_err(strange)?;
    match (message.operation, message.code) {
        (Operation::Extended, Some(code::SUCCESS)) => Ok(()),
        (Operation::Extended, Some(code)) => {
            let said = quoted(message.text, secret);
            Err(Refusal::passing(
                GapReason::HandshakeFailed,
                format!(
                    "the server does not begin TLS when it is asked to (code {code}: {said}); \
                     write `url = \"ldaps://…\"`, or give the server a certificate"
                ),
            ))
        }
        _ => Err(strange("it answers something else than was asked")),
    }
}

/// Files the certificates that a server showed.
pub(super) fn keep(
    chain: &[Vec<u8>],
    address: SocketAddr,
    target: &Target,
    transport: Transport,
    shown: &mut Vec<Shown>,
) {
    if chain.is_empty() {
        return;
    }
    // An address is no name that could be sent (RFC 6066, 3).
    let name = target.host.parse::<std::net::IpAddr>().is_err().then_some(target.host.as_str());
    let inside = (transport == Transport::StartTls).then_some("ldap");
    let place = Place::tls(address, name).inside(inside);
    shown.push(Shown { place, chain: chain.to_vec() });
}

/// Nothing came in time.
fn late(timeout: Duration, when: &str) -> Refusal {
    let detail = format!(
        "the server did not answer within {} seconds {when} (`timeout_secs`)",
        timeout.as_secs()
    );
    Refusal::passing(GapReason::TimedOut, detail)
}
