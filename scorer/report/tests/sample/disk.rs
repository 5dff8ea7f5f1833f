//! What lies on the disks of the shared assessment: keystores, images, automation, settings, SSH.

use pki_inventory::{
    AssetId, Automation, AutomationRole, Body, Circumstances, Configuration, Digest, Encryption,
    Fate, FileFacts, Half, Holds, Key, KeyAlgorithm, KeyForm, Keystore, Kind, Layer, Listens, Lock,
    SshCertificate, StoreEntry,
};

use super::{HOSTILE, NOW, World, leaf};

/// SHA-256 of the SPKI of an authority that root programs distrust.
pub(super) const DIGINOTAR: &str =
    "a903af8c07bb91b0d9e3f3a30c6d53339fc5bd47e5d6bdb476598860c068a024";

/// SHA-256 of the SPKI of a key of OpenSSL's tests.
pub(super) const PUBLISHED: &str =
    "ffca98c7eefa8b9cc0aa8ac662870ab36dbcac269f0503843daec5eb81d1a5de";

pub(super) fn add(world: &mut World) {
    keystores(world);
    keys(world);
    ssh(world);
    certbot(world);
    settings(world);
}

fn key_of(host: &str) -> AssetId {
    AssetId::new(Kind::Key, Digest::of(format!("key of {host}").as_bytes()))
}

fn file(mode: u32) -> FileFacts {
    let mut file = FileFacts::of(mode, 0, 0, NOW.plus_days(-90));
    file.owner = Some("root".to_owned());
    file.group = Some("root".to_owned());
    file.filesystem = Some("ext4".to_owned());
    file
}

fn form(half: Half, encoding: &str, encryption: Encryption) -> Option<KeyForm> {
    Some(KeyForm { half, encoding: encoding.to_owned(), encryption })
}

fn entry(alias: &str, holds: Holds, assets: Vec<AssetId>) -> StoreEntry {
    let created = Some(NOW.plus_days(-400));
    StoreEntry { alias: Some(alias.to_owned()), holds, assets, created }
}

fn keystores(world: &mut World) {
    let shop = leaf("shop.example.org");
    let place = "file:///srv/shop/conf/shop.jks#2";
    let label = Some("shop".to_owned());
    let certificate = world.certificate(
        pki_inventory::Certificate { not_after: NOW.plus_days(-12), ..shop.clone() },
        place,
        "filesystem",
        None,
    );
    let algorithm = Some(shop.key.clone());
    let wrapped = Encryption::Passphrase {
        kdf: Some("Sun's for JKS".to_owned()),
        cipher: Some("XOR with SHA-1".to_owned()),
        iterations: None,
    };
    let circumstances = Circumstances {
        file: Some(file(0o640)),
        key: form(Half::Private, "PKCS#8", wrapped.clone()),
        label,
        ..Circumstances::default()
    };
    let body = Body::Key(Key { spki: Some(shop.spki), algorithm });
    let key = key_of("shop.example.org");
    world.add(key, body, "file:///srv/shop/conf/shop.jks#1", "filesystem", circumstances);

    let store = Keystore {
        format: "JKS".to_owned(),
        lock: Lock::WellKnown("changeit".to_owned()),
        integrity: Some("SHA-1 over password and content".to_owned()),
        protection: vec![wrapped],
        count: Some(3),
        entries: vec![
            entry("shop", Holds::PrivateKey, vec![certificate, key]),
            entry(HOSTILE, Holds::Certificate, Vec::new()),
            entry("hmac", Holds::SecretKey, Vec::new()),
        ],
    };
    add_store(world, store, "/srv/shop/conf/shop.jks", file(0o640));

    let mut facts = file(0o600);
    facts.access_list = true;
    facts.behind = Some("/srv/backup".to_owned());
    let store = Keystore {
        format: "PKCS#12".to_owned(),
        lock: Lock::Closed("none of the 9 passwords that were tried opens it".to_owned()),
        integrity: Some("HMAC-SHA256, 2048 iterations".to_owned()),
        protection: vec![Encryption::Passphrase {
            kdf: Some("PBKDF2-HMAC-SHA256".to_owned()),
            cipher: Some("AES-256-CBC".to_owned()),
            iterations: Some(2048),
        }],
        count: None,
        entries: Vec::new(),
    };
    add_store(world, store, "/srv/backup/vpn.p12", facts);
}

