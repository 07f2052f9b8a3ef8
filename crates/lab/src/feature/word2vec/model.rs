//! The two matrices, and one step of stochastic gradient descent on them.
//!
//! With `v` the input (a word, or the mean of some) and `u` the output vectors, a step lowers
//!
//! ```text
//! -ln sigmoid(u_target . v)  -  sum over negatives ln sigmoid(-u_negative . v)
//! ```

use super::math::{Random, Sigmoid, add_scaled, dot};
use crate::feature::vocabulary::Vocabulary;

/// A vector a word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix {
    width: usize,
    values: Vec<f32>,
}

/// Draws words of a shard by their count to the power 3/4.
pub(super) struct Noise(Vec<u32>);

/// What a step needs beside the vectors.
pub(super) struct Step<'a> {
    pub noise: &'a Noise,
    pub sigmoid: &'a Sigmoid,
    pub negative: usize,
    pub learning_rate: f32,
}

/// Room for one step's sums.
pub(super) struct Scratch {
    /// The input.
    pub input: Vec<f32>,
    /// What the input is to change by.
    pub change: Vec<f32>,
}

impl Matrix {
    pub(super) fn zeros(rows: usize, width: usize) -> Self {
        Self { width, values: vec![0.0; rows * width] }
    }

    /// Of values within half a `width`th of 0.
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

impl Noise {
    const SLOTS: usize = 1 << 18;

    /// Of the words whose number leaves `shard` when divided by `shards`, which are known by their place among them.
    pub(super) fn new(vocabulary: &Vocabulary, shard: usize, shards: usize) -> Self {
        let weights = || vocabulary.counts.iter().skip(shard).step_by(shards).map(|count| (*count as f64).powf(0.75));
        let total: f64 = weights().sum();
        let mut slots = Vec::with_capacity(Self::SLOTS);
        let mut before = 0.0;
        for (place, weight) in (0..).zip(weights()) {
            before += weight / total;
            slots.resize(((before * Self::SLOTS as f64) as usize).max(slots.len()), place);
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

    /// Takes the mean of `words`, which are not none, as the input.
    pub(super) fn average(&mut self, inputs: &Matrix, words: &[u32]) {
        self.input.fill(0.0);
        let share = 1.0 / words.len() as f32;
        words.iter().for_each(|word| add_scaled(&mut self.input, share, inputs.row(*word as usize)));
    }
}

/// The input predicts `target`: moves the outputs of the target and of the negatives, and tells how the input is to
/// change. The loss comes back.
pub(super) fn predict(
    outputs: &mut Matrix,
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
        let (sigmoid, target_loss) = step.sigmoid.of(score);
        loss += if is_target { target_loss } else { step.sigmoid.loss_against(score) };
        let slope = (f32::from(u8::from(is_target)) - sigmoid) * step.learning_rate;
        add_scaled(change, slope, output);
        add_scaled(output, slope, input);
    }
    loss
}
