//! A forest with a public key infrastructure of the tests' own making: a template that is safe, one
//! for every condition that a directory can show, and some that only look like it. What the rules
//! have to say of each object stands beside it.

use std::collections::BTreeSet;
use std::path::Path;

use pkimm_tests::certificates::{Authority, EXPIRED, Issued, Key, Order, der_of};
use pkimm_tests::servers::samba::{Domain, Object};

use super::templates::{OID_PREFIX, TEMPLATES, USUAL_ACCESS, access};

/// Where the objects of the PKI are.
pub const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration";
/// The account that the agent has: an ordinary one.
pub const READER: &str = "reader";
/// Its password.
pub const PASSWORD: &str = "Canary-Of-A-Reader-3308";
/// Holders of a certificate that is fine, so that paging is real.
pub const HOLDERS: usize = 1_100;

/// Attribute `altSecurityIdentities` ([MS-ADA1], 2.61).
const MAPPINGS: &str = "00fbf30c-91fe-11d1-aebc-0000f80367c1";

/// What the forest is made of, and what is expected of it.
pub struct Forest {
    /// The objects, in the order in which they can be added.
    pub objects: Vec<Object>,
    /// What is not met: rule and asset.
    pub not_met: BTreeSet<(String, String)>,
    /// What is unknown.
    pub unknown: BTreeSet<(String, String)>,
    /// The certificate of the domain controller.
    pub controller: Issued,
    /// The root it comes from.
    pub root: Authority,
    /// The authority that publishes most of the templates.
    pub issuing: Authority,
    /// A certificate of an account that is in force.
    pub held: Issued,
}

impl Forest {
    /// Makes the certificates in this folder, and the objects around them.
    pub fn new(folder: &Path) -> Self {
        let root = Authority::root(folder, "Lab Root");
        let issuing = root.subordinate("Lab Issuing");
        let controller = root.issue(&Order::server(Domain::HOST));
        let held = issuing.issue(&Order::server("holder.corp.example"));
        let mut forest = Self {
            objects: Vec::new(),
            not_met: BTreeSet::new(),
            unknown: BTreeSet::new(),
            controller,
            root,
            issuing,
            held,
        };
        forest.add_accounts();
        forest.add_policies();
        forest.add_templates();
        forest.add_authorities();
        forest.add_stores(folder);
        forest.add_lists();
        forest.add_certificates_of_accounts();
        forest
    }

    fn expect_not_met(&mut self, asset: &str, rules: &[&str]) {
        self.not_met.extend(rules.iter().map(|rule| ((*rule).to_owned(), asset.to_owned())));
    }

    fn expect_unknown(&mut self, asset: &str, rules: &[&str]) {
        self.unknown.extend(rules.iter().map(|rule| ((*rule).to_owned(), asset.to_owned())));
    }

