//! Entries of a forest, as they come from a server.

use pki_encodings::Collected;
use pki_inventory::{
    Digest, MappingForm, Object, Ordinary, Right, Template, Time, enrolment_flag, name_flag,
};
use proptest::prelude::*;

use super::*;
use crate::made;

const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";

fn entry(dn: &str, attributes: &[(&str, &[&[u8]])]) -> Entry {
    let attributes = attributes.iter().map(|(name, values)| {
        ((*name).to_owned(), values.iter().map(|value| value.to_vec()).collect())
    });
    Entry { dn: dn.to_owned(), attributes: attributes.collect() }
}

fn below(rest: &str, class: &str) -> Entry {
    entry(&format!("{rest},{SERVICES}"), &[("objectClass", &[b"top", class.as_bytes()])])
}

fn with(mut entry: Entry, name: &str, values: &[&[u8]]) -> Entry {
    entry.attributes.push((name.to_owned(), values.iter().map(|value| value.to_vec()).collect()));
    entry
}

fn found(entry: &Entry) -> Collected {
    let mut report = Collected::default();
    read(entry, &Principals::default(), &["ca1.corp.example".to_owned()], &mut report);
    report
}

fn object_of(entry: &Entry) -> DirectoryObject {
    let object = found(entry).objects.into_iter().find_map(|object| match object.raw {
        Raw::DirectoryObject(object) => Some(*object),
        _ => None,
    });
    object.expect("an object")
}

/// A descriptor in which the authenticated users may write this attribute ([MS-DTYP], 2.4.6).
fn descriptor(attribute: [u8; 16]) -> Vec<u8> {
    let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    let authenticated = [1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0];
    // ACCESS_ALLOWED_OBJECT_ACE, ADS_RIGHT_DS_WRITE_PROP, ACE_OBJECT_TYPE_PRESENT.
    let mut ace = vec![5, 0, 40, 0, 0x20, 0, 0, 0, 1, 0, 0, 0];
    ace.extend(attribute);
    ace.extend(authenticated);
    let mut all = vec![1, 0, 4, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 36, 0, 0, 0];
    all.extend(administrators);
    all.extend([4, 0, 48, 0, 1, 0, 0, 0]);
    all.extend(ace);
    all
}

/// `msPKI-Certificate-Name-Flag`, as it stands in an entry of an access list.
const NAME_FLAG: [u8; 16] = [
    0xc4, 0xdd, 0x1d, 0xea, 0xff, 0x60, 0x6e, 0x41, 0x8c, 0xc0, 0x17, 0xce, 0xe5, 0x34, 0xbc, 0xe7,
];

#[test]
fn what_an_entry_is_for_is_told_by_its_place_and_its_class() {
    use DirectoryRole as Role;
    let object = |role| Some(Part::Object(role));
    for (rest, class, expected) in [
        ("CN=Web,CN=Certificate Templates", "pKICertificateTemplate", Some(Part::Template)),
        ("cn=Web,cn=certificate templates", "PKICERTIFICATETEMPLATE", Some(Part::Template)),
        ("CN=Corp CA,CN=Enrollment Services", "pKIEnrollmentService", Some(Part::Authority)),
        ("CN=NTAuthCertificates", "certificationAuthority", object(Role::LogonStore)),
        ("CN=Root,CN=AIA", "certificationAuthority", object(Role::AuthorityInformation)),
        ("CN=R,CN=Certification Authorities", "certificationAuthority", object(Role::RootStore)),
        ("CN=Corp CA,CN=CA1,CN=CDP", "cRLDistributionPoint", object(Role::DistributionPoint)),
        ("CN=CA1,CN=CDP", "container", object(Role::Container)),
        ("CN=a,CN=KRA", "msPKI-PrivateKeyRecoveryAgent", object(Role::RecoveryAgent)),
        ("CN=1.2,CN=OID", "msPKI-Enterprise-Oid", object(Role::ObjectIdentifier)),
        ("CN=OID", "msPKI-Enterprise-Oid", object(Role::Container)),
        ("CN=AIA", "container", object(Role::Container)),
        ("CN=Web,CN=Certificate Templates", "person", None),
    ] {
        assert_eq!(part::of(&below(rest, class)), expected, "{rest} {class}");
    }
    let itself = entry(SERVICES, &[("objectClass", &[b"container"])]);
    assert_eq!(part::of(&itself), object(Role::Container));
    let without_class = entry(&format!("CN=Web,CN=Certificate Templates,{SERVICES}"), &[]);
    assert_eq!(part::of(&without_class), Some(Part::Template));
    let elsewhere = entry("CN=AIA,DC=corp", &[("objectClass", &[b"certificationAuthority"])]);
    assert!(!is_known(&elsewhere));
}

