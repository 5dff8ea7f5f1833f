//! What the PKCS #11 collector makes of the answers of modules, and when it lets a PIN be tried.
#![allow(clippy::unwrap_used, reason = "a failing test is meant to panic")]

mod pkcs11_lab;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pki_collectors::Context;
use pki_config::{PinSource, Pkcs11Scope, TokenLogin};
use pki_inventory::{Body, Digest, GapReason, Kind, Login, Observation};

use pki_tokens::wire::Message;

use pkcs11_lab::{
    READY, Script, Then, begins, certificate, key, library, logged_in, login, read_end, slot,
};
use support::{Seen, collect};

const WITH_PIN: &str = r#""login":{"Pin":"#;
/// Flags of `CK_TOKEN_INFO`.
const PROTECTED_PATH: u64 = 0x100;
const COUNT_LOW: u64 = 0x1_0000;
const FINAL_TRY: u64 = 0x2_0000;
const LOCKED: u64 = 0x4_0000;

fn read(cx: &Context) -> Seen {
    collect("pkcs11", cx)
}

fn gaps(seen: &Seen) -> Vec<(GapReason, String)> {
    seen.inventory.gaps().map(|gap| (gap.reason, gap.detail.clone())).collect()
}

fn reasons(seen: &Seen) -> Vec<GapReason> {
    seen.inventory.gaps().map(|gap| gap.reason).collect()
}

/// How each token let itself be read, by label.
fn tokens(seen: &Seen) -> Vec<(String, Login)> {
    let tokens = seen.inventory.assets().filter_map(|asset| match &asset.body {
        Body::Token(token) => Some((token.label.clone().unwrap_or_default(), token.login)),
        _ => None,
    });
    let mut tokens: Vec<_> = tokens.collect();
    tokens.sort();
    tokens
}

fn keys(seen: &Seen) -> usize {
    seen.inventory.assets().filter(|asset| asset.id.kind == Kind::SecretKey).count()
}

/// Logins that were tried and not cleared.
fn refused(seen: &Seen) -> Vec<Digest> {
    let mut refused = Vec::new();
    for observation in &seen.observations {
        match observation {
            Observation::LoginTried(attempt) => refused.push(*attempt),
            Observation::LoginCleared(attempt) => refused.retain(|other| other != attempt),
            _ => {}
        }
    }
    refused
}

fn coverage(seen: &Seen) -> (u64, u64, u64) {
    let all: Vec<_> = seen.inventory.coverage().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let (collector, scope, coverage) = all[0];
    assert_eq!((collector, scope), ("pkcs11", "/opt/module.so"));
    (coverage.asked, coverage.read, coverage.not_read)
}

fn scope(logins: Vec<TokenLogin>) -> Pkcs11Scope {
    Pkcs11Scope { logins, call_timeout_secs: 20, ..Pkcs11Scope::default() }
}

/// One token with these flags, whose login returns this.
fn one_token(flags: u64, returned: u64) -> Script {
    let mut answers = vec![key(7, 1)];
    answers.extend(logged_in(7, returned));
    answers.extend([key(7, 2), read_end(7, 2)]);
    Script::new().part(&begins(&[slot(7, "A", flags)]), Then::Waits).part(&answers, Then::Waits)
}

fn tried(script: &Script) -> bool {
    script.orders().iter().any(|order| order.contains(WITH_PIN))
}

