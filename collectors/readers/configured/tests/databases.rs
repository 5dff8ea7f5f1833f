//! What servers of databases, directories and files are asked to do.

mod common;

use common::{part, ports, read, versions};

const POSTGRESQL: &str = "/etc/postgresql/17/main/postgresql.conf";

#[test]
fn the_last_word_counts_for_postgresql_and_files_begin_at_its_data() {
    let found = read(&[
        (
            POSTGRESQL,
            "data_directory = '/var/lib/postgresql/17/main'\t# where\nlisten_addresses = '*'\n\
             port = 5433\nssl = off\nssl_cert_file = '/srv/pg.pem'\nssl_ca_file 'root.crt'\n\
             ssl_ciphers = 'HIGH:!aNULL' # grade\nssl_min_protocol_version = 'TLSv1.1'\n\
             ssl_passphrase_command = 'echo hunter2'\npassword_encryption = md5\n\
             include_dir = 'conf.d'\ninclude_if_exists 'gone.conf'\ninclude 'lost.conf'\n\
             hba_file = '/etc/postgresql/17/main/pg_hba.conf'\n",
        ),
        ("/etc/postgresql/17/main/conf.d/tls.conf", "SSL = on\n"),
        (
            "/var/lib/postgresql/17/main/postgresql.auto.conf",
            "ssl_max_protocol_version = 'TLSv1.2'\n",
        ),
        (
            "/etc/postgresql/17/main/pg_hba.conf",
            "# host all all all md5\nlocal all all peer\nhost all all 127.0.0.1/32 scram\n\
             host all all ::1/128 scram\nhostssl all all 0.0.0.0/0 scram\n",
        ),
    ]);
    let server = part(&found, "");
    assert_eq!((server.line, ports(server)), (4, vec!["5433/postgres".to_owned()]));
    assert_eq!(versions(server).as_deref(), Some("TLSv1.1 TLSv1.2"));
    assert_eq!(server.certificates, ["/srv/pg.pem"]);
    assert_eq!(server.keys, ["/var/lib/postgresql/17/main/server.key"]);
    assert_eq!(server.trusts, ["/var/lib/postgresql/17/main/root.crt"]);
    assert_eq!(server.suites.as_deref(), Some("HIGH:!aNULL"));
    assert_eq!(server.settings["pg_hba.conf"], "host on loopback, hostssl");
    assert_eq!(server.settings["password_encryption"], "md5");
    assert_eq!(server.unresolved, ["/etc/postgresql/17/main/lost.conf cannot be read"]);
    assert!(!format!("{found:?}").contains("hunter2"));

    let off = read(&[("/srv/data/postgresql.conf", "ssl = off\nport = 5432\n")]);
    assert!(ports(&off[0]).is_empty() && off[0].certificates.is_empty());
    assert!(read(&[("/srv/data/postgresql.conf", "port = 5432\n")]).is_empty());
}

