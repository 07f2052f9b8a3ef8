//! How a baseline learns: hour by hour, except hours of incidents that do not last; what has changed for good is learned again.

use std::collections::BTreeMap;

use super::new_rhythm::{Direction, NewRhythm};
use super::skipped_hours::SkippedHours;
use super::{Baseline, CELLS, Cell, ExpectedRate, ExpectedVolume, HOUR, Spread};
use crate::window::Counts;

/// Hours after which the weight of an hour is halved.
const HALF_LIFE: f32 = 28.0 * 24.0;
/// An hour of the day is known after this many days. Its count is strange from this many standard deviations on, and twice or
/// half of what is usual.
const MIN_DAYS_OF_RHYTHM: f64 = 3.0;
const MIN_STRAY: f64 = 2.5;
/// A share is strange from this difference on.
const MIN_STRAY_OF_RATE: f64 = 0.1;
/// An incident is rarely more than this many times the usual votes for more than a day.
const ANOTHER_SCALE: f64 = 10.0;
/// The weight that is left of an hour of the day whose rhythm has changed.
const KEPT_OF_OLD_RHYTHM: f32 = 0.1;
/// A squared deviation is capped at this many variances, so that an incident does not inflate the spread.
const MAX_STRAY: f64 = 16.0;

impl Baseline {
    /// Forgets that hours from `now` (Unix seconds) on were learned: they had not come yet. What was learned of a few such
    /// hours fades; where it was more than a day, everything is learned again from `hours`, whose starts are in order.
    pub fn repair_ahead(&mut self, now: i64, since: i64, hours: &BTreeMap<i64, Counts>) {
        let now = now - now.rem_euclid(HOUR);
        let Some(until) = self.until.filter(|until| *until > now) else { return };
        self.changed = true;
        if until - now <= 24 * HOUR {
            self.until = Some(now);
            return;
        }
        let model = std::mem::take(&mut self.model);
        let hours_of_zone = std::mem::take(&mut self.hours);
        *self = Self { model, rates_since: self.rates_since, hours: hours_of_zone, ..Self::default() };
        self.learn(since, |start| (start < now).then(|| hours.get(&start).copied().unwrap_or_default()));
    }

    /// Sets the topic's time zone by its IANA name. What was learned in another one keeps its place in time: it moves by the hours
    /// between the two zones. Returns how many, from 0 to 167.
    pub fn set_zone(&mut self, zone: &str) -> usize {
        let at = self.until.unwrap_or_default();
        let before = self.hours.slot(at);
        if !self.hours.set_zone(zone) {
            return 0;
        }
        let moved = (self.hours.slot(at) + CELLS - before) % CELLS;
        self.cells.resize(CELLS, Cell::default());
        self.cells.rotate_right(moved);
        // They name hours of the day in the old zone.
        (self.lately_skipped, self.new_rhythm) = (SkippedHours::default(), NewRhythm::default());
        self.update_totals();
        self.changed = true;
        moved
    }

    /// Sets the model that classifies posts from `now` (Unix seconds) on. If it replaces another model, drops what was
    /// learned about rates and returns true.
    pub fn set_model(&mut self, model: &str, now: i64) -> bool {
        if self.model == model {
            return false;
        }
        let is_other = !self.model.is_empty();
        self.model = model.into();
        self.changed = true;
        // Two models have different error rates, so their rates cannot be compared. Volumes stay valid.
        if is_other {
            self.rates_since = Some(now);
            self.rate_spread = Spread::default();
            for cell in &mut self.cells {
                (cell.judged, cell.negative) = (0.0, 0.0);
            }
            self.messages = [0.0; 2];
            self.update_totals();
        }
        is_other
    }

    /// Excludes the hour of `time` from learning because an alert fires in it; with `if_silent`, only if it has no
    /// posts.
    pub fn skip(&mut self, time: i64, if_silent: bool) {
        let start = time - time.rem_euclid(HOUR);
        if self.until.is_none_or(|until| start >= until) {
            let found = self.skipped.get(&start).copied();
            // An unconditional exclusion stays unconditional.
            let only_if_silent = if_silent && found != Some(false);
            if found != Some(only_if_silent) {
                self.skipped.insert(start, only_if_silent);
                self.changed = true;
            }
        }
    }

    /// Learns all hours for which `settled` returns counts, from the last learned one on, or from the first whole hour
    /// after `since`. A settled hour does not change any more.
    pub fn learn(&mut self, since: i64, settled: impl Fn(i64) -> Option<Counts>) {
        if self.day.is_empty() {
            self.update_totals();
        }
        let mut start = self.until.unwrap_or(since + (-since).rem_euclid(HOUR));
        while let Some(counts) = settled(start) {
            self.learn_hour(start, counts);
            self.update_totals();
            start += HOUR;
            self.until = Some(start);
            self.changed = true;
        }
    }

