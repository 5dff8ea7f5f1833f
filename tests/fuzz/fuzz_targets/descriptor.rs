//! Security descriptors, and what they come to for accounts in groups in groups.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pki_descriptors::{Descriptor, Guid, Principal, Principals};

/// `msPKI-Certificate-Name-Flag`.
const PROPERTY: Guid = Guid(0xea1dddc4_60ff_416e_8cc0_17cee534bce7);

fuzz_target!(|octets: &[u8]| {
    let Ok(descriptor) = Descriptor::parse(octets) else { return };
    let named = Principals::named(&descriptor);
    // Whoever is named is a group in the next one, and the last one is in the first: a ring.
    let mut principals = Principals::default();
    for (number, sid) in named.iter().enumerate().take(50) {
        principals.add(Principal {
            sid: sid.clone(),
            dn: format!("CN={number}"),
            name: Some(number.to_string()),
            is_group: true,
            member_of: vec![format!("CN={}", (number + 1) % named.len())],
            members: vec![format!("CN={}", number / 2)],
            primary_group: Some(513),
        });
    }
    let access = principals.access(&descriptor, &[(PROPERTY, "msPKI-Certificate-Name-Flag")]);
    // Without a list everybody may do everything, and nobody is named.
    for grant in access.grants.iter().filter(|_| descriptor.dacl.is_some()) {
        let sid = &grant.trustee.sid;
        let one = named.iter().find(|one| one.to_string() == *sid);
        assert_eq!(sid.parse().ok().as_ref(), one, "whoever has a right is named, and read again");
    }
});