#[test]
fn a_token_is_logged_in_to_with_the_pin_of_its_login() {
    let script = one_token(READY, 0);
    let seen = read(&script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    assert_eq!(gaps(&seen), []);
    assert_eq!(tokens(&seen), [("A".to_owned(), Login::Done)]);
    assert_eq!((keys(&seen), coverage(&seen)), (2, (2, 2, 0)));
    assert!(refused(&seen).is_empty());
    let orders = script.orders();
    assert_eq!(orders.len(), 3, "{orders:?}");
    assert!(orders[0].contains("/opt/module.so") && orders[0].contains("\"memory_mib\":2048"));
    assert!(orders[1].contains(r#""login":{"Pin":"NDcxMQ"}"#), "{orders:?}");
    let token = seen.inventory.assets().find(|it| it.id.kind == Kind::Token).unwrap();
    let Body::Token(body) = &token.body else { panic!("a token") };
    assert_eq!(body.objects, [("secret-key".to_owned(), 2)]);
    assert_eq!(body.module.path, "/opt/module.so");
}

#[test]
fn without_a_pin_what_is_private_is_a_gap() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", READY), slot(8, "B", 0x400)]), Then::Waits)
        .part(&[key(7, 1), read_end(7, 1)], Then::Waits)
        .part(&[key(8, 2), read_end(8, 1)], Then::Waits);
    let seen = read(&script.context(scope(vec![]), &[]));
    let expected = [("A".to_owned(), Login::NotConfigured), ("B".to_owned(), Login::NotRequired)];
    assert_eq!(tokens(&seen), expected);
    assert_eq!(reasons(&seen), [GapReason::LoginRequired]);
    assert_eq!((keys(&seen), coverage(&seen)), (2, (3, 2, 1)));
    assert!(!tried(&script));
}

#[test]
fn a_refused_pin_is_tried_once_and_never_again_as_it_is() {
    let logins = scope(vec![login("pkcs11:token=A")]);
    let first = one_token(READY, 0xa0);
    let seen = read(&first.context(logins.clone(), &[Some("4711")]));
    assert_eq!(tokens(&seen), [("A".to_owned(), Login::Refused)]);
    let (reason, detail) = gaps(&seen).remove(0);
    assert_eq!(reason, GapReason::LoginRefused);
    assert!(detail.contains("CKR_PIN_INCORRECT") && !detail.contains("4711"), "{detail}");
    assert_eq!(keys(&seen), 2, "what was read stays");
    let attempts = refused(&seen);
    assert_eq!(attempts.len(), 1);

    let again = |change: &dyn Fn(&mut Context)| {
        let script = one_token(READY, 0);
        let mut cx = script.context(logins.clone(), &[Some("4711")]);
        cx.refused_logins = Arc::new(attempts.iter().copied().collect());
        change(&mut cx);
        (tokens(&read(&cx)).remove(0).1, tried(&script))
    };
    assert_eq!(again(&|_| ()), (Login::NotTried, false));
    let raised = again(&|cx| cx.pkcs11.logins[0].attempt = 2);
    assert_eq!(raised, (Login::Done, true), "the settings are others");
    let written = again(&|cx| {
        let pin = cx.pins[0].clone().unwrap();
        cx.pins = Arc::new(vec![Some(pki_collectors::TokenPin { mark: "later".into(), ..pin })]);
    });
    assert_eq!(written, (Login::Done, true), "the file is another one");
}

#[test]
fn a_person_who_enters_a_pin_may_do_so_again() {
    let mut prompt = login("pkcs11:token=A");
    prompt.pin = PinSource::Prompt;
    let script = one_token(READY, 0xa0);
    let seen = read(&script.context(scope(vec![prompt]), &[Some("4711")]));
    assert_eq!(reasons(&seen), [GapReason::LoginRefused]);
    assert!(tried(&script) && refused(&seen).is_empty());
}

#[test]
fn a_pin_is_not_tried_where_that_may_lock_the_token() {
    for (flags, word) in [(COUNT_LOW, "before"), (FINAL_TRY, "one more"), (LOCKED, "locked")] {
        let script = one_token(READY | flags, 0);
        let logins = vec![login("pkcs11:token=A")];
        let seen = read(&script.context(scope(logins.clone()), &[Some("4711")]));
        assert!(!tried(&script), "{word}");
        assert_eq!(tokens(&seen)[0].1, Login::NotTried);
        let (reason, detail) = gaps(&seen).remove(0);
        assert_eq!(reason, GapReason::LoginRefused);
        assert!(detail.contains(word) && detail.contains("although_count_low"), "{detail}");

        let script = one_token(READY | flags, 0);
        let told = TokenLogin { although_count_low: true, ..logins[0].clone() };
        let seen = read(&script.context(scope(vec![told]), &[Some("4711")]));
        assert!(tried(&script) && gaps(&seen).is_empty(), "{word}");
    }
    // A PIN that was never set is none to try.
    let script = one_token(0x4 | 0x400, 0);
    let seen = read(&script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    assert!(!tried(&script) && gaps(&seen)[0].1.contains("never set"));
}

#[test]
fn a_pin_belongs_to_one_token() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", READY), slot(8, "B", READY)]), Then::Waits)
        .part(&[read_end(7, 0)], Then::Waits)
        .part(&[read_end(8, 0)], Then::Waits);
    let seen = read(&script.context(scope(vec![login("pkcs11:serial=77")]), &[Some("4711")]));
    assert!(!tried(&script));
    assert_eq!(reasons(&seen), [GapReason::LoginRefused; 2]);
    assert!(gaps(&seen)[0].1.contains("chooses 2 tokens"), "{:?}", gaps(&seen));
}

#[test]
fn a_pin_at_the_device_is_asked_for_there() {
    let at_device = TokenLogin { pin: PinSource::Device, ..login("pkcs11:token=A") };
    let of = |flags, login: &TokenLogin, pin| {
        let script = one_token(flags, 0);
        let seen = read(&script.context(scope(vec![login.clone()]), &[pin]));
        let asked = script.orders()[1].contains(r#""login":"Device""#);
        (tokens(&seen)[0].1, asked, tried(&script))
    };
    assert_eq!(of(READY | PROTECTED_PATH, &at_device, None), (Login::Done, true, false));
    assert_eq!(of(READY, &at_device, None), (Login::NotTried, false, false));
    let kept = login("pkcs11:token=A");
    let with_pad = of(READY | PROTECTED_PATH, &kept, Some("4711"));
    assert_eq!(with_pad, (Login::NotTried, false, false), "no PIN is sent to a token with a pad");
}

#[test]
fn a_module_that_breaks_costs_one_gap_and_the_tokens_behind_are_read() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", 0x400), slot(8, "B", 0x400)]), Then::Waits)
        .part(&[key(7, 1)], Then::Ends)
        .part(&[key(8, 2), read_end(8, 1)], Then::Waits);
    let seen = read(&script.context(scope(vec![]), &[]));
    assert_eq!(tokens(&seen).len(), 2);
    assert_eq!((keys(&seen), coverage(&seen)), (2, (3, 2, 1)));
    let (reason, detail) = gaps(&seen).remove(0);
    assert_eq!(gaps(&seen).len(), 1, "{:?}", gaps(&seen));
    assert!(reason == GapReason::ModuleFailed && detail.contains("exit status: 3"), "{detail}");
    let starts = script.orders().iter().filter(|order| order.contains("Start")).count();
    assert_eq!(starts, 2);
}

#[test]
fn a_module_that_breaks_in_the_login_has_used_the_attempt_up() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", READY)]), Then::Waits)
        .part(&[key(7, 1), logged_in(7, 0)[0].clone()], Then::Ends)
        .part(&[], Then::Waits);
    let seen = read(&script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    assert_eq!(tokens(&seen), [("A".to_owned(), Login::Refused)]);
    assert_eq!(refused(&seen).len(), 1);
    assert_eq!(keys(&seen), 1, "what was read before stays");
    let mut told = reasons(&seen);
    told.sort();
    assert_eq!(told, [GapReason::LoginRefused, GapReason::ModuleFailed]);
    let pins = script.orders().iter().filter(|order| order.contains(WITH_PIN)).count();
    assert_eq!(pins, 1, "no second start tries it again");
}

#[test]
fn nobody_waits_for_a_module_that_hangs() {
    for (limits, word) in [((1, 60), "call_timeout_secs"), ((60, 2), "deadline_secs")] {
        let script = Script::new().part(&begins(&[slot(7, "A", 0x400)]), Then::Hangs);
        let mut scope = scope(vec![]);
        (scope.call_timeout_secs, scope.deadline_secs) = limits;
        let begun = Instant::now();
        let seen = read(&script.context(scope, &[]));
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(reasons(&seen)[0], GapReason::TimedOut);
        assert!(gaps(&seen)[0].1.contains(word), "{:?}", gaps(&seen));
        assert_eq!(tokens(&seen).len(), 1, "the token itself was told before");
    }
}

#[test]
fn what_is_no_answer_is_a_gap() {
    let long = "x".repeat((1 << 20) + 100);
    for (text, word) in [
        ("hello, world\n", "hello"),
        ("{\"Slot\":3}\n", "Slot"),
        (long.as_str(), "1048576"),
        ("\u{0}\u{1}\n", "\\x00"),
        ("{\"SlotsEnd\":null}\n", "no answer"),
        ("\"SlotsEnd\"\n", "neither what it is"),
        ("{\"ReadEnd\":{\"slot\":1,\"counts\":[],\"truncated\":false}}\n", "order"),
        ("", "ended early"),
    ] {
        let script = Script::new().text(text, Then::Ends);
        let seen = read(&script.context(scope(vec![]), &[]));
        assert_eq!(reasons(&seen), [GapReason::ModuleFailed], "{word}");
        assert!(gaps(&seen)[0].1.contains(word), "{word}: {:?}", gaps(&seen));
        assert_eq!(coverage(&seen), (1, 0, 1));
    }
}

#[test]
fn an_answer_about_another_slot_is_none() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", 0x400)]), Then::Waits)
        .part(&[key(8, 1), read_end(7, 1)], Then::Waits);
    let seen = read(&script.context(scope(vec![]), &[]));
    assert_eq!((reasons(&seen), keys(&seen)), (vec![GapReason::ModuleFailed], 0));
}

#[test]
fn only_tokens_that_are_chosen_are_read_and_those_that_are_missing_are_told() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", 0x400), slot(8, "B", 0x400)]), Then::Waits)
        .part(&[key(8, 2), read_end(8, 1)], Then::Waits);
    let mut scope = scope(vec![login("pkcs11:token=C")]);
    scope.only = ["pkcs11:token=B", "pkcs11:token=D"].map(|uri| uri.parse().unwrap()).to_vec();
    let seen = read(&script.context(scope, &[Some("4711")]));
    assert_eq!(tokens(&seen), [("B".to_owned(), Login::NotRequired)]);
    let places: Vec<String> = seen.inventory.gaps().map(|gap| gap.place.to_string()).collect();
    assert_eq!(places, ["pkcs11:token=D"], "a login for a token that is not chosen is not missed");
}

