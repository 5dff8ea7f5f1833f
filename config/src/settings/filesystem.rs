//! The table `[filesystem]`.

use std::path::PathBuf;

use super::count;
use crate::reader::Reader;
use crate::target::shown;
use crate::{Archives, FilesystemScope, GlobError, Globs, PasswordFor, SecretSource};

pub(super) fn filesystem(t: &Reader<'_>) -> FilesystemScope {
    let base = FilesystemScope::default();
    let (exclude, exclude_globs) = left_out(t);
    let nice = t.integer("nice", 0..=19).and_then(|n| u8::try_from(n).ok());
    FilesystemScope {
        roots: t.parsed("roots", absolute).unwrap_or_default(),
        exclude,
        exclude_globs,
        include: patterns(t, "include"),
        one_filesystem: t.boolean("one_filesystem").unwrap_or(base.one_filesystem),
        network_filesystems: t.boolean("network_filesystems").unwrap_or(base.network_filesystems),
        max_file_bytes: figure(t, "max_file_bytes", 4096..=1 << 40, base.max_file_bytes),
        threads: count(t, "threads", 256, base.threads),
        incremental: t.boolean("incremental").unwrap_or(base.incremental),
        nice: nice.unwrap_or(base.nice),
        io_priority: t.parsed_one("io_priority", str::parse).unwrap_or(base.io_priority),
        archives: t.table("archives", archives).unwrap_or(base.archives),
        passwords: t.tables("passwords", password).unwrap_or_default(),
        well_known_passwords: t
            .boolean("well_known_passwords")
            .unwrap_or(base.well_known_passwords),
    }
}

fn archives(t: &Reader<'_>) -> Archives {
    let base = Archives::default();
    let depth = t.integer("depth", 1..=16).and_then(|n| u32::try_from(n).ok());
    Archives {
        open: t.boolean("open").unwrap_or(base.open),
        depth: depth.unwrap_or(base.depth),
        ratio: figure(t, "ratio", 2..=100_000, base.ratio),
        max_bytes: figure(t, "max_bytes", 4096..=1 << 50, base.max_bytes),
        max_entries: figure(t, "max_entries", 1..=1 << 40, base.max_entries),
    }
}

/// One source of a password. What is wrong is told without the value: somebody may have written the
/// password itself there.
fn password(t: &Reader<'_>) -> Option<PasswordFor> {
    t.refuse(
        "password",
        "a password does not stand in the settings, which others may read; write `file` with the \
         path of a file that holds it, or `env` with the name of a variable",
    );
    let paths = patterns(t, "paths");
    if !t.says("paths") {
        t.complain("paths", "must name the keystores that the password is for");
    }
    let file = t.parsed_one("file", |text| {
        let path = PathBuf::from(text);
        if path.is_absolute() { Ok(path) } else { Err("must be the absolute path of a file") }
    });
    let env = t.parsed_one("env", |text| {
        let is_name = !text.is_empty() && !text.contains(['=', '\0']);
        if is_name { Ok(text.to_owned()) } else { Err("must be the name of a variable") }
    });
    match (t.says("file"), t.says("env")) {
        (true, true) => t.complain("env", "is one source too many beside `file`; name one of them"),
        (false, false) => t.complain("file", "is missing; name a `file`, or a variable with `env`"),
        _ => {}
    }
    let (source, key) = match (file, env) {
        (Some(path), None) => (SecretSource::File(path), "file"),
        (None, Some(name)) => (SecretSource::Environment(name), "env"),
        _ => return None,
    };
    Some(PasswordFor { paths, source, origin: t.origin_of(key) })
}

/// What is left out: plain paths, and patterns of them.
fn left_out(t: &Reader<'_>) -> (Vec<PathBuf>, Globs) {
    let read = |text: &str| -> Result<Result<PathBuf, String>, String> {
        if Globs::is_pattern(text) {
            pattern(text).map(Err).map_err(|error| error.to_string())
        } else {
            absolute(text).map(Ok)
        }
    };
    let (mut paths, mut globs) = (Vec::new(), Vec::new());
    for item in t.parsed("exclude", read).unwrap_or_default() {
        match item {
            Ok(path) => paths.push(path),
            Err(glob) => globs.push(glob),
        }
    }
    (paths, together(t, "exclude", &globs))
}

