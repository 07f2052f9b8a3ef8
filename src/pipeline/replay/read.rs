//! The first half of a replay: reads the whole dump once, rejects bad rows, and sorts posts by event time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use super::{Replay, ReplayStage};
use crate::dump::{
    DumpReader, ExternalSort, PlausibleTimes, RejectSummary, RejectsFile, RequiredFields, Row, SortedPosts, TimeSpan,
};
use crate::post::Post;

/// Rows between two progress reports.
const LOOK: u64 = 4_096;

/// A dump that was read to its end.
pub(in crate::pipeline) struct Dump {
    pub(in crate::pipeline) posts: SortedPosts,
    /// From when to when it was written.
    pub(in crate::pipeline) times: PlausibleTimes,
    pub(in crate::pipeline) rejected: BTreeMap<String, u64>,
    pub(in crate::pipeline) rejects_file: Option<PathBuf>,
    pub(in crate::pipeline) rejects: RejectSummary,
    /// Of its bytes.
    pub(super) fingerprint: String,
}

/// Called with each post in the order of the dump, and whether the dump marks it as part of an incident.
pub(in crate::pipeline) type Each<'a> = &'a mut dyn FnMut(&Post, Option<bool>);

impl Dump {
    pub(in crate::pipeline) fn read(
        replay: &Replay,
        each: Each<'_>,
        progress: &mut dyn FnMut(ReplayStage),
    ) -> anyhow::Result<Self> {
        let needs = RequiredFields { created_at: true, label: replay.given_labels, topic: replay.topic_required };
        let mut reader = DumpReader::open(&replay.input, &replay.loaded.config.dump, needs)?;
        let mut rejects = RejectsFile::new(Some(replay.rejects.clone()));
        let (mut order, mut span) = (ExternalSort::default(), TimeSpan::default());
        let mut rows = 0_u64;
        while let Some(row) = reader.next_row()? {
            match row {
                Ok(row) => {
                    let (incident, line) = (row.incident, row.line);
                    // A model must not see what people labelled.
                    let reason = row.reason.clone().filter(|_| replay.given_labels);
                    if let Some(post) = (Row { reason, ..row }).into_post() {
                        each(&post, incident);
                        span.add(post.created_at, line);
                        order.push(&post)?;
                    }
                }
                Err(reject) => rejects.add(&reject)?,
            }
            rows += 1;
            if rows.is_multiple_of(LOOK) {
                let read = reader.progress();
                progress(ReplayStage::Reading { bytes: read.bytes_read(), total: read.total });
            }
        }
        rejects.finish()?;
        let posts = order.finish()?;
        if posts.is_empty() {
            return Err(rejects.no_usable_rows_error(reader.name()).into());
        }
        let times = span.plausible(replay.loaded.config.dump.keep_outliers).context("the dump has no posts")?;
        if let Some(remark) =
            times.remark("counted at the nearer end of the dump (--keep-outliers uses the time as it is)")
        {
            tracing::warn!(file = reader.name(), "{remark}");
        }
        let fingerprint = reader.fingerprint().context("the dump was not read to its end")?;
        let rejected = rejects.counts().iter().map(|(reason, rows)| (reason.to_string(), *rows)).collect();
        let rejects_file = rejects.written().map(Into::into);
        Ok(Self { posts, times, rejected, rejects_file, rejects: reader.rejects().clone(), fingerprint })
    }
}
