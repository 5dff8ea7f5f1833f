//! What settings hold that is nobody's business, and stays where it is.

mod common;

use common::{part, read};

/// Nothing of it may be anywhere in what is told.
const SECRET: &str = "s3cr3t";

#[test]
fn no_program_tells_a_secret() {
    let pin = |object: &str| format!("pkcs11:object={object};pin-value={SECRET}");
    let engine = format!("org.openssl.engine:{}", pin("k"));
    let source = format!("pkcs11:object=k?pin-source=/run/{SECRET}&pin-value={SECRET}");
    let url = format!("https://u:{SECRET}@ca.test/x?token={SECRET}");
    for (path, text) in [
        ("/etc/ssh/ssh_config", format!("IdentityFile {}\nHostKeyAlgorithms +x\n", pin("k"))),
        ("/etc/ssh/ssh_config", format!("CertificateFile %d/{source}\nPKCS11Provider {source}\n")),
        ("/etc/ssh/ssh_config", format!("KnownHostsCommand /bin/curl -H {SECRET}\n")),
        ("/etc/ssh/ssh_config", format!("ProxyCommand /bin/nc {SECRET}\nCiphers aes128-ctr\n")),
        ("/etc/ssh/ssh_config", format!("Match host a exec \"x {SECRET}\"\nMACs hmac-sha1\n")),
        ("/etc/ssh/ssh_config", format!("Match exec x -H {SECRET}\nMACs hmac-sha1\n")),
        ("/etc/ssh/ssh_config", format!("Match !exec=x{SECRET} user a\nMACs hmac-sha1\n")),
        ("/etc/ssh/ssh_config", format!("Match command \"x {SECRET}\"\nMACs hmac-sha1\n")),
        (
            "/etc/apache2/apache2.conf",
            format!(
                "Listen 443\nSSLEngine on\nUse ProxyAuth app {SECRET}\n\
                 SSLCertificateKeyFile {}\nSSLCertificateFile {engine}\nServerName {url}\n\
                 SSLOpenSSLConfCmd PrivateKey {source}\nSSLCACertificateFile ${{x}}/{source}\n",
                pin("k")
            ),
        ),
        (
            "/etc/nginx/nginx.conf",
            format!(
                "http {{ server {{ listen 443 ssl; server_name {url};\n\
                 ssl_certificate_key \"engine:{source}\"; ssl_certificate \"$x{source}\";\n\
                 ssl_trusted_certificate \"{engine}\"; proxy_ssl_certificate_key \"{source}\"; }} }}"
            ),
        ),
        (
            "/etc/haproxy/haproxy.cfg",
            format!(
                "frontend a\n bind :443 ssl crt {} ca-file {engine} ca-sign-pass {SECRET} \
                 crl-file {source}\n bind :444 ssl crt \"${{x}}{source}\"\n",
                pin("c")
            ),
        ),
        (
            "/etc/haproxy/haproxy.cfg",
            format!("global\n crt-base {url}\nfrontend a\n bind :443 ssl crt a.pem\n"),
        ),
        ("/etc/redis/redis.conf", format!("tls-port 1\ninclude /x/{source}\n")),
        ("/etc/apache2/apache2.conf", format!("Listen 443\nSSLEngine on\nInclude {url}\n")),
        (
            "/etc/postfix/main.cf",
            format!(
                "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {engine}\n\
                 smtpd_tls_key_file = {}\nsmtpd_tls_CAfile = $x/{source}\nmyhostname = {url}\n",
                pin("k")
            ),
        ),
        (
            "/etc/dovecot/dovecot.conf",
            format!(
                "ssl_cert = <{}\nssl_server_key_file = {source}\nssl_key_password = {SECRET}\n\
                 ssl_dh = -----BEGIN {SECRET}\n",
                pin("c")
            ),
        ),
        (
            "/etc/postgresql/postgresql.conf",
            format!("ssl = on\nssl_cert_file = '{engine}'\nssl_key_file = '{source}'\n"),
        ),
        (
            "/etc/mysql/my.cnf",
            format!("[mysqld]\nssl-cert = {engine}\nssl-key = {}\nssl-ca = {url}\n", pin("k")),
        ),
        (
            "/etc/ssl/openssl.cnf",
            format!(
                "[ca]\ndefault_ca = a\n[a]\ndatabase = x\ncertificate = {source}\n\
                 private_key = {engine}\npolicy = {url}\n[b]\ndatabase = x\n\
                 certificate = store:{url}\nprivate_key = c/{source}\n"
            ),
        ),
        (
            "/etc/ldap/slapd.conf",
            format!("TLSCertificateKeyFile {source}\nTLSCertificateFile x{}\n", pin("c")),
        ),
        (
            "/etc/redis/redis.conf",
            format!("tls-cert-file {engine}\ntls-key-file {source}\ntls-key-file-pass {SECRET}\n"),
        ),
        ("/etc/vsftpd.conf", format!("rsa_cert_file={engine}\nrsa_private_key_file={source}\n")),
        ("/opt/java/java.security", format!("securerandom.source={url}\n")),
    ] {
        let found = read(&[(path, &text)]);
        assert!(!found.is_empty(), "{path}: {text}");
        assert!(!format!("{found:?}").contains(SECRET), "{path}: {text}\n{found:#?}");
    }
}

#[test]
fn a_password_in_a_list_is_not_kept() {
    let found = read(&[
        ("/etc/haproxy/haproxy.cfg", "frontend a\n bind :443 ssl crt-list list\n"),
        ("/etc/haproxy/list", "a.pem [alpn h2 ca-sign-pass s3cr3t] a.test\n"),
    ]);
    assert_eq!(found[0].settings["crt-list"], "a.pem [alpn h2]");
    assert!(!format!("{found:?}").contains(SECRET), "{found:#?}");
}

#[test]
fn what_names_no_file_is_no_path_of_one() {
    let text = "[mysqld]\nssl-cert = pkcs11:object=c\nssl-key = org.openssl.engine:e:k\n";
    let found = read(&[("/etc/mysql/my.cnf", text)]);
    assert!(found[0].certificates.is_empty() && found[0].keys.is_empty());
    assert_eq!(found[0].settings["ssl_cert"], "pkcs11:object=c");
    assert_eq!(found[0].settings["ssl_key"], "org.openssl.engine:e:k");
    let text = "frontend a\n bind :443 ssl crt pkcs11:object=c\n";
    let found = read(&[("/etc/haproxy/haproxy.cfg", text)]);
    assert!(found[0].certificates.is_empty() && found[0].keys.is_empty());
    assert_eq!(found[0].settings["crt"], "pkcs11:object=c");
}

#[test]
fn what_a_command_decides_is_told_without_the_command() {
    let text = "KnownHostsCommand none\nMatch host *.test exec \"a b\" user c\n \
                KnownHostsCommand /bin/x\n";
    let found = read(&[("/etc/ssh/ssh_config", text)]);
    assert_eq!(part(&found, "ssh").settings["KnownHostsCommand"], "none");
    let one = part(&found, "ssh Match host *.test exec user c");
    assert_eq!(one.settings["KnownHostsCommand"], "set");
    let text = "Listen 443\nSSLEngine on\nUse VHost www.test 8443\n";
    let found = read(&[("/etc/apache2/apache2.conf", text)]);
    assert_eq!(found[0].unresolved, ["Use VHost"]);
}
