//! The two matrices, and one step of stochastic gradient descent on them.
//!
//! With `v` the input (a word, or the mean of several) and `u` the output vectors, a step lowers
//!
//! ```text
//! -ln sigmoid(u_target . v)  -  sum over negatives ln sigmoid(-u_negative . v)
//! ```

use super::math::{Random, Sigmoid, add_scaled, dot};
use crate::feature::vocabulary::Vocabulary;

/// One vector per word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WordMatrix {
    width: usize,
    values: Vec<f32>,
}

/// Draws words of a shard by their count to the power 3/4.
pub(super) struct NoiseTable(Vec<u32>);

/// Parameters of a step, apart from the vectors.
pub(super) struct Step<'a> {
    pub noise: &'a NoiseTable,
    pub sigmoid: &'a Sigmoid,
    pub negative: usize,
    pub learning_rate: f32,
}

/// Buffers of one step.
pub(super) struct Scratch {
    /// The input vector.
    pub input: Vec<f32>,
    /// The update of the input vector.
    pub change: Vec<f32>,
}

impl WordMatrix {
    pub(super) fn zeros(rows: usize, width: usize) -> Self {
        Self { width, values: vec![0.0; rows * width] }
    }

    /// With values within half a `width`th of 0.
    pub(super) fn random(rows: usize, width: usize, mut random: Random) -> Self {
        let values = (0..rows * width).map(|_| ((random.unit() - 0.5) / width as f64) as f32).collect();
        Self { width, values }
    }

    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.width..(index + 1) * self.width]
    }

    pub(super) fn add(&mut self, index: usize, by: f32, change: &[f32]) {
        add_scaled(self.row_mut(index), by, change);
    }

    fn row_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.values[index * self.width..(index + 1) * self.width]
    }
}

impl NoiseTable {
    const SLOTS: usize = 1 << 18;

    /// For the words whose index leaves `shard` when divided by `shards`; each is identified by its position among
    /// them.
    pub(super) fn new(vocabulary: &Vocabulary, shard: usize, shards: usize) -> Self {
        let weights = || vocabulary.counts.iter().skip(shard).step_by(shards).map(|count| (*count as f64).powf(0.75));
        let total: f64 = weights().sum();
        let mut slots = Vec::with_capacity(Self::SLOTS);
        let mut before = 0.0;
        for (position, weight) in (0..).zip(weights()) {
            before += weight / total;
            slots.resize(((before * Self::SLOTS as f64) as usize).max(slots.len()), position);
        }
        Self(slots)
    }

    fn draw(&self, random: &mut Random) -> u32 {
        self.0.get(random.below(self.0.len())).copied().unwrap_or_default()
    }
}

impl Scratch {
    pub(super) fn new(width: usize) -> Self {
        Self { input: vec![0.0; width], change: vec![0.0; width] }
    }

    /// Makes the mean of `words`, which are not empty, the input.
    pub(super) fn average(&mut self, inputs: &WordMatrix, words: &[u32]) {
        self.input.fill(0.0);
        let share = 1.0 / words.len() as f32;
        words.iter().for_each(|word| add_scaled(&mut self.input, share, inputs.row(*word as usize)));
    }
}

/// Trains the input to predict `target`: updates the outputs of the target and of the negatives, and computes the
/// update of the input. Returns the loss.
pub(super) fn predict(
    outputs: &mut WordMatrix,
    target: u32,
    step: &Step<'_>,
    scratch: &mut Scratch,
    random: &mut Random,
) -> f32 {
    let Scratch { input, change } = scratch;
    change.fill(0.0);
    let mut loss = 0.0;
    for draw in 0..=step.negative {
        let is_target = draw == 0;
        let word = if is_target { target } else { step.noise.draw(random) };
        if !is_target && word == target {
            continue;
        }
        let output = outputs.row_mut(word as usize);
        let score = dot(input, output);
        let (sigmoid, target_loss) = step.sigmoid.value_and_loss(score);
        loss += if is_target { target_loss } else { step.sigmoid.loss_against(score) };
        let slope = (f32::from(u8::from(is_target)) - sigmoid) * step.learning_rate;
        add_scaled(change, slope, output);
        add_scaled(output, slope, input);
    }
    loss
}
