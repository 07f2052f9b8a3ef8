//! [`SimilarPosts`]: the posts most like a given one, by the words that they share; rare words weigh most. Bounded: the newest posts
//! of the filter are compared.
//!
//! The order is BM25 with the words of the given post as the query (S. Robertson and H. Zaragoza, "The Probabilistic Relevance
//! Framework: BM25 and Beyond", 2009). Posts repeat a word so seldom that its number is left out.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{Filter, candidates};
use crate::monitor::index::BlockId;
use crate::monitor::{CascadeId, StoredPost, block, post_of_id};
use crate::store::{StoreError, View};
use crate::window::informative_words;

/// Posts that are compared, about.
pub const MAX_SIMILAR_COMPARED: usize = 50_000;
/// Words of the given post that are looked for: the bits of a set.
const MAX_WORDS: usize = 64;
/// The usual parameters of BM25.
const SATURATION: f64 = 1.2;
const LENGTH_WEIGHT: f64 = 0.75;
/// A post with less than this share of the given post's own score is not like it.
const MIN_SHARE: f64 = 0.1;

/// What is like a post.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarPosts {
    pub post: StoredPost,
    /// The most similar first; one of each cascade, without the post itself.
    pub posts: Vec<StoredPost>,
    /// The oldest post compared, where older ones were left out.
    pub compared_until: Option<Timestamp>,
}

/// The words that are looked for.
struct SharedWords {
    bits: HashMap<String, u32>,
    /// How long they are, as a set of bits: most words of a text have another length, and need no look-up.
    lengths: u64,
    /// The word that is being read.
    word: String,
}

/// A post that shares a word, and where it is.
struct Candidate {
    words: u64,
    length: u32,
    cascade: CascadeId,
    block: BlockId,
    place: u32,
}

/// How many posts were compared, how long they are, and how many have each word.
#[derive(Default)]
struct Corpus {
    posts: u32,
    length: u64,
    with: Vec<u32>,
}

/// `None` if the post `id` does not exist. A filter without topics means the topics of the post.
pub(super) fn read(
    view: &View<'_>,
    id: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Option<SimilarPosts>, StoreError> {
    let Some(post) = post_of_id(view, id)? else { return Ok(None) };
    let mut filter = filter.clone();
    if filter.topics.is_empty() {
        filter.topics.clone_from(&post.topics);
    }
    let mut shared = SharedWords::of(&post.text);
    let own = shared.read(&post.text);
    let mut corpus = Corpus { with: vec![0; shared.bits.len()], ..Corpus::default() };
    let (mut found, mut compared_until, mut compared) = (Vec::new(), None, 0);
    for block_id in candidates::of(view, &filter, filter.span())? {
        let block_id = block_id?;
        if compared >= MAX_SIMILAR_COMPARED {
            compared_until = Timestamp::from_second(block_id.newest).ok();
            break;
        }
        let Some(bytes) = view.get_raw(&block_id.key())? else { continue };
        block::visit(&bytes, |place, other| {
            compared += 1;
            if !filter.matches(&other) || other.id() == post.id {
                return;
            }
            let (words, length) = shared.read(other.text());
            corpus.add(words, length);
            if words != 0 {
                found.push(Candidate { words, length, cascade: other.cascade(), block: block_id, place });
            }
        })?;
    }
    let mut nearest = corpus.rank(own, found);
    if filter.cascade.is_none() {
        keep_one_of_each_cascade(&mut nearest);
    }
    let mut posts = Vec::new();
    for candidate in nearest.iter().take(limit) {
        let Some(bytes) = view.get_raw(&candidate.block.key())? else { continue };
        posts.extend(block::post_at(&bytes, candidate.place)?);
    }
    Ok(Some(SimilarPosts { post, posts, compared_until }))
}

impl SharedWords {
    fn of(text: &str) -> Self {
        let mut bits = HashMap::new();
        for word in informative_words(text, "") {
            let next = bits.len() as u32;
            if bits.len() < MAX_WORDS {
                bits.entry(word).or_insert(next);
            }
        }
        let lengths = bits.keys().fold(0, |lengths, word| lengths | length_bit(word));
        Self { bits, lengths, word: String::new() }
    }

    /// Which of the words `text` has, as a set of bits, and how many words it has. Does not clean the text, which takes ten times
    /// as long: what cleaning drops is not looked for.
    fn read(&mut self, text: &str) -> (u64, u32) {
        let (mut found, mut length) = (0, 0);
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= 3) {
            length += 1;
            self.word.clear();
            if word.is_ascii() {
                if self.lengths & length_bit(word) == 0 {
                    continue;
                }
                self.word.push_str(word);
                self.word.make_ascii_lowercase();
            } else {
                // A letter in lower case may be longer or shorter.
                self.word.extend(word.chars().flat_map(char::to_lowercase));
            }
            if let Some(bit) = self.bits.get(&self.word) {
                found |= 1 << bit;
            }
        }
        (found, length)
    }
}

