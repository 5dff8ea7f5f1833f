//! What to look at: the file `pkimm-agent.toml`.

use std::path::PathBuf;

use crate::reader::{Document, Reader};
use crate::{FilesystemScope, Problems, Target, TlsScope};

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
        })?;
        Ok(settings)
    }
}

fn tls(t: &Reader<'_>) -> TlsScope {
    let base = TlsScope::default();
    let targets = |key| t.parsed(key, |text| text.parse::<Target>()).unwrap_or_default();
    let within = |key, most, base| {
        t.integer(key, 1..=most).and_then(|n| u64::try_from(n).ok()).unwrap_or(base)
    };
    TlsScope {
        targets: targets("targets"),
        loopback: t.boolean("loopback").unwrap_or(base.loopback),
        exclude: targets("exclude"),
        connect_timeout_secs: within("connect_timeout_secs", 600, base.connect_timeout_secs),
        deadline_secs: within("deadline_secs", 3600, base.deadline_secs),
        concurrency: count(t, "concurrency", 4096, base.concurrency),
        connections_per_sec: t
            .integer("connections_per_sec", 1..=100_000)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(base.connections_per_sec),
    }
}

fn filesystem(t: &Reader<'_>) -> FilesystemScope {
    let base = FilesystemScope::default();
    let paths = |key| t.parsed(key, absolute);
    FilesystemScope {
        roots: paths("roots").unwrap_or_default(),
        exclude: paths("exclude").unwrap_or_default(),
        one_filesystem: t.boolean("one_filesystem").unwrap_or(base.one_filesystem),
        max_file_bytes: t
            .integer("max_file_bytes", 4096..=1 << 40)
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(base.max_file_bytes),
        threads: count(t, "threads", 256, base.threads),
    }
}

fn count(t: &Reader<'_>, key: &str, most: i64, base: usize) -> usize {
    t.integer(key, 1..=most).and_then(|n| usize::try_from(n).ok()).unwrap_or(base)
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(format!("`{text}` is not an absolute path")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_default_scope() {
        let settings = Settings::parse("example", DEFAULT_SETTINGS).map_err(|p| p.to_string());
        let roots = DEFAULT_ROOTS.iter().map(PathBuf::from).collect();
        let filesystem = FilesystemScope { roots, ..FilesystemScope::default() };
        let tls = TlsScope { loopback: true, ..TlsScope::default() };
        assert_eq!(settings, Ok(Settings { tls, filesystem }));
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
