//! The first half of a replay: the whole dump read once, bad rows set aside, posts put into the order of event time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use super::{Progress, Replay};
use crate::dump::{Needs, Order, Ordered, Reader, RejectsFile, Row};
use crate::post::Post;

/// Rows between two looks at the progress.
const LOOK: u64 = 4_096;

/// A dump, read.
pub(in crate::pipeline) struct Dump {
    pub(in crate::pipeline) posts: Ordered,
    pub(in crate::pipeline) rejected: BTreeMap<String, u64>,
    pub(in crate::pipeline) rejects_file: Option<PathBuf>,
    /// Of its bytes.
    pub(super) fingerprint: String,
}

/// Sees each post in the order of the dump, and whether that says it was written during an incident.
pub(in crate::pipeline) type Each<'a> = &'a mut dyn FnMut(&Post, Option<bool>);

impl Dump {
    pub(in crate::pipeline) fn read(
        replay: &Replay,
        each: Each<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> anyhow::Result<Self> {
        let needs = Needs { created_at: true, label: replay.given_labels, topic: replay.topic_required };
        let mut reader = Reader::open(&replay.input, &replay.loaded.config.dump, needs)?;
        let mut rejects = RejectsFile::new(Some(replay.rejects.clone()));
        let mut order = Order::default();
        let mut rows = 0_u64;
        while let Some(row) = reader.next_row()? {
            match row {
                Ok(row) => {
                    let incident = row.incident;
                    // Where a model reads the posts, nothing of what people labelled is to be seen.
                    let reason = row.reason.clone().filter(|_| replay.given_labels);
                    if let Some(post) = (Row { reason, ..row }).into_post() {
                        each(&post, incident);
                        order.push(&post)?;
                    }
                }
                Err(reject) => rejects.add(&reject)?,
            }
            rows += 1;
            if rows.is_multiple_of(LOOK) {
                let read = reader.progress();
                progress(Progress::Reading { bytes: read.bytes_read(), total: read.total });
            }
        }
        rejects.finish()?;
        let posts = order.finish()?;
        if posts.is_empty() {
            return Err(rejects.no_usable_row(reader.name()).into());
        }
        let fingerprint = reader.fingerprint().context("the dump was not read to its end")?;
        let rejected = rejects.counts().iter().map(|(reason, rows)| (reason.to_string(), *rows)).collect();
        Ok(Self { posts, rejected, rejects_file: rejects.written().map(Into::into), fingerprint })
    }
}