#[test]
fn a_login_for_a_token_that_is_not_there_is_told() {
    let script = one_token(READY, 0);
    let logins = vec![login("pkcs11:token=A"), login("pkcs11:token=C")];
    let seen = read(&script.context(scope(logins), &[Some("4711"), Some("4712")]));
    let places: Vec<String> = seen.inventory.gaps().map(|gap| gap.place.to_string()).collect();
    assert_eq!(places, ["pkcs11:token=C"]);
    // Of a module that broke nobody knows what it has.
    let broken = Script::new().text("nonsense\n", Then::Ends);
    let seen = read(&broken.context(scope(vec![login("pkcs11:token=C")]), &[Some("4712")]));
    assert_eq!(reasons(&seen), [GapReason::ModuleFailed]);
}

#[test]
fn tokens_that_say_the_same_of_themselves_are_told_apart_by_their_slots() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", 0x400), slot(8, "A", 0x400)]), Then::Waits)
        .part(&[key(7, 1), read_end(7, 1)], Then::Waits)
        .part(&[key(8, 1), read_end(8, 1)], Then::Waits);
    let seen = read(&script.context(scope(vec![]), &[]));
    assert_eq!((tokens(&seen).len(), keys(&seen)), (2, 2));
}

#[test]
fn tokens_of_a_module_that_is_given_other_parameters_are_others() {
    let read_with = |parameters: Option<&str>| {
        let script = Script::new()
            .part(&begins(&[slot(7, "A", 0x400)]), Then::Waits)
            .part(&[key(7, 1), read_end(7, 1)], Then::Waits);
        let mut cx = script.context(scope(vec![]), &[]);
        cx.pkcs11.modules[0].parameters = parameters.map(str::to_owned);
        let seen = read(&cx);
        seen.inventory.assets().map(|asset| asset.id).collect::<Vec<_>>()
    };
    let (none, one, other) = (read_with(None), read_with(Some("a")), read_with(Some("b")));
    assert_eq!(one, read_with(Some("a")));
    for (left, right) in [(&none, &one), (&one, &other)] {
        assert!(left.len() == 2 && left.iter().all(|id| !right.contains(id)), "{left:?} {right:?}");
    }
}