    fn add_accounts(&mut self) {
        let reader = user(READER).with_password(PASSWORD).with("userAccountControl", "512");
        self.objects.extend([reader, user("operator")]);
        let group = |name: &str, kind: &str, member: &str| {
            let group = Object::new(&format!("CN={name},CN=Users"), &["group"]);
            let group = group.with("sAMAccountName", name).with("groupType", kind);
            match member {
                "" => group,
                member => group.with("member", format!("CN={member},CN=Users,{}", Domain::BASE)),
            }
        };
        let (global, universal) = ("-2147483646", "-2147483640");
        self.objects.extend([
            group("Inner", global, "Domain Users"),
            group("Outer", global, "Inner"),
            group("WebOperators", global, "operator"),
            group("Assured", universal, ""),
        ]);
        // The hosts of the authorities. Everybody may write the access list of the second; that of the
        // third is the one that every computer has at first.
        for (name, more) in [("CA1", Some("")), ("CA2", Some("(A;;WD;;;DU)")), ("CA3", None)] {
            let host = Object::new(&format!("CN={name},CN=Computers"), &["computer"])
                .with("sAMAccountName", format!("{name}$"))
                .with("userAccountControl", "4096")
                .with("dNSHostName", format!("{}.corp.example", name.to_lowercase()));
            self.objects.push(match more {
                Some(more) => host.with_access(&format!("{USUAL_ACCESS}{more}")),
                None => host,
            });
        }
        self.expect_not_met("CN=CA2,CN=Computers", &["adcs.object-takeover"]);
        // Mappings of certificates to accounts.
        let weak = "adcs.account-mapping-weak";
        for (name, mapping, disabled, rules) in [
            ("mapped-by-subject", "X509:<S>CN=somebody", false, &[weak][..]),
            ("mapped-by-issuer", "X509:<I>DC=example,CN=CA<S>CN=somebody", false, &[weak]),
            ("mapped-by-mail", "X509:<RFC822>somebody@corp.example", false, &[weak]),
            ("mapped-by-key-id", "X509:<SKI>00112233445566778899aabbccddeeff00112233", false, &[]),
            ("mapped-by-serial", "X509:<I>CN=CA<SR>0102030405", false, &[]),
            ("mapped-and-gone", "X509:<S>CN=somebody", true, &[]),
        ] {
            let control = if disabled { "514" } else { "512" };
            let account = user(name).with("altSecurityIdentities", mapping);
            self.objects.push(
                account.with("userAccountControl", control).with_password("Unused-Account-9920"),
            );
            self.expect_not_met(&format!("CN={name},CN=Users"), rules);
        }
        let open = user("mapped-by-anybody")
            .with("altSecurityIdentities", "X509:<I>CN=CA<SR>01")
            .with("userAccountControl", "512")
            .with_password("Unused-Account-9920")
            .with_access(&format!("{USUAL_ACCESS}(OA;;WP;{MAPPINGS};;DU)"));
        self.objects.push(open);
        let writable = ["adcs.account-mapping-writable"];
        self.expect_not_met("CN=mapped-by-anybody,CN=Users", &writable);
    }

    fn add_policies(&mut self) {
        let group = format!("CN=Assured,CN=Users,{}", Domain::BASE);
        let policy = |name: &str, oid: &str, more: &str| {
            Object::new(&format!("CN={name},CN=OID,{SERVICES}"), &["msPKI-Enterprise-Oid"])
                .with("displayName", name)
                .with("flags", "2")
                .with("msPKI-Cert-Template-OID", format!("{OID_PREFIX}{oid}"))
                .with_access(&format!("{USUAL_ACCESS}{more}"))
        };
        self.objects.extend([
            policy("Linked", "13.1", "").with("msDS-OIDToGroupLink", group),
            policy("Plain", "13.2", ""),
            policy("Open", "13.3", "(A;;WP;;;DU)"),
        ]);
        let open = format!("CN=Open,CN=OID,{SERVICES}");
        self.expect_not_met(&open, &["adcs.object-takeover"]);
        // A container that everybody may create objects in.
        let container = format!("CN=AIA,{SERVICES}");
        let anybody = format!("{USUAL_ACCESS}(A;;CC;;;DU)");
        self.objects.push(Object::change(&container).with_access(&anybody));
        self.expect_not_met(&container, &["adcs.object-takeover"]);
    }

    fn add_templates(&mut self) {
        for template in TEMPLATES {
            self.objects.push(template.object());
            let asset = format!("CN={},CN=Certificate Templates,{SERVICES}", template.name);
            let full = |short: &&str| format!("adcs.template-{short}");
            let (not_met, unknown): (Vec<String>, Vec<String>) = (
                template.not_met.iter().map(full).collect(),
                template.unknown.iter().map(full).collect(),
            );
            self.not_met.extend(not_met.into_iter().map(|rule| (rule, asset.clone())));
            self.unknown.extend(unknown.into_iter().map(|rule| (rule, asset.clone())));
        }
    }

