//! Settings of programs, under every name they are known by.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_configured::{read, recognise};
use pkimm_fuzz::{Beside, by_name};

const PATHS: &[&str] = &[
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

fuzz_target!(|input: &[u8]| {
    let Some((path, own, beside)) = by_name(input, PATHS) else { return };
    assert!(recognise(path), "{}", path.display());
    let found = read(path, own, &Beside(beside));
    assert!(found.len() <= 2_000, "{}", found.len());
    for one in &found {
        let lists = [&one.certificates, &one.keys, &one.trusts, &one.server_names, &one.unresolved];
        let texts = lists.into_iter().flatten().chain(one.settings.values()).chain(&one.suites);
        assert!({ texts }.all(|text| text.len() <= 4096), "{one:?}");
        assert!(lists.iter().all(|list| list.len() <= 256) && one.listens.len() <= 256, "{one:?}");
    }
});