fn template() -> Entry {
    let mut template = below("CN=WebUser,CN=Certificate Templates", "pKICertificateTemplate");
    for (name, values) in [
        ("cn", &["WebUser"][..]),
        ("displayName", &["Web User"]),
        ("flags", &["131680"]),
        ("revision", &["100"]),
        ("msPKI-Template-Minor-Revision", &["3"]),
        ("msPKI-Template-Schema-Version", &["2"]),
        ("msPKI-Cert-Template-OID", &["1.3.6.1.4.1.311.21.8.1"]),
        ("msPKI-Certificate-Name-Flag", &["-2113929215"]),
        ("msPKI-Enrollment-Flag", &["2"]),
        ("msPKI-Private-Key-Flag", &["16"]),
        ("msPKI-Minimal-Key-Size", &["2048"]),
        ("msPKI-RA-Signature", &["1"]),
        ("msPKI-RA-Application-Policies", &["1.3.6.1.4.1.311.20.2.1"]),
        ("pKIExtendedKeyUsage", &["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"]),
        ("msPKI-Certificate-Application-Policy", &["1.3.6.1.5.5.7.3.2"]),
        ("msPKI-Certificate-Policy", &["1.2.3"]),
        ("msPKI-Supersede-Templates", &["User"]),
        ("pKIDefaultCSPs", &["10,Microsoft C", "2,Microsoft B", "1,Microsoft A"]),
        ("whenCreated", &["20260101120000.0Z"]),
        ("whenChanged", &["20260102120000.0Z"]),
    ] {
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        template = with(template, name, &values);
    }
    template = with(template, "pKIKeyUsage", &[&[0xa0, 0]]);
    template = with(template, "pKIExpirationPeriod", &[&[0, 64, 57, 135, 46, 225, 254, 255]]);
    with(template, "pKIOverlapPeriod", &[&[0, 128, 166, 10, 255, 222, 255, 255]])
}

#[test]
fn a_template_says_all_that_its_entry_says() {
    let found = found(&template());
    let [Object { raw: Raw::Template(found), .. }] = &found.objects[..] else { panic!("one") };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expected = Template {
        name: "WebUser".to_owned(),
        display_name: Some("Web User".to_owned()),
        dn: format!("CN=WebUser,CN=Certificate Templates,{SERVICES}"),
        oid: Some("1.3.6.1.4.1.311.21.8.1".to_owned()),
        schema_version: Some(2),
        revision: Some((100, 3)),
        validity_secs: Some(365 * 86_400),
        renewal_secs: Some(42 * 86_400),
        extended_key_usage: texts(&["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"]),
        application_policies: texts(&["1.3.6.1.5.5.7.3.2"]),
        key_usage: vec![0xa0, 0],
        general_flags: Some(131_680),
        enrolment_flags: Some(enrolment_flag::PEND_ALL_REQUESTS),
        private_key_flags: Some(16),
        name_flags: Some(0x8200_0000 | name_flag::ENROLLEE_SUPPLIES_SUBJECT),
        minimal_key_bits: Some(2048),
        providers: texts(&["Microsoft A", "Microsoft B", "Microsoft C"]),
        agent_signatures: Some(1),
        agent_policies: texts(&["1.3.6.1.4.1.311.20.2.1"]),
        algorithms: Vec::new(),
        issuance_policies: texts(&["1.2.3"]),
        supersedes: texts(&["User"]),
        created: Some(Time(1_767_268_800)),
        changed: Some(Time(1_767_355_200)),
        access: None,
    };
    assert_eq!(**found, expected);
}

