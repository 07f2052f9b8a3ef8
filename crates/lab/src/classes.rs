//! [`Classes`]: which labels a dump knows. Many know two, and then a third must neither be learnt nor judged there.

use vigie_reading::classify::Label;

/// A set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes([bool; 3]);

impl Classes {
    /// Those that occur.
    pub(super) fn of(labels: impl IntoIterator<Item = Label>) -> Self {
        let mut classes = Self::default();
        for label in labels {
            classes.0[label as usize] = true;
        }
        classes
    }

    /// Those that a dump with these labels knows: with two labels there is no third in it, while with a single one the
    /// others may just not occur.
    pub(super) fn known_to(labels: &[Label]) -> Self {
        let occurring = Self::of(labels.iter().copied());
        if occurring.len() == 2 { occurring } else { Self::of(Label::ALL) }
    }

    pub(super) fn contains(self, label: Label) -> bool {
        self.0[label as usize]
    }

    /// Its labels, in the order of [`Label::ALL`].
    pub(super) fn iter(self) -> impl Iterator<Item = Label> {
        Label::ALL.into_iter().filter(move |label| self.contains(*label))
    }

    /// By the places of [`Label::ALL`].
    pub(super) fn bits(self) -> u32 {
        self.iter().fold(0, |bits, label| bits | (1 << label as u32))
    }

    pub(super) fn len(self) -> usize {
        self.iter().count()
    }

    /// The likeliest of its labels; the first one where two are equal. `None` only of the empty set.
    pub(super) fn likeliest(self, probabilities: &[f32; 3]) -> Option<Label> {
        let of = |label: Label| probabilities[label as usize];
        self.iter().reduce(|best, label| if of(label) > of(best) { label } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Negative, Neutral, Positive};

    #[test]
    fn the_likeliest_is_sought_among_its_labels_only() {
        let probabilities = [0.2, 0.5, 0.3];
        let two = Classes::of([Positive, Negative, Positive]);
        assert_eq!((two.len(), two.contains(Neutral)), (2, false));
        assert_eq!(two.likeliest(&probabilities), Some(Positive));
        assert_eq!(Classes::of(Label::ALL).likeliest(&probabilities), Some(Neutral));
        assert_eq!(two.likeliest(&[0.4, 0.2, 0.4]), Some(Negative));
        assert_eq!(Classes::default().likeliest(&probabilities), None);
    }
}
