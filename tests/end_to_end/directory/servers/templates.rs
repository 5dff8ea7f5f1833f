//! The templates of the tests' forest, each with what is expected of it.

use pkimm_tests::servers::samba::Object;

use super::forest::SERVICES;

/// A template, and the rules that it does not meet, without `adcs.template-`.
#[derive(Clone, Copy)]
pub struct Template {
    /// `cn`.
    pub name: &'static str,
    /// Whether the first authority publishes it.
    pub is_published: bool,
    /// Rules that are not met.
    pub not_met: &'static [&'static str],
    /// Rules whose outcome is unknown.
    pub unknown: &'static [&'static str],
    schema: u32,
    names: u32,
    enrolment: u32,
    keys: u32,
    general: u32,
    usages: &'static [&'static str],
    bits: u32,
    algorithm: &'static str,
    provider: &'static str,
    years: i64,
    agents: u32,
    policies: &'static [&'static str],
    supersedes: Option<&'static str>,
    base: &'static str,
    rights: &'static str,
}

/// Before the number of an object identifier of this forest.
pub const OID_PREFIX: &str = "1.3.6.1.4.1.311.21.8.1.2.3.";
/// Owner and entries of an object that administrators change and everybody may read.
pub const USUAL_ACCESS: &str = "O:EAG:EAD:PAI(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)\
    (A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;EA)(A;;RPLCLORC;;;AU)";
/// The same, without the right of administrators to enrol.
const NOBODY_ENROLS: &str = "O:EAG:EAD:PAI(A;;RPWPCCDCLCLORCWOWDSDDTSW;;;DA)\
    (A;;RPWPCCDCLCLORCWOWDSDDTSW;;;EA)(A;;RPLCLORC;;;AU)";
/// The same as usual, but who reads the object may not read the list.
const VEILED: &str = "O:EAG:EAD:PAI(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)\
    (A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;EA)(A;;RPLCLO;;;AU)";
/// Owned by an ordinary group.
const OWNED_BY_USERS: &str = "O:DUG:EAD:PAI(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)\
    (A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;EA)(A;;RPLCLORC;;;AU)";

const LOG_ON: &str = "1.3.6.1.5.5.7.3.2";
const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const MAIL: &str = "1.3.6.1.5.5.7.3.4";
const SMART_CARD: &str = "1.3.6.1.4.1.311.20.2.2";
const PKINIT: &str = "1.3.6.1.5.2.3.4";
const ANY: &str = "2.5.29.37.0";
const AGENT: &str = "1.3.6.1.4.1.311.20.2.1";

// [MS-CRTD], 2.26 to 2.28. The names come from the directory: path, mail and UPN. The bit of the
// path is the sign of the number in the attribute.
const FROM_DIRECTORY: u32 = 0xa200_0000;
const SUPPLIED: u32 = 0x1;
const SUPPLIED_ALTERNATIVE: u32 = 0x1_0000;
const AUTO: u32 = 0x20;
const PENDING: u32 = 0x2;
const NO_REVOCATION: u32 = 0x4000;
const NO_SECURITY_EXTENSION: u32 = 0x8_0000;
const ATTESTED: u32 = 0x1000;
const SAME_KEY: u32 = 0x80;
const EXPORTABLE: u32 = 0x10;
const LEGACY: u32 = 0x100;

/// Anybody may have it, and nothing is wrong with it.
const USUAL: Template = Template {
    name: "",
    is_published: true,
    not_met: &[],
    unknown: &[],
    schema: 4,
    names: FROM_DIRECTORY,
    enrolment: AUTO,
    keys: ATTESTED,
    general: 0x2_0000,
    usages: &[LOG_ON],
    bits: 2048,
    algorithm: "RSA",
    provider: "Microsoft Software Key Storage Provider",
    years: 1,
    agents: 0,
    policies: &[],
    supersedes: None,
    base: USUAL_ACCESS,
    rights: "enrol(DU) auto(DU)",
};