#[test]
fn whoever_may_write_what_decides_is_in_the_access_list() {
    let entry = with(template(), "nTSecurityDescriptor", &[&descriptor(NAME_FLAG)]);
    let found = found(&entry);
    let [Object { raw: Raw::Template(found), .. }] = &found.objects[..] else { panic!("one") };
    let access = found.access.as_ref().expect("a descriptor");
    let right = Right::WriteProperty("msPKI-Certificate-Name-Flag".to_owned());
    let grants: Vec<_> = access.of(&right).collect();
    assert_eq!(grants.len(), 1, "{access:?}");
    assert_eq!(grants[0].trustee.sid, "S-1-5-11");
    assert!(grants[0].reaches.contains(&Ordinary::User));
    assert_eq!(access.owner.as_ref().map(|owner| owner.sid.as_str()), Some("S-1-5-32-544"));
    let named: Vec<String> = trustees(&entry).iter().map(ToString::to_string).collect();
    assert!(named.contains(&"S-1-5-11".to_owned()), "{named:?}");
}

#[test]
fn a_descriptor_that_is_broken_is_a_gap_and_no_empty_list() {
    let entry = with(template(), "nTSecurityDescriptor", &[b"\x01\x00"]);
    let found = found(&entry);
    assert_eq!(found.gaps.len(), 1);
    assert!(found.gaps[0].0 == GapReason::Damaged && found.gaps[0].1.contains(DESCRIPTOR));
    let [Object { raw: Raw::Template(template), .. }] = &found.objects[..] else { panic!("one") };
    assert_eq!(template.access, None);
    assert_eq!(trustees(&entry), []);
}

#[test]
fn an_authority_says_where_it_is_and_what_it_publishes() {
    let der = made::certificate("Corp CA");
    let mut entry = below("CN=Corp CA,CN=Enrollment Services", "pKIEnrollmentService");
    entry = with(entry, "cn", &[b"Corp CA"]);
    entry = with(entry, "dNSHostName", &[b"CA1.corp.example"]);
    entry = with(entry, "cACertificate", &[&der]);
    entry = with(entry, "cACertificateDN", &[b"CN=Corp CA"]);
    entry = with(entry, "certificateTemplates", &[b"User", b"WebUser"]);
    entry = with(entry, "flags", &[b"10"]);
    let servers: &[&[u8]] = &[b"1\n4\n0\nhttps://ca1.corp.example/Corp_CES/service.svc/CES\n0"];
    entry = with(entry, "msPKI-Enrollment-Servers", servers);
    let found = found(&entry);
    let [certificate, Object { raw: Raw::Authority(authority), .. }] = &found.objects[..] else {
        panic!("two")
    };
    assert_eq!(certificate.label.as_deref(), Some("cACertificate"));
    assert_eq!(authority.certificates, [Digest::of(&der)]);
    assert_eq!(authority.name, "Corp CA");
    assert_eq!(authority.host.as_deref(), Some("CA1.corp.example"));
    assert_eq!(authority.subject.as_deref(), Some("CN=Corp CA"));
    assert_eq!(authority.templates, ["User", "WebUser"]);
    assert_eq!(authority.flags, Some(10));
    let urls = ["https://ca1.corp.example/Corp_CES/service.svc/CES"];
    assert_eq!(authority.enrolment_urls, urls);
}

#[test]
fn a_distribution_point_holds_lists_and_a_placeholder_holds_none() {
    let list = made::revocation_list();
    let mut entry = below("CN=Corp CA,CN=CDP", "cRLDistributionPoint");
    entry = with(entry, "certificateRevocationList;binary", &[&list]);
    entry = with(entry, "deltaRevocationList", &[&[0]]);
    let object = object_of(&entry);
    assert_eq!(object.role, DirectoryRole::DistributionPoint);
    assert_eq!(object.lists, [Digest::of(&list)]);
    assert_eq!(object.name, "Corp CA", "of the distinguished name");
    assert_eq!(found(&entry).objects.len(), 2);
}