#[test]
fn mariadb_and_mysql_are_read_by_groups() {
    let found = read(&[
        (
            "/etc/mysql/my.cnf",
            "[client-server]\nsocket = /run/x\n!includedir /etc/mysql/conf.d/\n\
             !include /etc/mysql/gone.cnf\n[mysqldump]\nssl-ca=/no\n",
        ),
        (
            "/etc/mysql/conf.d/50-server.cnf",
            "[server]\n# ssl-ca = no\n[mysqld]\nbind-address = 127.0.0.1,192.0.2.1\nport=3307\n\
             ssl-cert = /srv/db.pem\nssl_key = \"db.key\"\nssl-ca=/srv/ca.pem # all\n\
             tls_version = TLSv1.2,TLSv1.3\nssl_passphrase = hunter2\nrequire-secure-transport\n\
             [mariadb-10.11]\nssl_cipher = AES256\ninnodb_encrypt_tables=ON\n\
             [client]\nssl-verify-server-cert\npassword = hunter2\n",
        ),
    ]);
    let server = part(&found, "server (/etc/mysql/conf.d/50-server.cnf:6)");
    assert_eq!(ports(server), ["127.0.0.1 3307/mysql", "192.0.2.1 3307/mysql"]);
    assert_eq!(server.certificates, ["/srv/db.pem"]);
    assert_eq!(server.keys, ["/var/lib/mysql/db.key"]);
    assert_eq!(server.trusts, ["/srv/ca.pem"]);
    assert_eq!(versions(server).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!(server.suites.as_deref(), Some("AES256"));
    assert_eq!(server.settings["require_secure_transport"], "on");
    assert_eq!(server.settings["innodb_encrypt_tables"], "ON");
    assert_eq!(server.unresolved, ["/etc/mysql/gone.cnf cannot be read"]);
    let client = part(&found, "client (/etc/mysql/conf.d/50-server.cnf:16)");
    assert_eq!(client.settings["ssl_verify_server_cert"], "on");
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn mariadb_is_told_no_in_any_letters() {
    for (option, listens) in [
        ("ssl = FALSE", false),
        ("ssl = Off", false),
        ("ssl = 0", false),
        ("ssl = TRUE", true),
        ("skip-ssl = False", true),
        ("skip-ssl", false),
    ] {
        let text = format!("[mysqld]\nssl-cert = /srv/db.pem\n{option}\n");
        let found = read(&[("/etc/mysql/my.cnf", &text)]);
        assert_eq!(!ports(&found[0]).is_empty(), listens, "{option}");
    }
}

#[test]
fn redis_listens_with_tls_where_it_has_a_port_for_it() {
    let found = read(&[
        (
            "/etc/redis/redis.conf",
            "port 0\nbind 192.0.2.1 -::1\ntls-port 6380\ntls-cert-file /srv/r.pem\n\
             tls-key-file r.key\ntls-key-file-pass hunter2\ninclude /etc/redis/*.more\n",
        ),
        ("/etc/redis/a.more", "tls-protocols \"TLSv1.2 TLSv1.3\"\ntls-ca-cert-file /srv/ca.pem\n"),
    ]);
    assert_eq!(
        (found[0].line, ports(&found[0])),
        (3, vec!["192.0.2.1 6380".into(), "::1 6380".into()])
    );
    assert_eq!(versions(&found[0]).as_deref(), Some("TLSv1.2 TLSv1.3"));
    assert_eq!((&*found[0].certificates[0], &*found[0].trusts[0]), ("/srv/r.pem", "/srv/ca.pem"));
    assert_eq!(found[0].unresolved, ["tls-key-file r.key"]);
    assert!(!format!("{found:?}").contains("hunter2"));
    assert!(read(&[("/etc/redis/redis.conf", "port 6379\nrequirepass hunter2\n")]).is_empty());
}

#[test]
fn openldap_says_the_same_in_both_forms() {
    let file = "# TLSCipherSuite NO\nTLSCertificateFile /srv/ldap.pem\nTLSCertificateKeyFile \
                /srv/ldap.key\nTLSCACertificateFile /srv/ca.pem\nTLSProtocolMin 3.3\n\
                TLSCipherSuite SECURE256\nTLSVerifyClient never\nrootpw hunter2\n";
    let entry = "dn: cn=config\nolcTLSCertificateFile: /srv/ldap.pem\nolcTLSCertificateKeyFile: \
                 /srv/ld\n ap.key\nolcTLSCACertificateFile: /srv/ca.pem\nolcTLSProtocolMin: 3.3\n\
                 olcTLSCipherSuite: SECURE256\nolcTLSVerifyClient: never\nolcRootPW: hunter2\n";
    let file = read(&[("/etc/ldap/slapd.conf", file)]);
    let entry = read(&[("/etc/ldap/slapd.d/cn=config.ldif", entry)]);
    assert_eq!(file, entry);
    assert_eq!((file[0].line, versions(&file[0]).as_deref()), (2, Some("TLSv1.2 TLSv1.3")));
    assert_eq!((&*file[0].certificates[0], &*file[0].keys[0]), ("/srv/ldap.pem", "/srv/ldap.key"));
    assert_eq!(file[0].settings.len(), 2);
}

#[test]
fn vsftpd_changes_to_tls_unless_it_begins_with_it() {
    let text = "listen_port=2121\nssl_enable=YES\nrsa_cert_file=/srv/ftp.pem\nssl_tlsv1=NO\n\
                ssl_ciphers=HIGH\n";
    let found = read(&[("/etc/vsftpd.conf", text)]);
    assert_eq!((found[0].line, ports(&found[0])), (2, vec!["2121/ftp".to_owned()]));
    assert_eq!(found[0].keys, ["/srv/ftp.pem"]);
    assert_eq!((versions(&found[0]), &*found[0].settings["ssl_tlsv1"]), (None, "NO"));
    let implicit = read(&[("/etc/vsftpd.conf", &format!("{text}implicit_ssl=YES\n"))]);
    assert_eq!(ports(&implicit[0]), ["2121"]);
    assert!(ports(&read(&[("/etc/vsftpd.conf", "ssl_enable=NO\n")])[0]).is_empty());
}
