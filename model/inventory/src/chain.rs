//! The chain a server shows, seen from outside: order, surplus, gaps.
//!
//! Everything here follows from names, key identifiers and what else the inventory knows. It is
//! computed when it is asked for and never stored, because what is known grows. Whether anybody
//! should trust the chain is another question: no signature, no date and no purpose is looked at.

use std::collections::BTreeSet;

use crate::issuers::Issuers;
use crate::{Asset, AssetId, Body, Certificate, Digest, Endpoint, Fact, Kind, View};

/// Certificates looked at above a chain. Real hierarchies have a handful; loops of cross-signed
/// authorities and swarms of authorities of one name have no end of their own.
const MOST_STEPS: usize = 64;

/// What a list of presented certificates is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFacts {
    /// The first certificate names the server that was asked for (RFC 9525).
    pub names_server: Fact,
    /// Each certificate was issued by the one after it, as TLS 1.2 demands (RFC 5246, 7.4.2) and
    /// TLS 1.3 recommends (RFC 8446, 4.4.2).
    pub ordered: Fact,
    /// Those that are on no path upwards from the first one, and those that were sent before, in
    /// the order they were sent. While there are `unparsed` ones, which a path may lead through,
    /// only the latter.
    pub extra: Vec<Digest>,
    /// A self-signed certificate other than the first one was sent.
    pub anchor_sent: Fact,
    /// A path from the first one upwards leads, through what was sent, to a self-signed
    /// certificate that was sent too or that the inventory knows as an authority. `No` when such a
    /// certificate is known, but the way to it leads through intermediates that were not sent. Not
    /// observed where those that were not sent lead to none: clients may know one of them as
    /// self-signed, and what is known here is what another authority certified.
    pub complete: Fact,
    /// The intermediates that were left out, the lowest first: the shortest way up to a
    /// self-signed authority that the inventory knows. Empty unless `complete` is `No`.
    pub missing: Vec<Digest>,
    /// Those that could not be looked at.
    pub unparsed: Vec<Digest>,
}

/// The facts of the chain that an endpoint showed; `None` where it showed no certificate.
///
/// The server name is the one that was asked for, as in [`Place::Tls`](crate::Place::Tls).
#[must_use]
pub fn chain_facts(
    endpoint: &Endpoint,
    server_name: Option<&str>,
    view: &View<'_>,
) -> Option<ChainFacts> {
    ChainFacts::of(&endpoint.session()?.chain, server_name, view)
}

impl ChainFacts {
    /// The facts of certificates in the order they were sent; `None` for no certificate at all.
    #[must_use]
    pub fn of(chain: &[Digest], server_name: Option<&str>, view: &View<'_>) -> Option<Self> {
        let sent = Sent::of(chain, view);
        let (_, first) = sent.members.first()?;
        let names_server = match (server_name, first) {
            (None, _) => Fact::NotObserved("it was asked for without a name".to_owned()),
            (Some(_), Err(why)) => Fact::NotObserved(why.clone()),
            (Some(name), Ok(first)) => first.names_host(name).into(),
        };
        let path = sent.path();
        let (complete, missing) = sent.complete(&path, view);
        Some(Self {
            names_server,
            ordered: sent.ordered(),
            extra: sent.extra(&path),
            anchor_sent: sent.anchor_sent(),
            complete,
            missing,
            unparsed: sent.unparsed(),
        })
    }
}

/// What the inventory knows above the certificates that were sent.
enum Above<'a> {
    /// A way to a self-signed authority, through these, the lowest first.
    Anchor(Vec<Digest>),
    /// Authorities, this one first, and none of them leads to a self-signed one.
    NoAnchor(&'a Certificate),
    Nothing,
}

/// The certificates sent, each with what is known of it or why nothing is.
struct Sent<'a> {
    members: Vec<(Digest, Result<&'a Certificate, String>)>,
}

impl<'a> Sent<'a> {
    fn of(chain: &[Digest], view: &View<'a>) -> Self {
        let look_up = |(at, &sha256): (usize, &Digest)| {
            let known = |kind| view.inventory().get(AssetId::new(kind, sha256));
            let number = at + 1;
            let why = || match known(Kind::Unparsed).map(|asset| &asset.body) {
                Some(Body::Unparsed(unparsed)) => {
                    format!("certificate {number} of the chain did not parse: {}", unparsed.error)
                }
                _ => format!("certificate {number} of the chain is not in the inventory"),
            };
            let member = known(Kind::Certificate).and_then(Asset::certificate).ok_or_else(why);
            (sha256, member)
        };
        Self { members: chain.iter().enumerate().map(look_up).collect() }
    }

    fn ordered(&self) -> Fact {
        let out_of_order = self.members.windows(2).any(|pair| match pair {
            [(_, Ok(one)), (_, Ok(next))] => !one.names_as_issuer(next),
            _ => false,
        });
        if out_of_order { Fact::No } else { self.unless_unparsed(Fact::Yes) }
    }

    fn anchor_sent(&self) -> Fact {
        let mut fact = Fact::No;
        // The first one sent twice is still the first one.
        for (_, member) in self.members.iter().filter(|(sha256, _)| *sha256 != self.members[0].0) {
            match member {
                Ok(certificate) if certificate.is_self_signed() => return Fact::Yes,
                Ok(_) => {}
                Err(why) => fact = Fact::NotObserved(why.clone()),
            }
        }
        fact
    }

    /// The positions on any path upwards from the first one, nearest first. The first one is there
    /// again where a path comes round to it.
    fn path(&self) -> Vec<usize> {
        let mut issuers = self.issuers();
        let mut path = Vec::new();
        if self.certificate(0).is_some() {
            path.push(0);
        }
        let mut at = 0;
        while let Some(certificate) = path.get(at).and_then(|&position| self.certificate(position))
        {
            path.extend(issuers.take(certificate));
            at += 1;
        }
        path
    }

