//! Paths that tools write down, made absolute and encoded as in `Place::file`.

use std::path::{Component, Path, PathBuf};

use pki_inventory::Place;

/// A file that is managed.
pub(crate) fn file(path: &Path) -> Option<String> {
    match Place::file(path) {
        Place::File { path, .. } if path.starts_with('/') => Some(path),
        _ => None,
    }
}

/// A folder that is managed with all below it.
pub(crate) fn folder(path: &Path) -> Option<String> {
    let mut text = file(path)?;
    if !text.ends_with('/') {
        text.push('/');
    }
    // Nobody manages a whole disk; the path was nonsense.
    (text != "/").then_some(text)
}

/// The absolute path that is meant by a written one; `None` for what is none, such as a path of
/// Windows, a remote one or one with a variable in it.
pub(crate) fn resolve(folder: &Path, written: &str) -> Option<PathBuf> {
    let written = written.trim();
    let is_path = !written.is_empty()
        && written.len() <= LONGEST
        && !written.contains(['$', '\\', '\0', '\n'])
        && !written.contains("://")
        && !written.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ssh:"));
    if !is_path {
        return None;
    }
    if let Some(rest) = written.strip_prefix("~/") {
        return home(folder).map(|home| plain(&home.join(rest)));
    }
    let path = plain(&folder.join(written));
    path.is_absolute().then_some(path)
}

/// Longer paths than Linux opens (PATH_MAX) are none.
const LONGEST: usize = 4_096;

/// The home folder that this folder lies in, by the usual places of homes.
fn home(folder: &Path) -> Option<PathBuf> {
    let names: Vec<Component<'_>> = folder.components().collect();
    for (at, name) in names.iter().enumerate() {
        let length = match name.as_os_str().to_str() {
            Some("root") => at + 1,
            Some("home" | "Users") => at + 2,
            _ => continue,
        };
        return (length <= names.len()).then(|| names[..length].iter().collect());
    }
    None
}

/// Without `.` and `..`, which would keep a path from being recognised as the same one.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_and_home_paths_become_absolute() {
        let folder = Path::new("/home/shop/.acme.sh/a.example.org");
        let path = |written| resolve(folder, written).map(|path| path.display().to_string());
        assert_eq!(path("x.pem").unwrap(), "/home/shop/.acme.sh/a.example.org/x.pem");
        assert_eq!(path("../b/./x.pem").unwrap(), "/home/shop/.acme.sh/b/x.pem");
        assert_eq!(path("~/x.pem").unwrap(), "/home/shop/x.pem");
        assert_eq!(path("/srv/x.pem").unwrap(), "/srv/x.pem");
        for none in ["", "$HOME/x.pem", "C:\\x.pem", "ssh:web:/x.pem", "https://x/y"] {
            assert_eq!(path(none), None, "{none}");
        }
    }

    #[test]
    fn a_folder_ends_in_a_slash_and_is_encoded() {
        assert_eq!(folder(Path::new("/srv/a b")).unwrap(), "/srv/a%20b/");
        assert_eq!(folder(Path::new("/")), None);
        assert_eq!(file(Path::new("x.pem")), None);
    }
}
