//! Signs of how a certificate is renewed: by itself or by hand.
//!
//! A sign is a fact with a direction, not a judgement. What only a history shows (lead times, the
//! hours of issuance) and what only a directory shows (enrolment flags) is not here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::disk::file_paths;
use crate::starting::{is_backup, is_in_backup};
use crate::{AlternativeName, Asset, Automation, Body, Certificate, Start, Time, View};

/// One fact that tells how a certificate is renewed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sign {
    /// The fact, as a sentence without its full stop.
    pub what: String,
    /// What it speaks for.
    pub direction: Direction,
    /// How much it counts.
    pub strength: Strength,
}

/// What a sign speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Renewal without a person.
    Automatic,
    /// Renewal by hand, or none that works by itself.
    Manual,
}

/// How much a sign counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Says little alone.
    Weak,
    /// Two of these are enough.
    Medium,
    /// One of these is enough, unless one speaks against it.
    Strong,
}

/// How a certificate is renewed, as far as the signs tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Renewal {
    /// By itself.
    Automated,
    /// By hand.
    Manual,
    /// Not to be told. That is unknown, and not manual.
    Undetermined,
}

/// What the [`signs`] of a certificate come to.
#[must_use]
pub fn renewal(asset: &Asset, certificate: &Certificate, view: &View<'_>) -> Renewal {
    renewal_by(&signs(asset, certificate, view))
}

/// What these signs come to: a direction with one strong sign or two medium ones, and no strong one
/// the other way. If that holds for both directions, for neither.
#[must_use]
pub fn renewal_by(signs: &[Sign]) -> Renewal {
    let count = |direction, strength| {
        let same = |sign: &&Sign| (sign.direction, sign.strength) == (direction, strength);
        signs.iter().filter(same).count()
    };
    let holds = |direction, other| {
        let enough =
            count(direction, Strength::Strong) > 0 || count(direction, Strength::Medium) > 1;
        enough && count(other, Strength::Strong) == 0
    };
    let automatic = holds(Direction::Automatic, Direction::Manual);
    let manual = holds(Direction::Manual, Direction::Automatic);
    match (automatic, manual) {
        (true, false) => Renewal::Automated,
        (false, true) => Renewal::Manual,
        _ => Renewal::Undetermined,
    }
}

/// All signs of a certificate, the strongest first, of equal ones those of automation first; none
/// for the certificate of an authority, whose renewal is another matter.
#[must_use]
pub fn signs(asset: &Asset, certificate: &Certificate, view: &View<'_>) -> Vec<Sign> {
    let mut signs = Signs(Vec::new());
    if !certificate.is_authority() {
        signs.of_issuer(certificate, view);
        signs.of_names(certificate);
        signs.of_validity(certificate);
        signs.of_form(certificate);
        signs.of_automation(asset, certificate, view);
        signs.of_places(asset, certificate);
        signs.of_lineage(asset, certificate, view);
    }
    let Signs(mut signs) = signs;
    signs.sort_by_key(|sign| (Reverse(sign.strength), sign.direction, sign.what.clone()));
    signs
}

/// Organisations that issue by ACME as well as by hand.
const EITHER_WAY: &[&str] = &[
    "Actalis S.p.A.",
    "Buypass AS-983163327",
    "DigiCert Inc",
    "DigiCert, Inc.",
    "GlobalSign nv-sa",
    "Google Trust Services",
    "Google Trust Services LLC",
    "SSL Corp",
    "SSL Corporation",
    "Sectigo Limited",
    "ZeroSSL",
];

/// Names under these are the platform's own, and so are their certificates.
const PLATFORMS: &[&str] = &[
    ".amazonaws.com",
    ".azurewebsites.net",
    ".cloudapp.azure.com",
    ".cloudfront.net",
    ".pages.dev",
    ".run.app",
    ".workers.dev",
];

/// Tools that renew what lies in their stores while they run, without a timer.
const STAYING: &[&str] =
    &["caddy", "cert-manager", "certmonger", "istio", "kubelet", "mod_md", "spire", "traefik"];

/// Microsoft's extension with the template a certificate was made from ([MS-WCCE] 2.2.2.7.7.2).
const TEMPLATE: &str = "1.3.6.1.4.1.311.21.7";

/// id-kp-cmcRA, RFC 6402, 2.10: a registration authority.
const REGISTRATION_AUTHORITY: &str = "1.3.6.1.5.5.7.3.28";

struct Signs(Vec<Sign>);