    fn extra(&self, path: &[usize]) -> Vec<Digest> {
        let on_path: BTreeSet<usize> = path.iter().copied().collect();
        let paths_are_known = self.unparsed().is_empty();
        let mut before = BTreeSet::new();
        let is_extra = |(at, (sha256, _)): &(usize, &(Digest, _))| {
            !before.insert(*sha256) || (paths_are_known && !on_path.contains(at))
        };
        self.members.iter().enumerate().filter(is_extra).map(|(_, (sha256, _))| *sha256).collect()
    }

    fn complete(&self, path: &[usize], view: &View<'a>) -> (Fact, Vec<Digest>) {
        if let Some((_, Err(why))) = self.members.first() {
            return (Fact::NotObserved(why.clone()), Vec::new());
        }
        let path: Vec<_> = path.iter().filter_map(|&position| self.certificate(position)).collect();
        if path.iter().any(|one| one.is_self_signed() || has_anchor(one, view)) {
            return (Fact::Yes, Vec::new());
        }
        match self.missing(&path, view) {
            Above::Anchor(missing) => {
                return match self.unless_unparsed(Fact::No) {
                    Fact::No => (Fact::No, missing),
                    unknown => (unknown, Vec::new()),
                };
            }
            Above::NoAnchor(nearest) => {
                let why = format!(
                    "{} was not sent, and no self-signed authority above it is known; it may be \
                     one itself in another form",
                    nearest.subject.text
                );
                return (self.unless_unparsed(Fact::NotObserved(why)), Vec::new());
            }
            Above::Nothing => {}
        }
        let issuers = self.issuers();
        let why = match path.iter().rev().find(|one| issuers.of(one).next().is_none()) {
            Some(last) if last.issuer.text.is_empty() => "its issuer has no name".to_owned(),
            Some(last) => format!("the issuer {} was seen nowhere", last.issuer.text),
            None => "the certificates issue each other in a circle".to_owned(),
        };
        (self.unless_unparsed(Fact::NotObserved(why)), Vec::new())
    }

    /// Walks up from the path through what the inventory knows, nearest first.
    fn missing(&self, path: &[&'a Certificate], view: &View<'a>) -> Above<'a> {
        struct Step<'a> {
            certificate: &'a Certificate,
            sha256: Digest,
            below: Option<usize>,
        }
        let mut seen: BTreeSet<Digest> = self.members.iter().map(|(sha256, _)| *sha256).collect();
        let mut steps: Vec<Step<'a>> = Vec::new();
        let mut climb = |certificate: &Certificate, below, steps: &mut Vec<Step<'a>>| {
            for asset in view.issuers(certificate) {
                let Some(certificate) = asset.certificate() else { continue };
                if steps.len() < MOST_STEPS && seen.insert(asset.id.sha256) {
                    steps.push(Step { certificate, sha256: asset.id.sha256, below });
                }
            }
        };
        for certificate in path {
            climb(certificate, None, &mut steps);
        }
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            let certificate = step.certificate;
            if has_anchor(certificate, view) {
                break;
            }
            climb(certificate, Some(at), &mut steps);
            at += 1;
        }
        let mut way = Vec::new();
        let mut next = steps.get(at);
        while let Some(step) = next {
            way.push(step.sha256);
            next = step.below.and_then(|below| steps.get(below));
        }
        way.reverse();
        match steps.first() {
            None => Above::Nothing,
            Some(nearest) if way.is_empty() => Above::NoAnchor(nearest.certificate),
            Some(_) => Above::Anchor(way),
        }
    }

    /// The certificates by what they may have issued; of equal ones the first.
    fn issuers(&self) -> Issuers<'a, usize> {
        let mut issuers = Issuers::new();
        let mut before = BTreeSet::new();
        for (at, (sha256, member)) in self.members.iter().enumerate() {
            if let (true, Ok(certificate)) = (before.insert(*sha256), member) {
                issuers.insert(certificate, at);
            }
        }
        issuers
    }

    fn certificate(&self, at: usize) -> Option<&'a Certificate> {
        self.members.get(at).and_then(|(_, member)| member.as_ref().ok().copied())
    }

    fn unparsed(&self) -> Vec<Digest> {
        self.members.iter().filter(|(_, member)| member.is_err()).map(|(id, _)| *id).collect()
    }

    /// What was found by not finding, as far as everything could be looked at.
    fn unless_unparsed(&self, found: Fact) -> Fact {
        match self.members.iter().find_map(|(_, member)| member.as_ref().err()) {
            Some(why) => Fact::NotObserved(why.clone()),
            None => found,
        }
    }
}

/// Whether the inventory knows a self-signed authority that this certificate names as its issuer,
/// or an issuer whose name and key a self-signed one has too: key identifiers are made in more than
/// one way (RFC 5280, 4.2.1.2), and those of two forms of one authority need not agree.
fn has_anchor(certificate: &Certificate, view: &View<'_>) -> bool {
    let issuers = view.issuers(certificate).filter_map(Asset::certificate);
    // Each key once: strangers decide how many certificates have the same one.
    let keys: BTreeSet<Digest> = issuers.map(|issuer| issuer.spki).collect();
    let mut forms = keys.iter().flat_map(|key| view.certificates_of(*key));
    forms.any(|asset| {
        asset.certificate().is_some_and(|form| {
            let same_name = form.subject.sha256 == certificate.issuer.sha256;
            same_name && form.is_self_signed() && form.is_authority()
        })
    })
}
