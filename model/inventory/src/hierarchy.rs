//! Which authority certified which: the CA certificates of an inventory as a forest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Asset, AssetId, Body, Certificate, Digest, Half, Kind, Place, RevocationList, Time, View,
};

/// So many authorities of one name are looked at for one certificate, and so many revocation lists
/// are kept of one name: peers decide how many share a name.
const SAME_NAME: usize = 64;

/// So many revocation lists of one name are in a node, the newest.
const LISTS: usize = 8;

/// A CA certificate in the hierarchy.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The certificate.
    pub asset: &'a Asset,
    /// What it says.
    pub certificate: &'a Certificate,
    /// The node above it, by its position in the same list; always before this one.
    pub parent: Option<usize>,
    /// How many nodes are above it.
    pub depth: usize,
    /// Other CA certificates here that it names as its issuer as well: the same authority renewed,
    /// or certified by another one, or the link that closed a cycle.
    pub also_below: Vec<&'a Asset>,
    /// How many other certificates here name it as their issuer. Where an authority has several
    /// certificates for one key, each of them counts.
    pub issued: usize,
    /// The newest revocation lists in the name of its subject, the newest first. An older key of the
    /// same name may have signed them.
    pub lists: Vec<(&'a Asset, &'a RevocationList)>,
    /// How many more there are in that name.
    pub older_lists: usize,
}

impl Node<'_> {
    /// Whether nothing is above it because it signed itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parent.is_none() && self.certificate.is_self_signed()
    }

    /// When its newest whole revocation list is due to be replaced, where it has one that says so.
    #[must_use]
    pub fn next_update(&self) -> Option<Time> {
        let whole = self.lists.iter().find(|(_, list)| !list.is_delta);
        whole.and_then(|(_, list)| list.next_update)
    }
}

/// The CA certificates that are more than members of trust stores: in a directory, in the chain of
/// a server, with their key held here, in a place of their own, or named as issuer by a certificate
/// that is no trust anchor. Each stands behind the one that certified it, as far as names and key
/// identifiers tell; no signature is verified. Of several issuers the one that was valid when the
/// certificate began counts, then the one that lasts longest; a cycle is cut above its member that
/// lasts longest. Siblings are sorted by name. The same inventory gives the same list.
#[must_use]
pub fn hierarchy<'a>(view: &View<'a>) -> Vec<Node<'a>> {
    let (issued, named) = issuances(view);
    let listed = in_directories(view);
    let mut chosen: Vec<(&'a Asset, &'a Certificate)> = Vec::new();
    for asset in view.inventory().assets() {
        let Some(certificate) = asset.certificate().filter(|one| one.is_authority()) else {
            continue;
        };
        if !view.is_anchor(asset.id)
            || named.contains(&asset.id)
            || listed.contains(&asset.id.sha256)
            || is_used(asset, certificate, view)
        {
            chosen.push((asset, certificate));
        }
    }
    let position: BTreeMap<AssetId, usize> =
        chosen.iter().enumerate().map(|(at, (asset, _))| (asset.id, at)).collect();
    let mut above: Vec<Vec<usize>> =
        chosen.iter().map(|(asset, one)| issuers(asset, one, view, &position, &chosen)).collect();
    let parents = parents(&chosen, &above);
    for (parent, above) in parents.iter().zip(&mut above) {
        above.retain(|other| Some(*other) != *parent);
    }
    let lists = lists(view);
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (at, parent) in parents.iter().enumerate() {
        children.entry(*parent).or_default().push(at);
    }
    for siblings in children.values_mut() {
        // They are taken from the end.
        siblings.sort_by_cached_key(|at| {
            let (asset, one) = chosen[*at];
            Reverse((one.display_name().to_lowercase(), Reverse(one.not_after), asset.id))
        });
    }
    let mut nodes: Vec<Node<'a>> = Vec::with_capacity(chosen.len());
    let tops = children.remove(&None).unwrap_or_default();
    let mut open: Vec<(usize, Option<usize>)> = tops.into_iter().map(|at| (at, None)).collect();
    while let Some((at, parent)) = open.pop() {
        let (asset, certificate) = chosen[at];
        let own = lists.get(&certificate.subject.sha256);
        let all = own.map_or(0, |(_, all)| *all);
        let own: Vec<_> = own.map(|(newest, _)| newest.clone()).unwrap_or_default();
        let here = nodes.len();
        let depth = parent.map_or(0, |parent: usize| nodes[parent].depth + 1);
        nodes.push(Node {
            asset,
            certificate,
            parent,
            depth,
            also_below: above[at].iter().map(|other| chosen[*other].0).collect(),
            issued: issued.get(&asset.id).copied().unwrap_or_default(),
            older_lists: all - own.len(),
            lists: own,
        });
        let below = children.remove(&Some(at)).unwrap_or_default();
        open.extend(below.into_iter().map(|child| (child, Some(here))));
    }
    nodes
}

