//! Active Directory, as a server of the tests' own answers: what is asked for, and what comes of it.
//! What a domain controller says is compared in the end-to-end tests.

#![allow(clippy::unwrap_used)]

mod directory_lab;
mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use directory_lab::{
    Pki, Request, descriptor, directory_context, done, entry, fake, found, gaps, message, read,
    server, sid,
};
use pki_config::{DirectoryDump, DirectoryScope, Transport};
use pki_encodings::tlv::{OCTET_STRING, element};
use pki_inventory::{Body, GapReason, Kind};
use support::{Tree, collect};

const CONFIGURATION: &str = "CN=Configuration,DC=corp,DC=example";
const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";
const DOMAIN: &str = "DC=corp,DC=example";

fn forest(request: &Request, certificate: &[u8]) -> Vec<u8> {
    let id = request.id;
    let mut parts = Vec::new();
    let descriptor = descriptor(&[1104]);
    if request.has("rootDomainNamingContext") {
        parts.push(entry(
            id,
            "",
            &[
                ("configurationNamingContext", &[CONFIGURATION.as_bytes()]),
                ("defaultNamingContext", &[DOMAIN.as_bytes()]),
                ("rootDomainNamingContext", &[DOMAIN.as_bytes()]),
            ],
        ));
    } else if request.has("CN=Partitions") {
        for (name, flags) in [(DOMAIN, "3"), ("DC=other,DC=example", "3"), ("DC=zones", "5")] {
            let dn = format!("CN={name},CN=Partitions");
            let flags: &[&[u8]] = &[flags.as_bytes()];
            parts.push(entry(id, &dn, &[("nCName", &[name.as_bytes()]), ("systemFlags", flags)]));
        }
    } else if request.has(SERVICES) {
        assert!(request.has("1.2.840.113556.1.4.801"), "descriptors are asked for by parts");
        // No size limit, and the time limit one second below `timeout_secs`.
        let limits = [2, 1, 0, 2, 1, 4, 1, 1, 0];
        assert!(request.octets.windows(limits.len()).any(|it| it == limits));
        let dn = format!("CN=Shop,CN=Certificate Templates,{SERVICES}");
        parts.push(entry(
            id,
            &dn,
            &[
                ("objectClass", &[b"top", b"pKICertificateTemplate"]),
                ("cn", &[b"Shop"]),
                ("nTSecurityDescriptor", &[&descriptor]),
            ],
        ));
        let dn = format!("CN=Corp CA,CN=Enrollment Services,{SERVICES}");
        parts.push(entry(
            id,
            &dn,
            &[
                ("objectClass", &[b"top", b"pKIEnrollmentService"]),
                ("cn", &[b"Corp CA"]),
                ("dNSHostName", &[b"CA1.corp.example"]),
                ("certificateTemplates", &[b"Shop"]),
                ("cACertificate", &[certificate]),
            ],
        ));
    } else if request.has("DC=other") {
        let referral = element(
            0xa3,
            &[&element(OCTET_STRING, &[b"ldap://other.example/DC=other,DC=example"])],
        );
        return message(id, &element(0x65, &[&[0x0a, 1, 10, 4, 0, 4, 0], &referral]), &[]);
    } else if request.has("ca1.corp.example") {
        let dn = format!("CN=CA1,OU=Servers,{DOMAIN}");
        parts.push(entry(
            id,
            &dn,
            &[
                ("objectClass", &[b"top", b"computer"]),
                ("cn", &[b"CA1"]),
                ("sAMAccountName", &[b"CA1$"]),
                ("dNSHostName", &[b"CA1.corp.example"]),
                ("objectSid", &[&sid(1200)]),
                ("nTSecurityDescriptor", &[&descriptor]),
            ],
        ));
    } else if request.has("1.2.840.113556.1.4.1941") {
        parts.push(entry(
            id,
            &format!("CN=Ann,{DOMAIN}"),
            &[
                ("objectClass", &[b"top", b"user"]),
                ("sAMAccountName", &[b"ann"]),
                ("objectSid", &[&sid(1105)]),
                ("memberOf", &[format!("CN=Shoppers,{DOMAIN}").as_bytes()]),
            ],
        ));
    } else if request.octets.windows(28).any(|window| *window == sid(1104)) {
        parts.push(entry(
            id,
            &format!("CN=Shoppers,{DOMAIN}"),
            &[
                ("objectClass", &[b"top", b"group"]),
                ("sAMAccountName", &[b"Shoppers"]),
                ("objectSid", &[&sid(1104)]),
            ],
        ));
        parts.push(entry(
            id,
            &format!("CN=Domain Users,CN=Users,{DOMAIN}"),
            &[
                ("objectClass", &[b"top", b"group"]),
                ("sAMAccountName", &[b"Domain Users"]),
                ("objectSid", &[&sid(513)]),
                ("memberOf", &[format!("CN=Everybody,{DOMAIN}").as_bytes()]),
            ],
        ));
    } else if request.has("CN=Everybody") {
        parts.push(entry(
            id,
            &format!("CN=Everybody,{DOMAIN}"),
            &[
                ("objectClass", &[b"top", b"group"]),
                ("sAMAccountName", &[b"Everybody"]),
                ("objectSid", &[&sid(1300)]),
                ("memberOf", &[format!("CN=Shoppers,{DOMAIN}").as_bytes()]),
            ],
        ));
    } else if request.has("userSMIMECertificate") {
        // Who may not read the mapping gets Ann only by a filter that does not name it.
        let is_mapped = request.has("nTSecurityDescriptor");
        assert!(is_mapped || !request.has("altSecurityIdentities"));
        for name in if is_mapped { &["Bob"][..] } else { &["Ann", "Bob"] } {
            parts.push(entry(
                id,
                &format!("CN={name},{DOMAIN}"),
                &[
                    ("objectClass", &[b"top", b"user"]),
                    ("cn", &[name.as_bytes()]),
                    ("userCertificate", &[certificate]),
                ],
            ));
        }
    } else if request.has("objectClass") && request.has("objectSid") && !request.has("memberOf") {
        parts.push(entry(id, DOMAIN, &[("objectSid", &[&sid(0)[..24]])]));
    }
    parts.push(done(id, 0, None));
    parts.concat()
}

