//! The chart of a topic: the share of negative posts with its 95 % interval above, the numbers of posts below, incidents shaded, and
//! the rate of the periods before as a dashed line. The same report gives the same bytes.

use jiff::Timestamp;

use super::surface::{Ink, Surface};
use super::wording::Wording;
use crate::chart::Anchor;
use crate::query::CurveStep;
use crate::report::{IncidentFacts, PeriodReport, ReportTopic};
use crate::stats::wilson_interval;

pub(super) const WIDTH: f32 = 560.0;
pub(super) const HEIGHT: f32 = 216.0;
const LEFT: f32 = 48.0;
const RIGHT: f32 = 552.0;
/// Top and foot of the two panels.
const SHARE: (f32, f32) = (26.0, 110.0);
const VOLUME: (f32, f32) = (138.0, 190.0);
/// A share of fewer posts is not drawn: it says nothing.
const MIN_POSTS: u64 = 5;
const DAY: i64 = 86_400;

/// Draws the chart of `topic`; false, and nothing, where the time has no posts.
pub(super) fn draw(surface: &mut dyn Surface, topic: &ReportTopic, report: &PeriodReport, wording: &Wording) -> bool {
    if topic.curve.iter().all(|step| step.counts.posts() == 0) {
        return false;
    }
    let chart = Chart { topic, report, wording };
    chart.incidents(surface);
    chart.time_axis(surface);
    chart.volume(surface);
    chart.share(surface);
    true
}

struct Chart<'a> {
    topic: &'a ReportTopic,
    report: &'a PeriodReport,
    wording: &'a Wording,
}

impl Chart<'_> {
    /// Of a time in Unix seconds.
    fn x(&self, second: i64) -> f32 {
        let (since, until) = self.range();
        let share = (second - since) as f32 / (until - since).max(1) as f32;
        LEFT + (RIGHT - LEFT) * share.clamp(0.0, 1.0)
    }

    fn range(&self) -> (i64, i64) {
        let since = self.topic.curve.first().map_or(0, |step| step.start);
        (since, self.topic.curve.last().map_or(1, |step| step.start + self.topic.step))
    }

    fn incidents(&self, surface: &mut dyn Surface) {
        let of_topic = |incident: &&IncidentFacts| incident.subject == self.topic.name;
        for incident in self.report.incidents.iter().filter(of_topic) {
            let end = incident.ended_at.unwrap_or(self.report.made_at);
            let (left, right) = (self.x(incident.started_at.as_second()), self.x(end.as_second()));
            // A short one stays visible.
            surface.rectangle(((left, SHARE.0), (right.max(left + 2.0), VOLUME.1)), Ink::Incident);
        }
    }

    /// Midnights, or the hours of a day.
    fn time_axis(&self, surface: &mut dyn Surface) {
        let (since, until) = self.range();
        let is_short = until - since <= 2 * DAY;
        let days = (until - since + DAY - 1) / DAY;
        // Seven labels at most, or every third hour.
        let every = if is_short { 3 } else { (days + 6) / 7 };
        let mut shown = 0_i64;
        for second in (since..until).step_by(3_600) {
            let Ok(time) = Timestamp::from_second(second) else { continue };
            let local = time.to_zoned_datetime(self.wording.zone.clone());
            let is_mark = if is_short { i64::from(local.hour()) % every == 0 } else { local.hour() == 0 };
            if !is_mark {
                continue;
            }
            shown += 1;
            if !is_short && (shown - 1) % every != 0 {
                continue;
            }
            let x = self.x(second);
            surface.line(&[(x, SHARE.0), (x, SHARE.1)], Ink::Faint, 1.0, false);
            surface.line(&[(x, VOLUME.0), (x, VOLUME.1)], Ink::Faint, 1.0, false);
            let (label, place, anchor) = match is_short {
                true => (self.wording.hour(&local), x, Anchor::Middle),
                // The day's name stands within its day.
                false => (self.wording.short_day(&local), x + 3.0, Anchor::Start),
            };
            if place < RIGHT - 12.0 {
                surface.text(&label, (place, VOLUME.1 + 17.0), Ink::Grey, anchor);
            }
        }
    }

    fn share(&self, surface: &mut dyn Surface) {
        let y = |share: f64| SHARE.1 - (SHARE.1 - SHARE.0) * share as f32;
        for share in [0.0, 0.5, 1.0] {
            surface.line(&[(LEFT, y(share)), (RIGHT, y(share))], Ink::Faint, 1.0, false);
            surface.text(&self.wording.percent(share), (LEFT - 6.0, y(share) + 4.0), Ink::Grey, Anchor::End);
        }
        surface.text(&self.wording.label("chart_share"), (LEFT, SHARE.0 - 10.0), Ink::Text, Anchor::Start);
        if let Some(before) = self.topic.change.before {
            surface.line(&[(LEFT, y(before)), (RIGHT, y(before))], Ink::Before, 1.5, true);
            let text = format!("{} {}", self.wording.label("chart_before"), self.wording.percent(before));
            surface.text(&text, (RIGHT, SHARE.0 - 10.0), Ink::Before, Anchor::End);
        }
        let middle = |step: &CurveStep| self.x(step.start + self.topic.step / 2);
        let counted: Vec<Option<&CurveStep>> =
            self.topic.curve.iter().map(|step| Some(step).filter(|step| step.counts.posts() >= MIN_POSTS)).collect();
        for step in counted.iter().flatten() {
            let [low, high] = wilson_interval(step.counts.negative, step.counts.posts());
            surface.line(&[(middle(step), y(low)), (middle(step), y(high))], Ink::Bars, 2.0, false);
        }
        for run in counted.split(Option::is_none).filter(|run| !run.is_empty()) {
            let place = |step: &&CurveStep| (middle(step), y(step.counts.negative_rate().unwrap_or_default()));
            let points: Vec<(f32, f32)> = run.iter().flatten().map(place).collect();
            surface.line(&points, Ink::Negative, 2.0, false);
            points.iter().for_each(|point| surface.dot(*point, 2.5, Ink::Negative));
        }
    }

    fn volume(&self, surface: &mut dyn Surface) {
        let most = round_up(self.topic.curve.iter().map(|step| step.counts.posts()).max().unwrap_or(0));
        let y = |posts: u64| VOLUME.1 - (VOLUME.1 - VOLUME.0) * posts as f32 / most as f32;
        for posts in [0, most] {
            surface.line(&[(LEFT, y(posts)), (RIGHT, y(posts))], Ink::Faint, 1.0, false);
            surface.text(&self.wording.number(posts), (LEFT - 6.0, y(posts) + 4.0), Ink::Grey, Anchor::End);
        }
        for step in &self.topic.curve {
            let (left, right) = (self.x(step.start), self.x(step.start + self.topic.step));
            let gap = if right - left > 4.0 { 1.0 } else { 0.0 };
            let bar = |posts: u64| ((left + gap, y(posts)), (right - gap, VOLUME.1));
            surface.rectangle(bar(step.counts.posts()), Ink::Bars);
            surface.rectangle(bar(step.counts.negative), Ink::Negative);
        }
        surface.text(&self.wording.label("chart_volume"), (LEFT, VOLUME.0 - 8.0), Ink::Text, Anchor::Start);
    }
}

/// A round number at or above `most`.
fn round_up(most: u64) -> u64 {
    let size = 10_u64.pow(most.max(1).ilog10());
    let tops = [1, 2, 3, 4, 5, 6, 8, 10].map(|times| size.saturating_mul(times));
    tops.into_iter().find(|top| *top >= most).unwrap_or(u64::MAX)
}
