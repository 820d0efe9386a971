//! Fingerprints of payloads: equal bytes, equal fingerprint, nothing to do.

use std::fmt;

/// 128 bits of BLAKE3 over a payload. Enough that two versions of one record never meet by chance.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Digits it is written with.
    pub const DIGITS: usize = 32;

    /// The fingerprint of these bytes.
    pub fn of(bytes: &[u8]) -> Fingerprint {
        let hash = blake3::hash(bytes);
        let mut short = [0; 16];
        short.copy_from_slice(&hash.as_bytes()[..16]);
        Fingerprint(short)
    }

    /// The fingerprint that these hexadecimal digits stand for.
    pub fn of_digits(digits: &str) -> Option<Fingerprint> {
        let number = (digits.len() == Self::DIGITS).then(|| u128::from_str_radix(digits, 16));
        Some(Fingerprint(number?.ok()?.to_be_bytes()))
    }

    /// Reads a stored fingerprint; anything but 16 bytes equals no payload's.
    pub fn stored(bytes: &[u8]) -> Option<Fingerprint> {
        bytes.try_into().ok().map(Fingerprint)
    }
}

impl fmt::Display for Fingerprint {
    /// As [`Fingerprint::DIGITS`] hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