/// How many certificates name each authority, and the authorities that one which is no anchor names.
fn issuances(view: &View<'_>) -> (BTreeMap<AssetId, usize>, BTreeSet<AssetId>) {
    // Certificates of one authority say the same of their issuer: each group is looked up once.
    let mut groups: BTreeMap<(Digest, Option<&str>), Group<'_>> = BTreeMap::new();
    for asset in view.inventory().assets() {
        // One that signed itself was issued by nobody else of its name.
        let Some(certificate) = asset.certificate().filter(|one| !one.is_self_signed()) else {
            continue;
        };
        let key = certificate.authority_key_id.as_deref();
        let group = groups.entry((certificate.issuer.sha256, key)).or_insert(Group {
            example: certificate,
            count: 0,
            others: false,
        });
        group.count += 1;
        group.others |= !view.is_anchor(asset.id);
    }
    let (mut issued, mut named) = (BTreeMap::<AssetId, usize>::new(), BTreeSet::new());
    for group in groups.values() {
        for issuer in view.issuers(group.example).take(SAME_NAME) {
            *issued.entry(issuer.id).or_default() += group.count;
            if group.others {
                named.insert(issuer.id);
            }
        }
    }
    (issued, named)
}

/// Certificates that say the same of their issuer.
struct Group<'a> {
    example: &'a Certificate,
    count: usize,
    /// Whether one of them is no trust anchor.
    others: bool,
}

/// Every certificate that an object of a directory holds.
fn in_directories(view: &View<'_>) -> BTreeSet<Digest> {
    let mut listed = BTreeSet::new();
    for asset in view.inventory().assets() {
        match &asset.body {
            Body::Authority(body) => listed.extend(&body.certificates),
            Body::DirectoryObject(body) => listed.extend(&body.certificates),
            _ => {}
        }
    }
    listed
}

/// Whether a server presents it, a directory has it, or its private key is here.
fn is_used(asset: &Asset, certificate: &Certificate, view: &View<'_>) -> bool {
    let shown = |sighting: &crate::Sighting| {
        let private = sighting.circumstances.key.as_ref();
        sighting.place.is_network()
            || matches!(sighting.place, Place::Directory { .. })
            || private.is_some_and(|form| form.half == Half::Private)
    };
    asset.sightings().any(shown) || view.holds_private(certificate.spki)
}

/// The nodes that a certificate names as its issuer, the likeliest first, itself left out.
fn issuers(
    asset: &Asset,
    certificate: &Certificate,
    view: &View<'_>,
    position: &BTreeMap<AssetId, usize>,
    chosen: &[(&Asset, &Certificate)],
) -> Vec<usize> {
    if certificate.is_self_signed() {
        return Vec::new();
    }
    let all = view.issuers(certificate).take(SAME_NAME).filter(|issuer| issuer.id != asset.id);
    let mut found: Vec<usize> =
        all.filter_map(|issuer| position.get(&issuer.id)).copied().collect();
    found.sort_by_key(|at| {
        let (asset, issuer) = chosen[*at];
        let begins = certificate.not_before;
        let in_time = issuer.not_before <= begins && begins <= issuer.not_after;
        let by_key = issuer.subject_key_id.is_some() && certificate.authority_key_id.is_some();
        (!in_time, !by_key, Reverse(issuer.not_after), asset.id)
    });
    found
}

/// The node above each, without cycles.
fn parents(chosen: &[(&Asset, &Certificate)], above: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut parents: Vec<Option<usize>> =
        above.iter().map(|above| above.first().copied()).collect();
    // The walk in which a node was first met; from one met in this walk on, it is a cycle.
    let mut met: Vec<Option<usize>> = vec![None; chosen.len()];
    for start in 0..chosen.len() {
        let (mut at, mut path) = (Some(start), Vec::new());
        while let Some(here) = at.filter(|here| met[*here].is_none()) {
            met[here] = Some(start);
            path.push(here);
            at = parents[here];
        }
        let Some(closing) = at.filter(|here| met[*here] == Some(start)) else { continue };
        let cycle = path.iter().copied().skip_while(|here| *here != closing);
        let top = cycle.min_by_key(|here| {
            let (asset, certificate) = chosen[*here];
            (Reverse(certificate.not_after), asset.id)
        });
        if let Some(top) = top {
            parents[top] = None;
        }
    }
    parents
}

