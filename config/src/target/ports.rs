//! Lists of ports: numbers, ranges and profiles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Ports of one kind of service, by one word in a target: `192.0.2.0/24:mail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortProfile {
    /// Web servers, and what is administered through a browser.
    Web,
    /// Mail from one server to another and to people.
    Mail,
    /// Directories.
    Directory,
    /// Databases, caches and search engines.
    Database,
    /// Remote desktops, shells and management of machines.
    Remote,
    /// Kubernetes with its store, and containers.
    Kubernetes,
    /// Every port of the table: those above, file transfer, chat, news, queues, voice and devices.
    AllKnown,
}

/// A port where TLS is usual, at once or after asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPort {
    /// TCP port.
    pub port: u16,
    /// Whose profile it is in; [`PortProfile::AllKnown`] where only in that.
    pub profile: PortProfile,
    /// What usually listens there.
    pub service: &'static str,
}

impl PortProfile {
    /// Every one, in the order in which they are explained.
    pub const ALL: &[Self] = &[
        Self::Web,
        Self::Mail,
        Self::Directory,
        Self::Database,
        Self::Remote,
        Self::Kubernetes,
        Self::AllKnown,
    ];

    /// The name in targets: `mail`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Mail => "mail",
            Self::Directory => "directory",
            Self::Database => "database",
            Self::Remote => "remote",
            Self::Kubernetes => "kubernetes",
            Self::AllKnown => "all-known",
        }
    }

    /// Its ports in the order of [`KNOWN_PORTS`], each once.
    #[must_use]
    pub fn ports(self) -> Vec<u16> {
        let of_this = |known: &&KnownPort| self == Self::AllKnown || known.profile == self;
        let mut seen = BTreeSet::new();
        let ports = KNOWN_PORTS.iter().filter(of_this).map(|known| known.port);
        ports.filter(|port| seen.insert(*port)).collect()
    }
}

