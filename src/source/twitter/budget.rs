//! [`Ledger`]: what reading X has cost this day and month, and what may still be read. A state machine without clock or
//! I/O: time is an argument.
//!
//! ```text
//! reserve(wanted) -- enough left --> held --settle(read)--> spent;  80 % of a limit: nearly spent
//!        \-- not enough for a request --> Exhausted until the period ends (UTC)
//! ```

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::config::Budget;
use crate::source::Spent;

const NANODOLLARS: f64 = 1e9;
/// Percent of a limit from which on people are told.
const NEARLY: u128 = 80;

/// What is read and paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    Post,
    /// A post of the owner's own mentions.
    Mention,
}

/// What one source has paid in the current day and month. Part of its cursor, so that a restart forgets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Day (UTC) that `in_day` is of; `in_month` is of its month.
    day: Date,
    in_day: Paid,
    in_month: Paid,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Paid {
    posts: u64,
    nanodollars: u64,
}

/// There is not enough left for a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the budget x.budget.{limit} = {most} is spent; reading goes on at {until}, or once that is raised (what is left does \
     not pay for one request)"
)]
pub struct Exhausted {
    /// The key of the limit, such as `dollars_per_day`.
    pub limit: &'static str,
    pub most: String,
    /// When its period ends.
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Month,
}

/// One limit that is set, in posts or nanodollars.
#[derive(Debug, Clone, Copy)]
struct Limit {
    key: &'static str,
    period: Period,
    in_dollars: bool,
    most: u64,
}

/// See the module. One for all sources of an account.
#[derive(Debug)]
pub(super) struct Ledger {
    config: Budget,
    shares: BTreeMap<String, Share>,
    /// Reserved by requests under way.
    held: Paid,
}

impl Ledger {
    pub(super) fn new(config: Budget) -> Self {
        Self { config, shares: BTreeMap::new(), held: Paid::default() }
    }

    /// Takes up what a source had paid before a restart, unless it is known better.
    pub(super) fn restore(&mut self, source: &str, share: Share) {
        let known = self.shares.entry(source.to_owned()).or_insert(share);
        if (share.day, share.in_month.posts) > (known.day, known.in_month.posts) {
            *known = share;
        }
    }

    /// What `source` has paid, for its cursor.
    pub(super) fn share(&mut self, source: &str, now: Timestamp) -> Share {
        self.turn(now);
        self.shares.get(source).copied().unwrap_or_else(|| Share::new(today(now)))
    }

    /// How many posts of `wanted` may be read at once: those, or fewer, but no fewer than `least`. They are held until
    /// [`Ledger::settle`].
    ///
    /// # Errors
    /// When the budget does not pay for `least`.
    pub(super) fn reserve(&mut self, item: Item, wanted: u64, least: u64, now: Timestamp) -> Result<u64, Exhausted> {
        self.turn(now);
        let (affordable, by) = self.affordable(item);
        if affordable < least {
            return Err(by.map_or_else(|| self.free(now), |limit| limit.exhausted(now)));
        }
        let granted = wanted.clamp(least, affordable.max(least));
        self.held = self.held.plus(self.cost(item, granted));
        Ok(granted)
    }

    /// Gives back what [`Ledger::reserve`] `granted`, and books what was read.
    pub(super) fn settle(&mut self, source: &str, item: Item, granted: u64, read: u64, now: Timestamp) {
        let held = self.cost(item, granted);
        self.held.posts = self.held.posts.saturating_sub(held.posts);
        self.held.nanodollars = self.held.nanodollars.saturating_sub(held.nanodollars);
        self.turn(now);
        let cost = self.cost(item, read);
        let share = self.shares.entry(source.to_owned()).or_insert_with(|| Share::new(today(now)));
        share.in_day = share.in_day.plus(cost);
        share.in_month = share.in_month.plus(cost);
    }

    /// Spent and allowed in the day and in the month.
    pub(super) fn spent(&mut self, now: Timestamp) -> Vec<Spent> {
        self.turn(now);
        let Budget { posts_per_day, posts_per_month, dollars_per_day, dollars_per_month, .. } = self.config;
        let of = |period, name: &str, most_posts, most_dollars| {
            let paid = self.paid(period);
            Spent { period: name.into(), posts: paid.posts, dollars: paid.dollars(), most_posts, most_dollars }
        };
        vec![
            of(Period::Day, "day", posts_per_day, dollars_per_day),
            of(Period::Month, "month", posts_per_month, dollars_per_month),
        ]
    }