#[test]
fn the_process_of_a_module_sees_no_secrets_of_the_environment() {
    // Every process has this variable.
    let script = one_token(READY, 0);
    let mut cx = script.context(scope(vec![]), &[]);
    cx.secret_variables = Arc::new(vec!["CARGO_MANIFEST_DIR".to_owned()]);
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    read(&cx);
    let environment = std::fs::read_to_string(script.file("environment")).unwrap();
    assert!(environment.contains("PATH=") && !environment.contains("CARGO_MANIFEST_DIR="));
}

#[test]
fn a_token_that_is_not_initialised_has_nothing_to_read() {
    let call = "C_OpenSession".to_owned();
    let closed = |returned: u64| Message::Failed {
        slot: Some(7),
        call: call.clone(),
        returned: Some(returned),
        detail: String::new(),
    };
    let of = |answers: &[Message], logins: Vec<TokenLogin>| {
        let script =
            Script::new().part(&begins(&[slot(7, "A", 0)]), Then::Waits).part(answers, Then::Waits);
        let seen = read(&script.context(scope(logins), &[Some("4711")]));
        assert!(!tried(&script));
        (tokens(&seen).len(), keys(&seen), reasons(&seen))
    };
    assert_eq!(of(&[closed(0xe1), read_end(7, 0)], vec![]), (1, 0, vec![]));
    // Any other failure is one.
    let failed = of(&[closed(0x30), read_end(7, 0)], vec![]);
    assert_eq!(failed, (1, 0, vec![GapReason::ReadFailed]));
    // A module that forgets the flag is read all the same.
    assert_eq!(of(&[key(7, 1), read_end(7, 1)], vec![]), (1, 1, vec![]));
    let with_login = of(&[closed(0xe1), read_end(7, 0)], vec![login("pkcs11:token=A")]);
    assert_eq!(with_login, (1, 0, vec![GapReason::LoginRefused]));
    let empty = Script::new().part(&begins(&[]), Then::Waits);
    assert_eq!(coverage(&read(&empty.context(scope(vec![]), &[]))), (1, 1, 0));
}

