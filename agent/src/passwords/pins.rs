//! PINs of tokens, each for the logins it was given for.

use std::collections::BTreeMap;
use std::time::Duration;

use pki_collectors::TokenPin;
use pki_config::{PinSource, Pkcs11Scope, Problem, SecretSource, TokenLogin};
use zeroize::Zeroizing;

use super::{Ask, Source, descriptor, of, password};
use crate::output;

/// Longer than this nobody is waited for who was to write a PIN.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Those of a scope, one for each login, where there is one.
pub(super) type Pins = Vec<Option<TokenPin>>;

/// Those that are kept in files and variables.
pub(super) fn kept(scope: &Pkcs11Scope, problems: &mut Vec<Problem>) -> Pins {
    let read = |(at, login): (usize, &TokenLogin)| match &login.pin {
        PinSource::Kept(source) => {
            let given = noted(at, login, of(source, "PIN"), problems);
            given.map(|given| TokenPin { mark: mark(source), ..given })
        }
        _ => None,
    };
    scope.logins.iter().enumerate().map(read).collect()
}

/// What a source is known by: its name alone. The times of a file do not count, for what keeps secrets
/// writes theirs anew at each start, and a wrong PIN would be tried again each time.
fn mark(source: &SecretSource) -> String {
    match source {
        SecretSource::File(path) => format!("file {}", path.display()),
        SecretSource::Environment(name) => format!("env {name}"),
    }
}

/// Those that come from file descriptors, beside the ones there are. Each descriptor is read once, whoever
/// has its PIN.
pub(super) fn handed_over(
    scope: &Pkcs11Scope,
    pins: &mut Pins,
    patience: Duration,
    problems: &mut Vec<Problem>,
) {
    let mut lines: BTreeMap<i32, Result<Zeroizing<String>, String>> = BTreeMap::new();
    for (at, (login, pin)) in scope.logins.iter().zip(pins).enumerate() {
        let PinSource::Descriptor(number) = login.pin else { continue };
        let read = || {
            let line = descriptor::line(number, patience)?;
            let why = |why| format!("the first line of the file descriptor {number} {why}");
            password(&line).map_err(why)
        };
        let given = lines.entry(number).or_insert_with(read).clone();
        let given = given.map(|pin| (pin, format!("descriptor {number}")));
        *pin = noted(at, login, given, problems);
    }
}

/// Those that somebody has in mind.
pub(super) fn asked_for(scope: &Pkcs11Scope, pins: &mut Pins, ask: Ask<'_>) -> anyhow::Result<()> {
    for (login, pin) in scope.logins.iter().zip(pins) {
        if login.pin == PinSource::Prompt {
            let which = format!("PIN of {}", login.token);
            let given = ask(&output::plain(&which));
            let given = given.map_err(|why| anyhow::anyhow!("{which}: {why}"))?;
            *pin = Some(TokenPin { pin: given, mark: "prompt".to_owned() });
        }
    }
    Ok(())
}

