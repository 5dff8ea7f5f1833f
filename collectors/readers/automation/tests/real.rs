//! What the tools themselves wrote; `data/README.md` says how.

mod host;

use host::{Memory, no_canary};
use pki_automation::{read, recognise};
use pki_inventory::{Automation, AutomationRole};

fn certbot() -> Memory {
    let archive =
        |n: u32| ["cert", "chain", "fullchain", "privkey"].map(|what| format!("{what}{n}.pem"));
    let names: Vec<String> = (1..=3).flat_map(archive).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Memory::default()
        .file("/etc/letsencrypt/renewal/shop.conf", include_str!("data/certbot/shop.conf"))
        .file(
            "/etc/letsencrypt/renewal/mail.example.org.conf",
            include_str!("data/certbot/mail.example.org.conf"),
        )
        .file(
            "/etc/letsencrypt/renewal/dns.example.org.conf",
            include_str!("data/certbot/dns.example.org.conf"),
        )
        .files("/etc/letsencrypt/archive/shop", &names)
        .files("/etc/letsencrypt/archive/mail.example.org", &["cert1.pem", "privkey1.pem"])
        .link("/etc/letsencrypt/live/shop/cert.pem", "/etc/letsencrypt/archive/shop/cert3.pem")
}

#[test]
fn certbot_tells_how_and_how_often_it_renewed() {
    let found = certbot().one("/etc/letsencrypt/renewal/shop.conf");
    let expected = Automation {
        name: Some("shop".to_owned()),
        domains: vec!["www.example.org".to_owned(), "shop.example.org".to_owned()],
        manages: [
            "/etc/letsencrypt/archive/shop/",
            "/etc/letsencrypt/archive/shop/cert3.pem",
            "/etc/letsencrypt/live/shop/",
        ]
        .map(str::to_owned)
        .to_vec(),
        issuer: Some("https://127.0.0.1:14000/dir".to_owned()),
        authenticator: Some("webroot".to_owned()),
        key_type: Some("ecdsa".to_owned()),
        reuses_key: Some(false),
        renewals: Some(2),
        hook: Some(true),
        ..Automation::of("certbot", AutomationRole::Lineage)
    };
    assert_eq!(found, expected);
    no_canary(&[found]);
}

#[test]
fn certbot_that_keeps_its_key_says_so() {
    let found = certbot().one("/etc/letsencrypt/renewal/mail.example.org.conf");
    assert_eq!((found.reuses_key, found.renewals, found.hook), (Some(true), Some(0), None));
    assert_eq!(found.key_type.as_deref(), Some("rsa"));
}

#[test]
fn certbot_by_hand_renews_by_itself_only_with_a_script() {
    let path = "/etc/letsencrypt/renewal/dns.example.org.conf";
    let with = certbot().one(path);
    assert_eq!(
        (with.authenticator.as_deref(), with.active, with.renewals),
        (Some("manual"), None, None)
    );
    no_canary(&[with]);
    let written = include_str!("data/certbot/dns.example.org.conf");
    let without = written.replace("manual_auth_hook = /bin/true canary-auth\n", "");
    assert_ne!(written, without);
    assert_eq!(host::alone(path, &without).active, Some(false));
}

#[test]
fn certbot_in_a_tree_laid_out_elsewhere_is_counted_there() {
    let found = Memory::default()
        .file(
            "/mnt/image/etc/letsencrypt/renewal/shop.conf",
            include_str!("data/certbot/shop.conf"),
        )
        .files("/mnt/image/etc/letsencrypt/archive/shop", &["cert1.pem", "cert5.pem"])
        .one("/mnt/image/etc/letsencrypt/renewal/shop.conf");
    assert_eq!(found.renewals, Some(4));
    assert!(found.manages.contains(&"/mnt/image/etc/letsencrypt/archive/shop/".to_owned()));
}

#[test]
fn scripts_for_all_certificates_are_hooks_too() {
    let path = "/etc/letsencrypt/renewal/mail.example.org.conf";
    let found = certbot().files("/etc/letsencrypt/renewal-hooks/deploy", &["reload"]).one(path);
    assert_eq!(found.hook, Some(true));
}

#[test]
fn lego_names_the_files_that_are_there() {
    let folder = "/root/.lego/certificates";
    let found = Memory::default()
        .file(
            &format!("{folder}/lego.example.org.json"),
            include_str!("data/lego/lego.example.org.json"),
        )
        .files(folder, &["lego.example.org.crt", "lego.example.org.key", "b.example.org.crt"])
        .one(&format!("{folder}/lego.example.org.json"));
    assert_eq!(found.tool, "lego");
    assert_eq!(found.domains, ["lego.example.org"]);
    let files = [
        "/root/.lego/certificates/lego.example.org.crt",
        "/root/.lego/certificates/lego.example.org.key",
    ];
    assert_eq!(found.manages, files);
    assert_eq!(found.issuer.as_deref(), Some("https://127.0.0.1:14000"));
}

