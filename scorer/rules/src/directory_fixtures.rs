//! A small forest for the tests of rules about directories, written by hand.

use pki_inventory::{
    Access, AssetId, Authority, Body, Certificate, Circumstances, Digest, DirectoryObject,
    DirectoryRole, Grant, Issuance, KeyAlgorithm, Kind, Ordinary, RevocationList, Right,
    SignatureAlgorithm, Standing, Template, Trustee, enrolment_flag,
};

use crate::Rule;
use crate::fixtures::{NOW, World, authority, check, leaf, limits, name};

const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";
const PLACE: &str = "ldap://corp.example/CN=x,DC=corp,DC=example";
/// The usage that logs on.
pub(crate) const CLIENT: &str = "1.3.6.1.5.5.7.3.2";

/// A template that every user may enrol by, with the names of the directory, for clients.
pub(crate) fn template(name: &str) -> Template {
    Template {
        name: name.to_owned(),
        dn: format!("CN={name},CN=Certificate Templates,{SERVICES}"),
        schema_version: Some(4),
        validity_secs: Some(365 * 86_400),
        extended_key_usage: vec![CLIENT.to_owned()],
        application_policies: vec![CLIENT.to_owned()],
        key_usage: vec![0xa0],
        general_flags: Some(0),
        enrolment_flags: Some(0),
        private_key_flags: Some(0),
        name_flags: Some(0),
        minimal_key_bits: Some(2048),
        providers: vec!["Microsoft Software Key Storage Provider".to_owned()],
        access: Some(access(&[may(Right::Enrol, users())])),
        ..Template::default()
    }
}

/// The same for this usage and no other.
pub(crate) fn used_for(usage: &str, template: Template) -> Template {
    let usages = || vec![usage.to_owned()];
    Template { application_policies: usages(), extended_key_usage: usages(), ..template }
}

/// The same with a manager's approval.
pub(crate) fn approved(template: Template) -> Template {
    let flags = template.enrolment_flags.map(|flags| flags | enrolment_flag::PEND_ALL_REQUESTS);
    Template { enrolment_flags: flags, ..template }
}

/// The same for these to enrol by.
pub(crate) fn enrolled_by(who: Trustee, template: Template) -> Template {
    Template { access: Some(access(&[may(Right::Enrol, who)])), ..template }
}

/// An authority that publishes these templates and lets every user ask.
pub(crate) fn issuing(templates: &[&str]) -> Authority {
    Authority {
        name: "Corp CA".to_owned(),
        dn: format!("CN=Corp CA,CN=Enrollment Services,{SERVICES}"),
        host: Some("ca1.corp.example".to_owned()),
        templates: templates.iter().map(|name| (*name).to_owned()).collect(),
        access: Some(access(&[may(Right::Enrol, users())])),
        ..Authority::default()
    }
}

/// An object with this part to play, which administrators may write.
pub(crate) fn object(role: DirectoryRole) -> DirectoryObject {
    let dn = format!("CN={},{SERVICES}", role.name());
    let access = Some(access(&[may(Right::FullControl, admins())]));
    DirectoryObject { access, ..DirectoryObject::of(role, role.name(), &dn) }
}

/// One of the containers of the PKI, by its common name.
pub(crate) fn container(name: &str) -> DirectoryObject {
    let dn = format!("CN={name},{SERVICES}");
    DirectoryObject { dn, name: name.to_owned(), ..object(DirectoryRole::Container) }
}

/// The same with these certificates.
pub(crate) fn holding(role: DirectoryRole, certificates: &[&Certificate]) -> DirectoryObject {
    let certificates = certificates.iter().map(|certificate| certificate.digest()).collect();
    DirectoryObject { certificates, ..object(role) }
}

