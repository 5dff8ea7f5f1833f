//! Keys and certificates made with the `openssl` command, faults included.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest as _, Sha256};

/// Whose keys and certificates lie in one folder.
pub struct Authority {
    folder: PathBuf,
    /// Its own certificate and key.
    pub own: Issued,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
    /// The CA certificates above it without the root, PEM; empty where there are none.
    pub chain: Vec<PathBuf>,
}

/// What a certificate is to be like.
#[derive(Debug, Clone)]
pub struct Order {
    /// As `openssl` takes it: `/O=Lab/CN=name`.
    pub subject: String,
    /// DNS names and addresses.
    pub names: Vec<String>,
    /// Which key to make.
    pub key: Key,
    /// First and last second, `YYYYMMDDHHMMSSZ`.
    pub validity: (&'static str, &'static str),
    /// The hash of the signature: `sha256`.
    pub hash: &'static str,
    /// What kind of certificate.
    pub profile: Profile,
}

/// The key of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// RSA of so many bits.
    Rsa(u32),
    /// A curve by its name.
    Ec(&'static str),
    /// Ed25519.
    Ed25519,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A server.
    Server,
    /// A CA.
    Authority,
    /// X.509 v1: no extension at all.
    Version1,
}

/// Validity of what is fine, wide enough for the lifetime of these tests.
pub const VALID: (&str, &str) = ("20260101000000Z", "20360101000000Z");
/// Over before anybody ran these tests.
pub const EXPIRED: (&str, &str) = ("20240101000000Z", "20250101000000Z");

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Order {
    /// A server certificate without faults.
    #[must_use]
    pub fn server(name: &str) -> Self {
        Self {
            subject: format!("/CN={name}"),
            names: vec![name.to_owned()],
            key: Key::Ec("P-256"),
            validity: VALID,
            hash: "sha256",
            profile: Profile::Server,
        }
    }

    /// A CA certificate without faults.
    #[must_use]
    pub fn authority(name: &str) -> Self {
        Self {
            subject: format!("/O=Lab/CN={name}"),
            names: Vec::new(),
            profile: Profile::Authority,
            ..Self::server(name)
        }
    }
}

impl Authority {
    /// A root whose files lie in a folder `pki` of this folder.
    #[must_use]
    pub fn root(folder: &Path, name: &str) -> Self {
        let folder = folder.join("pki");
        fs::create_dir_all(&folder).unwrap();
        let own = issue(&folder, &Order::authority(name), None);
        Self { folder, own }
    }

    /// Issues a certificate.
    #[must_use]
    pub fn issue(&self, order: &Order) -> Issued {
        let mut issued = issue(&self.folder, order, Some(&self.own));
        issued.chain.clone_from(&self.own.chain);
        issued
    }

    /// A CA below this one, which its leaves carry in their chain.
    #[must_use]
    pub fn subordinate(&self, name: &str) -> Self {
        self.subordinate_of(&Order::authority(name))
    }

    /// The same as ordered.
    #[must_use]
    pub fn subordinate_of(&self, order: &Order) -> Self {
        let mut own = self.issue(order);
        own.chain.insert(0, own.certificate.clone());
        Self { folder: self.folder.clone(), own }
    }

    /// A revocation list, PEM.
    #[must_use]
    pub fn revocation_list(&self) -> PathBuf {
        self.revocation_list_of(VALID)
    }

    /// The same with its first and last second, `YYYYMMDDHHMMSSZ`.
    #[must_use]
    pub fn revocation_list_of(&self, (this_update, next_update): (&str, &str)) -> PathBuf {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (config, list) =
            (self.configuration(number), self.folder.join(format!("{number}.crl")));
        openssl(&[
            "ca",
            "-gencrl",
            "-config",
            path(&config),
            "-cert",
            path(&self.own.certificate),
            "-keyfile",
            path(&self.own.key),
            "-md",
            "sha256",
            "-crl_lastupdate",
            this_update,
            "-crl_nextupdate",
            next_update,
            "-out",
            path(&list),
        ]);
        list
    }