/// With a subject that whoever asks supplies.
const OPEN: Template = Template { names: SUPPLIED, ..USUAL };

const LOGON: &[&str] = &["name-supplied-for-logon"];
const TAKEOVER: &[&str] = &["takeover"];

/// All of them.
pub const TEMPLATES: &[Template] = &[
    Template { name: "Ordinary", ..USUAL },
    Template { name: "Approved", enrolment: AUTO | PENDING, ..OPEN },
    Template { name: "Signed", agents: 1, ..OPEN },
    Template { name: "Administrators", rights: "enrol(DA) auto(DA)", ..OPEN },
    Template {
        name: "Machines",
        general: 0x2_0040,
        names: 0x1800_0000,
        usages: &[LOG_ON, SERVER],
        provider: "Microsoft Platform Crypto Provider",
        rights: "enrol(DC) auto(DC)",
        ..USUAL
    },
    // ESC1, and what arms or defuses it.
    Template { name: "Esc1", not_met: LOGON, ..OPEN },
    Template { name: "Esc1Alternative", names: SUPPLIED_ALTERNATIVE, not_met: LOGON, ..USUAL },
    Template { name: "Esc1SmartCard", usages: &[MAIL, SMART_CARD], not_met: LOGON, ..OPEN },
    Template { name: "Esc1Pkinit", usages: &[PKINIT], not_met: LOGON, ..OPEN },
    Template { name: "Esc1Computers", rights: "enrol(DC) auto(DC)", not_met: LOGON, ..OPEN },
    Template { name: "Esc1Everyone", rights: "enrol(WD) auto(WD)", not_met: LOGON, ..OPEN },
    Template { name: "Esc1AllRights", rights: "(A;;CR;;;AU)", not_met: LOGON, ..OPEN },
    Template { name: "Esc1Nested", rights: "enrol([Outer]) auto(DU)", not_met: LOGON, ..OPEN },
    Template {
        name: "Esc1Particular",
        rights: "enrol([WebOperators]) auto(DU)",
        unknown: LOGON,
        ..OPEN
    },
    Template { name: "Closed", is_published: false, unknown: LOGON, ..OPEN },
    Template { name: "Denied", rights: "deny(DU) enrol(DU) auto(DU)", ..OPEN },
    Template {
        name: "DeniedNested",
        rights: "deny([Outer]) deny(DC) deny(DG) enrol(AU) auto(DU)",
        ..OPEN
    },
    Template { name: "InheritOnly", rights: "below(DU) auto(DU)", ..OPEN },
    Template { name: "Unpublished", is_published: false, ..OPEN },
    Template { name: "Mail", usages: &[MAIL], ..OPEN },
    // ESC2 and 3.
    Template { name: "Esc2None", usages: &[], not_met: &["any-purpose"], ..USUAL },
    Template { name: "Esc2Any", usages: &[ANY], not_met: &["any-purpose"], ..USUAL },
    Template { name: "Esc3", usages: &[AGENT], not_met: &["enrolment-agent"], ..USUAL },
    Template { name: "Esc3Target", schema: 2, agents: 1, ..USUAL },
    // ESC4.
    Template { name: "Esc4List", rights: "(A;;WD;;;DU) auto(DU)", not_met: TAKEOVER, ..USUAL },
    Template { name: "Esc4All", rights: "(A;;GA;;;AU)", not_met: TAKEOVER, ..USUAL },
    Template { name: "Esc4Write", rights: "(A;;WP;;;DC) auto(DU)", not_met: TAKEOVER, ..USUAL },
    Template { name: "Esc4Owner", base: OWNED_BY_USERS, not_met: TAKEOVER, ..USUAL },
    Template {
        name: "Esc4Nested",
        rights: "(A;;WO;;;[Outer]) auto(DU)",
        not_met: TAKEOVER,
        ..USUAL
    },
    Template {
        name: "Esc4Unpublished",
        is_published: false,
        rights: "(A;;WD;;;DU)",
        not_met: TAKEOVER,
        ..USUAL
    },
    Template { name: "Esc4Denied", rights: "(D;;WD;;;DU) (A;;WD;;;DU) auto(DU)", ..USUAL },
    // The name that people are shown (`displayName`) decides over nothing.
    Template {
        name: "Esc4DisplayName",
        rights: "(OA;;WP;bf967953-0de6-11d0-a285-00aa003049e2;;DU) enrol(DU) auto(DU)",
        ..USUAL
    },
    // ESC9, 13, 15 and 17.
    Template {
        name: "Esc9",
        enrolment: AUTO | NO_SECURITY_EXTENSION,
        not_met: &["security-extension-absent"],
        ..USUAL
    },
    Template { name: "Esc13", policies: &["13.1"], not_met: &["policy-gives-group"], ..USUAL },
    Template { name: "Esc13Plain", policies: &["13.2"], ..USUAL },
    Template {
        name: "Esc15",
        schema: 1,
        usages: &[MAIL],
        not_met: &["application-policies-open", "schema-outdated"],
        ..OPEN
    },
    Template { name: "Esc17", usages: &[SERVER], not_met: &["name-supplied-for-server"], ..OPEN },
    // What nobody else looks at.
    Template { name: "Replaced", not_met: &["superseded-published"], ..USUAL },
    Template { name: "Replacing", supersedes: Some("Replaced"), ..USUAL },
    Template {
        name: "Exportable",
        keys: ATTESTED | EXPORTABLE,
        not_met: &["key-exportable"],
        ..USUAL
    },
    Template { name: "Short", bits: 1024, not_met: &["key-weak"], ..USUAL },
    Template { name: "Curve", bits: 256, algorithm: "ECDSA_P256", ..USUAL },
    Template { name: "First", schema: 1, not_met: &["schema-outdated"], ..USUAL },
    Template {
        name: "Nobody",
        base: NOBODY_ENROLS,
        rights: "",
        not_met: &["published-for-nobody", "auto-enrolment-absent"],
        ..USUAL
    },
    Template {
        name: "OldProvider",
        schema: 2,
        provider: "Microsoft Enhanced Cryptographic Provider v1.0",
        not_met: &["provider-legacy"],
        ..USUAL
    },
    Template {
        name: "OldInterface",
        keys: ATTESTED | LEGACY,
        not_met: &["provider-legacy"],
        ..USUAL
    },
    Template { name: "Unattested", keys: 0, not_met: &["attestation-absent"], ..USUAL },
    Template { name: "ByHand", enrolment: 0, not_met: &["auto-enrolment-absent"], ..USUAL },
    Template {
        name: "SameKey",
        keys: ATTESTED | SAME_KEY,
        not_met: &["key-kept-on-renewal"],
        ..USUAL
    },
    Template {
        name: "Unrevocable",
        enrolment: AUTO | NO_REVOCATION,
        not_met: &["revocation-information-absent"],
        ..USUAL
    },
    Template {
        name: "Veiled",
        base: VEILED,
        unknown: &[
            "name-supplied-for-logon",
            "takeover",
            "published-for-nobody",
            "auto-enrolment-absent",
        ],
        ..OPEN
    },
];

