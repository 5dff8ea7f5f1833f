//! A module that crashes, hangs, leaves, prints or fails costs what comes after, and nothing before.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use pki_tokens::wire::{Message, Octets};

use crate::process::{Conversation, Heard, RIGHT, hear, hear_as_user, pin_of};

const PUBLIC: [(u64, &str); 3] = [(1, "Root"), (2, "Root"), (4, "Wrapping")];

fn labels(heard: &Heard) -> Vec<(u64, String)> {
    heard.labels()
}

fn owned(labels: &[(u64, &str)]) -> Vec<(u64, String)> {
    labels.iter().map(|(class, label)| (*class, (*label).to_owned())).collect()
}

#[test]
fn a_token_is_read_without_a_login_where_none_is_ordered() {
    let heard = hear("");
    let library = heard.messages.first().unwrap();
    let Message::Library { manufacturer, version: (1, 7), interface: (2, 40), .. } = library else {
        panic!("{library:?}");
    };
    let mut expected = b"pkimm tests".to_vec();
    expected.resize(32, b' ');
    assert_eq!(*manufacturer, Octets(expected));
    let Message::Slot(slot) = &heard.messages[1] else { panic!("{heard:?}") };
    let token = slot.token.as_ref().unwrap();
    assert_eq!((slot.id, slot.flags, token.flags), (7, 1, 0x40d));
    assert_eq!((token.hardware, token.firmware, token.sessions), ((1, 2), (3, 4), u64::MAX));
    let mechanisms = slot.mechanisms.as_ref().unwrap();
    assert_eq!(mechanisms.len(), 3);
    assert_eq!(mechanisms[1].info, Some((256, 256, 0x2800)));
    assert_eq!(heard.messages[2], Message::SlotsEnd);
    assert_eq!(labels(&heard), owned(&PUBLIC));
    let counts = vec![(0, 0), (1, 1), (2, 1), (3, 0), (4, 1), (10, 0)];
    assert!(heard.has(&Message::ReadEnd { slot: 7, counts, truncated: false }), "{heard:?}");
    assert_eq!(heard.failures(), []);
    assert_eq!(heard.notes, "", "nothing but what only reads is called");
    assert!(heard.calls().is_some());
}

#[test]
fn after_one_login_only_what_was_hidden_is_read() {
    let heard = hear_as_user("");
    let mut expected = owned(&PUBLIC);
    expected.push((3, "Root".to_owned()));
    assert_eq!(labels(&heard), expected);
    let at = |wanted: &Message| heard.messages.iter().position(|message| message == wanted);
    let begins = at(&Message::LoginBegins { slot: 7 }).unwrap();
    assert_eq!(at(&Message::Login { slot: 7, returned: 0 }), Some(begins + 1));
    assert_eq!(heard.objects().len(), 4);
    assert!(matches!(heard.messages[begins + 2], Message::Object(_)));
    assert_eq!(heard.notes, "login of user 1 in slot 7: 0\nlogout\n");
    assert!(heard.calls().is_some());
}

#[test]
fn a_wrong_pin_is_tried_once_and_shown_to_nobody() {
    let pin = "canary-7319";
    let heard = Conversation { pin: Some(pin), ..Conversation::default() }.have();
    assert!(heard.has(&Message::Login { slot: 7, returned: 0xA0 }), "{heard:?}");
    assert_eq!(heard.notes, "login of user 1 in slot 7: 0xa0\n");
    assert_eq!(labels(&heard), owned(&PUBLIC));
    assert!(!String::from_utf8_lossy(&heard.raw).contains(pin));
    assert!(!format!("{:?}", pin_of(pin)).contains(pin));
    assert!(heard.calls().is_some());
}

#[test]
fn a_pin_that_is_typed_at_the_device_is_not_handed_over() {
    let how = Conversation { mode: "device-login", at_device: true, ..Conversation::default() };
    let heard = how.have();
    assert!(heard.has(&Message::Login { slot: 7, returned: 0 }), "{heard:?}");
    assert_eq!(heard.objects().len(), 4);
}

#[test]
fn a_token_that_asks_for_no_login_gets_none() {
    let heard = hear_as_user("public-token");
    assert_eq!(heard.notes, "");
    assert_eq!(heard.objects().len(), 4);
}

#[test]
fn what_fails_at_the_login_is_said_and_tried_no_more() {
    let heard = hear_as_user("login-fails");
    assert!(heard.has(&Message::Login { slot: 7, returned: 0x30 }));
    assert_eq!(heard.notes, "login of user 1 in slot 7: 0x30\n");
    let heard = hear_as_user("no-login-function");
    assert_eq!(heard.failures(), [("C_Login", None, "the module has no such function")]);
    assert_eq!(labels(&heard), owned(&PUBLIC));
}