    /// A signed OCSP response that says that a certificate is good, DER.
    #[must_use]
    pub fn good_response(&self, about: &Issued) -> PathBuf {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let beside = |ending: &str| self.folder.join(format!("{number}.{ending}"));
        let (index, request, response) = (beside("index"), beside("ocspreq"), beside("ocsp"));
        let serial = openssl(&["x509", "-in", path(&about.certificate), "-noout", "-serial"]);
        let serial = serial.trim().trim_start_matches("serial=");
        fs::write(&index, format!("V\t360101000000Z\t\t{serial}\tunknown\t/CN=x\n")).unwrap();
        let ca = path(&self.own.certificate);
        openssl(&[
            "ocsp",
            "-issuer",
            ca,
            "-cert",
            path(&about.certificate),
            "-no_nonce",
            "-reqout",
            path(&request),
        ]);
        openssl(&[
            "ocsp",
            "-index",
            path(&index),
            "-CA",
            ca,
            "-rsigner",
            ca,
            "-rkey",
            path(&self.own.key),
            "-reqin",
            path(&request),
            "-respout",
            path(&response),
            "-ndays",
            "3650",
        ]);
        response
    }

    fn configuration(&self, number: u32) -> PathBuf {
        configuration(&self.folder, number)
    }
}

impl Issued {
    /// A certificate that signed itself.
    #[must_use]
    pub fn self_signed(folder: &Path, order: &Order) -> Self {
        let folder = folder.join("pki");
        fs::create_dir_all(&folder).unwrap();
        issue(&folder, order, None)
    }

    /// The encoding of the certificate.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        der_of(&self.certificate)
    }

    /// SHA-256 of the certificate's encoding, as the inventory names it.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256(&self.der())
    }

    /// The unencrypted private key in PKCS#8, DER.
    #[must_use]
    pub fn key_der(&self) -> Vec<u8> {
        let out = self.key.with_extension("p8");
        openssl(&[
            "pkcs8",
            "-topk8",
            "-nocrypt",
            "-in",
            path(&self.key),
            "-outform",
            "DER",
            "-out",
            path(&out),
        ]);
        fs::read(out).unwrap()
    }

    /// SHA-256 of the public key's encoding, by which keys and certificates are joined.
    #[must_use]
    pub fn spki_sha256(&self) -> String {
        let out = self.key.with_extension("spki");
        openssl(&[
            "pkey",
            "-in",
            path(&self.key),
            "-pubout",
            "-outform",
            "DER",
            "-out",
            path(&out),
        ]);
        sha256(&fs::read(out).unwrap())
    }

    /// A certification request for the same key, PEM.
    #[must_use]
    pub fn request(&self) -> PathBuf {
        let out = self.key.with_extension("csr");
        openssl(&[
            "req",
            "-new",
            "-key",
            path(&self.key),
            "-subj",
            "/CN=request.test",
            "-out",
            path(&out),
        ]);
        out
    }
}

