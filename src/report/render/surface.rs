//! [`Surface`]: what a chart is drawn on: the PNG of a mail, or the SVG of a page, whose colours follow light and dark mode.

use std::fmt::Write as _;

use crate::chart::svg::escape;
use crate::chart::{Anchor, Canvas, Colour};

/// A colour by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Grey,
    Faint,
    Bars,
    Negative,
    Before,
    Incident,
}

/// Positions are in points from the top left.
pub(super) trait Surface {
    fn line(&mut self, points: &[(f32, f32)], ink: Ink, width: f32, dashed: bool);
    fn rectangle(&mut self, corners: ((f32, f32), (f32, f32)), ink: Ink);
    fn dot(&mut self, centre: (f32, f32), radius: f32, ink: Ink);
    fn text(&mut self, text: &str, place: (f32, f32), ink: Ink, anchor: Anchor);
}

/// Size of the letters of a chart.
const LETTERS: f32 = 12.0;

impl Surface for Canvas {
    fn line(&mut self, points: &[(f32, f32)], ink: Ink, width: f32, dashed: bool) {
        Canvas::line(self, points, ink.colour(), width, dashed);
    }

    fn rectangle(&mut self, corners: ((f32, f32), (f32, f32)), ink: Ink) {
        Canvas::rectangle(self, corners, ink.colour());
    }

    fn dot(&mut self, centre: (f32, f32), radius: f32, ink: Ink) {
        Canvas::dot(self, centre, radius, ink.colour());
    }

    fn text(&mut self, text: &str, place: (f32, f32), ink: Ink, anchor: Anchor) {
        Canvas::text(self, text, place, LETTERS, ink.colour(), anchor);
    }
}

impl Ink {
    fn colour(self) -> Colour {
        match self {
            Self::Text => Colour(0x1f, 0x23, 0x28),
            Self::Grey => Colour(0x59, 0x63, 0x6e),
            Self::Faint => Colour(0xe3, 0xe6, 0xea),
            Self::Bars => Colour(0xc9, 0xd1, 0xd9),
            Self::Negative => Colour(0xb3, 0x26, 0x1e),
            Self::Before => Colour(0x2f, 0x5d, 0x8a),
            Self::Incident => Colour(0xff, 0xe8, 0xcc),
        }
    }

    /// The class in the page's style sheet.
    fn class(self) -> &'static str {
        match self {
            Self::Text => "ink",
            Self::Grey => "grey",
            Self::Faint => "faint",
            Self::Bars => "bars",
            Self::Negative => "negative",
            Self::Before => "before",
            Self::Incident => "incident",
        }
    }
}

/// An SVG element for a page. Its classes are in the page's style sheet.
#[derive(Debug)]
pub(super) struct PageSvg {
    svg: String,
}

impl PageSvg {
    /// `title` is read aloud in place of the picture.
    pub(super) fn new(width: f32, height: f32, title: &str) -> Self {
        let title = escape(title);
        Self {
            svg: format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" class=\"chart\"><title>{title}</title>\n"),
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }

    // Writing to a string cannot fail.
    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.svg, "{element}");
    }
}

impl Surface for PageSvg {
    fn line(&mut self, points: &[(f32, f32)], ink: Ink, width: f32, dashed: bool) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        if points.is_empty() {
            return;
        }
        let (points, class) = (points.join(" "), ink.class());
        let dash = if dashed { " stroke-dasharray=\"4 3\"" } else { "" };
        self.element(format_args!(
            "<polyline class=\"line {class}\" points=\"{points}\" stroke-width=\"{width}\"{dash}/>"
        ));
    }

    fn rectangle(&mut self, ((left, top), (right, bottom)): ((f32, f32), (f32, f32)), ink: Ink) {
        let (width, height, class) = (right - left, bottom - top, ink.class());
        if width > 0.0 && height > 0.0 {
            self.element(format_args!(
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            ));
        }
    }

    fn dot(&mut self, (x, y): (f32, f32), radius: f32, ink: Ink) {
        let class = ink.class();
        self.element(format_args!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"));
    }

    fn text(&mut self, text: &str, (x, y): (f32, f32), ink: Ink, anchor: Anchor) {
        let (text, class) = (escape(text), ink.class());
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.element(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{LETTERS}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }
}
