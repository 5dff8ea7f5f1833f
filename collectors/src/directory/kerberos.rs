//! Binding by a Kerberos ticket (RFC 4752), in programs that were built for it.
//!
//! What is signed or sealed by Kerberos is no message that the guard could look at, and the token
//! that binds the ticket to the channel ([MS-ADTS], 5.1.2.2) is only known where ldap3 holds the
//! channel itself. So here ldap3 talks to the server without the guard.

use std::net::SocketAddr;

use ldap3::{LdapConnAsync, LdapConnSettings, StdStream};
use pki_config::Transport;
use pki_inventory::GapReason;
use tokio::net::TcpStream;

use super::addresses::Target;
use super::answers::Refusal;
use super::connection::{Connection, Manner, Shown, keep};

/// Goes on from a connection that is not under TLS yet.
pub(super) async fn open(
    target: &Target,
    manner: &Manner<'_>,
    stream: TcpStream,
    address: SocketAddr,
    shown: &mut Vec<Shown>,
) -> Result<Connection, Refusal> {
    let failed = |error: String| Refusal::passing(GapReason::ReadFailed, error);
    let stream = stream.into_std().map_err(|error| failed(error.to_string()))?;
    let mut settings = LdapConnSettings::new()
        .set_std_stream(StdStream::Tcp(stream))
        .set_conn_timeout(manner.timeout)
        .set_starttls(manner.transport == Transport::StartTls);
    let trust = manner.trust.filter(|_| manner.transport != Transport::Plain);
    let mut watching = None;
    if let Some(trust) = trust {
        let (config, watches) = trust.client()?;
        settings = settings.set_config(config);
        watching = Some(watches);
    }
    let scheme = if manner.transport == Transport::Ldaps { "ldaps" } else { "ldap" };
    let url = format!("{scheme}://{}:{}", target.host, target.port);
    let opened = LdapConnAsync::with_settings(settings, &url).await;
    if let Some(watching) = watching {
        keep(&watching.shown(), address, target, manner.transport, shown);
    }
    let (driver, ldap) = opened.map_err(|error| match (error, trust) {
        (ldap3::LdapError::Io { source }, Some(trust)) => trust.failure(&source),
        (error, _) => failed(error.to_string()),
    })?;
    let driver = tokio::spawn(driver.drive()).abort_handle();
    Ok(Connection::unguarded(ldap, driver))
}
