//! PostgreSQL and MariaDB, with databases of their own.

use std::fs;
use std::path::PathBuf;

use super::started::Setup;
use super::{Door, TlsServer, own_address};
use crate::certificates::{Issued, path};

impl TlsServer {
    /// PostgreSQL; without a certificate it offers no TLS.
    #[must_use]
    pub fn postgres(issued: Option<&Issued>) -> Self {
        let setup = Setup::new();
        let programs = postgres_programs();
        let data = setup.path().join("data");
        let mut command = setup.command(path(&programs.join("initdb")));
        command.args(["-A", "trust", "--no-sync", "--no-instructions", "-D"]).arg(&data);
        let output = command.current_dir(setup.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

        let door = Door::free(own_address(), Some("postgres"));
        let mut options = vec![
            format!("listen_addresses={}", door.address.ip()),
            format!("port={}", door.address.port()),
            "unix_socket_directories=".to_owned(),
            "shared_buffers=1MB".to_owned(),
            "fsync=off".to_owned(),
        ];
        if let Some(issued) = issued {
            let (certificate, key) = setup.certificate(issued);
            options.extend([
                "ssl=on".to_owned(),
                format!("ssl_cert_file={}", path(&certificate)),
                format!("ssl_key_file={}", path(&key)),
            ]);
        }
        let mut command = setup.command(path(&programs.join("postgres")));
        command.arg("-D").arg(&data).args(options.iter().flat_map(|option| ["-c", option]));
        setup.start(command, vec![door]).ending_with("-QUIT")
    }

    /// MariaDB; without a certificate it offers no TLS.
    #[must_use]
    pub fn mariadb(issued: Option<&Issued>) -> Self {
        let setup = Setup::new();
        let data = setup.folder("data");
        let door = Door::free(own_address(), Some("mysql"));
        let mut command = setup.command("mariadbd");
        // Without tables of users it needs no installation; nobody logs in here.
        command.args(["--no-defaults", "--skip-grant-tables", "--skip-networking=0"]);
        command.args(["--innodb=OFF", "--default-storage-engine=Aria", "--skip-log-bin"]);
        command.arg("--aria-pagecache-buffer-size=8M").arg(format!("--datadir={}", path(&data)));
        command.arg(format!("--bind-address={}", door.address.ip()));
        command.arg(format!("--port={}", door.address.port()));
        command.arg(format!("--socket={}", path(&setup.path().join("socket"))));
        command.arg(format!("--pid-file={}", path(&setup.path().join("pid"))));
        match issued {
            Some(issued) => {
                let (certificate, key) = setup.certificate(issued);
                command.arg(format!("--ssl-cert={}", path(&certificate)));
                command.arg(format!("--ssl-key={}", path(&key)));
            }
            None => {
                command.arg("--skip-ssl");
            }
        }
        setup.start(command, vec![door])
    }
}

/// Debian keeps one folder a version; any will do.
fn postgres_programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("postgres").exists())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL is missing; tests/run installs it")
}