#[test]
fn an_issuance_policy_names_the_group_it_is_linked_to() {
    let group = "CN=Linked,CN=Users,DC=corp,DC=example";
    let mut entry = below("CN=1.2.ABC,CN=OID", "msPKI-Enterprise-Oid");
    entry = with(entry, "msPKI-Cert-Template-OID", &[b"1.2.3.4"]);
    let link = format!("<GUID=00>;<SID=01>;{group}");
    entry = with(entry, "msDS-OIDToGroupLink", &[link.as_bytes()]);
    let object = object_of(&entry);
    assert_eq!(object.oid.as_deref(), Some("1.2.3.4"));
    let linked = object.group.expect("a group");
    assert_eq!((linked.dn.as_str(), linked.name, linked.privileged), (group, None, None));
}

const SID: &[u8] =
    &[1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x57, 4, 0, 0];

fn user(attributes: &[(&str, &[&[u8]])]) -> Entry {
    let classes: &[&[u8]] = &[b"top", b"person", b"organizationalPerson", b"user"];
    let mut user = entry("CN=Ada,CN=Users,DC=corp,DC=example", &[("objectClass", classes)]);
    user = with(user, "sAMAccountName", &[b"ada"]);
    user = with(user, "objectSid", &[SID]);
    for (name, values) in attributes {
        user = with(user, name, values);
    }
    user
}

#[test]
fn an_account_is_an_asset_only_where_certificates_are_mapped_to_it() {
    let der = made::certificate("ada");
    let plain = user(&[("userCertificate", &[&der])]);
    assert!(is_known(&plain));
    assert_eq!(found(&plain).objects.len(), 1, "the certificate alone");
    assert!(!is_known(&user(&[])));

    let mapped = user(&[
        ("userCertificate", &[&der]),
        ("altSecurityIdentities", &[b"X509:<S>CN=ada", b"X509:<SKI>00"]),
        ("userAccountControl", &[b"514"]),
        ("adminCount", &[b"1"]),
    ]);
    let object = object_of(&mapped);
    assert_eq!((object.role, object.name.as_str()), (DirectoryRole::Account, "ada"));
    assert_eq!(object.certificates, [Digest::of(&der)]);
    let forms: Vec<_> = object.mappings.iter().map(|mapping| mapping.form).collect();
    assert_eq!(forms, [MappingForm::SubjectKeyIdentifier, MappingForm::Subject]);
    assert_eq!((object.enabled, object.administers), (Some(false), Some(true)));

    let mapped = user(&[("altSecurityIdentities", &[b"x"]), ("userAccountControl", &[b"512"])]);
    let object = object_of(&mapped);
    assert_eq!((object.enabled, object.administers), (Some(true), Some(false)));
    let mapped = user(&[("altSecurityIdentities", &[b"x"])]);
    let object = object_of(&mapped);
    assert_eq!((object.enabled, object.administers), (None, None), "not read");
}

#[test]
fn a_computer_is_reported_if_it_is_the_host_of_an_authority() {
    let computer = |name: &str, host: Option<&str>| {
        let dn = format!("CN={name},CN=Computers,DC=corp,DC=example");
        let mut computer = entry(&dn, &[("objectClass", &[b"user", b"computer"])]);
        computer = with(computer, "sAMAccountName", &[format!("{name}$").as_bytes()]);
        match host {
            Some(host) => with(computer, "dNSHostName", &[host.as_bytes()]),
            None => computer,
        }
    };
    for (name, host, is_host) in [
        ("CA1", Some("ca1.CORP.example"), true),
        ("CA1", None, true),
        ("CA1", Some("ca1.other.example"), false),
        ("PC1", None, false),
    ] {
        let computer = computer(name, host);
        assert!(is_known(&computer));
        assert_eq!(found(&computer).objects.len(), usize::from(is_host), "{name} {host:?}");
        if is_host {
            let object = object_of(&computer);
            assert_eq!((object.role, object.name.as_str()), (DirectoryRole::AuthorityHost, "CA1$"));
        }
    }
}

