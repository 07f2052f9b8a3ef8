//! [`LabelRules`]: what a label column says, in words, stars or numbers. Words say it themselves; what a number means is
//! decided by all numbers of the file, or by `--labels-map`. Used by the row builder.

mod map;
mod scale;
mod words;

pub use map::{LabelsMap, MappedLabel};
pub use scale::ScaleError;
pub(super) use scale::{LabelEvidence, Scale};

use words::Word;

/// What a cell of a label column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelCell {
    /// `negative`, `neutral` or `positive`.
    Label(&'static str),
    /// Positive and negative at once: read as neutral, and counted.
    Mixed,
    /// A word that says that there is no sentiment to read, such as `irrelevant`.
    Unlabelled,
    /// Not a label, by these rules.
    Unknown,
}

/// How the labels of an input are read.
#[derive(Debug, Clone, Default)]
pub struct LabelRules {
    map: Option<LabelsMap>,
    scale: Scale,
}

impl LabelRules {
    pub(super) fn new(map: &LabelsMap) -> Self {
        Self { map: Some(map.clone()).filter(|map| !map.is_empty()), scale: Scale::Unknown }
    }

    /// What numbers mean in this input.
    pub(super) fn set_scale(&mut self, scale: Scale) {
        self.scale = scale;
    }

    /// Whether numbers are read by the map, so that no scale is needed.
    pub(super) fn is_mapped(&self) -> bool {
        self.map.is_some()
    }

    /// Reads a cell, trimmed and not empty.
    pub(super) fn read(&self, cell: &str) -> LabelCell {
        if let Some(map) = &self.map {
            return match map.get(cell) {
                Some(MappedLabel::None) => LabelCell::Unlabelled,
                Some(label) => label.as_str().map_or(LabelCell::Unknown, LabelCell::Label),
                None => LabelCell::Unknown,
            };
        }
        // The words of most dumps, without an allocation.
        if let Some(known) =
            ["negative", "neutral", "positive"].into_iter().find(|known| known.eq_ignore_ascii_case(cell))
        {
            return LabelCell::Label(known);
        }
        match words::read(cell) {
            Word::Label(label) => LabelCell::Label(label),
            Word::Mixed => LabelCell::Mixed,
            Word::Unlabelled => LabelCell::Unlabelled,
            word => self.scale.read(word).map_or(LabelCell::Unknown, LabelCell::Label),
        }
    }

    /// What is expected, for the error of a cell that is not a label.
    pub(super) fn expected(&self) -> String {
        match &self.map {
            Some(map) => format!("mapped by --labels-map ({})", map.keys()),
            None => match self.scale.values() {
                Some(values) => format!("one of {values}, negative, neutral, positive (--labels-map decides)"),
                None => "one of negative, neutral, positive (--labels-map decides)".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