#[test]
fn dehydrated_joins_domains_settings_and_versions() {
    let versions =
        ["cert-1795289790.pem", "cert-1795289801.pem", "cert.pem", "cert-1795289801.csr"];
    let host = Memory::default()
        .file("/etc/dehydrated/config", include_str!("data/dehydrated/config"))
        .file("/etc/dehydrated/domains.txt", include_str!("data/dehydrated/domains.txt"))
        .files("/etc/dehydrated/certs/deh.example.org", &versions);
    let found = host.read_at("/etc/dehydrated/domains.txt");
    let names: Vec<_> = found.iter().map(|trace| trace.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["deh.example.org", "api"]);
    let first = &found[0];
    assert_eq!(first.domains, ["deh.example.org", "www.deh.example.org"]);
    assert_eq!(first.manages, ["/etc/dehydrated/certs/deh.example.org/"]);
    assert_eq!((first.renewals, first.reuses_key, first.hook), (Some(1), Some(true), Some(true)));
    assert_eq!(first.key_type.as_deref(), Some("secp384r1"));
    assert_eq!(first.authenticator.as_deref(), Some("http-01"));
    assert_eq!(found[1].renewals, None, "no version was seen");
    no_canary(&found);
}

#[test]
fn a_certificate_of_dehydrated_may_have_settings_of_its_own() {
    let found = Memory::default()
        .file(
            "/srv/acme/config",
            "BASEDIR=/var/lib/acme\nCERTDIR=\"${BASEDIR}/made\"\nWELLKNOWN=/x\n",
        )
        .file("/srv/acme/domains.txt", "a.example.org\n")
        .file("/var/lib/acme/made/a.example.org/config", "KEY_ALGO=rsa\nHOOK=/x/canary\n")
        .one("/srv/acme/domains.txt");
    assert_eq!(found.key_type.as_deref(), Some("rsa"));
    assert_eq!((found.hook, found.reuses_key), (Some(true), Some(false)));
    assert_eq!(found.manages, ["/var/lib/acme/made/a.example.org/"]);
}

#[test]
fn somebody_elses_list_of_domains_is_nothing() {
    let host = Memory::default().file("/srv/list/domains.txt", "a.example.org\n");
    assert_eq!(host.read_at("/srv/list/domains.txt"), []);
}

#[test]
fn uacme_is_known_by_its_folders() {
    let folder = "/etc/ssl/uacme/ua.example.org";
    let found = Memory::default()
        .files(folder, &["cert.pem", "cert-1795290746.pem"])
        .one(&format!("{folder}/cert.pem"));
    assert_eq!((found.tool.as_str(), found.renewals), ("uacme", Some(1)));
    assert_eq!(
        found.manages,
        ["/etc/ssl/uacme/private/ua.example.org/".to_owned(), format!("{folder}/")]
    );
}

#[test]
fn certmonger_tells_what_it_tracks() {
    let path = "/var/lib/certmonger/requests/20261121193814";
    let written = include_str!("data/certmonger/20261121193814");
    let found = host::alone(path, written);
    let expected = Automation {
        name: Some("web-1".to_owned()),
        domains: vec!["web.example.org".to_owned(), "www.example.org".to_owned()],
        manages: vec!["/etc/ssl/web/web.key".to_owned(), "/etc/ssl/web/web.pem".to_owned()],
        issuer: Some("SelfSign".to_owned()),
        key_type: Some("RSA 2048".to_owned()),
        active: Some(true),
        hook: Some(true),
        ..Automation::of("certmonger", AutomationRole::Lineage)
    };
    assert_eq!(found, expected);
    no_canary(&[found]);
    let read = |from: &str, to: &str| host::alone(path, &written.replace(from, to));
    assert_eq!(read("autorenew=1", "autorenew=0").active, Some(false));
    assert_eq!(read("state=MONITORING", "state=CA_REJECTED").active, Some(false));
    assert_eq!(read("state=MONITORING", "state=SUBMITTING").active, None);
    assert_eq!(read("key_issued_count=1", "key_issued_count=2").reuses_key, Some(true));
}