/// A list that ends after so many days.
pub(crate) fn list(issuer: &str, ends_in: Option<i64>) -> RevocationList {
    let days = ends_in.unwrap_or_default();
    RevocationList {
        der: format!("{issuer} {days}").into_bytes(),
        issuer: name(issuer),
        this_update: NOW.plus_days(days - 7),
        next_update: ends_in.map(|days| NOW.plus_days(days)),
        entries: 0,
        is_delta: false,
        authority_key_id: Some("aa".to_owned()),
        signature: SignatureAlgorithm {
            name: "sha256WithRSAEncryption".to_owned(),
            hash: Some("SHA-256".to_owned()),
        },
    }
}

/// These rights and no others.
pub(crate) fn access(grants: &[Grant]) -> Access {
    Access { grants: grants.to_vec(), ..Access::default() }
}

/// Who may do what; ordinary trustees are users.
pub(crate) fn may(right: Right, trustee: Trustee) -> Grant {
    let ordinary = trustee.standing == Standing::Ordinary;
    let reaches = ordinary.then_some(Ordinary::User).into_iter().collect();
    Grant { right, trustee, reaches }
}

/// Every user of the domain.
pub(crate) fn users() -> Trustee {
    trustee("Domain Users", 513, Standing::Ordinary)
}

/// The administrators of the domain.
pub(crate) fn admins() -> Trustee {
    trustee("Domain Admins", 512, Standing::Privileged)
}

/// A group of which nothing is known but its name.
pub(crate) fn team() -> Trustee {
    trustee("Web Team", 1104, Standing::Particular)
}

fn trustee(name: &str, rid: u32, standing: Standing) -> Trustee {
    Trustee {
        sid: format!("S-1-5-21-1-2-3-{rid}"),
        name: Some(format!("CORP\\{name}")),
        standing,
        through: Vec::new(),
        members: None,
    }
}

/// Asserts what a rule comes to over these templates, each of them published alone.
pub(crate) fn published(
    rule: &'static Rule,
    cases: impl IntoIterator<Item = (Template, &'static str)>,
) {
    for (number, (template, expected)) in cases.into_iter().enumerate() {
        judged(rule, &format!("case {number}"), &World::default().published(template), expected);
    }
}

/// Asserts what a rule about published templates comes to over one that nobody publishes, and where
/// no authority was read that could.
pub(crate) fn unpublished(
    rule: &'static Rule,
    template: &Template,
    by_nobody: &'static str,
    not_read: &'static str,
) {
    let world = World::default().unpublished(template.clone());
    judged(rule, "published by nobody", &world, by_nobody);
    let world = World::default().template(template.clone());
    judged(rule, "no authority read", &world, not_read);
}

/// Asserts what a rule about one flag for private keys comes to: where it is not set, alone or
/// beside all others, where it is set, and where the flags were not read.
pub(crate) fn key_flag(rule: &'static Rule, bit: u32, [unset, set, not_read]: [&'static str; 3]) {
    let with = |private_key_flags| Template { private_key_flags, ..template("T") };
    published(rule, [(with(Some(0)), unset), (with(Some(!bit)), unset)]);
    published(rule, [(with(Some(bit)), set), (with(None), not_read)]);
}

