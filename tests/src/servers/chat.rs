//! prosody and InspIRCd: XMPP and IRC.

use super::started::Setup;
use super::{Door, TlsServer, own_address};
use crate::certificates::{Issued, path};

impl TlsServer {
    /// prosody for one domain, with a door for clients and one for servers; without a certificate
    /// it offers no TLS. Asked by address, it is told no domain and has to be content with that.
    #[must_use]
    pub fn prosody(domain: &str, issued: Option<&Issued>) -> Self {
        let setup = Setup::new();
        let address = own_address();
        let doors = ["xmpp", "xmpp-server"].map(|opening| Door::free(address, Some(opening)));
        let folder = path(setup.path()).to_owned();
        let mut text = format!(
            "daemonize = false\nrun_as_root = false\npidfile = \"{folder}/pid\"\n\
             data_path = \"{}\"\ninterfaces = {{ \"{address}\" }}\n\
             local_interfaces = {{ \"{address}\" }}\nc2s_ports = {{ {} }}\ns2s_ports = {{ {} }}\n\
             c2s_direct_tls_ports = {{}}\ns2s_direct_tls_ports = {{}}\n\
             authentication = \"internal_hashed\"\nlog = {{ info = \"*console\" }}\n\
             certificates = \"{folder}\"\n",
            path(&setup.folder("data")),
            doors[0].address.port(),
            doors[1].address.port()
        );
        text += &match issued {
            Some(issued) => {
                let (certificate, key) = setup.certificate(issued);
                format!(
                    "modules_enabled = {{ \"tls\", \"saslauth\", \"dialback\" }}\n\
                     c2s_require_encryption = true\ns2s_require_encryption = true\n\
                     ssl = {{ certificate = \"{}\", key = \"{}\" }}\n",
                    path(&certificate),
                    path(&key)
                )
            }
            None => "modules_enabled = { \"saslauth\", \"dialback\" }\n\
                     modules_disabled = { \"tls\" }\nc2s_require_encryption = false\n\
                     s2s_require_encryption = false\nallow_unencrypted_plain_auth = true\n"
                .to_owned(),
        };
        text += &format!("VirtualHost \"{domain}\"\n");
        let configuration = setup.write("prosody.cfg.lua", text);
        let mut command = setup.command("prosody");
        command.args(["-F", "--config"]).arg(configuration);
        setup.start(command, doors.to_vec())
    }

    /// InspIRCd; without a certificate it offers no TLS. It uses GnuTLS.
    #[must_use]
    pub fn inspircd(issued: Option<&Issued>) -> Self {
        let setup = Setup::new();
        let door = Door::free(own_address(), Some("irc"));
        let folder = path(setup.path()).to_owned();
        let mut text = format!(
            "<server name=\"irc.lab.test\" description=\"lab\" id=\"1AA\" network=\"Lab\">\n\
             <admin name=\"a\" nick=\"a\" email=\"a@lab.test\">\n\
             <bind address=\"{}\" port=\"{}\" type=\"clients\">\n\
             <connect allow=\"*\" timeout=\"20\" resolvehostnames=\"no\" useident=\"no\" \
             globalmax=\"500\" localmax=\"500\">\n<options defaultbind=\"ipv4\">\n\
             <performance clonesonconnect=\"no\">\n<pid file=\"{folder}/pid\">\n\
             <path configdir=\"{folder}\" datadir=\"{folder}\" logdir=\"{folder}\" \
             runtimedir=\"{folder}\">\n\
             <log method=\"file\" type=\"*\" level=\"default\" target=\"log\">\n\
             <module name=\"cap\">\n",
            door.address.ip(),
            door.address.port()
        );
        if let Some(issued) = issued {
            let (certificate, key) = setup.certificate(issued);
            text += &format!(
                "<module name=\"ssl_gnutls\">\n<module name=\"starttls\">\n\
                 <starttls sslprofile=\"Lab\">\n\
                 <sslprofile name=\"Lab\" provider=\"gnutls\" certfile=\"{}\" keyfile=\"{}\">\n",
                path(&certificate),
                path(&key)
            );
        }
        let configuration = setup.write("inspircd.conf", text);
        let mut command = setup.command("inspircd");
        command.args(["--nofork", "--config"]).arg(configuration);
        setup.start(command, vec![door])
    }
}
