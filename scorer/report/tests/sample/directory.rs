//! A small forest in the shared assessment: two authorities, three templates, the store of log-on,
//! an account, an issuance policy and two records.

use pki_inventory::{
    Access, AssetId, Authority, Body, Circumstances, Digest, DirectoryObject, DirectoryRole,
    Disposition, Grant, Issuance, Kind, LinkedGroup, Mapping, MappingForm, Ordinary, Place,
    RevocationList, Right, Standing, Template, Trustee,
};

use super::{HOSTILE, NOW, World, leaf, name};

/// Of the forest.
const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";

/// Of its domain.
const DOMAIN: &str = "S-1-5-21-1004336348-1177238915-682003330";

/// An issuance policy that stands for a group.
const POLICY: &str = "1.3.6.1.4.1.311.21.8.99.1.402";

pub(super) fn add(world: &mut World) {
    let lab = authorities(world);
    templates(world);
    objects(world, lab);
    records(world);
}

/// Where the directory has it.
pub fn place(dn: &str) -> String {
    Place::directory("corp.example", dn).to_string()
}

fn see(world: &mut World, kind: Kind, dn: &str, body: Body) {
    let id = AssetId::named(kind, dn);
    world.add(id, body, &place(dn), "directory", Circumstances::default());
}

fn trustee(sid: &str, name: &str, standing: Standing) -> Trustee {
    let sid = if sid.starts_with('S') { sid.to_owned() } else { format!("{DOMAIN}-{sid}") };
    Trustee { sid, name: Some(name.to_owned()), standing, through: Vec::new(), members: None }
}

fn administrators() -> Trustee {
    trustee("519", "Enterprise Admins", Standing::Privileged)
}

fn privileged(right: Right) -> Grant {
    Grant { right, trustee: administrators(), reaches: Vec::new() }
}

/// What ordinary users have, by a group that all of them are nested in.
fn ordinary(right: Right) -> Grant {
    let mut trustee = trustee("1604", "Web Enrolment", Standing::Ordinary);
    trustee.through = vec!["Web Enrolment".to_owned(), "All Staff".to_owned(), HOSTILE.to_owned()];
    trustee.members = Some(412);
    Grant { right, trustee, reaches: vec![Ordinary::User, Ordinary::Computer] }
}

/// What a group of its own has.
fn particular(right: Right) -> Grant {
    let mut trustee = trustee("1711", "PKI Operators", Standing::Particular);
    trustee.members = Some(3);
    Grant { right, trustee, reaches: Vec::new() }
}

fn access(grants: Vec<Grant>) -> Option<Access> {
    let owner = Some(administrators());
    Some(Access { owner, grants, ..Access::default() })
}

/// Gives the digest of a certificate that ended.
fn authorities(world: &mut World) -> Digest {
    let mut lab = leaf("Lab CA 1");
    lab.issuer = name("Lab CA 1");
    lab.is_ca = Some(true);
    lab.names = Vec::new();
    lab.extended_key_usage = Vec::new();
    lab.not_before = NOW.plus_days(-3_650);
    lab.not_after = NOW.plus_days(-3);
    let dn = format!("CN=NTAuthCertificates,{SERVICES}");
    let lab = world.certificate(lab, &format!("{}#1", place(&dn)), "directory", None).sha256;

    let dn = format!("CN=Example Issuing CA 1,CN=Enrollment Services,{SERVICES}");
    let one = Authority {
        name: "Example Issuing CA 1".to_owned(),
        dn: dn.clone(),
        host: Some("ca1.corp.example".to_owned()),
        subject: Some("CN=Example Issuing CA 1,O=Example,C=XX".to_owned()),
        certificates: vec![Digest::of(b"Example Issuing CA 1")],
        templates: vec!["WebServer2".to_owned(), "VPN".to_owned(), "Gone".to_owned()],
        enrolment_urls: vec!["https://ca1.corp.example/ADPolicyProvider_CEP_Kerberos/".to_owned()],
        flags: Some(10),
        created: Some(NOW.plus_days(-900)),
        changed: Some(NOW.plus_days(-20)),
        access: access(vec![
            ordinary(Right::Enrol),
            privileged(Right::Enrol),
            privileged(Right::FullControl),
        ]),
    };
    see(world, Kind::Authority, &dn, Body::Authority(Box::new(one)));
    let dn = format!("CN=Lab CA 1,CN=Enrollment Services,{SERVICES}");
    let two = Authority {
        name: "Lab CA 1".to_owned(),
        dn: dn.clone(),
        certificates: vec![lab, Digest::of(b"never seen")],
        ..Authority::default()
    };
    see(world, Kind::Authority, &dn, Body::Authority(Box::new(two)));
    lab
}

