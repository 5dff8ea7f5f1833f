//! What a module answers about objects is believed as far as it can be, and costs few calls.

use pki_tokens::wire::{Message, ObjectAnswer, Octets, Value};

use crate::process::{Conversation, Heard, RIGHT, hear, hear_as_user, value};

fn octets(value: &[u8]) -> Value {
    Value::Octets(Octets(value.to_vec()))
}

fn private(heard: &Heard) -> &ObjectAnswer {
    heard.objects().into_iter().find(|object| object.class == 3).unwrap()
}

#[test]
fn attributes_are_told_as_they_are() {
    let heard = hear_as_user("");
    let key = private(&heard);
    assert_eq!(*value(key, 0x103), octets(&[1]), "CKA_SENSITIVE");
    assert_eq!(*value(key, 0x162), octets(&[0]), "CKA_EXTRACTABLE");
    assert_eq!(*value(key, 0x100), octets(&3u64.to_ne_bytes()), "CKA_KEY_TYPE");
    assert_eq!(*value(key, 0x110), octets(b"20200101"), "CKA_START_DATE");
    assert_eq!(*value(key, 0x111), octets(b""), "CKA_END_DATE");
    assert_eq!(*value(key, 0x120), Value::Invalid, "CKA_MODULUS");
    let Value::Octets(allowed) = value(key, 0x4000_0600) else { panic!("{key:?}") };
    assert_eq!(allowed.0.len(), 16);
    let wanted = pki_tokens::attributes::wanted;
    for object in heard.objects() {
        let told: Vec<u64> = object.attributes.iter().map(|(attribute, _)| *attribute).collect();
        assert_eq!(told, wanted(object.class));
    }
    let certificate = heard.objects()[0];
    let Value::Octets(der) = value(certificate, 0x11) else { panic!("{certificate:?}") };
    assert_eq!((der.0.len(), &der.0[..4]), (412, &[0x30, 0x82, 0x01, 0x98][..]));
}

#[test]
fn a_module_that_cannot_answer_several_at_once_is_asked_one_by_one() {
    let expected = hear_as_user("");
    for mode in ["batch-invalid", "batch-fails", "stops-early", "version-3", "prints"] {
        let heard = hear_as_user(mode);
        assert_eq!(heard.objects(), expected.objects(), "{mode}");
        assert_eq!(heard.failures(), [], "{mode}");
    }
}

#[test]
fn lengths_that_cannot_be_are_never_believed() {
    let expected = hear("");
    let heard = hear("lengths-beyond");
    assert_eq!(heard.objects().len(), 3, "{heard:?}");
    for (told, expected) in heard.objects().into_iter().zip(expected.objects()) {
        for (attribute, value) in &told.attributes {
            let expected = match self::value(expected, *attribute) {
                Value::Octets(_) => &Value::Unavailable,
                // What it is the value of was not told.
                _ if *attribute == 0x11 => &Value::Unavailable,
                other => other,
            };
            assert_eq!(value, expected, "{attribute:#x} of {}", told.class);
        }
    }
}

#[test]
fn a_length_that_was_never_set_is_asked_for() {
    let expected = hear("");
    let heard = hear("lengths-unset");
    assert_eq!(heard.objects().len(), 3, "{heard:?}");
    for (told, expected) in heard.objects().into_iter().zip(expected.objects()) {
        for (attribute, value) in &told.attributes {
            // That of a label is not set then either.
            let label = (*attribute == 3).then_some(&Value::Unavailable);
            let expected = label.unwrap_or_else(|| self::value(expected, *attribute));
            assert_eq!(value, expected, "{attribute:#x} of {}", told.class);
        }
    }
}

#[test]
fn what_is_no_yes_and_no_no_is_told_with_its_length() {
    let heard = hear_as_user("wrong-bools");
    let key = private(&heard);
    assert_eq!(*value(key, 0x103), octets(&[1, 0, 0, 0]));
    assert_eq!(heard.objects().len(), 4);
}

#[test]
fn what_is_sensitive_or_too_long_is_said() {
    let heard = hear_as_user("sensitive");
    assert_eq!(*value(private(&heard), 0x166), Value::Sensitive);
    assert_eq!(*value(private(&heard), 0x120), Value::Invalid);
    let heard = hear_as_user("long-values");
    assert_eq!(*value(heard.objects()[0], 3), Value::TooLong(20_000));
    assert_eq!(*value(private(&heard), 3), octets(&[b'x'; 3000]));
}

#[test]
fn numbers_of_vendors_are_kept() {
    let heard = hear("vendor-types");
    let key = private(&heard);
    assert_eq!(*value(key, 0x100), octets(&0x8000_0042u64.to_ne_bytes()));
    assert_eq!(*value(key, 0x166), octets(&0x8000_0001u64.to_ne_bytes()));
    let Message::Slot(slot) = &heard.messages[1] else { panic!("{heard:?}") };
    let mechanisms = slot.mechanisms.as_ref().unwrap();
    assert_eq!(mechanisms[3].number, 0x8000_0001);
    assert_eq!((mechanisms[4].number, mechanisms[4].info), (0xFFFF_FFFF_FFFF_FFF0, None));
}

#[test]
fn a_search_without_an_end_is_ended() {
    let heard = hear("endless-search");
    assert_eq!(heard.objects().len(), 4, "{heard:?}");
    let again = heard.failures().iter().filter(|(_, _, detail)| detail.contains("again")).count();
    assert_eq!(again, 6, "once a class");
    let heard = hear("too-many-handles");
    assert_eq!(heard.objects().len(), 0);
    assert!(heard.failures()[0].2.contains("more handles than there was room for"));
    assert!(heard.calls().is_some());
    let heard = hear("search-fails");
    assert_eq!(heard.failures()[0], ("C_FindObjects", Some(0x30), "objects of class 0x1"));
}

