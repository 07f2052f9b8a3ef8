//! [`Sessions`]: what the people of a dump write within a day of their first post; and [`PeopleArrivals`], a stream of such
//! people. Some write once, a few write ten times within an hour, and mostly in one mood: a detector that takes their posts for
//! those of as many people raises false alarms.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::arrival_process::{ArrivalProcess, MinuteCounts};
use super::incident::SimulatedIncident;
use super::text_sampler::random_below;
use super::{DAY, MINUTE, Tally};
use crate::classify::Label;

/// A further post of a person: whole minutes after the first one, and its label.
type FurtherPost = (i64, Label);

/// The sessions of a dump: a person's posts within 24 hours of the first are one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sessions {
    /// By the label of the first post; empty lists are people who wrote once.
    further: [Vec<Vec<FurtherPost>>; 3],
}

impl Sessions {
    /// From posts in any order: time in Unix seconds, author, label. `None` where nobody wrote.
    pub fn measure<A: Ord>(posts: impl IntoIterator<Item = (i64, A, Label)>) -> Option<Self> {
        let mut of_author: BTreeMap<A, Vec<(i64, Label)>> = BTreeMap::new();
        for (time, author, label) in posts {
            of_author.entry(author).or_default().push((time, label));
        }
        let mut sessions = Self::default();
        for posts in of_author.values_mut() {
            posts.sort_unstable();
            let mut rest = posts.as_slice();
            while let Some(((first, label), later)) = rest.split_first() {
                let within = later.partition_point(|(time, _)| time - first < DAY);
                let (further, next) = later.split_at(within);
                let further = further.iter().map(|(time, label)| ((time - first) / MINUTE, *label)).collect();
                sessions.further[*label as usize].push(further);
                rest = next;
            }
        }
        (sessions.count() > 0).then_some(sessions)
    }

    /// Number of sessions.
    pub fn count(&self) -> usize {
        self.further.iter().map(Vec::len).sum()
    }

    /// Mean number of posts of a session.
    pub fn mean_posts(&self) -> f64 {
        let further: usize = self.further.iter().flatten().map(Vec::len).sum();
        (self.count() + further) as f64 / self.count().max(1) as f64
    }

    /// Share of the posts that are not the first of their session, in `[0, 1]`.
    pub fn further_share(&self) -> f64 {
        1.0 - 1.0 / self.mean_posts()
    }

    /// The further posts of a person whose first post has this label.
    fn sample(&self, first: Label, rng: &mut ChaCha8Rng) -> &[FurtherPost] {
        let sessions = &self.further[first as usize];
        if sessions.is_empty() { &[] } else { &sessions[random_below(sessions.len(), rng)] }
    }

    /// Expected posts by label of a session that begins with this label.
    fn expected(&self, first: usize) -> [f64; 3] {
        let sessions = &self.further[first];
        let mut expected = [0.0; 3];
        expected[first] = 1.0;
        for (_, label) in sessions.iter().flatten() {
            expected[*label as usize] += 1.0 / sessions.len() as f64;
        }
        expected
    }
}

/// An endless stream of people: each begins a session of the dump. A clone continues from the same moment.
#[derive(Debug, Clone)]
pub struct PeopleArrivals {
    /// The first posts.
    arrivals: ArrivalProcess,
    sessions: Arc<Sessions>,
    expected: [[f64; 3]; 3],
    rng: ChaCha8Rng,
    /// Further posts to come: start of the minute, person, place of the label.
    to_come: BinaryHeap<Reverse<(i64, u64, usize)>>,
    people: u64,
}

/// One minute of such a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct MinuteOfPeople {
    /// The same as numbers. What is `usual` leaves out that further posts come later than the first.
    pub counts: MinuteCounts,
    /// Who wrote, and with which label.
    pub posts: Vec<(u64, Label)>,
}

impl PeopleArrivals {
    /// With the volume of `arrivals`, of which the first posts of sessions are a part.
    pub fn new(arrivals: ArrivalProcess, sessions: Arc<Sessions>, seed: u64) -> Self {
        let first_posts = arrivals.posts_per_hour() / sessions.mean_posts();
        let expected = [0, 1, 2].map(|first| sessions.expected(first));
        let mut new = Self {
            arrivals: arrivals.with_volume(first_posts),
            sessions,
            expected,
            rng: ChaCha8Rng::seed_from_u64(0),
            to_come: BinaryHeap::new(),
            people: 0,
        };
        new.seed(seed);
        new
    }

    #[must_use]
    pub fn with_incident(mut self, incident: SimulatedIncident) -> Self {
        self.arrivals = self.arrivals.with_incident(incident);
        self
    }