#[test]
fn a_forest_is_read_with_everybody_whom_its_access_lists_name() {
    let certificate = Pki::new("Corp CA").authority;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let (port, _) = fake(move |request| {
        log.lock().unwrap().push(request.octets.clone());
        Some(forest(request, &certificate))
    });
    let seen = read(server(port, Transport::Plain), None);
    let gaps = gaps(&seen);
    assert!(!gaps.is_empty(), "the other domain");
    assert!(gaps.iter().all(|gap| gap.1 == "link-out-of-scope"), "{gaps:?}");
    let other = format!("ldap://127.0.0.1:{port}/DC=other,DC=example");
    assert!(gaps.iter().all(|gap| gap.2.contains("other.example")), "{gaps:?}");
    assert!(gaps.iter().any(|gap| gap.0 == other), "{gaps:?}");
    let is_group = |gap: &&(String, String, String)| gap.2.contains("who is in this group");
    let groups: Vec<&str> = gaps.iter().filter(is_group).map(|gap| gap.0.as_str()).collect();
    assert_eq!(groups, [format!("ldap://127.0.0.1:{port}/CN=Shoppers,{DOMAIN}")]);

    let kinds: BTreeSet<Kind> = seen.kinds().into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.is_superset(&[Kind::Template, Kind::Authority, Kind::Certificate].into()));
    let templates = seen.of(Kind::Template);
    let Body::Template(template) = &templates[0].body else { panic!("{:?}", templates[0]) };
    let access = template.access.as_ref().unwrap();
    let grant = access.grants.iter().find(|grant| grant.trustee.sid.ends_with("-1104")).unwrap();
    assert_eq!(grant.trustee.name.as_deref().map(|it| it.ends_with("Shoppers")), Some(true));
    // Every user is in a group that is in the one that may enrol.
    assert!(grant.is_ordinary(), "{access:?}");
    let places: Vec<String> = support::places(templates[0]);
    assert_eq!(
        places[0],
        format!(
            "ldap://127.0.0.1:{port}/CN=Shop,CN=Certificate%20Templates,{}",
            SERVICES.replace(' ', "%20")
        )
    );
    let hosts = seen.of(Kind::DirectoryObject);
    assert!(
        hosts.iter().any(
            |host| host.id.to_string().len() > 8 && support::places(host)[0].contains("CN=CA1")
        )
    );
    let ann = format!("/CN=Ann,{DOMAIN}#1");
    let certificates = seen.of(Kind::Certificate);
    let all: Vec<String> = certificates.iter().flat_map(|it| support::places(it)).collect();
    assert!(all.iter().any(|place| place.ends_with(&ann)), "{all:?}");
    let bob = format!("/CN=Bob,{DOMAIN}#1");
    assert_eq!(found(&seen).iter().filter(|place| place.ends_with(&bob)).count(), 1);
    // Nobody is asked for twice.
    let asked = asked.lock().unwrap();
    let climbs =
        asked.iter().filter(|octets| octets.windows(12).any(|it| it == b"CN=Everybody")).count();
    assert_eq!(climbs, 1);
}

