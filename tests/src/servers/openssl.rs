//! `openssl s_server` in all its variants.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use super::started::Setup;
use super::{Door, TlsServer, free_port, own_address};
use crate::certificates::Issued;

/// Options of `s_server`, one variant a value, for tables of tests.
pub type OpenSsl<'a> = &'a [&'a str];

impl TlsServer {
    /// `openssl s_server` with a certificate and more options.
    #[must_use]
    pub fn openssl(issued: &Issued, options: OpenSsl<'_>) -> Self {
        Self::openssl_at(free_port(own_address()), issued, options)
    }

    /// The same at an address.
    #[must_use]
    pub fn openssl_at(address: SocketAddr, issued: &Issued, options: OpenSsl<'_>) -> Self {
        let setup = Setup::new();
        let accept = address.to_string();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", &accept, "-cert"]).arg(&issued.certificate);
        command.arg("-key").arg(&issued.key);
        if !issued.chain.is_empty() {
            let texts: Vec<String> =
                issued.chain.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
            command.arg("-cert_chain").arg(setup.write("chain.pem", texts.concat()));
        }
        // It refuses to answer as a web server where it takes early data.
        if !options.contains(&"-early_data") {
            command.arg("-www");
        }
        command.args(options);
        setup.start(command, vec![Door { opening: None, address }])
    }
}