#[test]
fn of_a_million_objects_only_so_many_are_read() {
    let how = Conversation { mode: "million-objects", max_objects: 700, ..Default::default() };
    let heard = how.have();
    let keys = heard.objects().iter().filter(|object| object.class == 3).count();
    assert_eq!((keys, heard.objects().len()), (700, 703), "of each class");
    let truncated = |message: &Message| matches!(message, Message::ReadEnd { truncated: true, .. });
    assert!(heard.messages.iter().any(truncated));
    // One call for each key, but for the first of a kind, whose missing attributes are asked for again.
    let calls = heard.calls().unwrap();
    assert!((700..820).contains(&calls), "{calls}");
}

#[test]
fn a_module_is_asked_as_it_has_shown_to_want_it() {
    let check = |mode: &str, at_most: u64| {
        let mode = format!("million-objects,{mode}");
        let heard = Conversation { mode: &mode, max_objects: 700, ..Default::default() }.have();
        let expected = hear("million-objects,vendor-types");
        assert_eq!(private(&heard), private(&expected), "{mode}");
        let calls = heard.calls().unwrap();
        assert!(calls < 700 * at_most + 300, "{mode}: {calls}");
    };
    // Class and type of the key, then what such keys have; alone what they lack and are judged by.
    let judged = 10;
    check("stops-early", 2 + judged);
    // One by one, but not what nobody judges them by and they lack.
    let has = 14;
    check("batch-invalid", has + judged + 1);
    check("batch-fails", has + judged + 1);
}

#[test]
fn what_was_not_asked_is_not_said_to_be_invalid() {
    for mode in ["stops-early", "batch-invalid", "batch-fails"] {
        let mode = format!("million-objects,odd-one-out,{mode}");
        let heard = Conversation { mode: &mode, max_objects: 20, ..Default::default() }.have();
        let keys: Vec<_> = heard.objects().into_iter().filter(|object| object.class == 3).collect();
        let of = |attribute: u64| keys.iter().map(|key| value(key, attribute)).collect::<Vec<_>>();
        // CKA_PUBLIC_KEY_INFO: the first show that such keys have none.
        let expected: Vec<_> =
            (0..20).map(|at| if at < 3 { Value::Invalid } else { Value::NotAsked(3) }).collect();
        assert_eq!(of(0x129), expected.iter().collect::<Vec<_>>(), "{mode}");
        // Keys are judged by CKA_ALWAYS_AUTHENTICATE, and one of them has it.
        let odd = keys.iter().position(|key| *value(key, 3) == octets(b"Odd")).unwrap();
        assert!(odd > 3);
        let expected: Vec<_> =
            (0..20).map(|at| if at == odd { octets(&[1]) } else { Value::Invalid }).collect();
        assert_eq!(of(0x202), expected.iter().collect::<Vec<_>>(), "{mode}");
    }
    // They have other attributes in its place.
    let heard = hear("");
    let key = heard.objects().into_iter().find(|object| object.class == 2).unwrap();
    assert_eq!(*value(key, 0x11), Value::NotAsked(0));
}

#[test]
fn secrets_are_not_asked_for_even_where_a_search_hands_out_all_there_is() {
    let heard = hear_as_user("ignores-class");
    assert_eq!(heard.objects().len(), 4, "{heard:?}");
    assert!(!heard.notes.contains("secret"), "{}", heard.notes);
    let (call, _, detail) = heard.failures()[0];
    assert_eq!(
        (call, detail),
        ("C_FindObjects", "objects of class 0x1: 2 of them are of another class")
    );
}

#[test]
fn what_changes_while_it_is_read_is_said() {
    let heard = hear("deleted");
    let gone = "objects of class 0x2: 1 of them were deleted meanwhile";
    assert_eq!(heard.failures(), [("C_GetAttributeValue", None, gone)]);
    assert_eq!(heard.objects().len(), 2);
    let heard = hear_as_user("session-lost");
    assert_eq!(heard.failures(), [("C_GetAttributeValue", Some(0xB3), "objects of class 0x2")]);
    assert_eq!((heard.objects().len(), heard.notes.as_str()), (1, ""), "no login any more");
}

#[test]
fn an_object_that_has_another_handle_after_the_login_is_told_once() {
    let heard = hear_as_user("handles-change");
    assert_eq!(heard.labels(), hear_as_user("").labels());
    assert_eq!(heard.objects().len(), 4);
}

#[test]
fn what_only_a_user_may_search_is_a_failure_without_one() {
    let heard = hear("hides");
    assert_eq!(heard.failures().len(), 6);
    assert_eq!(heard.failures()[0], ("C_FindObjectsInit", Some(0x101), "objects of class 0x1"));
    let how = Conversation { mode: "hides", pin: Some(RIGHT), ..Conversation::default() };
    let heard = how.have();
    assert_eq!((heard.failures().len(), heard.objects().len()), (0, 4));
}

#[test]
fn a_token_that_says_nothing_is_left_alone() {
    let heard = Conversation { mode: "attributes-fail", ..Default::default() }.have();
    assert_eq!(heard.objects().len(), 3);
    assert_eq!(*value(heard.objects()[0], 3), Value::Failed(0x30));
    assert_eq!(*value(heard.objects()[0], 0x11), Value::Unavailable, "its class was not told");
    assert!(heard.calls().is_some());
}
