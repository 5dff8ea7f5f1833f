//! What libraries, platforms and the shell server are asked to do.

mod common;

use std::path::Path;

use common::{part, ports, read, versions};

const SSHD: &str = "/etc/ssh/sshd_config";

#[test]
fn the_first_word_counts_for_sshd_but_for_keys_and_ports_every_one() {
    let found = read(&[
        (
            SSHD,
            "Include /etc/ssh/sshd_config.d/*.conf\nPort 22\nport=2222\nListenAddress 192.0.2.1\n\
             ListenAddress [2001:db8::1]:2022\nKexAlgorithms +diffie-hellman-group14-sha1\n\
             HostKey /etc/ssh/ssh_host_ed25519_key\nHostKey \"/srv/keys/rsa key\"\n\
             HostCertificate /etc/ssh/ssh_host-cert.pub\nTrustedUserCAKeys none\n\
             MACs hmac-sha1\nPasswordAuthentication no\nMatch User git\n  \
             PubkeyAcceptedAlgorithms ssh-ed25519\n  TrustedUserCAKeys /srv/git-ca.pub\n\
             Match Address 192.0.2.0/24\n  PermitRootLogin yes\n",
        ),
        (
            "/etc/ssh/sshd_config.d/a.conf",
            "macs hmac-sha2-256\nMatch Group x\n  Ciphers aes128-ctr\n",
        ),
    ]);
    assert_eq!(found.len(), 3, "{found:#?}");
    let whole = part(&found, "sshd");
    assert_eq!(ports(whole), ["192.0.2.1 22", "192.0.2.1 2222", "2001:db8::1 2022"]);
    assert_eq!(whole.keys, ["/etc/ssh/ssh_host_ed25519_key", "/srv/keys/rsa key"]);
    assert_eq!(whole.certificates, ["/etc/ssh/ssh_host-cert.pub"]);
    assert_eq!(whole.settings["MACs"], "hmac-sha2-256");
    assert_eq!(whole.settings["KexAlgorithms"], "+diffie-hellman-group14-sha1");
    assert!(whole.trusts.is_empty() && !whole.settings.contains_key("Ciphers"));
    let group = part(&found, "sshd Match Group x (/etc/ssh/sshd_config.d/a.conf:2)");
    assert_eq!(group.settings["Ciphers"], "aes128-ctr");
    let git = part(&found, "sshd Match User git");
    assert_eq!((git.line, git.trusts.as_slice()), (13, &["/srv/git-ca.pub".to_owned()][..]));
    assert_eq!(ports(&read(&[(SSHD, "UsePAM yes\n")])[0]), ["22"]);
}

#[test]
fn the_client_of_ssh_says_something_only_where_it_asks_for_something() {
    assert!(read(&[("/etc/ssh/ssh_config", "Host *\n  SendEnv LANG\n")]).is_empty());
    let found = read(&[
        (
            "/home/a/.ssh/config",
            "Include more\nHost old\n  Ciphers +aes128-cbc\n  IdentityFile ~/.ssh/id_old\n",
        ),
        ("/home/a/.ssh/more", "StrictHostKeyChecking no\n"),
    ]);
    assert_eq!(part(&found, "ssh").settings["StrictHostKeyChecking"], "no");
    let old = part(&found, "ssh Host old");
    assert_eq!(old.settings["Ciphers"], "+aes128-cbc");
    assert_eq!(old.unresolved, ["identityfile ~/.ssh/id_old"]);
}

