//! The chart of a mail: the last day, with the share of negative posts and its normal level above, and the numbers of
//! posts below. The same input gives the same bytes.

mod scale;

use jiff::Timestamp;

use super::super::{Kind, Notification};
use super::digest::{Digest, Level};
use super::templates::Style;
use super::{format, trend};
use crate::alert::Point;
use crate::chart::{Anchor, Canvas, Colour};
use crate::language::Language;
use scale::{Axis, rolling, top};

const WIDTH: f32 = 480.0;
const HEIGHT: f32 = 208.0;
/// Pixels per point: a phone shows 480 points as about 350, a desktop as 560, both at a higher resolution.
const DENSITY: f32 = 2.0;

const LEFT: f32 = 50.0;
const RIGHT: f32 = 472.0;
/// Top and foot of the two panels.
const SHARE: (f32, f32) = (30.0, 110.0);
const VOLUME: (f32, f32) = (140.0, 184.0);

const INK: Colour = Colour(0x1f, 0x23, 0x28);
const GREY: Colour = Colour(0x59, 0x63, 0x6e);
const FAINT: Colour = Colour(0xe3, 0xe6, 0xea);
const BARS: Colour = Colour(0xc9, 0xd1, 0xd9);
const NORMAL: Colour = Colour(0x2f, 0x5d, 0x8a);

/// The chart as a PNG; none without any posts.
pub(super) fn draw(notification: &Notification, digest: &Digest, language: Language, style: &Style) -> Option<Vec<u8>> {
    let alert = notification.alerts.first().filter(|alert| !alert.labels.contains_key("component"))?;
    let points = &alert.context.trend;
    if points.iter().all(|point| point.posts == 0) {
        return None;
    }
    let time = Axis::new((seconds(points.first()?.start), seconds(trend::end(points)?)), (LEFT, RIGHT))?;
    let colour = match (notification.kind, digest.level) {
        (Kind::Resolved, _) | (_, Level::Critical) => Colour(0xb3, 0x26, 0x1e),
        (_, Level::Warning) => Colour(0xa3, 0x4a, 0x00),
        (_, Level::Info | Level::Resolved) => Colour(0x2f, 0x5d, 0x8a),
    };
    let chart = Chart { points, time, colour, digest, language, style };
    let mut canvas = Canvas::new(WIDTH, HEIGHT, DENSITY)?;
    chart.hours(&mut canvas);
    chart.volume(&mut canvas);
    chart.share(&mut canvas);
    chart.beginning(&mut canvas, notification.incident.started_at, notification.at);
    canvas.into_png()
}

fn seconds(time: Timestamp) -> f64 {
    time.as_second() as f64
}

struct Chart<'a> {
    points: &'a [Point],
    time: Axis,
    colour: Colour,
    digest: &'a Digest,
    language: Language,
    style: &'a Style,
}

