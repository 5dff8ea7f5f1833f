//! What directories and authorities' records say, joined: who publishes which template, which object
//! plays which part, what an authority recorded of a certificate.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Asset, AssetId, Authority, Body, Certificate, Digest, DirectoryObject, DirectoryRole,
    Inventory, Issuance, Kind, RevocationList, Template, Time, View,
};

/// The directory assets of an inventory.
#[derive(Debug, Default)]
pub(crate) struct Directories<'a> {
    authorities: Vec<(&'a Asset, &'a Authority)>,
    /// By name in lower case; two forests may each have a template of one name.
    templates: BTreeMap<String, Vec<(&'a Asset, &'a Template)>>,
    objects: BTreeMap<DirectoryRole, Vec<(&'a Asset, &'a DirectoryObject)>>,
    /// By serial number.
    records: BTreeMap<&'a str, Vec<(&'a Asset, &'a Issuance)>>,
    /// Common names of the authorities whose records were read, in lower case, with the start of
    /// the first and of the last certificate in them.
    recorded: BTreeMap<String, (Option<Time>, Option<Time>)>,
    /// The authorities that publish a template, by its forest and its name in lower case.
    publishers: BTreeMap<(String, String), Vec<(&'a Asset, &'a Authority)>>,
    /// The templates that say they replace one, likewise.
    successors: BTreeMap<(String, String), Vec<(&'a Asset, &'a Template)>>,
    /// The forests whose authorities were looked for.
    with_authorities: BTreeSet<String>,
    /// Revocation lists by the name of their issuer.
    lists: BTreeMap<Digest, Vec<(&'a Asset, &'a RevocationList)>>,
}

impl<'a> Directories<'a> {
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let mut all = Self::default();
        for asset in inventory.assets() {
            match &asset.body {
                Body::Authority(body) => {
                    all.authorities.push((asset, body));
                    let forest = forest(&body.dn);
                    let names: BTreeSet<String> =
                        body.templates.iter().map(|name| name.to_lowercase()).collect();
                    for name in names {
                        let by = all.publishers.entry((forest.clone(), name)).or_default();
                        by.push((asset, &**body));
                    }
                    all.with_authorities.insert(forest);
                }
                Body::Template(body) => {
                    let name = body.name.to_lowercase();
                    all.templates.entry(name).or_default().push((asset, body));
                    let replaced: BTreeSet<String> =
                        body.supersedes.iter().map(|name| name.to_lowercase()).collect();
                    for name in replaced {
                        let by = all.successors.entry((forest(&body.dn), name)).or_default();
                        by.push((asset, &**body));
                    }
                }
                Body::DirectoryObject(body) => {
                    all.objects.entry(body.role).or_default().push((asset, body));
                    let is_theirs = body.role == DirectoryRole::Container
                        && body.dn.to_lowercase().starts_with("cn=enrollment services,");
                    if is_theirs {
                        all.with_authorities.insert(forest(&body.dn));
                    }
                }
                Body::RevocationList(body) => {
                    all.lists.entry(body.issuer.sha256).or_default().push((asset, body));
                }
                Body::Issuance(body) => {
                    if let Some(serial) = &body.serial {
                        all.records.entry(serial).or_default().push((asset, body));
                    }
                    if let Some(authority) = &body.authority {
                        let (first, last) =
                            all.recorded.entry(authority.to_lowercase()).or_default();
                        *first = [*first, body.not_before].into_iter().flatten().min();
                        *last = (*last).max(body.not_before);
                    }
                }
                _ => {}
            }
        }
        all
    }
}

impl<'a> View<'a> {
    /// Every authority that a directory registers.
    #[must_use]
    pub fn authorities(&self) -> &[(&'a Asset, &'a Authority)] {
        &self.directories.authorities
    }

    /// Every template, by name.
    pub fn templates(&self) -> impl Iterator<Item = (&'a Asset, &'a Template)> {
        self.directories.templates.values().flatten().copied()
    }

    /// Every object of a directory that plays this part.
    #[must_use]
    pub fn directory_objects(&self, role: DirectoryRole) -> &[(&'a Asset, &'a DirectoryObject)] {
        self.directories.objects.get(&role).map_or(&[], Vec::as_slice)
    }

    /// The authorities that publish a template: those of the same directory that name it.
    #[must_use]
    pub fn publishers(&self, template: &Template) -> Vec<(&'a Asset, &'a Authority)> {
        let published = (forest(&template.dn), template.name.to_lowercase());
        self.directories.publishers.get(&published).cloned().unwrap_or_default()
    }

    /// Whether the authorities of the forest that an entry belongs to were looked for: without them it
    /// is not known who publishes what.
    #[must_use]
    pub fn reads_authorities(&self, dn: &str) -> bool {
        self.directories.with_authorities.contains(&forest(dn))
    }

    /// What entries of one forest have in common: names of templates, policies and roots mean the same
    /// within it only.
    #[must_use]
    pub fn forest_of(dn: &str) -> String {
        forest(dn)
    }

    /// The revocation lists in the name of an issuer, by the digest of that name.
    #[must_use]
    pub fn lists_of(&self, issuer: Digest) -> &[(&'a Asset, &'a RevocationList)] {
        self.directories.lists.get(&issuer).map_or(&[], Vec::as_slice)
    }

