//! All assets, gaps and coverages of one or many runs.

use std::collections::BTreeMap;

use crate::{
    Asset, AssetId, Body, Certificate, Coverage, Digest, Gap, GapReason, Kind, Observation, Place,
    Raw, RevocationList, Sighting, SigningRequest, TrustStore, Unparsed,
};

/// One record per thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    assets: BTreeMap<AssetId, Asset>,
    gaps: BTreeMap<(String, Place, GapReason), Gap>,
    coverage: BTreeMap<(String, String), Coverage>,
}

impl Inventory {
    /// Files one observation and names the asset it was about, if any.
    ///
    /// An encoding that does not parse is filed as [`Unparsed`] with the error; nothing is lost.
    pub fn absorb(&mut self, observation: Observation) -> Option<AssetId> {
        match observation {
            Observation::Found { raw, sighting } => self.absorb_found(raw, sighting),
            Observation::Missed(gap) => {
                self.add_gap(gap);
                None
            }
            Observation::Unchanged(_)
            | Observation::LoginTried(_)
            | Observation::LoginCleared(_) => None,
            Observation::Covered { collector, scope, coverage } => {
                self.add_coverage(collector, scope, coverage);
                None
            }
        }
    }

    fn absorb_found(&mut self, raw: Raw, sighting: Sighting) -> Option<AssetId> {
        let (id, body) = match raw {
            Raw::Certificate(der) => self.parse_once(Kind::Certificate, der, |der| {
                Certificate::parse(der).map(|certificate| Body::Certificate(Box::new(certificate)))
            }),
            Raw::RevocationList(der) => self.parse_once(Kind::RevocationList, der, |der| {
                RevocationList::parse(der).map(|list| Body::RevocationList(Box::new(list)))
            }),
            Raw::SigningRequest(der) => self.parse_once(Kind::SigningRequest, der, |der| {
                SigningRequest::parse(der).map(|request| Body::SigningRequest(Box::new(request)))
            }),
            Raw::Key { id, key } => (AssetId::new(Kind::Key, id), Some(Body::Key(key))),
            Raw::Keystore { id, keystore } => {
                (AssetId::new(Kind::Keystore, id), Some(Body::Keystore(keystore)))
            }
            Raw::Endpoint(endpoint) => {
                (AssetId::at(Kind::Endpoint, &sighting.place), Some(Body::Endpoint(endpoint)))
            }
            Raw::Token(token) => {
                (AssetId::at(Kind::Token, &sighting.place), Some(Body::Token(token)))
            }
            Raw::SecretKey(key) => {
                (AssetId::at(Kind::SecretKey, &sighting.place), Some(Body::SecretKey(key)))
            }
            Raw::Automation(automation) => {
                let id = AssetId::at(Kind::Automation, &sighting.place);
                (id, Some(Body::Automation(automation)))
            }
            Raw::Configuration(configuration) => {
                let id = AssetId::at(Kind::Configuration, &sighting.place);
                (id, Some(Body::Configuration(configuration)))
            }
            Raw::Authority(authority) => {
                (AssetId::named(Kind::Authority, &authority.dn), Some(Body::Authority(authority)))
            }
            Raw::Template(template) => {
                (AssetId::named(Kind::Template, &template.dn), Some(Body::Template(template)))
            }
            Raw::DirectoryObject(object) => {
                let id = AssetId::named(Kind::DirectoryObject, &object.dn);
                (id, Some(Body::DirectoryObject(object)))
            }
            Raw::Issuance(issuance) => {
                (AssetId::new(Kind::Issuance, issuance.digest()), Some(Body::Issuance(issuance)))
            }
            Raw::Unparsed { id, unparsed } => {
                (AssetId::new(Kind::Unparsed, id), Some(Body::Unparsed(unparsed)))
            }
            Raw::Bundle(members) => {
                let store = self.trust_store(members)?;
                (AssetId::new(Kind::TrustStore, store.digest()), Some(Body::TrustStore(store)))
            }
        };
        match (self.assets.get_mut(&id), body) {
            (Some(known), None) => known.see(sighting),
            (_, Some(body)) => {
                let mut asset = Asset::new(id, body);
                asset.see(sighting);
                self.add(asset);
            }
            // `parse_once` leaves the body out only for an asset that is here.
            (None, None) => return None,
        }
        Some(id)
    }

