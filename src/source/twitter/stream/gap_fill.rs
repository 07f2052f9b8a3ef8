//! [`GapFill`]: fills a gap of the stream with recent search: a first pass immediately, a second one once posts that X
//! indexes late are there. A state machine without I/O: it says which page to request and records the pages.

use jiff::{SignedDuration, Timestamp};

use super::super::client::Request;
use super::super::error::Problem;
use super::super::page::ResponsePage;
use super::super::position::{Since, earlier, reach_of_search};
use super::super::snowflake::time_of;
use super::super::walk::{PageWalk, WalkStep};
use super::position::StreamGap;

const PATH: &str = "/2/tweets/search/recent";
/// Used when X rejects a start that is within its seven days by our clock, so the clock is wrong: with this margin it is
/// within them.
const SAFE_REACH: SignedDuration = SignedDuration::from_hours(6 * 24);

/// One pass through a gap.
#[derive(Debug)]
pub(super) struct GapFill {
    since: Since,
    walk: PageWalk,
    /// Newest post of the pass.
    pub newest: Option<u64>,
    /// Whether this is the pass for posts that X indexed late.
    pub second: bool,
    /// Whether the gap began before X's index.
    lost_posts: bool,
}

impl GapFill {
    pub(super) fn new(gap: StreamGap, second: bool, now: Timestamp) -> Self {
        let since = Since::Id(gap.from).within(Some(reach_of_search()), now);
        // X may reject an end in the future.
        let until = gap.until.filter(|id| time_of(*id).is_some_and(|at| at < now));
        Self { since, walk: PageWalk::new(since, until), newest: None, second, lost_posts: false }
    }

    /// Whether X no longer serves the start of the gap.
    pub(super) fn lost_posts(&self) -> bool {
        self.lost_posts
    }

    pub(super) fn request(&self, query: &str, page: u64) -> Request {
        let mut parameters = vec![("query", query.to_owned()), ("max_results", page.to_string())];
        parameters.extend(self.walk.window());
        parameters.extend(self.walk.page_token().map(|token| ("next_token", token.to_owned())));
        Request::get(PATH, parameters)
    }

    /// Records a page. Returns whether to request another one.
    pub(super) fn record_page(&mut self, page: &ResponsePage) -> bool {
        self.newest = self.newest.max(page.newest);
        match self.walk.record_page(page) {
            WalkStep::Next => true,
            WalkStep::Done => false,
            WalkStep::Cut => match self.walk.remaining() {
                Some(remaining) => {
                    self.walk = PageWalk::new(self.since, Some(remaining.until));
                    true
                }
                None => false,
            },
        }
    }

    /// Adapts to a rejected request: the page token may have expired, or the start of the gap may be older than the index.
    /// Returns whether to retry.
    pub(super) fn adapt_to_rejection(&mut self, problem: &Problem, now: Timestamp) -> bool {
        if self.walk.page_token().is_some() {
            let until = self.walk.remaining().map(|remaining| remaining.until);
            self.walk = PageWalk::new(self.since, until);
            return true;
        }
        let mentions =
            |name| problem.detail.contains(name) || problem.parameters.iter().any(|parameter| parameter == name);
        let too_old = matches!(self.since, Since::Id(_)) && (mentions("since_id") || mentions("until_id"));
        if too_old {
            tracing::warn!("posts lost: X no longer serves posts as old as the last one sent");
            self.lost_posts = true;
            self.since = Since::Time(earlier(now, SAFE_REACH));
            self.walk = PageWalk::new(self.since, None);
        }
        too_old
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::twitter::snowflake::first_at;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn window(fill: &GapFill) -> Vec<(&'static str, String)> {
        fill.request("paradis", 100).query.split_off(2)
    }

    #[test]
    fn an_end_in_the_future_is_not_requested() {
        let gap = StreamGap { from: first_at(at(0)), until: Some(first_at(at(100))) };
        let since = ("since_id", gap.from.to_string());
        assert_eq!(window(&GapFill::new(gap, false, at(99))), std::slice::from_ref(&since));
        let until = ("until_id", first_at(at(100)).to_string());
        assert_eq!(window(&GapFill::new(gap, true, at(101))), [since, until]);
    }

    #[test]
    fn a_gap_longer_than_the_index_starts_with_the_index() {
        let gap = StreamGap { from: first_at(at(0)), until: None };
        let window = window(&GapFill::new(gap, false, at(8 * 24 * 3_600)));
        assert_eq!(window[0].0, "start_time");
    }

    #[test]
    fn a_rejected_token_restarts_the_walk_after_the_posts_read() {
        let mut fill = GapFill::new(StreamGap { from: 10, until: None }, false, at(0));
        let rejection = Problem::default();
        assert!(!fill.adapt_to_rejection(&rejection, at(0)));
        assert!(fill.record_page(&ResponsePage {
            newest: Some(99),
            oldest: Some(90),
            next_token: Some("a".into()),
            ..ResponsePage::default()
        }));
        assert_eq!(window(&fill)[1], ("next_token", "a".into()));
        assert!(fill.adapt_to_rejection(&rejection, at(0)));
        assert_eq!(window(&fill)[1], ("until_id", "90".into()));
        assert!(!fill.record_page(&ResponsePage::default()));
        assert_eq!(fill.newest, Some(99));
    }

    #[test]
    fn a_start_that_is_too_old_is_replaced_once() {
        let mut fill = GapFill::new(StreamGap { from: 10, until: None }, false, at(0));
        let rejection = Problem { parameters: vec!["since_id".into()], ..Problem::default() };
        assert!(fill.adapt_to_rejection(&rejection, at(0)));
        assert_eq!(window(&fill)[0].0, "start_time");
        assert!(!fill.adapt_to_rejection(&rejection, at(0)));
    }
}
