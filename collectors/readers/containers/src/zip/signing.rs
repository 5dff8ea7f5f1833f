//! The signing block of Android packages, which stands between the members and the directory
//! (Android, "APK Signature Scheme v2", "v3", "v3.1").

use std::sync::Arc;

use pki_inventory::GapReason;

use super::directory::read_at;
use super::{Octets, eight, four};
use crate::budget::{Given, Meter};
use crate::members::{Members, Stop};

const MAGIC: &[u8; 16] = b"APK Sig Block 42";
const LONGEST: u64 = 16 << 20;
const SCHEMES: [u32; 3] = [0x7109_871A, 0xF053_68C0, 0x1B93_AD61];

/// Hands out the certificates of all signers.
pub(super) fn read(
    input: &mut Octets<'_>,
    directory: u64,
    members: &mut dyn Members,
    meter: &Arc<Meter>,
) -> Result<(), Stop> {
    // Its length without that of the length itself, and the magic.
    let Some(end) = directory.checked_sub(24) else { return Ok(()) };
    let footer = read_at(input, end, 24)?;
    if !footer.ends_with(MAGIC) {
        return Ok(());
    }
    let length = eight(&footer);
    let start = directory.checked_sub(length).filter(|_| (24..=LONGEST).contains(&length));
    let Some(start) = start else {
        let detail = "the length of the APK signing block is impossible".to_owned();
        members.gap(None, GapReason::Damaged, detail);
        return Ok(());
    };
    let block = read_at(input, start, length - 24)?;
    let mut number = 0;
    let whole = pairs(&block, &mut |certificate| {
        number += 1;
        let name = format!("APK Signing Block/{number}.der");
        let size = Some(certificate.len() as u64);
        members.file(name.as_bytes(), size, &mut Given::new(certificate, meter))
    })?;
    if whole.is_none() {
        let detail = "the APK signing block is not as it should be".to_owned();
        members.gap(None, GapReason::Damaged, detail);
    }
    Ok(())
}

type Take<'a> = dyn FnMut(&[u8]) -> Result<(), Stop> + 'a;

/// Goes through pairs of a number and a value; `None` where a length is wrong.
fn pairs(mut block: &[u8], take: &mut Take<'_>) -> Result<Option<()>, Stop> {
    while block.len() >= 8 {
        let length = usize::try_from(eight(block)).ok();
        let Some(pair) = length.and_then(|length| block[8..].get(..length)) else {
            return Ok(None);
        };
        block = &block[8 + pair.len()..];
        if pair.len() >= 4 && SCHEMES.contains(&four(pair)) && signers(&pair[4..], take)?.is_none()
        {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

/// A sequence of signers; of each the signed data, of them the second part, a sequence of
/// certificates.
fn signers(value: &[u8], take: &mut Take<'_>) -> Result<Option<()>, Stop> {
    let Some((mut signers, _)) = prefixed(value) else { return Ok(None) };
    while !signers.is_empty() {
        let Some((signer, rest)) = prefixed(signers) else { return Ok(None) };
        signers = rest;
        let certificates = prefixed(signer)
            .and_then(|(signed, _)| prefixed(signed))
            .and_then(|(_digests, rest)| prefixed(rest));
        let Some((mut certificates, _)) = certificates else { return Ok(None) };
        while !certificates.is_empty() {
            let Some((certificate, rest)) = prefixed(certificates) else { return Ok(None) };
            certificates = rest;
            take(certificate)?;
        }
    }
    Ok(Some(()))
}

/// What a length of four octets stands before, and what follows.
fn prefixed(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(four(octets.get(..4)?)).ok()?;
    octets[4..].split_at_checked(length)
}