impl Signs {
    fn automatic(&mut self, strength: Strength, what: impl Into<String>) {
        self.0.push(Sign { what: what.into(), direction: Direction::Automatic, strength });
    }

    fn manual(&mut self, strength: Strength, what: impl Into<String>) {
        self.0.push(Sign { what: what.into(), direction: Direction::Manual, strength });
    }

    fn of_issuer(&mut self, certificate: &Certificate, view: &View<'_>) {
        let organisation = certificate.issuer.organisation.as_deref().unwrap_or_default();
        let name = certificate.issuer.common_name.as_deref().unwrap_or_default();
        // By organisation: the names of its intermediates change.
        if matches!(organisation, "Let's Encrypt" | "(STAGING) Let's Encrypt") {
            self.automatic(Strength::Strong, format!("{organisation} issues by ACME only"));
        } else if EITHER_WAY.contains(&organisation) {
            let what = format!("{organisation} issues by ACME, but by hand too");
            self.automatic(Strength::Weak, what);
        } else if organisation == "Amazon" {
            self.automatic(
                Strength::Medium,
                "Amazon issues nearly all certificates to its services",
            );
        }
        let lower = format!("{organisation} {name}").to_ascii_lowercase();
        if ["cluster.local", "istiod"].iter().any(|mesh| lower.contains(mesh)) {
            self.automatic(Strength::Medium, format!("its issuer is that of a mesh: {name}"));
        }
        let is_word = |word: &str| matches!(word, "scep" | "ndes");
        if lower.split(|c: char| !c.is_ascii_alphanumeric()).any(is_word) {
            let what = format!("its issuer is named after an enrolment protocol: {name}");
            self.automatic(Strength::Medium, what);
        }
        let by_registration = view
            .issuers(certificate)
            .filter_map(Asset::certificate)
            .any(|one| one.extended_key_usage.iter().any(|usage| usage == REGISTRATION_AUTHORITY));
        if by_registration {
            self.automatic(
                Strength::Medium,
                "its issuer has the key usage of an enrolment service",
            );
        }
        if has_template(certificate) {
            let what = "it was made from a template of Active Directory, which may enrol by itself";
            self.automatic(Strength::Weak, what);
        }
    }

    fn of_names(&mut self, certificate: &Certificate) {
        let workload = certificate.names.iter().find_map(|name| match name {
            AlternativeName::Uri(uri) if uri.starts_with("spiffe://") => Some(uri),
            _ => None,
        });
        if let Some(uri) = workload {
            self.automatic(Strength::Strong, format!("it names a workload, {uri}"));
        }
        let subject = &certificate.subject;
        let node = subject.common_name.as_deref().filter(|name| name.starts_with("system:node:"));
        if let (Some("system:nodes"), Some(node)) = (subject.organisation.as_deref(), node) {
            self.automatic(Strength::Strong, format!("it is a Kubernetes node's, {node}"));
        }
        let hosts = certificate.host_names();
        let platform = |host: &&String| PLATFORMS.iter().any(|suffix| host.ends_with(suffix));
        // Self-signed ones come from whoever wrote the name into them.
        if let Some(host) = hosts.iter().find(platform)
            && !certificate.is_self_issued()
        {
            self.automatic(Strength::Strong, format!("{host} is a name of a platform's own"));
        }
    }

    /// Bands of validity, in days with both ends counted. Those that authorities of the public give
    /// to everybody (100, 199, 200) say nothing.
    fn of_validity(&mut self, certificate: &Certificate) {
        let days = certificate.validity_days();
        let valid = format!("it is valid for {days} days");
        // Timestamps of public logs: browsers are meant to trust it.
        let is_public = !certificate.sct_logs.is_empty();
        let is_self_signed = certificate.is_self_signed();
        match days {
            ..=0 => {}
            _ if is_self_signed => {
                if days >= 3650 {
                    let what = format!("{valid} and self-signed, as appliances are delivered");
                    self.manual(Strength::Strong, what);
                } else if days > 398 {
                    self.manual(Strength::Medium, format!("{valid} and self-signed"));
                }
            }
            1..=7 => {
                self.automatic(Strength::Strong, format!("{valid}, too short to renew by hand"));
            }
            44..=48 | 63..=65 | 89..=91 => {
                let strength = if is_public { Strength::Strong } else { Strength::Medium };
                self.automatic(strength, format!("{valid}, as authorities give to ACME clients"));
            }
            365..=398 => self.manual(Strength::Weak, format!("{valid}, as bought once a year")),
            399.. if is_public => self.manual(Strength::Medium, valid),
            1096.. => self.manual(Strength::Medium, format!("{valid}, more than three years")),
            _ => {}
        }
    }