fn add_store(world: &mut World, store: Keystore, path: &str, file: FileFacts) {
    let id = AssetId::new(Kind::Keystore, Digest::of(path.as_bytes()));
    let circumstances = Circumstances { file: Some(file), ..Circumstances::default() };
    let place = format!("file://{path}");
    world.add(id, Body::Keystore(store), &place, "filesystem", circumstances);
}

fn keys(world: &mut World) {
    let mut private = |id: AssetId, place: &str, mode: u32, layer: Option<Layer>| {
        let key = form(Half::Private, "PKCS#8", Encryption::None);
        let file = Some(file(mode));
        let circumstances = Circumstances { file, key, layer, ..Circumstances::default() };
        let algorithm = Some(KeyAlgorithm::rsa(2048));
        let body = Body::Key(Key { spki: Some(id.sha256), algorithm });
        world.add(id, body, place, "filesystem", circumstances);
    };
    let layer = Layer {
        digest: format!("sha256:{}", Digest::of(b"layer")),
        number: 2,
        of: 5,
        fate: Fate::DeletedIn(3),
    };
    let image = "file:///srv/images/files.tar!/etc/ssl/private/files.key#1";
    private(key_of("files.example.org"), image, 0o600, Some(layer));
    let published = PUBLISHED.parse().unwrap_or_else(|error| panic!("{error}"));
    let published = AssetId::new(Kind::Key, published);
    private(key_of("portal.example.org"), "file:///etc/nginx/tls/portal.key#1", 0o600, None);
    private(published, "file:///srv/build/test/server.key#1", 0o644, None);
    let placeholder = AssetId::new(Kind::Key, Digest::of(b"snakeoil"));
    private(placeholder, "file:///etc/ssl/private/ssl-cert-snakeoil.key#1", 0o640, None);
}

fn ssh(world: &mut World) {
    let algorithm = || Some(KeyAlgorithm { curve: None, bits: None, name: "Ed25519".to_owned() });
    let host = AssetId::new(Kind::Key, Digest::of(b"SSH host key"));
    let user = AssetId::new(Kind::Key, Digest::of(b"SSH user key"));
    let authority = Digest::of(b"SSH authority");
    let mut key = |id: AssetId, place: &str, circumstances: Circumstances| {
        let body = Body::Key(Key { spki: Some(id.sha256), algorithm: algorithm() });
        world.add(id, body, place, "filesystem", circumstances);
    };
    let circumstances = Circumstances {
        file: Some(file(0o600)),
        key: form(Half::Private, "OpenSSH", Encryption::None),
        label: Some("root@www".to_owned()),
        ..Circumstances::default()
    };
    key(host, "file:///etc/ssh/ssh_host_ed25519_key#1", circumstances);
    let certificate = SshCertificate {
        host: true,
        key_id: "www, issued by the build".to_owned(),
        principals: vec!["www.example.org".to_owned()],
        valid_after: NOW.plus_days(-30),
        valid_before: Some(NOW.plus_days(335)),
        authority: Some(authority),
    };
    let circumstances = Circumstances {
        file: Some(file(0o644)),
        key: form(Half::Public, "OpenSSH certificate", Encryption::None),
        ssh_certificate: Some(certificate),
        ..Circumstances::default()
    };
    key(host, "file:///etc/ssh/ssh_host_ed25519_key-cert.pub#1", circumstances);
    let circumstances = Circumstances {
        file: Some(file(0o600)),
        key: form(Half::Public, "authorized_keys", Encryption::None),
        label: Some(format!("deploy@build {HOSTILE}")),
        ..Circumstances::default()
    };
    key(user, "file:///root/.ssh/authorized_keys#1", circumstances);
}

