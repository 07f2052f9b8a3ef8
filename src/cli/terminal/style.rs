//! [`Line`]: styled text, measured in columns of a terminal. `terminal` draws it, the views of `top` build it.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) enum Colour {
    #[default]
    Default,
    Red,
    Green,
    Yellow,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::cli) struct Style {
    colour: Colour,
    bold: bool,
    dim: bool,
}

impl Style {
    pub(in crate::cli) const BOLD: Self = Self { colour: Colour::Default, bold: true, dim: false };
    pub(in crate::cli) const DIM: Self = Self { colour: Colour::Default, bold: false, dim: true };

    pub(in crate::cli) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

impl From<Colour> for Style {
    fn from(colour: Colour) -> Self {
        Self { colour, ..Self::default() }
    }
}

/// Text in one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Span {
    text: String,
    style: Style,
}

impl Span {
    pub(in crate::cli) fn styled(text: impl Into<String>, style: impl Into<Style>) -> Self {
        Self { text: text.into(), style: style.into() }
    }
}

impl<T: Into<String>> From<T> for Span {
    fn from(text: T) -> Self {
        Self::styled(text, Style::default())
    }
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Line(Vec<Span>);

impl Line {
    pub(in crate::cli) fn styled(text: impl Into<String>, style: impl Into<Style>) -> Self {
        Self(vec![Span::styled(text, style)])
    }

    /// Without styles.
    pub(in crate::cli) fn text(&self) -> String {
        self.0.iter().map(|span| span.text.as_str()).collect()
    }

    /// The first `width` columns.
    pub(in crate::cli) fn cut(self, width: usize) -> Self {
        let mut left = width;
        let mut spans = Vec::new();
        for Span { text, style } in self.0 {
            let kept: String = text
                .chars()
                .take_while(|c| {
                    let fits = columns(*c) <= left;
                    left = if fits { left - columns(*c) } else { 0 };
                    fits
                })
                .collect();
            spans.push(Span { text: kept, style });
        }
        Self(spans)
    }

    /// The line with its escape sequences. Control characters of the text are removed.
    pub(super) fn escaped(&self) -> String {
        let mut escaped = String::new();
        for Span { text, style } in &self.0 {
            escaped += "\x1b[0";
            for (set, code) in [(style.bold, ";1"), (style.dim, ";2")] {
                escaped += if set { code } else { "" };
            }
            escaped += match style.colour {
                Colour::Default => "",
                Colour::Red => ";31",
                Colour::Green => ";32",
                Colour::Yellow => ";33",
            };
            let shown: String = text.chars().filter(|c| !c.is_control()).collect();
            let _ = write!(escaped, "m{shown}");
        }
        escaped
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self(vec![text.into()])
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(vec![text.into()])
    }
}

impl From<Vec<Span>> for Line {
    fn from(spans: Vec<Span>) -> Self {
        Self(spans)
    }
}

/// The width of a character in columns: two for wide East Asian characters and emoji, none for combining marks.
pub(in crate::cli) fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_columns_and_not_by_characters() {
        let line = || Line::from(vec![Span::from("aé"), Span::styled("日本語", Colour::Red), "x".into()]);
        for (width, expected) in
            [(0, ""), (2, "aé"), (3, "aé"), (4, "aé日"), (5, "aé日"), (8, "aé日本語"), (99, "aé日本語x")]
        {
            assert_eq!(line().cut(width).text(), expected, "{width}");
        }
    }

    #[test]
    fn styles_end_with_their_span_and_text_cannot_control_the_terminal() {
        let line = Line::from(vec![Span::styled("a\x1b[2J", Style::from(Colour::Red).bold()), "b".into()]);
        assert_eq!(line.escaped(), "\x1b[0;1;31ma[2J\x1b[0mb");
    }
}
