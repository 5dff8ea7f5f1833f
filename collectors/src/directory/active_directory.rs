//! Active Directory: what its configuration holds of a PKI, who may do what with it, and the
//! certificates of accounts.

use std::collections::BTreeSet;

use ldap3::{Scope, ldap_escape};
use pki_descriptors::Sid;
use pki_directory::{Entry, adcs};
use pki_inventory::GapReason;

use super::hand_in;
use super::items::size;
use super::lines::Line;
use super::people::People;
use super::search::{Manner, Query, Search, hash_of, named};
use super::session::{Session, Tally, Trouble};

/// Entries and octets of the configuration that are kept at a time: large forests have a few
/// thousand entries.
const MOST_ENTRIES: usize = 200_000;
const MOST_OCTETS: usize = 512 * 1024 * 1024;

/// Hosts of authorities that are looked for.
const MOST_HOSTS: usize = 1000;

/// Naming contexts of domains that are searched.
const MOST_DOMAINS: usize = 200;

/// FLAG_CR_NTDS_DOMAIN ([MS-ADTS], 2.2.10): the naming context is a domain.
const IS_DOMAIN: u32 = 2;

/// What is asked of the naming contexts of the forest.
const CROSS_REFERENCE: &[&str] = &["nCName", "nETBIOSName", "systemFlags"];

/// What is asked of accounts with certificates; without the list of who may what with them.
const CERTIFIED: &[&str] = &[
    "adminCount",
    "cn",
    "dNSHostName",
    "objectClass",
    "objectSid",
    "sAMAccountName",
    "userAccountControl",
    "userCertificate",
    "userSMIMECertificate",
    "whenChanged",
    "whenCreated",
];

/// What was read of the configuration.
#[derive(Default)]
struct Configuration {
    entries: Vec<Entry>,
    computers: Vec<Entry>,
    /// Naming contexts of domains.
    domains: Vec<String>,
    /// Names of the authorities' hosts, in lower case.
    hosts: Vec<String>,
}

/// Reads a forest.
///
/// # Errors
///
/// What ends all of it. Everything else is a gap.
pub(super) async fn read(session: &mut Session<'_>, root: &Entry) -> Result<(), Trouble> {
    let naming_context = root.text("configurationNamingContext").unwrap_or_default();
    let base = format!("CN=Public Key Services,CN=Services,{naming_context}");
    let mut tally = Tally::default();
    let known = configuration(session, &mut tally, root, naming_context, &base).await;
    session.cover(&base, tally).await?;
    let (mut people, hosts, reported) = known?;
    if !session.server.accounts {
        return Ok(());
    }
    let bases = match session.server.bases.as_slice() {
        [] => people.1.clone(),
        bases => bases.to_vec(),
    };
    for base in bases {
        let mut tally = Tally::default();
        let ended = accounts(session, &mut tally, &mut people.0, &hosts, &reported, &base).await;
        session.cover(&base, tally).await?;
        ended?;
    }
    Ok(())
}

/// Who is known, the domains, the hosts of authorities, and the entries that were reported.
type Known = ((People, Vec<String>), Vec<String>, BTreeSet<u64>);

async fn configuration(
    session: &mut Session<'_>,
    tally: &mut Tally,
    root: &Entry,
    naming_context: &str,
    base: &str,
) -> Result<Known, Trouble> {
    let mut known = Configuration::default();
    let mut people = People::new(Vec::new(), adcs::Domains::default());
    let asked = (root, naming_context, base);
    let ended = gather(session, tally, asked, &mut known, &mut people).await;
    if let Err(Trouble::Closed(error)) = ended {
        return Err(error.into());
    }
    if ended.is_err() {
        people.cut_short();
    }

    // Whatever ended it, what was read is reported: what is left out of a scope that was covered
    // would be taken for gone.
    let (principals, hosts) = (&people.principals, &known.hosts);
    let mut reported = BTreeSet::new();
    for entries in [&known.entries, &known.computers] {
        for some in entries.chunks(500) {
            hand_in(session, tally, some, |entry, report| {
                adcs::read(entry, principals, hosts, report);
            })
            .await?;
            reported.extend(some.iter().map(|entry| hash_of(&entry.dn)));
        }
    }
    if let Err(trouble) = ended {
        session.file(tally, session.place(base), trouble)?;
    }
    Ok(((people, known.domains), known.hosts, reported))
}

