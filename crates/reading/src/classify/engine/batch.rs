//! [`Batch`]: groups texts into padded batches of token ids and sets the order in which they run. Before the encoder.

/// Texts of similar length, padded to the longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Position-major `[length, texts]`.
    pub(crate) ids: Vec<u32>,
    /// Tokens of each text without padding; at least 1.
    pub(crate) lengths: Vec<usize>,
    /// Tokens of the longest text.
    pub(crate) length: usize,
    /// Index of each text in the call.
    pub(crate) origins: Vec<usize>,
}

/// Groups `texts` (the token ids of each) into batches of at most `budget` tokens, padding included; a longer text gets
/// its own batch.
///
/// Sorting by length keeps padding to a few percent; in arrival order more than half would be padding.
pub(crate) fn make_batches(texts: &[Vec<u32>], budget: usize, padding: u32) -> Vec<Batch> {
    let length = |index: usize| texts.get(index).map_or(0, Vec::len);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    // Longest first: the threads then finish together, and the buffers of the first batch are large enough for the rest.
    order.sort_by_key(|index| (std::cmp::Reverse(length(*index)), *index));
    let mut batches = Vec::new();
    let mut rest = order.as_slice();
    while let Some(longest) = rest.first() {
        let fitting = (budget / length(*longest).max(1)).clamp(1, rest.len());
        let (origins, next) = rest.split_at(fitting);
        batches.push(Batch::pad(texts, origins, padding));
        rest = next;
    }
    batches
}

impl Batch {
    fn pad(texts: &[Vec<u32>], origins: &[usize], padding: u32) -> Self {
        let rows: Vec<&[u32]> = origins.iter().map(|index| texts.get(*index).map_or(&[][..], Vec::as_slice)).collect();
        let lengths: Vec<usize> = rows.iter().map(|row| row.len().max(1)).collect();
        let length = lengths.iter().copied().max().unwrap_or(0);
        let ids =
            (0..length).flat_map(|position| rows.iter().map(move |row| row.get(position).copied().unwrap_or(padding)));
        Self { ids: ids.collect(), lengths, length, origins: origins.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn similar_lengths_share_a_batch() {
        let texts = [vec![1], vec![2, 3, 4], vec![5, 6], vec![]];
        let cut = make_batches(&texts, 4, 9);
        let long = Batch { ids: vec![2, 3, 4], lengths: vec![3], length: 3, origins: vec![1] };
        let middle = Batch { ids: vec![5, 1, 6, 9], lengths: vec![2, 1], length: 2, origins: vec![2, 0] };
        let empty = Batch { ids: vec![9], lengths: vec![1], length: 1, origins: vec![3] };
        assert_eq!(cut, [long, middle, empty]);
    }

    proptest! {
        #[test]
        fn every_text_is_in_one_batch_within_the_budget(
            texts in prop::collection::vec(prop::collection::vec(1_u32..50, 0..30), 0..60), budget in 1_usize..200,
        ) {
            let mut origins = Vec::new();
            for batch in make_batches(&texts, budget, 0) {
                prop_assert!(batch.ids.len() == batch.length * batch.lengths.len());
                prop_assert!(batch.ids.len() <= budget || batch.lengths.len() == 1);
                for (column, origin) in batch.origins.iter().enumerate() {
                    let ids: Vec<u32> = batch.ids.iter().skip(column).step_by(batch.lengths.len()).copied().collect();
                    prop_assert_eq!(&ids[..texts[*origin].len()], texts[*origin].as_slice());
                    prop_assert_eq!(batch.lengths[column], texts[*origin].len().max(1));
                    origins.push(*origin);
                }
            }
            origins.sort_unstable();
            prop_assert_eq!(origins, (0..texts.len()).collect::<Vec<_>>());
        }
    }
}
