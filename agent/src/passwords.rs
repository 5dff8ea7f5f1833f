//! Passwords of keystores and directories and PINs of tokens, read once before anything is looked at. They
//! are wiped when the run is over and told to nobody.

mod descriptor;
mod pins;
mod prompt;

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use pki_collectors::{KeystorePassword, TokenPin};
use pki_config::{
    Bind, DirectoryPassword, DirectoryScope, DirectoryServer, FilesystemScope, Origin, PasswordFor,
    Problem, Problems, SecretSource, Settings,
};
use zeroize::Zeroizing;

use crate::{limits, output};

pub use self::prompt::at_terminal;

/// No password is longer.
const MAX_BYTES: usize = 4096;

/// The passwords of the settings.
#[derive(Clone, Default)]
pub struct Passwords {
    /// What is tried on which keystores.
    pub tried: Arc<Vec<KeystorePassword>>,
    /// What tells one state of a source from another, for each: never anything of the password
    /// itself, of which even a digest would let a short one be guessed. A file is known by its path
    /// and times, a variable by its name alone.
    pub marks: Vec<String>,
    /// What each server of a directory is bound to with, in their order, where it takes a password.
    pub directory: Arc<Vec<Option<Zeroizing<String>>>>,
    /// The PIN of each login to tokens, in their order, where one was given.
    pub pins: Arc<Vec<Option<TokenPin>>>,
}

/// Asks whoever is there for a password, by a line that says which. The error is why there is none.
pub type Ask<'a> = &'a mut dyn FnMut(&str) -> Result<Zeroizing<String>, String>;