    fn add_authorities(&mut self) {
        let soon = ("20260101000000Z", "20270601000000Z");
        let second = Order { validity: soon, ..Order::authority("Lab Second") };
        let second = self.root.subordinate_of(&second);
        let closed = self.root.subordinate("Lab Closed");
        let published = TEMPLATES.iter().filter(|template| template.is_published);
        let published: Vec<&str> = published.map(|template| template.name).collect();
        let one = service("Lab Issuing", "ca1", &self.issuing.own, &published, "enrol(AU)");
        // Over the lines that the attribute has: priority, authentication, renewal, URL.
        let url = "1\n2\n0\nhttps://ca1.corp.example/Lab%20Issuing_CES_Kerberos/service.svc/CES\n0";
        let two =
            service("Lab Second", "ca2", &second.own, &["Ordinary"], "enrol(AU) (A;;WP;;;DU)");
        let three = service("Lab Closed", "ca3", &closed.own, &["Closed"], "enrol(DA)");
        self.objects.extend([one.with("msPKI-Enrollment-Servers", url), two, three]);
        for name in ["Lab Issuing", "Lab Second", "Lab Closed"] {
            let rules = [
                "adcs.authority-names-in-requests",
                "adcs.authority-managed-by-ordinary",
                "adcs.web-enrolment-exposed",
                "adcs.authority-requests-unencrypted",
                "adcs.authority-key-reachable",
                "adcs.authority-security-extension-disabled",
            ];
            self.expect_unknown(&format!("CN={name},CN=Enrollment Services,{SERVICES}"), &rules);
        }
        // A directory says that they are ours, and nobody has seen where their keys are.
        for own in [&self.issuing.own, &second.own, &closed.own] {
            let sha256 = pkimm_tests::certificates::sha256(&own.der());
            self.unknown.insert(("ca.key-outside-hardware".to_owned(), sha256));
        }
        let rules = ["adcs.authority-takeover", "adcs.authority-outlived-by-template"];
        self.expect_not_met(&format!("CN=Lab Second,CN=Enrollment Services,{SERVICES}"), &rules);
        for (name, issued) in [("Lab Second", &second.own), ("Lab Closed", &closed.own)] {
            self.objects.push(store(&format!("CN={name},CN=AIA"), &[issued]));
        }
    }

    fn add_stores(&mut self, folder: &Path) {
        let old = Order { validity: EXPIRED, ..Order::authority("Lab Old") };
        let old = self.root.issue(&old);
        let forgotten = Authority::root(folder, "Forgotten Root");
        let stray = Authority::root(folder, "Stray Root");
        let issuing = self.issuing.own.clone();
        let own = self.root.own.clone();
        self.objects.extend([
            store("CN=NTAuthCertificates", &[&issuing, &old]),
            store("CN=Lab Root,CN=Certification Authorities", &[&own]),
            store("CN=Forgotten Root,CN=Certification Authorities", &[&forgotten.own]),
            store("CN=Lab Root,CN=AIA", &[&own]),
            store("CN=Lab Issuing,CN=AIA", &[&issuing]),
            store("CN=Stray Root,CN=AIA", &[&stray.own]),
        ]);
        let logon = format!("CN=NTAuthCertificates,{SERVICES}");
        self.expect_not_met(&logon, &["adcs.logon-store-stale"]);
        self.expect_unknown(&logon, &["adcs.logon-mapping-permissive"]);
        for name in ["CN=Forgotten Root,CN=Certification Authorities", "CN=Stray Root,CN=AIA"] {
            self.expect_not_met(&format!("{name},{SERVICES}"), &["adcs.root-store-unmatched"]);
        }
        let agent = |name: &str, validity| Order {
            validity,
            key: Key::Rsa(2048),
            ..Order::server(&format!("{name}.corp.example"))
        };
        for (name, validity) in [("Agent", pkimm_tests::certificates::VALID), ("Gone", EXPIRED)] {
            let issued = self.issuing.issue(&agent(name, validity));
            let object = Object::new(
                &format!("CN={name},CN=KRA,{SERVICES}"),
                &["msPKI-PrivateKeyRecoveryAgent"],
            );
            let object = object.with_octets("userCertificate", &issued.der());
            self.objects.push(object.with_access(USUAL_ACCESS));
        }
        let gone = format!("CN=Gone,CN=KRA,{SERVICES}");
        self.expect_not_met(&gone, &["adcs.recovery-agent-stale"]);
    }

