//! [`TimeSpan`]: from when to when a dump was written, by what most of its posts say. One row with a wrong clock must not
//! stretch a week to decades.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;

const DAY: i64 = 86_400;
/// With fewer posts, a lone one is not taken for an outlier.
const MIN_POSTS: u64 = 20;
/// A post in so many may be an outlier; at least one post may.
const POSTS_PER_OUTLIER: u64 = 200;
/// Outliers are separated from all other posts by more days than this, and by more than those posts span.
const MIN_GAP_DAYS: i64 = 7;

/// Posts per day, for the days that have any: its size does not follow the number of posts.
#[derive(Debug, Clone, Default)]
pub struct TimeSpan {
    days: BTreeMap<i64, Day>,
    posts: u64,
}

#[derive(Debug, Clone, Copy)]
struct Day {
    posts: u64,
    /// Of its first post in the dump.
    line: u64,
    first: Timestamp,
    last: Timestamp,
}

/// The plausible times, and the posts outside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlausibleTimes {
    pub range: RangeInclusive<Timestamp>,
    pub outliers: u64,
    /// Line and time of an outlier, the first of its day.
    pub example: Option<(u64, Timestamp)>,
}

impl PlausibleTimes {
    /// Whether a post of this time belongs to the dump; one without a time does.
    pub fn contains(&self, time: Option<Timestamp>) -> bool {
        time.is_none_or(|time| self.range.contains(&time))
    }

    /// The outliers in words, if there are any. `outcome` says what happened to them.
    pub fn remark(&self, outcome: &str) -> Option<String> {
        let (line, time) = self.example?;
        let (posts, first) = match self.outliers {
            1 => ("1 post is".to_owned(), ""),
            posts => (format!("{posts} posts are"), "the first "),
        };
        let (from, to) = (day(*self.range.start()), day(*self.range.end()));
        Some(format!(
            "{posts} dated far outside the rest of the dump ({from} to {to}), {first}at line {line}: {time}; {outcome}"
        ))
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

impl TimeSpan {
    /// Adds a post at a line of the dump.
    pub fn add(&mut self, time: Timestamp, line: u64) {
        self.posts += 1;
        let day = self.days.entry(time.as_second().div_euclid(DAY));
        let day = day.or_insert(Day { posts: 0, line, first: time, last: time });
        (day.posts, day.first, day.last) = (day.posts + 1, day.first.min(time), day.last.max(time));
    }

    /// The times between which the dump was written; none of an empty dump. `keep_outliers`: those of all posts.
    pub fn plausible(&self, keep_outliers: bool) -> Option<PlausibleTimes> {
        let mut days: Vec<(i64, Day)> = self.days.iter().map(|(day, posts)| (*day, *posts)).collect();
        let mut allowed =
            if self.posts < MIN_POSTS || keep_outliers { 0 } else { (self.posts / POSTS_PER_OUTLIER).max(1) };
        let (mut outliers, mut example) = (0, None);
        // From both ends: the few posts beyond the widest gap that all others leave.
        for from_end in [true, false] {
            let cut = outer_group(&days, from_end, allowed);
            let group = if from_end { days.split_off(days.len() - cut) } else { days.drain(..cut).collect() };
            let posts: u64 = group.iter().map(|(_, day)| day.posts).sum();
            outliers += posts;
            let first = group.iter().map(|(_, day)| (day.line, day.first)).min();
            example = [example, first].into_iter().flatten().min();
            allowed -= posts;
        }
        let (first, last) = (days.first()?.1.first, days.last()?.1.last);
        Some(PlausibleTimes { range: first..=last, outliers, example })
    }
}

/// How many days at one end hold outliers.
fn outer_group(days: &[(i64, Day)], from_end: bool, allowed: u64) -> usize {
    let at = |place: usize| if from_end { days.len() - 1 - place } else { place };
    let (mut posts, mut cut) = (0, 0);
    for place in 0..days.len().saturating_sub(1) {
        posts += days[at(place)].1.posts;
        if posts > allowed {
            break;
        }
        let (outer, inner) = (days[at(place)].0, days[at(place + 1)].0);
        let far_end = days[at(days.len() - 1)].0;
        if (outer - inner).abs() > MIN_GAP_DAYS.max((inner - far_end).abs()) {
            cut = place + 1;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * DAY + 3_600).unwrap()
    }

    fn plausible(days: impl IntoIterator<Item = i64>) -> (i64, i64, u64) {
        let mut span = TimeSpan::default();
        (2..).zip(days).for_each(|(line, day)| span.add(at(day), line));
        let PlausibleTimes { range, outliers, .. } = span.plausible(false).unwrap();
        (range.start().as_second() / DAY, range.end().as_second() / DAY, outliers)
    }

    fn week() -> impl Iterator<Item = i64> {
        (0..700).map(|post| 20_000 + post / 100)
    }

    #[test]
    fn a_lone_post_decades_away_does_not_stretch_the_dump() {
        assert_eq!(plausible(week()), (20_000, 20_006, 0));
        assert_eq!(plausible(week().chain([47_000])), (20_000, 20_006, 1));
        assert_eq!(plausible(week().chain([7_300])), (20_000, 20_006, 1));
        assert_eq!(plausible(week().chain([7_300, 40_000, 47_000])), (20_000, 20_006, 3));
    }

    #[test]
    fn an_outlier_is_named_by_its_line_and_date() {
        let mut span = TimeSpan::default();
        (2..).zip(week().chain([47_000, 7_300])).for_each(|(line, day)| span.add(at(day), line));
        let times = span.plausible(false).unwrap();
        assert_eq!(
            times.remark("they are left out").unwrap(),
            "2 posts are dated far outside the rest of the dump (2024-10-04 to 2024-10-10), the first at line 702: \
             2098-09-06T01:00:00Z; they are left out"
        );
        assert!(times.contains(None) && times.contains(Some(at(20_003))) && !times.contains(Some(at(47_000))));
        let all = span.plausible(true).unwrap();
        assert_eq!((all.outliers, all.remark(""), all.contains(Some(at(47_000)))), (0, None, true));
    }

    #[test]
    fn posts_that_are_no_exception_stay() {
        // Sparse, few, close, or many.
        assert_eq!(plausible((0..60).map(|month| 10_000 + 30 * month)), (10_000, 11_770, 0));
        assert_eq!(plausible([1, 2, 400]), (1, 400, 0));
        assert_eq!(plausible(week().chain([20_012])), (20_000, 20_012, 0));
        assert_eq!(plausible(week().chain([40_000; 50])), (20_000, 40_000, 0));
    }
}