#[test]
fn the_store_of_mod_md_tells_mode_and_renewals() {
    let first = "/var/lib/apache2/md/domains/md.example.org";
    let second = "/var/lib/apache2/md/domains/second.example.org/md.json";
    let archive = "/var/lib/apache2/md/archive/md.example.org";
    let host = Memory::default()
        .file(&format!("{first}/md.json"), include_str!("data/mod_md/md.example.org.json"))
        .files(first, &["pubcert.pem", "privkey.pem"])
        .files(&format!("{archive}.1"), &["fallback-pubcert.pem"])
        .files(&format!("{archive}.2"), &["pubcert.pem"])
        .file(second, include_str!("data/mod_md/second.example.org.json"));
    let found = host.one(&format!("{first}/md.json"));
    assert_eq!(found.domains, ["md.example.org", "www.md.example.org"]);
    assert_eq!(found.manages, [format!("{first}/")]);
    assert_eq!(found.key_type.as_deref(), Some("EC secp256r1, RSA 2048"));
    assert_eq!((found.active, found.renewals), (Some(true), Some(1)));
    assert_eq!(found.issuer.as_deref(), Some("https://127.0.0.1:14000/dir"));
    no_canary(&[found]);
    let manual = host.one(second);
    assert_eq!((manual.active, manual.renewals), (Some(false), None));
}

#[test]
fn the_settings_of_mod_md_are_read_by_section() {
    let path = "/etc/apache2/apache2.conf";
    let host = Memory::default().file(path, include_str!("data/mod_md/httpd.conf"));
    let found = host.read_at(path);
    let names: Vec<_> = found.iter().map(|trace| trace.domains.join(" ")).collect();
    assert_eq!(
        names,
        ["md.example.org www.md.example.org", "second.example.org b.second.example.org"]
    );
    assert_eq!((found[0].active, found[1].active), (None, Some(false)));
    assert_eq!(found[1].key_type.as_deref(), Some("secp256r1 rsa2048"));
    no_canary(&found);
}

const TIMER: &str = include_str!("data/systemd/certbot.timer");
const SERVICE: &str = include_str!("data/systemd/certbot.service");

fn debian() -> Memory {
    Memory::default()
        .file("/lib/systemd/system/certbot.timer", TIMER)
        .file("/lib/systemd/system/certbot.service", SERVICE)
        .link(
            "/etc/systemd/system/timers.target.wants/man-db.timer",
            "/lib/systemd/system/man-db.timer",
        )
}

#[test]
fn a_timer_is_active_when_it_is_linked() {
    let path = "/lib/systemd/system/certbot.timer";
    let link = "/etc/systemd/system/timers.target.wants/certbot.timer";
    let found = debian().link(link, path).one(path);
    let expected = Automation {
        name: Some("certbot.timer".to_owned()),
        active: Some(true),
        schedule: Some("*-*-* 00,12:00:00".to_owned()),
        ..Automation::of("certbot", AutomationRole::Schedule)
    };
    assert_eq!(found, expected);
    assert_eq!(debian().one(path).active, Some(false), "present and not enabled");
    let masked = debian().link(link, path).link("/etc/systemd/system/certbot.timer", "/dev/null");
    assert_eq!(masked.one(path).active, Some(false));
    let unseen =
        Memory::default().file(path, TIMER).file("/lib/systemd/system/certbot.service", SERVICE);
    assert_eq!(unseen.one(path).active, None, "the administrator's folder was not seen");
    let service = Memory::default().file("/lib/systemd/system/certbot.service", SERVICE);
    assert_eq!(
        service.read_at("/lib/systemd/system/certbot.service"),
        [],
        "it is started by others"
    );
}

#[test]
fn the_table_that_leaves_it_to_the_timer_is_not_called_active() {
    let path = "/etc/cron.d/certbot";
    let found = host::alone(path, include_str!("data/systemd/cron.d-certbot"));
    assert_eq!((found.tool.as_str(), found.active), ("certbot", None));
    assert_eq!(found.schedule.as_deref(), Some("0 */12 * * *"));
    assert!(!format!("{found:?}").contains("perl"));
}

#[test]
fn what_is_nobodys_is_nothing() {
    for path in
        ["/etc/nginx/renewal/x.conf", "/srv/certificates/x.json", "/srv/a/a.json", "/x/order.json"]
    {
        assert!(recognise(path.as_ref()));
        assert_eq!(read(path.as_ref(), b"{\"a\": 1}", &Memory::default()), [], "{path}");
    }
    for path in
        ["/usr/bin/ls", "/etc/ssl/cert.pem", "/srv/x.pem", "/etc/crontabs.d/x", "x", "/", ""]
    {
        assert!(!recognise(path.as_ref()), "{path}");
    }
}
