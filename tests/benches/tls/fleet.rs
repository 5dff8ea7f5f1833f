//! A fleet of TLS servers on loopback: thousands of addresses, a certificate for each.
//!
//! All of 127.0.0.0/8 is this machine, and a listener on no particular address answers for all of
//! it. The local address of a connection says which server is meant, so ten thousand of them cost
//! one process and a few sockets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// The versions the servers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    Only12,
    Only13,
    /// One of the two by address.
    Mixed,
}

/// How a server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// Takes connections and never says a word.
    Silent,
    /// Never answers the first packet.
    Unreachable,
    /// Answers with one octet a second.
    Slow,
    /// Resets the connection once it has the hello.
    Reset,
    /// Thinks for a while before it answers.
    Late,
}

/// How the servers of a fleet behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    Good,
    /// 5 % are black holes, 5 % slow, and 5 % reset.
    Hostile,
    /// All answer late, so that as many wait at the same time as may.
    Late,
}

/// A fleet.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    pub count: u32,
    pub port: u16,
    pub versions: Versions,
    pub temper: Temper,
}

/// The digests of the leaves by address: what is to be found.
pub type Truth = BTreeMap<IpAddr, String>;

/// Accept queues are limited; several listeners share the rush of a start.
const LISTENERS: usize = 8;
const QUEUE: u32 = 4096;
/// Who stays longer than this has forgotten to go.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longer than it takes to begin with as many as may be in flight.
const LATE: Duration = Duration::from_secs(4);

impl Versions {
    pub const ALL: [Self; 3] = [Self::Only12, Self::Only13, Self::Mixed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Only12 => "1.2",
            Self::Only13 => "1.3",
            Self::Mixed => "mixed",
        }
    }
}

impl Temper {
    const ALL: [Self; 3] = [Self::Good, Self::Hostile, Self::Late];

    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Hostile => "hostile",
            Self::Late => "late",
        }
    }
}

impl Fleet {
    pub fn address(&self, index: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + index))
    }

    /// The whole fleet as the agent reads it.
    pub fn target(&self) -> String {
        format!("{}-{}:{}", self.address(0), self.address(self.count - 1), self.port)
    }

    fn index(&self, address: IpAddr) -> Option<u32> {
        let IpAddr::V4(address) = address.to_canonical() else { return None };
        let index = address.to_bits().checked_sub(Ipv4Addr::new(127, 1, 0, 0).to_bits())?;
        (index < self.count).then_some(index)
    }

    pub fn manner(&self, index: u32) -> Manner {
        match (self.temper, index % 20) {
            (Temper::Late, _) => Manner::Late,
            (Temper::Hostile, 3) if (index / 20).is_multiple_of(2) => Manner::Silent,
            (Temper::Hostile, 3) => Manner::Unreachable,
            (Temper::Hostile, 9) => Manner::Slow,
            (Temper::Hostile, 15) => Manner::Reset,
            _ => Manner::Good,
        }
    }

    /// As words of a command line.
    pub fn words(&self) -> [String; 4] {
        let (versions, temper) = (self.versions.name(), self.temper.name());
        [self.count.to_string(), self.port.to_string(), versions.to_owned(), temper.to_owned()]
    }

    pub fn from_words(words: &[String]) -> Option<Self> {
        let [count, port, versions, temper, ..] = words else { return None };
        Some(Self {
            count: count.parse().ok()?,
            port: port.parse().ok()?,
            versions: Versions::ALL.into_iter().find(|mode| mode.name() == versions)?,
            temper: Temper::ALL.into_iter().find(|all| all.name() == temper)?,
        })
    }
}

/// What one server says.
struct Server {
    config: Arc<ServerConfig>,
    manner: Manner,
}

/// Serves until standard input ends. Says on standard output when it listens; before that, what is
/// to be found is in the file.
pub fn serve(fleet: Fleet, truth: &Path) {
    let servers = make(&fleet, truth);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let servers = Arc::new(servers);
        let everywhere = SocketAddr::from(([0, 0, 0, 0], fleet.port));
        for _ in 0..LISTENERS {
            let listener = listen(everywhere, QUEUE);
            let servers = Arc::clone(&servers);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let servers = Arc::clone(&servers);
                    tokio::spawn(async move {
                        let local = stream.local_addr().ok();
                        let index = local.and_then(|local| fleet.index(local.ip()));
                        if let Some(server) = index.and_then(|index| servers.get(index as usize)) {
                            let _ = timeout(PATIENCE, answer(stream, server)).await;
                        }
                    });
                }
            });
        }
        let mut dead = Vec::new();
        for index in 0..fleet.count {
            if fleet.manner(index) == Manner::Unreachable {
                dead.push(hole(SocketAddr::new(fleet.address(index), fleet.port)).await);
            }
        }
        println!("ready");
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = ended.await;
        drop(dead);
    });
    runtime.shutdown_background();
}

