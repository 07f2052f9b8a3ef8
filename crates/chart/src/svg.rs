//! SVG for reports: [`SvgDocument`] writes the elements; [`AxisRange`] and the functions below compute positions and labels.
//!
//! The layout of each report is in its own file. The report of `vigie lab compare` writes its elements in a page template and
//! uses only the positions.

use std::fmt::Write;

use crate::Anchor;

/// Colours for light and dark mode: text, background, grid lines and axes.
const STYLE: &str = "<style>.ink{fill:#222}.paper{fill:#fff}.grid{stroke:#ddd;fill:none}.axis{stroke:#222;fill:none}\
    @media (prefers-color-scheme:dark){.ink{fill:#ddd}.paper{fill:#1b1b1b}.grid{stroke:#444}.axis{stroke:#ddd}}</style>";

/// An SVG document on a background that follows light and dark mode. Positions are in its units, from the top left.
#[derive(Debug)]
pub struct SvgDocument {
    svg: String,
}

impl SvgDocument {
    pub fn new(width: f64, height: f64) -> Self {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\" class=\"ink\">\n{STYLE}\n\
             <rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n"
        );
        Self { svg }
    }

    /// Grid lines through a point of a plot with these edges: left, top, right, bottom.
    pub fn grid(&mut self, [left, top, right, bottom]: [f64; 4], (x, y): (f64, f64)) {
        self.element(format_args!("<path d=\"M{left} {y}H{right}M{x} {top}V{bottom}\" class=\"grid\"/>"));
    }

    /// The left and bottom axes of a plot with these edges.
    pub fn axes(&mut self, [left, top, right, bottom]: [f64; 4]) {
        self.element(format_args!("<path d=\"M{left} {top}V{bottom}H{right}\" class=\"axis\"/>"));
    }

    /// A line through these points.
    pub fn line(&mut self, points: &[(f64, f64)], colour: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let points = points.join(" ");
        self.element(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ));
    }

    /// A point of a line: filled, or only its outline.
    pub fn dot(&mut self, (x, y): (f64, f64), colour: &str, is_filled: bool) {
        let fill = if is_filled { colour } else { "none" };
        self.element(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
        ));
    }

    /// One line of text with its baseline at `y`.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let (anchor, text) = (anchor_name(anchor), escape(text));
        self.element(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
    }

    /// A larger text, for the title.
    pub fn title(&mut self, (x, y): (f64, f64), text: &str) {
        let text = escape(text);
        self.element(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"16\">{text}</text>"));
    }

    /// A text that reads upwards, centred on a point.
    pub fn vertical_text(&mut self, (x, y): (f64, f64), text: &str) {
        let text = escape(text);
        self.element(format_args!(
            "<g transform=\"translate({x} {y}) rotate(-90)\"><text text-anchor=\"middle\">{text}</text></g>"
        ));
    }

    pub fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.svg, "{element}"); // writing to a String cannot fail
    }
}

fn anchor_name(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    }
}

/// Escapes text for element content.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The values that an axis shows.
#[derive(Debug, Clone, Copy)]
pub struct AxisRange {
    pub low: f64,
    pub high: f64,
}

impl AxisRange {
    /// The range of `values`; `None` without values.
    pub fn spanning(values: impl Iterator<Item = f64>) -> Option<Self> {
        values.fold(None, |range: Option<Self>, value| {
            let Self { low, high } = range.unwrap_or(Self { low: value, high: value });
            Some(Self { low: low.min(value), high: high.max(value) })
        })
    }

    /// From 0 to the smallest of 1, 2, 4, 6, 8, 10, 20, 40 ... that is not below any of `values`.
    pub fn from_zero(values: impl Iterator<Item = f64>) -> Self {
        let max = values.fold(0.0, f64::max);
        if max <= 0.0 {
            return Self { low: 0.0, high: 1.0 };
        }
        let unit = 10_f64.powf(max.log10().floor());
        let steps = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].into_iter().map(|step| step * unit);
        Self { low: 0.0, high: steps.into_iter().find(|high| *high >= max).unwrap_or(max) }
    }

    /// With margins on both sides: a tenth, and at least `min`.
    #[must_use]
    pub fn wider(self, min: f64) -> Self {
        let margin = (self.span() / 10.0).max(min);
        Self { low: self.low - margin, high: self.high + margin }
    }

    pub fn span(self) -> f64 {
        self.high - self.low
    }

    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The position of `value` on an axis that goes from `from` to `to`, rounded to a tenth.
    pub fn place(self, value: f64, from: f64, to: f64) -> f64 {
        round_tenth(from + (to - from) * (value - self.low) / self.span().max(f64::MIN_POSITIVE))
    }

    /// Round values of a share within the range, three to seven of them.
    pub fn steps(self) -> Vec<f64> {
        let step = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2].into_iter().find(|step| self.span() / step <= 6.0);
        let step = step.unwrap_or(0.5);
        let (first, last) = ((self.low / step - 1e-9).ceil() as i64, (self.high / step + 1e-9).floor() as i64);
        (first..=last).map(|index| index as f64 * step).collect()
    }
}

