//! The library, its slots, their tokens and what those can do.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use cryptoki_sys::{CK_TOKEN_INFO, CK_VERSION, CKF_TOKEN_PRESENT, CKR_BUFFER_TOO_SMALL};
use cryptoki_sys::{CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED};
use cryptoki_sys::{CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED};
use pki_tokens::wire::{MechanismAnswer, Message, Octets, SlotAnswer, TokenAnswer};

use crate::calls::{Answer, Failure, Module};
use crate::channel::Answers;

/// No longer list is asked for.
const MOST: usize = 4096;

/// No more tokens are told with what they can do. Empty slots are small.
const MOST_TOKENS: usize = 256;

/// No more mechanisms of a token are told: the standard knows some 400.
const MOST_OF_TOKEN: usize = 1024;

/// No more of them are told of all tokens.
const MOST_MECHANISMS: usize = 65_536;

/// A list that never fits has grown this often since its length was asked for.
const TRIES: usize = 6;

/// Tells what the library says of itself.
pub(crate) fn library(module: &mut Module, answers: &mut Answers) -> io::Result<()> {
    match module.info() {
        Ok(info) => answers.say(&Message::Library {
            manufacturer: octets(&info.manufacturerID),
            description: octets(&info.libraryDescription),
            version: version(info.libraryVersion),
            interface: version(info.cryptokiVersion),
        }),
        // Its tokens can be read all the same. What it did not tell is not made up.
        Err(failure) => answers.failed(None, "C_GetInfo", &failure, ""),
    }
}

/// Tells each slot, and gives their tokens as they were told.
pub(crate) fn tell(
    module: &mut Module,
    answers: &mut Answers,
) -> io::Result<BTreeMap<u64, TokenAnswer>> {
    let mut tokens = BTreeMap::new();
    let slots = match list(|place| module.slot_list(place)) {
        Ok(slots) => slots,
        Err(failure) => {
            answers.failed(None, "C_GetSlotList", &failure, "")?;
            return Ok(tokens);
        }
    };
    let mut listed = BTreeSet::new();
    let slots: Vec<u64> = slots.into_iter().filter(|id| listed.insert(*id)).collect();
    let mut left = MOST_MECHANISMS;
    for (at, id) in slots.iter().copied().enumerate() {
        if tokens.len() == MOST_TOKENS {
            let more = slots.len() - at;
            let failure = Failure::Nonsense(format!(
                "{more} slots behind the first {MOST_TOKENS} tokens were left out"
            ));
            answers.failed(None, "C_GetSlotList", &failure, "")?;
            break;
        }
        let info = match module.slot_info(id) {
            Ok(info) => info,
            Err(failure) => {
                answers.failed(Some(id), "C_GetSlotInfo", &failure, "")?;
                continue;
            }
        };
        let mut slot = SlotAnswer {
            id,
            description: octets(&info.slotDescription),
            manufacturer: octets(&info.manufacturerID),
            flags: info.flags,
            token: None,
            mechanisms: None,
        };
        if info.flags & CKF_TOKEN_PRESENT != 0 {
            match module.token_info(id) {
                Ok(info) => {
                    let token = token(&info);
                    tokens.insert(id, token.clone());
                    slot.token = Some(token);
                    slot.mechanisms = mechanisms(module, answers, id, &mut left)?;
                }
                // Taken out since the slot was asked.
                Err(Failure::Returned(CKR_TOKEN_NOT_PRESENT)) => {}
                Err(failure) => {
                    let at = match failure {
                        Failure::Returned(CKR_TOKEN_NOT_RECOGNIZED) => "a token of another kind",
                        _ => "",
                    };
                    answers.failed(Some(id), "C_GetTokenInfo", &failure, at)?;
                }
            }
        }
        answers.say(&Message::Slot(Box::new(slot)))?;
    }
    Ok(tokens)
}

/// Asks for the token in a slot once more.
pub(crate) fn again(module: &mut Module, slot: u64) -> Answer<TokenAnswer> {
    module.token_info(slot).map(|info| token(&info))
}

/// Why a PIN that is meant for the token as it was told is not to be tried at the one that is there
/// now; nothing where it may be.
///
/// Tokens are changed while others are read, and the number of a slot stays. A PIN that was tried wrong
/// meanwhile, by whomever, leaves fewer attempts than whoever ordered this one knew of.
pub(crate) fn changed(told: &TokenAnswer, now: &TokenAnswer) -> Option<String> {
    let names = [
        ("label", &told.label, &now.label),
        ("manufacturer", &told.manufacturer, &now.manufacturer),
        ("model", &told.model, &now.model),
        ("serial number", &told.serial, &now.serial),
    ];
    let others: Vec<&str> =
        names.into_iter().filter(|(_, told, now)| told != now).map(|(name, ..)| name).collect();
    if !others.is_empty() {
        let others = others.join(", ");
        return Some(format!("it is no longer the token that was told, by its {others}"));
    }
    let new = |flag: u64| now.flags & !told.flags & flag != 0;
    let worse = [
        (CKF_USER_PIN_LOCKED, "its PIN is locked"),
        (CKF_USER_PIN_FINAL_TRY, "one more wrong PIN locks it"),
        (CKF_USER_PIN_COUNT_LOW, "a wrong PIN was entered"),
    ];
    let worse = worse.into_iter().find(|(flag, _)| new(*flag));
    worse.map(|(_, what)| format!("since it was told, {what}"))
}