/// Asserts what a rule about a way of attack comes to over a template that has its condition, in a
/// world with what else it needs: open to users, with a manager's approval, open to a group of
/// which nothing is known, and published by nobody.
pub(crate) fn ways(
    rule: &'static Rule,
    world: impl Fn() -> World,
    armed: &Template,
    [open, with_approval, for_a_group, by_nobody]: [&'static str; 4],
) {
    let armed = || armed.clone();
    judged(rule, "open to users", &world().published(armed()), open);
    let shut = world().published(approved(armed()));
    judged(rule, "with approval", &shut, with_approval);
    let particular = world().published(enrolled_by(team(), armed()));
    judged(rule, "open to a group", &particular, for_a_group);
    judged(rule, "published by nobody", &world().unpublished(armed()), by_nobody);
}

/// Asserts what a rule comes to whose answer lies on the host of an authority, and that it names
/// it.
pub(crate) fn answered_on_the_host(rule: &'static Rule, expected: &'static str) {
    let world = World::default().issued_by(issuing(&["T"]));
    check(rule, &world, &limits(), expected);
    let found = world.sentences(rule, &limits());
    assert!(found[0].contains("ca1.corp.example"), "{}: {found:?}", rule.id);
}

/// Asserts that a rule looks for stale ones among the certificates that objects with this part have
/// in this attribute.
pub(crate) fn finds_stale(rule: &'static Rule, role: DirectoryRole, attribute: &str) {
    let over = |what: &str, certificate: Certificate, expected| {
        let object = holding(role, &[&certificate]);
        let world = World::default().object(object).listed(certificate, attribute);
        judged(rule, what, &world, expected);
    };
    let signed_with_sha_1 = |mut certificate: Certificate| {
        certificate.signature.hash = Some("SHA-1".to_owned());
        certificate
    };
    over("valid and strong", leaf("one"), "met");
    over("a root's own signature", signed_with_sha_1(authority("root")), "met");
    over("expired", Certificate { not_after: NOW.plus_days(-1), ..leaf("one") }, "not-met");
    over("a weak key", Certificate { key: KeyAlgorithm::rsa(1024), ..leaf("one") }, "not-met");
    over("a weak signature", signed_with_sha_1(leaf("one")), "not-met");
    let gone = World::default().object(holding(role, &[&leaf("gone")]));
    judged(rule, "not in the inventory", &gone, "unknown");
    judged(rule, "none", &World::default().object(object(role)), "not-applicable");
}

/// Asserts the one outcome of a rule, and says in which case it is another.
fn judged(rule: &'static Rule, case: &str, world: &World, expected: &'static str) {
    let found = world.outcomes(rule, &limits());
    assert_eq!(found, [(expected, 1)].into(), "{}: {case}", rule.id);
}

impl World {
    /// A template.
    pub(crate) fn template(mut self, template: Template) -> Self {
        let id = AssetId::named(Kind::Template, &template.dn);
        self.place(id, Body::Template(Box::new(template)));
        self
    }

    /// A template, and an authority that publishes it.
    pub(crate) fn published(self, template: Template) -> Self {
        let authority = issuing(&[&template.name]);
        self.template(template).issued_by(authority)
    }

    /// A template, and an authority that publishes another one.
    pub(crate) fn unpublished(self, template: Template) -> Self {
        self.template(template).issued_by(issuing(&["Another"]))
    }

    /// An authority.
    pub(crate) fn issued_by(mut self, authority: Authority) -> Self {
        let id = AssetId::named(Kind::Authority, &authority.dn);
        self.place(id, Body::Authority(Box::new(authority)));
        self
    }

    /// Another object.
    pub(crate) fn object(mut self, object: DirectoryObject) -> Self {
        let id = AssetId::named(Kind::DirectoryObject, &object.dn);
        self.place(id, Body::DirectoryObject(Box::new(object)));
        self
    }

    /// A certificate in this attribute of some entry.
    pub(crate) fn listed(self, certificate: Certificate, attribute: &str) -> Self {
        let label = Some(attribute.to_owned());
        let circumstances = Circumstances { label, ..Circumstances::default() };
        self.certificate(certificate, PLACE, "directory", circumstances)
    }

    /// A revocation list that this collector saw.
    pub(crate) fn revoking(self, list: RevocationList, collector: &str) -> Self {
        self.revoking_at(list, PLACE, collector)
    }

    /// The same at this place.
    pub(crate) fn revoking_at(mut self, list: RevocationList, place: &str, by: &str) -> Self {
        let id = AssetId::new(Kind::RevocationList, Digest::of(&list.der));
        let body = Body::RevocationList(Box::new(list));
        self.add(id, body, place, by, Circumstances::default());
        self
    }

    /// A row of an authority's records.
    pub(crate) fn recorded(mut self, row: Issuance) -> Self {
        let id = AssetId::new(Kind::Issuance, row.digest());
        self.place(id, Body::Issuance(Box::new(row)));
        self
    }

    fn place(&mut self, id: AssetId, body: Body) {
        self.add(id, body, PLACE, "directory", Circumstances::default());
    }
}