/// Two modules with one token each.
fn two_modules(labels: [&str; 2], log_in: bool) -> Script {
    let one = |label: &str| {
        let mut answers = vec![key(7, 1)];
        answers.extend(logged_in(7, 0).into_iter().filter(|_| log_in));
        answers.push(read_end(7, 1));
        Script::new()
            .part(&begins(&[slot(7, label, READY)]), Then::Waits)
            .part(&answers, Then::Waits)
    };
    one(labels[0]).beside(one(labels[1]))
}

#[test]
fn a_pin_that_fits_a_token_in_each_of_two_modules_is_tried_on_neither() {
    let script = two_modules(["A", "B"], false);
    let seen = read(&script.context(scope(vec![login("pkcs11:serial=77")]), &[Some("4711")]));
    assert!(!tried(&script), "{:?}", script.orders());
    assert_eq!(reasons(&seen), [GapReason::LoginRefused; 2]);
}

#[test]
fn a_token_behind_two_modules_is_read_and_logged_in_to_once() {
    let script = two_modules(["A", "A"], true);
    let seen = read(&script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    let pins = script.orders().iter().filter(|order| order.contains(WITH_PIN)).count();
    assert_eq!((pins, tokens(&seen).len(), keys(&seen)), (1, 1, 1));
    assert_eq!(gaps(&seen), []);
}

#[test]
fn a_card_in_two_slots_refuses_once() {
    let mut refusing = logged_in(7, 0xa0).to_vec();
    refusing.push(read_end(7, 0));
    let script = Script::new()
        .part(&begins(&[slot(7, "A", READY), slot(8, "A", READY)]), Then::Waits)
        .part(&refusing, Then::Waits)
        .part(&[read_end(8, 0)], Then::Waits);
    let logins = vec![login("pkcs11:slot-id=7"), login("pkcs11:slot-id=8")];
    let seen = read(&script.context(scope(logins), &[Some("4711"), Some("4711")]));
    let pins = script.orders().iter().filter(|order| order.contains(WITH_PIN)).count();
    assert_eq!(pins, 1, "{:?}", script.orders());
    assert_eq!(reasons(&seen), [GapReason::LoginRefused; 2]);
}

#[test]
fn a_login_that_was_refused_before_is_not_tried_under_another_name() {
    let first = one_token(READY, 0xa0);
    let seen = read(&first.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    let attempts = refused(&seen);
    let script = one_token(READY, 0);
    let mut cx = script.context(scope(vec![login("pkcs11:serial=77")]), &[Some("4711")]);
    cx.refused_logins = Arc::new(attempts.into_iter().collect());
    assert_eq!(tokens(&read(&cx))[0].1, Login::NotTried);
    assert!(!tried(&script));
}

#[test]
fn a_login_is_noted_before_it_is_tried_and_cleared_when_it_worked() {
    let script = one_token(READY, 0);
    let noted = Arc::new(pki_collectors::NotedLogins::default());
    let mut cx = script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]);
    cx.noted_logins = Some(Arc::clone(&noted));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = runtime.block_on(async {
        let (sink, mut source) = pki_collectors::Sink::bounded(16);
        let all = pki_collectors::COLLECTORS;
        let collector = all.iter().find(|collector| collector.name() == "pkcs11").unwrap();
        let take = async {
            let mut told = Vec::new();
            while let Some(observation) = source.recv().await {
                match observation {
                    Observation::LoginTried(attempt) => {
                        tokio::time::sleep(Duration::from_millis(300)).await;
                        assert!(!tried(&script), "it is not noted yet");
                        noted.add(attempt);
                        told.push(("tried", attempt));
                    }
                    Observation::LoginCleared(attempt) => told.push(("cleared", attempt)),
                    _ => {}
                }
            }
            told
        };
        let (ended, told) = tokio::join!(collector.collect(&cx, sink), take);
        ended.unwrap();
        told
    });
    assert!(tried(&script));
    assert_eq!(told.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["tried", "cleared"]);
    assert_eq!(told[0].1, told[1].1);
}

