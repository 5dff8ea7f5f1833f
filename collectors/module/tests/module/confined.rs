//! What the process gave up, and when it ends.

use std::time::{Duration, Instant};

use pki_tokens::wire::{Message, Order};

use crate::process::{Conversation, Heard, Process, misbehaving};

fn start(memory_mib: u64) -> Order {
    Order::Start { module: misbehaving().display().to_string(), parameters: None, memory_mib }
}

#[test]
fn it_has_its_limits_and_leaves_no_core() {
    let mut process = Process::start(&[]);
    process.say(&start(512));
    assert!(process.until(&mut Heard::default(), |message| *message == Message::SlotsEnd));
    let limits = format!("/proc/{}/limits", process.child.id());
    let limits = std::fs::read_to_string(limits).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max address space"), (512u64 << 20).to_string());
    assert_eq!(limit("Max core file size"), "0");
    process.close();
    process.over(&mut Heard::default());
}

#[test]
fn a_module_that_takes_all_memory_gets_no_more_than_it_may() {
    let how = Conversation { mode: "allocate", memory_mib: 300, ..Conversation::default() };
    let heard = how.have();
    let taken = heard.notes.trim().strip_prefix("allocated ").unwrap().strip_suffix(" MiB");
    let taken: u64 = taken.unwrap().parse().unwrap();
    assert!((50..300).contains(&taken), "{taken}");
}

#[test]
fn it_dies_with_who_started_it() {
    // What counts is the thread that did.
    let starter = std::thread::spawn(|| {
        let mut process = Process::start(&[]);
        process.say(&start(512));
        assert!(process.until(&mut Heard::default(), |message| *message == Message::SlotsEnd));
        process
    });
    let mut process = starter.join().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while process.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_ends_when_there_are_no_more_orders() {
    for orders in [vec![], vec![start(512)]] {
        let mut process = Process::start(&[]);
        for order in &orders {
            process.say(order);
        }
        process.close();
        let mut heard = Heard::default();
        process.over(&mut heard);
        assert!(heard.status.unwrap().success());
        assert!(!heard.messages.iter().any(|message| matches!(message, Message::End { .. })));
    }
}

#[test]
fn an_order_that_is_not_understood_ends_it_without_a_word_of_it() {
    let check = |octets: &[u8]| {
        let mut process = Process::start(&[]);
        process.write(octets);
        process.close();
        let mut heard = Heard::default();
        process.over(&mut heard);
        assert!(!heard.status.unwrap().success());
        assert_eq!(String::from_utf8_lossy(&heard.raw), "");
    };
    check(b"{\"Read\":{\"slot\":0,\"login\":{\"Pin\":\"Y2FuYXJ5\"},\"max_objects\":\"x\"}}\n");
    check(b"{\"Read\":{\"slot\":0,\"login\":{\"Pin\":\"Y2FuYXJ5\"},\"max_objects\":1}}\n");
    check(b"{\"Read\":{\"slot\":0,\"login\":{\"Pin\":\"no base64\"},\"max_objects\":1}}\n");
    check(b"{\"Start\":{\"module\":\"canary");
    check(b"\xff\xfe\n");
    check(&vec![b' '; 200_000]);
}

#[test]
fn a_slot_that_was_not_told_is_not_read() {
    let mut process = Process::start(&[]);
    process.say(&start(512));
    process.say(&Order::Read { slot: 99, login: None, max_objects: 5 });
    process.say(&Order::End);
    let mut heard = Heard::default();
    process.over(&mut heard);
    assert_eq!(heard.failures(), [("C_OpenSession", None, "no token in this slot")]);
    assert!(heard.has(&Message::ReadEnd { slot: 99, counts: Vec::new(), truncated: false }));
    assert!(heard.calls().is_some());
}

#[test]
fn a_file_that_is_no_library_is_said_to_be_none() {
    for path in ["/nonexistent/module.so", file!()] {
        let mut process = Process::start(&[]);
        let module = path.to_owned();
        process.say(&Order::Start { module, parameters: None, memory_mib: 512 });
        process.say(&Order::End);
        let mut heard = Heard::default();
        process.over(&mut heard);
        let [(call, None, detail)] = heard.failures()[..] else { panic!("{heard:?}") };
        assert_eq!(call, "dlopen");
        assert!(detail.contains(path), "{detail}");
        assert_eq!(heard.calls(), Some(0));
    }
}
