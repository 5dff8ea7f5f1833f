//! The certificates that a forest publishes: those of authorities and those of roots.

use std::collections::BTreeSet;

use pki_inventory::{Digest, DirectoryRole, View};

use crate::RuleContext;

/// The certificates that objects of a forest with this part hold.
pub(crate) fn listed(
    role: DirectoryRole,
    forest: &str,
    cx: &RuleContext<'_>,
) -> impl Iterator<Item = Digest> {
    let all = cx.view.directory_objects(role).iter().map(|(_, object)| object);
    let own = all.filter(move |object| View::forest_of(&object.dn) == forest);
    own.flat_map(|object| object.certificates.clone())
}

/// Whether the roots of a forest were looked for.
pub(crate) fn reads_roots(forest: &str, cx: &RuleContext<'_>) -> bool {
    let any = |role, is: fn(&str) -> bool| {
        let mut all = cx.view.directory_objects(role).iter().map(|(_, object)| &object.dn);
        all.any(|dn| is(&dn.to_lowercase()) && View::forest_of(dn) == forest)
    };
    any(DirectoryRole::RootStore, |_| true)
        || any(DirectoryRole::Container, |dn| dn.starts_with("cn=certification authorities,"))
}

/// The certificates of authorities of a forest, and all that they lead to.
pub(crate) fn used(forest: &str, cx: &RuleContext<'_>) -> BTreeSet<Digest> {
    let registered = cx.view.authorities().iter().map(|(_, authority)| authority);
    let registered = registered.filter(|authority| View::forest_of(&authority.dn) == forest);
    let registered = registered.flat_map(|authority| authority.certificates.clone());
    let mut open: Vec<Digest> =
        registered.chain(listed(DirectoryRole::AuthorityInformation, forest, cx)).collect();
    let mut found = BTreeSet::new();
    while let Some(digest) = open.pop() {
        if let (true, Some((_, one))) = (found.insert(digest), cx.view.certificate(digest)) {
            open.extend(cx.view.issuers(one).map(|issuer| issuer.id.sha256));
        }
    }
    found
}
