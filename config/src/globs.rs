//! Patterns of paths.

use std::fmt;
use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::target::shown;

/// Patterns of absolute paths, as the shell has them: `*` and `?` within a name, `**` across
/// folders, `[…]`, `{a,b}`. A pattern without `/` matches names in any folder; one that names a
/// folder matches the folder itself, not what lies below. A `/` at the end says nothing. A
/// character that means something here is written in brackets, `[[]`, or behind a `\`.
#[derive(Clone, Default)]
pub struct Globs {
    written: Vec<String>,
    set: GlobSet,
}

/// A text that is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern of paths: {why}")]
pub struct GlobError {
    pattern: String,
    why: String,
}

impl Globs {
    /// These patterns together.
    ///
    /// # Errors
    ///
    /// The first one that is none.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, GlobError> {
        let mut set = GlobSetBuilder::new();
        let mut written = Vec::new();
        for pattern in patterns {
            set.add(one(pattern.as_ref())?);
            written.push(pattern.as_ref().to_owned());
        }
        let error = |error: globset::Error| GlobError {
            pattern: shown(&written.join(", ")),
            why: error.kind().to_string(),
        };
        Ok(Self { set: set.build().map_err(error)?, written })
    }

    /// Whether one of them matches the path.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        !self.is_empty() && self.set.is_match(path)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Whether a text is a pattern rather than a plain path.
    #[must_use]
    pub fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?', '[', '{'])
    }

    /// These patterns and others.
    ///
    /// # Errors
    ///
    /// The first one that is none.
    pub fn with<T: AsRef<str>>(
        &self,
        others: impl IntoIterator<Item = T>,
    ) -> Result<Self, GlobError> {
        let mut written = self.written.clone();
        written.extend(others.into_iter().map(|pattern| pattern.as_ref().to_owned()));
        Self::new(written)
    }

    /// As they were written.
    #[must_use]
    pub fn written(&self) -> &[String] {
        &self.written
    }
}

fn one(pattern: &str) -> Result<Glob, GlobError> {
    let error = |why: String| GlobError { pattern: shown(pattern), why };
    let trimmed = pattern.trim_end_matches('/');
    if pattern.trim().is_empty() {
        return Err(error("it is empty".to_owned()));
    }
    if trimmed.is_empty() {
        return Err(error("it is the root of all; name what lies below it, as in /**".to_owned()));
    }
    let glob = if !trimmed.contains('/') {
        // A name, wherever it is.
        format!("**/{trimmed}")
    } else if trimmed.starts_with('/') || trimmed.starts_with("**/") {
        trimmed.to_owned()
    } else {
        return Err(error("write an absolute path, or begin with **/".to_owned()));
    };
    GlobBuilder::new(&glob)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|wrong| error(wrong.kind().to_string()))
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Globs {}

impl fmt::Debug for Globs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_the_shell_has_them() {
        for (pattern, matched, not) in [
            ("**/*.bak", &["/a.bak", "/srv/x/y.bak", "/.bak"][..], &["/a.bak/b", "/a.bakx"][..]),
            ("*.bak", &["/a.bak", "/srv/x/y.bak"], &["/a.bak/b"]),
            ("*.bak/", &["/a.bak", "/srv/x/y.bak"], &["/a.bak/b"]),
            (
                "/home/*/.ssh",
                &["/home/me/.ssh", "/home/you/.ssh"],
                &["/home/.ssh", "/home/a/b/.ssh", "/home/me/.ssh/id_rsa", "/x/home/me/.ssh"],
            ),
            ("/home/*/.ssh/", &["/home/me/.ssh"], &["/home/me/.ssh/id_rsa"]),
            ("/srv/**", &["/srv/a", "/srv/a/b"], &["/srv", "/srv2/a"]),
            ("/srv/**/*.pem", &["/srv/a.pem", "/srv/x/y/a.pem"], &["/a.pem"]),
            ("**/node_modules", &["/node_modules", "/a/node_modules"], &["/a/node_modules/b"]),
            ("/etc/ssl", &["/etc/ssl"], &["/etc/ssl/x", "/etc/ss"]),
            ("id_?sa", &["/home/me/.ssh/id_rsa", "/id_dsa"], &["/id_ecdsa", "/id_/sa"]),
            ("/srv/[ab].{pem,der}", &["/srv/a.pem", "/srv/b.der"], &["/srv/c.pem", "/srv/a.key"]),
            ("/srv/[!ab].pem", &["/srv/c.pem"], &["/srv/a.pem", "/srv/cc.pem"]),
            // Names that hold what means something here.
            ("/srv/a[[]1[]].pem", &["/srv/a[1].pem"], &["/srv/a1.pem"]),
            ("/srv/a\\[1\\].pem", &["/srv/a[1].pem"], &["/srv/a1.pem"]),
            ("/srv/a[1].pem", &["/srv/a1.pem"], &["/srv/a[1].pem"]),
        ] {
            let globs = Globs::new([pattern]).unwrap_or_else(|error| panic!("{error}"));
            for path in matched {
                assert!(globs.matches(Path::new(path)), "{pattern} does not match {path}");
            }
            for path in not {
                assert!(!globs.matches(Path::new(path)), "{pattern} matches {path}");
            }
        }
    }

    #[test]
    fn names_need_not_be_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/srv/\xff\xfe.pem"));
        assert!(Globs::new(["/srv/*.pem"]).is_ok_and(|globs| globs.matches(path)));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for (pattern, told) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            ("//", "it is the root of all; name what lies below it, as in /**"),
            ("a/*.pem", "write an absolute path, or begin with **/"),
            ("*/a.pem", "write an absolute path, or begin with **/"),
            ("{/a,/b}/c", "write an absolute path, or begin with **/"),
            ("/srv/[ab", "unclosed character class; missing ']'"),
            ("/srv/{a,b", "unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)"),
        ] {
            let error = Globs::new(["/good", pattern]).expect_err(pattern).to_string();
            assert_eq!(error, format!("`{pattern}` is not a pattern of paths: {told}"));
        }
        let error = Globs::new(["\u{1b}[2J/"]).expect_err("is none").to_string();
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }

    #[test]
    fn patterns_are_told_from_paths() {
        for (text, is_pattern) in [
            ("/a", false),
            ("/a b,c", false),
            ("/a*", true),
            ("/a?", true),
            ("/[a]", true),
            ("{a}", true),
        ] {
            assert_eq!(Globs::is_pattern(text), is_pattern, "{text}");
        }
        let none = Globs::default();
        assert!(none.is_empty() && !none.matches(Path::new("/a")));
        let both = none.with(["/a*"]).and_then(|one| one.with(["/b*"])).expect("patterns");
        assert!(both.matches(Path::new("/ax")) && both.matches(Path::new("/bx")));
        assert_eq!(both.written(), ["/a*", "/b*"]);
    }
}
