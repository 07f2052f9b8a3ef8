//! [`TermTally`]: who used which terms in some posts, and which of them stand out against other posts. Each author has one vote,
//! shared by that author's posts: nobody makes a word stand out by writing it often, nor by writing often.

use std::collections::{BTreeMap, HashMap};

use crate::window::rise;

/// People who must have used a term.
const MIN_USERS: u32 = 3;

/// A term that stands out.
#[derive(Debug, Clone, PartialEq)]
pub struct DistinctiveTerm {
    pub term: String,
    /// People who used it.
    pub people: u64,
    /// How many would have, were it as frequent as in the other posts.
    pub usual: f64,
}

/// The terms of some posts.
#[derive(Debug, Default)]
pub(super) struct TermTally {
    /// The terms of each post, by a hash of its author. Sorted, so that sums do not depend on chance.
    posts: BTreeMap<u64, Vec<Vec<String>>>,
}

/// How often a term was used.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    people: u32,
    /// The votes of these people, as far as they gave them to posts with the term.
    votes: f64,
}

impl TermTally {
    /// Adds a post; a term in it counts once.
    pub(super) fn add(&mut self, author: &str, mut terms: Vec<String>) {
        terms.sort_unstable();
        terms.dedup();
        self.posts.entry(twox_hash::XxHash64::oneshot(0, author.as_bytes())).or_default().push(terms);
    }

    pub(super) fn people(&self) -> usize {
        self.posts.len()
    }

    fn uses(&self) -> HashMap<&str, Use> {
        let mut uses: HashMap<&str, Use> = HashMap::new();
        for posts in self.posts.values() {
            let mut with: BTreeMap<&str, u32> = BTreeMap::new();
            posts.iter().flatten().for_each(|term| *with.entry(term).or_default() += 1);
            for (term, count) in with {
                let known = uses.entry(term).or_default();
                known.people += 1;
                known.votes += f64::from(count) / posts.len() as f64;
            }
        }
        uses
    }

    /// The terms that are more frequent here than in `others`, beyond chance: the most distinctive first, `limit` at most.
    pub(super) fn distinctive(&self, others: &Self, limit: usize) -> Vec<DistinctiveTerm> {
        let (here, there) = (self.uses(), others.uses());
        let (n, n0) = (self.people() as f64, others.people() as f64);
        let mut found: Vec<(f64, DistinctiveTerm)> = Vec::new();
        for (term, used) in here.into_iter().filter(|(_, used)| used.people >= MIN_USERS) {
            let votes = there.get(term).map_or(0.0, |used| used.votes);
            let Some(score) = rise((used.votes, n), (votes, n0)) else { continue };
            // What is shown are people, not votes: as many fewer as the share is smaller.
            let usual = f64::from(used.people) * (votes / n0) / (used.votes / n);
            found.push((score, DistinctiveTerm { term: term.to_owned(), people: used.people.into(), usual }));
        }
        found.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.term.cmp(&y.term)));
        found.into_iter().take(limit).map(|(_, term)| term).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(posts: impl IntoIterator<Item = (u32, &'static str)>) -> TermTally {
        let mut tally = TermTally::default();
        for (author, text) in posts {
            tally.add(&author.to_string(), text.split(' ').map(str::to_owned).collect());
        }
        tally
    }

    #[test]
    fn what_many_people_say_and_did_not_say_before_stands_out() {
        let before = tally((0..100).map(|author| (author, if author < 10 { "flight bag" } else { "flight" })));
        let now = tally((0..40).map(|author| (author, if author < 20 { "flight bag" } else { "flight" })));
        let found = now.distinctive(&before, 5);
        assert_eq!(found, [DistinctiveTerm { term: "bag".into(), people: 20, usual: 4.0 }]);
        assert_eq!(before.distinctive(&now, 5), []);
    }

    #[test]
    fn one_author_cannot_make_a_word_stand_out() {
        let before = tally((0..100).map(|author| (author, "flight")));
        let loud = (0..50).map(|_| (7, "flight scam"));
        let now = tally((0..40).map(|author| (author, "flight")).chain(loud));
        assert_eq!(now.distinctive(&before, 5), []);
        let crowd = tally((0..40).map(|author| (author, if author < 20 { "flight scam" } else { "flight" })));
        assert_eq!(crowd.distinctive(&before, 5)[0].term, "scam");
    }

    #[test]
    fn who_writes_more_on_one_side_does_not_tip_the_scales() {
        // The same share of posts: one in five. Here each author wrote five posts, there one.
        let text = |post: u32| if post.is_multiple_of(5) { "late flight" } else { "flight" };
        let here = tally((0..200).map(|post| (post / 5, text(post))));
        let there = tally((0..200).map(|post| (post, text(post))));
        assert_eq!((here.people(), there.people()), (40, 200));
        assert_eq!((here.distinctive(&there, 5), there.distinctive(&here, 5)), (Vec::new(), Vec::new()));
    }
}
