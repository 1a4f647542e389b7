//! The words of an error message that say what kind it is.

/// Which of the known phrases a message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Words(u16);

impl Words {
    /// The account has no money.
    pub(super) const QUOTA: Words = Words(1);
    /// The plan's allowance is used up; some providers word a rate limit so.
    pub(super) const PLAN: Words = Words(1 << 1);
    /// The caller's place.
    pub(super) const REGION: Words = Words(1 << 2);
    /// The key is not accepted.
    pub(super) const KEY: Words = Words(1 << 3);
    /// A model is spoken of.
    pub(super) const MODEL: Words = Words(1 << 4);
    /// Which model was named, or how it was called.
    pub(super) const MODEL_ID: Words = Words(1 << 5);
    /// Something is not there.
    pub(super) const MISSING: Words = Words(1 << 6);
    /// Something has been withdrawn.
    pub(super) const GONE: Words = Words(1 << 7);

    pub(super) const fn has(self, words: Words) -> bool {
        self.0 & words.0 == words.0
    }

    /// Reads a message once. A phrase begins where a word does, in any case.
    pub(super) fn read(message: &str) -> Words {
        let bytes = message.as_bytes();
        let mut words = Words::default().and_at(bytes, 0);
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        let mut last = [b'x'; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        for (number, block) in blocks.iter().chain([&last]).enumerate() {
            let mut gaps = gaps(block);
            while gaps != 0 {
                let gap = number * BLOCK + gaps.trailing_zeros() as usize;
                words = words.and_at(bytes, gap + 1);
                gaps &= gaps - 1;
            }
        }
        words
    }

    /// These words and those that begin here.
    #[inline]
    fn and_at(mut self, bytes: &[u8], at: usize) -> Words {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(key) = rest.first_chunk().map(|start| key(*start)) else { return self };
        let first = usize::from(FIRST[slot(key)]);
        if KEYS[first] != key || at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
            return self;
        }
        let alike = PHRASES[first..].iter().zip(&KEYS[first..]).take_while(|it| *it.1 == key);
        for ((phrase, meaning), _) in alike {
            let start = rest.get(..phrase.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(phrase.as_bytes())) {
                self.0 |= meaning.0;
            }
        }
        self
    }
}

/// So many bytes are looked through at once.
const BLOCK: usize = 64;