    fn learn_hour(&mut self, start: i64, counts: Counts) {
        self.cells.resize(CELLS, Cell::default());
        self.forget();
        let slot = self.hours.slot(start);
        let stray = self.stray(start, slot, counts);
        let mut lasts = false;
        if let Some(if_silent) = self.skipped.remove(&start)
            && (!if_silent || counts.posts() == 0)
        {
            // An incident must not become part of what is normal, unless it comes every day.
            let is_another_scale = self.is_another_scale(start, counts);
            if self.lately_skipped.may_skip(start, slot, is_another_scale) {
                return;
            }
            lasts = stray.is_some();
            // The other hours will be new as well: what was learned is of another topic.
            if is_another_scale {
                self.cells.fill(Cell::default());
                (self.rate_spread, self.volume_spread) = (Spread::default(), Spread::default());
                self.messages = [0.0; 2];
                self.update_totals();
            }
        }
        if self.new_rhythm.is_confirmed(start, slot, stray) || lasts {
            self.forget_hour_of_day(slot);
        }
        self.update_spread(start, counts);
        let is_one_model = self.rates_since.is_none_or(|since| start >= since);
        let Some(cell) = self.cells.get_mut(slot) else { return };
        cell.hours += 1.0;
        cell.posts += counts.votes() as f32;
        // An hour that began under the previous model mixes two models: it counts for the volume only.
        if is_one_model {
            cell.judged += counts.votes() as f32;
            cell.negative += counts.negative_votes() as f32;
            self.messages[0] += counts.posts() as f32;
            self.messages[1] += counts.negative as f32;
        }
    }

    /// Whether the votes of the hour, or the share of negative ones, are far from what is known of this hour of the day.
    fn stray(&self, start: i64, slot: usize, counts: Counts) -> Option<Direction> {
        let known = self.day.get(slot % 24).is_some_and(|cell| f64::from(cell.hours) >= MIN_DAYS_OF_RHYTHM);
        let ExpectedVolume { posts: mean, spread, .. } = self.volume_at(start).filter(|_| known)?;
        let (votes, deviation) = (counts.votes(), (mean + spread * mean * mean).sqrt());
        if (votes - mean).abs() >= MIN_STRAY * deviation {
            match votes {
                more if more > 2.0 * mean => return Some(Direction::More),
                less if less < mean / 2.0 => return Some(Direction::Less),
                _ => {}
            }
        }
        let ExpectedRate { rate, spread, .. } = self.rate_at(start)?;
        let deviation = (votes * rate * (1.0 - rate) * (1.0 + (votes - 1.0).max(0.0) * spread)).sqrt();
        let excess = counts.negative_votes() - votes * rate;
        if excess.abs() < (MIN_STRAY * deviation).max(MIN_STRAY_OF_RATE * votes) || votes < 1.0 {
            return None;
        }
        Some(if excess > 0.0 { Direction::Angrier } else { Direction::Calmer })
    }

    /// Whether the topic is another one than before: many times the usual votes, as when a source begins to deliver it.
    fn is_another_scale(&self, start: i64, counts: Counts) -> bool {
        self.volume_at(start).is_some_and(|known| counts.votes() > ANOTHER_SCALE * known.posts.max(1.0))
    }

    /// Reduces the weight of what was learned of an hour of the day: it has changed.
    fn forget_hour_of_day(&mut self, slot: usize) {
        for cell in self.cells.iter_mut().skip(slot % 24).step_by(24) {
            cell.hours *= KEPT_OF_OLD_RHYTHM;
            cell.posts *= KEPT_OF_OLD_RHYTHM;
            cell.judged *= KEPT_OF_OLD_RHYTHM;
            cell.negative *= KEPT_OF_OLD_RHYTHM;
        }
        self.update_totals();
    }

    fn forget(&mut self) {
        let kept = 0.5_f32.powf(1.0 / HALF_LIFE);
        for cell in &mut self.cells {
            cell.hours *= kept;
            cell.posts *= kept;
            cell.judged *= kept;
            cell.negative *= kept;
        }
        self.messages = self.messages.map(|sum| sum * kept);
        for spread in [&mut self.rate_spread, &mut self.volume_spread] {
            spread.excess *= kept;
            spread.weight *= kept;
        }
    }

    /// Adds the deviation of an hour from its estimate to the spreads.
    fn update_spread(&mut self, start: i64, counts: Counts) {
        let posts = counts.votes();
        if let Some(ExpectedVolume { posts: mean, spread, .. }) =
            self.volume_at(start).filter(|known| known.hours >= 24.0)
        {
            // Before a whole day is known, the deviation would be that of the prior.
            let far = MAX_STRAY * (mean + spread * mean * mean);
            self.volume_spread.excess += ((posts - mean).powi(2).min(far) - mean) as f32;
            self.volume_spread.weight += (mean * mean) as f32;
        }
        if let Some(ExpectedRate { rate, spread, .. }) = self.rate_at(start).filter(|known| known.posts >= 50.0)
            && self.rates_since.is_none_or(|since| start >= since)
        {
            let update_spread = (counts.negative_votes() - posts * rate).powi(2) / (rate * (1.0 - rate));
            let far = MAX_STRAY * posts * (1.0 + (posts - 1.0).max(0.0) * spread);
            self.rate_spread.excess += (update_spread.min(far) - posts) as f32;
            self.rate_spread.weight += (posts * (posts - 1.0).max(0.0)) as f32;
        }
    }
}
