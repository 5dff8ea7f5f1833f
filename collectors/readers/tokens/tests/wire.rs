//! What goes over the pipe, where its form matters.

use pki_tokens::wire::{LoginOrder, Order, Pin, Value};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{BorrowedStrDeserializer, Error};
use zeroize::Zeroizing;

fn order(pin: &str) -> String {
    let login = Some(LoginOrder::Pin(Pin(Zeroizing::new(pin.to_owned()))));
    serde_json::to_string(&Order::Read { slot: 7, login, max_objects: 5 }).expect("an order")
}

fn pin(text: &str) -> Result<String, String> {
    let order = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match order {
        Order::Read { login: Some(LoginOrder::Pin(Pin(pin))), .. } => Ok((*pin).clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pin_goes_without_anything_to_escape() {
    let plain = r#"{"Read":{"slot":7,"login":{"Pin":"NDcxMQ"},"max_objects":5}}"#;
    assert_eq!(order("4711"), plain);
    for one in ["", "4711", "\"\\\n\u{1}", "caf\u{e9} \u{1f511}", &"x".repeat(1000)] {
        let order = order(one);
        assert!(!order.contains('\\'), "{order}");
        assert_eq!(pin(&order).as_deref(), Ok(one));
    }
}

#[test]
fn what_is_no_pin_is_not_shown() {
    for (wrong, why) in [
        ("canary", "a PIN that is no base64"),
        ("can ary!", "a PIN that is no base64"),
        ("Y2FuYXJ5==", "a PIN that is no base64"),
        // It is base64, and of no text.
        ("//8", "a PIN that is no text"),
    ] {
        let error = pin(&order("").replace("\"\"", &format!("\"{wrong}\""))).expect_err(wrong);
        assert!(error.contains(why) && !error.contains(wrong), "{error}");
    }
}

#[test]
fn a_pin_is_taken_from_wherever_its_text_lies() {
    let lent: Result<Pin, Error> = Pin::deserialize(BorrowedStrDeserializer::new("NDcxMQ"));
    let copied: Result<Pin, Error> = Pin::deserialize("NDcxMQ".into_deserializer());
    let owned: Result<Pin, Error> = Pin::deserialize("NDcxMQ".to_owned().into_deserializer());
    for taken in [lent, copied, owned] {
        assert_eq!(*taken.expect("a PIN").0, "4711");
    }
}

#[test]
fn what_was_not_asked_has_a_form_of_its_own() {
    let value = Value::NotAsked(3);
    let text = serde_json::to_string(&value).expect("a value");
    assert_eq!(text, r#"{"n":3}"#);
    assert_eq!(serde_json::from_str::<Value>(&text).expect("a value"), value);
}