/// Bytes of a word, as a set with one bit.
fn length_bit(word: &str) -> u64 {
    1 << word.len().min(63)
}

impl Corpus {
    fn add(&mut self, words: u64, length: u32) {
        self.posts += 1;
        self.length += u64::from(length);
        for (bit, with) in self.with.iter_mut().enumerate() {
            *with += ((words >> bit) & 1) as u32;
        }
    }

    /// The weight of each word: the rarer, the more. One that no other post has says nothing about them.
    fn weights(&self) -> Vec<f64> {
        let weight = |with: &u32| {
            let without = f64::from(self.posts - with);
            if *with == 0 { 0.0 } else { (1.0 + (without + 0.5) / (f64::from(*with) + 0.5)).ln() }
        };
        self.with.iter().map(weight).collect()
    }

    /// The candidates that are like a post with the words and length of `own`: the nearest first.
    fn rank(&self, own: (u64, u32), found: Vec<Candidate>) -> Vec<Candidate> {
        let weights = self.weights();
        let mean = self.length as f64 / f64::from(self.posts.max(1));
        let score = |words: u64, length: u32| {
            let set = weights.iter().enumerate().filter(|(bit, _)| (words >> bit) & 1 == 1);
            let relative = f64::from(length) / mean.max(1.0);
            let damping = SATURATION * (1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * relative) + 1.0;
            set.map(|(_, weight)| weight).sum::<f64>() * (SATURATION + 1.0) / damping
        };
        let enough = score(own.0, own.1) * MIN_SHARE;
        let mut scored: Vec<(f64, Candidate)> = found
            .into_iter()
            .map(|candidate| (score(candidate.words, candidate.length), candidate))
            .filter(|(score, _)| *score >= enough)
            .collect();
        // Of equals, the newest first.
        scored.sort_by(|(a, x), (b, y)| {
            b.total_cmp(a).then_with(|| (Reverse(x.block), x.place).cmp(&(Reverse(y.block), y.place)))
        });
        scored.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

/// Copies of a post are like each other, and would fill the page.
fn keep_one_of_each_cascade(nearest: &mut Vec<Candidate>) {
    let mut seen = HashSet::new();
    nearest.retain(|candidate| seen.insert(candidate.cascade));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of `texts` after the first, which is the given one.
    fn nearest(texts: &[&'static str]) -> Vec<&'static str> {
        let mut shared = SharedWords::of(texts[0]);
        let own = shared.read(texts[0]);
        let mut corpus = Corpus { with: vec![0; shared.bits.len()], ..Corpus::default() };
        let mut found = Vec::new();
        for (place, text) in (0..).zip(texts).skip(1) {
            let (words, length) = shared.read(text);
            corpus.add(words, length);
            let cascade = CascadeId::of_post(&place.to_string());
            found.push(Candidate { words, length, cascade, block: BlockId { newest: 0, number: 0 }, place });
        }
        corpus.rank(own, found).into_iter().map(|candidate| texts[candidate.place as usize]).collect()
    }

    #[test]
    fn rare_words_weigh_more_than_common_ones() {
        let found = nearest(&[
            "Vol annulé, ma valise est restée à Orly",
            "Encore un vol annulé ce matin",
            "Ma VALISE est à Orly depuis lundi",
            "Le vol était parfait",
            "Un vol annulé hier soir",
            "Vol annulé sans un mot",
            "Merci à tous",
        ]);
        assert_eq!(found[0], "Ma VALISE est à Orly depuis lundi");
        assert!(found.contains(&"Vol annulé sans un mot"), "{found:?}");
        assert!(!found.contains(&"Merci à tous"), "{found:?}");
    }

    #[test]
    fn of_two_posts_with_the_same_words_the_shorter_is_nearer() {
        let long =
            "lost my bag in Rome after a day of queues and calls and forms and more queues at every desk there is";
        assert_eq!(nearest(&["lost my bag", long, "a lost bag"]), ["a lost bag", long]);
    }

    #[test]
    fn a_copy_is_shown_once() {
        let block = BlockId { newest: 0, number: 0 };
        let cascade = CascadeId::of_post("1");
        let candidate = |place, cascade| Candidate { words: 1, length: 3, cascade, block, place };
        let mut found = vec![candidate(0, cascade), candidate(1, cascade), candidate(2, CascadeId::of_post("2"))];
        keep_one_of_each_cascade(&mut found);
        assert_eq!(found.iter().map(|candidate| candidate.place).collect::<Vec<_>>(), [0, 2]);
    }
}
