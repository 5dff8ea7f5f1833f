//! Who is trusted with everything anyway, and who is anybody.

use pki_inventory::Ordinary;

use crate::Sid;

/// Whether one administers the forest, a domain or the PKI by default, or stands for somebody who
/// does. Relative identifiers are those of [MS-DTYP], 2.4.2.4.
pub(crate) fn is_privileged(sid: &Sid) -> bool {
    match sid.relative() {
        Some(relative) => {
            matches!(relative, 498 | 500 | 512 | 516 | 517 | 519 | 521 | 526 | 527)
        }
        None => matches!(
            (sid.authority, sid.parts.as_slice()),
            (3, [0]) | (5, [9] | [10] | [18] | [32, 544])
        ),
    }
}

/// Whether one may own an object of a PKI without more being said: fewer than may stand in its list,
/// because an owner is somebody's choice and no list of the schema's. The account that came with the
/// domain (500) is in its Administrators, whoever else is.
pub(crate) fn is_fit_to_own(sid: &Sid) -> bool {
    matches!(sid.relative(), Some(500 | 512 | 519))
        || matches!((sid.authority, sid.parts.as_slice()), (5, [18] | [32, 544]))
}

/// Whether one is among the other groups that Active Directory protects as administrators
/// ([MS-ADTS], 3.1.1.6.1.1): who is in them can do anything to a domain sooner or later.
pub(crate) fn is_protected(sid: &Sid) -> bool {
    sid.relative() == Some(518)
        || matches!((sid.authority, sid.parts.as_slice()), (5, [32, 548..=552]))
}

/// Whether one names everybody of some sort, or nobody in particular.
pub(crate) fn is_anybody(sid: &Sid) -> bool {
    matches!(sid.relative(), Some(513..=515))
        || matches!(
            (sid.authority, sid.parts.as_slice()),
            (0 | 1, [0]) | (5, [7] | [11] | [32, 545 | 546])
        )
}

pub(crate) fn everyone() -> Sid {
    Sid::of(1, &[0])
}

pub(crate) fn owner_rights() -> Sid {
    Sid::of(3, &[4])
}

/// Whether one stands in lists only for whoever will own or hold objects below, so that nobody is it.
pub(crate) fn is_placeholder(sid: &Sid) -> bool {
    matches!((sid.authority, sid.parts.as_slice()), (3, [0 | 1]))
}

/// What every account of a sort is in without anybody's doing, in a domain as it is set up.
///
/// Authenticated Users and so all accounts but guests are in BUILTIN\Users. Everyone is without the
/// anonymous, as it has been since Windows Server 2003 unless a domain controller is told otherwise
/// (EveryoneIncludesAnonymous), and guests are no Authenticated Users.
pub(crate) fn ordinary(sort: Ordinary, domain: Option<&Sid>) -> Vec<Sid> {
    let mut sids = match sort {
        Ordinary::User | Ordinary::Computer => authenticated(),
        Ordinary::Guest => vec![everyone(), network(), Sid::built_in(546)],
        Ordinary::Anonymous => vec![Sid::of(5, &[7]), network()],
    };
    let relatives: &[u32] = match sort {
        Ordinary::User => &[513],
        Ordinary::Computer => &[515],
        Ordinary::Guest => &[501, 514],
        Ordinary::Anonymous => &[],
    };
    sids.extend(domain.into_iter().flat_map(|domain| relatives.iter().map(|r| domain.account(*r))));
    sids
}

/// What somebody who is named is in besides.
pub(crate) fn besides(sid: &Sid) -> Vec<Sid> {
    match (sid.relative(), sid.authority, sid.parts.as_slice()) {
        (Some(501 | 514), ..) | (None, 5, [32, 546]) => vec![everyone(), network()],
        (None, 0 | 1, [0]) => Vec::new(),
        (None, 5, [7]) => vec![network()],
        _ => authenticated(),
    }
}

fn authenticated() -> Vec<Sid> {
    // NETWORK and This Organization are of whoever comes over the network from this forest, and
    // S-1-18-1 of whoever proved a password or a key.
    let built_in = Sid::built_in(545);
    vec![everyone(), Sid::of(5, &[11]), built_in, network(), Sid::of(5, &[15]), Sid::of(18, &[1])]
}

fn network() -> Sid {
    Sid::of(5, &[2])
}
