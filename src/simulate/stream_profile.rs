//! [`StreamProfile`]: the rhythm and the texts of a dump, from which a stream is simulated.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::rhythm::Rhythm;
use super::sessions::Sessions;
use super::text_sampler::{MAX_TEXTS, TextSampler};
use super::{HOUR, Tally};
use crate::classify::Label;
use crate::dump::{DumpError, DumpReader, Inputs, ReadOptions, RejectSummary, RequiredFields, TimeSpan};

/// Maximum number of topics in an error.
const MAX_LISTED_TOPICS: usize = 8;

/// The rhythm and the texts of a labelled dump.
#[derive(Debug, Clone)]
pub struct StreamProfile {
    pub rhythm: Rhythm,
    pub texts: TextSampler,
    /// Who wrote how often; none where the dump names no author.
    pub sessions: Option<Sessions>,
    /// Number of posts read.
    pub posts: u64,
    /// The rejected rows.
    pub rejects: RejectSummary,
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
    /// Reads `input`, or only its rows with this `topic` in the topic column. Posts dated far outside the others are left out,
    /// unless the options keep them: a single one would stretch the days to decades, almost all of them empty.
    ///
    /// # Errors
    /// When the input cannot be read, has no times or labels, or has no post of the topic.
    pub fn read(input: &Inputs, options: &ReadOptions, topic: Option<&str>) -> Result<Self, StreamProfileError> {
        let required = RequiredFields { created_at: true, label: true, topic: topic.is_some() };
        let mut reader = DumpReader::open(input, options, required)?;
        let (mut hours, mut texts) = (BTreeMap::<i64, Tally>::new(), TextSampler::default());
        let (mut span, mut others) = (TimeSpan::default(), BTreeSet::new());
        let mut authored = Vec::new();
        let mut waiting: [Vec<(Timestamp, String)>; 3] = Default::default();
        while let Some(row) = reader.next_row()? {
            let Ok(row) = row else { continue };
            if topic.is_some() && row.topic.as_deref() != topic {
                others.extend(row.topic.filter(|_| others.len() < MAX_LISTED_TOPICS));
                continue;
            }
            let label = row.label.as_deref().and_then(Label::parse);
            let (Some(label), Some(time)) = (label, row.created_at) else { continue };
            span.add(time, row.line);
            let second = time.as_second();
            hours.entry(second - second.rem_euclid(HOUR)).or_default()[label as usize] += 1;
            authored.extend(row.author.as_deref().map(|author| (second, author.to_lowercase(), label)));
            // Texts wait until it is known which posts are outliers.
            if waiting[label as usize].len() < MAX_TEXTS {
                waiting[label as usize].push((time, row.text));
            }
        }
        let times = span.plausible(options.keep_outliers);
        if let Some(times) = &times {
            if let Some(remark) = times.remark("left out (--keep-outliers uses them)") {
                tracing::warn!(file = reader.name(), "{remark}");
            }
            let (from, to) = (times.range.start().as_second(), times.range.end().as_second());
            hours.retain(|hour, _| (from - from.rem_euclid(HOUR)..=to).contains(hour));
            authored.retain(|(second, ..)| (from..=to).contains(second));
        }
        for (label, posts) in Label::ALL.into_iter().zip(waiting) {
            let kept =
                posts.into_iter().filter(|(time, _)| times.as_ref().is_none_or(|times| times.contains(Some(*time))));
            kept.for_each(|(_, text)| texts.add(label, text));
        }
        let posts = hours.values().flatten().sum();
        let rejects = reader.rejects().clone();
        let rhythm = Rhythm::measure(&hours).ok_or_else(|| StreamProfileError::Empty {
            name: reader.name(),
            topic: topic.map(str::to_owned),
            rejected: rejects.rejected(),
            topics: others.into_iter().collect(),
        })?;
        Ok(Self { rhythm, texts, sessions: Sessions::measure(authored), posts, rejects })
    }
}