    /// What people are to be told: `BudgetNearlySpent` or `BudgetSpent`, and why. `least`: the smallest request.
    pub(super) fn problem(&mut self, item: Item, least: u64, now: Timestamp) -> Option<(&'static str, String)> {
        self.turn(now);
        let (affordable, by) = self.affordable(item);
        if let Some(limit) = by.filter(|_| affordable < least) {
            return Some(("BudgetSpent", limit.exhausted(now).to_string()));
        }
        let nearly =
            |limit: &Limit| u128::from(limit.used(self.paid(limit.period))) * 100 >= u128::from(limit.most) * NEARLY;
        let limit = self.limits().into_iter().find(nearly)?;
        let used = limit.shown(limit.used(self.paid(limit.period)));
        let (key, most, until) = (limit.key, limit.shown(limit.most), limit.period.end(now));
        let why = format!("{used} of x.budget.{key} = {most} is spent; at 100 % reading stops until {until}");
        Some(("BudgetNearlySpent", why))
    }

    fn cost(&self, item: Item, posts: u64) -> Paid {
        let price = match item {
            Item::Post => self.config.price_per_post,
            Item::Mention => self.config.price_per_mention,
        };
        Paid { posts, nanodollars: nanodollars(price).saturating_mul(posts) }
    }

    /// How many posts can be paid for, and the limit that says so.
    fn affordable(&self, item: Item) -> (u64, Option<Limit>) {
        let price = self.cost(item, 1).nanodollars;
        let posts = |limit: &Limit| {
            let left = limit.most.saturating_sub(limit.used(self.paid(limit.period).plus(self.held)));
            // Free posts are bounded by no sum of money.
            if limit.in_dollars { left.checked_div(price).unwrap_or(u64::MAX) } else { left }
        };
        let tightest = self.limits().into_iter().map(|limit| (posts(&limit), limit)).min_by_key(|(posts, _)| *posts);
        tightest.map_or((u64::MAX, None), |(posts, limit)| (posts, Some(limit)))
    }

    fn limits(&self) -> Vec<Limit> {
        let config = &self.config;
        let posts = |key, period, most: Option<u64>| most.map(|most| Limit { key, period, in_dollars: false, most });
        let dollars = |key, period, most: Option<f64>| {
            most.map(|most| Limit { key, period, in_dollars: true, most: nanodollars(most) })
        };
        let all = [
            posts("posts_per_month", Period::Month, config.posts_per_month),
            dollars("dollars_per_month", Period::Month, config.dollars_per_month),
            posts("posts_per_day", Period::Day, config.posts_per_day),
            dollars("dollars_per_day", Period::Day, config.dollars_per_day),
        ];
        all.into_iter().flatten().collect()
    }

    fn paid(&self, period: Period) -> Paid {
        let of = |share: &Share| match period {
            Period::Day => share.in_day,
            Period::Month => share.in_month,
        };
        self.shares.values().map(of).fold(Paid::default(), Paid::plus)
    }

    /// Begins a new day or month where there is one.
    fn turn(&mut self, now: Timestamp) {
        let today = today(now);
        for share in self.shares.values_mut() {
            share.turn(today);
        }
    }

    fn free(&self, now: Timestamp) -> Exhausted {
        Exhausted { limit: "posts_per_day", most: "0".into(), until: Period::Day.end(now) }
    }
}

impl Share {
    fn new(day: Date) -> Self {
        Self { day, in_day: Paid::default(), in_month: Paid::default() }
    }

    /// A clock that is set back takes the amounts along: what is paid is paid.
    fn turn(&mut self, today: Date) {
        if today > self.day {
            self.in_day = Paid::default();
        }
        if today.first_of_month() > self.day.first_of_month() {
            self.in_month = Paid::default();
        }
        self.day = today;
    }
}

impl Paid {
    fn plus(self, other: Self) -> Self {
        Self {
            posts: self.posts.saturating_add(other.posts),
            nanodollars: self.nanodollars.saturating_add(other.nanodollars),
        }
    }

    fn dollars(self) -> f64 {
        self.nanodollars as f64 / NANODOLLARS
    }
}

impl Limit {
    fn used(&self, paid: Paid) -> u64 {
        if self.in_dollars { paid.nanodollars } else { paid.posts }
    }

    fn shown(&self, amount: u64) -> String {
        if self.in_dollars { format!("{:.2}", amount as f64 / NANODOLLARS) } else { amount.to_string() }
    }

    fn exhausted(&self, now: Timestamp) -> Exhausted {
        Exhausted { limit: self.key, most: self.shown(self.most), until: self.period.end(now) }
    }
}

impl Period {
    /// When the period that `now` is in ends.
    fn end(self, now: Timestamp) -> Timestamp {
        let today = today(now);
        let next = match self {
            Self::Day => today.checked_add(1.day()),
            Self::Month => today.first_of_month().checked_add(1.month()),
        };
        let start = |day: Date| Offset::UTC.to_timestamp(day.to_datetime(Time::midnight()));
        next.and_then(start).unwrap_or(Timestamp::MAX)
    }
}

/// When the day of `now` ends (UTC).
pub(super) fn end_of_day(now: Timestamp) -> Timestamp {
    Period::Day.end(now)
}

fn today(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

fn nanodollars(dollars: f64) -> u64 {
    // Saturates; a fault of the configuration is found before.
    (dollars * NANODOLLARS).round() as u64
}

#[cfg(test)]
mod tests;