impl fmt::Display for PortProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Every port of every profile, the likeliest of a profile first. A port that two kinds of service
/// share is in both.
pub const KNOWN_PORTS: &[KnownPort] = &[
    known(443, WEB, "HTTPS"),
    known(8443, WEB, "HTTPS of application servers and appliances"),
    known(9443, WEB, "HTTPS of administration consoles"),
    known(4443, WEB, "HTTPS beside another one"),
    known(10443, WEB, "HTTPS of VPN gateways"),
    known(7443, WEB, "HTTPS of management servers"),
    known(8444, WEB, "HTTPS beside another one"),
    known(8442, WEB, "HTTPS of certification authorities (EJBCA, public side)"),
    known(2083, WEB, "cPanel"),
    known(2087, WEB, "cPanel WHM"),
    known(2096, WEB, "cPanel web mail"),
    known(4848, WEB, "GlassFish administration"),
    known(5001, WEB, "Synology DiskStation"),
    known(7002, WEB, "WebLogic"),
    known(8006, WEB, "Proxmox VE"),
    known(8007, WEB, "Proxmox Backup Server"),
    known(8089, WEB, "Splunk management"),
    known(8140, WEB, "Puppet server"),
    known(8200, WEB, "HashiCorp Vault"),
    known(8501, WEB, "HashiCorp Consul"),
    known(8531, WEB, "Windows Server Update Services"),
    known(8834, WEB, "Nessus"),
    known(9043, WEB, "WebSphere administration"),
    known(9090, WEB, "Cockpit"),
    known(9993, WEB, "WildFly administration"),
    known(10000, WEB, "Webmin"),
    known(25, MAIL, "SMTP between servers, STARTTLS"),
    known(465, MAIL, "SMTP submission"),
    known(587, MAIL, "SMTP submission, STARTTLS"),
    known(993, MAIL, "IMAP"),
    known(143, MAIL, "IMAP, STARTTLS"),
    known(995, MAIL, "POP3"),
    known(110, MAIL, "POP3, STLS"),
    known(4190, MAIL, "ManageSieve, STARTTLS"),
    known(24, MAIL, "LMTP, STARTTLS"),
    known(2525, MAIL, "SMTP submission beside 587, STARTTLS"),
    known(636, DIRECTORY, "LDAP"),
    known(389, DIRECTORY, "LDAP, STARTTLS"),
    known(3269, DIRECTORY, "Global catalogue of Active Directory"),
    known(3268, DIRECTORY, "Global catalogue of Active Directory, STARTTLS"),
    known(5432, DATABASE, "PostgreSQL, after SSLRequest"),
    known(3306, DATABASE, "MySQL and MariaDB, after SSLRequest"),
    known(1433, DATABASE, "Microsoft SQL Server, inside TDS"),
    known(2484, DATABASE, "Oracle, TCPS"),
    known(27017, DATABASE, "MongoDB"),
    known(27018, DATABASE, "MongoDB shard"),
    known(27019, DATABASE, "MongoDB configuration server"),
    known(6380, DATABASE, "Redis"),
    known(6379, DATABASE, "Redis that speaks nothing but TLS"),
    known(9200, DATABASE, "Elasticsearch and OpenSearch"),
    known(9300, DATABASE, "Elasticsearch and OpenSearch between nodes"),
    known(9142, DATABASE, "Cassandra"),
    known(9042, DATABASE, "Cassandra, where its usual port changed to TLS"),
    known(7001, DATABASE, "Cassandra between nodes"),
    known(9440, DATABASE, "ClickHouse"),
    known(7473, DATABASE, "Neo4j, HTTPS"),
    known(7687, DATABASE, "Neo4j, Bolt"),
    known(6984, DATABASE, "CouchDB"),
    known(11207, DATABASE, "Couchbase, data"),
    known(18091, DATABASE, "Couchbase, administration"),
    known(26257, DATABASE, "CockroachDB between nodes"),
    known(3389, REMOTE, "Remote Desktop, after its negotiation"),
    known(5986, REMOTE, "Windows Remote Management"),
    known(992, REMOTE, "Telnet over TLS, as on IBM hosts"),
    known(5989, REMOTE, "WBEM (CIM-XML)"),
    known(8172, REMOTE, "IIS Web Deploy"),
    known(16514, REMOTE, "libvirt"),
    known(16993, REMOTE, "Intel AMT"),
    known(16995, REMOTE, "Intel AMT redirection"),
    known(6443, KUBERNETES, "API server"),
    known(2379, KUBERNETES, "etcd, clients"),
    known(2380, KUBERNETES, "etcd between members"),
    known(10250, KUBERNETES, "kubelet"),
    known(10257, KUBERNETES, "controller manager"),
    known(10259, KUBERNETES, "scheduler"),
    known(8443, KUBERNETES, "API server of minikube, admission webhooks"),
    known(9443, KUBERNETES, "admission webhooks, joining k0s"),
    known(9345, KUBERNETES, "joining RKE2"),
    known(16443, KUBERNETES, "API server of MicroK8s"),
    known(8132, KUBERNETES, "konnectivity of k0s"),
    known(4244, KUBERNETES, "Cilium Hubble"),
    known(15012, KUBERNETES, "Istio control plane"),
    known(15017, KUBERNETES, "Istio webhooks"),
    known(22623, KUBERNETES, "OpenShift machine configuration"),
    known(2376, KUBERNETES, "Docker engine"),
    known(21, OTHER, "FTP, AUTH TLS"),
    known(990, OTHER, "FTP"),
    known(989, OTHER, "FTP data"),
    known(5222, OTHER, "XMPP for clients, STARTTLS"),
    known(5223, OTHER, "XMPP for clients"),
    known(5269, OTHER, "XMPP between servers, STARTTLS"),
    known(5270, OTHER, "XMPP between servers"),
    known(119, OTHER, "NNTP, STARTTLS"),
    known(563, OTHER, "NNTP"),
    known(6697, OTHER, "IRC"),
    known(6667, OTHER, "IRC, STARTTLS"),
    known(994, OTHER, "IRC, the older port"),
    known(853, OTHER, "DNS over TLS"),
    known(631, OTHER, "Printing (IPPS)"),
    known(5696, OTHER, "Key management (KMIP)"),
    known(1792, OTHER, "Luna network HSM"),
    known(5671, OTHER, "AMQP"),
    known(8883, OTHER, "MQTT"),
    known(9093, OTHER, "Kafka"),
    known(61617, OTHER, "ActiveMQ OpenWire"),
    known(6514, OTHER, "Syslog"),
    known(5061, OTHER, "SIP"),
    known(5349, OTHER, "STUN and TURN"),
    known(2762, OTHER, "DICOM"),
    known(802, OTHER, "Modbus Security"),
];

const WEB: PortProfile = PortProfile::Web;
const MAIL: PortProfile = PortProfile::Mail;
const DIRECTORY: PortProfile = PortProfile::Directory;
const DATABASE: PortProfile = PortProfile::Database;
const REMOTE: PortProfile = PortProfile::Remote;
const KUBERNETES: PortProfile = PortProfile::Kubernetes;
const OTHER: PortProfile = PortProfile::AllKnown;

const fn known(port: u16, profile: PortProfile, service: &'static str) -> KnownPort {
    KnownPort { port, profile, service }
}

/// TCP ports in the order given, each once. What is kept are rows of them, so that all of them take
/// no more memory than one, also in a list of thousands of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Box<[Row]>);

