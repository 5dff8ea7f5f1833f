//! Modules and tokens that a command line names, over those of the settings.

use pki_config::{PinSource, Pkcs11Module, Pkcs11Scope, SecretSource, TokenLogin, TokenUri};

use crate::cli::TokenArgs;

/// Whether the command line names anything to read.
pub(super) fn are_given(args: &TokenArgs) -> bool {
    !args.pkcs11_module.is_empty() || args.p11_kit || !args.token.is_empty()
}

/// What is read where nobody says what to look at: the modules that this machine has, with no login.
pub(super) fn of_this_machine() -> Pkcs11Scope {
    Pkcs11Scope { p11_kit: true, ..Pkcs11Scope::default() }
}

/// What is to be read: modules given on the command line take the place of those of the settings and of
/// p11-kit, and tokens that of its tokens. A module that the settings have is loaded as they say.
pub(super) fn wanted(mut scope: Pkcs11Scope, args: &TokenArgs) -> anyhow::Result<Pkcs11Scope> {
    if !args.pkcs11_module.is_empty() {
        let known = std::mem::take(&mut scope.modules);
        for path in &args.pkcs11_module {
            let path = std::path::absolute(path)?;
            if scope.modules.iter().any(|module| module.path == path) {
                continue;
            }
            let known = known.iter().find(|module| module.path == path).cloned();
            let named = || Pkcs11Module { path, parameters: None, origin: None };
            scope.modules.push(known.unwrap_or_else(named));
        }
        scope.p11_kit = false;
    }
    scope.p11_kit = (scope.p11_kit || args.p11_kit) && !args.no_p11_kit;
    if args.token.is_empty() {
        return Ok(scope);
    }
    // Whoever names a token wants it read, and p11-kit knows most modules.
    scope.p11_kit |= scope.is_empty() && !args.no_p11_kit;
    anyhow::ensure!(
        !scope.is_empty(),
        "--token is for tokens of modules, and none is loaded; name --pkcs11-module, or leave out \
         --no-p11-kit"
    );
    let mut tokens: Vec<TokenUri> = Vec::new();
    for text in &args.token {
        // The text itself may hold a PIN and is not told.
        let token = text.parse().map_err(|error| anyhow::anyhow!("--token {error}"))?;
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    match pin(args)? {
        // Every token that is read has this one.
        Some(pin) => {
            anyhow::ensure!(
                tokens.iter().all(TokenUri::tells_one),
                "--token has to name the token by `token`, `serial` or `slot-id` where there is a \
                 PIN for it: any other that it is tried on counts a wrong one"
            );
            let login = |token: &TokenUri| TokenLogin {
                token: token.clone(),
                pin: pin.clone(),
                although_count_low: false,
                attempt: args.pin_attempt.unwrap_or(1),
                origin: None,
            };
            scope.logins = tokens.iter().map(login).collect();
        }
        // Nobody is asked for the PIN of a token that is not read.
        None => {
            scope.logins.retain(|login| tokens.iter().any(|token| !token.excludes(&login.token)))
        }
    }
    scope.only = tokens;
    Ok(scope)
}

/// Where the PIN of the tokens on the command line comes from. That no two sources are named is held by
/// the command line.
fn pin(args: &TokenArgs) -> anyhow::Result<Option<PinSource>> {
    if let Some(path) = &args.pin_file {
        return Ok(Some(PinSource::Kept(SecretSource::File(std::path::absolute(path)?))));
    }
    let variable = args.pin_env.clone().map(SecretSource::Environment).map(PinSource::Kept);
    let typed = args.pin_prompt.then_some(PinSource::Prompt);
    let device = args.pin_at_device.then_some(PinSource::Device);
    Ok(variable.or(args.pin_descriptor.map(PinSource::Descriptor)).or(typed).or(device))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;
    use pki_config::Settings;

    use super::*;
    use crate::cli::{Cli, Command};

    const SETTINGS: &str = r#"
        [pkcs11]
        p11_kit = true
        only = ["pkcs11:model=x"]
        max_objects = 7
        [[pkcs11.modules]]
        path = "/a.so"
        parameters = "flags=readOnly"
        [[pkcs11.modules]]
        path = "/b.so"
        [[pkcs11.logins]]
        token = "pkcs11:token=A"
        pin_file = "/a.pin"
        although_count_low = true
        [[pkcs11.logins]]
        token = "pkcs11:token=B"
        pin_prompt = true
    "#;

    fn parsed(options: &[&str]) -> Result<TokenArgs, clap::Error> {
        let all = ["pkimm-agent", "scan"].iter().chain(options);
        match Cli::try_parse_from(all)?.command {
            Command::Scan(args) => Ok(args.scope.tokens),
            other => panic!("{other:?}"),
        }
    }

    fn over(settings: &str, options: &[&str]) -> Result<Pkcs11Scope, String> {
        let settings = Settings::parse("s.toml", settings).expect("settings").pkcs11;
        let args = parsed(options).unwrap_or_else(|error| panic!("{error}"));
        wanted(settings, &args).map_err(|error| error.to_string())
    }

    fn scope(options: &[&str]) -> Pkcs11Scope {
        over(SETTINGS, options).expect("a scope")
    }

    fn logins(scope: &Pkcs11Scope) -> Vec<String> {
        scope.logins.iter().map(|login| login.token.to_string()).collect()
    }

    #[test]
    fn modules_of_the_command_line_take_the_place_of_all_others() {
        let all = scope(&[]);
        assert_eq!(all, Settings::parse("s.toml", SETTINGS).expect("settings").pkcs11);
        let given = ["--pkcs11-module", "/a.so", "--pkcs11-module", "c.so"];
        let some = scope(&[&given[..], &["--pkcs11-module", "/a.so"]].concat());
        let here = std::path::absolute("c.so").expect("a path");
        let paths: Vec<&Path> = some.modules.iter().map(|module| &*module.path).collect();
        assert_eq!(paths, [Path::new("/a.so"), &here]);
        assert_eq!(some.modules[0], all.modules[0], "as the settings say");
        assert_eq!((some.p11_kit, some.max_objects), (false, 7));
        assert_eq!((&some.only, &some.logins), (&all.only, &all.logins));
        assert!(scope(&[&given[..], &["--p11-kit"]].concat()).p11_kit);
        let without = scope(&["--no-p11-kit"]);
        assert_eq!((without.p11_kit, &without.modules), (false, &all.modules));
        assert!(over("", &["--p11-kit"]).expect("a scope").p11_kit);
        assert!(over("", &[]).expect("a scope").is_empty());
    }

    #[test]
    fn a_token_that_is_named_is_read_by_the_modules_there_are() {
        let one = scope(&["--token", "pkcs11:token=A", "--token", "pkcs11:token=%41"]);
        let only: Vec<String> = one.only.iter().map(TokenUri::to_string).collect();
        assert_eq!(only, ["pkcs11:token=A"]);
        assert_eq!((one.modules.len(), one.p11_kit), (2, true));
        assert_eq!(logins(&one), ["pkcs11:token=A"], "nobody is asked for the PIN of the other");
        assert_eq!(logins(&scope(&["--token", "pkcs11:serial=1"])).len(), 2, "may be either");
        assert!(over("", &["--token", "pkcs11:serial=1"]).expect("a scope").p11_kit);
        let error = over("", &["--token", "pkcs11:serial=1", "--no-p11-kit"]);
        assert!(error.expect_err("nothing is loaded").starts_with("--token is for tokens of"));
        for given in [&["--pkcs11-module", "/a"][..], &["--p11-kit"], &["--token", "pkcs11:"]] {
            assert!(are_given(&parsed(given).expect("options")), "{given:?}");
        }
        assert!(!are_given(&parsed(&["--no-p11-kit"]).expect("options")));
        assert!(of_this_machine().p11_kit && of_this_machine().logins.is_empty());
    }

    #[test]
    fn a_pin_of_the_command_line_is_for_the_tokens_of_the_command_line() {
        let pin = |options: &[&str]| {
            let named = ["--token", "pkcs11:token=A", "--token", "pkcs11:serial=1"];
            let scope = scope(&[&named[..], options].concat());
            assert_eq!(logins(&scope), ["pkcs11:token=A", "pkcs11:serial=1"]);
            assert!(scope.logins.iter().all(|login| login.origin.is_none()));
            scope.logins[1].pin.clone()
        };
        let file = PinSource::Kept(SecretSource::File("/p".into()));
        assert_eq!(pin(&["--pin-file", "/p"]), file);
        let variable = PinSource::Kept(SecretSource::Environment("P".to_owned()));
        assert_eq!(pin(&["--pin-env", "P"]), variable);
        assert_eq!(pin(&["--pin-descriptor", "0"]), PinSource::Descriptor(0));
        assert_eq!(pin(&["--pin-prompt"]), PinSource::Prompt);
        assert_eq!(pin(&["--pin-at-device"]), PinSource::Device);
        for wrong in [
            &["--pin-prompt"][..],
            &["--token", "pkcs11:token=A", "--pin-prompt", "--pin-at-device"],
            &["--token", "pkcs11:token=A", "--pin-file", "/p", "--pin-env", "P"],
            &["--token", "pkcs11:token=A", "--pin-descriptor", "1"],
            &["--token", "pkcs11:token=A", "--pin-descriptor", "-1"],
            &["--p11-kit", "--no-p11-kit"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
        let any = over(SETTINGS, &["--token", "pkcs11:model=x", "--pin-prompt"]);
        assert!(any.expect_err("is refused").starts_with("--token has to name the token by"));
    }

    #[test]
    fn a_text_that_may_hold_a_pin_is_not_told() {
        for text in ["pkcs11:token=A?pin-value=31337", "31337", "pkcs11:31337"] {
            let error = over(SETTINGS, &["--token", text]).expect_err("is refused");
            assert!(error.starts_with("--token must ") && !error.contains("31337"), "{error}");
        }
    }
}
