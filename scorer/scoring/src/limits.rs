//! From the policy, as people write it, to the limits that rules compare with.

use jiff::civil::Date;
use pki_config::{Issuer, Policy};
use pki_inventory::Time;
use pki_rules::{Approval, KeyLimit, LifetimeLimit, Limits, Owner};

/// The limits of a policy.
#[must_use]
pub fn limits_of(policy: &Policy) -> Limits {
    let algorithms = &policy.algorithms;
    Limits {
        renewal_days: policy.thresholds.renewal_days,
        unattended_days: policy.thresholds.unattended_days,
        renewal_grace_days: policy.thresholds.renewal_grace_days,
        max_gap_share: policy.thresholds.max_gap_share,
        lifetimes: policy
            .lifetimes
            .iter()
            .map(|limit| LifetimeLimit { from: start_of(limit.from), days: limit.days })
            .collect(),
        keys: algorithms
            .keys
            .iter()
            .map(|kind| KeyLimit { name: kind.name.clone(), min_bits: kind.min_bits })
            .collect(),
        signatures: algorithms.signatures.clone(),
        protocols: algorithms.protocols.clone(),
        cipher_suites: algorithms.cipher_suites.clone(),
        quantum_safe_groups: algorithms.quantum_safe_groups.clone(),
        min_dhe_bits: algorithms.min_dhe_bits,
        issuers: policy
            .issuers
            .iter()
            .map(|issuer| match issuer {
                Issuer::CommonName(name) => Approval::CommonName(name.clone()),
                Issuer::Organisation(name) => Approval::Organisation(name.clone()),
                Issuer::Name(name) => Approval::Name(name.clone()),
            })
            .collect(),
        owners: policy
            .owners
            .iter()
            .map(|entry| Owner {
                owner: entry.owner.clone(),
                names: entry.names.clone(),
                places: entry.places.clone(),
            })
            .collect(),
        shipped: policy.shipped.clone(),
        key_reader_groups: policy.keys.reader_groups.clone(),
        pbkdf2_iterations: policy.keys.pbkdf2_iterations,
        scrypt_cost: policy.keys.scrypt_cost,
        trusted_principals: policy.directory.trusted_principals.clone(),
    }
}

/// The first second of a date in UTC.
pub(crate) fn start_of(date: Date) -> Time {
    let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
    // Only dates beyond year 9999 have no instant; far in the future is what they mean.
    midnight.map_or(Time(i64::MAX), |at| Time(at.timestamp().as_second()))
}

#[cfg(test)]
mod tests {
    use super::limits_of;

    use pki_config::Policy;

    #[test]
    fn the_shortest_finite_field_is_that_of_the_policy() {
        let bits = |text: &str| {
            let policy = Policy::parse("policy.toml", text, &[]);
            policy.ok().map(|policy| limits_of(&policy).min_dhe_bits)
        };
        assert_eq!(bits(""), Some(2048));
        assert_eq!(bits("[algorithms]\nmin_dhe_bits = 3072\n"), Some(3072));
        assert_eq!(bits("[algorithms]\nmin_dhe_bits = 20\n"), None, "a typing error");
    }

    #[test]
    fn who_is_trusted_in_a_directory_is_who_the_policy_names() {
        let text = "[directory]\ntrusted_principals = ['CORP\\PKI Admins']\n";
        let limits = limits_of(&Policy::parse("policy.toml", text, &[]).unwrap());
        assert_eq!(limits.trusted_principals, ["CORP\\PKI Admins"]);
        assert!(limits_of(&Policy::defaults().unwrap()).trusted_principals.is_empty());
    }

    #[test]
    fn how_keys_are_to_be_protected_is_what_the_policy_says() {
        let limits = |text: &str| {
            let limits = limits_of(&Policy::parse("policy.toml", text, &[]).unwrap());
            let groups = limits.key_reader_groups.len();
            (limits.pbkdf2_iterations, limits.scrypt_cost, groups, limits.renewal_grace_days)
        };
        assert_eq!(limits(""), (10_000, 16_384, 1, 2));
        let text = "[keys]\npbkdf2_iterations = 600000\nscrypt_cost = 131072\n\
                    [thresholds]\nrenewal_grace_days = 5\n";
        assert_eq!(limits(text), (600_000, 131_072, 1, 5));
    }
}
