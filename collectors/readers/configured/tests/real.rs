//! Settings of Debian's packages as they are installed, and programs that tell themselves what they
//! read. The packages are nginx, apache2-bin, dovecot-imapd, openssl, mariadb-server, postgresql and a JDK.
#![allow(clippy::unwrap_used, reason = "a test that fails is meant to panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Disk, part, ports, read_disk, versions};
use pki_configured::Files;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install its Debian package"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn certificate(folder: &Path) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=a",
            "-keyout",
            &path("a.key"),
            "-out",
            &path("a.pem"),
        ],
    );
}

/// nginx prints every file it read; the settings that it took are those of ours.
#[test]
fn nginx_reads_the_same_files_and_accepts_what_we_understood() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    certificate(root);
    fs::create_dir(root.join("sites")).unwrap();
    fs::write(
        root.join("nginx.conf"),
        "pid x.pid; error_log stderr;\nevents {}\nhttp {\n  ssl_protocols TLSv1.2 TLSv1.3;\n  \
         ssl_certificate_key a.key;\n  include sites/*.conf;\n  include sites/.hidden;\n}\n",
    )
    .unwrap();
    fs::write(root.join("sites/.hidden"), "# by its name only\n").unwrap();
    fs::write(root.join("sites/.not.conf"), "no settings\n").unwrap();
    fs::write(
        root.join("sites/a.conf"),
        "server {\n  listen 127.0.0.1:18443 ssl;\n  server_name \"a.example.org\";\n  \
         ssl_certificate ./a.pem; ssl_ciphers \"HIGH:!aNULL\";\n}\n\
         server { listen 127.0.0.1:18443; server_name b; ssl_certificate a.pem; }\n",
    )
    .unwrap();
    let main = root.join("nginx.conf");
    let main = main.to_str().unwrap();
    let prefix = root.to_str().unwrap();
    let dump = run("nginx", &["-T", "-q", "-p", prefix, "-e", "stderr", "-c", main]);
    let theirs = dump.lines().filter_map(|line| line.strip_prefix("# configuration file "));
    let theirs: Vec<PathBuf> =
        theirs.map(|path| PathBuf::from(path.trim_end_matches(':'))).collect();

    /// Notes what is read.
    struct Noted(std::cell::RefCell<Vec<PathBuf>>);
    impl Files for Noted {
        fn read(&self, path: &Path) -> Option<Vec<u8>> {
            self.0.borrow_mut().push(path.to_owned());
            Disk.read(path)
        }
        fn matching(&self, pattern: &str) -> Vec<PathBuf> {
            Disk.matching(pattern)
        }
    }
    let noted = Noted(vec![PathBuf::from(main)].into());
    let found = pki_configured::read(Path::new(main), &fs::read(main).unwrap(), &noted);
    assert_eq!(noted.0.into_inner(), theirs);
    assert_eq!(found.len(), 2, "{found:#?}");
    for one in &found {
        assert_eq!(ports(one), ["127.0.0.1 18443"]);
        assert_eq!(one.certificates, [root.join("a.pem").to_str().unwrap()]);
        assert_eq!(one.keys, [root.join("a.key").to_str().unwrap()]);
        assert_eq!(versions(one).as_deref(), Some("TLSv1.2 TLSv1.3"));
    }
}