#[test]
fn a_login_that_the_module_did_not_get_to_is_no_attempt() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", READY)]), Then::Waits)
        .part(&[read_end(7, 0)], Then::Waits);
    let seen = read(&script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    assert_eq!(tokens(&seen), [("A".to_owned(), Login::NotTried)]);
    assert_eq!(reasons(&seen), [GapReason::LoginRefused]);
    assert!(refused(&seen).is_empty());
}

#[test]
fn a_module_that_breaks_when_all_is_read_costs_nothing() {
    let script = one_token(READY, 0).parts_badly();
    let seen = read(&script.context(scope(vec![login("pkcs11:token=A")]), &[Some("4711")]));
    assert_eq!((gaps(&seen), coverage(&seen)), (vec![], (2, 2, 0)));
    assert_eq!(script.orders().len(), 3, "it is not loaded again: {:?}", script.orders());
}

#[test]
fn what_a_module_starts_ends_with_it() {
    let script = Script::new()
        .part(&begins(&[slot(7, "A", 0x400)]), Then::Waits)
        .part(&[key(7, 1)], Then::Forks);
    let seen = read(&script.context(scope(vec![]), &[]));
    assert_eq!(reasons(&seen), [GapReason::ModuleFailed]);
    let number = std::fs::read_to_string(script.file("forked")).unwrap();
    let status = format!("/proc/{}/stat", number.trim());
    // A zombie that nobody waits for is over as well.
    let is_over = || std::fs::read_to_string(&status).map_or(true, |stat| stat.contains(") Z "));
    let until = Instant::now() + Duration::from_secs(10);
    while !is_over() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(is_over());
}

#[test]
fn a_module_that_says_too_much_of_its_slots_is_heard_no_further() {
    let mut slots = vec![library()];
    let Message::Slot(mut wordy) = slot(7, "A", 0x400) else { panic!("a slot") };
    wordy.description = pki_tokens::wire::Octets(vec![b'x'; 600_000]);
    slots.extend(std::iter::repeat_n(Message::Slot(wordy), 40));
    let script = Script::new().part(&slots, Then::Hangs);
    let seen = read(&script.context(scope(vec![]), &[]));
    assert_eq!(reasons(&seen), [GapReason::ModuleFailed]);
    assert!(gaps(&seen)[0].1.contains("16 MiB"), "{:?}", gaps(&seen));
}

#[test]
fn certificates_are_a_trust_store_only_where_all_of_a_token_was_read() {
    let made = |number: usize| {
        let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
        ca.distinguished_name.push(rcgen::DnType::CommonName, format!("CA {number}"));
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let der = ca.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec();
        certificate(7, u8::try_from(number).unwrap(), der)
    };
    let all: Vec<Message> = (0..24).map(made).collect();
    for (truncated, stores) in [(false, 1), (true, 0)] {
        let mut answers = all.clone();
        answers.push(Message::ReadEnd { slot: 7, counts: vec![(1, 24)], truncated });
        let script = Script::new()
            .part(&begins(&[slot(7, "A", 0x400)]), Then::Waits)
            .part(&answers, Then::Waits);
        let seen = read(&script.context(scope(vec![]), &[]));
        let count = |kind| seen.inventory.assets().filter(|it| it.id.kind == kind).count();
        assert_eq!((count(Kind::Certificate), count(Kind::TrustStore)), (24, stores));
    }
}

#[test]
fn a_run_that_was_ended_loads_nothing() {
    let script = one_token(READY, 0);
    let cx = script.context(scope(vec![login("pkcs11:token=C")]), &[Some("4712")]);
    cx.cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
    let seen = read(&cx);
    assert_eq!(reasons(&seen), [GapReason::RunEnded]);
    assert!(script.orders().is_empty());
}
