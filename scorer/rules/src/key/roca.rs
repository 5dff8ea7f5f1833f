//! `key.roca`: an RSA key was made by a device whose keys can be broken (CVE-2017-15361).
//!
//! ## What it looks at
//! Certified RSA keys that a server presents, whose certificate is still valid, or of which the
//! private half lies here: whether the modulus is a power of 65537 modulo each of the primes from 3
//! to 167. The primes that the library of Infineon made had that form, and so have their products.
//! ## Why it matters
//! From the public half alone the private half can be worked out: with 1024 bits by anybody, with
//! 2048 bits for the price of a car. Smart cards, tokens and TPMs of many makers had that library.
//! ## What it cannot see
//! Keys without a certificate, such as those of disk encryption or of OpenPGP. One other modulus in
//! 240 million has the form by chance; a key that was made on something else is one of these.

use pki_inventory::{Asset, Certificate, KeyUse};

use crate::population::{is_current, is_shipped};
use crate::{Check, Cite, InForce, Outcome, Reach, Rule, RuleContext};

pub(crate) const RULE: Rule = Rule {
    id: "key.roca",
    title: "An RSA key can be worked out from its public half (ROCA)",
    cites: &[
        Cite { document: "CVE-2017-15361", section: "Infineon RSA library 1.02.013" },
        Cite {
            document: "The Return of Coppersmith's Attack (CCS 2017)",
            section: "doi:10.1145/3133956.3133969",
        },
        Cite { document: "CA/B Forum TLS BR", section: "6.1.1.3" },
    ],
    in_force: InForce::Always,
    fed_by: &["filesystem", "pkcs11", "tls"],
    reach: Reach::Whole,
    check: Check::CertifiedKey(check),
};

/// The generator of the group.
const GENERATOR: u32 = 65_537;

/// The odd primes whose product the smallest of such keys were built from.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

fn check(key: &KeyUse<'_>, cx: &RuleContext<'_>) -> Outcome {
    let certificates = || key.certificates.iter().filter_map(|it| Some((*it, it.certificate()?)));
    if !certificates().any(|(asset, one)| one.key.name == "RSA" && is_used(asset, one, cx)) {
        return Outcome::NotApplicable;
    }
    match certificates().find_map(|(_, one)| one.rsa()) {
        Some(numbers) if has_form(&numbers.modulus) => Outcome::NotMet(
            "its modulus has the form of keys that a faulty library made (CVE-2017-15361)"
                .to_owned(),
        ),
        Some(_) => Outcome::Met,
        None => Outcome::Unknown("its modulus cannot be read".to_owned()),
    }
}

/// Whether anybody here has to do with the key.
fn is_used(asset: &Asset, certificate: &Certificate, cx: &RuleContext<'_>) -> bool {
    let is_held = || cx.view.holds_private(certificate.spki) && !is_shipped(asset, cx);
    is_current(asset, certificate, cx) || is_held()
}

/// Whether a modulus, big-endian, is in the group that 65537 generates modulo every prime.
fn has_form(modulus: &[u8]) -> bool {
    let rest =
        |prime| modulus.iter().fold(0, |rest, octet| (rest * 256 + u32::from(*octet)) % prime);
    PRIMES.iter().all(|prime| is_power(rest(*prime), *prime))
}

/// Whether a number below a prime is a power of the generator modulo that prime. The powers come
/// back to 1, in less steps than the prime has units.
fn is_power(number: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 1..prime {
        if power == number {
            return true;
        }
        power = power * (GENERATOR % prime) % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{PRIMES, RULE, has_form, is_power};
    use crate::fixtures::{NOW, World, check, leaf, limits, rsa_leaf};

    use pki_inventory::{Certificate, KeyAlgorithm};

    /// The moduli of two keys that such devices made, as researchers of the Masaryk University
    /// published them with their test.
    const MADE: [&str; 2] = [
        "944e13208a280c37efc31c3114485e590192adbb8e11c87cad60cdef0037ce99278330d3f471a253\
         8fa667802ed2a3c44a8b7dea826e888d0aa341fd664f7fa7",
        "9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e51c55f9\
         ea6fdc7332e9b0058c9ff2eb1fc89855029cf6aafe21e689feb38ac9ffb12f1ce371bb5d0e9aae64\
         161abce74b4244bf68f1edb4411f756a097c8929c14740245ea355f8332d1aa36bb50c7dcb4505da\
         8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af2d3a16257eb2b2adca6ba464e5974fa9\
         2550d31b1babf161e7692d00b86e3dd886ecab4abfbe1a8f8cc263ff4af55cdb45f4249a5193925f\
         5e983d762f0b6800943eb0267b08f42ed311ce1f5c86eacbc8ce4d3cb7a2fee1ef5641423a1cf411\
         4e5ecf50034a60a412523af9e6f4aa11",
    ];

    fn octets(digits: &str) -> Vec<u8> {
        let pairs = digits.as_bytes().chunks(2);
        pairs.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    fn with(modulus: &[u8]) -> Certificate {
        rsa_leaf("a.example", modulus, &[1, 0, 1])
    }

    #[test]
    fn not_met_by_keys_that_such_devices_made() {
        for digits in MADE {
            check(&RULE, &World::default().served(with(&octets(digits))), &limits(), "not-met");
        }
    }

    #[test]
    fn met_by_others_even_if_they_differ_by_little() {
        let mut other = octets(MADE[1]);
        *other.last_mut().unwrap() ^= 2;
        check(&RULE, &World::default().served(with(&other)), &limits(), "met");
    }

    #[test]
    fn the_primes_are_all_odd_ones_up_to_167_and_the_last_that_tells_counts() {
        let primes: Vec<u32> = (3..168).filter(|one| (2..*one).all(|it| one % it != 0)).collect();
        assert_eq!(primes, PRIMES);
        // The generator is 68 modulo 157, with 78 powers; 5 is none of them.
        assert!(is_power(68, 157) && !is_power(5, 157) && is_power(5, 163));
    }

    #[test]
    fn none_of_a_thousand_random_moduli_has_the_form() {
        // Marsaglia's xorshift: the same numbers every time.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..1000 {
            let mut modulus = Vec::new();
            for _ in 0..32 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                modulus.extend(state.to_be_bytes());
            }
            *modulus.last_mut().unwrap() |= 1;
            assert!(!has_form(&modulus), "{modulus:02x?}");
        }
        assert!(has_form(&[1]) && !has_form(&[]) && !has_form(&[0]), "no power is 0");
    }

    #[test]
    fn unknown_where_the_certificate_shows_no_modulus() {
        check(&RULE, &World::default().served(leaf("a.example")), &limits(), "unknown");
    }

    #[test]
    fn not_applicable_to_other_kinds_and_to_what_is_over() {
        let curve = Certificate { key: KeyAlgorithm::elliptic(None), ..leaf("a.example") };
        check(&RULE, &World::default().served(curve), &limits(), "not-applicable");
        let old = Certificate { not_after: NOW.plus_days(-1), ..with(&octets(MADE[1])) };
        check(&RULE, &World::default().stored(old.clone()), &limits(), "not-applicable");
        check(&RULE, &World::default().stored(old.clone()).key_of(&old), &limits(), "not-met");
    }
}