    fn add_lists(&mut self) {
        let host = Object::new(&format!("CN=ca1,CN=CDP,{SERVICES}"), &["container"]);
        self.objects.push(host.with_access(USUAL_ACCESS));
        let fresh = der_of(&self.issuing.revocation_list());
        let stale = der_of(&self.root.revocation_list_of(EXPIRED));
        for (name, list) in [("Lab Issuing", &fresh), ("Lab Root", &stale)] {
            let point = Object::new(
                &format!("CN={name},CN=ca1,CN=CDP,{SERVICES}"),
                &["cRLDistributionPoint"],
            );
            let point = point.with_octets("certificateRevocationList", list);
            self.objects.push(point.with_access(USUAL_ACCESS));
        }
        let sha256 = pkimm_tests::certificates::sha256(&stale);
        self.expect_not_met(&sha256, &["ca.crl-stale"]);
    }

    fn add_certificates_of_accounts(&mut self) {
        let holders = Object::new("OU=Holders", &["organizationalUnit"]);
        self.objects.push(holders);
        let der = self.held.der();
        for number in 0..HOLDERS {
            let name = format!("holder{number}");
            let account = Object::new(&format!("CN={name},OU=Holders"), &["user"]);
            let account = account.with("sAMAccountName", name);
            self.objects.push(account.with_octets("userCertificate", &der));
        }
        let gone = &["cert.expired-in-directory"][..];
        for (name, until, mapping, rules) in [
            ("long-gone", "20241101000000Z", None, gone),
            ("just-gone", "20260601000000Z", None, &[]),
            ("gone-and-mapped", "20241101000000Z", Some("X509:<I>CN=CA<SR>0102"), gone),
        ] {
            let validity = ("20221101000000Z", until);
            let order = Order { validity, ..Order::server(&format!("{name}.corp.example")) };
            let issued = self.issuing.issue(&order);
            let mut account = user(name).with_octets("userCertificate", &issued.der());
            if let Some(mapping) = mapping {
                account = account.with("altSecurityIdentities", mapping);
            }
            self.objects.push(account.with_access(USUAL_ACCESS));
            self.expect_not_met(&issued.sha256(), rules);
        }
    }
}

fn user(name: &str) -> Object {
    Object::new(&format!("CN={name},CN=Users"), &["user"]).with("sAMAccountName", name)
}

fn store(name: &str, certificates: &[&Issued]) -> Object {
    let mut object = Object::new(&format!("{name},{SERVICES}"), &["certificationAuthority"]);
    for issued in certificates {
        object = object.with_octets("cACertificate", &issued.der());
    }
    for attribute in ["authorityRevocationList", "certificateRevocationList"] {
        // The class demands them; a single octet of zero is what Windows writes.
        object = object.with_octets(attribute, &[0]);
    }
    object.with_access(USUAL_ACCESS)
}

fn service(name: &str, host: &str, own: &Issued, templates: &[&str], rights: &str) -> Object {
    let dn = format!("CN={name},CN=Enrollment Services,{SERVICES}");
    let mut object = Object::new(&dn, &["pKIEnrollmentService"])
        .with("displayName", name)
        .with("dNSHostName", format!("{host}.corp.example"))
        .with("cACertificateDN", format!("CN={name},O=Lab"))
        .with_octets("cACertificate", &own.der())
        .with("flags", "10")
        .with_access(&format!("{USUAL_ACCESS}{}", access(rights)));
    for template in templates {
        object = object.with("certificateTemplates", *template);
    }
    object
}
