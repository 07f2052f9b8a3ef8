//! The chart of a sweep: one line per rule, one point per value. The horizontal axis shows false alarms, the vertical
//! one the detection delay, or the number of alerts if no incidents are known.

use std::path::Path;

use anyhow::bail;

use super::text::per_week;
use super::{Findings, Phrases};
use crate::chart::Anchor;
use crate::chart::svg::{AxisRange, SvgDocument, tick_label};
use crate::pipeline::backtest::Judgement;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// Edges of the plot within the picture: left, top, right, bottom.
const PLOT: [f64; 4] = [70.0, 50.0, 560.0, 400.0];
/// A palette for all forms of colour vision (Okabe and Ito 2008).
const COLOURS: [&str; 6] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

/// The format of the chart file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChartFormat {
    Svg,
    Html,
}

/// One value of one rule.
struct Point {
    value: String,
    x: f64,
    /// `None` if it is beyond the axis: half of the incidents or more were not detected.
    y: Option<f64>,
}

impl ChartFormat {
    /// The format by the name of the file.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("html" | "htm") => Ok(Self::Html),
            _ => bail!("--out: {} is not valid; expected a file name that ends in .svg or .html", path.display()),
        }
    }

    pub(super) fn draw(self, phrases: Phrases, findings: &Findings) -> String {
        let svg = svg(phrases, findings);
        match self {
            Self::Svg => svg,
            Self::Html => format!("<!doctype html><meta charset=\"utf-8\"><title>vigie backtest</title>\n{svg}"),
        }
    }
}

fn svg(phrases: Phrases, findings: &Findings) -> String {
    let lines = lines(findings);
    let points = || lines.iter().flat_map(|(_, points)| points);
    let plot = Plot {
        x: AxisRange::from_zero(points().map(|point| point.x)),
        y: AxisRange::from_zero(points().filter_map(|point| point.y)),
    };
    let [left, top, right, _] = PLOT;
    let mut svg = SvgDocument::new(WIDTH, HEIGHT);
    let key = findings.sweep.as_ref().map(|sweep| sweep.key.as_str()).unwrap_or_default();
    svg.title((left, 26.0), &phrases.chart_title(key, has_delays(findings)));
    plot.draw_axes(&mut svg, phrases, findings);
    let mut labels = Vec::new();
    for (i, (rule, points)) in lines.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        plot.draw_line(&mut svg, phrases, colour, points, &mut labels);
        let y = top + 12.0 + 22.0 * i as f64;
        svg.dot((right + 24.0, y - 4.0), colour, true);
        svg.text((right + 34.0, y), Anchor::Start, rule);
    }
    svg.finish()
}

/// Each rule with its points, in the order of values.
fn lines(findings: &Findings) -> Vec<(String, Vec<Point>)> {
    let weeks = findings.outcome.weeks();
    let rules = findings.results.first().map(|results| results.judgements.len()).unwrap_or(0);
    let line = |rule: usize| {
        let of = |results: &super::VariantResult| {
            let judgement = results.judgements.get(rule)?;
            Some((judgement.rule.clone(), point(results.value.clone().unwrap_or_default(), judgement, weeks)))
        };
        let found: Vec<(String, Point)> = findings.results.iter().filter_map(of).collect();
        let name = found.first().map(|(name, _)| name.clone()).unwrap_or_default();
        (name, found.into_iter().map(|(_, point)| point).collect())
    };
    (0..rules).map(line).collect()
}

fn point(value: String, judgement: &Judgement, weeks: f64) -> Point {
    let rate = |number| per_week(number, weeks).unwrap_or(0.0);
    let x = rate(judgement.false_alarms().unwrap_or(0));
    let y = match judgement.incidents {
        Some(_) => judgement.median_delay().map(|delay| delay.as_secs_f64() / 60.0),
        None => Some(rate(judgement.alerts.len())),
    };
    Point { value, x, y }
}

/// Whether incidents are known, so that the vertical axis is the delay.
fn has_delays(findings: &Findings) -> bool {
    findings.results.iter().flat_map(|results| &results.judgements).any(|one| one.incidents.is_some())
}