#[test]
fn what_was_read_is_reported_whenever_the_time_is_over() {
    let certificate = Pki::new("Corp CA").authority;
    for last in ["CN=Partitions", "ca1.corp.example", "1.2.840.113556.1.4.1941"] {
        let certificate = certificate.clone();
        let (port, _) = fake(move |request| {
            let is_it = request.has(last);
            Some(if is_it { Vec::new() } else { forest(request, &certificate) })
        });
        let mut server = server(port, Transport::Plain);
        server.deadline_secs = 2;
        let seen = read(server, None);
        assert_eq!(seen.of(Kind::Authority).len(), 1, "{last}");
        let templates = seen.of(Kind::Template);
        let Body::Template(template) = &templates[0].body else { panic!("{last}") };
        assert!(template.access.is_some(), "{last}");
        let base = format!("ldap://127.0.0.1:{port}/{}", SERVICES.replace(' ', "%20"));
        let gaps = gaps(&seen);
        let is_said = |gap: &(String, String, String)| gap.0 == base && gap.1 == "limit-reached";
        assert!(gaps.iter().any(is_said), "{last}: {gaps:?}");
    }
}

#[test]
fn a_host_that_two_computers_say_they_are_is_neither() {
    let certificate = Pki::new("Corp CA").authority;
    let (port, _) = fake(move |request| {
        if !request.has("ca1.corp.example") || request.has("DC=other") {
            return Some(forest(request, &certificate));
        }
        let computer = |name: &str, relative: u32, how: &str, value: &str| {
            let dn = format!("CN={name},{DOMAIN}");
            entry(
                request.id,
                &dn,
                &[
                    ("objectClass", &[b"top", b"computer"]),
                    ("sAMAccountName", &[name.as_bytes()]),
                    ("objectSid", &[&sid(relative)]),
                    (how, &[value.as_bytes()]),
                ],
            )
        };
        let own = computer("CA1$", 1200, "dNSHostName", "CA1.corp.example");
        let other = computer("EVIL$", 1201, "servicePrincipalName", "host/ca1.corp.example");
        Some([own, other, done(request.id, 0, None)].concat())
    });
    let seen = read(server(port, Transport::Plain), None);
    let gaps = seen.gaps(GapReason::Unrecognised);
    assert_eq!(gaps.len(), 1, "{:?}", directory_lab::gaps(&seen));
    assert!(gaps[0].detail.contains("2 accounts say that they are `ca1.corp.example`"));
}

