//! [`RenderedPages`]: pages as they were written for one state of the daemon, for the others who look at the same: a hundred open
//! overviews ask for it together whenever something changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::visitor::Visitor;

/// Pages kept.
const MAX_PAGES: usize = 64;

/// What a page depends on besides the state of the daemon.
type PageKey = (bool, String, Option<String>, Option<String>);

#[derive(Debug, Default)]
struct Kept {
    /// The time of the state that they show.
    at: Timestamp,
    pages: HashMap<PageKey, Arc<str>>,
}

/// Clones share the pages.
#[derive(Debug, Clone, Default)]
pub(super) struct RenderedPages(Arc<Mutex<Kept>>);

impl RenderedPages {
    /// The page of `visitor` for the state at `now`, if somebody has asked for it.
    pub(super) fn get(&self, visitor: &Visitor, now: Timestamp) -> Option<Arc<str>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.at == now).then(|| kept.pages.get(&key(visitor)).cloned()).flatten()
    }

    /// Keeps a page; those of another state are dropped.
    pub(super) fn put(&self, visitor: &Visitor, now: Timestamp, page: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.at != now {
            *kept = Kept { at: now, pages: HashMap::new() };
        }
        if kept.pages.len() < MAX_PAGES {
            kept.pages.insert(key(visitor), page.into());
        }
    }
}

fn key(visitor: &Visitor) -> PageKey {
    (visitor.is_french(), visitor.address(), visitor.signer(None), visitor.user.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_page_is_kept_for_its_state_and_its_reader() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (english, french) = (Visitor::speaking(Language::English), Visitor::speaking(Language::French));
        let pages = RenderedPages::default();
        pages.put(&english, at(1), "one");
        assert_eq!(pages.get(&english, at(1)).as_deref(), Some("one"));
        assert_eq!((pages.get(&french, at(1)), pages.get(&english, at(2))), (None, None));
        pages.put(&french, at(2), "deux");
        assert_eq!(pages.get(&english, at(2)), None);
        assert_eq!(pages.get(&french, at(2)).as_deref(), Some("deux"));
    }
}
