//! The streams that detectors see: of independent posts, or of people who write as often as those of the dump.

use vigie::classify::Label;
use vigie::simulate::{ArrivalProcess, MinuteCounts, PeopleArrivals, SimulatedIncident};

/// A clone continues from the same moment.
#[derive(Clone)]
pub(crate) enum Stream {
    Posts(ArrivalProcess),
    People(Box<PeopleArrivals>),
}

/// One minute of a stream.
pub(crate) struct Minute {
    pub(crate) counts: MinuteCounts,
    /// Who wrote, where people are simulated.
    pub(crate) people: Option<Vec<(u64, Label)>>,
}

impl Stream {
    /// Start of the next minute, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        match self {
            Self::Posts(posts) => posts.now(),
            Self::People(people) => people.now(),
        }
    }

    pub(crate) fn reseeded(self, seed: u64) -> Self {
        match self {
            Self::Posts(posts) => Self::Posts(posts.reseeded(seed)),
            Self::People(people) => Self::People(Box::new(people.reseeded(seed))),
        }
    }

    pub(crate) fn with_incident(self, incident: SimulatedIncident) -> Self {
        match self {
            Self::Posts(posts) => Self::Posts(posts.with_incident(incident)),
            Self::People(people) => Self::People(Box::new(people.with_incident(incident))),
        }
    }
}

impl Iterator for Stream {
    type Item = Minute;

    fn next(&mut self) -> Option<Minute> {
        match self {
            Self::Posts(posts) => posts.next().map(|counts| Minute { counts, people: None }),
            Self::People(people) => people.next().map(|it| Minute { counts: it.counts, people: Some(it.posts) }),
        }
    }
}
