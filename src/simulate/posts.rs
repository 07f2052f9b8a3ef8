//! [`Posts`]: a post for each that a [`Flow`] counts.

use std::collections::VecDeque;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::MINUTE;
use super::arrival_process::{Flow, Minute};
use super::text_sampler::{Deck, below};
use crate::classify::Label;

/// Accounts for each post an hour: a day's posts come from mostly different ones.
const AUTHORS: f64 = 40.0;

/// One post of a stream; its author is made up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedPost {
    pub id: String,
    pub created_at: Timestamp,
    pub author: String,
    pub text: String,
    pub label: Label,
    pub in_incident: bool,
}

/// Posts in the order of their times, up to an end.
#[derive(Debug)]
pub struct Posts {
    flow: Flow,
    /// In Unix seconds.
    end: i64,
    deck: Deck,
    rng: ChaCha8Rng,
    seed: u64,
    authors: usize,
    count: u64,
    ready: VecDeque<SimulatedPost>,
}

impl Posts {
    /// The posts that `flow`, which was made with the same `seed`, counts before `end` (Unix seconds).
    pub fn new(flow: Flow, end: i64, deck: Deck, seed: u64) -> Self {
        // The flow draws from the generator's first stream.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let authors = 50 + (flow.posts_per_hour() * AUTHORS) as usize;
        Self { flow, end, deck, rng, seed, authors, count: 0, ready: VecDeque::new() }
    }

    fn fill(&mut self, minute: &Minute) {
        let labels = Label::ALL.into_iter().zip(minute.tally);
        let labels = labels.flat_map(|(label, count)| std::iter::repeat_n(label, count as usize));
        let mut cards: Vec<(i64, Label)> =
            labels.map(|label| (below(MINUTE as usize * 1_000, &mut self.rng) as i64, label)).collect();
        cards.sort_unstable();
        for (millis, label) in cards {
            let post = self.post(minute, millis, label);
            self.ready.push_back(post);
        }
    }

    fn post(&mut self, minute: &Minute, millis: i64, label: Label) -> SimulatedPost {
        let number = self.count;
        self.count += 1;
        SimulatedPost {
            id: format!("sim{}-{number}", self.seed),
            created_at: Timestamp::from_millisecond(minute.start * 1_000 + millis).unwrap_or(Timestamp::MAX),
            author: format!("someone{}", below(self.authors, &mut self.rng)),
            text: self.deck.deal(label, &mut self.rng),
            label,
            in_incident: minute.in_incident,
        }
    }
}

impl Iterator for Posts {
    type Item = SimulatedPost;

    fn next(&mut self) -> Option<SimulatedPost> {
        while self.ready.is_empty() {
            if self.flow.now() >= self.end {
                return None;
            }
            let minute = self.flow.next()?;
            self.fill(&minute);
        }
        self.ready.pop_front()
    }
}
