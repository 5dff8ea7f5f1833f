//! slapd: LDAP with StartTLS, and LDAPS.

use super::started::Setup;
use super::{Door, TlsServer, own_address};
use crate::certificates::{Issued, path};

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
