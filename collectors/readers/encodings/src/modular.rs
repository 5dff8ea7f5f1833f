//! Raises a number to a power modulo an odd number, which DSA needs to show its public half.
//!
//! The provider of our cryptography has no such function to call, and the published crates for
//! large numbers leave secrets behind in freed memory. Montgomery's method (Handbook of Applied
//! Cryptography, 14.36 and 14.94), on numbers of a limited size. Its time depends on the exponent:
//! nobody can ask this program often enough to measure a key that it finds.

use zeroize::Zeroizing;

/// The longest modulus, in octets: the largest keys of DSA that exist have 4096 bits.
const LONGEST_MODULUS: usize = 512;
/// The longest exponent, in octets: twice the longest subgroup of FIPS 186-4.
const LONGEST_EXPONENT: usize = 64;

const LIMB: usize = 8;

/// The power, or `None` when a number is out of its range. All numbers are big-endian.
pub(crate) fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let odd = modulus.last().is_some_and(|octet| octet & 1 == 1);
    if !odd || modulus.len() > LONGEST_MODULUS || exponent.len() > LONGEST_EXPONENT {
        return None;
    }
    let count = modulus.len().div_ceil(LIMB);
    let field = Field::new(limbs(modulus, count)?.to_vec());
    let base = limbs(base, count)?;
    if !less(&base, &field.modulus) {
        return None;
    }
    // Both times R, the power of two behind the last limb.
    let base = field.doubled(&base, count * 64);
    let mut one = vec![0; count];
    one[0] = 1;
    let mut power = field.doubled(&one, count * 64);
    for octet in exponent {
        for bit in (0..8).rev() {
            power = field.product(&power, &power);
            if octet >> bit & 1 == 1 {
                power = field.product(&power, &base);
            }
        }
    }
    let power = field.product(&power, &one);
    Some(power.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect())
}

struct Field {
    modulus: Vec<u64>,
    /// What makes the lowest limb vanish: the negative inverse of the modulus.
    inverse: u64,
}

impl Field {
    fn new(modulus: Vec<u64>) -> Self {
        let lowest = modulus[0];
        // Newton's iteration doubles the bits that are right; an odd number has three to begin with.
        let inverse = (0..5).fold(lowest, |inverse, _| {
            inverse.wrapping_mul(2u64.wrapping_sub(lowest.wrapping_mul(inverse)))
        });
        Self { modulus, inverse: inverse.wrapping_neg() }
    }

    /// Doubles so many times.
    fn doubled(&self, number: &[u64], times: usize) -> Zeroizing<Vec<u64>> {
        let mut number = Zeroizing::new(number.to_vec());
        for _ in 0..times {
            let mut carry = 0;
            for limb in number.iter_mut() {
                (*limb, carry) = (*limb << 1 | carry, *limb >> 63);
            }
            self.reduce(&mut number, carry);
        }
        number
    }

    /// The product divided by R.
    fn product(&self, left: &[u64], right: &[u64]) -> Zeroizing<Vec<u64>> {
        let count = self.modulus.len();
        let mut sum = Zeroizing::new(vec![0u64; count + 2]);
        for &digit in left {
            add(&mut sum, right, digit);
            let digit = sum[0].wrapping_mul(self.inverse);
            add(&mut sum, &self.modulus, digit);
            sum.copy_within(1.., 0);
            sum[count + 1] = 0;
        }
        let carry = sum[count];
        sum.truncate(count);
        self.reduce(&mut sum, carry);
        sum
    }

    /// Takes the modulus off once, if the number with its carry is not below it.
    fn reduce(&self, number: &mut [u64], carry: u64) {
        if carry == 0 && less(number, &self.modulus) {
            return;
        }
        let mut borrow = false;
        for (limb, taken) in number.iter_mut().zip(&self.modulus) {
            let (first, below) = limb.overflowing_sub(*taken);
            let (second, further) = first.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (second, below || further);
        }
    }
}

/// Adds a number times a digit. The sum has two limbs more, which is where the carry ends.
fn add(sum: &mut [u64], number: &[u64], digit: u64) {
    let mut carry = 0u64;
    for (place, limb) in sum.iter_mut().enumerate() {
        let product = number.get(place).map_or(0, |limb| u128::from(*limb) * u128::from(digit));
        let total = product + u128::from(*limb) + u128::from(carry);
        // Never above the largest number of two limbs.
        [carry, *limb] = [(total >> 64) as u64, total as u64];
    }
}

fn less(left: &[u64], right: &[u64]) -> bool {
    left.iter().rev().lt(right.iter().rev())
}

/// Lowest limb first; `None` when the number has more digits than that.
fn limbs(octets: &[u8], count: usize) -> Option<Zeroizing<Vec<u64>>> {
    let mut limbs = Zeroizing::new(vec![0u64; count]);
    for (place, octet) in octets.iter().rev().enumerate() {
        if *octet != 0 {
            *limbs.get_mut(place / LIMB)? |= u64::from(*octet) << (place % LIMB * 8);
        }
    }
    Some(limbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_powers_are_right() {
        for modulus in [3u64, 5, 97, 65_537, 0xffff_ffff_ffff_ffc5, u64::MAX] {
            for base in [0u64, 1, 2, 3, 1_000_003].into_iter().filter(|base| *base < modulus) {
                for exponent in [0u8, 1, 2, 7, 255] {
                    let times = |power: u128| power * u128::from(base) % u128::from(modulus);
                    let expected = (0..exponent).fold(1u128, |power, _| times(power));
                    let power = power(&base.to_be_bytes(), &[exponent], &modulus.to_be_bytes());
                    let expected = (expected as u64).to_be_bytes().to_vec();
                    assert_eq!(power, Some(expected), "{base}^{exponent} mod {modulus}");
                }
            }
        }
    }

    #[test]
    fn large_powers_keep_the_law_of_fermat() {
        // Primes below powers of two: 2^127 - 1, 2^255 - 19, 2^448 - 2^224 - 1.
        let mersenne = (u128::MAX >> 1).to_be_bytes().to_vec();
        let mut edwards = vec![0xff; 32];
        (edwards[0], edwards[31]) = (0x7f, 0xed);
        let mut goldilocks = vec![0xff; 56];
        goldilocks[27] = 0xfe;
        for prime in [mersenne, edwards, goldilocks] {
            let mut exponent = prime.clone();
            *exponent.last_mut().expect("an octet") -= 1;
            for base in [2u8, 3, 255] {
                let power = power(&[base], &exponent, &prime).expect("in range");
                assert_eq!(crate::tlv::significant(&power), [1], "{base} modulo {prime:02x?}");
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(power(&[2], &[1], &[4]), None);
        assert_eq!(power(&[2], &[1], &[]), None);
        assert_eq!(power(&[7], &[1], &[7]), None);
        assert_eq!(power(&[2], &[1], &[0xff; 513]), None);
        assert_eq!(power(&[2], &[1; 65], &[7]), None);
    }
}