/// Ports that follow each other upwards; as many as there are, so that the same ports in the same
/// order are the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    first: u16,
    last: u16,
    /// How many ports stand before this row: fewer than 65,535, for each stands there once.
    before: u16,
}

impl Ports {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0
            .last()
            .map_or(0, |row| usize::from(row.before) + usize::from(row.last - row.first) + 1)
    }

    /// Whether there is none, which no target that was read has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one at this place of the order, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<u16> {
        let index = u16::try_from(index).ok()?;
        let row = self.0.partition_point(|row| row.before <= index).checked_sub(1)?;
        let row = self.0.get(row)?;
        row.first.checked_add(index - row.before).filter(|port| *port <= row.last)
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        self.0.iter().flat_map(|row| row.first..=row.last)
    }

    /// Whether this port is one of them.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|row| (row.first..=row.last).contains(&port))
    }
}

impl FromIterator<u16> for Ports {
    /// Keeps each port where it came first. 0 is none and is left out.
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        let mut gathered = Gathered::default();
        for port in ports.into_iter().filter(|port| *port != 0) {
            gathered.add(port, port);
        }
        gathered.done()
    }
}

impl fmt::Display for Ports {
    /// As in a target: three or more in a row as a range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Row { first, last, .. }) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            match last - first {
                0 => write!(f, "{first}")?,
                1 => write!(f, "{first},{last}")?,
                _ => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// Ports under reading.
#[derive(Default)]
struct Gathered {
    rows: Vec<Row>,
    count: u16,
    /// Those that came already, first to last; no two of these overlap.
    seen: BTreeMap<u16, u16>,
}

impl Gathered {
    /// Adds those that did not come before. What is seen is put together, so that a range that is
    /// repeated costs as little as one port.
    fn add(&mut self, first: u16, last: u16) {
        let before = self.seen.range(..first).next_back().filter(|(_, end)| **end >= first);
        let seen = before.into_iter().chain(self.seen.range(first..=last));
        let seen: Vec<(u16, u16)> = seen.map(|(begin, end)| (*begin, *end)).collect();
        let (mut from, mut to) = (first, last);
        let mut next = Some(first);
        for (begin, end) in seen {
            if let Some(next) = next.filter(|next| *next < begin) {
                self.push(next, begin - 1);
            }
            next = end.checked_add(1);
            self.seen.remove(&begin);
            (from, to) = (from.min(begin), to.max(end));
        }
        if let Some(next) = next.filter(|next| *next <= last) {
            self.push(next, last);
        }
        self.seen.insert(from, to);
    }

    fn push(&mut self, first: u16, last: u16) {
        match self.rows.last_mut() {
            Some(row) if row.last.checked_add(1) == Some(first) => row.last = last,
            _ => self.rows.push(Row { first, last, before: self.count }),
        }
        self.count += last - first + 1;
    }

