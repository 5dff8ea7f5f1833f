//! slapd: LDAP with StartTLS, and LDAPS.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::started::Setup;
use super::{Door, TlsServer, own_address};
use crate::certificates::{Issued, path};
use crate::tools;

/// Entries for slapd (RFC 2849), below [`Entries::BASE`], with an account that may read them.
pub struct Entries(String);

impl TlsServer {
    /// slapd with LDAP and LDAPS, and what its TLS library is to allow; Debian links it with GnuTLS.
    #[must_use]
    pub fn slapd(issued: &Issued, priorities: &str) -> Self {
        let setup = Setup::new();
        let (certificate, key) = setup.certificate(issued);
        let tls = format!(
            "TLSCertificateFile {}\nTLSCertificateKeyFile {}\nTLSCipherSuite {priorities}\n",
            path(&certificate),
            path(&key)
        );
        slapd(setup, &tls, &[Some("ldap"), None])
    }

    /// slapd with LDAP alone.
    #[must_use]
    pub fn slapd_in_the_clear() -> Self {
        slapd(Setup::new(), "", &[Some("ldap")])
    }

    /// slapd on this address with these entries, which nobody but [`Entries::READER`] may read, and with these lines
    /// in the settings of its database. It logs who binds and what is searched for. Its first door is
    /// LDAP, the second LDAPS.
    #[must_use]
    pub fn slapd_with(address: Ipv4Addr, issued: &Issued, entries: &Entries, more: &str) -> Self {
        let setup = Setup::new();
        let (certificate, key) = setup.certificate(issued);
        let folder = setup.folder("entries");
        let mut text = String::new();
        for schema in ["core", "cosine", "inetorgperson"] {
            writeln!(text, "include /etc/ldap/schema/{schema}.schema").unwrap();
        }
        let base = Entries::BASE;
        write!(
            text,
            "modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {pid}\n\
             TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\nloglevel stats\n\
             sizelimit unlimited\ndatabase mdb\nmaxsize 4294967296\ndirectory {folder}\nsuffix \"{base}\"\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by users read by * none\n{more}\n",
            pid = path(&setup.path().join("pid")),
            certificate = path(&certificate),
            key = path(&key),
            folder = path(&folder),
        )
        .unwrap();
        let configuration = setup.write("slapd.conf", text);
        let ldif = setup.write("entries.ldif", &entries.0);
        let mut add = setup.command("slapadd");
        // Without checks of what is in use: nothing else writes there.
        add.args(["-q", "-f"]).arg(&configuration).arg("-l").arg(ldif);
        tools::finish(add);
        let doors = vec![Door::free(address, Some("ldap")), Door::free(address, None)];
        let urls = format!("ldap://{} ldaps://{}", doors[0].address, doors[1].address);
        let mut command = setup.command("slapd");
        command.args(["-d", "stats", "-f"]).arg(configuration).args(["-h", &urls]);
        setup.start(command, doors)
    }
}

impl Entries {
    /// Where they are.
    pub const BASE: &'static str = "dc=lab,dc=test";
    /// Who may read them.
    pub const READER: &'static str = "cn=reader,dc=lab,dc=test";

    /// The base and the account alone.
    #[must_use]
    pub fn new(password: &str) -> Self {
        let mut entries = Self(String::new());
        entries.add("", &["dcObject", "organization"], &[("dc", b"lab"), ("o", b"Lab")]);
        let reader = [("cn", &b"reader"[..]), ("userPassword", password.as_bytes())];
        entries.add("cn=reader", &["organizationalRole", "simpleSecurityObject"], &reader);
        entries
    }

    /// Adds an entry below the base: its name, classes and attributes.
    pub fn add(&mut self, name: &str, classes: &[&str], attributes: &[(&str, &[u8])]) {
        let comma = if name.is_empty() { "" } else { "," };
        writeln!(self.0, "dn: {name}{comma}{}", Self::BASE).unwrap();
        for class in classes {
            writeln!(self.0, "objectClass: {class}").unwrap();
        }
        for (attribute, value) in attributes {
            writeln!(self.0, "{attribute}:: {}", STANDARD.encode(value)).unwrap();
        }
        self.0.push('\n');
    }

    /// Adds a person with a certificate.
    pub fn add_person(&mut self, name: &str, certificate: &[u8]) {
        let names = [("uid", name.as_bytes()), ("cn", name.as_bytes()), ("sn", name.as_bytes())];
        let held = [("userCertificate;binary", certificate)];
        self.add(&format!("uid={name}"), &["inetOrgPerson"], &[&names[..], &held].concat());
    }
}

fn slapd(setup: Setup, tls: &str, openings: &[Option<&'static str>]) -> TlsServer {
    let address = own_address();
    let doors: Vec<Door> = openings.iter().map(|opening| Door::free(address, *opening)).collect();
    let urls: Vec<String> = doors
        .iter()
        .map(|door| {
            let scheme = if door.opening.is_some() { "ldap" } else { "ldaps" };
            format!("{scheme}://{}", door.address)
        })
        .collect();
    let folder = setup.folder("entries");
    let text = format!(
        "include /etc/ldap/schema/core.schema\npidfile {}\n{tls}database ldif\ndirectory {}\n\
         suffix \"dc=lab,dc=test\"\n",
        path(&setup.path().join("pid")),
        path(&folder)
    );
    let configuration = setup.write("slapd.conf", text);
    let mut command = setup.command("slapd");
    // Debugging level 0 keeps it in the foreground.
    command.args(["-d", "0", "-f"]).arg(configuration).args(["-h", &urls.join(" ")]);
    setup.start(command, doors)
}