fn templates(world: &mut World) {
    let template = |name: &str| Template {
        name: name.to_owned(),
        display_name: Some(format!("{name} of Example")),
        dn: format!("CN={name},CN=Certificate Templates,{SERVICES}"),
        oid: Some(format!("1.3.6.1.4.1.311.21.8.99.{}", name.len())),
        schema_version: Some(2),
        revision: Some((100, 4)),
        validity_secs: Some(2 * 365 * 86_400),
        renewal_secs: Some(42 * 86_400),
        extended_key_usage: vec!["1.3.6.1.5.5.7.3.1".to_owned()],
        key_usage: vec![0xa0, 0],
        general_flags: Some(0x0002_0040),
        enrolment_flags: Some(0),
        private_key_flags: Some(0x0505_0000),
        name_flags: Some(0x0800_0000),
        minimal_key_bits: Some(2048),
        providers: vec!["Microsoft Software Key Storage Provider".to_owned()],
        agent_signatures: Some(0),
        created: Some(NOW.plus_days(-800)),
        changed: Some(NOW.plus_days(-90)),
        ..Template::default()
    };
    let open = Template {
        extended_key_usage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.2.3.4"]
            .map(str::to_owned)
            .into(),
        application_policies: vec!["1.3.6.1.5.5.7.3.1".to_owned()],
        private_key_flags: Some(0x0505_0110),
        name_flags: Some(1),
        minimal_key_bits: Some(1024),
        supersedes: vec!["WebServer".to_owned()],
        access: access(vec![
            ordinary(Right::Enrol),
            particular(Right::AutoEnrol),
            ordinary(Right::WriteProperty("msPKI-Certificate-Name-Flag".to_owned())),
            particular(Right::WriteDacl),
            privileged(Right::Enrol),
            privileged(Right::FullControl),
        ]),
        ..template("WebServer2")
    };
    let guarded = Template {
        extended_key_usage: vec!["1.3.6.1.5.5.7.3.2".to_owned()],
        enrolment_flags: Some(0x0008_002a),
        agent_signatures: Some(1),
        agent_policies: vec!["1.3.6.1.4.1.311.20.2.1".to_owned()],
        algorithms: vec![("msPKI-Asymmetric-Algorithm".to_owned(), "RSA".to_owned())],
        issuance_policies: vec![POLICY.to_owned()],
        schema_version: Some(4),
        access: Some(Access {
            owner: Some(administrators()),
            grants: vec![particular(Right::Enrol), privileged(Right::FullControl)],
            denied: vec![trustee("S-1-5-7", "Anonymous Logon", Standing::Ordinary)],
            unresolved: Some("the members of S-1-5-21-7-8-9-1199 were not read".to_owned()),
            not_evaluated: Some("an entry that denies has a condition".to_owned()),
        }),
        ..template("VPN")
    };
    let old = Template { schema_version: None, access: None, ..template("WebServer") };
    for template in [open, guarded, old] {
        let dn = template.dn.clone();
        see(world, Kind::Template, &dn, Body::Template(Box::new(template)));
    }
}