    fn done(self) -> Ports {
        Ports(self.rows.into_boxed_slice())
    }
}

/// Reads a list; each port is kept once, where it came first.
pub(super) fn parse(list: &str) -> Result<Ports, String> {
    let mut ports = Gathered::default();
    for item in list.split(',').map(str::trim) {
        if let Some(profile) = PortProfile::ALL.iter().find(|profile| profile.name() == item) {
            profile.ports().into_iter().for_each(|port| ports.add(port, port));
        } else if let Some((first, last)) = item.split_once('-') {
            let (first, last) = (number(first, item)?, number(last, item)?);
            if first > last {
                return Err(format!("the ports {} are the wrong way round", super::shown(item)));
            }
            ports.add(first, last);
        } else {
            let port = number(item, item)?;
            ports.add(port, port);
        }
    }
    Ok(ports.done())
}

fn number(text: &str, item: &str) -> Result<u16, String> {
    super::digits(text).filter(|port| *port != 0).ok_or_else(|| {
        let names = PortProfile::ALL.iter().map(|profile| profile.name()).collect::<Vec<_>>();
        let item = super::shown(item);
        format!("port `{item}` is neither 1 to 65535, a range, nor one of {}", names.join(", "))
    })
}

impl FromStr for PortProfile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|profile| profile.name() == text);
        found.copied().ok_or_else(|| format!("`{}` is no port profile", super::shown(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read; every way to look at it must say the same.
    fn ports(written: &str) -> Vec<u16> {
        let read = parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
        let ports: Vec<u16> = read.iter().collect();
        let by_place: Vec<u16> = (0..read.len()).filter_map(|at| read.get(at)).collect();
        assert_eq!(by_place, ports, "{written}");
        assert_eq!((read.get(read.len()), read.get(usize::MAX)), (None, None), "{written}");
        let set: BTreeSet<u16> = ports.iter().copied().collect();
        assert!((0..=u16::MAX).all(|port| read.contains(port) == set.contains(&port)), "{written}");
        assert_eq!(ports.iter().copied().collect::<Ports>(), read, "{written}");
        assert_eq!(parse(&read.to_string()), Ok(read), "{written}");
        ports
    }

    #[test]
    fn lists_ranges_and_profiles_become_ports_each_once_in_the_order_given() {
        for (written, expected) in [
            ("443", vec![443]),
            ("8443,443,8443", vec![8443, 443]),
            ("8000-8003", vec![8000, 8001, 8002, 8003]),
            ("8002, 8000-8003", vec![8002, 8000, 8001, 8003]),
            ("8000-8003,8002-8004,7999-8001", vec![8000, 8001, 8002, 8003, 8004, 7999]),
            ("2,4,6,1-7", vec![2, 4, 6, 1, 3, 5, 7]),
            ("1-4,2-3", vec![1, 2, 3, 4]),
            ("443,444", vec![443, 444]),
            ("directory", vec![636, 389, 3269, 3268]),
            ("3269,directory", vec![3269, 636, 389, 3268]),
            ("65535,65534-65535", vec![65535, 65534]),
        ] {
            assert_eq!(ports(written), expected, "{written}");
        }
        assert_eq!(parse("1-65535").map(|ports| ports.len()), Ok(65535));
        assert_eq!(ports("443,1-65535").len(), 65535);
        assert!(Ports::from_iter([0]).is_empty() && !Ports::from_iter([0, 1]).is_empty());
    }

    #[test]
    fn a_range_takes_no_more_than_one_port_and_repeating_it_costs_nothing() {
        let rows = |written: &str| parse(written).map(|ports| ports.0.len());
        assert_eq!(rows("1-65535"), Ok(1));
        assert_eq!(rows(&vec!["1-65535"; 200_000].join(",")), Ok(1));
        let odd: Vec<String> = (0..32_768).map(|half| (2 * half + 1).to_string()).collect();
        let odd = odd.join(",");
        assert_eq!(rows(&format!("{odd},{}", vec!["1-65535"; 100_000].join(","))), Ok(65_535));
        assert!(size_of::<Row>() * 65_535 < 400_000);
    }

    #[test]
    fn what_is_no_list_of_ports_is_refused() {
        for written in
            ["", "0", "65536", "+1", "1-", "-1", "2-1", "0-9", "1,,2", "www", "Web", "1-2-3", "１"]
        {
            assert!(parse(written).is_err(), "{written} must not be ports");
        }
        let error = parse("wep").unwrap_err();
        assert!(error.contains("`wep`") && error.contains("kubernetes, all-known"), "{error}");
    }

    #[test]
    fn every_profile_has_the_ports_of_its_kind_and_all_known_has_them_all() {
        let all = PortProfile::AllKnown.ports();
        for (profile, among) in [
            (PortProfile::Web, [443, 8443, 8834].as_slice()),
            (PortProfile::Mail, &[25, 465, 587, 110, 995, 143, 993, 4190, 24]),
            (PortProfile::Directory, &[389, 636, 3268, 3269]),
            (PortProfile::Database, &[5432, 3306, 1433, 27017, 6380]),
            (PortProfile::Remote, &[3389, 5986, 992]),
            (PortProfile::Kubernetes, &[6443, 2379, 2380, 10250, 10257, 10259, 8443]),
            (PortProfile::AllKnown, &[21, 990, 5222, 5223, 5269, 119, 563, 6667, 6697]),
        ] {
            let ports = profile.ports();
            assert!(among.iter().all(|port| ports.contains(port)), "{profile}: {ports:?}");
            assert!(ports.iter().all(|port| all.contains(port)), "{profile}");
            assert_eq!(profile.name().parse(), Ok(profile));
            assert_eq!(parse(profile.name()), Ok(ports.into_iter().collect()));
        }
        assert!(!all.contains(&22), "SSH has no TLS");
        let distinct: BTreeSet<u16> = KNOWN_PORTS.iter().map(|known| known.port).collect();
        assert_eq!(distinct.len(), all.len());
        let pairs: BTreeSet<_> = KNOWN_PORTS.iter().map(|row| (row.port, row.profile)).collect();
        assert_eq!(pairs.len(), KNOWN_PORTS.len(), "no row stands twice");
    }

    #[test]
    fn three_in_a_row_are_written_as_a_range() {
        for (ports, written) in [
            (vec![443], "443"),
            (vec![443, 444], "443,444"),
            (vec![1, 443, 444, 445, 9], "1,443-445,9"),
            (vec![3, 2, 1], "3,2,1"),
            (vec![65533, 65534, 65535], "65533-65535"),
            (vec![1, 2, 4, 5, 6], "1,2,4-6"),
        ] {
            assert_eq!(Ports::from_iter(ports).to_string(), written);
        }
    }
}
