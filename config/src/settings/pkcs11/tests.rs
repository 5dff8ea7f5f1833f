use super::*;
use crate::{Origin, Problems, Settings};

fn read(text: &str) -> Result<Pkcs11Scope, Problems> {
    Settings::parse("s.toml", text).map(|settings| settings.pkcs11)
}

fn login_of(keys: &str) -> Result<TokenLogin, String> {
    let read = read(&format!("[pkcs11]\np11_kit = true\n[[pkcs11.logins]]\n{keys}\n"));
    read.map(|mut scope| scope.logins.remove(0)).map_err(|problems| problems.to_string())
}

fn origin(line: usize) -> Option<Origin> {
    Some(Origin { file: "s.toml".to_owned(), line })
}

#[test]
fn every_key_of_the_tokens_is_read() {
    let scope = read(
        r#"[pkcs11]
        p11_kit = true
        only = ["pkcs11:token=CA%20keys", "pkcs11:serial=1"]
        deadline_secs = 9
        call_timeout_secs = 8
        memory_mib = 64
        max_objects = 7
        [[pkcs11.modules]]
        path = "/opt/p11.so"
        [[pkcs11.modules]]
        path = "/usr/lib/libsoftokn3.so"
        parameters = "configdir='sql:/etc/pki' flags=readOnly"
        [[pkcs11.logins]]
        token = "pkcs11:token=CA%20keys"
        pin_file = "/etc/pin"
        although_count_low = true
        attempt = 2
        [[pkcs11.logins]]
        token = "pkcs11:serial=1"
        pin_at_device = true
        "#,
    );
    let module = |path: &str, parameters: Option<&str>, line| Pkcs11Module {
        path: path.into(),
        parameters: parameters.map(str::to_owned),
        origin: origin(line),
    };
    let uri = |text: &str| -> TokenUri { text.parse().expect("a URI") };
    let login = |token, pin, although_count_low, line| TokenLogin {
        token: uri(token),
        pin,
        although_count_low,
        attempt: if although_count_low { 2 } else { 1 },
        origin: origin(line),
    };
    let file = PinSource::Kept(SecretSource::File("/etc/pin".into()));
    let expected = Pkcs11Scope {
        modules: vec![
            module("/opt/p11.so", None, 9),
            module("/usr/lib/libsoftokn3.so", Some("configdir='sql:/etc/pki' flags=readOnly"), 11),
        ],
        p11_kit: true,
        only: vec![uri("pkcs11:token=CA%20keys"), uri("pkcs11:serial=1")],
        logins: vec![
            login("pkcs11:token=CA%20keys", file, true, 14),
            login("pkcs11:serial=1", PinSource::Device, false, 19),
        ],
        deadline_secs: 9,
        call_timeout_secs: 8,
        memory_mib: 64,
        max_objects: 7,
    };
    assert_eq!(scope, Ok(expected));
    assert_eq!(read(""), Ok(Pkcs11Scope::default()));
    assert!(Pkcs11Scope::default().is_empty());
}

