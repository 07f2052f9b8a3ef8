//! The small chart of a topic in block characters: negative rate over time, normal rate, volume, alerts.

use jiff::Timestamp;

use super::phrases::Phrases;
use crate::alert::Alert;
use crate::window::{Counts, HourRecord};

/// Maximum number of columns; with the axis the chart fits 80 characters.
const MAX_COLUMNS: i64 = 70;
/// Lines of the plot of the rate.
const LINES: usize = 6;
/// Rates of fewer posts than this are too noisy and not drawn.
const MIN_POSTS: u64 = 5;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const HOUR: i64 = 3_600;

/// A range of whole hours, divided into columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// Start of the first column, in Unix seconds.
    start: i64,
    hours_per_column: i64,
    columns: Vec<Column>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Column {
    counts: Counts,
    normal: Option<f64>,
    fires: bool,
}

impl Chart {
    /// A chart from the first hour to the last; `None` without hours.
    pub(super) fn new(hours: &[(i64, HourRecord)], alerts: &[Alert]) -> Option<Self> {
        let (first, last) = (hours.first()?.0, hours.last()?.0);
        let total = (last - first) / HOUR + 1;
        let hours_per_column = (total + MAX_COLUMNS - 1) / MAX_COLUMNS;
        let width = usize::try_from((total + hours_per_column - 1) / hours_per_column).ok()?;
        let mut chart = Self { start: first, hours_per_column, columns: vec![Column::default(); width] };
        for (start, hour) in hours {
            if let Some(column) = chart.column(*start) {
                column.counts += hour.counts;
                column.normal = hour.normal.or(column.normal);
            }
        }
        alerts.iter().for_each(|alert| chart.mark(alert, last + HOUR));
        Some(chart)
    }

    fn column(&mut self, time: i64) -> Option<&mut Column> {
        let index = (time - self.start).div_euclid(self.hours_per_column * HOUR);
        self.columns.get_mut(usize::try_from(index).ok()?)
    }

    fn mark(&mut self, alert: &Alert, end: i64) {
        let (from, to) = (alert.fired_at.as_second(), alert.ends_at.map_or(end, Timestamp::as_second));
        let step = self.hours_per_column * HOUR;
        let (start, columns) = (self.start, &mut self.columns);
        for (i, column) in (0_i64..).zip(columns) {
            let (begins, ends) = (start + i * step, start + (i + 1) * step);
            column.fires |= from < ends && to > begins;
        }
    }

    pub(super) fn lines(&self, phrases: Phrases) -> Vec<String> {
        let mut lines: Vec<String> = (0..LINES).map(|line| self.rate_line(phrases, line)).collect();
        lines.push(format!("{:>6} └{}", phrases.percent(0.0), "─".repeat(self.columns.len())));
        lines.push(format!("        {}", self.days(phrases)));
        lines.push(self.volume_line(phrases));
        if self.columns.iter().any(|column| column.fires) {
            let marks: String = self.columns.iter().map(|column| if column.fires { '▲' } else { ' ' }).collect();
            lines.push(format!("{:>7} {}", phrases.firing(), marks).trim_end().to_owned());
        }
        lines.push(format!("        {}", phrases.legend(self.hours_per_column)));
        lines
    }

    /// The line with this number, from the top.
    fn rate_line(&self, phrases: Phrases, line: usize) -> String {
        let axis = match line {
            0 => format!("{:>6} ┤", phrases.percent(1.0)),
            _ if line == LINES / 2 => format!("{:>6} ┤", phrases.percent(0.5)),
            _ => format!("{:>6} │", ""),
        };
        let below = (LINES - 1 - line) as f64;
        let cells = self.columns.iter().map(|column| cell(column, below));
        format!("{axis}{}", cells.collect::<String>()).trim_end().to_owned()
    }

    /// The days, each under the column in which it begins, if there is room.
    fn days(&self, phrases: Phrases) -> String {
        let (mut text, mut last) = (String::new(), String::new());
        for i in 0..self.columns.len() {
            let time = self.start + i as i64 * self.hours_per_column * HOUR;
            let day = Timestamp::from_second(time).map(|time| phrases.day(time)).unwrap_or_default();
            let written = text.chars().count();
            if day != last && (written == 0 || written < i) {
                text.extend(std::iter::repeat_n(' ', i - written));
                text.push_str(&day);
            }
            last = day;
        }
        text
    }

    fn volume_line(&self, phrases: Phrases) -> String {
        let most = self.columns.iter().map(|column| column.counts.posts()).max().unwrap_or(0);
        let bars = self.columns.iter().map(|column| block(column.counts.posts() as f64 / most.max(1) as f64));
        let bars: String = bars.collect();
        format!("{:>7} {bars}  {}", phrases.volume(), phrases.most_in(most, self.hours_per_column))
    }
}

/// The character of one column in the line with `below` lines under it.
fn cell(column: &Column, below: f64) -> char {
    let height = |share: f64| share * LINES as f64 - below;
    let rate = column.counts.negative_rate().filter(|_| column.counts.posts() >= MIN_POSTS);
    let bar = height(rate.unwrap_or(0.0));
    let normal_here = column.normal.map(height).is_some_and(|height| height > 0.0 && height <= 1.0);
    match block(bar) {
        ' ' if normal_here => '╌',
        '█' if normal_here => '▒',
        block => block,
    }
}

/// A block as high as `share`, full above 1 and empty below 0.
fn block(share: f64) -> char {
    let eighths = (share.clamp(0.0, 1.0) * 8.0).round();
    let at_least_one = if share > 0.0 { eighths.max(1.0) } else { 0.0 };
    BLOCKS[at_least_one as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn hour(negative: u64, posts: u64, normal: Option<f64>) -> HourRecord {
        HourRecord { counts: Counts { negative, neutral: posts - negative, ..Counts::default() }, normal }
    }

    #[test]
    fn bars_stand_for_rates() {
        let hours = [
            (0, hour(10, 10, Some(0.5))),
            (HOUR, hour(0, 10, Some(0.5))),
            (2 * HOUR, hour(3, 4, None)),
            (3 * HOUR, hour(5, 10, None)),
        ];
        let lines = Chart::new(&hours, &[]).unwrap().lines(Phrases(Language::English));
        assert_eq!(lines[0], "  100% ┤█");
        assert_eq!(lines[3], "   50% ┤▒╌ █");
        assert_eq!(lines[6], "    0% └────");
        assert_eq!(lines[7], "        1 Jan");
        assert_eq!(lines[8], "  posts ██▃█  max. 10 per hour");
    }

    #[test]
    fn any_length_fits_a_terminal() {
        for hours in [1_i64, 69, 70, 71, 2_000, 200_000] {
            let hours = [(0, hour(5, 10, None)), ((hours - 1) * HOUR, hour(5, 10, None))];
            let chart = Chart::new(&hours, &[]).unwrap();
            assert!(chart.columns.len() <= MAX_COLUMNS as usize);
            let drawn: u64 = chart.columns.iter().map(|column| column.counts.posts()).sum();
            assert_eq!(drawn, 20);
        }
        assert_eq!(Chart::new(&[], &[]), None);
    }
}