    fn of_form(&mut self, certificate: &Certificate) {
        if certificate.version < 3 {
            let what = format!("it is of version {}, as ad-hoc commands make", certificate.version);
            self.manual(Strength::Strong, what);
        }
        // Clients and nodes are named by their subject alone, also where it goes by itself.
        let is_client = |usage: &String| usage == "clientAuth";
        let only_client = certificate.extended_key_usage.iter().all(is_client)
            && !certificate.extended_key_usage.is_empty();
        if certificate.names.is_empty() && certificate.subject.common_name.is_some() && !only_client
        {
            self.manual(Strength::Strong, "it has a common name and no alternative name");
        }
        // Of at least 64 bits from a good generator (TLS BR 7.1) fewer than 32 are left by chance
        // once in 2^32; a counter has them always.
        let digits = certificate.serial.trim_start_matches('0').len();
        if digits <= 8 {
            self.manual(
                Strength::Medium,
                format!("its serial number {} counts", certificate.serial),
            );
        }
    }

    /// One sign for each tool, however many traces of it there are: copies of a trace, and the count
    /// of renewals that comes with it, are of one source. That count does not tell a timer from a
    /// person, so it is no sign of its own.
    fn of_automation(&mut self, asset: &Asset, certificate: &Certificate, view: &View<'_>) {
        let mut tools: BTreeMap<&str, Told> = BTreeMap::new();
        for trace in view.automation_of(asset) {
            let Body::Automation(body) = &trace.body else { continue };
            if is_backup(trace) {
                continue;
            }
            let told = Told::of(trace, body, certificate, view);
            match tools.get_mut(body.tool.as_str()) {
                Some(known) => known.add(told),
                None => {
                    tools.insert(&body.tool, told);
                }
            }
        }
        for (tool, told) in tools {
            let renewed = match told.renewals {
                0 => String::new(),
                1 => " and has renewed it once".to_owned(),
                times => format!(" and has renewed it {times} times"),
            };
            let managed = format!("{tool} manages it{renewed}");
            let open = if told.is_weak { Strength::Weak } else { Strength::Medium };
            match told.way {
                Way::Started(Start::Active) => {
                    let what = format!("{tool} manages it and is set up to run by itself");
                    self.automatic(Strength::Strong, what);
                }
                Way::Started(Start::Open) => {
                    let what = format!(
                        "{managed}; what starts {tool} was seen, but not whether it is active"
                    );
                    self.automatic(Strength::Medium, what);
                }
                Way::Started(Start::Elsewhere) => {
                    let what = format!(
                        "{managed}; what starts {tool} was seen, but not whether it does for this one"
                    );
                    self.automatic(open, what);
                }
                Way::Started(Start::Unseen) => {
                    let what = format!("{managed}; what starts {tool} was not seen");
                    self.automatic(open, what);
                }
                Way::Overdue(day) => {
                    let what =
                        format!("{managed}, but meant to renew it on {} and has not", day.date());
                    self.manual(Strength::Medium, what);
                }
                Way::Started(Start::Inactive) => {
                    let what = format!("{managed}, but what starts {tool} is not active");
                    self.manual(Strength::Strong, what);
                }
            }
            if told.by_hand {
                let what = format!("{tool} shows control over its names by hand");
                self.manual(Strength::Medium, what);
            }
        }
    }