/// The encoding inside a PEM file.
#[must_use]
pub fn der_of(pem: &Path) -> Vec<u8> {
    use base64::Engine as _;
    let text = fs::read_to_string(pem).unwrap();
    let body: String = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

/// SHA-256 in lower-case hexadecimal digits.
#[must_use]
pub fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Runs `openssl` and gives what it printed.
pub fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap_or_else(|error| {
        panic!("openssl could not be started ({error}); tests/run installs it")
    });
    assert!(
        output.status.success(),
        "openssl {}\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes a private key, PEM in PKCS#8.
pub fn make_key(kind: Key, out: &Path) {
    let (algorithm, parameter) = match kind {
        Key::Rsa(bits) => ("RSA", Some(format!("rsa_keygen_bits:{bits}"))),
        Key::Ec(curve) => ("EC", Some(format!("ec_paramgen_curve:{curve}"))),
        Key::Ed25519 => ("ED25519", None),
    };
    let mut arguments = vec!["genpkey", "-algorithm", algorithm, "-out", path(out)];
    if let Some(parameter) = &parameter {
        arguments.extend(["-pkeyopt", parameter]);
    }
    openssl(&arguments);
}

/// A path as `openssl` takes it.
#[must_use]
pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn issue(folder: &Path, order: &Order, issuer: Option<&Issued>) -> Issued {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = |ending: &str| folder.join(format!("{number}.{ending}"));
    let (key, request, certificate) = (beside("key"), beside("req"), beside("pem"));
    let (config, extensions) = (configuration(folder, number), beside("ext"));
    make_key(order.key, &key);
    openssl(&["req", "-new", "-key", path(&key), "-subj", &order.subject, "-out", path(&request)]);
    fs::write(&extensions, extensions_of(order)).unwrap();
    let (start, end) = order.validity;
    let mut arguments = vec![
        "ca",
        "-batch",
        "-notext",
        "-config",
        path(&config),
        "-in",
        path(&request),
        "-out",
        path(&certificate),
        "-startdate",
        start,
        "-enddate",
        end,
        "-md",
        order.hash,
    ];
    match issuer {
        Some(ca) => arguments.extend(["-cert", path(&ca.certificate), "-keyfile", path(&ca.key)]),
        None => arguments.extend(["-selfsign", "-keyfile", path(&key)]),
    }
    if order.profile != Profile::Version1 {
        arguments.extend(["-extfile", path(&extensions)]);
    }
    openssl(&arguments);
    if order.profile == Profile::Version1 {
        insist_on_version_1(order, &certificate, &key, &config, issuer);
    }
    Issued { certificate, key, chain: Vec::new() }
}

/// OpenSSL 3.2 and newer write version 3 whatever is in it, unless `req` is told otherwise.
fn insist_on_version_1(
    order: &Order,
    certificate: &Path,
    key: &Path,
    config: &Path,
    issuer: Option<&Issued>,
) {
    let version = || openssl(&["x509", "-in", path(certificate), "-noout", "-text"]);
    if version().contains("Version: 1 ") {
        return;
    }
    let mut arguments = vec![
        "req",
        "-x509",
        "-x509v1",
        "-config",
        path(config),
        "-key",
        path(key),
        "-subj",
        &order.subject,
        "-days",
        "3650",
        "-out",
        path(certificate),
    ];
    if let Some(ca) = issuer {
        arguments.extend(["-CA", path(&ca.certificate), "-CAkey", path(&ca.key)]);
    }
    openssl(&arguments);
    assert!(version().contains("Version: 1 "), "this openssl makes no X.509 v1 certificates");
}

fn extensions_of(order: &Order) -> String {
    match order.profile {
        Profile::Version1 => String::new(),
        Profile::Authority => "basicConstraints=critical,CA:TRUE\n\
             keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
            .to_owned(),
        Profile::Server => {
            let typed = |name: &String| match name.parse::<std::net::IpAddr>() {
                Ok(address) => format!("IP:{address}"),
                Err(_) => format!("DNS:{name}"),
            };
            let names: Vec<String> = order.names.iter().map(typed).collect();
            let names = if names.is_empty() {
                String::new()
            } else {
                format!("subjectAltName={}\n", names.join(","))
            };
            // Without forward secrecy the client encrypts to the key of the server.
            let more = if matches!(order.key, Key::Rsa(_)) { ",keyEncipherment" } else { "" };
            format!(
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature{more}\n\
                 extendedKeyUsage=serverAuth\n{names}"
            )
        }
    }
}

/// Every order has a database of its own: many run at a time.
fn configuration(folder: &Path, number: u32) -> PathBuf {
    let database = folder.join(format!("{number}.db"));
    fs::write(&database, "").unwrap();
    let config = folder.join(format!("{number}.cnf"));
    let text = format!(
        "[ca]\ndefault_ca = lab\n[lab]\ndatabase = {}\nnew_certs_dir = {}\nrand_serial = yes\n\
         policy = any\nunique_subject = no\n[any]\norganizationName = optional\n\
         commonName = optional\n[req]\ndistinguished_name = none\n[none]\n",
        path(&database),
        path(folder)
    );
    fs::write(&config, text).unwrap();
    config
}