/// Apache prints the files it included and its virtual hosts with where they begin.
#[test]
fn apache_reads_the_same_files_and_has_the_same_virtual_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    certificate(root);
    fs::create_dir(root.join("sites")).unwrap();
    let modules = "/usr/lib/apache2/modules";
    let main = root.join("apache2.conf");
    fs::write(
        &main,
        format!(
            "Define sites sites\nLoadModule mpm_event_module {modules}/mod_mpm_event.so\n\
             LoadModule ssl_module {modules}/mod_ssl.so\nServerName x\n\
             LoadModule authz_core_module {modules}/mod_authz_core.so\n\
             ServerRoot \"{root}\"\nListen 127.0.0.1:18443\nErrorLog {root}/log\n\
             IncludeOptional gone/*.conf\nInclude ${{sites}}/*.conf\nInclude sites/more\n",
            root = root.display()
        ),
    )
    .unwrap();
    let host = |name: &str, more: &str| {
        format!(
            "# {name}\n<VirtualHost 127.0.0.1:18443>\nServerName {name}\n{more}\n\
             SSLCertificateFile a.pem\nSSLCertificateKeyFile \\\n a.key\n</VirtualHost>\n"
        )
    };
    let a = host("a.example.org", "SSLEngine on") + &host("b.example.org", "ServerAlias c");
    fs::write(root.join("sites/a.conf"), a).unwrap();
    fs::create_dir(root.join("sites/more")).unwrap();
    fs::write(root.join("sites/more/d"), host("d.example.org", "SSLEngine on")).unwrap();
    let main = main.to_str().unwrap();
    let dump = run("apache2", &["-f", main, "-t", "-D", "DUMP_INCLUDES", "-D", "DUMP_VHOSTS"]);
    let found = read_disk(main);
    assert_eq!(found.len(), 2, "{found:#?}");
    for one in &found {
        let part = one.part.clone().unwrap();
        let place = part.rsplit(' ').next().unwrap();
        let line = dump.lines().find(|line| line.contains(place));
        let line = line.unwrap_or_else(|| panic!("{place} is not in {dump}"));
        assert!(line.contains(&one.server_names[0]), "{line}");
        assert_eq!(ports(one), ["127.0.0.1 18443"]);
        assert_eq!(one.certificates, [root.join("a.pem").to_str().unwrap()]);
        assert_eq!(one.keys, [root.join("a.key").to_str().unwrap()]);
    }
}

/// What `doveconf` says it read is what we read.
#[test]
fn dovecot_says_the_same_of_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    certificate(root);
    fs::create_dir(root.join("conf.d")).unwrap();
    let main = root.join("dovecot.conf");
    fs::write(
        &main,
        "protocols = imap\nlisten = 127.0.0.1\n!include conf.d/*.conf\n\
         !include_try gone/*.conf\nssl_prefer_server_ciphers = yes\n",
    )
    .unwrap();
    fs::write(
        root.join("conf.d/10-ssl.conf"),
        "ssl = required # comment\nssl_cert = <../a.pem\nssl_key = <../a.key\n\
         ssl_min_protocol = TLSv1.1\nssl_cipher_list = HIGH:\\\n  !aNULL\n\
         service imap-login {\n  inet_listener imap {\n    port = 10143\n  }\n}\n",
    )
    .unwrap();
    let path = main.to_str().unwrap();
    let ask = |name: &str| run("doveconf", &["-c", path, "-h", name]).trim().to_owned();
    let found = read_disk(path);
    let whole = part(&found, "");
    for name in ["ssl", "ssl_prefer_server_ciphers", "ssl_min_protocol"] {
        assert_eq!(whole.settings[name], ask(name), "{name}");
    }
    // doveconf joins a line that goes on with one space less than none.
    let suites = whole.suites.clone().unwrap();
    assert_eq!(suites.replace(' ', ""), ask("ssl_cipher_list").replace(' ', ""));
    let theirs = run("doveconf", &["-x", "-c", path, "-h", "ssl_cert"]);
    assert_eq!(theirs.trim(), fs::read_to_string(&whole.certificates[0]).unwrap().trim());
    assert_eq!(ports(whole), ["127.0.0.1 993", "127.0.0.1 10143/imap"]);
    let listener = run("doveconf", &["-c", path, "service/imap-login/inet_listener/imap/port"]);
    assert!(listener.contains("10143"), "{listener}");
    assert_eq!(versions(whole).as_deref(), Some("TLSv1.1 TLSv1.2 TLSv1.3"));
}

#[test]
fn nginx_as_debian_installs_it_serves_nothing_with_tls() {
    let found = read_disk("/etc/nginx/nginx.conf");
    assert!(found.iter().all(|one| one.unresolved.is_empty()), "{found:#?}");
}