fn listen(at: SocketAddr, queue: u32) -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(at).unwrap();
    socket.listen(queue).unwrap()
}

/// An address that drops the first packet of everybody: the queue of its listener is full and
/// nobody takes from it. Needs no firewall.
async fn hole(at: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
    let listener = listen(at, 0);
    let mut queued = Vec::new();
    let moment = Duration::from_millis(50);
    while let Ok(Ok(stream)) = timeout(moment, TcpStream::connect(at)).await {
        queued.push(stream);
    }
    (listener, queued)
}

async fn answer(mut stream: TcpStream, server: &Server) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    if server.manner == Manner::Silent {
        while stream.read(&mut buffer).await? > 0 {}
        return Ok(());
    }
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        acceptor.read_tls(&mut &buffer[..count])?;
        match acceptor.accept() {
            Ok(Some(accepted)) => break accepted,
            Ok(None) => {}
            Err((_, mut alert)) => {
                let mut octets = Vec::new();
                alert.write_all(&mut octets)?;
                return stream.write_all(&octets).await;
            }
        }
    };
    if server.manner == Manner::Reset {
        stream.set_zero_linger()?;
        return Ok(());
    }
    let mut session = match accepted.into_connection(Arc::clone(&server.config)) {
        Ok(session) => session,
        Err((_, mut alert)) => {
            let mut octets = Vec::new();
            alert.write_all(&mut octets)?;
            return stream.write_all(&octets).await;
        }
    };
    if server.manner == Manner::Late {
        tokio::time::sleep(LATE).await;
    }
    if server.manner == Manner::Slow {
        for octet in pending(&mut session)? {
            stream.write_all(&[octet]).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        return Ok(());
    }
    loop {
        let octets = pending(&mut session)?;
        if !octets.is_empty() {
            stream.write_all(&octets).await?;
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        session.read_tls(&mut &buffer[..count])?;
        match session.process_new_packets() {
            Ok(state) if state.peer_has_closed() => return Ok(()),
            Ok(_) => {}
            Err(_) => return stream.write_all(&pending(&mut session)?).await,
        }
    }
}

fn pending(session: &mut ServerConnection) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut octets)?;
    }
    Ok(octets)
}

/// One certificate for everybody who asks.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// One key and one issuer for all: the certificates are distinct, and quickly made.
fn make(fleet: &Fleet, truth: &Path) -> Vec<Server> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let base = |versions| {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::server::ResolvesServerCertUsingSni::new()));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config
    };
    let (only12, only13) = (base(&[&TLS12]), base(&[&TLS13]));

    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(rcgen::DnType::CommonName, "Fleet Issuing CA");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer_key = KeyPair::generate().unwrap();
    let issuer_certificate = params.self_signed(&issuer_key).unwrap().der().clone();
    let issuer = Issuer::new(params, issuer_key);
    let key = KeyPair::generate().unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let signing: Arc<dyn SigningKey> = aws_lc_rs::sign::any_supported_type(&private).unwrap();

    let mut lines = String::new();
    let servers = (0..fleet.count)
        .map(|index| {
            let address = fleet.address(index);
            let leaf = leaf(address, &key, &issuer);
            let digest: String = Sha256::digest(&leaf).iter().fold(String::new(), |mut hex, o| {
                let _ = write!(hex, "{o:02x}");
                hex
            });
            let _ = writeln!(lines, "{address} {digest}");
            let chain = vec![leaf, issuer_certificate.clone()];
            let certified = Arc::new(CertifiedKey::new(chain, Arc::clone(&signing)));
            let is_old = match fleet.versions {
                Versions::Only12 => true,
                Versions::Only13 => false,
                Versions::Mixed => index.is_multiple_of(2),
            };
            let mut config = if is_old { only12.clone() } else { only13.clone() };
            config.cert_resolver = Arc::new(Only(certified));
            Server { config: Arc::new(config), manner: fleet.manner(index) }
        })
        .collect();
    std::fs::write(truth, lines).unwrap();
    servers
}

fn leaf(address: IpAddr, key: &KeyPair, issuer: &Issuer<'_, KeyPair>) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec![format!("host-{address}.fleet.test")]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress(address));
    params.distinguished_name.push(rcgen::DnType::CommonName, format!("host-{address}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.signed_by(key, issuer).unwrap().der().clone()
}

/// Reads what is to be found.
pub fn read_truth(path: &Path) -> Truth {
    let text = std::fs::read_to_string(path).unwrap();
    let entry = |line: &str| {
        let (address, digest) = line.split_once(' ').unwrap();
        (address.parse().unwrap(), digest.to_owned())
    };
    text.lines().map(entry).collect()
}
