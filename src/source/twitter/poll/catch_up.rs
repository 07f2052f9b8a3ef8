//! Reads posts of the past: gaps of earlier polls and long absences, and drops what X no longer serves.

use jiff::{SignedDuration, Timestamp};

use super::super::error::ApiError;
use super::super::position::{Gap, Since, earlier};
use super::super::snowflake;
use super::super::walk::PageWalk;
use super::{PollError, PollSource};
use crate::source::SourceSender;

/// A longer period is read in slices, oldest first, so that old posts do not arrive too late behind newer ones.
const MAX_SINGLE_WALK: SignedDuration = SignedDuration::from_mins(61);
const SLICE: SignedDuration = SignedDuration::from_mins(30);
/// Slices grow to this width while their posts fit into one page, which is sorted before it is sent.
const MAX_SLICE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl PollSource {
    /// Reads a long period in slices. Returns the number of posts.
    pub(super) async fn catch_up(&mut self, out: &SourceSender) -> Result<usize, PollError> {
        let (mut width, mut new) = (SLICE, 0);
        while let Some((since, end)) = self.next_slice(width) {
            let mut in_slice = self.walk(PageWalk::until(since, end), None, out).await?;
            while let Some(gap) = self.position.gap {
                in_slice += self.fill_gap(gap, out).await?;
            }
            self.position.newest = self.position.newest.max(Some(snowflake::first_at(end).saturating_sub(1)));
            // Posts this old are fully indexed: their overlap need not be read again.
            self.position.overlap_read_at = self.position.overlap_read_at.max(end);
            let fits_in_page = in_slice as u64 <= self.page / 4;
            width = if fits_in_page { width.saturating_mul(2).min(MAX_SLICE) } else { SLICE };
            new += in_slice;
        }
        Ok(new)
    }

    /// Reads the posts of a gap. Returns their number.
    pub(super) async fn fill_gap(&mut self, gap: Gap, out: &SourceSender) -> Result<usize, PollError> {
        let since = gap.since.within(self.target.reach, self.account.now());
        let Some(gap) = Gap::new(since, gap.until) else {
            self.position.gap = None;
            return Ok(0);
        };
        self.walk(PageWalk::new(gap.since, Some(gap.until)), None, out).await
    }

    /// The oldest slice of a long unread period: its start, and its end as a whole second. None when the period is short.
    fn next_slice(&self, width: SignedDuration) -> Option<(Since, Timestamp)> {
        let now = self.account.now();
        let (since, _) = self.position.next_start(SignedDuration::ZERO, now);
        let since = since.within(self.target.reach, now);
        let begin = since.time().filter(|begin| now.duration_since(*begin) > MAX_SINGLE_WALK)?;
        let end = begin.checked_add(width).ok()?.min(earlier(now, SLICE));
        Some((since, Timestamp::from_second(end.as_second()).ok()?))
    }

    /// After an absence of a week, search no longer serves its first posts.
    pub(super) fn drop_expired(&mut self, out: &SourceSender) {
        let now = self.account.now();
        let reach = self.target.reach;
        let is_expired = |since: Since| matches!(since, Since::Id(_)) && since.within(reach, now) != since;
        if self.position.gap.is_some_and(|gap| is_expired(gap.since)) {
            self.skip_expired(out);
        }
        if self.position.gap.is_none() && self.position.newest.map(Since::Id).is_some_and(is_expired) {
            self.skip_expired(out);
        }
    }

    fn skip_expired(&mut self, out: &SourceSender) {
        const LOST: &str = "posts lost: X no longer serves posts as old as the last one read";
        self.position.drop_oldest(self.account.now());
        tracing::warn!(source = out.source(), "{LOST}");
        out.health.update(|report| report.last_error = Some(LOST.to_owned()));
    }

    /// Handles an error that says that the cursor is older than the index: the next poll starts at the oldest post of the
    /// index. Returns whether it was such an error.
    pub(super) fn recover_from_expired(&mut self, error: &ApiError, out: &SourceSender) -> bool {
        let ApiError::Invalid { problem, .. } = error else { return false };
        let is_about_position = ["since_id", "until_id"]
            .iter()
            .any(|name| problem.parameters.iter().any(|parameter| parameter == name) || problem.detail.contains(name));
        let recovers = is_about_position && (self.position.newest.is_some() || self.position.gap.is_some());
        if recovers {
            self.skip_expired(out);
        }
        recovers
    }
}
