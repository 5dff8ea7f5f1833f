//! What to look at: the file `pkimm-agent.toml`.

mod directory;
mod filesystem;
mod pkcs11;

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use jiff::tz::TimeZone;

use self::directory::directory;
use self::filesystem::filesystem;
use self::pkcs11::pkcs11;
use crate::reader::{Document, Reader};
use crate::target::server_name;
use crate::window::zone;
use crate::{
    Bind, Depth, DirectoryPassword, DirectoryScope, FilesystemScope, PinSource, Pkcs11Scope,
    Problems, SecretSource, Target, TargetsFile, TlsScope, Windows,
};

/// The commented file that `init` writes.
pub const DEFAULT_SETTINGS: &str = include_str!("../examples/pkimm-agent.toml");

/// The trees that are walked when nobody says otherwise.
pub const DEFAULT_ROOTS: &[&str] = &["/etc", "/usr", "/opt", "/srv", "/home", "/root", "/var"];

/// The scopes of all collectors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// For the TLS collector.
    pub tls: TlsScope,
    /// For the filesystem collector.
    pub filesystem: FilesystemScope,
    /// For the directory collector.
    pub directory: DirectoryScope,
    /// For the PKCS #11 collector.
    pub pkcs11: Pkcs11Scope,
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    ///
    /// All problems of the file at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let document = Document::new(file, text);
        let (settings, _) = document.read(|root| Self {
            tls: root.table("tls", tls).unwrap_or_default(),
            filesystem: root.table("filesystem", filesystem).unwrap_or_default(),
            directory: root.table("directory", directory).unwrap_or_default(),
            pkcs11: root.table("pkcs11", pkcs11).unwrap_or_default(),
        })?;
        Ok(settings)
    }

    /// The variables of the environment that passwords and PINs come from, by name, each once. They are
    /// nothing for programs that are started from here.
    #[must_use]
    pub fn secret_variables(&self) -> Vec<String> {
        let keystores = self.filesystem.passwords.iter().map(|password| &password.source);
        let binds = self.directory.servers.iter().filter_map(|server| match &server.bind {
            Bind::Simple { password: DirectoryPassword::Kept(source), .. } => Some(source),
            _ => None,
        });
        let pins = self.pkcs11.logins.iter().filter_map(|login| match &login.pin {
            PinSource::Kept(source) => Some(source),
            _ => None,
        });
        let mut names: Vec<String> = keystores
            .chain(binds)
            .chain(pins)
            .filter_map(|source| match source {
                SecretSource::Environment(name) => Some(name.clone()),
                SecretSource::File(_) => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

fn tls(t: &Reader<'_>) -> TlsScope {
    let base = TlsScope::default();
    let targets = |key| t.parsed(key, |text| text.parse::<Target>()).unwrap_or_default();
    let depth = t.parsed_one("depth", str::parse);
    let secs = |key, most| t.integer(key, 1..=most).and_then(|n| u64::try_from(n).ok());
    let figure = |key, bounds| t.integer(key, bounds).and_then(|n| u32::try_from(n).ok());
    let listed = t.parsed_one_or_more("targets_file", file).unwrap_or_default().into_iter();
    let scope = TlsScope {
        targets: targets("targets"),
        targets_files: listed
            .map(|(path, origin)| TargetsFile { path, origin: Some(origin) })
            .collect(),
        loopback: t.boolean("loopback").unwrap_or(base.loopback),
        exclude: targets("exclude"),
        server_names: t.table("server_names", server_names).unwrap_or_default(),
        depth: depth.unwrap_or(base.depth),
        connect_timeout_secs: secs("connect_timeout_secs", 600)
            .unwrap_or(base.connect_timeout_secs),
        deadline_secs: secs("deadline_secs", 3600),
        concurrency: count(t, "concurrency", 65_536, base.concurrency),
        per_host: count(t, "per_host", 256, base.per_host),
        per_network: count(t, "per_network", 4096, base.per_network),
        connections_per_sec: figure("connections_per_sec", 1..=100_000)
            .unwrap_or(base.connections_per_sec),
        jitter_percent: figure("jitter_percent", 0..=100).unwrap_or(base.jitter_percent),
        retries: figure("retries", 0..=5).unwrap_or(base.retries),
        windows: Windows::new(
            t.parsed("windows", str::parse).unwrap_or_default(),
            t.parsed_one("time_zone", zone).unwrap_or(TimeZone::UTC),
        ),
    };
    if t.says("time_zone") && !t.says("windows") {
        t.complain("time_zone", "says nothing without windows; name some, or leave it out");
    }
    fitting(t, depth, scope)
}

/// The scope in which an attempt to connect takes no longer than the whole target may. One that was
/// written to take longer is a problem; the default gives way.
fn fitting(t: &Reader<'_>, depth: Option<Depth>, scope: TlsScope) -> TlsScope {
    let (attempt, whole) = (scope.connect_timeout_secs, scope.deadline().as_secs());
    // Where one of the two is wrong, it is a problem already, and what stands in for it none.
    let known = match scope.deadline_secs {
        Some(_) => true,
        None => !t.says("deadline_secs") && (depth.is_some() || !t.says("depth")),
    };
    if t.says("connect_timeout_secs") && known && attempt > whole {
        let bound = match scope.deadline_secs {
            Some(_) => format!("the {whole} of deadline_secs"),
            None => format!("the {whole} that a target may take at depth {}", scope.depth),
        };
        t.complain("connect_timeout_secs", format!("must not be more than {bound}"));
    }
    TlsScope { connect_timeout_secs: attempt.min(whole), ..scope }
}

/// Reads a table of networks with the names that servers in them have.
fn server_names(t: &Reader<'_>) -> Vec<(IpNet, Vec<String>)> {
    let mut all = Vec::new();
    for key in t.keys() {
        let mut names: Vec<String> = Vec::new();
        for name in t.parsed(&key, server_name).unwrap_or_default() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if !t.says(&key) {
            t.complain(&key, "must hold a name");
        }
        match key.parse::<IpAddr>().map(IpNet::from).or_else(|_| key.parse::<IpNet>()) {
            Ok(network) => all.push((network.trunc(), names)),
            Err(_) => t.complain(&key, "must be an address or a network/bits"),
        }
    }
    all
}

fn file(text: &str) -> Result<PathBuf, &'static str> {
    if text.trim().is_empty() {
        Err("must be a path, or - for standard input")
    } else {
        Ok(text.into())
    }
}

fn count(t: &Reader<'_>, key: &str, most: i64, base: usize) -> usize {
    t.integer(key, 1..=most).and_then(|n| usize::try_from(n).ok()).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DirectoryServer;

    #[test]
    fn the_example_is_the_default_scope() {
        let settings = Settings::parse("example", DEFAULT_SETTINGS).map_err(|p| p.to_string());
        let roots = DEFAULT_ROOTS.iter().map(PathBuf::from).collect();
        let filesystem = FilesystemScope { roots, ..FilesystemScope::default() };
        let tls = TlsScope { loopback: true, ..TlsScope::default() };
        let directory = DirectoryScope::default();
        let pkcs11 = Pkcs11Scope { p11_kit: true, ..Pkcs11Scope::default() };
        assert_eq!(settings, Ok(Settings { tls, filesystem, directory, pkcs11 }));
    }

    #[test]
    fn every_key_of_the_network_is_read() {
        let text = r#"
            [tls]
            targets = ["smtp+tls://mx.example.org:2525", "192.0.2.10-40:mail?sni=a.example"]
            targets_file = "hosts.txt"
            exclude = ["192.0.2.20-25", "secret.example.org"]
            depth = "suites"
            per_host = 1
            per_network = 4
            jitter_percent = 0
            retries = 0
            windows = ["Mon-Fri 22:00-06:00", "Sat,Sun"]
            time_zone = "Europe/Berlin"
            [tls.server_names]
            "192.0.2.7" = ["www.example.org", "WWW.example.net.", "www.Example.net"]
            "2001:db8::/64" = ["v6.example.org"]
        "#;
        let tls = Settings::parse("s.toml", text).unwrap_or_else(|p| panic!("{p}")).tls;
        assert_eq!(tls.targets.len(), 2);
        assert_eq!(tls.exclude[0].hosts.count(), 6);
        assert_eq!((tls.depth, tls.deadline_secs), (Depth::Suites, None));
        assert_eq!((tls.per_host, tls.per_network), (1, 4));
        assert_eq!((tls.jitter_percent, tls.retries), (0, 0));
        assert_eq!(tls.windows.to_string(), "Mon-Fri 22:00-06:00; Sat,Sun (Europe/Berlin)");
        let names: Vec<(String, String)> = tls
            .server_names
            .iter()
            .map(|(network, names)| (network.to_string(), names.join(" ")))
            .collect();
        let expected = [
            ("192.0.2.7/32", "www.example.org www.example.net"),
            ("2001:db8::/64", "v6.example.org"),
        ];
        assert_eq!(names, expected.map(|(network, names)| (network.into(), names.into())));
    }

    #[test]
    fn every_file_of_targets_is_known_by_the_line_that_names_it() {
        let files = |value: &str| -> Result<Vec<String>, Problems> {
            let text = format!("[tls]\ndepth = \"suites\"\ntargets_file = {value}\n");
            let files = Settings::parse("s.toml", &text)?.tls.targets_files.into_iter();
            Ok(files
                .map(|file| {
                    let origin = file.origin.map(|origin| origin.to_string()).unwrap_or_default();
                    format!("{origin} {}", file.path.display())
                })
                .collect())
        };
        let told = |lines: &[&str]| Ok(lines.iter().map(|line| (*line).to_owned()).collect());
        assert_eq!(files("\"-\""), told(&["s.toml:3 -"]));
        assert_eq!(files("[\"a\",\n\n\"-\"]"), told(&["s.toml:3 a", "s.toml:5 -"]));
        assert_eq!(files("[]"), told(&[]));
        assert!(files("\"\"").is_err() && files("7").is_err() && files("[7]").is_err());
        assert_eq!(TargetsFile::from(PathBuf::from("a")).origin, None);
    }

    #[test]
    fn an_attempt_to_connect_takes_no_longer_than_the_target_may() {
        let read = |keys: &str| Settings::parse("s.toml", &format!("[tls]\n{keys}\n"));
        let told = |keys: &str| read(keys).map_err(|problems| problems.to_string());
        for (keys, told_of) in [
            (
                "deadline_secs = 5\nconnect_timeout_secs = 6",
                "s.toml:3: tls.connect_timeout_secs: must not be more than the 5 of deadline_secs",
            ),
            (
                "connect_timeout_secs = 11",
                "s.toml:2: tls.connect_timeout_secs: must not be more than the 10 that a target may \
                 take at depth certificate",
            ),
            (
                "connect_timeout_secs = 61\ndepth = \"posture\"",
                "s.toml:2: tls.connect_timeout_secs: must not be more than the 60 that a target may \
                 take at depth posture",
            ),
            // What cannot be read is one problem, not two.
            (
                "depth = \"deep\"\nconnect_timeout_secs = 11",
                "s.toml:2: tls.depth: `deep` is not a depth; write certificate, posture or suites",
            ),
            (
                "deadline_secs = 0\nconnect_timeout_secs = 11",
                "s.toml:2: tls.deadline_secs: must be a whole number from 1 to 3600",
            ),
        ] {
            assert_eq!(told(keys).expect_err(keys), told_of);
        }
        for (keys, secs) in [
            ("deadline_secs = 5\nconnect_timeout_secs = 5", 5),
            ("depth = \"posture\"\nconnect_timeout_secs = 60", 60),
            ("deadline_secs = 600\nconnect_timeout_secs = 11", 11),
            // Nobody wrote the three seconds.
            ("deadline_secs = 2", 2),
            ("", 3),
        ] {
            let read = read(keys).map(|settings| settings.tls.connect_timeout_secs);
            assert_eq!(read, Ok(secs), "{keys}");
        }
    }

    #[test]
    fn a_zone_without_windows_is_a_problem() {
        for (keys, found) in [
            ("windows = []\ntime_zone = \"UTC\"", Some((3, "tls.time_zone"))),
            ("time_zone = \"Europe/Berlin\"", Some((2, "tls.time_zone"))),
            ("time_zone = \"UTC\"\nwindows = [\"Noon\"]", Some((3, "tls.windows"))),
            ("time_zone = \"UTC\"\nwindows = [\"Mon\"]", None),
            ("windows = [\"Mon\"]", None),
        ] {
            let read = Settings::parse("s.toml", &format!("[tls]\n{keys}\n"));
            let problems = read.map_or_else(|problems| problems.0, |_| Vec::new());
            let places = problems.iter().map(|problem| (problem.line, problem.key.as_str()));
            assert_eq!(places.collect::<Vec<_>>(), Vec::from_iter(found), "{keys}");
        }
    }

    #[test]
    fn thousands_of_problems_do_not_take_for_ever() {
        let text = format!("[tls]\ntargets = [\n{}]\n", "  \"b d:0\",\n".repeat(100_000));
        let problems = Settings::parse("s.toml", &text).unwrap_err().0;
        assert_eq!(problems.last().map(|problem| problem.line), Some(100_002));
    }

    #[test]
    fn every_wrong_figure_of_the_network_is_a_problem_of_its_line() {
        let text = "[tls]\ndepth = \"deep\"\nper_host = 0\nper_network = 5000\n\
                    jitter_percent = 101\nretries = 6\nwindows = [\n\"Mon\",\n\"Noon\"]\n\
                    time_zone = \"Europe/Bonn\"\nexclude = [\"192.0.2.9-1\"]\n\
                    [tls.server_names]\n\"192.0.2\" = [\"a.example\"]\n\
                    \"192.0.2.7\" = [\"192.0.2.7\"]\n\"192.0.2.8\" = 1\n\
                    \"192.0.2.9\" = []\n";
        let problems = Settings::parse("s.toml", text).unwrap_err().0;
        let found: Vec<(usize, &str)> =
            problems.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
        assert_eq!(
            found,
            [
                (2, "tls.depth"),
                (3, "tls.per_host"),
                (4, "tls.per_network"),
                (5, "tls.jitter_percent"),
                (6, "tls.retries"),
                (9, "tls.windows"),
                (10, "tls.time_zone"),
                (11, "tls.exclude"),
                (13, "tls.server_names.192.0.2"),
                (14, "tls.server_names.192.0.2.7"),
                (15, "tls.server_names.192.0.2.8"),
                (16, "tls.server_names.192.0.2.9"),
            ]
        );
        for (at, sentence) in [
            (0, "`deep` is not a depth; write certificate, posture or suites"),
            (6, "`Europe/Bonn` is not a time zone; write one such as Europe/Berlin or UTC"),
            (8, "must be an address or a network/bits"),
        ] {
            assert_eq!(problems[at].message, sentence);
        }
    }

    #[test]
    fn what_the_example_shows_as_a_comment_can_be_switched_on() {
        let mut text = String::new();
        for line in DEFAULT_SETTINGS.lines() {
            let code = line.strip_prefix("# ").filter(|code| {
                code.starts_with(['[', '"'])
                    || code.split_once(" = ").is_some_and(|(key, _)| {
                        key.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_')
                    })
            });
            // The default of the same key, where it stands below, gives way.
            let key = line.split_once(" = ").map(|(key, _)| format!("\n{key} = "));
            if code.is_none() && key.is_some_and(|key| text.contains(&key)) {
                continue;
            }
            text.push_str(code.unwrap_or(line));
            text.push('\n');
        }
        let settings = Settings::parse("example", &text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        assert!(!settings.tls.targets.is_empty() && !settings.tls.server_names.is_empty());
        assert!(!settings.tls.windows.is_always() && !settings.tls.targets_files.is_empty());
        assert_eq!(settings.tls.deadline_secs, Some(10));
        let files = settings.filesystem;
        assert_eq!((files.include.written().len(), files.passwords.len()), (2, 2));
        let directory = settings.directory;
        let counts = (directory.servers.len(), directory.dumps.len(), directory.records.len());
        assert_eq!(counts, (3, 1, 1));
        let base = DirectoryServer::default();
        let first = &directory.servers[0];
        assert_eq!((first.page_size, first.max_entries), (base.page_size, base.max_entries));
        assert_eq!((first.timeout_secs, first.deadline_secs), (30, 3600));
        assert_eq!(first.accounts, base.accounts);
        let tokens = settings.pkcs11;
        assert!(tokens.p11_kit && !tokens.only.is_empty());
        assert_eq!((tokens.modules.len(), tokens.logins.len()), (2, 3));
    }

    #[test]
    fn every_variable_with_a_secret_is_known() {
        let text = r#"
            [[filesystem.passwords]]
            paths = ["*.p12"]
            env = "STORE"
            [[filesystem.passwords]]
            paths = ["*.jks"]
            file = "/s"
            [[directory.servers]]
            url = "ldaps://a"
            name = "cn=x"
            password_env = "BIND"
            [[directory.servers]]
            url = "ldaps://b"
            name = "cn=x"
            password_prompt = true
            [pkcs11]
            p11_kit = true
            [[pkcs11.logins]]
            token = "pkcs11:token=a"
            pin_env = "PIN"
            [[pkcs11.logins]]
            token = "pkcs11:token=b"
            pin_env = "STORE"
        "#;
        let settings = Settings::parse("s.toml", text).unwrap_or_else(|p| panic!("{p}"));
        assert_eq!(settings.secret_variables(), ["BIND", "PIN", "STORE"]);
    }

    #[test]
    fn all_problems_come_at_once_with_line_and_key() {
        let text = "[tls]\ntargets = [\n  \"a:0\",\n  \"b b\",\n]\ndeadline_secs = 0\n\
                    [filesystem]\nroots = [\"etc\"]\n[ldap]\n";
        let problems = Settings::parse("s.toml", text).unwrap_err().0;
        let found: Vec<(usize, &str)> =
            problems.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
        assert_eq!(
            found,
            [
                (3, "tls.targets"),
                (4, "tls.targets"),
                (6, "tls.deadline_secs"),
                (8, "filesystem.roots"),
                (9, "ldap")
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_toml_is_one_problem_with_its_line() {
        let problems = Settings::parse("s.toml", "[tls]\ntargets = [\n").unwrap_err().0;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("not TOML"), "{}", problems[0]);
    }
}
