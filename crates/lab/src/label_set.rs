//! [`LabelSet`]: which labels a dump uses. Many dumps have two labels; a third must then be neither learned nor scored
//! there.

use vigie_reading::classify::Label;

/// A set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LabelSet([bool; 3]);

impl LabelSet {
    /// The labels that occur.
    pub(super) fn from_labels(labels: impl IntoIterator<Item = Label>) -> Self {
        let mut classes = Self::default();
        for label in labels {
            classes.0[label as usize] = true;
        }
        classes
    }

    /// The labels that a dump with these rows can have: of two labels that occur, those two (the dump has no third); of
    /// one, all three, as the others may just not occur.
    pub(super) fn known_in(labels: &[Label]) -> Self {
        let occurring = Self::from_labels(labels.iter().copied());
        if occurring.len() == 2 { occurring } else { Self::from_labels(Label::ALL) }
    }

    pub(super) fn contains(self, label: Label) -> bool {
        self.0[label as usize]
    }

    /// Its labels, in the order of [`Label::ALL`].
    pub(super) fn iter(self) -> impl Iterator<Item = Label> {
        Label::ALL.into_iter().filter(move |label| self.contains(*label))
    }

    /// One bit per label, at its position in [`Label::ALL`].
    pub(super) fn bits(self) -> u32 {
        self.iter().fold(0, |bits, label| bits | (1 << label as u32))
    }

    pub(super) fn len(self) -> usize {
        self.iter().count()
    }

    /// The label with the highest probability; the first of equal ones. `None` only for the empty set.
    pub(super) fn most_likely(self, probabilities: &[f32; 3]) -> Option<Label> {
        let probability = |label: Label| probabilities[label as usize];
        self.iter().reduce(|best, label| if probability(label) > probability(best) { label } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Negative, Neutral, Positive};

    #[test]
    fn the_likeliest_is_sought_among_its_labels_only() {
        let probabilities = [0.2, 0.5, 0.3];
        let two = LabelSet::from_labels([Positive, Negative, Positive]);
        assert_eq!((two.len(), two.contains(Neutral)), (2, false));
        assert_eq!(two.most_likely(&probabilities), Some(Positive));
        assert_eq!(LabelSet::from_labels(Label::ALL).most_likely(&probabilities), Some(Neutral));
        assert_eq!(two.most_likely(&[0.4, 0.2, 0.4]), Some(Negative));
        assert_eq!(LabelSet::default().most_likely(&probabilities), None);
    }
}
