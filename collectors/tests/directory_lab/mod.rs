//! What the tests of the directory collector share: slapd on loopback, a server of our own that
//! misbehaves, certificates, and running the collector.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of this")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki_collectors::Context;
use pki_config::{
    Bind, DirectoryAddress, DirectoryPassword, DirectoryScope, DirectoryServer, FilesystemScope,
    TlsScope, Transport,
};
use pki_encodings::tlv::{Element, INTEGER, OCTET_STRING, SEQUENCE, element};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SerialNumber,
};
use zeroize::Zeroizing;

use crate::support::{Seen, Tree, collect, context};

pub const BASE: &str = "dc=lab,dc=test";
pub const READER: &str = "cn=reader,dc=lab,dc=test";
pub const PASSWORD: &str = "correct horse";

/// An authority, and what it issued, as files in a folder.
pub struct Pki {
    issuer: Issuer<'static, KeyPair>,
    /// DER of the authority.
    pub authority: Vec<u8>,
    pub files: Tree,
}

impl Pki {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        let files = Tree::new();
        files.write("ca.pem", certificate.pem());
        Self { authority: certificate.der().to_vec(), issuer: Issuer::new(params, key), files }
    }

    /// DER of a new certificate; its files are called after it.
    pub fn issue(&self, name: &str, hosts: &[&str]) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.files.write(&format!("{name}.pem"), certificate.pem());
        self.files.write(&format!("{name}.key"), key.serialize_pem());
        certificate.der().to_vec()
    }

    /// DER of a revocation list.
    pub fn list(&self) -> Vec<u8> {
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2026, 1, 1),
            next_update: rcgen::date_time_ymd(2026, 2, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

/// Entries for slapd.
pub struct Ldif(pub String);

impl Ldif {
    /// The base and the account that may read.
    pub fn new() -> Self {
        let mut ldif = Self(String::new());
        ldif.add(BASE, &["dcObject", "organization"], &[("dc", b"lab"), ("o", b"Lab")]);
        let reader = [("cn", &b"reader"[..]), ("userPassword", PASSWORD.as_bytes())];
        ldif.add(READER, &["organizationalRole", "simpleSecurityObject"], &reader);
        ldif
    }

    pub fn add(&mut self, dn: &str, classes: &[&str], attributes: &[(&str, &[u8])]) {
        writeln!(self.0, "dn: {dn}").unwrap();
        for class in classes {
            writeln!(self.0, "objectClass: {class}").unwrap();
        }
        for (name, value) in attributes {
            writeln!(self.0, "{name}:: {}", STANDARD.encode(value)).unwrap();
        }
        self.0.push('\n');
    }

    /// A person with a certificate.
    pub fn person(&mut self, name: &str, certificate: &[u8]) {
        let names = [("uid", name.as_bytes()), ("cn", name.as_bytes()), ("sn", name.as_bytes())];
        let certificate = [("userCertificate;binary", certificate)];
        let attributes = [&names[..], &certificate].concat();
        self.add(&format!("uid={name},{BASE}"), &["inetOrgPerson"], &attributes);
    }
}

/// A server that ends with the test.
pub struct Slapd {
    child: Child,
    pub ldap: u16,
    pub ldaps: u16,
    folder: Tree,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Slapd {
    /// Starts slapd with these entries and these lines in its settings.
    pub fn start(pki: &Pki, ldif: &Ldif, more: &str) -> Self {
        if !pki.files.path().join("server.pem").exists() {
            pki.issue("server", &["127.0.0.1", "localhost"]);
        }
        let folder = Tree::new();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        let files = pki.files.path();
        let mut text = String::new();
        for schema in ["core", "cosine", "inetorgperson"] {
            writeln!(text, "include /etc/ldap/schema/{schema}.schema").unwrap();
        }
        write!(
            text,
            "modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {folder}/pid\n\
             TLSCertificateFile {files}/server.pem\nTLSCertificateKeyFile {files}/server.key\n\
             TLSCACertificateFile {files}/ca.pem\nTLSVerifyClient try\n\
             authz-regexp \"cn=client\" \"{READER}\"\nloglevel stats\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by * read\nsizelimit unlimited\n\
             database mdb\nmaxsize 4294967296\ndirectory {folder}/db\nsuffix \"{BASE}\"\n{more}\n",
            folder = folder.path().display(),
            files = files.display(),
        )
        .unwrap();
        let settings = folder.write("slapd.conf", text);
        let entries = folder.write("entries.ldif", &ldif.0);
        let added = Command::new("/usr/sbin/slapadd")
            .args(["-q", "-f"])
            .arg(&settings)
            .arg("-l")
            .arg(entries)
            .output()
            .unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let (ldap, ldaps) = (free_port(), free_port());
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("/usr/sbin/slapd")
            .args(["-d", "stats", "-f"])
            .arg(&settings)
            .args(["-h", &format!("ldap://127.0.0.1:{ldap} ldaps://127.0.0.1:{ldaps}")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let started = Self { child, ldap, ldaps, folder };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", ldaps)).is_err() {
            assert!(Instant::now() < until, "slapd does not start: {}", started.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        started
    }

    /// What it was asked.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.folder.read("log")).into_owned()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// How a server of these tests is asked.
pub fn server(port: u16, transport: Transport) -> DirectoryServer {
    DirectoryServer {
        address: DirectoryAddress::Host { host: "127.0.0.1".to_owned(), port: Some(port) },
        transport,
        timeout_secs: 5,
        deadline_secs: 60,
        ..DirectoryServer::default()
    }
}

/// A bind with a password.
pub fn simple(in_the_clear: bool) -> Bind {
    Bind::Simple { name: READER.to_owned(), password: DirectoryPassword::Prompt, in_the_clear }
}

/// Reads a directory with this password, if any.
pub fn read(server: DirectoryServer, password: Option<&str>) -> Seen {
    let scope = DirectoryScope { servers: vec![server], ..DirectoryScope::default() };
    read_scope(scope, password)
}

pub fn read_scope(scope: DirectoryScope, password: Option<&str>) -> Seen {
    collect("directory", &directory_context(scope, password))
}

pub fn directory_context(scope: DirectoryScope, password: Option<&str>) -> Context {
    let password = password.map(|password| Zeroizing::new(password.to_owned()));
    Context {
        directory: scope,
        directory_passwords: Arc::new(vec![password]),
        ..context(TlsScope::default(), FilesystemScope::default())
    }
}

/// Reads directories, each with its password.
pub fn read_all(servers: Vec<DirectoryServer>, passwords: &[&str]) -> Seen {
    let scope = DirectoryScope { servers, ..DirectoryScope::default() };
    let passwords = passwords.iter().map(|it| Some(Zeroizing::new((*it).to_owned())));
    let mut cx = directory_context(scope, None);
    cx.directory_passwords = Arc::new(passwords.collect());
    collect("directory", &cx)
}

/// Gaps as place, reason and sentence.
pub fn gaps(seen: &Seen) -> Vec<(String, String, String)> {
    let all = seen.inventory.gaps();
    all.map(|gap| (gap.place.to_string(), gap.reason.to_string(), gap.detail.clone())).collect()
}

/// The places of all that was found, in the order in which it was handed in.
pub fn found(seen: &Seen) -> Vec<String> {
    let all = seen.observations.iter().filter_map(|observation| match observation {
        pki_inventory::Observation::Found { sighting, .. } => Some(sighting.place.to_string()),
        _ => None,
    });
    all.collect()
}

// A server of our own.

/// A request as it was received.
pub struct Request {
    pub id: u32,
    /// Tag of the operation.
    pub tag: u8,
    /// All of it.
    pub octets: Vec<u8>,
    /// Which connection it came over, from 1.
    pub connection: usize,
}

impl Request {
    /// Whether a text occurs in it.
    pub fn has(&self, text: &str) -> bool {
        let octets = self.octets.to_ascii_lowercase();
        let text = text.to_ascii_lowercase();
        octets.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// The cookie of a paged search.
    pub fn cookie(&self) -> Vec<u8> {
        self.page().1
    }

    /// How many entries are asked for, and the cookie.
    pub fn page(&self) -> (u32, Vec<u8>) {
        let oid = b"1.2.840.113556.1.4.319";
        let at = self.octets.windows(oid.len()).position(|window| window == oid).unwrap();
        let value = Element::first(&self.octets[at + oid.len()..]).unwrap();
        let mut parts = Element::first(value.value).unwrap().inside();
        let size = parts.take(INTEGER).unwrap().number().unwrap();
        (size, parts.take(OCTET_STRING).unwrap().value.to_vec())
    }
}

/// Answers requests with whatever the function gives; the connection ends when it gives nothing.
pub fn fake(
    answer: impl Fn(&Request) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = count.fetch_add(1, Ordering::SeqCst) + 1;
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || talk(stream, connection, &*answer));
        }
    });
    (port, opened)
}

fn talk(
    mut stream: TcpStream,
    connection: usize,
    answer: &(dyn Fn(&Request) -> Option<Vec<u8>> + Send + Sync),
) {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        while let Some(message) = Element::first(&buffer) {
            let octets = message.whole.to_vec();
            let mut parts = message.inside();
            let id = parts.take(INTEGER).unwrap().number().unwrap();
            let tag = parts.any().unwrap().tag;
            buffer.drain(..octets.len());
            let Some(answer) = answer(&Request { id, tag, octets, connection }) else { return };
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}

pub fn message(id: u32, operation: &[u8], controls: &[u8]) -> Vec<u8> {
    let id = pki_encodings::tlv::unsigned(&id.to_be_bytes());
    element(SEQUENCE, &[&id, operation, controls])
}

/// An entry in answer to a request.
pub fn entry(id: u32, dn: &str, attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> =
                values.iter().flat_map(|value| element(OCTET_STRING, &[value])).collect();
            let name = element(OCTET_STRING, &[name.as_bytes()]);
            element(SEQUENCE, &[&name, &element(0x31, &[&values])])
        })
        .collect();
    let dn = element(OCTET_STRING, &[dn.as_bytes()]);
    message(id, &element(0x64, &[&dn, &element(SEQUENCE, &[&attributes])]), &[])
}

/// The end of an answer, with a cookie where pages follow.
pub fn done(id: u32, code: u8, cookie: Option<&[u8]>) -> Vec<u8> {
    let controls = cookie.map_or(Vec::new(), |cookie| {
        let value = element(SEQUENCE, &[&[2, 1, 0], &element(OCTET_STRING, &[cookie])]);
        let name = element(OCTET_STRING, &[b"1.2.840.113556.1.4.319"]);
        let control = element(SEQUENCE, &[&name, &element(OCTET_STRING, &[&value])]);
        element(0xa0, &[&control])
    });
    message(id, &element(0x65, &[&[0x0a, 1, code, 4, 0, 4, 0]]), &controls)
}

/// The end of a search or a bind (by its tag), with words.
pub fn ended(id: u32, tag: u8, code: u8, said: &str) -> Vec<u8> {
    let said = element(OCTET_STRING, &[said.as_bytes()]);
    message(id, &element(tag, &[&[0x0a, 1, code, 4, 0], &said]), &[])
}

/// Tags of requests and of what answers them.
pub const BIND: u8 = 0x60;
pub const BOUND: u8 = 0x61;
pub const SEARCHED: u8 = 0x65;

/// S-1-5-21-1-2-3-RID.
pub fn sid(relative: u32) -> Vec<u8> {
    let parts = [21, 1, 2, 3, relative];
    let parts = parts.iter().flat_map(|part: &u32| part.to_le_bytes());
    [1, 5, 0, 0, 0, 0, 0, 5].into_iter().chain(parts).collect()
}

/// A descriptor whose owner is the domain administrators, and which lets groups enrol.
pub fn descriptor(groups: &[u32]) -> Vec<u8> {
    let owner = sid(512);
    // ACCESS_ALLOWED_OBJECT_ACE with the control access right Certificate-Enrollment.
    let right = [
        0x68, 0xc9, 0x10, 0x0e, 0xfb, 0x78, 0xd2, 0x11, 0x90, 0xd4, 0x00, 0xc0, 0x4f, 0x79, 0xdc,
        0x55,
    ];
    let ace = |group: &u32| {
        let body = [&[0, 1, 0, 0, 1, 0, 0, 0][..], &right, &sid(*group)].concat();
        let size = u16::try_from(body.len() + 4).unwrap().to_le_bytes();
        [&[5, 0][..], &size, &body].concat()
    };
    let aces: Vec<u8> = groups.iter().flat_map(ace).collect();
    let size = u16::try_from(aces.len() + 8).unwrap().to_le_bytes();
    let count = u16::try_from(groups.len()).unwrap().to_le_bytes();
    let list = [&[4, 0][..], &size, &count, &[0, 0], &aces].concat();
    let at = u32::try_from(20 + owner.len()).unwrap().to_le_bytes();
    [&[1, 0, 4, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &at, &owner, &list].concat()
}

/// The root of a directory with this naming context.
pub fn root(id: u32, naming_context: &str) -> Vec<u8> {
    let root = entry(id, "", &[("namingContexts", &[naming_context.as_bytes()])]);
    [root, done(id, 0, None)].concat()
}

/// Whether a request asks for the root of a directory.
pub fn asks_for_root(request: &Request) -> bool {
    request.has("namingContexts")
}
