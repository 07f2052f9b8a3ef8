//! [`Sketch`]: hashes of a text that reveal no word, but whether another text is nearly the same.
//!
//! MinHash (Broder 1997) over the words and word pairs of a text: the share of equal places in two sketches estimates
//! the Jaccard similarity of the texts. One word more or less in twelve leaves 0.88, one replaced word 0.77; sentences
//! of different authors about one subject stay below 0.5.

use serde::{Deserialize, Serialize};

use crate::text::comparable_text;

/// Hashes of a sketch that are used as look-up keys.
const BANDS: usize = 4;
/// Hashes of a sketch that are compared.
const PLACES: usize = 32;
/// Minimum number of equal places of similar texts.
const MIN_EQUAL: usize = 24;
/// Minimum words and characters of a text with a sketch: fifty people who write "thank you" are not copying each other.
const MIN_LENGTH: (usize, usize) = (6, 40);
/// The same for a text that is marked as a retweet or quote.
const MIN_QUOTED_LENGTH: (usize, usize) = (3, 12);

/// Hashes of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sketch {
    /// Hash of all words.
    whole: u64,
    bands: [u32; BANDS],
    places: [u8; PLACES],
}

impl Sketch {
    /// The sketch of a text; `None` if the text is too short.
    pub(super) fn of(text: &str) -> Option<Self> {
        let said = comparable_text(text);
        let least = if said.quoted { MIN_QUOTED_LENGTH } else { MIN_LENGTH };
        let words = said.words.split(' ').count();
        (words >= least.0 && said.words.chars().count() >= least.1).then(|| Self::of_words(&said.words))
    }

    fn of_words(words: &str) -> Self {
        let mut least = [u32::MAX; BANDS + PLACES];
        let mut note = |feature: u64| {
            for (least, seed) in least.iter_mut().zip(SEEDS) {
                *least = (*least).min(((feature ^ seed).wrapping_mul(seed | 1) >> 32) as u32);
            }
        };
        let mut last = None;
        for word in words.split(' ') {
            let hash = twox_hash::XxHash64::oneshot(0, word.as_bytes());
            note(hash);
            if let Some(last) = last.replace(hash) {
                note(mix(last.rotate_left(1) ^ hash));
            }
        }
        let whole = twox_hash::XxHash64::oneshot(1, words.as_bytes());
        let mut bands = [0; BANDS];
        bands.copy_from_slice(&least[..BANDS]);
        let mut places = [0; PLACES];
        for (place, least) in places.iter_mut().zip(&least[BANDS..]) {
            *place = *least as u8;
        }
        Self { whole, bands, places }
    }

    /// Look-up keys; a similar text shares at least one of them with high probability.
    pub(super) fn keys(&self) -> impl Iterator<Item = u64> + use<> {
        let bands = self.bands;
        let band = move |i: usize| mix(u64::from(bands[i]) | (i as u64 + 1) << 32);
        std::iter::once(self.whole).chain((0..BANDS).map(band))
    }

    pub(super) fn is_similar(&self, other: &Self) -> bool {
        let equal = self.places.iter().zip(&other.places).filter(|(a, b)| a == b).count();
        self.whole == other.whole || equal >= MIN_EQUAL
    }
}

/// Seeds of the hash functions. They are part of the stored format.
const SEEDS: [u64; BANDS + PLACES] = {
    let mut seeds = [0; BANDS + PLACES];
    let mut i = 0;
    while i < seeds.len() {
        seeds[i] = mix(i as u64 + 1);
        i += 1;
    }
    seeds
};

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of `x` affects every bit of the result.
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        Sketch::of(a).unwrap().is_similar(&Sketch::of(b).unwrap())
    }

    const TEXT: &str = "After four hours on the tarmac the crew told us nothing and then the flight was cancelled";

    #[test]
    fn small_edits_leave_a_text_the_same() {
        for copy in [
            "RT @ann: After four hours on the tarmac the crew told us nothing and then the flight was cancelled",
            "AFTER FOUR HOURS on the tarmac, the crew told us nothing... and then the flight was cancelled!! http://t.co/x",
            "After four hours on the tarmac the crew told us nothing and then the flight was cancelled @AirParadis wow",
            "After four hours on the tarmac the crew told us nothing and then our flight was cancelled",
            "RT @ann: After four hours on the tarmac the crew told us nothing and then the flight was canc\u{2026}",
        ] {
            assert!(same(TEXT, copy), "{copy}");
        }
    }

    #[test]
    fn others_about_the_same_thing_stay_others() {
        for other in [
            "Four hours on the tarmac and nobody tells us whether the flight is cancelled, thanks @AirParadis",
            "my flight 435 has been delayed for 3 hours, can you help me rebook it please?",
        ] {
            assert!(!same(TEXT, other), "{other}");
        }
        let delayed =
            |flight: &str, hours: &str| format!("my flight {flight} has been delayed for {hours} hours can you help");
        assert!(!same(&delayed("435", "3"), &delayed("1123", "2")));
    }

    #[test]
    fn what_anybody_may_say_has_no_sketch() {
        for text in ["thank you", "@united thank you so much for the quick help!", "", "http://t.co/x @a @b"] {
            assert_eq!(Sketch::of(text), None, "{text}");
        }
        assert!(Sketch::of("RT @JetBlue: Our fleet's on fleek. http://t.co/x").is_some());
    }
}
