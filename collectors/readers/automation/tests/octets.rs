//! Whatever the octets are, nothing panics and nothing grows beyond its bounds.

mod host;

use std::path::Path;

use host::Memory;
use pki_automation::{read, recognise, recognise_link};
use proptest::prelude::*;

/// One path for each way in.
const PATHS: [&str; 33] = [
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
    "/k/a.yml",
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

/// Pieces that the readers look for, so that chance gets past the first look.
const PIECES: [&str; 64] = [
    "archive_dir",
    "[renewalparams]",
    "\n",
    " ",
    "=",
    "'",
    "\"",
    "Le_Domain=",
    "a.example",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"certUrl\"",
    "\"domain\"",
    "\"sans\"",
    "\"issuer_data\"",
    "\"Certificates\"",
    "- ",
    "domain",
    "names",
    ">",
    "#",
    "\\\n",
    "\"Id\"",
    "\"History\"",
    "\"MainDomain\"",
    "MDomain ",
    "<MDomainSet ",
    "key_storage_type=FILE\n",
    "cert_storage_location=/",
    "template {",
    "{{ with ",
    "secret ",
    "pkiCert ",
    "\"pki/issue/x\"",
    "}}",
    "auto_auth",
    "cert-manager.io/",
    "kind: Certificate\n",
    "kind: KubeletConfiguration\n",
    "spec:\n",
    "  ",
    "---\n",
    "&a ",
    "*a",
    "|\n",
    "trust_domain",
    "[Timer]\n",
    "OnCalendar=",
    "[Service]\n",
    "ExecStart=",
    "certbot renew",
    "* * * * * ",
    "@daily ",
    "/x",
    "alert: ",
    "expr: x509_cert_not_after\n",
    "define service {\n",
    "check_ssl_cert",
    "\u{feff}",
    "ä",
];

fn check(octets: &[u8]) {
    for path in PATHS.map(Path::new) {
        assert!(recognise(path) || recognise_link(path), "{}", path.display());
        let host = Memory::default()
            .file("/etc/systemd/system/a.service", octets)
            .file("/etc/dehydrated/config", octets)
            .file("/r/.getssl/getssl.cfg", octets)
            .file("/x", octets)
            .link("/k/pki/kubelet-client-current.pem", "/k/pki/kubelet-client-2025.pem");
        for trace in read(path, octets, &host) {
            assert!(trace.domains.len() <= 200 && trace.manages.len() <= 200, "{trace:?}");
            let texts = [
                &trace.name,
                &trace.issuer,
                &trace.authenticator,
                &trace.key_type,
                &trace.schedule,
            ];
            let texts = texts.into_iter().flatten().chain(&trace.domains).chain(&trace.manages);
            assert!(texts.map(String::len).all(|length| length <= 1024 && length > 0), "{trace:?}");
            assert!(trace.manages.iter().all(|place| place.starts_with('/') && place.len() > 1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn octets_of_any_kind_are_survived(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&octets);
    }

    #[test]
    fn pieces_in_any_order_are_survived(at in prop::collection::vec(0..PIECES.len(), 0..120)) {
        let text: String = at.into_iter().map(|at| PIECES[at]).collect();
        check(text.as_bytes());
    }
}

#[test]
fn long_files_stay_within_bounds() {
    let line = "a.example b.example > c\n".repeat(20_000);
    check(line.as_bytes());
    let member =
        format!("MDomain {}\n", (0..900).map(|n| format!("{n}.example ")).collect::<String>());
    check(member.repeat(10).as_bytes());
    for piece in [
        "[", "{", "- ", "? ", "a: ", "&a ", "*a ", "[]", "[a,", "\"", "'", "| ", "{a: ", "!t ",
        "a:\n", "\n ", "---\n",
    ] {
        let text = piece.repeat(10_000 / piece.len());
        let named = "# cert-manager.io x509_cert_not_after KubeletConfiguration\n";
        check(format!("{named}{text}").as_bytes());
        let close = text.chars().rev().collect::<String>();
        check(format!("{{\"Certificates\": {text}{close}").as_bytes());
    }
    check(format!("Le_Domain='{}'", "a".repeat(5_000)).as_bytes());
}
