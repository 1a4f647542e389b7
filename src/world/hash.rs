//! Stable 64-bit hashing: the fingerprint of a history, digests of payloads, numbers of streams.
//!
//! The result must be the same on every machine, in every build and in every version that claims
//! to replay older seeds, so nothing here may depend on pointer width, addresses or `std::hash`.

use std::fmt;

use serde::Serialize;

/// Odd constants with well-mixed bits (fractional digits of π).
const K0: u64 = 0x243f_6a88_85a3_08d3;
const K1: u64 = 0x1319_8a2e_0370_7345;
/// Where a hash begins. Not `K0`: mixing into that would lose the word.
const START: u64 = 0xa409_3822_299f_31d1;

/// Multiplies to 128 bits and folds the halves together.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Mixes one word into a running hash.
#[inline]
pub(crate) const fn mix(state: u64, word: u64) -> u64 {
    fold(state ^ K0, word ^ K1).wrapping_add(state.rotate_left(23))
}

/// Mixes bytes and their length into a running hash.
#[inline]
pub(crate) fn mix_bytes(mut state: u64, bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut buffer = [0; 8];
        buffer.copy_from_slice(word);
        state = mix(state, u64::from_le_bytes(buffer));
    }
    let rest = words.remainder();
    let mut buffer = [0; 8];
    buffer[..rest.len()].copy_from_slice(rest);
    mix(mix(state, u64::from_le_bytes(buffer)), bytes.len() as u64)
}

/// The stable hash of a name.
#[inline]
pub(crate) fn name_hash(name: &str) -> u64 {
    mix_bytes(START, name.as_bytes())
}

/// The digest of any serialisable value: the hash of its `postcard` bytes, which are never stored.
///
/// A value that refuses to be serialised has a digest of its own, so that it still shows up.
pub(crate) fn digest<T: Serialize + ?Sized>(value: &T) -> u64 {
    struct Sink {
        state: u64,
        word: u64,
        bytes: u32,
    }
    impl postcard::ser_flavors::Flavor for Sink {
        type Output = u64;
        #[inline]
        fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
            self.word = (self.word << 8) | u64::from(byte);
            self.bytes += 1;
            if self.bytes.is_multiple_of(8) {
                self.state = mix(self.state, self.word);
                self.word = 0;
            }
            Ok(())
        }
        fn finalize(self) -> postcard::Result<u64> {
            Ok(mix(mix(self.state, self.word), u64::from(self.bytes)))
        }
    }
    postcard::serialize_with_flavor(value, Sink { state: START, word: 0, bytes: 0 }).unwrap_or(K1)
}

/// What a whole history comes to: equal fingerprints mean, to all practical purposes, that every
/// event was equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of an empty history.
    pub(crate) const EMPTY: Fingerprint = Fingerprint(START);

    /// What several histories come to together; their order counts.
    pub(crate) const fn and(self, next: Fingerprint) -> Fingerprint {
        Fingerprint(mix(self.0, next.0))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden values: a change here changes every committed fingerprint.
    #[test]
    fn hashes_are_what_they_always_were() {
        let hashes = [
            name_hash(""),
            name_hash("link/router→opus/latency"),
            digest(&(1_u8, "two", [3_u64; 3])),
        ];
        assert_eq!(
            hashes,
            [7_899_211_724_606_876_214, 8_598_539_152_395_310_531, 15_884_779_818_574_089_097]
        );
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let base = mix_bytes(0, b"abcdefghij");
        for at in 0..10 {
            let mut other = *b"abcdefghij";
            other[at] ^= 1;
            assert_ne!(base, mix_bytes(0, &other), "byte {at}");
        }
        assert_ne!(mix_bytes(0, b"a"), mix_bytes(0, b"a\0"));
        assert_ne!(digest("ab"), digest("ba"));
    }
}