fn objects(world: &mut World, lab: Digest) {
    let issuing = Digest::of(b"Example Issuing CA 1");
    let dn = format!("CN=NTAuthCertificates,{SERVICES}");
    let mut store = DirectoryObject::of(DirectoryRole::LogonStore, "NTAuthCertificates", &dn);
    store.certificates = vec![issuing, lab];
    store.changed = Some(NOW.plus_days(-400));
    store.access = access(vec![particular(Right::WriteProperties), privileged(Right::Own)]);

    let list = RevocationList {
        der: b"list of the lab".to_vec(),
        issuer: name("Lab CA 1"),
        this_update: NOW.plus_days(-40),
        next_update: Some(NOW.plus_days(-33)),
        is_delta: false,
        authority_key_id: None,
        entries: 0,
        signature: leaf("x").signature,
    };
    let point = format!("CN=Lab CA 1,CN=lab,CN=CDP,{SERVICES}");
    let id = AssetId::new(Kind::RevocationList, Digest::of(&list.der));
    let body = Body::RevocationList(Box::new(list));
    let at = format!("{}#1", place(&point));
    world.add(id, body, &at, "directory", Circumstances::default());
    let mut lists = DirectoryObject::of(DirectoryRole::DistributionPoint, "Lab CA 1", &point);
    lists.lists = vec![id.sha256];

    let dn = format!("CN=402,CN=OID,{SERVICES}");
    let mut policy = DirectoryObject::of(DirectoryRole::ObjectIdentifier, "High assurance", &dn);
    policy.oid = Some(POLICY.to_owned());
    policy.group = Some(LinkedGroup {
        dn: "CN=VPN Admins,CN=Users,DC=corp,DC=example".to_owned(),
        name: Some("VPN Admins".to_owned()),
        privileged: Some(false),
    });

    let dn = "CN=jdoe,CN=Users,DC=corp,DC=example";
    let mut account = DirectoryObject::of(DirectoryRole::Account, "jdoe", dn);
    let mapping = |form, text: &str| Mapping { form, text: text.to_owned() };
    account.mappings = vec![
        mapping(MappingForm::IssuerAndSerial, "X509:<I>DC=example,CN=Example Issuing CA 1<SR>3a0f"),
        mapping(MappingForm::Mail, &format!("X509:<RFC822>{HOSTILE}")),
    ];
    account.enabled = Some(true);
    account.administers = Some(true);
    for object in [store, lists, policy, account] {
        let dn = object.dn.clone();
        see(world, Kind::DirectoryObject, &dn, Body::DirectoryObject(Box::new(object)));
    }
}

fn records(world: &mut World) {
    let issued = Issuance {
        authority: Some("Example Issuing CA 1".to_owned()),
        request: Some(4711),
        disposition: Disposition::Revoked,
        serial: Some("f3a".to_owned()),
        requester: Some("CORP\\svc-web".to_owned()),
        template: Some("WebServer2".to_owned()),
        common_name: Some("www.example.org".to_owned()),
        not_before: Some(NOW.plus_days(-50)),
        not_after: Some(NOW.plus_days(120)),
        revoked: Some(NOW.plus_days(-1)),
        revocation_reason: Some("superseded".to_owned()),
        certificate: Some(Digest::of(b"www.example.org")),
    };
    let waiting = Issuance {
        request: Some(4712),
        disposition: Disposition::Other(HOSTILE.to_owned()),
        serial: None,
        template: Some("1.3.6.1.4.1.311.21.8.99.3".to_owned()),
        not_before: None,
        not_after: None,
        revoked: None,
        revocation_reason: None,
        certificate: None,
        ..issued.clone()
    };
    for (row, record) in [(1, issued), (2, waiting)] {
        let id = AssetId::new(Kind::Issuance, record.digest());
        let body = Body::Issuance(Box::new(record));
        let place = format!("file:///srv/ca/issued.csv#{row}");
        world.add(id, body, &place, "directory", Circumstances::default());
    }
}