/// Reads the configuration, and who is behind its access lists. What there is when it ends early is
/// in `known` and `people`.
async fn gather(
    session: &mut Session<'_>,
    tally: &mut Tally,
    (root, naming_context, base): (&Entry, &str, &str),
    known: &mut Configuration,
    people: &mut People,
) -> Result<(), Trouble> {
    services(session, tally, base, &mut known.entries).await?;
    let hosts = known.entries.iter().filter(|entry| entry.is_a("pKIEnrollmentService"));
    let hosts: BTreeSet<String> =
        hosts.filter_map(|entry| entry.text("dNSHostName")).map(str::to_lowercase).collect();
    if hosts.len() > MOST_HOSTS {
        let detail = format!(
            "authorities run on more than {MOST_HOSTS} hosts; who may take the others over is not \
             known"
        );
        tally.gap(session.place(base), GapReason::LimitReached, detail);
    }
    known.hosts = hosts.into_iter().take(MOST_HOSTS).collect();

    let (domains, called) = domains(session, tally, root, naming_context).await?;
    known.domains.clone_from(&domains);
    *people = People::new(domains, called);
    computers(session, tally, known).await?;

    known.computers.iter().for_each(|computer| people.add(computer));
    for host in &known.hosts {
        let its: BTreeSet<Sid> =
            known.computers.iter().filter(|it| is_of(it, host)).filter_map(sid).collect();
        if its.len() > 1 {
            let (reason, detail) = ambiguous(host, its.len());
            tally.gap(session.place(base), reason, detail);
        } else {
            people.principals.trust(its);
        }
    }
    for group in known.entries.iter().flat_map(|entry| entry.texts("msDS-OIDToGroupLink")) {
        people.named(group);
    }
    let all = known.entries.iter().chain(&known.computers);
    let mut sids: BTreeSet<Sid> = all.flat_map(adcs::trustees).collect();
    sids.extend(people.broad(session, tally).await?);
    people.resolve(session, tally, sids).await
}

/// Whether a computer says that it is this host.
fn is_of(computer: &Entry, host: &str) -> bool {
    let is_named = |name: &str| name.eq_ignore_ascii_case(host);
    let principals = computer.texts("servicePrincipalName").filter_map(|it| it.split_once('/'));
    computer.texts("dNSHostName").any(is_named)
        || principals
            .filter(|(class, _)| class.eq_ignore_ascii_case("HOST"))
            .any(|(_, name)| is_named(name))
}

/// Several accounts say that they are the host of an authority. Whoever may write to one computer can
/// make it say so: none of them is trusted.
pub(super) fn ambiguous(host: &str, count: usize) -> (GapReason, String) {
    let detail = format!(
        "{count} accounts say that they are `{host}`, on which an authority runs; none of them is \
         taken for it: remove the name from those that are not"
    );
    (GapReason::Unrecognised, detail)
}

/// Everything below `CN=Public Key Services`.
async fn services(
    session: &mut Session<'_>,
    tally: &mut Tally,
    base: &str,
    entries: &mut Vec<Entry>,
) -> Result<(), Trouble> {
    let mut search = Search::new(Query {
        base: base.to_owned(),
        scope: Scope::Subtree,
        filter: "(objectClass=*)".to_owned(),
        attributes: named(adcs::ATTRIBUTES),
        manner: Manner::Descriptors,
        line: Line::Pages,
        ahead: false,
        most: None,
    });
    let mut octets = 0;
    while let Some(page) = search.next(session, tally).await? {
        for entry in page {
            octets += size(&entry);
            if entries.len() >= MOST_ENTRIES || octets > MOST_OCTETS {
                let detail = format!(
                    "more than {MOST_ENTRIES} entries or {} MiB; the rest is not read",
                    MOST_OCTETS >> 20
                );
                tally.gap(session.place(base), GapReason::LimitReached, detail);
                search.end_early(session).await;
                return Ok(());
            }
            entries.push(entry);
        }
    }
    Ok(())
}

/// The naming contexts of the forest's domains, and what they are called.
async fn domains(
    session: &mut Session<'_>,
    tally: &mut Tally,
    root: &Entry,
    naming_context: &str,
) -> Result<(Vec<String>, adcs::Domains), Trouble> {
    let mut called = adcs::Domains::default();
    let first = ["defaultNamingContext", "rootDomainNamingContext"];
    let mut domains: Vec<String> =
        first.iter().filter_map(|name| root.text(name)).map(str::to_owned).collect();
    let mut search = Search::new(Query {
        base: format!("CN=Partitions,{naming_context}"),
        scope: Scope::OneLevel,
        filter: "(&(objectClass=crossRef)(nCName=*))".to_owned(),
        attributes: named(CROSS_REFERENCE),
        manner: Manner::ActiveDirectory,
        line: Line::Pages,
        ahead: false,
        most: None,
    });
    while let Some(page) = search.next(session, tally).await? {
        page.iter().for_each(|entry| called.add(entry));
        let named = page.iter().filter(|entry| {
            let flags = entry.text("systemFlags").and_then(|flags| flags.parse::<i64>().ok());
            flags.is_some_and(|flags| flags & i64::from(IS_DOMAIN) != 0)
        });
        domains.extend(named.filter_map(|entry| entry.text("nCName")).map(str::to_owned));
    }
    let mut seen = BTreeSet::new();
    domains.retain(|domain| seen.insert(domain.to_lowercase()));
    if domains.len() > MOST_DOMAINS {
        let detail = format!(
            "the forest has {} domains; {MOST_DOMAINS} are looked at, and neither the certificates \
             of the others nor who is in their groups is known",
            domains.len()
        );
        let at = session.place(&format!("CN=Partitions,{naming_context}"));
        tally.gap(at, GapReason::LimitReached, detail);
    }
    domains.truncate(MOST_DOMAINS);
    Ok((domains, called))
}

