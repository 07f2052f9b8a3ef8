//! [`Team`]: threads that run the same function on one batch, each a part of every step, and wait for each other between
//! steps. A barrier that spins takes a fraction of a microsecond; a step of a short text takes ten.

use std::hint::spin_loop;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Spins before a waiting thread yields its core, for the case that another program holds the core of a member.
const SPINS: u32 = 10_000;

/// What the members of one call share.
#[derive(Debug)]
pub(crate) struct Team {
    size: usize,
    arrived: AtomicUsize,
    /// Barriers passed.
    passed: AtomicUsize,
    /// A member panicked: the others must not wait for it.
    broken: AtomicBool,
}

/// One thread of a team.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    team: &'a Team,
    rank: usize,
}

impl Team {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size: size.max(1),
            arrived: AtomicUsize::new(0),
            passed: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// The member with this rank, which is less than the size. Each rank is used once.
    pub(crate) fn member(&self, rank: usize) -> Member<'_> {
        debug_assert!(rank < self.size);
        Member { team: self, rank }
    }
}

impl Member<'_> {
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    pub(crate) fn is_first(&self) -> bool {
        self.rank == 0
    }

    /// This member's part of `count` equal pieces of work.
    pub(crate) fn part(&self, count: usize) -> Range<usize> {
        let bound = |rank: usize| rank * count / self.team.size;
        bound(self.rank)..bound(self.rank + 1)
    }

    /// Waits until every member is here. What each wrote before is visible to all after.
    ///
    /// # Panics
    /// When another member panicked.
    pub(crate) fn barrier(&self) {
        let team = self.team;
        if team.size == 1 {
            return;
        }
        let passed = team.passed.load(Ordering::Acquire);
        if team.arrived.fetch_add(1, Ordering::AcqRel) + 1 == team.size {
            team.arrived.store(0, Ordering::Relaxed);
            team.passed.store(passed.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut spins = 0;
        while team.passed.load(Ordering::Acquire) == passed {
            assert!(!team.broken.load(Ordering::Relaxed), "another thread of the encoder panicked");
            if spins < SPINS {
                spins += 1;
                spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.team.broken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_work_once() {
        for size in 1..6 {
            let team = Team::new(size);
            for count in 0..20 {
                let parts: Vec<usize> = (0..size).flat_map(|rank| team.member(rank).part(count)).collect();
                assert_eq!(parts, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_was_written_before_a_barrier_is_read_after_it() {
        let (team, cells) = (Team::new(3), [const { AtomicUsize::new(0) }; 3]);
        std::thread::scope(|scope| {
            for rank in 0..3 {
                let (team, cells) = (&team, &cells);
                scope.spawn(move || {
                    let member = team.member(rank);
                    for round in 1..200 {
                        cells[rank].store(round, Ordering::Relaxed);
                        member.barrier();
                        assert!(cells.iter().all(|cell| cell.load(Ordering::Relaxed) == round));
                        member.barrier();
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_of_one_member_reaches_the_others() {
        let team = Team::new(2);
        let failed = std::thread::scope(|scope| {
            let other = scope.spawn(|| team.member(0).barrier());
            let first = scope.spawn(|| {
                let _member = team.member(1);
                assert!(team.size == 1, "on purpose");
            });
            first.join().is_err() && other.join().is_err()
        });
        assert!(failed);
    }
}
