//! What mail servers are asked to do.

mod common;

use common::{part, ports, read, versions};

const MAIN: &str = "/etc/postfix/main.cf";
const MASTER: &str = "\
smtp      inet  n       -       y       -       -       smtpd
#smtp     inet  n       -       y       -       1       postscreen
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
# A comment between.
  -o smtpd_tls_security_level=encrypt
  -o { smtpd_tls_mandatory_protocols = TLSv1.2 TLSv1.3 }
submissions     inet  n       -       y       -       -       smtpd
  -o smtpd_tls_wrappermode=yes
127.0.0.1:10025 inet n - y - - smtpd -o smtpd_tls_security_level=none
pickup    unix  n       -       y       60      1       pickup
";

#[test]
fn services_of_postfix_have_their_own_words_over_those_of_all() {
    let found = read(&[
        (
            MAIN,
            "myhostname = mail.example.org\nkeys = /srv/keys\n# smtpd_tls_CAfile = no\n\
             smtpd_tls_cert_file=${keys}/mail.pem\nsmtpd_tls_key_file = $keys/mail.key\n\
             smtpd_tls_eccert_file = $nowhere/ec.pem\n\
             smtpd_tls_security_level = may\nsmtpd_tls_protocols = !SSLv2,\n  !SSLv3\n\
             smtpd_tls_mandatory_ciphers = high\nsmtpd_tls_CAfile = ${nowhere?no}${keys?ca}${keys:no}.pem\n\
             tls_high_cipherlist = ECDHE+AESGCM\nsmtp_tls_security_level = encrypt\n\
             smtp_tls_mandatory_protocols = >=TLSv1.2\nsmtp_tls_CApath=/etc/ssl/certs\n",
        ),
        ("/etc/postfix/master.cf", MASTER),
    ]);
    assert_eq!(found.len(), 4, "{found:#?}");
    let smtp = part(&found, "smtpd smtp (/etc/postfix/master.cf:1)");
    assert_eq!((ports(smtp), smtp.line), (vec!["25/smtp".to_owned()], 1));
    assert_eq!(versions(smtp).as_deref(), Some("TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3"));
    assert_eq!(smtp.certificates, ["/srv/keys/mail.pem"]);
    assert_eq!(smtp.keys, ["/srv/keys/mail.key"]);
    assert_eq!(smtp.trusts, ["/var/spool/postfix/ca.pem"]);
    assert_eq!(smtp.server_names, ["mail.example.org"]);
    assert_eq!(smtp.unresolved.first().unwrap(), "smtpd_tls_eccert_file $nowhere/ec.pem");
    assert_eq!(smtp.suites, None);

    let submission = part(&found, "smtpd submission (/etc/postfix/master.cf:3)");
    assert_eq!(ports(submission), ["587/smtp"]);
    assert_eq!(versions(submission).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!(submission.suites.as_deref(), Some("ECDHE+AESGCM"));
    assert_eq!(ports(part(&found, "smtpd submissions (/etc/postfix/master.cf:8)")), ["465"]);

    let client = part(&found, "smtp client");
    assert_eq!((client.line, ports(client).len()), (13, 0));
    assert_eq!(versions(client).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!(client.settings["smtp_tls_CApath"], "/etc/ssl/certs");
}

#[test]
fn protocols_of_postfix_are_read_in_both_notations() {
    for (written, expected) in [
        (">=TLSv1.2", "TLSv1.2 TLSv1.3"),
        (">=TLSv1, <=TLSv1.2", "TLSv1.0 TLSv1.1 TLSv1.2"),
        ("!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", "TLSv1.2 TLSv1.3"),
        ("TLSv1.2:TLSv1.3", "TLSv1.2 TLSv1.3"),
        ("", "SSLv3 TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3"),
    ] {
        let text = format!("smtpd_use_tls = yes\nsmtpd_tls_protocols = {written}\n");
        let found = read(&[(MAIN, &text)]);
        assert_eq!(versions(&found[0]).as_deref(), Some(expected), "{written}");
        assert_eq!(found[0].unresolved, ["/etc/postfix/master.cf cannot be read"]);
    }
}

#[test]
fn chains_of_postfix_hold_keys_and_a_server_without_tls_says_nothing() {
    let text = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files =\n /srv/a.pem,\n /srv/b.pem\n\
                smtpd_tls_cert_file = /srv/old.pem\ninet_interfaces = 192.0.2.1, loopback-only\n";
    let found = read(&[(MAIN, text), ("/etc/postfix/master.cf", MASTER)]);
    assert_eq!(found[0].certificates, ["/srv/a.pem", "/srv/b.pem"]);
    assert_eq!(found[0].keys, found[0].certificates);
    assert_eq!(ports(&found[0]), ["192.0.2.1 25/smtp", "localhost 25/smtp"]);
    assert!(read(&[(MAIN, "myhostname = x\nsmtpd_tls_security_level = none\n")]).is_empty());
}

#[test]
fn dovecot_listens_for_its_protocols_and_says_more_for_some_names() {
    let found = read(&[
        (
            "/etc/dovecot/dovecot.conf",
            "!include_try /usr/share/dovecot/protocols.d/*.protocol\nlisten = *, ::\n\
             !include conf.d/*.conf\n!include_try gone.conf\n!include local.conf\n",
        ),
        ("/usr/share/dovecot/protocols.d/imapd.protocol", "protocols = $protocols imap\n"),
        ("/usr/share/dovecot/protocols.d/lmtpd.protocol", "protocols = $protocols lmtp\n"),
        ("/usr/share/dovecot/protocols.d/sieved.protocol", "protocols = $protocols sieve\n"),
        (
            "/etc/dovecot/conf.d/10-ssl.conf",
            "ssl = required # always\nssl_cert = </srv/mail.pem\nssl_key = <../private/mail.key\n\
             ssl_key_password = hunter2\nssl_min_protocol = TLSv1.2\nssl_cipher_list = ALL:!kRSA\n\
             ssl_curve_list = X25519\nlocal_name imap.example.org {\n  ssl_cert = </srv/imap.pem\n}\n",
        ),
        (
            "/etc/dovecot/conf.d/10-master.conf",
            "service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  \
             inet_listener imaps {\n    #port = 993\n    ssl = yes\n  }\n  \
             inet_listener more {\n port = 10993\n ssl = yes\n}\n}\n\
             service lmtp {\n  inet_listener lmtp {\n    address = 192.0.2.1\n    port = 24\n  }\n}\n",
        ),
    ]);
    let whole = part(&found, "");
    assert_eq!(ports(whole), ["993", "4190/sieve", "10993", "192.0.2.1 24/lmtp"]);
    assert_eq!(versions(whole).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!(whole.certificates, ["/srv/mail.pem"]);
    assert_eq!(whole.keys, ["/etc/dovecot/private/mail.key"]);
    assert_eq!(whole.suites.as_deref(), Some("ALL:!kRSA"));
    assert_eq!(
        (&*whole.settings["ssl"], &*whole.settings["ssl_curve_list"]),
        ("required", "X25519")
    );
    assert_eq!(whole.unresolved, ["/etc/dovecot/local.conf cannot be read"]);
    let name = "local_name imap.example.org (/etc/dovecot/conf.d/10-ssl.conf:8)";
    let name = part(&found, name);
    assert_eq!(name.certificates, ["/srv/imap.pem"]);
    assert_eq!(name.keys, whole.keys);
    assert_eq!(name.server_names, ["imap.example.org"]);
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn dovecot_of_either_version_names_its_files() {
    let text = "protocols = imap\nssl_server_cert_file = /srv/a.pem\nssl_server {\n  \
                key_file = a.key\n}\nssl_server_ca_file = /srv/ca.pem\nssl_min_protocol = LATEST\n";
    let found = read(&[("/etc/dovecot/dovecot.conf", text)]);
    assert_eq!((found[0].certificates.len(), &*found[0].keys[0]), (1, "/etc/dovecot/a.key"));
    assert_eq!(found[0].trusts, ["/srv/ca.pem"]);
    assert_eq!(versions(&found[0]).as_deref(), Some("TLSv1.3"));
    assert_eq!(ports(&found[0]), ["143/imap", "993"]);

    let text = "ssl = no\nssl_key = -----BEGIN PRIVATE KEY-----\nssl_cert = </srv/a.pem\n";
    let found = read(&[("/etc/dovecot/dovecot.conf", text)]);
    assert!(ports(&found[0]).is_empty());
    assert_eq!(found[0].unresolved, ["ssl_key is not a file"]);
}

/// `postconf(5)`, `smtpd_tls_wrappermode` and the first note of `smtpd_tls_security_level`.
#[test]
fn tls_is_mandatory_for_postfix_where_it_comes_first_or_the_level_is_one_of_the_client() {
    let main = "smtpd_tls_protocols = >=TLSv1\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n\
                smtpd_tls_ciphers = low\nsmtpd_tls_mandatory_ciphers = high\n";
    let opportunistic = Some("TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3");
    let mandatory = Some("TLSv1.2 TLSv1.3");
    for (level, wrapped, expected) in [
        ("may", "no", opportunistic),
        ("may", "yes", mandatory),
        ("none", "yes", mandatory),
        ("none", "no", None),
        ("encrypt", "no", mandatory),
        ("verify", "no", mandatory),
        ("secure", "no", mandatory),
        ("fingerprint", "no", mandatory),
    ] {
        let main = format!("{main}smtpd_tls_security_level = {level}\n");
        let service = format!("smtp inet n - y - - smtpd -o smtpd_tls_wrappermode={wrapped}\n");
        let found = read(&[("/etc/postfix/main.cf", &main), ("/etc/postfix/master.cf", &service)]);
        let server = found.iter().find(|one| one.part.as_deref() == Some(SMTP));
        assert_eq!(server.and_then(versions).as_deref(), expected, "{level} {wrapped}");
        let suites = server.and_then(|server| server.suites.as_deref());
        let grade = if expected == opportunistic { "low" } else { "high" };
        assert_eq!(suites, expected.map(|_| grade), "{level} {wrapped}");
    }
}

const SMTP: &str = "smtpd smtp (/etc/postfix/master.cf:1)";
