//! [`SimulatedPosts`]: creates a post for each one that an [`ArrivalProcess`] counts.

use std::collections::VecDeque;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::MINUTE;
use super::arrival_process::{ArrivalProcess, MinuteCounts};
use super::text_sampler::{TextSampler, random_below};
use crate::classify::Label;

/// Number of authors per post per hour: the posts of a day have mostly different authors.
const AUTHORS_PER_HOURLY_POST: f64 = 40.0;

/// One post of a stream; its author is invented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedPost {
    pub id: String,
    pub created_at: Timestamp,
    pub author: String,
    pub text: String,
    pub label: Label,
    pub in_incident: bool,
}

/// The posts of a stream in the order of their times, up to an end.
#[derive(Debug)]
pub struct SimulatedPosts {
    arrivals: ArrivalProcess,
    /// In Unix seconds.
    end: i64,
    texts: TextSampler,
    rng: ChaCha8Rng,
    seed: u64,
    authors: usize,
    count: u64,
    ready: VecDeque<SimulatedPost>,
}

impl SimulatedPosts {
    /// The posts that `arrivals`, created with the same `seed`, counts before `end` (Unix seconds).
    pub fn new(arrivals: ArrivalProcess, end: i64, texts: TextSampler, seed: u64) -> Self {
        // Stream 0 of the generator draws the counts.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let authors = 50 + (arrivals.posts_per_hour() * AUTHORS_PER_HOURLY_POST) as usize;
        Self { arrivals, end, texts, rng, seed, authors, count: 0, ready: VecDeque::new() }
    }

    fn fill(&mut self, minute: &MinuteCounts) {
        let labels = Label::ALL.into_iter().zip(minute.tally);
        let labels = labels.flat_map(|(label, count)| std::iter::repeat_n(label, count as usize));
        let mut times: Vec<(i64, Label)> =
            labels.map(|label| (random_below(MINUTE as usize * 1_000, &mut self.rng) as i64, label)).collect();
        times.sort_unstable();
        for (millis, label) in times {
            let post = self.post(minute, millis, label);
            self.ready.push_back(post);
        }
    }

    fn post(&mut self, minute: &MinuteCounts, millis: i64, label: Label) -> SimulatedPost {
        let number = self.count;
        self.count += 1;
        SimulatedPost {
            id: format!("sim{}-{number}", self.seed),
            created_at: Timestamp::from_millisecond(minute.start * 1_000 + millis).unwrap_or(Timestamp::MAX),
            author: format!("someone{}", random_below(self.authors, &mut self.rng)),
            text: self.texts.sample(label, &mut self.rng),
            label,
            in_incident: minute.in_incident,
        }
    }
}

impl Iterator for SimulatedPosts {
    type Item = SimulatedPost;

    fn next(&mut self) -> Option<SimulatedPost> {
        while self.ready.is_empty() {
            if self.arrivals.now() >= self.end {
                return None;
            }
            let minute = self.arrivals.next()?;
            self.fill(&minute);
        }
        self.ready.pop_front()
    }
}
