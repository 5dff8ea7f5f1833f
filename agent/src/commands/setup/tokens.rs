//! What `check` says of modules, tokens and logins. It loads no module.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pki_config::{Origin, PinSource, Pkcs11Module, Pkcs11Scope, Problem, SecretSource, TokenLogin};

use crate::commands::plan::{chosen, modules};

/// Which modules would be loaded, what of them would be read and how, a line each.
pub(super) fn told(scope: &Pkcs11Scope) -> String {
    if scope.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "tokens of {}: {}; at most {} objects each, {} s and {} MiB a module\n",
        modules(scope),
        chosen(scope),
        scope.max_objects,
        scope.deadline_secs,
        scope.memory_mib,
    );
    for login in &scope.logins {
        let pin = match &login.pin {
            PinSource::Kept(SecretSource::File(path)) => {
                format!("with the PIN in {}", path.display())
            }
            PinSource::Kept(SecretSource::Environment(name)) => format!("with the PIN in ${name}"),
            PinSource::Descriptor(number) => {
                format!("with the PIN from the file descriptor {number}")
            }
            PinSource::Prompt => "with a PIN that is asked for".to_owned(),
            PinSource::Device => "with a PIN that is typed at the device".to_owned(),
        };
        let although = match login.although_count_low {
            true => ", also where few tries are left",
            false => "",
        };
        text.push_str(&format!("login to {}: {pin}{although}\n", login.token));
    }
    text
}

/// Modules that are not there. A run would say so of each, and read the others.
pub(super) fn modules_missing(scope: &Pkcs11Scope) -> Vec<Problem> {
    let problem = |(at, Pkcs11Module { path, origin, .. }): (usize, &Pkcs11Module)| {
        let message = match std::fs::metadata(path) {
            Ok(facts) if facts.is_file() => return None,
            Ok(_) => format!("{} is not a regular file", path.display()),
            Err(error) => format!("could not read {}: {error}", path.display()),
        };
        let (file, line) = place(origin.as_ref());
        Some(Problem { file, line, key: format!("pkcs11.modules[{at}].path"), message })
    };
    scope.modules.iter().enumerate().filter_map(problem).collect()
}

/// Files with PINs that not only their owner can read. That keeps nobody from using them.
pub(super) fn warnings(scope: &Pkcs11Scope) -> Vec<String> {
    let warning = |(at, login): (usize, &TokenLogin)| {
        let PinSource::Kept(SecretSource::File(path)) = &login.pin else { return None };
        let message = readable_by_others(path)?;
        let (file, line) = place(login.origin.as_ref());
        let key = format!("pkcs11.logins[{at}].pin_file");
        Some(format!("warning: {}", Problem { file, line, key, message }))
    };
    scope.logins.iter().enumerate().filter_map(warning).collect()
}

fn readable_by_others(path: &Path) -> Option<String> {
    // One that is missing is a problem, which is told of elsewhere.
    let mode = std::fs::metadata(path).ok()?.mode() & 0o777;
    let who = match (mode & 0o040 != 0, mode & 0o004 != 0) {
        (_, true) => "everybody",
        (true, false) => "its group",
        (false, false) => return None,
    };
    Some(format!(
        "{} can be read by {who} (mode {mode:03o}); chmod 600 leaves it to its owner",
        path.display()
    ))
}

fn place(origin: Option<&Origin>) -> (String, usize) {
    origin.map_or_else(|| (String::new(), 1), |origin| (origin.file.clone(), origin.line))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use pki_config::Settings;

    use super::*;

    fn scope(text: &str) -> Pkcs11Scope {
        Settings::parse("s.toml", text).unwrap_or_else(|problems| panic!("{problems}")).pkcs11
    }

    #[test]
    fn it_is_told_what_would_be_loaded_and_how_it_would_be_logged_in() {
        let text = r#"
            [pkcs11]
            p11_kit = true
            only = ["pkcs11:token=A", "pkcs11:token=B"]
            max_objects = 7
            [[pkcs11.modules]]
            path = "/usr/lib/p11.so"
            [[pkcs11.logins]]
            token = "pkcs11:token=A"
            pin_file = "/etc/pin"
            although_count_low = true
            [[pkcs11.logins]]
            token = "pkcs11:token=B"
            pin_env = "PIN"
            [[pkcs11.logins]]
            token = "pkcs11:token=C%20D"
            pin_descriptor = 3
            [[pkcs11.logins]]
            token = "pkcs11:serial=1"
            pin_prompt = true
            [[pkcs11.logins]]
            token = "pkcs11:serial=2"
            pin_at_device = true
        "#;
        let expected = "\
tokens of /usr/lib/p11.so, the modules that p11-kit is configured with: only pkcs11:token=A, \
pkcs11:token=B; at most 7 objects each, 600 s and 2048 MiB a module
login to pkcs11:token=A: with the PIN in /etc/pin, also where few tries are left
login to pkcs11:token=B: with the PIN in $PIN
login to pkcs11:token=C%20D: with the PIN from the file descriptor 3
login to pkcs11:serial=1: with a PIN that is asked for
login to pkcs11:serial=2: with a PIN that is typed at the device
";
        assert_eq!(told(&scope(text)), expected);
        assert_eq!(told(&scope("")), "");
        let all = told(&scope("[pkcs11]\np11_kit = true\n"));
        let begin = "tokens of the modules that p11-kit is configured with: all of them; at most";
        assert!(all.starts_with(begin), "{all}");
    }

    #[test]
    fn a_module_that_is_not_there_is_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        let there = folder.path().join("a.so");
        std::fs::write(&there, "").expect("writes");
        let (there, folder) = (there.display(), folder.path().display());
        let scope = scope(&format!(
            "[[pkcs11.modules]]\npath = \"{there}\"\n[[pkcs11.modules]]\npath = \"{there}x\"\n\
             [[pkcs11.modules]]\npath = \"{folder}\"\n"
        ));
        let problems: Vec<String> =
            modules_missing(&scope).iter().map(Problem::to_string).collect();
        let begins = [
            format!("s.toml:4: pkcs11.modules[1].path: could not read {there}x: No such file"),
            format!("s.toml:6: pkcs11.modules[2].path: {folder} is not a regular file"),
        ];
        assert_eq!(problems.len(), begins.len(), "{problems:?}");
        assert!(problems.iter().zip(&begins).all(|(p, b)| p.starts_with(b)), "{problems:?}");
    }

    #[test]
    fn a_pin_that_others_can_read_is_worth_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pin");
        std::fs::write(&path, "31337\n").expect("writes");
        let scope = scope(&format!(
            "[pkcs11]\np11_kit = true\n[[pkcs11.logins]]\ntoken = \"pkcs11:token=A\"\n\
             pin_file = \"{}\"\n",
            path.display()
        ));
        for (mode, who) in [
            (0o600, None),
            (0o400, None),
            (0o640, Some("its group (mode 640)")),
            (0o604, Some("everybody (mode 604)")),
            (0o644, Some("everybody (mode 644)")),
        ] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).expect("sets");
            let told = |who| {
                let path = path.display();
                format!(
                    "warning: s.toml:4: pkcs11.logins[0].pin_file: {path} can be read by {who}; \
                     chmod 600 leaves it to its owner"
                )
            };
            assert_eq!(warnings(&scope), Vec::from_iter(who.map(told)), "{mode:o}");
        }
        std::fs::remove_file(&path).expect("removes");
        assert!(warnings(&scope).is_empty());
    }
}
