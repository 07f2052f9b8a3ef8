//! [`Fill`]: fills a gap of the stream by recent search: once at once, and once more when what search shows late is
//! there. A state machine without I/O: it says what to ask for and takes the pages.

use jiff::{SignedDuration, Timestamp};

use super::super::client::Request;
use super::super::cursor::{Since, earlier, reach_of_search};
use super::super::error::Problem;
use super::super::page::Page;
use super::super::snowflake::time_of;
use super::super::walk::{Step, Walk};
use super::place::Gap;

const PATH: &str = "/2/tweets/search/recent";
/// Where X refuses what is within its seven days by our clock, the clock is wrong: this is within them all the same.
const SURELY: SignedDuration = SignedDuration::from_hours(6 * 24);

/// One pass through a gap.
#[derive(Debug)]
pub(super) struct Fill {
    since: Since,
    walk: Walk,
    /// Newest post of the pass.
    pub newest: Option<u64>,
    /// Whether this is the pass for what search shows late.
    pub second: bool,
}

impl Fill {
    pub(super) fn new(gap: Gap, second: bool, now: Timestamp) -> Self {
        let since = Since::Id(gap.from).within(Some(reach_of_search()), now);
        // X may not take an end that is yet to come.
        let until = gap.until.filter(|id| time_of(*id).is_some_and(|at| at < now));
        Self { since, walk: Walk::new(since, until), newest: None, second }
    }

    pub(super) fn request(&self, query: &str, page: u64) -> Request {
        let mut parameters = vec![("query", query.to_owned()), ("max_results", page.to_string())];
        parameters.extend(self.walk.window());
        parameters.extend(self.walk.token().map(|token| ("next_token", token.to_owned())));
        Request::get(PATH, parameters)
    }

    /// Whether a page is still to come.
    pub(super) fn take(&mut self, page: &Page) -> bool {
        self.newest = self.newest.max(page.newest);
        match self.walk.take(page) {
            Step::Next => true,
            Step::Done => false,
            Step::Cut => match self.walk.rest() {
                Some(rest) => {
                    self.walk = Walk::new(self.since, Some(rest.until));
                    true
                }
                None => false,
            },
        }
    }

    /// X refused a request: a token may have grown old, or the gap's start be older than what X still gives. Whether
    /// there is another way to ask.
    pub(super) fn refused(&mut self, problem: &Problem, now: Timestamp) -> bool {
        if self.walk.token().is_some() {
            let until = self.walk.rest().map(|rest| rest.until);
            self.walk = Walk::new(self.since, until);
            return true;
        }
        let names =
            |name| problem.detail.contains(name) || problem.parameters.iter().any(|parameter| parameter == name);
        let too_old = matches!(self.since, Since::Id(_)) && (names("since_id") || names("until_id"));
        if too_old {
            tracing::warn!("X gives no posts as old as the last that was delivered: those between are lost");
            self.since = Since::Time(earlier(now, SURELY));
            self.walk = Walk::new(self.since, None);
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

    fn asked(fill: &Fill) -> Vec<(&'static str, String)> {
        fill.request("paradis", 100).query.split_off(2)
    }

    #[test]
    fn an_end_that_is_yet_to_come_is_not_asked_for() {
        let gap = Gap { from: first_at(at(0)), until: Some(first_at(at(100))) };
        let since = ("since_id", gap.from.to_string());
        assert_eq!(asked(&Fill::new(gap, false, at(99))), std::slice::from_ref(&since));
        let until = ("until_id", first_at(at(100)).to_string());
        assert_eq!(asked(&Fill::new(gap, true, at(101))), [since, until]);
    }

    #[test]
    fn a_gap_longer_than_the_index_begins_where_the_index_does() {
        let gap = Gap { from: first_at(at(0)), until: None };
        let asked = asked(&Fill::new(gap, false, at(8 * 24 * 3_600)));
        assert_eq!(asked[0].0, "start_time");
    }

    #[test]
    fn a_refused_token_begins_anew_behind_what_was_read() {
        let mut fill = Fill::new(Gap { from: 10, until: None }, false, at(0));
        let refusal = Problem::default();
        assert!(!fill.refused(&refusal, at(0)));
        assert!(fill.take(&Page {
            newest: Some(99),
            oldest: Some(90),
            next_token: Some("a".into()),
            ..Page::default()
        }));
        assert_eq!(asked(&fill)[1], ("next_token", "a".into()));
        assert!(fill.refused(&refusal, at(0)));
        assert_eq!(asked(&fill)[1], ("until_id", "90".into()));
        assert!(!fill.take(&Page::default()));
        assert_eq!(fill.newest, Some(99));
    }

    #[test]
    fn a_start_that_x_holds_for_too_old_is_given_up_once() {
        let mut fill = Fill::new(Gap { from: 10, until: None }, false, at(0));
        let refusal = Problem { parameters: vec!["since_id".into()], ..Problem::default() };
        assert!(fill.refused(&refusal, at(0)));
        assert_eq!(asked(&fill)[0].0, "start_time");
        assert!(!fill.refused(&refusal, at(0)));
    }
}