    /// The same certificate lies in hundreds of places; its encoding is parsed the first time only.
    fn parse_once(
        &self,
        kind: Kind,
        der: Vec<u8>,
        parse: impl FnOnce(Vec<u8>) -> Result<Body, String>,
    ) -> (AssetId, Option<Body>) {
        let digest = Digest::of(&der);
        let (id, unparsed) = (AssetId::new(kind, digest), AssetId::new(Kind::Unparsed, digest));
        if self.assets.contains_key(&id) {
            return (id, None);
        }
        // The same octets may have been handed in as something else before, and are what they
        // claim to be only now: then they are parsed all the same.
        let failed_before = self.assets.get(&unparsed).is_some_and(
            |asset| matches!(&asset.body, Body::Unparsed(before) if before.claimed == kind.name()),
        );
        if failed_before {
            return (unparsed, None);
        }
        let length = der.len();
        match parse(der) {
            Ok(body) => (id, Some(body)),
            Err(error) => {
                let body = Unparsed { claimed: kind.name().to_owned(), length, error };
                (unparsed, Some(Body::Unparsed(body)))
            }
        }
    }

    /// A bundle is a trust store when it holds enough CA certificates and hardly anything else:
    /// people add a self-signed server certificate to the roots of a host, and it stays one.
    fn trust_store(&self, members: Vec<Digest>) -> Option<TrustStore> {
        let store = TrustStore { members: members.into_iter().collect() };
        let is_authority = |member: &&Digest| {
            self.get(AssetId::new(Kind::Certificate, **member))
                .and_then(Asset::certificate)
                .is_some_and(Certificate::is_authority)
        };
        let authorities = store.members.iter().filter(is_authority).count();
        let hardly_else = authorities * 10 >= store.members.len() * 9;
        (authorities >= TrustStore::LEAST_MEMBERS && hardly_else).then_some(store)
    }

    /// Files an asset, merging it with what is known of it.
    pub fn add(&mut self, asset: Asset) {
        match self.assets.get_mut(&asset.id) {
            Some(known) => known.merge(asset),
            None => {
                self.assets.insert(asset.id, asset);
            }
        }
    }

    /// Files a gap.
    pub fn add_gap(&mut self, gap: Gap) {
        let key = (gap.collector.clone(), gap.place.clone(), gap.reason);
        match self.gaps.get_mut(&key) {
            Some(known) => {
                if (gap.last_seen, &gap.detail) > (known.last_seen, &known.detail) {
                    known.detail = gap.detail;
                }
                known.first_seen = known.first_seen.min(gap.first_seen);
                known.last_seen = known.last_seen.max(gap.last_seen);
            }
            None => {
                self.gaps.insert(key, gap);
            }
        }
    }

    /// Files how much of a scope was read; the later of two counts.
    pub fn add_coverage(&mut self, collector: String, scope: String, coverage: Coverage) {
        let known = self.coverage.entry((collector, scope)).or_insert_with(|| coverage.clone());
        if coverage > *known {
            *known = coverage;
        }
    }

    /// Lays another inventory over this one. Commutative and idempotent.
    pub fn merge(&mut self, other: Self) {
        for asset in other.assets.into_values() {
            self.add(asset);
        }
        for gap in other.gaps.into_values() {
            self.add_gap(gap);
        }
        for ((collector, scope), coverage) in other.coverage {
            self.add_coverage(collector, scope, coverage);
        }
    }

    /// All assets, by kind and digest.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    /// One asset.
    #[must_use]
    pub fn get(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(&id)
    }

    /// All gaps, by collector and place.
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.values()
    }

    /// How much was read, by collector and scope.
    pub fn coverage(&self) -> impl Iterator<Item = (&str, &str, &Coverage)> {
        self.coverage.iter().map(|((collector, scope), c)| (collector.as_str(), scope.as_str(), c))
    }
}