fn token(info: &CK_TOKEN_INFO) -> TokenAnswer {
    TokenAnswer {
        label: octets(&info.label),
        manufacturer: octets(&info.manufacturerID),
        model: octets(&info.model),
        serial: octets(&info.serialNumber),
        flags: info.flags,
        sessions: info.ulSessionCount,
        max_pin: info.ulMaxPinLen,
        min_pin: info.ulMinPinLen,
        total_public: info.ulTotalPublicMemory,
        free_public: info.ulFreePublicMemory,
        total_private: info.ulTotalPrivateMemory,
        free_private: info.ulFreePrivateMemory,
        hardware: version(info.hardwareVersion),
        firmware: version(info.firmwareVersion),
        clock: octets(&info.utcTime),
    }
}

fn mechanisms(
    module: &mut Module,
    answers: &mut Answers,
    slot: u64,
    left: &mut usize,
) -> io::Result<Option<Vec<MechanismAnswer>>> {
    let numbers = match list(|place| module.mechanism_list(slot, place)) {
        Ok(numbers) => numbers,
        Err(failure) => {
            answers.failed(Some(slot), "C_GetMechanismList", &failure, "")?;
            return Ok(None);
        }
    };
    let mechanism = |number| {
        let info = module.mechanism_info(slot, number).ok();
        let info = info.map(|info| (info.ulMinKeySize, info.ulMaxKeySize, info.flags));
        MechanismAnswer { number, info }
    };
    let count = numbers.len().min(MOST_OF_TOKEN).min(*left);
    *left -= count;
    let told = numbers.iter().copied().take(count).map(mechanism).collect();
    if count < numbers.len() {
        let more = numbers.len() - count;
        let failure = Failure::Nonsense(format!("{more} mechanisms behind the first {count}"));
        answers.failed(Some(slot), "C_GetMechanismList", &failure, "left out")?;
    }
    // With none at all it would look like a token that can do nothing.
    Ok((count > 0 || numbers.is_empty()).then_some(told))
}

/// Asks for the length of a list, then for the list, until it fits (PKCS #11 v3.1, 5.2).
fn list(mut ask: impl FnMut(Option<&mut [u64]>) -> Answer<u64>) -> Answer<Vec<u64>> {
    let count = usize::try_from(ask(None)?).unwrap_or(usize::MAX);
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut place = vec![0; count.min(MOST)];
    for _ in 0..TRIES {
        match ask(Some(&mut place)) {
            Ok(written) => {
                let written = usize::try_from(written).unwrap_or(usize::MAX);
                if written > place.len() {
                    return Err(Failure::nonsense("more entries than there was room for"));
                }
                place.truncate(written);
                return Ok(place);
            }
            // A slot was added in between.
            Err(Failure::Returned(CKR_BUFFER_TOO_SMALL)) if place.len() < MOST => {
                place.resize((place.len() * 2).clamp(16, MOST), 0);
            }
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::nonsense("a list that grows whenever it is asked for"))
}

fn octets(text: &[u8]) -> Octets {
    Octets(text.to_vec())
}

fn version(version: CK_VERSION) -> (u8, u8) {
    (version.major, version.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of this length that pretends to have another one first.
    fn of(first: u64, length: usize) -> impl FnMut(Option<&mut [u64]>) -> Answer<u64> {
        move |place| match place {
            None => Ok(first),
            Some(place) if place.len() < length => Err(Failure::Returned(CKR_BUFFER_TOO_SMALL)),
            Some(place) => {
                place[..length].fill(7);
                Ok(length as u64)
            }
        }
    }

    #[test]
    fn a_list_is_asked_for_until_it_fits() {
        assert_eq!(list(of(3, 3)), Ok(vec![7; 3]));
        assert_eq!(list(of(1, 40)), Ok(vec![7; 40]));
        assert_eq!(list(of(5, 2)), Ok(vec![7; 2]));
        assert_eq!(list(of(0, 9)), Ok(Vec::new()));
        assert_eq!(list(of(u64::MAX, MOST)), Ok(vec![7; MOST]));
    }

    #[test]
    fn a_list_that_is_too_long_or_lies_is_not_believed() {
        let small = Err(Failure::Returned(CKR_BUFFER_TOO_SMALL));
        assert_eq!(list(of(u64::MAX, MOST + 1)), small);
        assert!(matches!(list(of(1, MOST)), Err(Failure::Nonsense(_))));
        assert!(matches!(list(|place| Ok(place.map_or(2, |_| 3))), Err(Failure::Nonsense(_))));
    }
}