#[test]
fn openssl_sets_defaults_for_all_and_describes_authorities() {
    let found = read(&[
        (
            "/etc/ssl/openssl.cnf",
            "openssl_conf = init\n.include /etc/ssl/more\n.include relative.cnf\n[init]\n\
             ssl_conf = ssl # here\nproviders = prov\nalg_section = alg\n[ssl]\n\
             system_default = tls\nmail = mail_tls\n[prov]\nfips = f\nlegacy = l\ndefault = d\n\
             [f]\nactivate = 1\n[l]\nactivate = 0\n[d]\nmodule = x\n[alg]\n\
             default_properties = fips=yes\n[tls]\nTLS.MinProtocol = TLSv1.1\n\
             DTLS.MaxProtocol = DTLSv1\nMaxProtocol = TLSv1.2\nCipherString = \"@SECLEVEL=2\"\n\
             Groups = X25519:P-256\nOptions = ServerPreference\n[mail_tls]\n\
             Protocol = ALL, -TLSv1.3\n[ca]\ndefault_ca = root\n[root]\ndir = /srv/ca\n\
             certificate = $dir/ca.pem\nprivate_key = ${dir}/private/\\\nca.key\n\
             database = $dir/index.txt\ndefault_days = 3650\ndefault_md = sha1\npolicy = any\n\
             [test]\ncertificate = ./ca.pem\nprivate_key = $missing/ca.key\npolicy = any\n",
        ),
        ("/etc/ssl/more/a.cnf", "[root]\ndefault_crl_days = 7\n[default]\nx = 1\n"),
    ]);
    let whole = part(&found, "");
    assert_eq!((whole.line, versions(whole).as_deref()), (4, Some("TLSv1.1 TLSv1.2")));
    assert_eq!(whole.suites.as_deref(), Some("@SECLEVEL=2"));
    assert_eq!(whole.settings["providers"], "fips");
    assert_eq!(whole.settings["default_properties"], "fips=yes");
    assert_eq!(whole.settings["Groups"], "X25519:P-256");
    assert_eq!(whole.unresolved, [".include relative.cnf"]);
    let mail = part(&found, "ssl_conf mail");
    assert_eq!(versions(mail).as_deref(), Some("TLSv1.0 TLSv1.1 TLSv1.2"));
    let root = found.iter().find(|one| one.certificates == ["/srv/ca/ca.pem"]).unwrap();
    assert_eq!(root.keys, ["/srv/ca/private/ca.key"]);
    assert_eq!((&*root.settings["default_days"], &*root.settings["default_md"]), ("3650", "sha1"));
    assert_eq!(root.settings["default_crl_days"], "7");
    let test = part(&found, "ca test");
    assert_eq!(
        test.unresolved[..2],
        ["certificate ./ca.pem".to_owned(), "private_key $missing/ca.key".to_owned()]
    );
}

#[test]
fn java_enables_what_it_does_not_disable() {
    let found = read(&[
        (
            "/opt/jdk/conf/security/java.security",
            "# jdk.tls.disabledAlgorithms=no\nsecurity.provider.1=SUN\nsecurity.provider.3=X\n\
             jdk.tls.disabledAlgorithms=SSLv3, TLSv1, \\\n    TLSv1.1, DTLSv1.0, RC4, \\\n    \
             DH keySize < 1024\nkeystore.type=pkcs12\ninclude local.security\ninclude gone\n",
        ),
        ("/opt/jdk/conf/security/local.security", "keystore.type : jks\n"),
    ]);
    assert_eq!(versions(&found[0]).as_deref(), Some("TLSv1.2 TLSv1.3"));
    let disabled = "SSLv3, TLSv1, TLSv1.1, DTLSv1.0, RC4, DH keySize < 1024";
    assert_eq!(found[0].settings["jdk.tls.disabledAlgorithms"], disabled);
    assert_eq!(found[0].settings["keystore.type"], "jks");
    assert_eq!(found[0].settings["security.provider.1"], "SUN");
    assert!(!found[0].settings.contains_key("security.provider.3"));
    assert_eq!(found[0].unresolved, ["/opt/jdk/conf/security/gone cannot be read"]);
}

#[test]
fn the_policy_of_the_system_is_named() {
    let found = read(&[
        ("/etc/crypto-policies/config", "# Pick one.\n\nDEFAULT:SHA1\n"),
        ("/etc/crypto-policies/back-ends/nss.config", ""),
        ("/etc/crypto-policies/back-ends/openssl.config", ""),
    ]);
    assert_eq!((found[0].software.as_str(), found[0].line), ("crypto-policies", 3));
    assert_eq!(found[0].settings["policy"], "DEFAULT:SHA1");
    assert_eq!(found[0].settings["back-ends"], "nss, openssl");
    let applied = read(&[("/etc/crypto-policies/state/current", "FIPS\n")]);
    assert_eq!(part(&applied, "applied").settings["policy"], "FIPS");
    for other in ["/a/.git/config", "/a/current", "/a/state/current", "/etc/ssl/ca.cnf"] {
        assert!(!pki_configured::recognise(Path::new(other)), "{other}");
    }
}
