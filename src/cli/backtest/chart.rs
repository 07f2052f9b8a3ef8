//! The chart of a sweep: each rule a line, each value a point; to the right more false alarms, upwards a longer delay.

use std::fmt::Write;
use std::path::Path;

use anyhow::bail;

use super::text::per_week;
use super::{Findings, Words};
use crate::pipeline::backtest::Judgement;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// Of the plot within the picture: left, top, right, bottom.
const PLOT: [f64; 4] = [70.0, 50.0, 560.0, 400.0];
/// Told apart by people who see no red or green too (Okabe and Ito 2008).
const COLOURS: [&str; 6] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

/// What a chart's file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Svg,
    Html,
}

/// One value of one rule.
struct Point {
    value: String,
    x: f64,
    /// None where it is beyond the axis: half of the incidents or more were not found.
    y: Option<f64>,
}

impl Kind {
    /// By the file's name.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("html" | "htm") => Ok(Self::Html),
            _ => bail!("--out is {}; wanted a file that ends in .svg or .html", path.display()),
        }
    }

    pub(super) fn draw(self, words: Words, findings: &Findings) -> String {
        let svg = svg(words, findings);
        match self {
            Self::Svg => svg,
            Self::Html => format!("<!doctype html><meta charset=\"utf-8\"><title>vigie backtest</title>\n{svg}"),
        }
    }
}

fn svg(words: Words, findings: &Findings) -> String {
    let lines = lines(findings);
    let points = || lines.iter().flat_map(|(_, points)| points);
    let right = nice(points().map(|point| point.x).fold(0.0, f64::max));
    let top = nice(points().filter_map(|point| point.y).fold(0.0, f64::max));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let key = findings.sweep.as_ref().map(|sweep| sweep.key.as_str()).unwrap_or_default();
    text(
        &mut svg,
        PLOT[0],
        26.0,
        "start",
        &format!("<tspan font-size=\"16\">{}</tspan>", escape(&words.chart_title(key))),
    );
    axes(&mut svg, words, findings, right, top);
    for (i, (rule, points)) in lines.iter().enumerate() {
        draw_line(&mut svg, words, COLOURS[i % COLOURS.len()], points, [right, top]);
        let y = PLOT[1] + 12.0 + 22.0 * i as f64;
        let colour = COLOURS[i % COLOURS.len()];
        let _ = writeln!(svg, "<circle cx=\"{}\" cy=\"{}\" r=\"5\" fill=\"{colour}\"/>", PLOT[2] + 24.0, y - 4.0);
        text(&mut svg, PLOT[2] + 34.0, y, "start", &escape(rule));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Each rule with its points, in the order of the values.
fn lines(findings: &Findings) -> Vec<(String, Vec<Point>)> {
    let weeks = findings.outcome.weeks();
    let rules = findings.tried.first().map(|tried| tried.judgements.len()).unwrap_or(0);
    let line = |rule: usize| {
        let of = |tried: &super::Tried| {
            let judgement = tried.judgements.get(rule)?;
            Some((judgement.rule.clone(), point(tried.value.clone().unwrap_or_default(), judgement, weeks)))
        };
        let found: Vec<(String, Point)> = findings.tried.iter().filter_map(of).collect();
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

fn axes(svg: &mut String, words: Words, findings: &Findings, right: f64, top: f64) {
    let [x0, y0, x1, y1] = PLOT;
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let (x, y) = (x0 + share * (x1 - x0), y1 - share * (y1 - y0));
        let _ = writeln!(svg, "<path d=\"M{x0} {y}H{x1}M{x} {y0}V{y1}\" stroke=\"#ddd\" fill=\"none\"/>");
        text(svg, x, y1 + 18.0, "middle", &tick(share * right));
        text(svg, x0 - 8.0, y + 4.0, "end", &tick(share * top));
    }
    let _ = writeln!(svg, "<path d=\"M{x0} {y0}V{y1}H{x1}\" stroke=\"#222\" fill=\"none\"/>");
    text(svg, f64::midpoint(x0, x1), y1 + 42.0, "middle", words.false_axis());
    let has_delays = findings.tried.iter().flat_map(|tried| &tried.judgements).any(|one| one.incidents.is_some());
    let axis = if has_delays { words.delay_axis() } else { words.fired_axis() };
    let middle = f64::midpoint(y0, y1);
    let _ = writeln!(
        svg,
        "<g transform=\"translate(20 {middle}) rotate(-90)\"><text text-anchor=\"middle\">{axis}</text></g>"
    );
}

fn draw_line(svg: &mut String, words: Words, colour: &str, points: &[Point], [right, top]: [f64; 2]) {
    let [x0, y0, x1, y1] = PLOT;
    let place = |point: &Point| {
        let y = point.y.map_or(y0 - 14.0, |y| y1 - y / top * (y1 - y0));
        (x0 + point.x / right * (x1 - x0), y)
    };
    let path: Vec<String> = points
        .iter()
        .map(|point| {
            let (x, y) = place(point);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let _ =
        writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", path.join(" "));
    for point in points {
        let (x, y) = place(point);
        let fill = if point.y.is_some() { colour } else { "#fff" };
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        );
        let missed = if point.y.is_none() { format!(": {}", words.not_found()) } else { String::new() };
        text(svg, x + 8.0, y - 7.0, "start", &escape(&format!("{}{missed}", point.value)));
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, content: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{content}</text>");
}

fn tick(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The next of 1, 2, 4, 6, 8, 10, 20, 40 ... that is not below.
fn nice(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let unit = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].into_iter().map(|step| step * unit).find(|nice| *nice >= most).unwrap_or(most)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, wanted) in
            [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (3.0, 4.0), (41.0, 60.0), (95.0, 100.0), (180.0, 200.0)]
        {
            assert!((nice(most) - wanted).abs() < 1e-9, "{most}: {}", nice(most));
        }
    }

    #[test]
    fn a_file_s_name_tells_its_kind() {
        assert_eq!(Kind::of(Path::new("a/b.svg")).unwrap(), Kind::Svg);
        assert_eq!(Kind::of(Path::new("b.html")).unwrap(), Kind::Html);
        assert!(Kind::of(Path::new("b.png")).unwrap_err().to_string().contains("b.png"));
    }

    #[test]
    fn what_a_rule_says_is_no_markup() {
        assert_eq!(escape("a<b & c"), "a&lt;b &amp; c");
    }
}