impl Template {
    /// The object in the directory.
    pub fn object(&self) -> Object {
        let dn = format!("CN={},CN=Certificate Templates,{SERVICES}", self.name);
        let number = TEMPLATES.iter().position(|template| template.name == self.name).unwrap();
        let access = format!("{}{}", self.base, access(self.rights));
        let mut object = Object::new(&dn, &["pKICertificateTemplate"])
            .with("displayName", self.name)
            .with("flags", self.general.to_string())
            .with("revision", "100")
            .with("msPKI-Template-Minor-Revision", "3")
            .with("msPKI-Template-Schema-Version", self.schema.to_string())
            .with("msPKI-Cert-Template-OID", format!("{OID_PREFIX}1.{number}"))
            .with("msPKI-Certificate-Name-Flag", signed(self.names))
            .with("msPKI-Enrollment-Flag", signed(self.enrolment))
            .with("msPKI-Private-Key-Flag", signed(self.keys))
            .with("msPKI-Minimal-Key-Size", self.bits.to_string())
            .with("msPKI-RA-Signature", self.agents.to_string())
            .with("pKIDefaultKeySpec", "1")
            .with("pKIMaxIssuingDepth", "0")
            .with("pKIDefaultCSPs", format!("1,{}", self.provider))
            .with("pKICriticalExtensions", "2.5.29.15")
            .with_octets("pKIKeyUsage", &[0xa0, 0])
            .with_octets("pKIExpirationPeriod", &period(self.years * 365))
            .with_octets("pKIOverlapPeriod", &period(6 * 7))
            .with_access(&access);
        for usage in self.usages {
            object = object.with("pKIExtendedKeyUsage", *usage);
            // Templates of the first version have no such attribute.
            if self.schema > 1 {
                object = object.with("msPKI-Certificate-Application-Policy", *usage);
            }
        }
        for policy in self.policies {
            object = object.with("msPKI-Certificate-Policy", format!("{OID_PREFIX}{policy}"));
        }
        if let Some(other) = self.supersedes {
            object = object.with("msPKI-Supersede-Templates", other);
        }
        // From version 3 on the attribute is a list of properties, with what agents need in it.
        let agents = if self.agents > 0 { AGENT } else { "" };
        match (self.schema, agents) {
            (3.., _) => object.with("msPKI-RA-Application-Policies", self.properties(agents)),
            (_, "") => object,
            _ => object.with("msPKI-RA-Application-Policies", agents),
        }
    }

