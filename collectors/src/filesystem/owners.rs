//! Names of owners and groups, from the text files of the host.
//!
//! Asking the C library would also ask directory servers, over the network and without a limit,
//! for every number it does not know. A number without a name stays a number.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Names by number.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

/// More than any real user database has; the limit is there because every read has one.
const LARGEST: u64 = 16 * 1024 * 1024;

impl Owners {
    /// Reads the databases of this host; a missing one names nobody.
    pub(super) fn of_this_host() -> Self {
        Self { users: names(Path::new("/etc/passwd")), groups: names(Path::new("/etc/group")) }
    }

    pub(super) fn user(&self, uid: u32) -> Option<String> {
        self.users.get(&uid).cloned()
    }

    pub(super) fn group(&self, gid: u32) -> Option<String> {
        self.groups.get(&gid).cloned()
    }
}

fn names(path: &Path) -> BTreeMap<u32, String> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
    if let Err(error) = read {
        tracing::debug!(path = %path.display(), %error, "Names of owners stay unknown.");
    }
    parse(&String::from_utf8_lossy(&text))
}

/// Both files are `name:password:number:…` (passwd(5), group(5)); the first name of a number is
/// the one that other programs show.
fn parse(text: &str) -> BTreeMap<u32, String> {
    let mut names = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(number)) = (fields.next(), fields.nth(1))
            && let Ok(number) = number.parse()
            && !name.is_empty()
        {
            names.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_number_is_taken_and_broken_lines_are_passed_over() {
        let names =
            parse("root:x:0:0:root:/root:/bin/sh\n+::::::\ntoor:x:0:0\nssl-cert:x:104:\nbad");
        assert_eq!(names.get(&0).map(String::as_str), Some("root"));
        assert_eq!(names.get(&104).map(String::as_str), Some("ssl-cert"));
        assert_eq!(names.len(), 2);
    }
}
