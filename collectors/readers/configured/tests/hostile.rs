//! Whatever is in the files, reading ends within limits and without a panic.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::Memory;
use pki_inventory::Configuration;
use proptest::prelude::*;

/// A main file of every program.
const MAINS: &[&str] = &[
    "/etc/apache2/apache2.conf",
    "/etc/crypto-policies/config",
    "/etc/dovecot/dovecot.conf",
    "/etc/haproxy/haproxy.cfg",
    "/etc/java/java.security",
    "/etc/ldap/cn=config.ldif",
    "/etc/ldap/slapd.conf",
    "/etc/mysql/my.cnf",
    "/etc/nginx/nginx.conf",
    "/etc/postfix/main.cf",
    "/etc/postgresql/postgresql.conf",
    "/etc/redis/redis.conf",
    "/etc/ssh/ssh_config",
    "/etc/ssh/sshd_config",
    "/etc/ssl/openssl.cnf",
    "/etc/vsftpd.conf",
];

/// Words that mean something to at least one program, so that more than the first line is reached.
const WORDS: &[&str] = &[
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    " ",
    ";",
    "{",
    "}",
    "=",
    "\"",
    "'",
    "\\",
    "\\\n",
    "#",
    "$",
    "${",
    "}",
    "$a",
    "${a}",
    "a",
    "*",
    "/",
    "..",
    "[",
    "]",
    "<",
    ">",
    "</",
    "ä",
    "\0",
    "-o",
    "443",
    "[::]:443",
    "ssl",
    "on",
    "yes",
    "http",
    "mail",
    "stream",
    "server",
    "listen",
    "include",
    "Include",
    "!include",
    "!includedir",
    ".include",
    "ssl_certificate",
    "ssl_protocols",
    "TLSv1.2",
    ">=TLSv1",
    "VirtualHost",
    "SSLEngine",
    "SSLProtocol",
    "IfModule",
    "Define",
    "ServerName",
    "global",
    "frontend",
    "bind",
    "crt",
    "crt-list",
    "ssl-min-ver",
    "smtpd_tls_cert_file",
    "smtpd_tls_security_level",
    "may",
    "smtp inet n - y - - smtpd",
    "ssl_cert",
    "local_name",
    "service",
    "inet_listener",
    "Match",
    "Host",
    "HostKey",
    "ListenAddress",
    "Port",
    "openssl_conf",
    "ssl_conf",
    "system_default",
    "MinProtocol",
    "[ca]",
    "default_ca",
    "private_key",
    "certificate",
    "policy",
    "jdk.tls.disabledAlgorithms",
    "include_dir",
    "include_if_exists",
    "port",
    "[mysqld]",
    "ssl-cert",
    "content_by_lua_block",
    "FIPS",
    "::",
    "-",
    ",",
    "65536",
    "8000-9000",
    "MDomain",
    "pin-value",
    "data:",
];

fn within_limits(found: &[Configuration]) {
    assert!(found.len() <= 2_000);
    for one in found {
        let lists = [&one.certificates, &one.keys, &one.trusts, &one.server_names, &one.unresolved];
        let texts = lists.into_iter().flatten().chain(one.settings.values()).chain(&one.suites);
        assert!({ texts }.all(|text| text.len() <= 4096));
        assert!(lists.iter().all(|list| list.len() <= 256) && one.listens.len() <= 256);
    }
}

