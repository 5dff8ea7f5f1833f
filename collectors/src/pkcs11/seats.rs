//! The tokens of a module in their slots, each with its place.

use pki_config::TokenDescription;
use pki_inventory::Place;
use pki_tokens::unpadded;
use pki_tokens::wire::{Message, Octets, SlotAnswer, TokenAnswer};

use super::modules::Module;

/// A token in its slot.
pub(super) struct Seat {
    pub(super) slot: SlotAnswer,
    pub(super) place: Place,
    pub(super) description: TokenDescription,
    /// `CK_TOKEN_INFO.flags`.
    pub(super) flags: u64,
}

/// Those in these slots.
pub(super) fn of(module: &Module, library: Option<&Message>, slots: Vec<SlotAnswer>) -> Vec<Seat> {
    let plain: Vec<Option<Place>> =
        slots.iter().map(|slot| pki_tokens::place(slot, false)).collect();
    let twice = |place: &Option<Place>| plain.iter().filter(|it| *it == place).count() > 1;
    let with_slot: Vec<bool> = plain.iter().map(twice).collect();
    let seats = slots.into_iter().zip(with_slot).filter_map(|(slot, with_slot)| {
        let place = module.of_token(pki_tokens::place(&slot, with_slot)?);
        let token = slot.token.as_ref()?;
        let description = description(module, library, &slot, token);
        Some(Seat { place, description, flags: token.flags, slot })
    });
    seats.collect()
}

fn description(
    module: &Module,
    library: Option<&Message>,
    slot: &SlotAnswer,
    token: &TokenAnswer,
) -> TokenDescription {
    let mut described = TokenDescription {
        token: text(&token.label),
        manufacturer: text(&token.manufacturer),
        model: text(&token.model),
        serial: text(&token.serial),
        slot_description: text(&slot.description),
        slot_manufacturer: text(&slot.manufacturer),
        slot_id: slot.id,
        module_path: module.path.clone(),
        ..TokenDescription::default()
    };
    if let Some(Message::Library { manufacturer, description, version, .. }) = library {
        described.library_manufacturer = text(manufacturer);
        described.library_description = text(description);
        described.library_version = format!("{}.{}", version.0, version.1);
    }
    described
}

fn text(octets: &Octets) -> String {
    String::from_utf8_lossy(unpadded(octets)).into_owned()
}
