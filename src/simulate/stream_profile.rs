//! [`Habits`]: what a stream is drawn from, read from a dump.

use std::collections::{BTreeMap, BTreeSet};

use super::rhythm::Rhythm;
use super::text_sampler::Deck;
use super::{HOUR, Tally};
use crate::classify::Label;
use crate::dump::{Input, Needs, ReadOptions, Reader, SourceError};

/// Topics that an error names.
const NAMED: usize = 8;

/// The rhythm and the texts of a labelled dump.
#[derive(Debug, Clone)]
pub struct Habits {
    pub rhythm: Rhythm,
    pub deck: Deck,
    /// Posts that were read.
    pub posts: u64,
    /// Rows that could not be used.
    pub rejected: u64,
}

/// Why no stream can be drawn from a dump.
#[derive(Debug, thiserror::Error)]
pub enum HabitsError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(
        "{name} has no labelled post{} to draw from: {rejected} rows were rejected{}",
        topic.as_ref().map(|topic| format!(" of topic {topic:?}")).unwrap_or_default(),
        if topics.is_empty() { String::new() } else { format!("; its topics are {}", topics.join(", ")) },
    )]
    Empty { name: String, topic: Option<String>, rejected: u64, topics: Vec<String> },
}

impl Habits {
    /// Reads `input`, or what it has of one `topic`, as its topic column names it.
    ///
    /// # Errors
    /// When it cannot be read, has no times or labels, or no post of the topic.
    pub fn read(input: &Input, options: &ReadOptions, topic: Option<&str>) -> Result<Self, HabitsError> {
        let needs = Needs { created_at: true, label: true, topic: topic.is_some() };
        let mut reader = Reader::open(input, options, needs)?;
        let (mut hours, mut deck) = (BTreeMap::<i64, Tally>::new(), Deck::default());
        let (mut posts, mut rejected, mut others) = (0, 0, BTreeSet::new());
        while let Some(row) = reader.next_row()? {
            let Ok(row) = row else {
                rejected += 1;
                continue;
            };
            if topic.is_some() && row.topic.as_deref() != topic {
                others.extend(row.topic.filter(|_| others.len() < NAMED));
                continue;
            }
            let label = row.label.as_deref().and_then(Label::parse);
            let (Some(label), Some(time)) = (label, row.created_at) else { continue };
            let time = time.as_second();
            hours.entry(time - time.rem_euclid(HOUR)).or_default()[label as usize] += 1;
            deck.put(label, row.text);
            posts += 1;
        }
        let rhythm = Rhythm::measure(&hours).ok_or_else(|| HabitsError::Empty {
            name: reader.name().to_owned(),
            topic: topic.map(str::to_owned),
            rejected,
            topics: others.into_iter().collect(),
        })?;
        Ok(Self { rhythm, deck, posts, rejected })
    }
}
