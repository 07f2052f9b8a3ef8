//! AdaGrad on the weighted least squares of GloVe:
//!
//! ```text
//! sum over pairs  f(x) * (w . c + b_w + b_c - ln x)^2 / 2,   f(x) = min(1, (x / x_max)^alpha)
//! ```
//!
//! Words and neighbours are sharded. An epoch has one turn per shard; in each turn every shard of words is paired with
//! another shard of neighbours, so that no two threads share a vector: the result is that of one thread.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::cooccurrence::{Pair, SHARDS, count};
use super::{Config, NAME};
use crate::feature::FeatureError;
use crate::feature::vectors::Vectors;
use crate::feature::vocabulary::Vocabulary;
use crate::feature::word2vec::{Random, TrainedVectors, dot};

/// Vectors of a shard's words, each followed by its bias, and AdaGrad's sums of squares.
#[derive(Debug, Clone)]
struct Shard {
    values: Vec<f32>,
    squares: Vec<f32>,
}

pub(super) fn train(config: &Config, texts: &[&str], progress: &ProgressBar) -> Result<TrainedVectors, FeatureError> {
    let vocabulary = Vocabulary::build(texts.iter().copied(), config.min_count);
    if vocabulary.len() == 0 {
        let (texts, min) = (texts.len(), config.min_count);
        return Err(FeatureError::NoWord { featurizer: NAME, texts, min, name: "min_count" });
    }
    progress.set_length(config.epochs as u64 + 1);
    let blocks = count(&vocabulary.sentences(texts.iter().copied()), config.window, config.seed);
    progress.inc(1);
    let pairs: usize = blocks.iter().flatten().map(Vec::len).sum();
    let mut words = shards(vocabulary.len(), config, 4);
    let mut neighbours = shards(vocabulary.len(), config, 5);
    let mut loss = Vec::new();
    for _ in 0..config.epochs {
        let mut sum = 0.0;
        for turn in 0..SHARDS {
            let pairings = words.par_iter_mut().zip(&mut neighbours).zip(&blocks).enumerate();
            let losses: Vec<f64> = pairings
                .map(|(index, ((words, neighbours), blocks))| {
                    let block = blocks.get((index + turn) % SHARDS).map(Vec::as_slice).unwrap_or_default();
                    train_block(config, words, neighbours, block)
                })
                .collect();
            sum += losses.iter().sum::<f64>();
            neighbours.rotate_left(1);
        }
        loss.push(sum / pairs.max(1) as f64);
        progress.inc(1);
    }
    let values = sum_vectors(vocabulary.len(), config.dimensions, &words, &neighbours);
    if !values.iter().all(|value| value.is_finite()) {
        return Err(FeatureError::Diverged { featurizer: NAME, learning_rate: config.learning_rate });
    }
    Ok(TrainedVectors { vectors: Vectors { words: vocabulary.words, width: config.dimensions, values }, loss })
}

/// Small random values; sums of squares start at 1, as in the original program.
fn shards(words: usize, config: &Config, stream: u64) -> Vec<Shard> {
    let width = config.dimensions + 1;
    let shard = |shard: usize| {
        let mut random = Random::new(config.seed, [stream, shard as u64, 0]);
        let count = words.div_ceil(SHARDS) * width;
        let values = (0..count).map(|_| ((random.unit() - 0.5) / width as f64) as f32).collect();
        Shard { values, squares: vec![1.0; count] }
    };
    (0..SHARDS).map(shard).collect()
}

/// One pass over a block; returns its loss.
fn train_block(config: &Config, words: &mut Shard, neighbours: &mut Shard, block: &[Pair]) -> f64 {
    /// Gradients are clipped to this, as in the original program.
    const MAX_GRADIENT: f32 = 100.0;
    let (rate, width) = (config.learning_rate, config.dimensions + 1);
    let mut loss = 0.0;
    for pair in block {
        let bounds = |place: u32| place as usize * width..(place as usize + 1) * width;
        let (word, neighbour) = (bounds(pair.word), bounds(pair.neighbour));
        let (w, w_squares) = (&mut words.values[word.clone()], &mut words.squares[word]);
        let (c, c_squares) = (&mut neighbours.values[neighbour.clone()], &mut neighbours.squares[neighbour]);
        let ([w @ .., w_bias], [w_squares @ .., w_bias_square]) = (w, w_squares) else { continue };
        let ([c @ .., c_bias], [c_squares @ .., c_bias_square]) = (c, c_squares) else { continue };
        let error = dot(w, c) + *w_bias + *c_bias - pair.times.ln();
        let weight = if pair.times < config.x_max { (pair.times / config.x_max).powf(config.alpha) } else { 1.0 };
        let slope = (weight * error).clamp(-MAX_GRADIENT, MAX_GRADIENT);
        loss += f64::from(0.5 * weight * error * error);
        for (((w, c), w_square), c_square) in w.iter_mut().zip(c).zip(w_squares).zip(c_squares) {
            let (of_w, of_c) = (slope * *c, slope * *w);
            *w -= rate * of_w / w_square.sqrt();
            *c -= rate * of_c / c_square.sqrt();
            *w_square += of_w * of_w;
            *c_square += of_c * of_c;
        }
        *w_bias -= rate * slope / w_bias_square.sqrt();
        *c_bias -= rate * slope / c_bias_square.sqrt();
        *w_bias_square += slope * slope;
        *c_bias_square += slope * slope;
    }
    loss
}

/// Each word's vectors as word and as neighbour, added up, without biases.
fn sum_vectors(count: usize, dimensions: usize, words: &[Shard], neighbours: &[Shard]) -> Vec<f32> {
    let mut values = Vec::with_capacity(count * dimensions);
    for number in 0..count {
        let from = number / SHARDS * (dimensions + 1);
        let (w, c) = (&words[number % SHARDS].values, &neighbours[number % SHARDS].values);
        let (w, c) = (&w[from..from + dimensions], &c[from..from + dimensions]);
        values.extend(w.iter().zip(c).map(|(w, c)| w + c));
    }
    values
}