#[test]
fn a_pin_is_for_the_token_that_was_told_and_as_it_was_told() {
    let check = |mode: &str, returned: Option<u64>, detail: &str| {
        let heard = hear_as_user(mode);
        assert_eq!(heard.failures(), [("C_GetTokenInfo", returned, detail)], "{mode}");
        assert_eq!(heard.notes, "", "{mode}: no attempt");
        assert!(!heard.has(&Message::LoginBegins { slot: 7 }), "{mode}");
        assert_eq!(labels(&heard), owned(&PUBLIC), "{mode}");
        assert!(heard.calls().is_some(), "{mode}");
    };
    let other = "no login: it is no longer the token that was told, by its serial number";
    check("swapped-later", None, other);
    check("count-low-later", None, "no login: since it was told, a wrong PIN was entered");
    check("final-try-later", None, "no login: since it was told, one more wrong PIN locks it");
    check(
        "count-low,final-try-later",
        None,
        "no login: since it was told, one more wrong PIN locks it",
    );
    check("locked-later", None, "no login: since it was told, its PIN is locked");
    check("token-leaves-later", Some(0xE0), "no login");
    // Whoever orders a login in spite of what was told has been told.
    for mode in ["count-low", "final-try", "count-low,count-low-later"] {
        assert_eq!(hear_as_user(mode).objects().len(), 4, "{mode}");
    }
}

#[test]
fn what_everybody_sees_leaves_room_for_what_a_user_sees() {
    let with = |mode: &str, max_objects: u64| {
        Conversation { mode, pin: Some(RIGHT), max_objects, ..Conversation::default() }.have()
    };
    let truncated = |heard: &Heard| {
        let end = heard.messages.iter().find_map(|message| match message {
            Message::ReadEnd { truncated, .. } => Some(*truncated),
            _ => None,
        });
        end.unwrap()
    };
    for mode in ["", "handles-change"] {
        let heard = with(mode, 1);
        assert_eq!(labels(&heard).last(), Some(&(3, "Root".to_owned())), "{mode}");
        assert_eq!((heard.objects().len(), truncated(&heard)), (4, false), "{mode}");
    }
    // No PIN for nothing: there is room for no object of any class, or no way to find one.
    let check = |mode: &str, max_objects: u64, objects: usize| {
        let heard = with(mode, max_objects);
        assert_eq!(heard.objects().len(), objects, "{mode}");
        assert_eq!(heard.notes, "", "{mode}: no attempt");
        let last = heard.failures().pop();
        let why = "not called: it would show nothing that is read";
        assert_eq!(last, Some(("C_Login", None, why)), "{mode}");
        truncated(&heard)
    };
    assert!(check("million-objects", 1, 4));
    assert!(check("", 0, 0));
    assert!(!check("too-many-handles", 9, 0));
    // There is room for certificates, and still more private keys than are told.
    let heard = with("million-objects", 2);
    assert!(heard.has(&Message::Login { slot: 7, returned: 0 }) && truncated(&heard));
    assert_eq!(heard.objects().len(), 5);
}

#[test]
fn a_module_that_crashes_or_leaves_keeps_what_it_told() {
    let check = |mode: &str, messages: usize, objects: usize| {
        let heard = hear_as_user(mode);
        assert_eq!(heard.calls(), None, "{mode}: {heard:?}");
        assert!(heard.messages.len() >= messages, "{mode}: {heard:?}");
        assert_eq!(heard.objects().len(), objects, "{mode}: {heard:?}");
        let status = heard.status.unwrap();
        let crashed = status.signal() == Some(11);
        assert_eq!(crashed, mode.starts_with("crash"), "{mode}: {status:?}");
        heard
    };
    check("crash-in-load", 0, 0);
    check("crash-in-initialize", 0, 0);
    check("crash-in-slots", 1, 0);
    check("crash-in-search", 3, 0);
    check("crash-in-attributes", 4, 1);
    check("exit-in-load", 0, 0);
    check("exit-in-attributes", 4, 1);
    let heard = check("crash-in-login", 6, 3);
    assert!(heard.has(&Message::LoginBegins { slot: 7 }), "it is known that it was tried");
    assert_eq!(heard.notes.lines().count(), 1);
    let heard = check("crash-in-finalize", 8, 4);
    assert!(heard.messages.iter().any(|message| matches!(message, Message::ReadEnd { .. })));
}

#[test]
fn a_module_that_hangs_keeps_what_it_told() {
    for (mode, objects) in [("initialize", 0), ("attributes", 1), ("login", 3), ("finalize", 4)] {
        let mode = format!("hang-in-{mode}");
        let patience = Duration::from_secs(1);
        let how = Conversation { mode: &mode, pin: Some(RIGHT), patience, ..Default::default() };
        let heard = how.have();
        assert_eq!((heard.status, heard.objects().len()), (None, objects), "{mode}: {heard:?}");
    }
}

#[test]
fn what_a_module_prints_and_reads_reaches_nobody() {
    let heard = hear_as_user("prints");
    assert_eq!((heard.garbage, heard.objects().len()), (0, 4), "{heard:?}");
    assert!(heard.calls().is_some());
    let heard = hear_as_user("reads");
    assert_eq!((heard.garbage, heard.objects().len()), (0, 4), "{heard:?}");
    assert!(heard.notes.contains("read 0 octets"), "{}", heard.notes);
    assert!(heard.calls().is_some());
}