/// The accounts of the computers that authorities run on.
async fn computers(
    session: &mut Session<'_>,
    tally: &mut Tally,
    known: &mut Configuration,
) -> Result<(), Trouble> {
    let mut attributes = named(adcs::ACCOUNT_ATTRIBUTES);
    attributes.push("servicePrincipalName".to_owned());
    for some in known.hosts.chunks(20) {
        let named = some.iter().map(|host| {
            let host = ldap_escape(host.as_str());
            format!("(dNSHostName={host})(servicePrincipalName=HOST/{host})")
        });
        let filter = format!("(&(objectClass=computer)(|{}))", named.collect::<String>());
        for domain in &known.domains {
            let mut search = Search::new(Query {
                base: domain.clone(),
                scope: Scope::Subtree,
                filter: filter.clone(),
                attributes: attributes.clone(),
                manner: Manner::Descriptors,
                line: Line::Pages,
                ahead: false,
                most: Some(MOST_HOSTS as u64),
            });
            while let Some(page) = search.next(session, tally).await? {
                known.computers.extend(page);
            }
            if search.more && session.left > 0 {
                let detail = format!(
                    "more than {MOST_HOSTS} computers say that they are a host of an authority; \
                     what the others are is not known"
                );
                tally.gap(session.place(domain), GapReason::LimitReached, detail);
            }
        }
    }
    Ok(())
}

/// The certificates of accounts, and what is mapped to them.
async fn accounts(
    session: &mut Session<'_>,
    tally: &mut Tally,
    people: &mut People,
    hosts: &[String],
    reported: &BTreeSet<u64>,
    base: &str,
) -> Result<(), Trouble> {
    let mapped = Query {
        base: base.to_owned(),
        scope: Scope::Subtree,
        filter: "(altSecurityIdentities=*)".to_owned(),
        attributes: named(adcs::ACCOUNT_ATTRIBUTES)
            .into_iter()
            .filter(|it| it != "member")
            .collect(),
        manner: Manner::Descriptors,
        line: Line::Pages,
        ahead: false,
        most: None,
    };
    let certified = Query {
        // Without those of the first search by what they are called: where the attribute may not be
        // read its negation is Undefined, and the entry would be in neither ([MS-ADTS], 3.1.1.3.1.3.1).
        filter: "(|(userCertificate=*)(userSMIMECertificate=*))".to_owned(),
        attributes: named(CERTIFIED),
        manner: Manner::ActiveDirectory,
        ahead: true,
        ..mapped.clone()
    };
    // Each entry is handed in once and counts once. No more than `max_entries`.
    let mut handed_in = reported.clone();
    for query in [mapped, certified] {
        let is_first = query.manner == Manner::Descriptors;
        let mut search = Search::without(query, handed_in.clone());
        while let Some(page) = search.next(session, tally).await? {
            if is_first {
                handed_in.extend(page.iter().map(|entry| hash_of(&entry.dn)));
            }
            let sids: BTreeSet<Sid> = page.iter().flat_map(adcs::trustees).collect();
            let ended = people.resolve(session, tally, sids).await;
            if ended.is_err() {
                people.cut_short();
            }
            let principals = &people.principals;
            hand_in(session, tally, &page, |entry, report| {
                adcs::read(entry, principals, hosts, report);
            })
            .await?;
            if let Err(trouble) = ended {
                session.file(tally, session.place(base), trouble)?;
            }
        }
    }
    Ok(())
}

fn sid(entry: &Entry) -> Option<Sid> {
    Sid::parse(entry.values("objectSid").next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_naming_context_tells_what_its_domain_is_called() {
        let there: &[(&str, &str)] = &[
            ("cn", "ACME"),
            ("nCName", "DC=corp,DC=example"),
            ("nETBIOSName", "ACME"),
            ("systemFlags", "3"),
        ];
        let asked = there.iter().filter(|(name, _)| CROSS_REFERENCE.contains(name));
        let mut called = adcs::Domains::default();
        called.add(&entry("CN=ACME,CN=Partitions,CN=Configuration,DC=corp,DC=example", asked));

        let mut people = People::new(vec!["DC=corp,DC=example".to_owned()], called);
        let ann = [("sAMAccountName", "ann"), ("objectSid", "S-1-5-21-1-2-3-1105")];
        people.add(&entry("CN=Ann,DC=corp,DC=example", &ann));
        let (name, _) = people.principals.standing_of("CN=Ann,DC=corp,DC=example").expect("known");
        assert_eq!(name, r"ACME\ann");
    }

    fn entry<'a>(dn: &str, attributes: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Entry {
        let attributes = attributes.into_iter();
        let attributes =
            attributes.map(|(name, value)| ((*name).to_owned(), vec![value.as_bytes().to_vec()]));
        Entry { dn: dn.to_owned(), attributes: attributes.collect() }
    }
}