    /// Continues with another seed; further posts of people who have begun stay the same.
    #[must_use]
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.arrivals = self.arrivals.reseeded(seed);
        self.seed(seed);
        self
    }

    /// Start of the next minute, in Unix seconds.
    pub fn now(&self) -> i64 {
        self.arrivals.now()
    }

    fn seed(&mut self, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        // Stream 0 draws the counts, stream 1 the texts of `SimulatedPosts`.
        self.rng.set_stream(2);
    }

    fn begin_session(&mut self, start: i64, label: Label) -> u64 {
        self.people += 1;
        let further = self.sessions.sample(label, &mut self.rng);
        let to_come =
            further.iter().map(|(after, label)| Reverse((start + after * MINUTE, self.people, *label as usize)));
        self.to_come.extend(to_come);
        self.people
    }
}

impl Iterator for PeopleArrivals {
    type Item = MinuteOfPeople;

    fn next(&mut self) -> Option<MinuteOfPeople> {
        let first = self.arrivals.next()?;
        let mut posts = Vec::new();
        for (label, count) in Label::ALL.into_iter().zip(first.tally) {
            for _ in 0..count {
                posts.push((self.begin_session(first.start, label), label));
            }
        }
        while let Some(Reverse((start, person, label))) = self.to_come.peek().copied() {
            if start > first.start {
                break;
            }
            self.to_come.pop();
            posts.push((person, Label::ALL[label]));
        }
        let mut tally = Tally::default();
        posts.iter().for_each(|(_, label)| tally[*label as usize] += 1);
        let usual = [0, 1, 2].map(|label: usize| {
            (0..3).map(|begun: usize| first.usual[begun] * self.expected[begun][label]).sum::<f64>()
        });
        Some(MinuteOfPeople { counts: MinuteCounts { tally, usual, ..first }, posts })
    }
}

#[cfg(test)]
mod tests {
    use super::super::rhythm::{Rhythm, Swing};
    use super::*;

    const NEGATIVE: Label = Label::Negative;
    const POSITIVE: Label = Label::Positive;

    #[test]
    fn posts_within_a_day_of_the_first_are_one_session() {
        let posts = [
            (0, "ann", NEGATIVE),
            (90, "ann", NEGATIVE),
            (DAY - 1, "ann", POSITIVE),
            (DAY, "ann", NEGATIVE),
            (50, "bob", POSITIVE),
        ];
        let sessions = Sessions::measure(posts).unwrap();
        assert_eq!(sessions.further[0], [vec![(1, NEGATIVE), (1_439, POSITIVE)], vec![]]);
        assert_eq!(sessions.further[2], [Vec::<FurtherPost>::new()]);
        assert_eq!((sessions.count(), sessions.mean_posts()), (3, 5.0 / 3.0));
        assert_eq!(sessions.expected(0), [1.5, 0.0, 0.5]);
        assert_eq!(Sessions::measure([(0, "ann", NEGATIVE); 0]), None);
    }

    #[test]
    fn a_stream_of_people_has_the_volume_and_the_sessions_of_the_dump() {
        let three = (0..100).flat_map(|person| (0..3).map(move |post| (person * 7 + post * 600, person, NEGATIVE)));
        let one = (0..100).map(|person| (person * 11, 1_000 + person, POSITIVE));
        let sessions = Arc::new(Sessions::measure(three.chain(one)).unwrap());
        assert_eq!((sessions.mean_posts(), sessions.further_share()), (2.0, 0.5));
        let hours = (0..24).map(|hour| (hour * 3_600, [30, 0, 30])).collect();
        let rhythm = Arc::new(Rhythm::measure(&hours).unwrap());
        let arrivals = ArrivalProcess::new(rhythm, 0, 3).with_swing(Swing::default()).with_volume(120.0);
        let people = PeopleArrivals::new(arrivals, sessions, 3);
        let again: Vec<MinuteOfPeople> = people.clone().take(500).collect();
        let minutes: Vec<MinuteOfPeople> = people.take(10 * 24 * 60).collect();
        assert_eq!(again, minutes[..500], "the seed determines everything");
        let posts: u64 = minutes.iter().map(|minute| minute.counts.tally.iter().sum::<u64>()).sum();
        assert!((posts as f64 / 240.0 - 120.0).abs() < 4.0, "{posts} posts in 240 hours");
        let usual: f64 = minutes.iter().map(|minute| minute.counts.usual.iter().sum::<f64>()).sum();
        assert!((usual / posts as f64 - 1.0).abs() < 0.03, "{usual} expected of {posts}");
        let mut of_person: BTreeMap<u64, Vec<(usize, Label)>> = BTreeMap::new();
        for (minute, of) in minutes.iter().enumerate() {
            of.posts.iter().for_each(|(person, label)| of_person.entry(*person).or_default().push((minute, *label)));
        }
        for posts in of_person.values().filter(|posts| posts[0].0 < 10 * 24 * 60 - 30) {
            let begins = posts[0].0;
            let expected = match posts[0].1 {
                NEGATIVE => vec![(begins, NEGATIVE), (begins + 10, NEGATIVE), (begins + 20, NEGATIVE)],
                label => vec![(begins, label)],
            };
            assert_eq!(*posts, expected);
        }
    }
}
