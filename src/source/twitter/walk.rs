//! [`PageWalk`]: reads the pages of a window, newest posts first. A state machine without I/O: it says which page to request,
//! records the response, and ends within a bounded number of pages whatever X returns.

use std::collections::HashSet;

use jiff::Timestamp;

use super::page::ResponsePage;
use super::position::{Gap, Since};
use super::snowflake;

/// Pages of one walk; the next walk reads the rest.
const MAX_PAGES: usize = 100;
/// Consecutive pages without an older post.
const MAX_IDLE_PAGES: usize = 10;

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WalkStep {
    /// Request the next page.
    Next,
    /// The window is read completely.
    Done,
    /// Start a new walk for the rest, before the oldest post so far.
    Cut,
}

/// See the module.
#[derive(Debug)]
pub(super) struct PageWalk {
    since: Since,
    /// Only posts before this one.
    until: Option<u64>,
    /// `until` as a time.
    end: Option<Timestamp>,
    token: Option<String>,
    tokens: HashSet<String>,
    /// The newest post of the first page.
    pub newest: Option<u64>,
    oldest: Option<u64>,
    pages: usize,
    idle: usize,
}

impl PageWalk {
    pub(super) fn new(since: Since, until: Option<u64>) -> Self {
        let (token, newest, tokens) = (None, None, HashSet::new());
        Self { since, until, end: None, token, tokens, newest, oldest: until, pages: 0, idle: 0 }
    }

    /// A walk through posts written before `end`, a whole second.
    pub(super) fn until(since: Since, end: Timestamp) -> Self {
        Self { end: Some(end), ..Self::new(since, Some(snowflake::first_at(end))) }
    }

    /// The parameters of the window, the same for all pages. X rejects IDs combined with times.
    pub(super) fn window(&self) -> Vec<(&'static str, String)> {
        let mut window = Vec::new();
        if let (Since::Time(at), Some(end)) = (self.since, self.end) {
            return vec![("start_time", format!("{at:.0}")), ("end_time", format!("{end:.0}"))];
        }
        match (self.since, self.until) {
            (Since::Id(id), _) => window.push(("since_id", id.to_string())),
            (Since::Time(at), None) => window.push(("start_time", format!("{at:.0}"))),
            (Since::Time(at), Some(until)) => {
                let since = snowflake::first_at(at).saturating_sub(1);
                window.extend((since < until).then(|| ("since_id", since.to_string())));
            }
        }
        window.extend(self.until.map(|until| ("until_id", until.to_string())));
        window
    }

    /// The token of the next page.
    pub(super) fn page_token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Records a page and says what to do next.
    pub(super) fn record_page(&mut self, page: &ResponsePage) -> WalkStep {
        if self.pages == 0 {
            self.newest = page.newest;
        }
        self.pages += 1;
        let older = page.oldest.is_some_and(|oldest| self.oldest.is_none_or(|so_far| oldest < so_far));
        self.idle = if older { 0 } else { self.idle + 1 };
        if older {
            self.oldest = page.oldest;
        }
        self.token.clone_from(&page.next_token);
        let Some(token) = &page.next_token else { return WalkStep::Done };
        let repeated = !self.tokens.insert(token.clone());
        if !repeated && self.idle < MAX_IDLE_PAGES && self.pages < MAX_PAGES {
            return WalkStep::Next;
        }
        // A walk without progress would repeat itself.
        if self.oldest == self.until { WalkStep::Done } else { WalkStep::Cut }
    }

    /// What remains to be read after the pages so far.
    pub(super) fn remaining(&self) -> Option<Gap> {
        self.oldest.and_then(|until| Gap::new(self.since, until))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(oldest: Option<u64>, newest: Option<u64>, token: Option<&str>) -> ResponsePage {
        ResponsePage { oldest, newest, next_token: token.map(str::to_owned), ..ResponsePage::default() }
    }

    #[test]
    fn the_window_is_the_same_for_all_pages() {
        let mut walk = PageWalk::new(Since::Id(10), None);
        assert_eq!(walk.record_page(&page(Some(90), Some(100), Some("a"))), WalkStep::Next);
        assert_eq!((walk.window(), walk.page_token()), (vec![("since_id", "10".to_owned())], Some("a")));
        assert_eq!(walk.remaining(), Some(Gap { since: Since::Id(10), until: 90 }));
        assert_eq!(walk.record_page(&page(Some(80), Some(89), Some("b"))), WalkStep::Next);
        assert_eq!(walk.newest, Some(100), "of the first page");
        assert_eq!(walk.record_page(&page(None, None, Some("c"))), WalkStep::Next, "an empty page may have a next one");
        assert_eq!(walk.record_page(&page(Some(70), Some(79), None)), WalkStep::Done);
    }

    #[test]
    fn ids_and_times_are_never_combined() {
        let at = "2026-11-02T08:30:00.500Z".parse().unwrap();
        assert_eq!(PageWalk::new(Since::Time(at), None).window(), [("start_time", "2026-11-02T08:30:00Z".to_owned())]);
        let since = snowflake::first_at(at) - 1;
        let window = PageWalk::new(Since::Time(at), Some(since + 50)).window();
        assert_eq!(window, [("since_id", since.to_string()), ("until_id", (since + 50).to_string())]);
        let end = "2026-11-02T09:00:00Z".parse().unwrap();
        let window = PageWalk::until(Since::Time(at), end).window();
        let expected = [("start_time", "2026-11-02T08:30:00Z"), ("end_time", "2026-11-02T09:00:00Z")];
        assert_eq!(window, expected.map(|(name, value)| (name, value.to_owned())));
        let until = snowflake::first_at(end).to_string();
        assert_eq!(PageWalk::until(Since::Id(7), end).window(), [("since_id", "7".to_owned()), ("until_id", until)]);
        assert_eq!(PageWalk::new(Since::Time(at), Some(1_000)).window(), [("until_id", "1000".to_owned())]);
    }

    #[test]
    fn a_repeated_token_ends_the_walk() {
        let mut walk = PageWalk::new(Since::Id(10), None);
        assert_eq!(walk.record_page(&page(Some(90), Some(100), Some("a"))), WalkStep::Next);
        assert_eq!(walk.record_page(&page(Some(90), Some(100), Some("a"))), WalkStep::Cut);
        let mut again = PageWalk::new(Since::Id(10), Some(90));
        assert_eq!(again.record_page(&page(None, None, Some("a"))), WalkStep::Next);
        assert_eq!(again.record_page(&page(None, None, Some("a"))), WalkStep::Done, "nothing is left");
    }

    proptest! {
        /// Whatever X returns, all walks end, and each new walk starts farther back.
        #[test]
        fn every_walk_ends(seed in proptest::collection::vec((proptest::option::of(0_u64..50), 0_u8..6), 1..20)) {
            let mut until = None;
            for _ in 0..60 {
                let mut walk = PageWalk::new(Since::Id(0), until);
                let mut answers = seed.iter().cycle();
                let mut step = WalkStep::Next;
                for _ in 0..=MAX_PAGES {
                    let (oldest, token) = answers.next().unwrap();
                    step = walk.record_page(&page(*oldest, *oldest, Some(&token.to_string())));
                    if step != WalkStep::Next { break; }
                }
                prop_assert_ne!(step, WalkStep::Next);
                let Some(rest) = walk.remaining().filter(|_| step == WalkStep::Cut) else { return Ok(()) };
                prop_assert!(until.is_none_or(|until| rest.until < until));
                until = Some(rest.until);
            }
            prop_assert!(false, "the walks do not end");
        }
    }
}
