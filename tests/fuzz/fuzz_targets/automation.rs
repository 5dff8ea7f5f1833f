//! Traces of tools for automatic renewal, under every name they are known by.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_automation::{read, recognise, recognise_link};
use pkimm_fuzz::{Beside, by_name};

const PATHS: &[&str] = &[
    "/etc/letsencrypt/renewal/a.conf",
    "/r/.acme.sh/a/a.conf",
    "/r/.lego/certificates/a.json",
    "/c/certificates/ca/a/a.json",
    "/c/Caddyfile",
    "/t/acme.json",
    "/etc/dehydrated/domains.txt",
    "/r/.getssl/a/getssl.cfg",
    "/etc/ssl/uacme/a/cert.pem",
    "/etc/acme-client.conf",
    "/w/x.renewal.json",
    "/p/order.json",
    "/m/domains/a/md.json",
    "/etc/apache2/a.conf",
    "/var/lib/certmonger/requests/1",
    "/r/.step/config/defaults.json",
    "/v/a.hcl",
    "/v/a.ctmpl",
    "/k/a.yaml",
    "/k/a.json",
    "/var/lib/kubelet/config.yaml",
    "/s/agent.conf",
    "/s/agent.hcl",
    "/etc/systemd/system/a.timer",
    "/etc/systemd/system/a.service",
    "/etc/crontab",
    "/etc/cron.d/a",
    "/etc/cron.daily/a",
    "/var/spool/cron/crontabs/a",
    "/p/a.rules",
    "/n/a.cfg",
    "/k/pki/kubelet-client-current.pem",
];

fuzz_target!(|input: &[u8]| {
    let Some((path, own, beside)) = by_name(input, PATHS) else { return };
    assert!(recognise(path) || recognise_link(path), "{}", path.display());
    for trace in read(path, own, &Beside(beside)) {
        assert!(trace.domains.len() <= 200 && trace.manages.len() <= 200, "{trace:?}");
        let texts = [&trace.name, &trace.issuer, &trace.authenticator, &trace.key_type];
        let texts = texts.into_iter().flatten().chain(&trace.domains).chain(&trace.manages);
        assert!(texts.map(String::len).all(|length| length <= 1024 && length > 0), "{trace:?}");
    }
});