fn patterns(t: &Reader<'_>, key: &str) -> Globs {
    let all = t.parsed(key, pattern).unwrap_or_default();
    together(t, key, &all)
}

fn pattern(text: &str) -> Result<String, GlobError> {
    Globs::new([text]).map(|_| text.to_owned())
}

/// Each by itself is one; together they may be more than can be matched at once.
fn together(t: &Reader<'_>, key: &str, patterns: &[String]) -> Globs {
    Globs::new(patterns).unwrap_or_else(|error| {
        t.complain(key, error.to_string());
        Globs::default()
    })
}

fn figure(t: &Reader<'_>, key: &str, bounds: std::ops::RangeInclusive<i64>, base: u64) -> u64 {
    t.integer(key, bounds).and_then(|n| u64::try_from(n).ok()).unwrap_or(base)
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(format!("`{}` is not an absolute path", shown(text)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{IoPriority, Origin, Problems, Settings};

    fn read(text: &str) -> Result<FilesystemScope, Problems> {
        Settings::parse("s.toml", text).map(|settings| settings.filesystem)
    }

    #[test]
    fn every_key_of_the_files_is_read() {
        let scope = read(
            r#"[filesystem]
            roots = ["/srv"]
            exclude = ["/srv/tmp", "**/*.bak", "/srv/[x]", "/var/lib/a b"]
            include = ["**/*.pem", "*.key"]
            one_filesystem = false
            network_filesystems = true
            max_file_bytes = 4096
            threads = 7
            incremental = false
            nice = 0
            io_priority = "idle"
            well_known_passwords = false
            [filesystem.archives]
            open = false
            depth = 16
            ratio = 2
            max_bytes = 5000
            max_entries = 10
            [[filesystem.passwords]]
            paths = ["/srv/*.p12"]
            file = "/etc/pkimm/p12"
            [[filesystem.passwords]]
            paths = ["*.jks", "/opt/app/**"]
            env = "STORE_PASSWORD"
            "#,
        );
        let globs = |patterns: &[&str]| Globs::new(patterns).expect("patterns");
        let origin = |line| Origin { file: "s.toml".to_owned(), line };
        let expected = FilesystemScope {
            roots: vec!["/srv".into()],
            exclude: vec!["/srv/tmp".into(), "/var/lib/a b".into()],
            exclude_globs: globs(&["**/*.bak", "/srv/[x]"]),
            include: globs(&["**/*.pem", "*.key"]),
            one_filesystem: false,
            network_filesystems: true,
            max_file_bytes: 4096,
            threads: 7,
            incremental: false,
            nice: 0,
            io_priority: IoPriority::Idle,
            archives: Archives {
                open: false,
                depth: 16,
                ratio: 2,
                max_bytes: 5000,
                max_entries: 10,
            },
            passwords: vec![
                PasswordFor {
                    paths: globs(&["/srv/*.p12"]),
                    source: SecretSource::File("/etc/pkimm/p12".into()),
                    origin: origin(21),
                },
                PasswordFor {
                    paths: globs(&["*.jks", "/opt/app/**"]),
                    source: SecretSource::Environment("STORE_PASSWORD".to_owned()),
                    origin: origin(24),
                },
            ],
            well_known_passwords: false,
        };
        assert_eq!(scope, Ok(expected));
        let one = read("[filesystem]\nexclude = [\"*.bak\"]\n").expect("reads");
        assert!(one.exclude.is_empty() && one.exclude_globs.matches(Path::new("/a/b.bak")));
    }

    #[test]
    fn every_wrong_key_of_the_files_is_a_problem_of_its_line() {
        let problems = read(
            r#"[filesystem]
            roots = ["etc"]
            exclude = ["tmp",
              "/srv/[ab",
              7]
            include = ["a/*.pem", ""]
            one_filesystem = "yes"
            nice = 20
            io_priority = "fast"
            incremental = 1
            network_filesystems = 0
            well_known_passwords = ""
            max_file_bytes = 4095
            [filesystem.archives]
            open = 1
            depth = 17
            ratio = 1
            max_bytes = 0
            max_entries = 0
            level = 3
            "#,
        );
        let problems = problems.expect_err("nearly all of it is wrong").0;
        let told: Vec<String> =
            problems.iter().map(|p| format!("{} {} {}", p.line, p.key, p.message)).collect();
        let expected = [
            "2 filesystem.roots `etc` is not an absolute path",
            "3 filesystem.exclude `tmp` is not an absolute path",
            "4 filesystem.exclude `/srv/[ab` is not a pattern of paths: unclosed character class; \
             missing ']'",
            "5 filesystem.exclude must be a text",
            "6 filesystem.include `` is not a pattern of paths: it is empty",
            "6 filesystem.include `a/*.pem` is not a pattern of paths: write an absolute path, or \
             begin with **/",
            "7 filesystem.one_filesystem must be true or false",
            "8 filesystem.nice must be a whole number from 0 to 19",
            "9 filesystem.io_priority `fast` is not a priority of reading; write normal, low or \
             idle",
            "10 filesystem.incremental must be true or false",
            "11 filesystem.network_filesystems must be true or false",
            "12 filesystem.well_known_passwords must be true or false",
            "13 filesystem.max_file_bytes must be a whole number from 4096 to 1099511627776",
            "15 filesystem.archives.open must be true or false",
            "16 filesystem.archives.depth must be a whole number from 1 to 16",
            "17 filesystem.archives.ratio must be a whole number from 2 to 100000",
            "18 filesystem.archives.max_bytes must be a whole number from 4096 to 1125899906842624",
            "19 filesystem.archives.max_entries must be a whole number from 1 to 1099511627776",
            "20 filesystem.archives.level is not a key here; keys are depth, max_bytes, \
             max_entries, open, ratio",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_password_has_one_source_and_is_never_told() {
        const SECRET: &str = "hunter2 is my dog";
        for (keys, line, key, told) in [
            ("file = \"/p\"\nenv = \"P\"", 4, "[0].env", "is one source too many beside `file`"),
            ("", 1, "[0].file", "is missing; name a `file`, or a variable with `env`"),
            ("file = \"SECRET\"", 3, "[0].file", "must be the absolute path of a file"),
            ("env = \"SECRET=\"", 3, "[0].env", "must be the name of a variable"),
            ("env = \"\"", 3, "[0].env", "must be the name of a variable"),
            ("file = 7", 3, "[0].file", "must be a text"),
            (
                "file = \"/p\"\npassword = \"SECRET\"",
                4,
                "[0].password",
                "a password does not stand in the settings",
            ),
            (
                "file = \"/p\"\nsecret = \"SECRET\"",
                4,
                "[0].secret",
                "is not a key here; keys are env",
            ),
        ] {
            let keys = keys.replace("SECRET", SECRET);
            let text = format!("[[filesystem.passwords]]\npaths = [\"*.p12\"]\n{keys}\n");
            let problems = read(&text).expect_err(&keys);
            let found: Vec<(usize, String)> =
                problems.0.iter().map(|p| (p.line, p.key.clone())).collect();
            assert_eq!(found, [(line, format!("filesystem.passwords{key}"))], "{problems}");
            assert!(problems.0[0].message.starts_with(told), "{problems}");
            assert!(!problems.to_string().contains("hunter2"), "{problems}");
        }
        // A password where none is read at all, and in forms that are none.
        for text in [
            "[filesystem]\npassword = \"hunter2\"\n",
            "[filesystem]\npasswords = \"hunter2\"\n",
            "[filesystem]\npasswords = [\"hunter2\"]\n",
            "[[filesystem.passwords]]\npassword = \"hunter2\"\n",
        ] {
            let problems = read(text).expect_err(text).to_string();
            assert!(!problems.contains("hunter2"), "{problems}");
        }
        let only = read("[[filesystem.passwords]]\npassword = \"hunter2\"\n").expect_err("wrong");
        let keys: Vec<&str> = only.0.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "filesystem.passwords[0].file",
                "filesystem.passwords[0].paths",
                "filesystem.passwords[0].password"
            ]
        );
        let nothing = read("[[filesystem.passwords]]\npaths = []\nenv = \"P\"\n");
        let nothing = nothing.expect_err("is for no keystore").to_string();
        assert!(nothing.starts_with("s.toml:2: filesystem.passwords[0].paths: must name"));
    }
}