/// Reads them from where the settings say. `ask` is asked for those that somebody has in mind; `None`
/// leaves these out, and those of file descriptors, which can be read but once.
///
/// # Errors
///
/// Every source that is missing or holds none, each with the line that names it.
pub fn read(settings: &Settings, ask: Option<Ask<'_>>) -> anyhow::Result<Passwords> {
    let binds = |server: &DirectoryServer| matches!(server.bind, Bind::Simple { .. });
    let any = !settings.filesystem.passwords.is_empty()
        || settings.directory.servers.iter().any(binds)
        || !settings.pkcs11.logins.is_empty();
    if any {
        limits::keep_to_itself();
    }
    let mut problems = Vec::new();
    let (tried, marks) = of_keystores(&settings.filesystem, &mut problems);
    let mut directory = of_directories(&settings.directory, &mut problems);
    let mut pins = pins::kept(&settings.pkcs11, &mut problems);
    if ask.is_some() && problems.is_empty() {
        pins::handed_over(&settings.pkcs11, &mut pins, pins::PATIENCE, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    if let Some(ask) = ask {
        directory = asked_for(&settings.directory, directory, &mut *ask)?;
        pins::asked_for(&settings.pkcs11, &mut pins, ask)?;
    }
    let (tried, directory, pins) = (Arc::new(tried), Arc::new(directory), Arc::new(pins));
    Ok(Passwords { tried, marks, directory, pins })
}

fn of_keystores(
    files: &FilesystemScope,
    problems: &mut Vec<Problem>,
) -> (Vec<KeystorePassword>, Vec<String>) {
    let (mut tried, mut marks) = (Vec::new(), Vec::new());
    for PasswordFor { paths, source, origin: Origin { file, line } } in &files.passwords {
        match of(source, "password") {
            Ok((password, mark)) => {
                tried.push(KeystorePassword { paths: paths.clone(), password });
                marks.push(mark);
            }
            Err(message) => {
                let (file, key) = (file.clone(), "filesystem.passwords".to_owned());
                problems.push(Problem { file, line: *line, key, message });
            }
        }
    }
    (tried, marks)
}

/// The passwords of directories that are kept somewhere.
fn of_directories(
    scope: &DirectoryScope,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Zeroizing<String>>> {
    let mut passwords = Vec::with_capacity(scope.servers.len());
    for (at, server) in scope.servers.iter().enumerate() {
        let Bind::Simple { password: DirectoryPassword::Kept(source), .. } = &server.bind else {
            passwords.push(None);
            continue;
        };
        match of(source, "password") {
            Ok((password, _)) => passwords.push(Some(password)),
            Err(message) => {
                let origin = server.origin.clone();
                let (file, line) =
                    origin.map_or(("command line".to_owned(), 1), |o| (o.file, o.line));
                let key = format!("directory.servers[{at}]");
                problems.push(Problem { file, line, key, message });
            }
        }
    }
    passwords
}

/// The passwords that somebody has in mind, beside those that are kept.
fn asked_for(
    scope: &DirectoryScope,
    mut passwords: Vec<Option<Zeroizing<String>>>,
    ask: Ask<'_>,
) -> anyhow::Result<Vec<Option<Zeroizing<String>>>> {
    for (server, password) in scope.servers.iter().zip(&mut passwords) {
        if let Bind::Simple { name, password: DirectoryPassword::Prompt, .. } = &server.bind {
            let which = format!("Password of {name} at {}", server.name());
            let given = ask(&output::plain(&which));
            *password = Some(given.map_err(|why| anyhow::anyhow!("{which}: {why}"))?);
        }
    }
    Ok(passwords)
}

fn of(source: &SecretSource, what: &str) -> Source {
    match source {
        SecretSource::File(path) => of_file(path, what),
        SecretSource::Environment(name) => of_variable(name),
    }
}

/// A password or a PIN and the mark of its source, or why there is none.
type Source = Result<(Zeroizing<String>, String), String>;

fn of_file(path: &Path, what: &str) -> Source {
    let named = path.display();
    let refused = |error: io::Error| format!("could not read the {what} in {named}: {error}");
    // Without waiting: a FIFO that nobody writes to must not hold up the run.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(refused)?;
    let facts = file.metadata().map_err(refused)?;
    if !facts.is_file() {
        return Err(format!("{named} is not a regular file; a {what} is read from one"));
    }
    let line = first_line(file).map_err(refused)?;
    let line = line.ok_or_else(|| {
        format!("the first line of {named} is longer than {MAX_BYTES} octets, which no {what} is")
    })?;
    let password = password(&line).map_err(|why| format!("the first line of {named} {why}"))?;
    let mark = format!(
        "file {named} {}.{} {}.{}",
        facts.mtime(),
        facts.mtime_nsec(),
        facts.ctime(),
        facts.ctime_nsec()
    );
    Ok((password, mark))
}

/// The octets up to the end of the first line; `None` when there are too many.
fn first_line(file: File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // All the room at once: a buffer that grows leaves copies behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(2 * MAX_BYTES));
    file.take(MAX_BYTES as u64 + 2).read_to_end(&mut octets)?;
    match octets.iter().position(|octet| *octet == b'\n') {
        Some(end) => octets.truncate(end),
        None if octets.len() > MAX_BYTES => return Ok(None),
        None => {}
    }
    if octets.ends_with(b"\r") {
        octets.pop();
    }
    Ok(Some(octets).filter(|octets| octets.len() <= MAX_BYTES))
}

fn of_variable(name: &str) -> Source {
    let value = std::env::var_os(name);
    let value = value.ok_or_else(|| format!("the variable {name} is not set"))?;
    let octets = Zeroizing::new(value.into_encoded_bytes());
    let password = password(&octets).map_err(|why| format!("the variable {name} {why}"))?;
    Ok((password, format!("env {name}")))
}

fn password(octets: &[u8]) -> Result<Zeroizing<String>, &'static str> {
    match std::str::from_utf8(octets) {
        Ok("") => Err("is empty"),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err("is not UTF-8 text"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use pki_config::Globs;

    use super::*;

    fn scope(sources: &[SecretSource]) -> Settings {
        let passwords = (1..).zip(sources).map(|(line, source)| PasswordFor {
            paths: Globs::new(["*.p12"]).expect("a pattern"),
            source: source.clone(),
            origin: Origin { file: "s.toml".to_owned(), line },
        });
        let filesystem =
            FilesystemScope { passwords: passwords.collect(), ..FilesystemScope::default() };
        Settings { filesystem, ..Settings::default() }
    }

    /// Servers of which each takes this password, if any.
    fn servers(passwords: Vec<Option<DirectoryPassword>>) -> Settings {
        let server = |(line, password): (usize, Option<DirectoryPassword>)| DirectoryServer {
            bind: password.map_or(Bind::Anonymous, |password| Bind::Simple {
                name: "cn=x".to_owned(),
                password,
                in_the_clear: false,
            }),
            origin: Some(Origin { file: "s.toml".to_owned(), line }),
            ..DirectoryServer::default()
        };
        let mut settings = Settings::default();
        settings.directory.servers = (1..).zip(passwords).map(server).collect();
        settings
    }

    fn file(path: &Path) -> SecretSource {
        SecretSource::File(path.to_owned())
    }

    fn told(sources: &[SecretSource]) -> String {
        read(&scope(sources), None).map(|_| ()).expect_err("must be refused").to_string()
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let longest = "x".repeat(MAX_BYTES);
        for (text, expected) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            (" se cret \nmore\n", " se cret "),
            ("ü\n\n", "ü"),
            (&format!("secret\n{longest}{longest}"), "secret"),
            (&longest, &longest),
            (&format!("{longest}\n"), &longest),
            (&format!("{longest}\r\n"), &longest),
        ] {
            std::fs::write(&path, text).expect("writes");
            let passwords = read(&scope(&[file(&path)]), None).expect("reads");
            let tried: Vec<&str> = passwords.tried.iter().map(|p| p.password.as_str()).collect();
            assert_eq!(tried, [expected]);
            assert!(passwords.tried[0].paths.matches(Path::new("/srv/a.p12")));
        }
    }

    #[test]
    fn a_source_that_is_missing_is_told_with_the_line_that_names_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (missing, fifo) = (folder.path().join("missing"), folder.path().join("fifo"));
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("runs");
        assert!(made.success());
        let name = "PKIMM_TEST_NO_SUCH_VARIABLE".to_owned();
        let all = told(&[
            file(&missing),
            SecretSource::Environment(name.clone()),
            file(&fifo),
            file(folder.path()),
        ]);
        let lines: Vec<&str> = all.lines().collect();
        let begins = [
            format!(
                "s.toml:1: filesystem.passwords: could not read the password in {}: No such file",
                missing.display()
            ),
            format!("s.toml:2: filesystem.passwords: the variable {name} is not set"),
            format!("s.toml:3: filesystem.passwords: {} is not a regular file", fifo.display()),
            format!("s.toml:4: filesystem.passwords: {}", folder.path().display()),
        ];
        assert_eq!(lines.len(), begins.len(), "{all}");
        for (line, begin) in lines.iter().zip(&begins) {
            assert!(line.starts_with(begin), "{line}\n{begin}");
        }
    }

    #[test]
    fn what_is_no_password_is_refused_and_not_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let too_long = "hunter2".repeat(1000);
        for (octets, why) in [
            (&b""[..], "is empty"),
            (b"\nhunter2", "is empty"),
            (b"\r\nhunter2", "is empty"),
            (b"hunter2\xff\n", "is not UTF-8 text"),
            (too_long.as_bytes(), "is longer than 4096 octets"),
        ] {
            std::fs::write(&path, octets).expect("writes");
            let error = told(&[file(&path)]);
            assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn each_server_of_a_directory_has_its_own_password() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").expect("writes");
        let kept = |source| Some(DirectoryPassword::Kept(source));
        let settings =
            servers(vec![None, kept(file(&path)), Some(DirectoryPassword::Prompt), None]);
        let mut asked = Vec::new();
        let mut ask = |which: &str| {
            asked.push(which.to_owned());
            Ok(Zeroizing::new("typed".to_owned()))
        };
        let read_all = read(&settings, Some(&mut ask)).expect("reads").directory;
        let read_all: Vec<Option<&str>> =
            read_all.iter().map(|password| password.as_ref().map(|p| p.as_str())).collect();
        assert_eq!(read_all, [None, Some("hunter2"), Some("typed"), None]);
        assert_eq!(asked, ["Password of cn=x at localhost"]);
        // To see whether all is there, nobody is asked.
        let kept_only = read(&settings, None).expect("reads").directory;
        assert_eq!(
            kept_only.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true, false, false]
        );
        let refused = read(&settings, Some(&mut |_| Err("there is nobody".to_owned())));
        let refused = refused.map(|_| ()).expect_err("nobody gave one").to_string();
        assert_eq!(refused, "Password of cn=x at localhost: there is nobody");
    }

    #[test]
    fn what_is_missing_is_told_before_anybody_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = file(&folder.path().join("missing"));
        let name = "PKIMM_TEST_NO_SUCH_VARIABLE".to_owned();
        let kept = |source| Some(DirectoryPassword::Kept(source));
        let settings = servers(vec![
            Some(DirectoryPassword::Prompt),
            kept(missing),
            kept(SecretSource::Environment(name)),
        ]);
        let mut ask = |_: &str| panic!("nobody is to be asked");
        let error = read(&settings, Some(&mut ask)).map(|_| ()).expect_err("two are missing");
        let error = error.to_string();
        assert!(error.starts_with("s.toml:2: directory.servers[1]: could not read"), "{error}");
        assert!(error.contains("\ns.toml:3: directory.servers[2]: the variable "), "{error}");
    }

    #[test]
    fn a_source_is_known_by_all_but_its_value() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let write = |text: &str, seconds: u64| {
            std::fs::write(&path, text).expect("writes");
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            File::options()
                .write(true)
                .open(&path)
                .expect("opens")
                .set_modified(time)
                .expect("sets");
            read(&scope(&[file(&path)]), None).expect("reads").marks
        };
        let one = write("hunter2", 1_700_000_000);
        assert_eq!(one, read(&scope(&[file(&path)]), None).expect("reads").marks);
        assert_ne!(one, write("hunter2", 1_700_000_001));
        assert!(one[0].contains("1700000000") && !one[0].contains("hunter2"), "{one:?}");
        // Every process has this one.
        let home =
            read(&scope(&[SecretSource::Environment("PATH".to_owned())]), None).expect("reads");
        assert_eq!(home.marks, ["env PATH"]);
        assert!(
            PathBuf::from(home.tried[0].password.split(':').next().expect("one")).is_absolute()
        );
        assert!(!format!("{:?}", home.tried).contains('/'), "{:?}", home.tried);
    }
}
