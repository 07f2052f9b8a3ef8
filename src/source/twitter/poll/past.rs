//! What a poll does about the past: gaps that were left, long absences, and what X does not give any more.

use jiff::{SignedDuration, Timestamp};

use super::super::cursor::{Gap, Since, earlier};
use super::super::error::ApiError;
use super::super::snowflake;
use super::super::walk::Walk;
use super::{Poll, Trouble};
use crate::source::Outlet;

/// More than this is read in slices, the oldest first, so that older posts do not come too late behind newer ones.
const MOST_AT_ONCE: SignedDuration = SignedDuration::from_mins(61);
const SLICE: SignedDuration = SignedDuration::from_mins(30);
/// Slices grow to this while they fit into a page, within which posts are put in order.
const WIDEST_SLICE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Poll {
    /// Reads what is long past in slices.
    pub(super) async fn catch_up(&mut self, outlet: &Outlet) -> Result<usize, Trouble> {
        let (mut width, mut new) = (SLICE, 0);
        while let Some((since, end)) = self.slice(width) {
            let mut in_slice = self.walk(Walk::to(since, end), None, outlet).await?;
            while let Some(gap) = self.position.gap {
                in_slice += self.fill(gap, outlet).await?;
            }
            self.position.newest = self.position.newest.max(Some(snowflake::first_at(end).saturating_sub(1)));
            // That long ago nothing is shown late any more.
            self.position.reread = self.position.reread.max(end);
            let few = in_slice as u64 <= self.page / 4;
            width = if few { width.saturating_mul(2).min(WIDEST_SLICE) } else { SLICE };
            new += in_slice;
        }
        Ok(new)
    }

    pub(super) async fn fill(&mut self, gap: Gap, outlet: &Outlet) -> Result<usize, Trouble> {
        let since = gap.since.within(self.target.reach, self.account.now());
        let Some(gap) = Gap::new(since, gap.until) else {
            self.position.gap = None;
            return Ok(0);
        };
        self.walk(Walk::new(gap.since, Some(gap.until)), None, outlet).await
    }

    /// The oldest part of what is to be read, while that is much: where it begins, and a whole second where it ends.
    fn slice(&self, width: SignedDuration) -> Option<(Since, Timestamp)> {
        let now = self.account.now();
        let (since, _) = self.position.since(SignedDuration::ZERO, now);
        let since = since.within(self.target.reach, now);
        let begin = since.time().filter(|begin| now.duration_since(*begin) > MOST_AT_ONCE)?;
        let end = begin.checked_add(width).ok()?.min(earlier(now, SLICE));
        Some((since, Timestamp::from_second(end.as_second()).ok()?))
    }

    /// After an absence of a week, search has nothing of its beginning any more.
    pub(super) fn give_up_what_is_out_of_reach(&mut self, outlet: &Outlet) {
        let now = self.account.now();
        let reach = self.target.reach;
        let beyond = |since: Since| matches!(since, Since::Id(_)) && since.within(reach, now) != since;
        if self.position.gap.is_some_and(|gap| beyond(gap.since)) {
            self.lose_the_past(outlet);
        }
        if self.position.gap.is_none() && self.position.newest.map(Since::Id).is_some_and(beyond) {
            self.lose_the_past(outlet);
        }
    }

    fn lose_the_past(&mut self, outlet: &Outlet) {
        const LOST: &str = "X gives no posts as old as the last that was read: those between are lost";
        self.position.forget_old(self.account.now());
        tracing::warn!(source = outlet.source(), "{LOST}");
        outlet.health.update(|report| report.last_error = Some(LOST.to_owned()));
    }

    /// Whether X refuses the place to go on from, as older than its index; then it goes on from the oldest it has.
    pub(super) fn goes_on_without_its_past(&mut self, error: &ApiError, outlet: &Outlet) -> bool {
        let ApiError::Invalid { problem, .. } = error else { return false };
        let named = ["since_id", "until_id"]
            .iter()
            .any(|name| problem.parameters.iter().any(|parameter| parameter == name) || problem.detail.contains(name));
        let can = named && (self.position.newest.is_some() || self.position.gap.is_some());
        if can {
            self.lose_the_past(outlet);
        }
        can
    }
}
