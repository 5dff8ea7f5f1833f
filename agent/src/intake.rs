//! Makes assets of what collectors hand in, each encoding parsed once as far as can be remembered.

use std::collections::BTreeMap;
use std::mem;

use pki_inventory::{
    Asset, AssetId, Body, Certificate, Digest, Inventory, Kind, Observation, Raw, Sighting,
    Unparsed,
};

/// The collector that reads directories, and dumps of them. It knows no bundles.
const DIRECTORIES: &str = "directory";

/// What a run has seen so far, as far as it is needed to understand what comes next.
///
/// What lies in files is remembered as a whole: a bundle is understood by its members. Of what the
/// network shows only certificates seen lately are: they come again and again in chains, and a scan of
/// a million servers must not need memory for each. Of directories nothing is: of a million accounts
/// each has a certificate of its own.
#[derive(Default)]
pub struct Intake {
    files: Inventory,
    presented: Recent,
}

impl Intake {
    /// The asset that was seen, with this sighting alone; `None` when it comes to none, such as a
    /// bundle that is no trust store.
    pub fn take(&mut self, raw: Raw, sighting: Sighting) -> Option<Asset> {
        let seen = sighting.clone();
        let (id, body) = if sighting.collector == DIRECTORIES {
            alone(raw, sighting)?
        } else if sighting.place.is_network() {
            self.presented.parse(raw, sighting)?
        } else {
            let id = self.files.absorb(Observation::Found { raw, sighting })?;
            (id, self.files.get(id)?.body.clone())
        };
        let mut asset = Asset::new(id, body);
        asset.see(seen);
        Some(asset)
    }
}

/// Parses what needs nothing else to be understood.
fn alone(raw: Raw, sighting: Sighting) -> Option<(AssetId, Body)> {
    let raw = match raw {
        // There may be a million of them; an inventory would have to give away a copy.
        Raw::Certificate(der) => return Some(certificate(der)),
        raw => raw,
    };
    let mut alone = Inventory::default();
    let id = alone.absorb(Observation::Found { raw, sighting })?;
    Some((id, alone.get(id)?.body.clone()))
}

/// The same asset as an inventory makes of it that knows no other.
fn certificate(der: Vec<u8>) -> (AssetId, Body) {
    let (digest, length) = (Digest::of(&der), der.len());
    match Certificate::parse(der) {
        Ok(parsed) => {
            (AssetId::new(Kind::Certificate, digest), Body::Certificate(Box::new(parsed)))
        }
        Err(error) => {
            let claimed = Kind::Certificate.name().to_owned();
            let unparsed = Unparsed { claimed, length, error };
            (AssetId::new(Kind::Unparsed, digest), Body::Unparsed(unparsed))
        }
    }
}

/// Certificates seen lately: of the two halves the older one is forgotten when the younger one is
/// full, and what is seen again is young again.
#[derive(Default)]
struct Recent {
    young: BTreeMap<Digest, (AssetId, Body)>,
    old: BTreeMap<Digest, (AssetId, Body)>,
}

/// As many as one half holds: some MiB of certificates.
const HALF: usize = 512;

impl Recent {
    fn parse(&mut self, raw: Raw, sighting: Sighting) -> Option<(AssetId, Body)> {
        let digest = match &raw {
            Raw::Certificate(der) => Some(Digest::of(der)),
            _ => None,
        };
        if let Some(known) = digest.and_then(|digest| self.known(digest)) {
            return Some(known);
        }
        let parsed = alone(raw, sighting)?;
        if let Some(digest) = digest {
            self.remember(digest, parsed.clone());
        }
        Some(parsed)
    }

    fn known(&mut self, digest: Digest) -> Option<(AssetId, Body)> {
        if let Some(known) = self.young.get(&digest) {
            return Some(known.clone());
        }
        let known = self.old.remove(&digest)?;
        self.remember(digest, known.clone());
        Some(known)
    }

    fn remember(&mut self, digest: Digest, parsed: (AssetId, Body)) {
        if self.young.len() >= HALF {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(digest, parsed);
    }
}

#[cfg(test)]
mod tests {
    use pki_inventory::{Place, Time};

    use super::*;

    fn at(place: &str) -> Sighting {
        Sighting::at(place.parse::<Place>().expect("a place"), "test", Time(0))
    }

    fn presented(number: u16) -> Raw {
        Raw::Certificate(number.to_be_bytes().to_vec())
    }

    #[test]
    fn each_asset_comes_with_the_sighting_at_hand_alone() {
        let mut intake = Intake::default();
        for place in ["tls://192.0.2.1:443", "tls://192.0.2.2:443", "file:///a", "file:///b"] {
            let asset = intake.take(presented(1), at(place)).expect("an asset");
            assert_eq!(asset.id.kind, Kind::Unparsed);
            let places: Vec<String> = asset.places().map(ToString::to_string).collect();
            assert_eq!(places, [place]);
        }
    }

    #[test]
    fn what_the_network_shows_is_forgotten_and_parsed_again() {
        let mut intake = Intake::default();
        for round in 0..2 {
            for number in 0..3000 {
                let asset = intake.take(presented(number), at("tls://192.0.2.1:443"));
                let digest = Digest::of(&number.to_be_bytes());
                assert_eq!(asset.map(|a| a.id.sha256), Some(digest), "round {round}");
                // The same intermediate comes with every chain and stays.
                intake.take(presented(7), at("tls://192.0.2.1:443")).expect("an asset");
                let held = intake.presented.young.len() + intake.presented.old.len();
                assert!(held <= 2 * HALF, "{held} are held");
            }
            assert!(intake.presented.known(Digest::of(&7_u16.to_be_bytes())).is_some());
            assert!(intake.presented.known(Digest::of(&8_u16.to_be_bytes())).is_none());
        }
        assert_eq!(intake.files, Inventory::default());
    }

    #[test]
    fn nothing_that_directories_hold_is_remembered() {
        let mut intake = Intake::default();
        for number in 0..3000 {
            for place in ["ldap://corp.example/CN=x", "file:///srv/dump.ldif!/CN=x#1"] {
                let seen = Sighting { collector: DIRECTORIES.to_owned(), ..at(place) };
                assert!(intake.take(presented(number), seen).is_some());
            }
        }
        assert!(intake.presented.young.is_empty() && intake.presented.old.is_empty());
        assert_eq!(intake.files, Inventory::default());
    }
}
