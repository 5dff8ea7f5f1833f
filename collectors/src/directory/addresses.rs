//! Where the servers of a directory are (RFC 2782).

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use pki_config::{DirectoryAddress, DirectoryServer};
use pki_inventory::GapReason;

use super::answers::Refusal;

/// Servers of a domain that are kept; large forests have hundreds, and one is enough.
const MOST: usize = 64;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// Name or address.
    pub(super) host: String,
    /// TCP port.
    pub(super) port: u16,
}

/// A record of DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    priority: u16,
    weight: u16,
    host: String,
    port: u16,
}

/// The servers of a directory, in the order in which they are to be asked.
///
/// # Errors
///
/// When a domain has none that is its own.
pub(super) async fn of(server: &DirectoryServer) -> Result<Vec<Target>, Refusal> {
    match &server.address {
        DirectoryAddress::Host { host, port } => {
            let port = port.unwrap_or(server.transport.port());
            Ok(vec![Target { host: host.clone(), port }])
        }
        DirectoryAddress::Domain(domain) => {
            let found = services(domain).await?;
            // DNS tells the port of LDAP. That of LDAPS has no record of its own.
            let targets = ordered(found, random).into_iter().map(|service| Target {
                host: service.host,
                port: match server.transport {
                    pki_config::Transport::Ldaps => server.transport.port(),
                    _ => service.port,
                },
            });
            Ok(targets.collect())
        }
    }
}

async fn services(domain: &str) -> Result<Vec<Service>, Refusal> {
    let unresolved = |what: String| Refusal::lasting(GapReason::NameNotResolved, what);
    let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
    let resolver = resolver
        .map_err(|error| unresolved(format!("the resolver of this host does not work: {error}")))?;
    let domain = domain.trim_end_matches('.');
    let mut last = String::new();
    // With the dot at the end: otherwise the search list of the host is tried as well.
    for name in [format!("_ldap._tcp.dc._msdcs.{domain}."), format!("_ldap._tcp.{domain}.")] {
        let answer = match resolver.lookup(name.as_str(), RecordType::SRV).await {
            Ok(answer) => answer,
            Err(error) => {
                last = error.to_string();
                continue;
            }
        };
        let found = answer.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(service) => Some(Service {
                priority: service.priority,
                weight: service.weight,
                host: service.target.to_utf8().trim_end_matches('.').to_owned(),
                port: service.port,
            }),
            _ => None,
        });
        // RFC 2782: a target that is the root says that the service is not offered.
        let found: Vec<Service> =
            found.filter(|service| !service.host.is_empty()).take(MOST).collect();
        if found.is_empty() {
            continue;
        }
        // A certificate proves the name of a host. That the host serves this domain is said by DNS
        // alone, which anybody on the way can write; a password goes only where both fit.
        let (own, foreign): (Vec<Service>, Vec<Service>) =
            found.into_iter().partition(|service| is_within(&service.host, domain));
        if own.is_empty() {
            let host = foreign.first().map(|service| service.host.as_str()).unwrap_or_default();
            return Err(unresolved(format!(
                "DNS names {host} for {domain}, which lies outside of that domain; if that is \
                 right, name the server by `host`"
            )));
        }
        return Ok(own);
    }
    Err(unresolved(format!(
        "DNS knows no server of {domain} (_ldap._tcp.dc._msdcs.{domain}, _ldap._tcp.{domain}): \
         {last}; check the name, or name the server by `host`"
    )))
}

/// Whether a host lies in a domain.
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

/// By priority, and among those of one priority by lot according to their weights. `draw` gives a
/// number up to the one that it is given.
fn ordered(mut services: Vec<Service>, mut draw: impl FnMut(u32) -> u32) -> Vec<Service> {
    // RFC 2782: those without a weight come first among those that are drawn from.
    services.sort_by_key(|service| (service.priority, service.weight));
    let mut ordered = Vec::with_capacity(services.len());
    while let Some(first) = services.first() {
        let priority = first.priority;
        let alike = services.iter().take_while(|service| service.priority == priority);
        let sum: u32 = alike.clone().map(|service| u32::from(service.weight)).sum();
        let drawn = draw(sum);
        let mut running = 0;
        let chosen = alike.enumerate().find(|(_, service)| {
            running += u32::from(service.weight);
            running >= drawn
        });
        let chosen = chosen.map_or(0, |(place, _)| place);
        ordered.push(services.remove(chosen));
    }
    ordered
}

/// A number from 0 up to this one.
fn random(most: u32) -> u32 {
    let mut octets = [0; 8];
    // Without randomness the first one is taken, which is an order as well.
    let _ = aws_lc_rs::rand::fill(&mut octets);
    u32::try_from(u64::from_ne_bytes(octets) % (u64::from(most) + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(priority: u16, weight: u16, host: &str) -> Service {
        Service { priority, weight, host: host.to_owned(), port: 389 }
    }

    fn names(services: &[Service]) -> Vec<&str> {
        services.iter().map(|service| service.host.as_str()).collect()
    }

    #[test]
    fn priority_comes_before_weight_and_weight_decides_by_lot() {
        let all = || {
            vec![
                service(20, 0, "last"),
                service(10, 60, "b"),
                service(10, 0, "none"),
                service(10, 40, "a"),
            ]
        };
        let low = ordered(all(), |_| 0);
        assert_eq!(names(&low), ["none", "a", "b", "last"]);
        let mut sums = Vec::new();
        let high = ordered(all(), |sum| {
            sums.push(sum);
            sum
        });
        assert_eq!(names(&high), ["b", "a", "none", "last"]);
        assert_eq!(sums, [100, 40, 0, 0]);
        let between = ordered(all(), |sum| sum.min(40));
        assert_eq!(names(&between), ["a", "b", "none", "last"]);
    }

    #[test]
    fn lots_do_not_exceed_what_they_are_drawn_from() {
        assert!((0..200).all(|_| random(3) <= 3));
        assert_eq!(random(0), 0);
        assert!((0..200).map(|_| random(1)).any(|drawn| drawn == 1));
    }

    #[test]
    fn a_host_lies_in_a_domain_by_whole_labels() {
        assert!(is_within("DC1.corp.example", "corp.example"));
        assert!(is_within("corp.example", "CORP.example"));
        assert!(!is_within("evilcorp.example", "corp.example"));
        assert!(!is_within("dc1.corp.example.evil.example", "corp.example"));
    }
}
