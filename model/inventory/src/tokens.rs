//! The joins of tokens with what lies on them.

use std::collections::BTreeMap;

use crate::{Asset, Body, Gap, Inventory, Place, Sighting, Token, TokenObject, View};

/// The collector that reads tokens.
const COLLECTOR: &str = "pkcs11";

/// Tokens, and the objects on them.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'a> {
    tokens: BTreeMap<&'a str, (&'a Asset, &'a Token)>,
    objects: BTreeMap<&'a str, Vec<Held<'a>>>,
    keys: Vec<TokenKey<'a>>,
    gaps: Vec<&'a Gap>,
}

/// One object on a token.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The certificate, key or secret key it is.
    pub asset: &'a Asset,
    /// Where and when it was seen.
    pub sighting: &'a Sighting,
    /// What the token says of it.
    pub object: &'a TokenObject,
}

/// A private or symmetric key, with every object on a token that it is.
#[derive(Debug, Clone)]
pub struct TokenKey<'a> {
    /// The key.
    pub asset: &'a Asset,
    /// The objects, by place; at least one.
    pub objects: Vec<Held<'a>>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let gaps = inventory.gaps().filter(|gap| gap.collector == COLLECTOR).collect();
        let mut tokens = Self { gaps, ..Self::default() };
        for asset in inventory.assets() {
            if let Body::Token(token) = &asset.body {
                let places = asset.places().filter_map(Place::token_part);
                tokens.tokens.extend(places.map(|place| (place, (asset, &**token))));
            }
            let held = |sighting: &'a Sighting| {
                let object = sighting.circumstances.token.as_deref()?;
                Some(Held { asset, sighting, object })
            };
            let held: Vec<Held<'a>> = asset.sightings().filter_map(held).collect();
            for one in &held {
                if let Some(token) = one.sighting.place.token_part() {
                    tokens.objects.entry(token).or_default().push(*one);
                }
            }
            let objects: Vec<_> = held.into_iter().filter(|one| one.object.is_secret()).collect();
            if !objects.is_empty() {
                tokens.keys.push(TokenKey { asset, objects });
            }
        }
        tokens
    }
}

impl<'a> View<'a> {
    /// Every token, by place.
    pub fn tokens(&self) -> impl Iterator<Item = (&'a Asset, &'a Token)> {
        self.tokens.tokens.values().copied()
    }

    /// The token that this place is, or that it lies on.
    #[must_use]
    pub fn token_at(&self, place: &Place) -> Option<(&'a Asset, &'a Token)> {
        self.tokens.tokens.get(place.token_part()?).copied()
    }

    /// Every object on the token of this place, certificates and public keys included.
    #[must_use]
    pub fn objects_on(&self, place: &Place) -> &[Held<'a>] {
        let objects = place.token_part().and_then(|token| self.tokens.objects.get(token));
        objects.map_or(&[], Vec::as_slice)
    }

    /// What was asked for and not read of modules and tokens.
    #[must_use]
    pub fn token_gaps(&self) -> &[&'a Gap] {
        &self.tokens.gaps
    }

    /// Every private or symmetric key that lies on a token, by identity.
    pub fn token_keys(&self) -> impl Iterator<Item = &TokenKey<'a>> {
        self.tokens.keys.iter()
    }
}
