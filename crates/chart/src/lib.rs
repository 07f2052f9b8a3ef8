//! Charts. [`Canvas`] draws lines, bars and text, in points from the top left, and encodes them as PNG: for the chart in an
//! email and the lab's pictures. [`svg`] writes the same elements as SVG. The same calls produce the same bytes.
//!
//! [`Canvas`] uses `tiny-skia` (a port of Skia's software rasteriser; BSD) and outlines that `ttf-parser` reads from an
//! embedded Roboto (Apache-2.0; only the letters of French and English, 12 KB): no C library, no system font, and a fifth of
//! the dependencies of a plotting library.

mod image;
pub mod svg;

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// Roboto Regular, cut down to the letters of French and English; Apache-2.0, see `font/LICENSE`.
const FONT: &[u8] = include_bytes!("font/roboto-latin.ttf");

/// Red, green, blue.
#[derive(Debug, Clone, Copy)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Which end of a text is at its position.
#[derive(Debug, Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A white drawing area.
pub struct Canvas {
    pixmap: Pixmap,
    transform: Transform,
    face: Face<'static>,
}

impl Canvas {
    /// `width` by `height` points with `density` pixels each. `None` if the size is zero.
    pub fn new(width: f32, height: f32, density: f32) -> Option<Self> {
        let mut pixmap = Pixmap::new((width * density) as u32, (height * density) as u32)?;
        pixmap.fill(Color::WHITE);
        let face = Face::parse(FONT, 0).ok()?;
        Some(Self { pixmap, transform: Transform::from_scale(density, density), face })
    }

    /// `None` if the encoder fails, which it cannot for pixels in memory.
    pub fn into_png(self) -> Option<Vec<u8>> {
        image::png(&self.pixmap)
    }

    /// A line through these points; `width` in points.
    pub fn line(&mut self, points: &[(f32, f32)], colour: Colour, width: f32, dashed: bool) {
        let Some(((x, y), rest)) = points.split_first() else { return };
        let mut path = PathBuilder::new();
        path.move_to(*x, *y);
        for (x, y) in rest {
            path.line_to(*x, *y);
        }
        let dash = if dashed { StrokeDash::new(vec![4.0, 3.0], 0.0) } else { None };
        let stroke = Stroke { width, line_cap: LineCap::Butt, line_join: LineJoin::Round, dash, ..Stroke::default() };
        if let Some(path) = path.finish() {
            self.pixmap.stroke_path(&path, &paint(colour), &stroke, self.transform, None);
        }
    }

    /// A filled rectangle, by its top left and bottom right corners.
    pub fn rectangle(&mut self, ((left, top), (right, bottom)): ((f32, f32), (f32, f32)), colour: Colour) {
        if let Some(rect) = Rect::from_ltrb(left, top, right, bottom) {
            self.fill(&PathBuilder::from_rect(rect), colour);
        }
    }

    /// A filled circle.
    pub fn dot(&mut self, (x, y): (f32, f32), radius: f32, colour: Colour) {
        if let Some(path) = PathBuilder::from_circle(x, y, radius) {
            self.fill(&path, colour);
        }
    }

    /// One line of text, with its baseline at `y`.
    pub fn text(&mut self, text: &str, (x, y): (f32, f32), size: f32, colour: Colour, anchor: Anchor) {
        let mut pen = self.text_start(text, x, size, anchor);
        for char in text.chars() {
            let Some(glyph) = self.glyph(char) else { continue };
            let scale = size / f32::from(self.face.units_per_em());
            let mut outline = Outline { path: PathBuilder::new(), scale, x: pen, y };
            if self.face.outline_glyph(glyph, &mut outline).is_some()
                && let Some(path) = outline.path.finish()
            {
                self.fill(&path, colour);
            }
            pen += self.advance(glyph, size);
        }
    }

    /// [`Canvas::text`] on a white background.
    pub fn text_on_white(&mut self, text: &str, (x, y): (f32, f32), size: f32, colour: Colour, anchor: Anchor) {
        let (start, width) = (self.text_start(text, x, size, anchor), self.width(text, size));
        self.rectangle(((start - 2.0, y - size), (start + width + 2.0, y + 3.0)), Colour(0xff, 0xff, 0xff));
        self.text(text, (x, y), size, colour, anchor);
    }

    /// Width of a text of this size, in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().filter_map(|char| self.glyph(char)).map(|glyph| self.advance(glyph, size)).sum()
    }

    fn text_start(&self, text: &str, x: f32, size: f32, anchor: Anchor) -> f32 {
        match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - self.width(text, size) / 2.0,
            Anchor::End => x - self.width(text, size),
        }
    }

    fn glyph(&self, char: char) -> Option<GlyphId> {
        let char = if char == '\u{202f}' { '\u{a0}' } else { char };
        self.face.glyph_index(char)
    }

    fn advance(&self, glyph: GlyphId, size: f32) -> f32 {
        let units = self.face.glyph_hor_advance(glyph).unwrap_or(0);
        f32::from(units) * size / f32::from(self.face.units_per_em())
    }

    fn fill(&mut self, path: &Path, colour: Colour) {
        self.pixmap.fill_path(path, &paint(colour), FillRule::Winding, self.transform, None);
    }
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, 0xff);
    paint
}

/// Builds the path of a letter. The y axis of fonts points up, that of the canvas down.
struct Outline {
    path: PathBuilder,
    scale: f32,
    x: f32,
    y: f32,
}

impl Outline {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
