//! The joins that rules and reports need, computed once from an inventory.

use std::collections::{BTreeMap, BTreeSet};

use crate::issuers::Issuers;
use crate::{Asset, AssetId, Body, Certificate, Digest, Half, Inventory, Kind};

/// An inventory with its joins: keys to certificates by SPKI, certificates to lineages by name,
/// certificates to the authorities they name as issuers, members to trust stores.
#[derive(Debug)]
pub struct View<'a> {
    inventory: &'a Inventory,
    by_spki: BTreeMap<Digest, Vec<&'a Asset>>,
    by_names: BTreeMap<Vec<String>, Vec<&'a Asset>>,
    authorities: Issuers<'a, &'a Asset>,
    anchors: BTreeSet<Digest>,
    private: BTreeSet<Digest>,
}

/// What a certificate is to the organisation, as far as its places tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A server presents it as its own.
    Served,
    /// A server presents it as part of its chain.
    Chain,
    /// Its private key was seen outside: somebody here can use it.
    Held,
    /// It lies somewhere as a CA certificate, in a trust store or by itself.
    Authority,
    /// It lies somewhere; nothing shows a use.
    Stored,
}

/// One public key and everything that uses it.
#[derive(Debug)]
pub struct KeyUse<'a> {
    /// SHA-256 of the SPKI.
    pub spki: Digest,
    /// Certificates that certify it.
    pub certificates: &'a [&'a Asset],
}

impl<'a> View<'a> {
    /// Computes the joins.
    #[must_use]
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut view = Self {
            inventory,
            by_spki: BTreeMap::new(),
            by_names: BTreeMap::new(),
            authorities: Issuers::new(),
            anchors: BTreeSet::new(),
            private: BTreeSet::new(),
        };
        for asset in inventory.assets() {
            match &asset.body {
                Body::Certificate(certificate) => {
                    view.by_spki.entry(certificate.spki).or_default().push(asset);
                    view.by_names.entry(certificate.lineage_names()).or_default().push(asset);
                    if certificate.is_authority() {
                        view.authorities.insert(certificate, asset);
                    }
                }
                Body::Key(key) if has_private_half(asset) => view.private.extend(key.spki),
                Body::TrustStore(store) => view.anchors.extend(&store.members),
                _ => {}
            }
        }
        view
    }

    /// The inventory itself.
    #[must_use]
    pub fn inventory(&self) -> &'a Inventory {
        self.inventory
    }

    /// What this certificate is to the organisation.
    #[must_use]
    pub fn role(&self, asset: &Asset, certificate: &Certificate) -> Role {
        let position = asset
            .sightings()
            .filter(|sighting| sighting.place.is_network())
            .filter_map(|sighting| sighting.circumstances.chain_position)
            .min();
        match position {
            Some(0) => Role::Served,
            Some(_) => Role::Chain,
            None if self.private.contains(&certificate.spki) => Role::Held,
            None if certificate.is_authority() || self.anchors.contains(&asset.id.sha256) => {
                Role::Authority
            }
            None => Role::Stored,
        }
    }

    /// Whether it is a member of a trust store.
    #[must_use]
    pub fn is_anchor(&self, id: AssetId) -> bool {
        id.kind == Kind::Certificate && self.anchors.contains(&id.sha256)
    }

    /// The certificates that certify this key.
    #[must_use]
    pub fn certificates_of(&self, spki: Digest) -> &[&'a Asset] {
        self.by_spki.get(&spki).map_or(&[], Vec::as_slice)
    }

    /// Whether the private half of this key was seen.
    #[must_use]
    pub fn holds_private(&self, spki: Digest) -> bool {
        self.private.contains(&spki)
    }

    /// The certificates for exactly the same names, this one included.
    #[must_use]
    pub fn lineage(&self, certificate: &Certificate) -> &[&'a Asset] {
        self.by_names.get(&certificate.lineage_names()).map_or(&[], Vec::as_slice)
    }

    /// The CA certificates that this certificate [names as its issuer]
    /// (Certificate::names_as_issuer), itself included where it is self-signed. There may be several:
    /// the same authority renewed, or certified by another one as well.
    pub fn issuers<'s>(
        &'s self,
        certificate: &'s Certificate,
    ) -> impl Iterator<Item = &'a Asset> + use<'a, 's> {
        self.authorities.of(certificate).copied()
    }

    /// Every certified key, by SPKI.
    pub fn keys(&self) -> impl Iterator<Item = KeyUse<'_>> {
        self.by_spki.iter().map(|(spki, certificates)| KeyUse {
            spki: *spki,
            certificates: certificates.as_slice(),
        })
    }
}

fn has_private_half(asset: &Asset) -> bool {
    asset.sightings().any(|sighting| {
        sighting.circumstances.key.as_ref().is_some_and(|form| form.half == Half::Private)
    })
}
