//! Directories by the standard: certificates and revocation lists in the attributes of RFC 4523.

use ldap3::Scope;
use pki_directory::{Entry, certificates};

use super::hand_in;
use super::lines::Line;
use super::search::{Manner, Query, Search, named};
use super::session::{Session, Tally, Trouble};

/// Bases of one directory that are searched.
const MOST_BASES: usize = 1000;

/// Reads every base, or all that the directory holds.
///
/// # Errors
///
/// What ends more than one base. Everything else is a gap.
pub(super) async fn read(session: &mut Session<'_>, root: &Entry) -> Result<(), Trouble> {
    let mut bases = session.server.bases.clone();
    if bases.is_empty() {
        bases = root.texts("namingContexts").take(MOST_BASES).map(str::to_owned).collect();
        let all = root.values("namingContexts").count();
        if all > bases.len() {
            session.notes.push(format!(
                "the server has {all} naming contexts, of which {} are read; name the others as \
                 `bases`",
                bases.len()
            ));
        }
    }
    if bases.is_empty() {
        // One without naming contexts answers for its whole tree, or says what it wants.
        bases.push(String::new());
    }
    for base in bases {
        let mut tally = Tally::default();
        let ended = one(session, &mut tally, &base).await;
        session.cover(&base, tally).await?;
        ended?;
    }
    Ok(())
}

async fn one(session: &mut Session<'_>, tally: &mut Tally, base: &str) -> Result<(), Trouble> {
    let mut search = Search::new(Query {
        base: base.to_owned(),
        scope: Scope::Subtree,
        filter: filter(),
        attributes: named(certificates::ATTRIBUTES),
        manner: Manner::Standard,
        line: Line::Pages,
        ahead: true,
        most: None,
    });
    while let Some(page) = search.next(session, tally).await? {
        hand_in(session, tally, &page, |entry, report| certificates::read(entry, report)).await?;
    }
    Ok(())
}

/// Everything that has one of the attributes. `;binary` is how they travel (RFC 4523, 2), not part
/// of what they are called: a filter without it finds them all (RFC 4512, 2.5).
fn filter() -> String {
    let any = certificates::ATTRIBUTES.iter().map(|attribute| format!("({attribute}=*)"));
    format!("(|{})", any.collect::<String>())
}
