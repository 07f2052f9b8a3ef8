//! [`StreamProfile`]: the rhythm and the texts of a dump, from which a stream is simulated.

use std::collections::{BTreeMap, BTreeSet};

use super::rhythm::Rhythm;
use super::text_sampler::TextSampler;
use super::{HOUR, Tally};
use crate::classify::Label;
use crate::dump::{DumpError, Input, ReadOptions, Reader, RequiredFields};

/// Maximum number of topics in an error.
const MAX_LISTED_TOPICS: usize = 8;

/// The rhythm and the texts of a labelled dump.
#[derive(Debug, Clone)]
pub struct StreamProfile {
    pub rhythm: Rhythm,
    pub texts: TextSampler,
    /// Number of posts read.
    pub posts: u64,
    /// Number of rejected rows.
    pub rejected: u64,
}

/// Why a dump cannot be used for a simulation.
#[derive(Debug, thiserror::Error)]
pub enum StreamProfileError {
    #[error(transparent)]
    Dump(#[from] DumpError),
    #[error(
        "{name} has no labelled post{}; {rejected} rows were rejected{}",
        topic.as_ref().map(|topic| format!(" of topic {topic:?}")).unwrap_or_default(),
        if topics.is_empty() { String::new() } else { format!("; its topics are {}", topics.join(", ")) },
    )]
    Empty { name: String, topic: Option<String>, rejected: u64, topics: Vec<String> },
}

impl StreamProfile {
    /// Reads `input`, or only its rows with this `topic` in the topic column.
    ///
    /// # Errors
    /// When the input cannot be read, has no times or labels, or has no post of the topic.
    pub fn read(input: &Input, options: &ReadOptions, topic: Option<&str>) -> Result<Self, StreamProfileError> {
        let required = RequiredFields { created_at: true, label: true, topic: topic.is_some() };
        let mut reader = Reader::open(input, options, required)?;
        let (mut hours, mut texts) = (BTreeMap::<i64, Tally>::new(), TextSampler::default());
        let (mut posts, mut rejected, mut others) = (0, 0, BTreeSet::new());
        while let Some(row) = reader.next_row()? {
            let Ok(row) = row else {
                rejected += 1;
                continue;
            };
            if topic.is_some() && row.topic.as_deref() != topic {
                others.extend(row.topic.filter(|_| others.len() < MAX_LISTED_TOPICS));
                continue;
            }
            let label = row.label.as_deref().and_then(Label::parse);
            let (Some(label), Some(time)) = (label, row.created_at) else { continue };
            let time = time.as_second();
            hours.entry(time - time.rem_euclid(HOUR)).or_default()[label as usize] += 1;
            texts.add(label, row.text);
            posts += 1;
        }
        let rhythm = Rhythm::measure(&hours).ok_or_else(|| StreamProfileError::Empty {
            name: reader.name().to_owned(),
            topic: topic.map(str::to_owned),
            rejected,
            topics: others.into_iter().collect(),
        })?;
        Ok(Self { rhythm, texts, posts, rejected })
    }
}
