//! [`Walk`]: one run through the pages of a window, newest posts first. A state machine without I/O: it says what to ask
//! for, takes what came, and ends within a bounded number of pages whatever X answers.

use std::collections::HashSet;

use jiff::Timestamp;

use super::cursor::{Gap, Since};
use super::page::Page;
use super::snowflake;

/// Pages of one walk. What is behind them is walked through next.
const MOST_PAGES: usize = 100;
/// Pages in a row that bring no older post.
const MOST_IDLE: usize = 10;

/// What follows on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Another page.
    Next,
    /// All of the window was given.
    Done,
    /// The rest is to be asked for anew, behind the oldest post so far.
    Cut,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Walk {
    since: Since,
    /// Only posts before this one.
    until: Option<u64>,
    /// The same as a time.
    end: Option<Timestamp>,
    token: Option<String>,
    tokens: HashSet<String>,
    /// The newest post of the first page.
    pub newest: Option<u64>,
    oldest: Option<u64>,
    pages: usize,
    idle: usize,
}

impl Walk {
    pub(super) fn new(since: Since, until: Option<u64>) -> Self {
        let (token, newest, tokens) = (None, None, HashSet::new());
        Self { since, until, end: None, token, tokens, newest, oldest: until, pages: 0, idle: 0 }
    }

    /// A walk through what was written before `end`, a whole second.
    pub(super) fn to(since: Since, end: Timestamp) -> Self {
        Self { end: Some(end), ..Self::new(since, Some(snowflake::first_at(end))) }
    }

    /// Which posts to ask for. The window is the same for all pages; X refuses identifiers beside times.
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
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(super) fn take(&mut self, page: &Page) -> Step {
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
        let Some(token) = &page.next_token else { return Step::Done };
        let repeated = !self.tokens.insert(token.clone());
        if !repeated && self.idle < MOST_IDLE && self.pages < MOST_PAGES {
            return Step::Next;
        }
        // A walk that got no farther than where it began would do so again.
        if self.oldest == self.until { Step::Done } else { Step::Cut }
    }

    /// What is still to be read after the pages so far.
    pub(super) fn rest(&self) -> Option<Gap> {
        self.oldest.and_then(|until| Gap::new(self.since, until))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(oldest: Option<u64>, newest: Option<u64>, token: Option<&str>) -> Page {
        Page { oldest, newest, next_token: token.map(str::to_owned), ..Page::default() }
    }

    #[test]
    fn the_window_stays_while_tokens_are_followed() {
        let mut walk = Walk::new(Since::Id(10), None);
        assert_eq!(walk.take(&page(Some(90), Some(100), Some("a"))), Step::Next);
        assert_eq!((walk.window(), walk.token()), (vec![("since_id", "10".to_owned())], Some("a")));
        assert_eq!(walk.rest(), Some(Gap { since: Since::Id(10), until: 90 }));
        assert_eq!(walk.take(&page(Some(80), Some(89), Some("b"))), Step::Next);
        assert_eq!(walk.newest, Some(100), "of the first page");
        assert_eq!(walk.take(&page(None, None, Some("c"))), Step::Next, "an empty page may have a next one");
        assert_eq!(walk.take(&page(Some(70), Some(79), None)), Step::Done);
    }

    #[test]
    fn identifiers_and_times_are_never_asked_for_together() {
        let at = "2026-11-02T08:30:00.500Z".parse().unwrap();
        assert_eq!(Walk::new(Since::Time(at), None).window(), [("start_time", "2026-11-02T08:30:00Z".to_owned())]);
        let since = snowflake::first_at(at) - 1;
        let window = Walk::new(Since::Time(at), Some(since + 50)).window();
        assert_eq!(window, [("since_id", since.to_string()), ("until_id", (since + 50).to_string())]);
        let end = "2026-11-02T09:00:00Z".parse().unwrap();
        let window = Walk::to(Since::Time(at), end).window();
        let wanted = [("start_time", "2026-11-02T08:30:00Z"), ("end_time", "2026-11-02T09:00:00Z")];
        assert_eq!(window, wanted.map(|(name, value)| (name, value.to_owned())));
        let until = snowflake::first_at(end).to_string();
        assert_eq!(Walk::to(Since::Id(7), end).window(), [("since_id", "7".to_owned()), ("until_id", until)]);
        assert_eq!(Walk::new(Since::Time(at), Some(1_000)).window(), [("until_id", "1000".to_owned())]);
    }

    #[test]
    fn a_token_that_comes_again_ends_the_walk() {
        let mut walk = Walk::new(Since::Id(10), None);
        assert_eq!(walk.take(&page(Some(90), Some(100), Some("a"))), Step::Next);
        assert_eq!(walk.take(&page(Some(90), Some(100), Some("a"))), Step::Cut);
        let mut again = Walk::new(Since::Id(10), Some(90));
        assert_eq!(again.take(&page(None, None, Some("a"))), Step::Next);
        assert_eq!(again.take(&page(None, None, Some("a"))), Step::Done, "there is nothing behind");
    }

    proptest! {
        /// Whatever X answers: walk upon walk, all ends, and each new walk begins farther back.
        #[test]
        fn every_walk_ends(seed in proptest::collection::vec((proptest::option::of(0_u64..50), 0_u8..6), 1..20)) {
            let mut until = None;
            for _ in 0..60 {
                let mut walk = Walk::new(Since::Id(0), until);
                let mut answers = seed.iter().cycle();
                let mut step = Step::Next;
                for _ in 0..=MOST_PAGES {
                    let (oldest, token) = answers.next().unwrap();
                    step = walk.take(&page(*oldest, *oldest, Some(&token.to_string())));
                    if step != Step::Next { break; }
                }
                prop_assert_ne!(step, Step::Next);
                let Some(rest) = walk.rest().filter(|_| step == Step::Cut) else { return Ok(()) };
                prop_assert!(until.is_none_or(|until| rest.until < until));
                until = Some(rest.until);
            }
            prop_assert!(false, "it goes on for ever");
        }
    }
}