#[test]
fn a_pin_comes_from_exactly_one_source() {
    let of = |source: &str| {
        login_of(&format!("token = \"pkcs11:serial=1\"\n{source}")).map(|login| login.pin)
    };
    let variable = SecretSource::Environment("PIN".to_owned());
    assert_eq!(of("pin_env = \"PIN\""), Ok(PinSource::Kept(variable)));
    assert_eq!(of("pin_descriptor = 0"), Ok(PinSource::Descriptor(0)));
    assert_eq!(of("pin_descriptor = 3"), Ok(PinSource::Descriptor(3)));
    assert_eq!(of("pin_prompt = true"), Ok(PinSource::Prompt));
    assert_eq!(of("pin_at_device = true"), Ok(PinSource::Device));
    for (source, told) in [
        ("", "s.toml:3: pkcs11.logins[0].pin_file: is missing; name a `pin_file`, or write"),
        ("pin_file = \"31337\"", "s.toml:5: pkcs11.logins[0].pin_file: must be the absolute path"),
        ("pin_env = \"31337=\"", "s.toml:5: pkcs11.logins[0].pin_env: must be the name of"),
        ("pin_descriptor = 1", "s.toml:5: pkcs11.logins[0].pin_descriptor: must be one to read"),
        ("pin_descriptor = -1", "s.toml:5: pkcs11.logins[0].pin_descriptor: must be a whole"),
        ("pin_prompt = false", "s.toml:5: pkcs11.logins[0].pin_prompt: names no source"),
        (
            "pin_prompt = true\nattempt = 0",
            "s.toml:6: pkcs11.logins[0].attempt: must be a whole number from 1",
        ),
        ("pin_at_device = false", "s.toml:5: pkcs11.logins[0].pin_at_device: names no source"),
        (
            "pin_env = \"P\"\npin_prompt = true",
            "s.toml:6: pkcs11.logins[0].pin_prompt: is one source too many beside `pin_env`",
        ),
        (
            "pin_file = \"/p\"\npin_descriptor = 3",
            "s.toml:6: pkcs11.logins[0].pin_descriptor: is one source too many",
        ),
        ("pin = \"31337\"\npin_prompt = true", "s.toml:5: pkcs11.logins[0].pin: a PIN does not"),
        ("pin = 31337\npin_prompt = true", "s.toml:5: pkcs11.logins[0].pin: a PIN does not"),
    ] {
        let error = of(source).expect_err(source);
        assert!(error.starts_with(told) && !error.contains("31337"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_pin_is_for_a_token_that_is_named() {
    for (token, told) in [
        ("", "s.toml:3: pkcs11.logins[0].token: is missing"),
        ("token = \"pkcs11:\"", "s.toml:4: pkcs11.logins[0].token: must name the token by"),
        ("token = \"pkcs11:model=a\"", "s.toml:4: pkcs11.logins[0].token: must name the token by"),
        ("token = \"CA\"", "s.toml:4: pkcs11.logins[0].token: must be a URI of RFC 7512"),
        (
            "token = \"pkcs11:token=a?pin-value=31337\"",
            "s.toml:4: pkcs11.logins[0].token: must not hold a PIN",
        ),
    ] {
        let error = login_of(&format!("{token}\npin_prompt = true")).expect_err(token);
        assert!(error.starts_with(told) && !error.contains("31337"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn all_problems_of_the_tokens_come_at_once() {
    let text = r#"[pkcs11]
        p11_kit = 1
        only = ["pkcs11:token=a", "pkcs11:id=%01", "pkcs11:x-v=1"]
        deadline_secs = 5
        call_timeout_secs = 6
        memory_mib = 63
        max_objects = 0
        module = "/a"
        [[pkcs11.modules]]
        path = "softhsm.so"
        [[pkcs11.modules]]
        parameters = ""
        [[pkcs11.modules]]
        path = "/a"
        [[pkcs11.modules]]
        path = "/a"
        [[pkcs11.logins]]
        token = "pkcs11:token=a"
        pin_prompt = true
        [[pkcs11.logins]]
        token = "pkcs11:token=%61"
        pin_prompt = true
        why = true
    "#;
    let problems = read(text).expect_err("there are many").0;
    let found: Vec<(usize, &str)> =
        problems.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
    assert_eq!(
        found,
        [
            (2, "pkcs11.p11_kit"),
            (3, "pkcs11.only"),
            (3, "pkcs11.only"),
            (5, "pkcs11.call_timeout_secs"),
            (6, "pkcs11.memory_mib"),
            (7, "pkcs11.max_objects"),
            (8, "pkcs11.module"),
            (9, "pkcs11.modules"),
            (10, "pkcs11.modules[0].path"),
            (11, "pkcs11.modules[1].path"),
            (12, "pkcs11.modules[1].parameters"),
            (17, "pkcs11.logins"),
            (23, "pkcs11.logins[1].why"),
        ]
    );
    let message = |key: &str| &problems.iter().find(|one| one.key == key).expect(key).message;
    assert_eq!(message("pkcs11.modules"), "names /a twice; leave one of them out");
    assert_eq!(message("pkcs11.logins"), "names pkcs11:token=a twice; leave one of them out");
}

#[test]
fn what_nothing_is_loaded_for_is_a_problem() {
    let logins = "[[pkcs11.logins]]\ntoken = \"pkcs11:token=a\"\npin_prompt = true\n";
    let only = "[pkcs11]\nonly = [\"pkcs11:token=a\"]\n";
    for (text, keys) in [
        (format!("{only}{logins}"), &["pkcs11.only", "pkcs11.logins"][..]),
        (logins.to_owned(), &["pkcs11.logins"]),
        (format!("{only}p11_kit = true\n{logins}"), &[]),
        (format!("{only}p11_kit = false\n{logins}"), &[]),
        (format!("{only}[[pkcs11.modules]]\npath = \"/a\"\n{logins}"), &[]),
    ] {
        let problems = read(&text).map_or_else(|problems| problems.0, |_| Vec::new());
        let found: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(found, keys, "{text}");
    }
}

#[test]
fn a_call_takes_no_longer_than_the_module_may() {
    let scope = read("[pkcs11]\ndeadline_secs = 30\n").expect("a scope");
    assert_eq!(scope.call_timeout_secs, 30);
    let scope = read("[pkcs11]\ndeadline_secs = 90\n").expect("a scope");
    assert_eq!(scope.call_timeout_secs, 60);
}