/// The bytes of a block that are no letters, the lowest bit for the first of them.
#[inline]
fn gaps(block: &[u8; BLOCK]) -> u64 {
    /// The same in every byte of a word.
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let (eights, _) = block.as_chunks::<8>();
    eights.iter().rev().fold(0, |gaps, eight| {
        let eight = u64::from_le_bytes(*eight);
        // Lower case, seven bits each, so that no sum reaches into the next byte: its top bit says
        // whether the byte is that far in the alphabet.
        let low = (eight | all(b' ')) & all(0x7f);
        let from_a = low + all(0x80 - b'a');
        let past_z = low + all(0x80 - b'z' - 1);
        let others = (!from_a | past_z | eight) & all(0x80);
        // Puts the eight top bits next to each other.
        gaps << 8 | (others >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

/// The first four letters of a phrase, in lower case. Other bytes may look like a letter's.
const fn key(start: [u8; 4]) -> u32 {
    u32::from_le_bytes(start) | 0x2020_2020
}

/// Where a key is in [`FIRST`]. The factor was found by trying: no two keys share a place.
const fn slot(key: u32) -> usize {
    (key.wrapping_mul(0x414c_343d) >> 26) as usize
}

/// The keys of the phrases.
const KEYS: [u32; PHRASES.len()] = {
    let (mut keys, mut index) = ([0; PHRASES.len()], 0);
    while index < PHRASES.len() {
        if let Some(start) = PHRASES[index].0.as_bytes().first_chunk() {
            keys[index] = key(*start);
        }
        index += 1;
    }
    keys
};

/// The first phrase of each key, by slot.
const FIRST: [u8; 64] = {
    let (mut first, mut index) = ([0; 64], PHRASES.len());
    while index > 0 {
        index -= 1;
        first[slot(KEYS[index])] = index as u8;
    }
    first
};

/// What Anthropic, OpenAI, Gemini, Bedrock and gateways in front of them are known to write. Those
/// of the same first four letters follow one another.
const PHRASES: [(&str, Words); 32] = [
    ("credit balance", Words::QUOTA),
    ("credits are depleted", Words::QUOTA),
    ("prepayment credits", Words::QUOTA),
    ("insufficient credits", Words::QUOTA),
    ("insufficient balance", Words::QUOTA),
    ("spend limit", Words::QUOTA),
    ("spending limit", Words::QUOTA),
    ("spending cap", Words::QUOTA),
    ("requires billing", Words::QUOTA),
    ("exceeded your current quota", Words::PLAN),
    ("unsupported countr", Words::REGION),
    ("location is not supported", Words::REGION),
    ("api usage limits", Words::QUOTA),
    ("api key not valid", Words::KEY),
    ("api key expired", Words::KEY),
    ("invalid api key", Words::KEY),
    ("incorrect api key", Words::KEY),
    ("security token", Words::KEY),
    ("model", Words::MODEL),
    ("model id", Words::MODEL_ID),
    ("inference profile", Words::MODEL_ID),
    ("on-demand throughput", Words::MODEL_ID),
    ("not available in your country", Words::REGION),
    ("not available in your region", Words::REGION),
    ("not found", Words::MISSING),
    ("not exist", Words::MISSING),
    ("not available", Words::MISSING),
    ("deprecated", Words::GONE),
    ("decommissioned", Words::GONE),
    ("retired", Words::GONE),
    ("end of its life", Words::GONE),
    ("no longer available", Words::GONE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_means_what_it_means_and_no_more() {
        for (phrase, meaning) in PHRASES {
            let whole = Words::read(&format!("So: {}.", phrase.to_uppercase()));
            assert!(whole.has(meaning), "{phrase}");
            let cut = Words::read(&phrase[..phrase.len() - 1]);
            assert!(!cut.has(meaning), "{phrase}");
            assert!(!Words::read(&format!("x{phrase}")).has(meaning), "{phrase}");
        }
        assert_eq!(Words::read(""), Words::default());
        assert_eq!(Words::read("Ünïcödé – the moduls"), Words::default());
        assert_eq!(Words::read("models/gemini"), Words::MODEL);
        assert_eq!(Words::read("1model"), Words::default());
    }

    #[test]
    fn meanings_are_kept_apart() {
        let both = Words(Words::MODEL.0 | Words::GONE.0);
        assert_eq!(Words::read("this model is deprecated"), both);
        assert!(both.has(Words::MODEL) && both.has(Words::GONE) && !both.has(Words::KEY));
        assert_eq!(PHRASES.iter().fold(0, |all, (_, meaning)| all | meaning.0), 0xff);
    }

    /// Phrases are found by their first four letters: each must be where it is looked for.
    #[test]
    fn every_phrase_is_in_its_place() {
        for (index, (phrase, _)) in PHRASES.iter().enumerate() {
            let first = usize::from(FIRST[slot(KEYS[index])]);
            assert!(KEYS[first..=index].iter().all(|key| *key == KEYS[index]), "{phrase}");
            assert_eq!(KEYS.iter().position(|key| *key == KEYS[index]), Some(first), "{phrase}");
            assert_eq!(&KEYS[index].to_le_bytes(), &phrase.as_bytes()[..4]);
        }
    }

    #[test]
    fn gaps_are_whatever_is_no_letter() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK {
                for (around, others) in [(b'z', 0), (b'A', 0), (b' ', u64::MAX), (0xff, u64::MAX)] {
                    let mut block = [around; BLOCK];
                    block[at] = byte;
                    let here = u64::from(!byte.is_ascii_alphabetic()) << at;
                    assert_eq!(gaps(&block), others & !(1 << at) | here, "{byte} at {at}");
                }
            }
        }
    }

    /// As it is written down: at every place where a word begins, every phrase.
    fn plainly(message: &str) -> Words {
        let bytes = message.as_bytes();
        let mut words = Words::default();
        for at in 0..bytes.len() {
            let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            for (phrase, meaning) in PHRASES {
                let start = bytes.get(at..at + phrase.len()).unwrap_or_default();
                if begins && start.eq_ignore_ascii_case(phrase.as_bytes()) {
                    words.0 |= meaning.0;
                }
            }
        }
        words
    }

    #[test]
    fn a_phrase_is_found_wherever_it_is() {
        for (phrase, _) in PHRASES {
            for before in 1..2 * BLOCK + 2 {
                let fillers = [(" ", "x"), ("é", "q"), (".", "."), ("", "x"), ("1", " ")];
                for (gap, filler) in fillers {
                    let message = format!("{}{gap}{phrase}", filler.repeat(before));
                    let begins = !["", "1"].contains(&gap);
                    let expected = if begins { plainly(phrase) } else { Words::default() };
                    assert_eq!(Words::read(&message), expected, "{message}");
                    assert_eq!(Words::read(&(message + " and more")), expected);
                }
            }
        }
    }

    #[test]
    fn messages_are_read_as_they_would_be_plainly() {
        use proptest::prelude::*;
        let part = prop_oneof![
            (0..PHRASES.len()).prop_map(|index| PHRASES[index].0.to_owned()),
            (0..PHRASES.len()).prop_map(|index| PHRASES[index].0.to_uppercase()),
            "[a-zA-Z]{0,9}",
            "[ -~é]{0,3}",
        ];
        proptest!(|(parts in prop::collection::vec(part, 0..30), gap in "[ .]?")| {
            let message = parts.join(&gap);
            prop_assert_eq!(Words::read(&message), plainly(&message));
        });
    }
}