/// The newest revocation lists by the name of their issuer, and how many there are of each.
type Lists<'a> = BTreeMap<Digest, (Vec<(&'a Asset, &'a RevocationList)>, usize)>;

fn lists<'a>(view: &View<'a>) -> Lists<'a> {
    let mut lists: Lists<'a> = BTreeMap::new();
    for asset in view.inventory().assets().filter(|asset| asset.id.kind == Kind::RevocationList) {
        let Body::RevocationList(list) = &asset.body else { continue };
        let (newest, all) = lists.entry(list.issuer.sha256).or_default();
        *all += 1;
        newest.push((asset, &**list));
        // A whole one is among those that are kept, however many changes to it are newer.
        newest.sort_by_key(|(asset, list)| (list.is_delta, Reverse(list.this_update), asset.id));
        newest.truncate(LISTS);
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DirectoryObject, DirectoryRole, DistinguishedName, Inventory, KeyAlgorithm, Sighting,
        SignatureAlgorithm, TrustStore,
    };

    fn name(text: &str) -> DistinguishedName {
        DistinguishedName {
            text: format!("CN={text}"),
            sha256: Digest::of(text.as_bytes()),
            common_name: Some(text.to_owned()),
            organisation: None,
        }
    }

    fn signature() -> SignatureAlgorithm {
        SignatureAlgorithm { name: "ecdsa-with-SHA256".to_owned(), hash: None }
    }

    /// `subject<issuer:end`, an authority unless the subject is in lower case.
    fn certificate(text: &str) -> Certificate {
        let (names, end) = text.split_once(':').unwrap_or((text, "100"));
        let (subject, issuer) = names.split_once('<').unwrap_or((names, names));
        let end = end.parse().unwrap_or(100);
        Certificate {
            der: text.as_bytes().to_vec(),
            version: 3,
            serial: "01".to_owned(),
            subject: name(subject),
            issuer: name(issuer),
            not_before: Time(0),
            not_after: Time(end),
            names: Vec::new(),
            key: KeyAlgorithm::rsa(2048),
            spki: Digest::of(subject.as_bytes()),
            signature: signature(),
            is_ca: Some(!subject.starts_with(|first: char| first.is_ascii_lowercase())),
            extended_key_usage: Vec::new(),
            subject_key_id: None,
            authority_key_id: None,
            crl_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            policies: Vec::new(),
            sct_logs: Vec::new(),
            broken_extensions: Vec::new(),
        }
    }

    fn add(inventory: &mut Inventory, kind: Kind, digest: Digest, body: Body) {
        let mut asset = Asset::new(AssetId::new(kind, digest), body);
        asset.see(Sighting::at(Place::file("/x"), "filesystem", Time(0)));
        inventory.add(asset);
    }

    fn with(certificates: &[&str]) -> Inventory {
        let mut inventory = Inventory::default();
        for text in certificates {
            let one = certificate(text);
            let digest = one.digest();
            add(&mut inventory, Kind::Certificate, digest, Body::Certificate(Box::new(one)));
        }
        inventory
    }

    /// Each node as its subject, behind as many points as there are nodes above it.
    fn drawn(inventory: &Inventory) -> Vec<String> {
        let view = View::of(inventory);
        let nodes = hierarchy(&view);
        for (at, node) in nodes.iter().enumerate() {
            let above = node.parent.map(|parent| nodes[parent].depth + 1);
            assert!(node.parent.is_none_or(|parent| parent < at));
            assert_eq!(node.depth, above.unwrap_or_default());
        }
        let shown = |node: &Node<'_>| {
            format!("{}{} {}", ".".repeat(node.depth), node.certificate.display_name(), node.issued)
        };
        nodes.iter().map(shown).collect()
    }

    fn check(certificates: &[&str], expected: &[&str]) {
        assert_eq!(drawn(&with(certificates)), expected, "{certificates:?}");
        let turned: Vec<&str> = certificates.iter().rev().copied().collect();
        assert_eq!(drawn(&with(&turned)), expected, "the order decides nothing");
    }

    #[test]
    fn each_authority_stands_below_the_one_it_names_sorted_by_name() {
        check(
            &["Root", "B<Root", "A<Root", "C<A", "a<A", "b<A", "c<B", "Other"],
            &["Other 0", "Root 2", ".A 3", "..C 0", ".B 1"],
        );
    }

    #[test]
    fn an_issuer_that_is_not_here_leaves_its_authority_on_top() {
        check(&["A<Gone", "a<A"], &["A 1"]);
        let inventory = with(&["A<Gone", "Root"]);
        let view = View::of(&inventory);
        let roots: Vec<bool> = hierarchy(&view).iter().map(Node::is_root).collect();
        assert_eq!(roots, [false, true]);
    }

    #[test]
    fn a_cycle_is_cut_above_its_longest_member() {
        check(&["A<B:10", "B<C:30", "C<A:20"], &["B 1", ".A 1", "..C 1"]);
        // A cross-certified pair, with something below and something that leads into it.
        check(&["A<B:10", "B<A:9", "C<B:50", "D<C"], &["A 1", ".B 2", "..C 1", "...D 0"]);
        // Self-issued under a key of its own, but not self-signed.
        let mut one = certificate("A");
        one.subject_key_id = Some("01".to_owned());
        one.authority_key_id = Some("02".to_owned());
        let mut inventory = Inventory::default();
        let digest = one.digest();
        add(&mut inventory, Kind::Certificate, digest, Body::Certificate(Box::new(one)));
        assert_eq!(drawn(&inventory), ["A 0"]);
    }

    #[test]
    fn of_several_issuers_the_longest_counts_and_the_others_are_told() {
        let inventory = with(&["Root:50", "Root<Bridge:90", "Bridge", "A<Root"]);
        assert_eq!(drawn(&inventory), ["Bridge 1", ".Root 1", "..A 0", "Root 1"]);
        let view = View::of(&inventory);
        let nodes = hierarchy(&view);
        let others: Vec<usize> = nodes.iter().map(|node| node.also_below.len()).collect();
        assert_eq!(others, [0, 0, 1, 0]);
        // One that had ended when the certificate began cannot have issued it.
        let mut late = certificate("A<Root");
        late.not_before = Time(60);
        let mut inventory = with(&["Root:50", "Root<Bridge:55", "Root<Bridge:70", "Bridge"]);
        let digest = late.digest();
        add(&mut inventory, Kind::Certificate, digest, Body::Certificate(Box::new(late)));
        let view = View::of(&inventory);
        let nodes = hierarchy(&view);
        let found = nodes.iter().find(|node| node.certificate.display_name() == "A");
        let parent = found.and_then(|node| node.parent).map(|at| nodes[at].certificate.not_after);
        assert_eq!(parent, Some(Time(70)));
    }

    #[test]
    fn what_is_only_trusted_is_left_out() {
        let mut inventory = with(&["Trusted", "Used", "Listed", "a<Used", "Below<Trusted"]);
        let of = |text: &str| certificate(text).digest();
        let members = ["Trusted", "Used", "Listed", "Below<Trusted"].map(of);
        let store = TrustStore { members: members.into() };
        let digest = store.digest();
        add(&mut inventory, Kind::TrustStore, digest, Body::TrustStore(store));
        assert_eq!(drawn(&inventory), ["Used 1"], "its certificate is here");
        let mut object = DirectoryObject::of(DirectoryRole::RootStore, "Listed", "CN=Listed");
        object.certificates = vec![certificate("Listed").digest()];
        let body = Body::DirectoryObject(Box::new(object));
        add(&mut inventory, Kind::DirectoryObject, Digest::of(b"x"), body);
        assert_eq!(drawn(&inventory), ["Listed 0", "Used 1"]);
    }

    #[test]
    fn the_newest_revocation_lists_of_the_name_are_there() {
        let mut inventory = with(&["Root", "Other"]);
        for day in 0..10 {
            let list = RevocationList {
                der: vec![u8::try_from(day).unwrap_or_default()],
                issuer: name("Root"),
                this_update: Time(day),
                next_update: Some(Time(day + 7)),
                entries: 0,
                is_delta: day == 9,
                authority_key_id: None,
                signature: signature(),
            };
            let (digest, list) = (Digest::of(&list.der), Body::RevocationList(Box::new(list)));
            add(&mut inventory, Kind::RevocationList, digest, list);
        }
        let view = View::of(&inventory);
        let nodes = hierarchy(&view);
        let told: Vec<_> =
            nodes.iter().map(|n| (n.next_update(), n.lists.len(), n.older_lists)).collect();
        assert_eq!(told, [(None, 0, 0), (Some(Time(15)), LISTS, 2)]);
    }

    #[test]
    fn a_long_chain_is_walked_without_recursion() {
        let chain: Vec<String> = (0..5_000).map(|at| format!("N{:05}<N{at:05}", at + 1)).collect();
        let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
        let inventory = with(&chain);
        let view = View::of(&inventory);
        assert_eq!(hierarchy(&view).last().map(|node| node.depth), Some(4_999));
    }
}
