//! The joins that rules and reports need, computed once from an inventory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::directories::Directories;
use crate::disk::Disk;
use crate::drift::Comparisons;
use crate::issuers::Issuers;
use crate::lineage::Lineage;
use crate::settings::Settings;
use crate::starting::{Start, starts};
use crate::tokens::Tokens;
use crate::{Asset, AssetId, Body, Certificate, Digest, Half, Inventory, Kind, Time};

/// An inventory with its joins: keys to certificates by SPKI, certificates to lineages by name,
/// certificates to the authorities they name as issuers, members to trust stores; by path:
/// certificates to the automation that manages them, endpoints to the settings behind them, both to
/// the keystores and private keys.
#[derive(Debug)]
pub struct View<'a> {
    inventory: &'a Inventory,
    by_spki: BTreeMap<Digest, Vec<&'a Asset>>,
    by_names: BTreeMap<Vec<String>, Lineage<'a>>,
    authorities: Issuers<'a, &'a Asset>,
    anchors: BTreeSet<Digest>,
    private: BTreeSet<Digest>,
    pub(crate) disk: Disk<'a>,
    pub(crate) settings: Settings<'a>,
    pub(crate) comparisons: OnceLock<Comparisons>,
    pub(crate) starts: BTreeMap<AssetId, Start>,
    pub(crate) directories: Directories<'a>,
    pub(crate) tokens: Tokens<'a>,
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
        let disk = Disk::of(inventory);
        let settings = Settings::of(inventory, &disk);
        let mut view = Self {
            inventory,
            by_spki: BTreeMap::new(),
            by_names: BTreeMap::new(),
            authorities: Issuers::new(),
            anchors: BTreeSet::new(),
            private: BTreeSet::new(),
            disk,
            settings,
            comparisons: OnceLock::new(),
            starts: BTreeMap::new(),
            directories: Directories::of(inventory),
            tokens: Tokens::of(inventory),
        };
        let mut by_names: BTreeMap<Vec<String>, Vec<&'a Asset>> = BTreeMap::new();
        for asset in inventory.assets() {
            match &asset.body {
                Body::Certificate(certificate) => {
                    view.by_spki.entry(certificate.spki).or_default().push(asset);
                    by_names.entry(certificate.lineage_names()).or_default().push(asset);
                    if certificate.is_authority() {
                        view.authorities.insert(certificate, asset);
                    }
                }
                Body::Key(key) if has_private_half(asset) => view.private.extend(key.spki),
                Body::TrustStore(store) => view.anchors.extend(&store.members),
                _ => {}
            }
        }
        view.starts = starts(inventory, &view.disk);
        let lineages = by_names.into_iter();
        view.by_names =
            lineages.map(|(names, assets)| (names, Lineage::of(assets, &view.disk))).collect();
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
        self.lineage_of(certificate).map_or(&[], |lineage| &lineage.assets)
    }

    /// The newest certificate for the same names and with the same algorithm of its key that these
    /// traces of automation manage, or any trace where none are given, with one that does.
    #[must_use]
    pub fn newest_kept(
        &self,
        certificate: &Certificate,
        traces: Option<&[&Asset]>,
    ) -> Option<(&'a Certificate, &'a Asset)> {
        self.lineage_of(certificate)?.newest_kept(certificate, traces)
    }

    /// Whether a certificate for the same names begins later than this one and ends no sooner than
    /// at this instant.
    #[must_use]
    pub fn is_outlasted(&self, certificate: &Certificate, until: Time) -> bool {
        let lineage = self.lineage_of(certificate);
        lineage.is_some_and(|lineage| lineage.is_outlasted(certificate, until))
    }

    /// Whether a newer certificate for the same names was seen: with the same algorithm of its key
    /// anywhere, with another one where the same trace of automation manages both.
    #[must_use]
    pub fn is_renewed(&self, asset: &Asset, certificate: &Certificate) -> bool {
        let traces = self.automation_of(asset);
        let lineage = self.lineage_of(certificate);
        lineage.is_some_and(|lineage| lineage.is_renewed(certificate, &traces))
    }

    pub(crate) fn lineage_of(&self, certificate: &Certificate) -> Option<&Lineage<'a>> {
        self.by_names.get(&certificate.lineage_names())
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

    /// Every key that no certificate certifies, by SPKI, with what is known of it.
    pub fn bare_keys(&self) -> impl Iterator<Item = (Digest, &[&'a Asset])> {
        let all = self.disk.keys.iter().filter(|(spki, _)| !self.by_spki.contains_key(spki));
        all.map(|(spki, assets)| (*spki, assets.as_slice()))
    }

    /// The records of this key, wherever it was seen outside of certificates.
    #[must_use]
    pub fn records_of(&self, spki: Digest) -> &[&'a Asset] {
        self.disk.keys.get(&spki).map_or(&[], Vec::as_slice)
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
