//! xrdp: remote desktops.

use super::started::Setup;
use super::{Door, TlsServer, own_address};
use crate::certificates::{Issued, path};

impl TlsServer {
    /// xrdp; without a certificate it offers its own encryption only.
    #[must_use]
    pub fn xrdp(issued: Option<&Issued>) -> Self {
        let setup = Setup::new();
        let door = Door::free(own_address(), Some("rdp"));
        let security = match issued {
            Some(issued) => {
                let (certificate, key) = setup.certificate(issued);
                format!(
                    "security_layer=negotiate\ncertificate={}\nkey_file={}\n",
                    path(&certificate),
                    path(&key)
                )
            }
            None => "security_layer=rdp\n".to_owned(),
        };
        let text = format!(
            "[Globals]\nini_version=1\nfork=true\nport=tcp://{}\ncrypt_level=high\n\
             ssl_protocols=TLSv1.2, TLSv1.3\n{security}\
             [Logging]\nLogFile={}\nLogLevel=INFO\nEnableSyslog=false\n\
             [Xorg]\nname=Xorg\nlib=libxup.so\nusername=ask\npassword=ask\nport=-1\ncode=20\n",
            door.address,
            path(&setup.path().join("log"))
        );
        let configuration = setup.write("xrdp.ini", text);
        let mut command = setup.command("xrdp");
        command.args(["--nodaemon", "-c"]).arg(configuration);
        setup.start(command, vec![door])
    }
}