/// A path of straight lines through these points.
pub fn line_path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let part = |(index, (x, y)): (usize, (f64, f64))| format!("{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    points.enumerate().map(part).collect()
}

/// Rounds to a tenth of a unit, which is finer than a screen.
pub fn round_tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A number with at most three decimals and without trailing zeros.
pub fn tick_label(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_contains_its_elements_escaped() {
        let mut svg = SvgDocument::new(100.0, 50.0);
        svg.grid([10.0, 5.0, 90.0, 40.0], (50.0, 22.5));
        svg.axes([10.0, 5.0, 90.0, 40.0]);
        svg.line(&[(10.0, 40.0), (33.333, 5.0)], "#0072B2");
        svg.dot((10.0, 40.0), "#0072B2", false);
        svg.text((10.0, 45.0), Anchor::End, "a<b & c");
        svg.vertical_text((4.0, 22.5), "delay > 0");
        let svg = svg.finish();
        assert!(
            svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100 50\"")
                && svg.ends_with("</svg>\n")
        );
        for element in [
            "<path d=\"M10 22.5H90M50 5V40\" class=\"grid\"/>\n",
            "<path d=\"M10 5V40H90\" class=\"axis\"/>\n",
            "<polyline points=\"10.0,40.0 33.3,5.0\" fill=\"none\" stroke=\"#0072B2\" stroke-width=\"2\"/>\n",
            "<circle cx=\"10.0\" cy=\"40.0\" r=\"5\" fill=\"none\" stroke=\"#0072B2\" stroke-width=\"2\"/>\n",
            "<text x=\"10.0\" y=\"45.0\" text-anchor=\"end\">a&lt;b &amp; c</text>\n",
            "<g transform=\"translate(4 22.5) rotate(-90)\"><text text-anchor=\"middle\">delay &gt; 0</text></g>\n",
        ] {
            assert!(svg.contains(element), "{element} in {svg}");
        }
    }

    #[test]
    fn axes_from_zero_end_at_round_numbers() {
        for (max, expected) in
            [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (3.0, 4.0), (41.0, 60.0), (95.0, 100.0), (180.0, 200.0)]
        {
            let range = AxisRange::from_zero([max / 2.0, max].into_iter());
            assert!((range.high - expected).abs() < 1e-9 && range.low == 0.0, "{max}: {range:?}");
        }
    }

    #[test]
    fn a_range_spans_its_values_and_places_them() {
        let range = AxisRange::spanning([3.0, 1.0].into_iter()).unwrap();
        assert_eq!((range.place(1.0, 50.0, 432.0), range.place(3.0, 270.0, 10.0)), (50.0, 10.0));
        assert!(AxisRange::spanning(std::iter::empty()).is_none());
        assert!(AxisRange { low: 1.0, high: 1.0 }.place(1.0, 0.0, 9.0).is_finite());
        assert!(range.contains(1.0) && !range.contains(0.9) && range.wider(0.5).contains(0.5));
        let steps = AxisRange { low: 0.683, high: 0.781 }.steps();
        assert_eq!(
            steps.iter().map(|step| tick_label(*step)).collect::<Vec<_>>(),
            ["0.7", "0.72", "0.74", "0.76", "0.78"]
        );
        assert_eq!(AxisRange { low: 0.4, high: 1.0 }.steps().len(), 7);
    }

    #[test]
    fn labels_and_paths_are_short() {
        assert_eq!([0.0, 2.0, 12.5, 0.1234].map(tick_label), ["0", "2", "12.5", "0.123"]);
        assert_eq!(line_path([(1.0, 2.0), (3.04, 4.06)].into_iter()), "M1.0 2.0L3.0 4.1");
    }
}