    /// The templates that an authority publishes, as far as they were read, by name.
    #[must_use]
    pub fn published_by(&self, authority: &Authority) -> Vec<(&'a Asset, &'a Template)> {
        let named = authority.templates.iter().map(|name| name.to_lowercase());
        let named: BTreeSet<String> = named.collect();
        let found = named.iter().filter_map(|name| self.directories.templates.get(name)).flatten();
        let own = forest(&authority.dn);
        found.filter(|(_, template)| forest(&template.dn) == own).copied().collect()
    }

    /// The published templates that replace a template.
    #[must_use]
    pub fn successors(&self, template: &Template) -> Vec<(&'a Asset, &'a Template)> {
        let replaced = (forest(&template.dn), template.name.to_lowercase());
        let by = self.directories.successors.get(&replaced).into_iter().flatten();
        by.filter(|(_, other)| !self.publishers(other).is_empty()).copied().collect()
    }

    /// The certificate with this digest, where it is in the inventory.
    #[must_use]
    pub fn certificate(&self, digest: Digest) -> Option<(&'a Asset, &'a Certificate)> {
        let asset = self.inventory().get(AssetId::new(Kind::Certificate, digest))?;
        Some((asset, asset.certificate()?))
    }

    /// Whether the records of the authority that a certificate names as its issuer were read; then
    /// what they say of it.
    #[must_use]
    pub fn records_of_issuer(&self, certificate: &Certificate) -> Option<Vec<&'a Issuance>> {
        let issuer = certificate.issuer.common_name.as_ref()?.to_lowercase();
        if !self.directories.recorded.contains_key(&issuer) {
            return None;
        }
        let serial = certificate.serial.trim_start_matches('0');
        let found = self.directories.records.get(serial).into_iter().flatten();
        let of_issuer = found.filter(|(_, record)| {
            record.authority.as_ref().is_some_and(|name| name.to_lowercase() == issuer)
        });
        Some(of_issuer.map(|(_, record)| *record).collect())
    }

    /// When the last certificate began that the records of an authority of this name have.
    #[must_use]
    pub fn last_recorded(&self, authority: &str) -> Option<Time> {
        self.directories.recorded.get(&authority.to_lowercase())?.1
    }

    /// When the first one began.
    #[must_use]
    pub fn first_recorded(&self, authority: &str) -> Option<Time> {
        self.directories.recorded.get(&authority.to_lowercase())?.0
    }
}

/// What stands behind `CN=Public Key Services` in a distinguished name: templates and authorities of
/// one forest have it in common.
fn forest(dn: &str) -> String {
    let dn = dn.to_lowercase();
    dn.split_once("cn=public key services,").map_or(dn.clone(), |(_, rest)| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Observation, Place, Raw, Sighting};

    const SERVICES: &str = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=example";

    fn add(inventory: &mut Inventory, raw: Raw) {
        let sighting = Sighting::at(Place::directory("corp.example", "x"), "directory", Time(0));
        inventory.absorb(Observation::found(raw, sighting));
    }

    fn template(name: &str, supersedes: &[&str], services: &str) -> Raw {
        Raw::Template(Box::new(Template {
            name: name.to_owned(),
            dn: format!("CN={name},CN=Certificate Templates,{services}"),
            supersedes: supersedes.iter().map(|name| (*name).to_owned()).collect(),
            ..Template::default()
        }))
    }

    fn authority(name: &str, templates: &[&str]) -> Raw {
        Raw::Authority(Box::new(Authority {
            name: name.to_owned(),
            dn: format!("CN={name},CN=Enrollment Services,{SERVICES}"),
            templates: templates.iter().map(|name| (*name).to_owned()).collect(),
            ..Authority::default()
        }))
    }

    #[test]
    fn a_template_is_published_by_authorities_of_its_forest_that_name_it_in_any_case() {
        let mut inventory = Inventory::default();
        let other = SERVICES.replace("corp", "other");
        add(&mut inventory, template("Web", &[], SERVICES));
        add(&mut inventory, template("Web", &[], &other));
        add(&mut inventory, template("Web2", &["web"], &SERVICES.to_uppercase()));
        add(&mut inventory, authority("One", &["WEB", "Gone", "Web2"]));
        add(&mut inventory, authority("Two", &[]));
        let view = View::of(&inventory);
        assert_eq!(view.authorities().len(), 2);
        let published: Vec<(String, Vec<&str>)> = view
            .templates()
            .map(|(_, template)| {
                let by = view.publishers(template).into_iter();
                (template.dn.clone(), by.map(|(_, authority)| authority.name.as_str()).collect())
            })
            .collect();
        for (dn, by) in &published {
            let expected: &[&str] = if dn.contains("DC=other") { &[] } else { &["One"] };
            assert_eq!(by, expected, "{dn}");
        }
        assert_eq!(published.len(), 3);
        let (_, one) = view.authorities().iter().find(|(_, a)| a.name == "One").copied().unwrap();
        assert_eq!(view.published_by(one).len(), 2);
        let successors = |services: &str| {
            let found = view.templates().find(|(_, t)| t.name == "Web" && t.dn.contains(services));
            view.successors(found.unwrap().1).len()
        };
        assert_eq!((successors("DC=corp"), successors("DC=other")), (1, 0));
    }
}