#[test]
fn dovecot_as_debian_installs_it_offers_imap_with_tls() {
    let found = read_disk("/etc/dovecot/dovecot.conf");
    let whole = part(&found, "");
    assert_eq!(whole.certificates, ["/etc/dovecot/private/dovecot.pem"]);
    assert_eq!(whole.keys, ["/etc/dovecot/private/dovecot.key"]);
    assert!(ports(whole).contains(&"993".to_owned()), "{whole:?}");
    assert!(whole.unresolved.is_empty(), "{whole:?}");
}

#[test]
fn openssl_as_debian_installs_it_describes_the_example_of_an_authority() {
    let found = read_disk("/etc/ssl/openssl.cnf");
    let example = part(&found, "ca CA_default");
    assert_eq!(example.settings["default_days"], "365");
    assert_eq!(example.settings["policy"], "policy_match");
    assert!(example.certificates.is_empty() && example.keys.is_empty());
    assert!(
        example.unresolved.contains(&"private_key ./demoCA/private/cakey.pem".to_owned()),
        "{example:?}"
    );
}

/// OpenSSL refuses versions below the minimum that we read from the same file.
#[test]
fn openssl_keeps_to_the_versions_we_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openssl.cnf");
    let path = path.to_str().unwrap();
    fs::write(
        path,
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n\
         MinProtocol = TLSv1.2\nCipherString = ECDHE-RSA-AES256-GCM-SHA384\n",
    )
    .unwrap();
    let found = read_disk(path);
    assert_eq!(versions(&found[0]).as_deref(), Some("TLSv1.2 TLSv1.3"));
    let mut ciphers = Command::new("openssl");
    let ciphers = ciphers.args(["ciphers", "-s"]).env("OPENSSL_CONF", path).output().unwrap();
    let listed = String::from_utf8(ciphers.stdout).unwrap();
    assert!(listed.trim().ends_with(found[0].suites.as_deref().unwrap()), "{listed}");
    assert!(!listed.contains("ECDHE-RSA-AES128-SHA"), "{listed}");
}

#[test]
fn java_as_it_is_installed_enables_two_versions() {
    let folders = fs::read_dir("/usr/lib/jvm").expect("a JDK is installed");
    let paths = folders.map(|entry| entry.unwrap().path().join("conf/security/java.security"));
    let paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    assert!(!paths.is_empty(), "no JDK has a java.security");
    for path in paths {
        let found = read_disk(path.to_str().unwrap());
        assert_eq!(versions(&found[0]).as_deref(), Some("TLSv1.2 TLSv1.3"), "{path:?}");
        assert_eq!(found[0].settings["keystore.type"], "pkcs12");
        assert!(found[0].settings["jdk.certpath.disabledAlgorithms"].contains("MD5"));
        assert!(found[0].unresolved.is_empty());
    }
}

#[test]
fn postgresql_as_debian_installs_it_offers_tls_with_the_snakeoil_key() {
    let mut clusters = fs::read_dir("/etc/postgresql").expect("postgresql is installed");
    let cluster = clusters.next().expect("there is a version").unwrap().path().join("main");
    let found = read_disk(cluster.join("postgresql.conf").to_str().unwrap());
    let server = part(&found, "");
    assert_eq!(server.certificates, ["/etc/ssl/certs/ssl-cert-snakeoil.pem"]);
    assert_eq!(server.keys, ["/etc/ssl/private/ssl-cert-snakeoil.key"]);
    assert!(server.listens.iter().all(|one| one.starttls.as_deref() == Some("postgres")));
    assert_eq!(server.settings["pg_hba.conf"], "host on loopback");
}

#[test]
fn mariadb_as_debian_installs_it_leaves_tls_to_the_server() {
    let found = read_disk("/etc/mysql/mariadb.cnf");
    assert!(found.iter().all(|one| one.certificates.is_empty()), "{found:#?}");
    assert!(found.iter().all(|one| one.unresolved.is_empty()), "{found:#?}");
}