/// Every main file says this, and so does every file beside that it may include.
fn read_everywhere(octets: &[u8]) {
    for main in MAINS {
        let path = Path::new(main);
        assert!(pki_configured::recognise(path), "{main}");
        let beside = ["a", "master.cf", "pg_hba.conf", "conf.d/a.conf", "*"];
        let files = beside.iter().map(|name| (path.with_file_name(name), octets.to_vec()));
        let files = Memory(files.chain([(path.to_owned(), octets.to_vec())]).collect());
        within_limits(&pki_configured::read(path, octets, &files));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_octets_are_read_to_an_end(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_everywhere(&octets);
    }

    #[test]
    fn words_of_settings_in_any_order_are_read_to_an_end(
        words in proptest::collection::vec((proptest::sample::select(WORDS), any::<bool>()), 0..120),
    ) {
        let texts = words.iter().map(|(word, spaced)| if *spaced { format!("{word} ") } else { (*word).to_owned() });
        read_everywhere(texts.collect::<String>().as_bytes());
    }
}

#[test]
fn every_program_is_among_those_that_are_read_here() {
    for program in pki_configured::PROGRAMS {
        let mut mains = MAINS.iter().map(Path::new);
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(mains.any(|path| (program.recognise)(&name(path), path)), "{}", program.name);
    }
}

/// What grows: variables that name each other, files that include all others, servers that inherit.
#[test]
fn what_would_grow_without_bound_is_cut() {
    let start = Instant::now();
    let doubled =
        |name: &str, next: &str| format!("{name} = {}\n", format!("${next} ").repeat(2_000));
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    // Nothing forty times, six levels deep, is as much work as it is short.
    let short = |pair: &[&str]| format!("{} = {}\n", pair[0], format!("${}", pair[1]).repeat(40));
    let chain: String = names[..7].windows(2).map(short).collect();
    let postfix = format!("{chain}g =\nsmtpd_use_tls = yes\nsmtpd_tls_ciphers = $a\n");
    let openssl: String = names.windows(2).rev().map(|pair| doubled(pair[0], pair[1])).collect();
    let defines: String = names
        .windows(2)
        .rev()
        .map(|pair| format!("Define {} {}\n", pair[0], format!("${{{}}}", pair[1]).repeat(2_000)))
        .collect();
    let apache = format!("Define j x\n{defines}SSLEngine on\nSSLCipherSuite ${{a}}\nListen 443\n");

    let long = "x".repeat(4_000);
    let many: String = (0..250).map(|index| format!("ssl_certificate {long}{index};\n")).collect();
    let servers = "server { listen 443 ssl; }\n".repeat(5_000);
    let nginx = format!("http {{ {many} {servers} }}");
    let deep = format!("http {} server {{ listen 443 ssl; }}", "{ location ".repeat(200_000));
    let hosts = "<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n".repeat(5_000);
    // Thousands of servers take over hundreds of values, each of them short.
    let values = |name: &str| (0..256).map(|v| format!("{name} {v};")).collect::<String>();
    let names = ["ssl_conf_command", "ssl_crl", "proxy_ssl_conf_command", "ssl_certificate"];
    let short: String = names.map(values).concat();
    let servers = "server{listen 443 ssl;listen 1-250;}".repeat(100_000);
    let short = format!("http {{ {short} {servers} }}");
    let list = "a.pem [alpn h2] a\n".repeat(3_000) + &"b [x] b\n".repeat(3_000);
    let lists = format!("frontend a\n{}", "bind :443 ssl crt-list list\n".repeat(3_000));
    let binds = format!(
        "global\n{}frontend a\n{}",
        "setenv A ${A}${A}\n".repeat(1_000),
        "bind :443 ssl crt ${A} crt-list l\n".repeat(3_000)
    );
    for (path, text) in [
        ("/etc/postfix/main.cf", &postfix),
        ("/etc/ssl/openssl.cnf", &openssl),
        ("/etc/apache2/apache2.conf", &apache),
        ("/etc/apache2/apache2.conf", &hosts),
        ("/etc/nginx/nginx.conf", &nginx),
        ("/etc/nginx/nginx.conf", &deep),
        ("/etc/nginx/nginx.conf", &short),
        ("/etc/haproxy/haproxy.cfg", &lists),
        ("/etc/haproxy/haproxy.cfg", &binds),
    ] {
        let before = Instant::now();
        let files = Memory::of(&[("/etc/haproxy/list", &list)]);
        let found = pki_configured::read(Path::new(path), text.as_bytes(), &files);
        within_limits(&found);
        let held = serde_octets(&found);
        assert!(held < 64 << 20, "{path}: {held} octets");
        assert!(before.elapsed() < Duration::from_secs(10), "{path}: {:?}", before.elapsed());
    }

    // Each of forty files includes all of them.
    let all: String = (0..40).map(|index| format!("include f{index};\n")).collect();
    let files =
        (0..40).map(|index| (format!("/etc/nginx/f{index}").into(), all.clone().into_bytes()));
    let files = Memory(files.collect());
    let main = format!("http {{ {all} server {{ listen 443 ssl; }} }}");
    let found = pki_configured::read(Path::new("/etc/nginx/nginx.conf"), main.as_bytes(), &files);
    within_limits(&found);
    assert!(found[0].unresolved.iter().any(|what| what.contains("too many")), "{found:#?}");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

fn serde_octets(found: &[Configuration]) -> usize {
    found.iter().map(|one| format!("{one:?}").len()).sum()
}
