//! Servers for the tests of the TLS collector, and asking them.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of this")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pki_config::{FilesystemScope, TlsScope};
use pki_inventory::{Handshake, Kind, Session};
use rustls::crypto::aws_lc_rs::{ALL_KX_GROUPS, default_provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use crate::support::{Seen, Tree, collect, context};

/// Asks these targets with limits that suit a test.
pub fn ask(targets: &[&str], set: impl FnOnce(&mut TlsScope)) -> Seen {
    let mut scope = TlsScope {
        targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
        connect_timeout_secs: 1,
        deadline_secs: Some(2),
        connections_per_sec: 1000,
        ..TlsScope::default()
    };
    set(&mut scope);
    collect("tls", &context(scope, FilesystemScope::default()))
}

pub fn ask_one(address: SocketAddr) -> Seen {
    ask(&[&address.to_string()], |_| {})
}

pub fn handshake(seen: &Seen) -> Handshake {
    let endpoints = seen.of(Kind::Endpoint);
    assert_eq!(endpoints.len(), 1, "{:?}", seen.observations);
    endpoints[0].endpoint().unwrap().handshake.clone()
}

pub fn session(seen: &Seen) -> Session {
    match handshake(seen) {
        Handshake::Shown(session) => session,
        other => panic!("certificates should be shown: {other:?}"),
    }
}

/// A server that hands each connection to a function, on threads that end with the test.
pub fn serve(behave: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let behave = Arc::new(behave);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behave = Arc::clone(&behave);
            std::thread::spawn(move || behave(stream));
        }
    });
    address
}

/// Hands everything on, both ways, until one side is done.
pub fn join(mut stream: TcpStream, inner: SocketAddr) {
    let mut server = TcpStream::connect(inner).unwrap();
    let (mut from, mut to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut stream);
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

/// Stands before a server and counts the connections to it.
pub fn relay(inner: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let address = serve(move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        join(stream, inner);
    });
    (address, opened)
}

/// Takes our hello, then says this and closes.
pub fn answer(octets: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(octets);
    })
}

pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: Vec<u8>,
}

pub fn identity() -> Identity {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(vec![]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::from_params(&authority, &authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    Identity { chain: vec![leaf.der().clone(), root.der().clone()], key: key.serialize_der() }
}

pub fn rustls_server(
    versions: &[&'static SupportedProtocolVersion],
    client_certificate: bool,
    set: impl FnOnce(&mut ServerConfig),
) -> SocketAddr {
    let client = if client_certificate { Client::Needed } else { Client::Ignored };
    rustls_with(server_config(versions, client, set))
}

pub fn rustls_with(config: Arc<ServerConfig>) -> SocketAddr {
    serve(move |mut stream| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        while let Ok((_, _)) = tls.complete_io(&mut stream) {
            if tls.process_new_packets().is_ok_and(|state| state.peer_has_closed()) {
                break;
            }
        }
    })
}

/// What a server does about certificates of clients.
#[derive(Clone, Copy, PartialEq)]
pub enum Client {
    Ignored,
    Wanted,
    Needed,
}

pub fn server_config(
    versions: &[&'static SupportedProtocolVersion],
    client: Client,
    set: impl FnOnce(&mut ServerConfig),
) -> Arc<ServerConfig> {
    let Identity { chain, key } = identity();
    let mut roots = RootCertStore::empty();
    roots.add(chain[1].clone()).unwrap();
    let mut provider = default_provider();
    provider.kx_groups = ALL_KX_GROUPS.to_vec();
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let builder = if client == Client::Ignored {
        builder.with_no_client_auth()
    } else {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier =
            if client == Client::Wanted { verifier.allow_unauthenticated() } else { verifier };
        builder.with_client_cert_verifier(verifier.build().unwrap())
    };
    let key = PrivateKeyDer::try_from(key).unwrap();
    let mut config =
        builder.with_single_cert_with_ocsp(chain, key, b"a stapled status".to_vec()).unwrap();
    set(&mut config);
    Arc::new(config)
}

/// `openssl s_server`, ended with the test.
pub struct Openssl {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn openssl_server(tree: &Tree, options: &str) -> Openssl {
    let mut child = Command::new("openssl")
        .args("s_server -accept 127.0.0.1:0 -key key -cert cert -www".split(' '))
        .args(options.split_whitespace())
        .current_dir(tree.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines
        .find(|line| line.as_ref().is_ok_and(|line| line.starts_with("ACCEPT")))
        .unwrap()
        .unwrap();
    // Its output has to be read on, or it would wait for us.
    std::thread::spawn(move || lines.for_each(drop));
    Openssl { child, address: line.strip_prefix("ACCEPT ").unwrap().parse().unwrap() }
}