    /// [MS-CRTD], 2.23.1.
    fn properties(&self, agents: &str) -> String {
        let mut properties = vec![("msPKI-Asymmetric-Algorithm", "PZPWSTR", self.algorithm)];
        properties.push(("msPKI-Hash-Algorithm", "PZPWSTR", "SHA256"));
        properties.push(("msPKI-Key-Usage", "DWORD", "2"));
        if !agents.is_empty() {
            properties.push(("msPKI-RA-Application-Policies", "PZPWSTR", agents));
        }
        properties.iter().map(|(name, kind, value)| format!("{name}`{kind}`{value}`")).collect()
    }
}

/// Entries of an access list, in words: `enrol(DU)`, `auto(DU)`, `deny(DU)` of enrolment, `below(DU)`
/// of enrolment for objects below only, or as SDDL writes them.
pub fn access(rights: &str) -> String {
    const ENROL: &str = "0e10c968-78fb-11d2-90d4-00c04f79dc55";
    const AUTO_ENROL: &str = "a05b8cc2-17bc-4802-a710-e7c15ab866a2";
    let entry = |right: &str| {
        let (word, who) = right.split_once('(').unwrap();
        let who = who.trim_end_matches(')');
        match word {
            "enrol" => format!("(OA;;CR;{ENROL};;{who})"),
            "auto" => format!("(OA;;CR;{AUTO_ENROL};;{who})"),
            "deny" => format!("(OD;;CR;{ENROL};;{who})"),
            "below" => format!("(OA;CIIO;CR;{ENROL};;{who})"),
            _ => right.to_owned(),
        }
    };
    rights.split_whitespace().map(entry).collect()
}

/// Flags are 32-bit numbers with a sign there.
fn signed(flags: u32) -> String {
    flags.cast_signed().to_string()
}

/// [MS-CRTD], 2.18: a negative count of 100 nanoseconds, the lowest octet first.
fn period(days: i64) -> [u8; 8] {
    (-days * 24 * 3600 * 10_000_000).to_le_bytes()
}
