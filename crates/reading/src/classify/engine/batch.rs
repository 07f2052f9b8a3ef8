//! [`make_batches`]: which texts run together. Before the encoder.

use std::ops::Range;

/// Splits texts, in their order, into ranges of about the same number of tokens, each at most `budget` tokens or one text.
///
/// With several batches their number is a multiple of `threads`, so that the threads finish together. Nothing is padded, so
/// the order of the texts does not matter.
pub(crate) fn make_batches(lengths: &[usize], budget: usize, threads: usize) -> Vec<Range<usize>> {
    let total: usize = lengths.iter().sum();
    let wanted = total.div_ceil(budget.max(1)).max(1);
    let count = if wanted == 1 { 1 } else { wanted.next_multiple_of(threads.max(1)) };
    let share = total.div_ceil(count).max(1);
    let (mut batches, mut start, mut tokens) = (Vec::with_capacity(count), 0, 0);
    for (index, length) in lengths.iter().enumerate() {
        // The text goes where most of it fits the share; a later batch then starts with it.
        if index > start && tokens + length / 2 > share {
            batches.push(start..index);
            (start, tokens) = (index, 0);
        }
        tokens += length;
    }
    if start < lengths.len() {
        batches.push(start..lengths.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_texts_are_one_batch_and_many_are_shared_out() {
        assert_eq!(make_batches(&[3, 4], 100, 2), vec![0..2; 1]);
        assert_eq!(make_batches(&[30; 10], 100, 2), [0..3, 3..6, 6..9, 9..10]);
        assert_eq!(make_batches(&[30; 8], 120, 2), [0..4, 4..8]);
        assert!(make_batches(&[], 100, 2).is_empty());
    }

    proptest! {
        #[test]
        fn every_text_is_in_one_batch_near_the_budget(
            lengths in prop::collection::vec(1_usize..80, 0..60), budget in 80_usize..400, threads in 1_usize..5,
        ) {
            let batches = make_batches(&lengths, budget, threads);
            let covered: Vec<usize> = batches.iter().cloned().flatten().collect();
            prop_assert_eq!(covered, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let tokens: usize = lengths[batch.clone()].iter().sum();
                prop_assert!(tokens <= budget + 40 || batch.len() == 1, "{tokens} tokens");
            }
        }
    }
}