#[test]
fn what_writes_to_every_descriptor_spoils_no_whole_line() {
    let heard = hear_as_user("noise-everywhere");
    assert!(heard.garbage > 0, "{heard:?}");
    assert_eq!(heard.objects().len(), 4);
}

#[test]
fn what_cannot_be_loaded_has_no_slots() {
    let check = |mode: &str, call: &str, returned: Option<u64>| {
        let heard = hear(mode);
        let [Message::Failed { call: said, returned: gave, .. }, Message::SlotsEnd, end] =
            heard.messages.as_slice()
        else {
            panic!("{mode}: {heard:?}");
        };
        assert_eq!((said.as_str(), *gave), (call, returned), "{mode}");
        assert!(matches!(end, Message::End { .. }), "{mode}");
        assert!(heard.calls().is_some(), "{mode}");
    };
    check("no-functions", "C_GetFunctionList", None);
    check("list-fails", "C_GetFunctionList", Some(5));
    check("version-1", "C_GetFunctionList", None);
    check("initialize-fails", "C_Initialize", Some(5));
}

#[test]
fn a_newer_interface_is_preferred() {
    let heard = hear("version-3");
    assert_eq!(heard.notes, "interface of version 3.2\n");
    assert_eq!(labels(&heard), owned(&PUBLIC));
}

#[test]
fn a_module_is_initialised_as_it_wants_to_be() {
    let heard = hear("cannot-lock");
    assert_eq!(labels(&heard), owned(&PUBLIC));
    let heard = hear("parameters");
    assert_eq!(heard.notes, "parameters none\n");
    let parameters = Some("configdir='sql:/nowhere'");
    let how = Conversation { mode: "parameters", parameters, ..Conversation::default() };
    assert_eq!(how.have().notes, "parameters configdir='sql:/nowhere'\n");
}

#[test]
fn a_part_that_fails_costs_that_part() {
    let check = |mode: &str, failures: &[(&str, Option<u64>, &str)], objects: usize| {
        let heard = hear(mode);
        assert_eq!(heard.failures(), failures, "{mode}");
        assert_eq!(heard.objects().len(), objects, "{mode}: {heard:?}");
        assert!(heard.calls().is_some(), "{mode}");
        heard
    };
    let heard = check("info-fails", &[("C_GetInfo", Some(6), "")], 3);
    let library = |message: &Message| matches!(message, Message::Library { .. });
    assert!(!heard.messages.iter().any(library), "nothing is made up of it");
    assert_eq!(heard.tokens(), [7]);
    check("slots-fail", &[("C_GetSlotList", Some(0x30), "")], 0);
    let heard = check("slot-fails", &[("C_GetSlotInfo", Some(0x30), "")], 3);
    assert_eq!(heard.tokens(), [8]);
    check("token-fails", &[("C_GetTokenInfo", Some(0xE1), "a token of another kind")], 0);
    let heard = check("mechanisms-fail", &[("C_GetMechanismList", Some(6), "")], 3);
    let Message::Slot(slot) = &heard.messages[2] else { panic!("{heard:?}") };
    assert_eq!(slot.mechanisms, None);
    check("session-fails", &[("C_OpenSession", Some(0x30), "")], 0);
    let none = "objects of class 0x1: the module has no such function";
    check("null-functions", &[("C_GetAttributeValue", None, none)], 0);
    let heard = check("empty-slot", &[], 3);
    assert_eq!(heard.tokens(), [7]);
    check("knows-no-validation", &[], 3);
    check("bad-clock", &[], 3);
}

#[test]
fn what_slots_tell_has_an_end_and_says_so() {
    let mechanisms = |heard: &Heard| {
        let each = heard.messages.iter().filter_map(|message| match message {
            Message::Slot(slot) => Some(slot.mechanisms.as_ref().map(Vec::len)),
            _ => None,
        });
        each.collect::<Vec<_>>()
    };
    let heard = hear("thousands-of-mechanisms");
    assert_eq!(mechanisms(&heard), [Some(1024)]);
    let left_out = "left out: 976 mechanisms behind the first 1024";
    assert_eq!(heard.failures(), [("C_GetMechanismList", None, left_out)]);
    assert_eq!(heard.objects().len(), 3);

    let heard = hear("hundreds-of-slots,thousands-of-mechanisms");
    let expected = [vec![Some(1024); 64], vec![None; 192]].concat();
    assert_eq!(mechanisms(&heard), expected, "all that there is room for");
    let failures = heard.failures();
    assert_eq!(failures.len(), 257);
    assert_eq!(failures[64].2, "left out: 2000 mechanisms behind the first 0");
    let slots = "44 slots behind the first 256 tokens were left out";
    assert_eq!(failures[256], ("C_GetSlotList", None, slots));
}

#[test]
fn lists_of_slots_that_grow_or_repeat_come_to_an_end() {
    let grows = "a list that grows whenever it is asked for";
    assert_eq!(hear("growing-slots").failures(), [("C_GetSlotList", None, grows)]);
    assert_eq!(hear("many-slots").failures(), [("C_GetSlotList", Some(0x150), "")]);
    assert_eq!(hear("slots-twice").tokens(), [7]);
}
