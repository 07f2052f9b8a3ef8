//! [`BudgetLedger`]: what reading X has cost in the current day and month, and how much may still be read. A state machine
//! without clock or I/O: time is an argument.
//!
//! ```text
//! reserve(max) -- enough left --> reserved --settle(read)--> spent;  80% of a limit: nearly spent
//!        \-- not enough for a request --> BudgetExhausted until the period ends (UTC)
//! ```

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::config::Budget;
use crate::source::BudgetUsage;

const NANODOLLARS: f64 = 1e9;
/// Percent of a limit at which `BudgetNearlySpent` starts.
const WARN_PERCENT: u128 = 80;

/// What X charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BilledItem {
    Post,
    /// A post of the owner's mentions timeline.
    Mention,
}

/// What one source has spent in the current day and month. Part of its cursor, so it survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpend {
    /// The day (UTC) of `in_day`; its month is that of `in_month`.
    day: Date,
    in_day: Amount,
    in_month: Amount,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Amount {
    posts: u64,
    nanodollars: u64,
}

/// The rest of the budget does not cover a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "budget exhausted: x.budget.{limit} = {max}; reading resumes at {until}, or when the limit is raised (the rest does \
     not cover one request)"
)]
pub struct BudgetExhausted {
    /// The key of the limit, such as `dollars_per_day`.
    pub limit: &'static str,
    pub max: String,
    /// End of the period.
    pub until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Day,
    Month,
}

/// One configured limit, in posts or nanodollars.
#[derive(Debug, Clone, Copy)]
struct Limit {
    key: &'static str,
    period: Period,
    in_dollars: bool,
    max: u64,
}

/// See the module. One for all sources of an account.
#[derive(Debug)]
pub(super) struct BudgetLedger {
    config: Budget,
    spends: BTreeMap<String, SourceSpend>,
    /// Reserved by requests in flight.
    reserved: Amount,
}

impl BudgetLedger {
    pub(super) fn new(config: Budget) -> Self {
        Self { config, spends: BTreeMap::new(), reserved: Amount::default() }
    }

    /// Restores what a source had spent before a restart, unless a newer value is known.
    pub(super) fn restore_spend(&mut self, source: &str, spend: SourceSpend) {
        let known = self.spends.entry(source.to_owned()).or_insert(spend);
        // A source that restarts within the process brings an older cursor.
        if (spend.day, spend.in_month.posts) > (known.day, known.in_month.posts) {
            *known = spend;
        }
    }

    /// Spending of `source`, for its cursor.
    pub(super) fn spend_of(&mut self, source: &str, now: Timestamp) -> SourceSpend {
        self.roll_period(now);
        self.spends.get(source).copied().unwrap_or_else(|| SourceSpend::new(today(now)))
    }

    /// Reserves budget for as many posts as it covers, from `min` to `max`, until [`BudgetLedger::settle`]. Returns their
    /// number.
    ///
    /// # Errors
    /// When the budget does not cover `min` posts.
    pub(super) fn reserve(
        &mut self,
        item: BilledItem,
        max: u64,
        min: u64,
        now: Timestamp,
    ) -> Result<u64, BudgetExhausted> {
        self.roll_period(now);
        let (affordable, limit) = self.affordable_posts(item);
        if affordable < min {
            return Err(limit.map_or_else(|| self.no_limit(now), |limit| limit.exhausted(now)));
        }
        let granted = max.clamp(min, affordable.max(min));
        self.reserved = self.reserved.plus(self.cost(item, granted));
        Ok(granted)
    }

    /// Releases what [`BudgetLedger::reserve`] `granted` and charges what was read.
    pub(super) fn settle(&mut self, source: &str, item: BilledItem, granted: u64, read: u64, now: Timestamp) {
        let reserved = self.cost(item, granted);
        self.reserved.posts = self.reserved.posts.saturating_sub(reserved.posts);
        self.reserved.nanodollars = self.reserved.nanodollars.saturating_sub(reserved.nanodollars);
        self.roll_period(now);
        let cost = self.cost(item, read);
        let spend = self.spends.entry(source.to_owned()).or_insert_with(|| SourceSpend::new(today(now)));
        spend.in_day = spend.in_day.plus(cost);
        spend.in_month = spend.in_month.plus(cost);
    }

    /// Spending and limits of the current day and month.
    pub(super) fn usage(&mut self, now: Timestamp) -> Vec<BudgetUsage> {
        self.roll_period(now);
        let Budget { posts_per_day, posts_per_month, dollars_per_day, dollars_per_month, .. } = self.config;
        let of = |period, name: &str, max_posts, max_dollars| {
            let paid = self.paid_in(period);
            BudgetUsage { period: name.into(), posts: paid.posts, dollars: paid.dollars(), max_posts, max_dollars }
        };
        vec![
            of(Period::Day, "day", posts_per_day, dollars_per_day),
            of(Period::Month, "month", posts_per_month, dollars_per_month),
        ]
    }