/// A lineage that has renewed once, its timer, and somebody who watches.
fn certbot(world: &mut World) {
    let mut first = leaf("wiki.example.org");
    first.der = b"wiki.example.org, the first".to_vec();
    first.not_before = NOW.plus_days(-140);
    first.not_after = NOW.plus_days(-50);
    first.key = KeyAlgorithm::elliptic(Some("1.2.840.10045.3.1.7"));
    let folder = "/etc/letsencrypt/archive/wiki.example.org/";
    world.certificate(first, &format!("file://{folder}cert1.pem#1"), "filesystem", None);
    let mut second = leaf("wiki.example.org");
    second.sct_logs = vec![super::tls::log("a"), super::tls::log("b")];
    second.key = KeyAlgorithm::elliptic(Some("1.2.840.10045.3.1.7"));
    second.crl_urls = vec!["http://crl.example.org/1.crl".to_owned()];
    world.certificate(second, &format!("file://{folder}cert2.pem#1"), "filesystem", None);

    let lineage = Automation {
        name: Some("wiki.example.org".to_owned()),
        domains: vec!["wiki.example.org".to_owned()],
        manages: vec![folder.to_owned()],
        issuer: Some("https://acme.example.org/directory".to_owned()),
        authenticator: Some("webroot".to_owned()),
        key_type: Some("ecdsa".to_owned()),
        reuses_key: Some(false),
        renewals: Some(1),
        hook: Some(true),
        next_renewal: Some(NOW.plus_days(60)),
        ..Automation::of("certbot", AutomationRole::Lineage)
    };
    trace(world, lineage, "file:///etc/letsencrypt/renewal/wiki.example.org.conf");
    let timer = Automation {
        name: Some("certbot.timer".to_owned()),
        active: Some(true),
        schedule: Some("*-*-* 00,12:00:00".to_owned()),
        ..Automation::of("certbot", AutomationRole::Schedule)
    };
    trace(world, timer, "file:///lib/systemd/system/certbot.timer");
    let watched = Automation {
        name: Some(HOSTILE.to_owned()),
        schedule: Some("17 4 * * *".to_owned()),
        ..Automation::of("certbot", AutomationRole::Monitor)
    };
    trace(world, watched, "file:///etc/cron.d/watch#1");
}

fn trace(world: &mut World, trace: Automation, place: &str) {
    let parsed = place.parse().unwrap_or_else(|error| panic!("{error}"));
    let id = AssetId::at(Kind::Automation, &parsed);
    let body = Body::Automation(Box::new(trace));
    world.add(id, body, place, "filesystem", Circumstances::default());
}

/// A server whose certificate was renewed on disk only and that speaks more than it is told to,
/// and a file for every program of the host.
fn settings(world: &mut World) {
    let mut renewed = leaf("portal.example.org");
    renewed.der = b"portal.example.org, renewed".to_vec();
    renewed.not_before = NOW.plus_days(-5);
    renewed.not_after = NOW.plus_days(165);
    world.certificate(renewed, "file:///etc/nginx/tls/portal.pem#1", "filesystem", None);

    let line = 14;
    let server = Configuration {
        listens: vec![Listens { address: Some("192.0.2.7".to_owned()), port: 443, starttls: None }],
        server_names: vec!["portal.example.org".to_owned()],
        versions: Some(vec!["TLSv1.2".to_owned()]),
        suites: Some("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384".to_owned()),
        certificates: vec!["/etc/nginx/tls/portal.pem".to_owned()],
        keys: vec!["/etc/nginx/tls/portal.key".to_owned(), "/etc/nginx/tls/old.key".to_owned()],
        trusts: vec!["/etc/ssl/certs/bundle.pem".to_owned()],
        settings: [("ssl_session_tickets", "off"), ("ssl_ecdh_curve", HOSTILE)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Configuration::of("nginx", Some("server portal.example.org".to_owned()), line)
    };
    configured(world, server, "file:///etc/nginx/sites-enabled/portal#1");
    let library = Configuration {
        settings: [("MinProtocol".to_owned(), "TLSv1.2".to_owned())].into(),
        unresolved: vec!["include of /etc/ssl/local.cnf, which is not there".to_owned()],
        ..Configuration::of("OpenSSL", None, 1)
    };
    configured(world, library, "file:///etc/ssl/openssl.cnf");
}

fn configured(world: &mut World, configuration: Configuration, place: &str) {
    let parsed = place.parse().unwrap_or_else(|error| panic!("{error}"));
    let id = AssetId::at(Kind::Configuration, &parsed);
    let body = Body::Configuration(Box::new(configuration));
    world.add(id, body, place, "filesystem", Circumstances::default());
}