/// The ranges of both axes.
struct Plot {
    x: AxisRange,
    y: AxisRange,
}

impl Plot {
    fn draw_axes(&self, svg: &mut SvgDocument, phrases: Phrases, findings: &Findings) {
        let [x0, y0, x1, y1] = PLOT;
        for step in 0..=4 {
            let share = f64::from(step) / 4.0;
            let (x, y) = (x0 + share * (x1 - x0), y1 - share * (y1 - y0));
            svg.grid(PLOT, (x, y));
            svg.text((x, y1 + 18.0), Anchor::Middle, &tick_label(share * self.x.high));
            svg.text((x0 - 8.0, y + 4.0), Anchor::End, &tick_label(share * self.y.high));
        }
        svg.axes(PLOT);
        svg.text((f64::midpoint(x0, x1), y1 + 42.0), Anchor::Middle, phrases.false_axis());
        let axis = if has_delays(findings) { phrases.delay_axis() } else { phrases.fired_axis() };
        svg.vertical_text((20.0, f64::midpoint(y0, y1)), axis);
    }

    /// Where a point is; above the plot if it has no value on the vertical axis.
    fn place(&self, point: &Point) -> (f64, f64) {
        let [x0, y0, x1, y1] = PLOT;
        (self.x.place(point.x, x0, x1), point.y.map_or(y0 - 14.0, |y| self.y.place(y, y1, y0)))
    }

    fn draw_line(
        &self,
        svg: &mut SvgDocument,
        phrases: Phrases,
        colour: &str,
        points: &[Point],
        labels: &mut Vec<TextBox>,
    ) {
        let places: Vec<(f64, f64)> = points.iter().map(|point| self.place(point)).collect();
        svg.line(&places, colour);
        for (point, (x, y)) in points.iter().zip(places) {
            svg.dot((x, y), colour, point.y.is_some());
            let missed = if point.y.is_none() { format!(": {}", phrases.not_found()) } else { String::new() };
            let label = format!("{}{missed}", point.value);
            let y = TextBox::place(labels, x + 8.0, y - 7.0, &label);
            svg.text((x + 8.0, y), Anchor::Start, &label);
        }
    }
}

/// The area of a label in the plot.
struct TextBox {
    x: f64,
    y: f64,
    width: f64,
}

impl TextBox {
    const LINE: f64 = 15.0;
    /// Approximate width of a character.
    const CHARACTER: f64 = 8.0;

    /// Adds a label at `(x, y)`, or below if other `labels` are there; returns its `y`.
    fn place(labels: &mut Vec<Self>, x: f64, y: f64, label: &str) -> f64 {
        let width = label.chars().count() as f64 * Self::CHARACTER;
        let mut label = Self { x, y, width };
        while labels.iter().any(|other| other.overlaps(&label)) {
            label.y += Self::LINE;
        }
        let y = label.y;
        labels.push(label);
        y
    }

    fn overlaps(&self, other: &Self) -> bool {
        let apart = self.x >= other.x + other.width || other.x >= self.x + self.width;
        (self.y - other.y).abs() < Self::LINE && !apart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap() {
        let mut labels = Vec::new();
        assert_eq!(TextBox::place(&mut labels, 10.0, 50.0, "30d"), 50.0);
        assert_eq!(TextBox::place(&mut labels, 12.0, 52.0, "90d"), 67.0);
        assert_eq!(TextBox::place(&mut labels, 10.0, 50.0, "60d"), 95.0);
        assert_eq!(TextBox::place(&mut labels, 40.0, 50.0, "7d"), 50.0);
    }

    #[test]
    fn the_format_follows_from_the_file_name() {
        assert_eq!(ChartFormat::of(Path::new("a/b.svg")).unwrap(), ChartFormat::Svg);
        assert_eq!(ChartFormat::of(Path::new("b.html")).unwrap(), ChartFormat::Html);
        assert!(ChartFormat::of(Path::new("b.png")).unwrap_err().to_string().contains("b.png"));
    }
}
