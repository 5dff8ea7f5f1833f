//! exim and dovecot: SMTP, submission, IMAP, POP3, ManageSieve and LMTP.

use std::fmt::Write as _;
use std::process::Command;

use super::started::{Setup, program_of};
use super::{Door, TlsServer, own_address};
use crate::agent::is_root;
use crate::certificates::{Issued, path};

impl TlsServer {
    /// exim with SMTP, which takes no mail; without a certificate it offers no TLS. Debian links it
    /// with GnuTLS. It listens for root alone, so that others get dovecot's submission instead.
    #[must_use]
    pub fn exim(issued: Option<&Issued>) -> Self {
        if !is_root() {
            return Self::dovecot_with(issued, &["smtp"]);
        }
        let setup = Setup::new();
        let folder = path(setup.path()).to_owned();
        let mut text = format!(
            "primary_hostname = mail.lab.test\nspool_directory = {folder}\n\
             log_file_path = {folder}/log-%s\npid_file_path = {folder}/pid\nkeep_environment =\n\
             acl_smtp_rcpt = deny\nhost_lookup =\nrfc1413_hosts =\n"
        );
        text += &match issued {
            Some(issued) => {
                let (certificate, key) = setup.certificate(issued);
                format!(
                    "tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}\n",
                    path(&certificate),
                    path(&key)
                )
            }
            None => "tls_advertise_hosts =\n".to_owned(),
        };
        text += "begin acl\ndeny:\n  deny\nbegin routers\nbegin transports\nbegin retry\n";
        let configuration = setup.write("exim.conf", text);
        let door = Door::free(own_address(), Some("smtp"));
        let address = door.address;
        // It takes no configuration of anybody's but root's, and no longer is root once it writes.
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "chown -R Debian-exim . && chown root exim.conf && exec \"$0\" \"$@\"",
            path(&program_of("exim4")),
            "-C",
            path(&configuration),
            "-bdf",
            "-oX",
            &format!("{}.{}", address.ip(), address.port()),
        ]);
        setup.start(command, vec![door])
    }

    /// dovecot with IMAP, POP3, ManageSieve, LMTP and submission, a door each; without a
    /// certificate it offers no TLS. Debian links it with OpenSSL.
    #[must_use]
    pub fn dovecot(issued: Option<&Issued>) -> Self {
        Self::dovecot_with(issued, &["imap", "pop3", "sieve", "lmtp", "smtp"])
    }

    fn dovecot_with(issued: Option<&Issued>, openings: &[&'static str]) -> Self {
        let setup = Setup::new();
        let folder = path(setup.path()).to_owned();
        let [user, group] = if is_root() {
            ["nobody", "nogroup"].map(str::to_owned)
        } else {
            ["-un", "-gn"].map(id)
        };
        let address = own_address();
        let doors: Vec<Door> =
            openings.iter().map(|opening| Door::free(address, Some(opening))).collect();
        let mut protocols = Vec::new();
        let mut text = String::new();
        for door in &doors {
            // Program, protocol, listener.
            let (service, protocol, listener) = match door.opening.unwrap() {
                "imap" => ("imap-login", "imap", "imap"),
                "pop3" => ("pop3-login", "pop3", "pop3"),
                "sieve" => ("managesieve-login", "sieve", "sieve"),
                "lmtp" => ("lmtp", "lmtp", "lmtp"),
                _ => ("submission-login", "submission", "submission"),
            };
            protocols.push(protocol);
            write!(
                text,
                "service {service} {{\n chroot =\n inet_listener {listener} {{\n port = {}\n }}\n",
                door.address.port()
            )
            .unwrap();
            if matches!(protocol, "imap" | "pop3") {
                write!(text, " inet_listener {protocol}s {{\n port = 0\n }}\n").unwrap();
            }
            text += "}\n";
        }
        write!(
            text,
            "protocols = {}\nlisten = {address}\nbase_dir = {folder}/run\n\
             state_dir = {folder}/state\nlog_path = {folder}/log\ndefault_internal_user = {user}\n\
             default_internal_group = {group}\ndefault_login_user = {user}\n\
             mail_location = maildir:{folder}/mail\nsubmission_relay_host = {address}\n\
             service anvil {{\n chroot =\n}}\n\
             passdb {{\n driver = static\n args = nopassword=y\n}}\n\
             userdb {{\n driver = static\n args = uid=65534 gid=65534 home={folder}\n}}\n",
            protocols.join(" ")
        )
        .unwrap();
        text += &match issued {
            Some(issued) => {
                let (certificate, key) = setup.certificate(issued);
                format!(
                    "ssl = yes\nssl_cert = <{}\nssl_key = <{}\n",
                    path(&certificate),
                    path(&key)
                )
            }
            None => "ssl = no\ndisable_plaintext_auth = no\n".to_owned(),
        };
        let configuration = setup.write("dovecot.conf", text);
        let mut command = setup.command("dovecot");
        command.args(["-F", "-c"]).arg(configuration);
        setup.start(command, doors).ending_with("-TERM")
    }
}

/// What `id` says of this user.
fn id(option: &str) -> String {
    let output = Command::new("id").arg(option).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
