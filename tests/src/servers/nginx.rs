//! nginx: many names on one socket, and plain HTTP.

use std::net::SocketAddr;
use std::process::Command;

use super::started::{Setup, program_of};
use super::{Door, TlsServer};
use crate::certificates::{Issued, path};

impl TlsServer {
    /// nginx with one site a name, on one socket; the first serves whoever sends no name.
    #[must_use]
    pub fn nginx(address: SocketAddr, sites: &[(&str, &Issued)]) -> Self {
        let site = |(name, issued): &(&str, &Issued)| {
            format!(
                "server {{ listen {address} ssl; server_name {name}; ssl_certificate {}; \
                 ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3; return 204; }}\n",
                path(&issued.certificate),
                path(&issued.key)
            )
        };
        nginx(address, &sites.iter().map(site).collect::<String>())
    }

    /// nginx without TLS.
    #[must_use]
    pub fn nginx_in_the_clear(address: SocketAddr) -> Self {
        nginx(address, &format!("server {{ listen {address}; return 204; }}\n"))
    }
}

fn nginx(address: SocketAddr, sites: &str) -> TlsServer {
    let setup = Setup::new();
    let program = program_of("nginx");
    let built = Command::new(&program).arg("-V").output().unwrap_or_else(|error| {
        panic!("nginx could not be started ({error}); tests/run installs it")
    });
    let built = String::from_utf8_lossy(&built.stderr).into_owned();
    let mut text = "daemon off;\nmaster_process off;\nerror_log stderr;\nevents {}\nhttp {\n\
                    access_log off;\n"
        .to_owned();
    // Its own places are not everybody's to write to.
    for module in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        if !built.contains(&format!("--without-http_{module}_module")) {
            text += &format!("{module}_temp_path {};\n", path(&setup.path().join(module)));
        }
    }
    text += sites;
    text += "}\n";
    let configuration = setup.write("nginx.conf", text);
    let pid = format!("pid {};", path(&setup.path().join("pid")));
    let mut command = Command::new(program);
    command.arg("-p").arg(setup.path()).arg("-c").arg(configuration).args(["-g", &pid]);
    setup.start(command, vec![Door { opening: None, address }])
}