    /// The operational alert to raise, `BudgetNearlySpent` or `BudgetSpent`, with its reason. `min`: the smallest request.
    pub(super) fn problem(&mut self, item: BilledItem, min: u64, now: Timestamp) -> Option<(&'static str, String)> {
        self.roll_period(now);
        let (affordable, tightest) = self.affordable_posts(item);
        if let Some(limit) = tightest.filter(|_| affordable < min) {
            return Some(("BudgetSpent", limit.exhausted(now).to_string()));
        }
        let nearly = |limit: &Limit| {
            u128::from(limit.used(self.paid_in(limit.period))) * 100 >= u128::from(limit.max) * WARN_PERCENT
        };
        let limit = self.limits().into_iter().find(nearly)?;
        let used = limit.format(limit.used(self.paid_in(limit.period)));
        let (key, max, until) = (limit.key, limit.format(limit.max), limit.period.end(now));
        let why = format!("{used} of x.budget.{key} = {max} is spent; at 100% reading stops until {until}");
        Some(("BudgetNearlySpent", why))
    }

    fn cost(&self, item: BilledItem, posts: u64) -> Amount {
        let price = match item {
            BilledItem::Post => self.config.price_per_post,
            BilledItem::Mention => self.config.price_per_mention,
        };
        Amount { posts, nanodollars: nanodollars(price).saturating_mul(posts) }
    }

    /// How many posts the budget covers, and the limit that decides it.
    fn affordable_posts(&self, item: BilledItem) -> (u64, Option<Limit>) {
        let price = self.cost(item, 1).nanodollars;
        let posts = |limit: &Limit| {
            let left = limit.max.saturating_sub(limit.used(self.paid_in(limit.period).plus(self.reserved)));
            // A limit in dollars does not bound free posts.
            if limit.in_dollars { left.checked_div(price).unwrap_or(u64::MAX) } else { left }
        };
        let tightest = self.limits().into_iter().map(|limit| (posts(&limit), limit)).min_by_key(|(posts, _)| *posts);
        tightest.map_or((u64::MAX, None), |(posts, limit)| (posts, Some(limit)))
    }

    fn limits(&self) -> Vec<Limit> {
        let config = &self.config;
        let posts = |key, period, max: Option<u64>| max.map(|max| Limit { key, period, in_dollars: false, max });
        let dollars = |key, period, max: Option<f64>| {
            max.map(|max| Limit { key, period, in_dollars: true, max: nanodollars(max) })
        };
        let all = [
            posts("posts_per_month", Period::Month, config.posts_per_month),
            dollars("dollars_per_month", Period::Month, config.dollars_per_month),
            posts("posts_per_day", Period::Day, config.posts_per_day),
            dollars("dollars_per_day", Period::Day, config.dollars_per_day),
        ];
        all.into_iter().flatten().collect()
    }

    fn paid_in(&self, period: Period) -> Amount {
        let of = |spend: &SourceSpend| match period {
            Period::Day => spend.in_day,
            Period::Month => spend.in_month,
        };
        self.spends.values().map(of).fold(Amount::default(), Amount::plus)
    }

    /// Starts a new day or month when `now` is in one.
    fn roll_period(&mut self, now: Timestamp) {
        let today = today(now);
        for spend in self.spends.values_mut() {
            spend.roll_period(today);
        }
    }

    fn no_limit(&self, now: Timestamp) -> BudgetExhausted {
        BudgetExhausted { limit: "posts_per_day", max: "0".into(), until: Period::Day.end(now) }
    }
}

impl SourceSpend {
    fn new(day: Date) -> Self {
        Self { day, in_day: Amount::default(), in_month: Amount::default() }
    }

    /// Amounts stay when the clock is set back: they are spent.
    fn roll_period(&mut self, today: Date) {
        if today > self.day {
            self.in_day = Amount::default();
        }
        if today.first_of_month() > self.day.first_of_month() {
            self.in_month = Amount::default();
        }
        self.day = today;
    }
}

impl Amount {
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
    fn used(&self, paid: Amount) -> u64 {
        if self.in_dollars { paid.nanodollars } else { paid.posts }
    }

    fn format(&self, amount: u64) -> String {
        if self.in_dollars { format!("{:.2}", amount as f64 / NANODOLLARS) } else { amount.to_string() }
    }

    fn exhausted(&self, now: Timestamp) -> BudgetExhausted {
        BudgetExhausted { limit: self.key, max: self.format(self.max), until: self.period.end(now) }
    }
}

impl Period {
    /// End of the period that contains `now`.
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

/// End of the day (UTC) that contains `now`.
pub(super) fn end_of_day(now: Timestamp) -> Timestamp {
    Period::Day.end(now)
}

fn today(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

fn nanodollars(dollars: f64) -> u64 {
    // Saturates: `Budget::validate` rejects larger values before.
    (dollars * NANODOLLARS).round() as u64
}

#[cfg(test)]
mod tests;
