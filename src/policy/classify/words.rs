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
        let mut words = Words::default();
        let mut in_word = false;
        for (index, byte) in bytes.iter().enumerate() {
            let letter = byte.to_ascii_lowercase();
            if !in_word && letter.is_ascii_lowercase() && FIRST & 1 << (letter - b'a') != 0 {
                let rest = bytes.get(index..).unwrap_or_default();
                for (phrase, meaning) in PHRASES {
                    let start = rest.get(..phrase.len());
                    if start.is_some_and(|start| start.eq_ignore_ascii_case(phrase.as_bytes())) {
                        words.0 |= meaning.0;
                    }
                }
            }
            in_word = byte.is_ascii_alphanumeric();
        }
        words
    }
}

/// What Anthropic, OpenAI, Gemini, Bedrock and gateways in front of them are known to write.
const PHRASES: [(&str, Words); 32] = [
    ("credit balance", Words::QUOTA),
    ("credits are depleted", Words::QUOTA),
    ("prepayment credits", Words::QUOTA),
    ("insufficient credits", Words::QUOTA),
    ("insufficient balance", Words::QUOTA),
    ("spend limit", Words::QUOTA),
    ("spending limit", Words::QUOTA),
    ("spending cap", Words::QUOTA),
    ("api usage limits", Words::QUOTA),
    ("requires billing", Words::QUOTA),
    ("exceeded your current quota", Words::PLAN),
    ("unsupported countr", Words::REGION),
    ("location is not supported", Words::REGION),
    ("not available in your country", Words::REGION),
    ("not available in your region", Words::REGION),
    ("api key not valid", Words::KEY),
    ("api key expired", Words::KEY),
    ("invalid api key", Words::KEY),
    ("incorrect api key", Words::KEY),
    ("security token", Words::KEY),
    ("model", Words::MODEL),
    ("model id", Words::MODEL_ID),
    ("inference profile", Words::MODEL_ID),
    ("on-demand throughput", Words::MODEL_ID),
    ("not found", Words::MISSING),
    ("not exist", Words::MISSING),
    ("not available", Words::MISSING),
    ("deprecated", Words::GONE),
    ("decommissioned", Words::GONE),
    ("retired", Words::GONE),
    ("end of its life", Words::GONE),
    ("no longer available", Words::GONE),
];

/// The letters that a phrase begins with, one bit each.
const FIRST: u32 = {
    let (mut letters, mut index) = (0, 0);
    while index < PHRASES.len() {
        letters |= 1 << (PHRASES[index].0.as_bytes()[0] - b'a');
        index += 1;
    }
    letters
};

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
}