/// The PIN, or a problem of the login it is for.
fn noted(
    at: usize,
    login: &TokenLogin,
    given: Source,
    problems: &mut Vec<Problem>,
) -> Option<TokenPin> {
    match given {
        Ok((pin, mark)) => Some(TokenPin { pin, mark }),
        Err(message) => {
            let origin = login.origin.clone();
            let (file, line) = origin.map_or(("command line".to_owned(), 1), |o| (o.file, o.line));
            problems.push(Problem { file, line, key: format!("pkcs11.logins[{at}]"), message });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::IntoRawFd as _;
    use std::path::Path;

    use pki_config::{Origin, Settings};

    use super::*;
    use crate::passwords::read;

    fn settings(sources: Vec<PinSource>) -> Settings {
        let login = |(line, pin): (usize, PinSource)| TokenLogin {
            token: format!("pkcs11:serial={line}").parse().expect("a URI"),
            pin,
            although_count_low: false,
            attempt: 1,
            origin: Some(Origin { file: "s.toml".to_owned(), line }),
        };
        let mut settings = Settings::default();
        settings.pkcs11.logins = (1..).zip(sources).map(login).collect();
        settings
    }

    fn file(path: &Path) -> PinSource {
        PinSource::Kept(SecretSource::File(path.to_owned()))
    }

    fn told(pins: &[Option<TokenPin>]) -> Vec<Option<(&str, &str)>> {
        let pins = pins.iter().map(Option::as_ref);
        pins.map(|pin| pin.map(|pin| (pin.pin.as_str(), pin.mark.as_str()))).collect()
    }

    /// A descriptor that holds this, as a program is started with it.
    fn handed(octets: &[u8]) -> i32 {
        let (from, to) = rustix::pipe::pipe().expect("a pipe");
        File::from(to).write_all(octets).expect("writes");
        from.into_raw_fd()
    }

    #[test]
    fn each_login_has_its_own_pin() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pin");
        std::fs::write(&path, "1111\n").expect("writes");
        let number = handed(b"2222\n");
        let settings = settings(vec![
            PinSource::Device,
            file(&path),
            PinSource::Prompt,
            PinSource::Descriptor(number),
            PinSource::Descriptor(number),
        ]);
        let mut asked = Vec::new();
        let mut ask = |which: &str| {
            asked.push(which.to_owned());
            Ok(Zeroizing::new("3333".to_owned()))
        };
        // To see whether all is there, nobody is asked, and what is there but once is left.
        let before = read(&settings, None).expect("reads").pins;
        let there: Vec<bool> = before.iter().map(Option::is_some).collect();
        assert_eq!(there, [false, true, false, false, false]);
        let pins = read(&settings, Some(&mut ask)).expect("reads").pins;
        assert_eq!(asked, ["PIN of pkcs11:serial=3"]);
        let told = told(&pins);
        let descriptor = format!("descriptor {number}");
        assert_eq!(told[0], None);
        let kept = format!("file {}", path.display());
        assert_eq!(told[1], Some(("1111", kept.as_str())), "not the times of the file");
        assert_eq!(told[2], Some(("3333", "prompt")));
        assert_eq!(told[3..], [Some(("2222", descriptor.as_str())); 2]);
        assert!(!format!("{pins:?}").contains("1111"), "{pins:?}");
    }

    #[test]
    fn what_is_missing_is_told_before_anybody_is_asked() {
        let variable = SecretSource::Environment("PKIMM_TEST_NO_SUCH_VARIABLE".to_owned());
        let missing = settings(vec![
            PinSource::Prompt,
            file(Path::new("/nowhere/pin")),
            PinSource::Kept(variable),
        ]);
        let mut ask = |_: &str| panic!("nobody is to be asked");
        let error = read(&missing, Some(&mut ask)).map(|_| ()).expect_err("two are missing");
        let error = error.to_string();
        let lines: Vec<&str> = error.lines().collect();
        let begins = [
            "s.toml:2: pkcs11.logins[1]: could not read the PIN in /nowhere/pin: No such file",
            "s.toml:3: pkcs11.logins[2]: the variable PKIMM_TEST_NO_SUCH_VARIABLE is not set",
        ];
        assert_eq!(lines.len(), begins.len(), "{error}");
        assert!(lines.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)), "{error}");

        let mut closed = settings(vec![PinSource::Descriptor(65_535)]);
        closed.pkcs11.logins[0].origin = None;
        let error = read(&closed, Some(&mut ask)).map(|_| ()).expect_err("it is not open");
        let told = "command line:1: pkcs11.logins[0]: the file descriptor 65535 is not open";
        assert_eq!(error.to_string(), told);
        let empty = settings(vec![PinSource::Descriptor(handed(b"\n"))]);
        let error = read(&empty, Some(&mut ask)).map(|_| ()).expect_err("it is empty");
        assert!(error.to_string().ends_with(" is empty"), "{error}");
        let nobody = read(
            &settings(vec![PinSource::Prompt]),
            Some(&mut |_| Err("there is nobody".to_owned())),
        );
        let error = nobody.map(|_| ()).expect_err("nobody gave one").to_string();
        assert_eq!(error, "PIN of pkcs11:serial=1: there is nobody");
    }
}
