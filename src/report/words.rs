//! Words that stand out among the negative posts of a time: against the negative posts of the period before, or, where too few of
//! those are stored, against the other posts of the same time.

use std::collections::{HashMap, HashSet};

use super::tally::PostTally;
use crate::classify::Label;
use crate::monitor::StoredPost;
use crate::window::{informative_words, plain_name, rise};

/// People who must have used a word.
const MIN_PEOPLE: u32 = 3;
/// Posts that a comparison needs on either side.
const MIN_POSTS: u32 = 30;
const MAX_WORDS: usize = 8;
/// Words that are counted; of more, those that one person used are dropped first.
const MAX_COUNTED: usize = 100_000;

/// A word, and how many posts held it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportWord {
    pub word: String,
    /// Negative posts of the time with the word, and all of them.
    pub posts: u64,
    pub total: u64,
    /// Its share among the posts that they are compared with, in `[0, 1]`.
    pub before: f64,
}

/// Words of the posts of one topic; each counts once for each author.
#[derive(Debug, Clone, Default)]
pub(super) struct WordTally {
    plain_name: String,
    negative: WordCount,
    others: WordCount,
    seen: HashSet<u64>,
}

#[derive(Debug, Clone, Default)]
struct WordCount {
    posts: u32,
    words: HashMap<String, u32>,
}

impl WordTally {
    pub(super) fn new(topic: &str) -> Self {
        Self { plain_name: plain_name(topic), ..Self::default() }
    }

    pub(super) fn add(&mut self, post: &StoredPost) {
        let is_negative = post.label == Label::Negative;
        let author = post.author_id.as_ref().or(post.author.as_ref()).unwrap_or(&post.id);
        let mut words = informative_words(&post.text, &self.plain_name);
        words.sort_unstable();
        words.dedup();
        // One person who repeats a word does not make it stand out.
        words.retain(|word| {
            let key = format!("{author}\u{0}{word}\u{0}{is_negative}");
            self.seen.insert(twox_hash::XxHash64::oneshot(0, key.as_bytes()))
        });
        let count = if is_negative { &mut self.negative } else { &mut self.others };
        count.posts += 1;
        if count.words.len() + words.len() > MAX_COUNTED {
            count.words.retain(|_, posts| *posts > 1);
        }
        for word in words {
            *count.words.entry(word).or_default() += 1;
        }
    }
}

/// The words of `now` that stand out, and whether they are compared with the period before.
pub(super) fn distinctive_words(now: &PostTally, before: &PostTally) -> (Vec<ReportWord>, bool) {
    let is_before = before.words.negative.posts >= MIN_POSTS;
    let (counted, compared) = (&now.words.negative, if is_before { &before.words.negative } else { &now.words.others });
    if counted.posts < MIN_POSTS || compared.posts < MIN_POSTS {
        return (Vec::new(), is_before);
    }
    let (n, n0) = (f64::from(counted.posts), f64::from(compared.posts));
    let mut found: Vec<(f64, &String, u32, f64)> = Vec::new();
    for (word, posts) in counted.words.iter().filter(|(_, posts)| **posts >= MIN_PEOPLE) {
        let (k, k0) = (f64::from(*posts), f64::from(compared.words.get(word).copied().unwrap_or_default()));
        found.extend(rise((k, n), (k0, n0)).map(|weight| (weight, word, *posts, k0 / n0)));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let word = |(_, word, posts, before): (f64, &String, u32, f64)| ReportWord {
        word: word.clone(),
        posts: posts.into(),
        total: counted.posts.into(),
        before,
    };
    (found.into_iter().take(MAX_WORDS).map(word).collect(), is_before)
}