#[test]
fn a_search_that_followed_a_referral_stays_there_while_others_go_home() {
    let certificate = Pki::new("Corp CA").authority;
    let there = certificate.clone();
    let (far, far_opened) = fake(move |request| {
        assert!(request.has("DC=far"), "only what was referred to is asked for here");
        if !request.has("nTSecurityDescriptor") {
            return Some(done(request.id, 0, None));
        }
        // Whom the first page names is looked for at home before the second.
        let number = request.cookie().first().copied().unwrap_or_default();
        let one = entry(
            request.id,
            &format!("CN=p{number},DC=far"),
            &[
                ("objectClass", &[b"top", b"user"]),
                ("userCertificate", &[&there]),
                ("nTSecurityDescriptor", &[&descriptor(&[2000 + u32::from(number)])]),
            ],
        );
        let cookie: &[u8] = if number == 3 { &[] } else { &[number + 1] };
        Some([one, done(request.id, 0, Some(cookie))].concat())
    });
    let (port, opened) = fake(move |request| {
        if !request.has("DC=far") {
            return Some(forest(request, &certificate));
        }
        let to = format!("ldap://127.0.0.1:{far}/DC=far");
        let to = element(0xa3, &[&element(OCTET_STRING, &[to.as_bytes()])]);
        let refer = element(0x65, &[&[0x0a, 1, 10, 4, 0, 4, 0], &to]);
        Some(message(request.id, &refer, &[]))
    });
    let mut server = server(port, Transport::Plain);
    server.bases = vec!["DC=far".to_owned()];
    server.referrals = vec!["127.0.0.1".to_owned()];
    let seen = read(server, None);
    let gaps = gaps(&seen);
    assert!(gaps.iter().all(|gap| gap.2.contains("other.example")), "{gaps:?}");
    let found = found(&seen);
    for number in 0..4 {
        let place = format!("/CN=p{number},DC=far#1");
        assert_eq!(found.iter().filter(|it| it.ends_with(&place)).count(), 1, "{found:?}");
    }
    let count = |opened: &AtomicUsize| opened.load(Ordering::SeqCst);
    // One for the pages and one for the questions between them.
    assert_eq!((count(&opened), count(&far_opened)), (2, 1));
}

const LDIF: &str = "version: 1

dn: CN=Shop,CN=Certificate Templates,CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example
objectClass: top
objectClass: pKICertificateTemplate
cn: Shop

dn: cn=Ann,ou=people,dc=lab
objectClass: inetOrgPerson
cn: Ann
sn: Ann
userCertificate;binary:: CERTIFICATE

dn: cn=Broken,dc=lab
cn:: ?????

";

#[test]
fn a_dump_says_the_same_as_of_its_date() {
    use base64::Engine as _;
    let certificate = Pki::new("Corp CA").authority;
    let text = base64::engine::general_purpose::STANDARD.encode(&certificate);
    let tree = Tree::new();
    let path = tree.write("forest.ldif", LDIF.replace("CERTIFICATE", &text));
    let scope = DirectoryScope {
        dumps: vec![
            DirectoryDump { path: path.clone(), origin: None },
            DirectoryDump { path: tree.path().join("none.ldif"), origin: None },
            DirectoryDump { path: tree.path(), origin: None },
        ],
        ..DirectoryScope::default()
    };
    let seen = collect("directory", &directory_context(scope, None));
    let file = format!("file://{}", path.display());
    let templates = seen.of(Kind::Template);
    let place =
        format!("{file}!/CN=Shop,CN=Certificate%20Templates,{}", SERVICES.replace(' ', "%20"));
    assert_eq!(support::places(templates[0]), [place]);
    let certificates = seen.of(Kind::Certificate);
    assert_eq!(support::places(certificates[0]), [format!("{file}!/cn=Ann,ou=people,dc=lab#1")]);
    let written = path.metadata().unwrap();
    let written = std::os::unix::fs::MetadataExt::mtime(&written);
    let facts = certificates[0].sightings().next().unwrap().circumstances.file.clone().unwrap();
    assert_eq!(facts.modified.0, written);
    let damaged = seen.gaps(GapReason::Damaged);
    assert_eq!(damaged.len(), 1, "{:?}", gaps(&seen));
    assert!(damaged[0].detail.contains("line 15"), "{}", damaged[0].detail);
    assert_eq!(damaged[0].place.to_string(), file);
    assert_eq!(seen.gaps(GapReason::ReadFailed).len(), 1);
    assert_eq!(seen.gaps(GapReason::NotRegularFile).len(), 1);
    let read: Vec<(u64, u64)> =
        seen.inventory.coverage().map(|(_, _, it)| (it.read, it.not_read)).collect();
    assert_eq!(read.iter().max(), Some(&(3, 1)), "{read:?}");
}