    fn of_places(&mut self, asset: &Asset, certificate: &Certificate) {
        let mut told = BTreeSet::new();
        // Files are named after hosts, and hosts may be named `backup`.
        let names = certificate.lineage_names();
        let name = certificate.subject.common_name.as_deref().map(str::to_ascii_lowercase);
        let own: BTreeSet<&str> = names
            .iter()
            .chain(&name)
            .flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric()))
            .collect();
        for path in file_paths(asset).filter(|path| !is_in_backup(path)) {
            let file = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
            let words = file.split(|c: char| !c.is_ascii_alphanumeric());
            let words = words.filter(|word| !own.contains(word));
            let kept = words.clone().find(|word| {
                let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
                matches!(word, "old" | "bak" | "backup" | "copy" | "new" | "orig")
            });
            if let Some(word) = kept {
                told.insert((Strength::Medium, format!("a file of it is named `{word}`: {path}")));
            }
            // 2048 is the size of a key.
            let year = words.clone().find(|word| {
                word.len() == 4 && word.parse().is_ok_and(|year: u16| (2000..2048).contains(&year))
            });
            if let Some(year) = year {
                told.insert((Strength::Weak, format!("a file of it is named `{year}`: {path}")));
            }
            let in_hands = ["/Downloads/", "/Desktop/", "/Documents/"];
            if in_hands.iter().any(|folder| path.contains(folder)) {
                told.insert((Strength::Medium, format!("it lies in a person's folder: {path}")));
            }
        }
        // However many copies there are, each kind of sign counts once.
        let mut strengths = BTreeSet::new();
        for (strength, what) in told {
            if strengths.insert(strength) {
                self.manual(strength, what);
            }
        }
    }

    fn of_lineage(&mut self, asset: &Asset, certificate: &Certificate, view: &View<'_>) {
        let lineage = view.lineage_of(certificate);
        let Some(several) = lineage.and_then(|lineage| lineage.organisations.get(&asset.id)) else {
            return;
        };
        let more = match several.more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let list = several.first.join(", ");
        let what = format!("its names had several issuers within a year: {list}{more}");
        self.manual(Strength::Weak, what);
    }
}

/// What the traces of one tool say about one certificate.
struct Told {
    way: Way,
    renewals: usize,
    by_hand: bool,
    /// A folder of a tool that stays: copied as easily as a file, and nothing shows that it runs.
    is_weak: bool,
}

/// How a tool stands to a renewal, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Started(Start),
    /// It had planned a renewal, and long after that day there was none.
    Overdue(Time),
}

/// Days after which a renewal that was planned did not happen, and is not just late.
const OVERDUE: i64 = 14;

impl Told {
    fn of(trace: &Asset, body: &Automation, certificate: &Certificate, view: &View<'_>) -> Self {
        let looked = trace.sightings().map(|at| at.last_seen).max();
        let overdue = body
            .next_renewal
            .filter(|next| looked.is_some_and(|looked| next.plus_days(OVERDUE) < looked));
        let start = view.start_of(trace);
        let way = match overdue {
            Some(day) if start != Start::Inactive => Way::Overdue(day),
            _ => Way::Started(start),
        };
        let lineage = view.lineage_of(certificate);
        let kept = lineage.and_then(|lineage| lineage.traces.get(&trace.id));
        // Not all that it manages: one folder may hold the certificates of many names.
        let seen = kept.map_or(0, |kept| kept.count.saturating_sub(1));
        let told = usize::try_from(body.renewals.unwrap_or(0)).unwrap_or(usize::MAX);
        let renewals = told.max(seen);
        let is_valid = kept.is_some_and(|kept| looked <= kept.ends);
        let stays = STAYING.contains(&body.tool.to_ascii_lowercase().as_str());
        let is_weak = stays && (renewals == 0 || !is_valid);
        let by_hand = body.authenticator.as_deref() == Some("manual");
        Self { way, renewals, by_hand, is_weak }
    }

    /// Of several traces one that works is enough.
    fn add(&mut self, other: Self) {
        if other.way.rank() < self.way.rank() {
            self.way = other.way;
        }
        self.renewals = self.renewals.max(other.renewals);
        self.by_hand |= other.by_hand;
        self.is_weak &= other.is_weak;
    }
}

impl Way {
    fn rank(self) -> u8 {
        match self {
            Self::Started(Start::Active) => 0,
            Self::Started(Start::Open) => 1,
            Self::Started(Start::Elsewhere) => 2,
            Self::Started(Start::Unseen) => 3,
            Self::Overdue(_) => 4,
            Self::Started(Start::Inactive) => 5,
        }
    }
}

fn has_template(certificate: &Certificate) -> bool {
    // Most have none; their octets tell faster than parsing does.
    const OID: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x15, 0x07];
    certificate.der.windows(OID.len()).any(|octets| octets == OID)
        && X509Certificate::from_der(&certificate.der).is_ok_and(|(_, parsed)| {
            parsed.extensions().iter().any(|one| one.oid.to_id_string() == TEMPLATE)
        })
}

impl Direction {
    /// The word for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
        }
    }
}

impl Strength {
    /// The word for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Medium => "medium",
            Self::Strong => "strong",
        }
    }
}

impl Renewal {
    /// The word for it in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Manual => "manual",
            Self::Undetermined => "undetermined",
        }
    }
}