#[test]
fn a_principal_is_called_as_windows_calls_it() {
    let ada = user(&[("memberOf", &[b"CN=A,DC=corp"]), ("primaryGroupID", &[b"513"])]);
    let ada = principal(&ada).expect("an account");
    assert_eq!(ada.sid.to_string(), "S-1-5-21-1-2-3-1111");
    assert_eq!((ada.name.as_deref(), ada.is_group), (Some("CORP\\ada"), false));
    assert_eq!((ada.member_of, ada.primary_group), (vec!["CN=A,DC=corp".to_owned()], Some(513)));

    let classes: &[(&str, &[&[u8]])] = &[("objectClass", &[b"top", b"group"])];
    let mut group = entry("CN=Users,CN=Builtin,DC=corp,DC=example", classes);
    group = with(group, "sAMAccountName", &[b"Users"]);
    group = with(group, "objectSid", &[b"S-1-5-32-545"]);
    group = with(group, "member;range=0-0", &[b"CN=A,DC=corp"]);
    group = with(group, "member;range=1-*", &[b"CN=B,DC=corp"]);
    let group = principal(&group).expect("a group");
    assert_eq!((group.name.as_deref(), group.is_group), (Some("BUILTIN\\Users"), true));
    assert_eq!(group.members, ["CN=A,DC=corp", "CN=B,DC=corp"]);

    let classes: &[(&str, &[&[u8]])] = &[("objectClass", &[b"foreignSecurityPrincipal"])];
    let foreign = entry("CN=S-1-5-11,CN=ForeignSecurityPrincipals,DC=corp", classes);
    let foreign = principal(&foreign).expect("a principal");
    assert_eq!((foreign.sid.to_string().as_str(), foreign.name), ("S-1-5-11", None));

    let domain = entry("DC=corp", &[("objectClass", &[b"domainDNS"]), ("objectSid", &[SID])]);
    assert_eq!(principal(&domain), None);
    assert_eq!(principal(&template()), None);
}

fn cross_reference(dn: &[u8], name: &[u8]) -> Entry {
    let partitions = "CN=ROOT,CN=Partitions,CN=Configuration,DC=corp,DC=example";
    let classes: &[&[u8]] = &[b"top", b"crossRef"];
    entry(partitions, &[("objectClass", classes), ("nCName", &[dn]), ("nETBIOSName", &[name])])
}

#[test]
fn a_domain_is_called_by_its_netbios_name_where_that_was_read() {
    let mut domains = Domains::default();
    domains.add(&cross_reference(b"<GUID=0a>;DC=Corp,DC=Example", b"ACME"));
    domains.add(&cross_reference(b"CN=Configuration,DC=corp,DC=example", b""));
    domains.add(&user(&[]));
    let name = |entry: &Entry| domains.principal(entry).and_then(|it| it.name);
    assert_eq!(name(&user(&[])).as_deref(), Some(r"ACME\ada"));
    let account = |dn: &str, sid: &[u8], name: &[u8]| {
        entry(dn, &[("objectSid", &[sid]), ("sAMAccountName", &[name])])
    };
    let child = account("CN=A,DC=child,DC=corp,DC=example", b"S-1-5-21-4-5-6-1111", b"a");
    assert_eq!(name(&child).as_deref(), Some(r"CHILD\a"), "of another domain");
    let users = account("CN=Users,CN=Builtin,DC=corp,DC=example", b"S-1-5-32-545", b"Users");
    assert_eq!(name(&users).as_deref(), Some(r"BUILTIN\Users"));

    // In a dump the name may come last: everybody is called anew.
    let mut principals = Principals::default();
    for entry in [&user(&[]), &child, &users] {
        principals.add(principal(entry).expect("an account"));
    }
    let called = |principals: &Principals| {
        let dns = [user(&[]).dn, child.dn.clone(), users.dn.clone()];
        dns.map(|dn| principals.standing_of(&dn).expect("known").0)
    };
    assert_eq!(called(&principals), [r"CORP\ada", r"CHILD\a", r"BUILTIN\Users"]);
    domains.rename(&mut principals);
    assert_eq!(called(&principals), [r"ACME\ada", r"CHILD\a", r"BUILTIN\Users"]);
}

