//! vsftpd: FTP with AUTH TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::started::Setup;
use super::{Door, TlsServer, own_address};
use crate::certificates::{Issued, path};

impl TlsServer {
    /// vsftpd; without a certificate it offers no TLS.
    #[must_use]
    pub fn vsftpd(issued: Option<&Issued>) -> Self {
        let setup = Setup::new();
        let door = Door::free(own_address(), Some("ftp"));
        let empty = setup.folder("empty");
        // It insists on a folder that nobody may write to.
        fs::set_permissions(&empty, fs::Permissions::from_mode(0o555)).unwrap();
        let mut text = format!(
            "listen=YES\nlisten_address={}\nlisten_port={}\nbackground=NO\n\
             run_as_launching_user=YES\nanonymous_enable=YES\nsecure_chroot_dir={}\n\
             seccomp_sandbox=NO\nxferlog_enable=NO\n",
            door.address.ip(),
            door.address.port(),
            path(&empty)
        );
        if let Some(issued) = issued {
            let (certificate, key) = setup.certificate(issued);
            text += &format!(
                "ssl_enable=YES\nallow_anon_ssl=YES\nssl_ciphers=HIGH\nrsa_cert_file={}\n\
                 rsa_private_key_file={}\n",
                path(&certificate),
                path(&key)
            );
        }
        let configuration = setup.write("vsftpd.conf", text);
        let mut command = setup.command("vsftpd");
        command.arg(configuration);
        setup.start(command, vec![door])
    }
}