impl Chart<'_> {
    /// Labels every sixth hour, or as many hours as fit.
    fn hours(&self, canvas: &mut Canvas) {
        let (first, last) = self.time.range();
        let hours = [1, 2, 3, 6, 12, 24].into_iter().find(|hours| (last - first) / 3_600.0 / f64::from(*hours) <= 8.0);
        let Some(hours) = hours else { return };
        for hour in 0..=((last - first) / 3_600.0).ceil() as i64 {
            let Ok(time) = Timestamp::from_second(first as i64 + hour * 3_600) else { continue };
            let local = time.to_zoned_datetime(self.style.zone.clone());
            let past_hour = i64::from(local.minute()) * 60 + i64::from(local.second());
            let x = self.time.place(seconds(time) - past_hour as f64);
            if i32::from(local.hour()) % hours != 0 || !(LEFT..=RIGHT - 10.0).contains(&x) {
                continue;
            }
            canvas.line(&[(x, SHARE.0), (x, SHARE.1)], FAINT, 1.0, false);
            canvas.line(&[(x, VOLUME.0), (x, VOLUME.1)], FAINT, 1.0, false);
            let label = match self.language {
                Language::English => format!("{:02}:00", local.hour()),
                Language::French => format!("{} h", local.hour()),
            };
            canvas.text(&label, (x, VOLUME.1 + 17.0), 13.0, GREY, Anchor::Middle);
        }
    }

    fn share(&self, canvas: &mut Canvas) {
        let Some(axis) = Axis::new((0.0, 1.0), (SHARE.1, SHARE.0)) else { return };
        for share in [0.0, 0.5, 1.0] {
            let y = axis.place(share);
            canvas.line(&[(LEFT, y), (RIGHT, y)], FAINT, 1.0, false);
            canvas.text(&format::percent(share, self.language), (LEFT - 6.0, y + 4.5), 13.0, GREY, Anchor::End);
        }
        let labels = &self.digest.chart_labels;
        canvas.text(&labels.share, (LEFT, SHARE.0 - 12.0), 14.0, INK, Anchor::Start);
        let normal = |point: &Point| Some((self.middle(point), axis.place(point.normal?.clamp(0.0, 1.0))));
        let normals: Vec<(f32, f32)> = self.points.iter().filter_map(normal).collect();
        canvas.line(&normals, NORMAL, 1.5, true);
        let shares = rolling(self.points);
        for run in shares.split(Option::is_none) {
            let run: Vec<(f32, f32)> =
                run.iter().flatten().map(|(place, share)| (self.middle(place), axis.place(*share))).collect();
            canvas.line(&run, self.colour, 2.5, false);
        }
        if let Some((point, share)) = shares.last().copied().flatten() {
            canvas.dot((self.middle(point), axis.place(share)), 3.5, self.colour);
        }
        if let Some(last) = self.points.iter().rev().find_map(|point| point.normal) {
            let text = format!("{} {}", labels.normal, format::percent(last, self.language));
            let width = canvas.width(&text, 13.0);
            canvas.line(
                &[(RIGHT - width - 26.0, SHARE.0 - 16.0), (RIGHT - width - 6.0, SHARE.0 - 16.0)],
                NORMAL,
                1.5,
                true,
            );
            canvas.text(&text, (RIGHT, SHARE.0 - 12.0), 13.0, NORMAL, Anchor::End);
        }
    }

    fn volume(&self, canvas: &mut Canvas) {
        let most = top(self.points.iter().map(|point| point.posts).max().unwrap_or(0));
        let Some(axis) = Axis::new((0.0, most as f64), (VOLUME.1, VOLUME.0)) else { return };
        for count in [0, most] {
            let y = axis.place(count as f64);
            canvas.line(&[(LEFT, y), (RIGHT, y)], FAINT, 1.0, false);
            canvas.text(&format::number(count, self.language), (LEFT - 6.0, y + 4.5), 13.0, GREY, Anchor::End);
        }
        let step = trend::step(self.points).map_or(0.0, |step| step.as_secs_f64());
        for point in self.points {
            let (left, right) = (self.time.place(seconds(point.start)), self.time.place(seconds(point.start) + step));
            let gap = if right - left > 4.0 { 1.0 } else { 0.0 };
            let bar = |count: u64| ((left + gap, axis.place(count as f64)), (right - gap, VOLUME.1));
            canvas.rectangle(bar(point.posts), BARS);
            canvas.rectangle(bar(point.negative.min(point.posts)), self.colour);
        }
        canvas.text(&self.digest.chart_labels.volume, (LEFT, VOLUME.0 - 8.0), 14.0, INK, Anchor::Start);
    }

    /// Marks the start of the incident.
    fn beginning(&self, canvas: &mut Canvas, began: Timestamp, at: Timestamp) {
        let x = self.time.place(seconds(began));
        if !(LEFT..=RIGHT).contains(&x) {
            return;
        }
        canvas.line(&[(x, SHARE.0 - 2.0), (x, VOLUME.1)], INK, 1.0, true);
        let clock = format::clock(began, at, &self.style.zone, self.language);
        let time = clock.rsplit([' ']).next().filter(|_| self.language == Language::English).unwrap_or(&clock);
        let text = format!("{} {time}", self.digest.chart_labels.began);
        let width = canvas.width(&text, 13.0);
        let (place, anchor) = if x + width + 6.0 < RIGHT { (x + 5.0, Anchor::Start) } else { (x - 5.0, Anchor::End) };
        canvas.text_on_white(&text, (place, SHARE.1 + 19.0), 13.0, INK, anchor);
    }

    fn middle(&self, point: &Point) -> f32 {
        let half = trend::step(self.points).map_or(0.0, |step| step.as_secs_f64() / 2.0);
        self.time.place(seconds(point.start) + half)
    }
}