#[test]
fn who_may_set_the_password_of_a_host_or_of_a_mapped_account_is_told() {
    let password =
        [0x70, 0x95, 0x29, 0, 0x6d, 0x24, 0xd0, 0x11, 0xa7, 0x68, 0, 0xaa, 0, 0x6e, 5, 0x29];
    let mut control = descriptor(password);
    // The mask of the entry: ADS_RIGHT_DS_CONTROL_ACCESS in place of ADS_RIGHT_DS_WRITE_PROP.
    let mask = 36 + 8 + 4;
    assert_eq!(control[mask..mask + 4], [0x20, 0, 0, 0]);
    control[mask..mask + 4].copy_from_slice(&[0, 1, 0, 0]);
    let computer = entry(
        "CN=CA1,CN=Computers,DC=corp,DC=example",
        &[("objectClass", &[b"user", b"computer"]), ("sAMAccountName", &[b"CA1$"])],
    );
    let mapped = user(&[("altSecurityIdentities", &[b"X509:<SKI>00ff"])]);
    for (account, role) in
        [(computer, DirectoryRole::AuthorityHost), (mapped, DirectoryRole::Account)]
    {
        let object = object_of(&with(account, "nTSecurityDescriptor", &[&control]));
        assert_eq!(object.role, role);
        let access = object.access.expect("read");
        let right = Right::WriteProperty("the password".to_owned());
        let grants: Vec<_> = access.of(&right).collect();
        assert_eq!(grants.len(), 1, "{role:?} {access:?}");
        assert_eq!(grants[0].reaches, [Ordinary::User, Ordinary::Computer]);
    }
}

#[test]
fn of_an_unknown_entry_the_certificates_are_reported() {
    let der = made::certificate("a");
    let entry = entry(
        "uid=a,dc=x",
        &[("objectClass", &[b"inetOrgPerson"]), ("userCertificate;binary", &[&der])],
    );
    assert!(!is_known(&entry));
    assert_eq!(found(&entry).objects.len(), 1);
}

#[test]
fn where_nothing_more_is_taken_nothing_is_reported() {
    struct Full;
    impl Report for Full {
        fn is_full(&mut self) -> bool {
            true
        }
        fn object(&mut self, object: Object) {
            panic!("{object:?}");
        }
        fn unparsed_as(&mut self, _: Digest, _: pki_inventory::Kind, _: usize, _: String) {}
        fn not_read(&mut self, _: String) {}
        fn gap(&mut self, _: GapReason, _: String) {}
        fn secret(&mut self) {}
        fn known(&mut self) {}
    }
    let der = made::certificate("a");
    let authority = below("CN=a,CN=Enrollment Services", "pKIEnrollmentService");
    let authority = with(authority, "cACertificate", &[&der]);
    for entry in [template(), authority, below("CN=a,CN=OID", "msPKI-Enterprise-Oid")] {
        read(&entry, &Principals::default(), &[], &mut Full);
    }
}

proptest! {
    #[test]
    fn any_value_of_any_attribute_makes_no_panic(
        attribute in proptest::sample::select(vec![
            "nTSecurityDescriptor", "flags", "pKIExpirationPeriod", "pKIDefaultCSPs", "whenCreated",
            "msPKI-RA-Application-Policies", "msPKI-Enrollment-Servers", "pKIKeyUsage", "objectSid",
            "msPKI-Certificate-Name-Flag", "altSecurityIdentities", "cACertificate",
            "msDS-OIDToGroupLink", "dNSHostName",
        ]),
        value in proptest::collection::vec(any::<u8>(), 0..60),
        text in "\\PC{0,20}",
        rest in proptest::sample::select(vec![
            "CN=a,CN=Certificate Templates", "CN=a,CN=Enrollment Services", "CN=a,CN=OID", "CN=a",
        ]),
    ) {
        for value in [&value[..], text.as_bytes()] {
            let dn = format!("{rest},{SERVICES}");
            for dn in [dn.as_str(), "CN=a,DC=corp", &text] {
                let entry = entry(dn, &[(attribute, &[value]), ("sAMAccountName", &[b"a"])]);
                found(&entry);
                let _ = (principal(&entry), trustees(&entry));
            }
        }
    }
}
