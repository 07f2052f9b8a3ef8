//! Epochs of rounds. Skip-gram's pairs are sorted into blocks by the shards of their words, so that threads never share
//! a vector (as in PyTorch-BigGraph, Lerer et al. 2019):
//!
//! ```text
//! sentences of a round -> pairs -> blocks [shard of inputs x shard of outputs]
//! turn t: shard i of the inputs is trained with shard i + t of the outputs, all i in parallel
//! ```
//!
//! Negatives are drawn from the outputs of the block. The result is that of one thread processing block after block:
//! the same texts and seed give the same bits on any number of cores, and nothing is averaged. CBOW's predictions need
//! inputs of many shards at once: it runs on one thread, where a step costs a sixth of skip-gram's.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::math::{Random, Sigmoid};
use super::model::{NoiseTable, Scratch, Step, WordMatrix, predict};
use super::{Architecture, Config, NAME, TrainedVectors};
use crate::feature::FeatureError;
use crate::feature::vectors::Vectors;
use crate::feature::vocabulary::{Sentences, Vocabulary};

/// Words are assigned to this many shards by their index, so that each shard has frequent and rare ones; CBOW has one.
/// Part of the result's bits.
const SHARDS: usize = 8;
/// Words whose pairs are sorted into blocks at a time. Part of the result's bits.
const WORDS_PER_ROUND: usize = 200_000;

/// What stays the same through all epochs.
struct Trainer<'a> {
    config: &'a Config,
    sentences: &'a Sentences,
    /// One per shard of outputs.
    noise: Vec<NoiseTable>,
    sigmoid: Sigmoid,
    /// The probability of keeping each word, by its index.
    keep: Vec<f32>,
}

/// Input and output vectors, one matrix per shard.
struct ShardedVectors {
    inputs: Vec<WordMatrix>,
    outputs: Vec<WordMatrix>,
}

/// Loss and number of predictions.
#[derive(Debug, Clone, Copy, Default)]
struct LossSum {
    loss: f64,
    predictions: u64,
}

pub(super) fn train(config: &Config, texts: &[&str], progress: &ProgressBar) -> Result<TrainedVectors, FeatureError> {
    let vocabulary = Vocabulary::build(texts.iter().copied(), config.min_count);
    if vocabulary.len() == 0 {
        let (texts, min) = (texts.len(), config.min_count);
        return Err(FeatureError::NoWord { featurizer: NAME, texts, min, name: "min_count" });
    }
    let sentences = vocabulary.sentences(texts.iter().copied());
    // A shard must have words to draw negatives from.
    let shards = if config.architecture == Architecture::Cbow { 1 } else { SHARDS.min(vocabulary.len()) };
    let noise = (0..shards).map(|shard| NoiseTable::new(&vocabulary, shard, shards)).collect();
    let keep = keep_probabilities(&vocabulary, config.sample);
    let trainer = Trainer { config, sentences: &sentences, noise, sigmoid: Sigmoid::new(), keep };
    let mut model = ShardedVectors::new(config, vocabulary.len(), shards);
    progress.set_length(config.epochs as u64);
    let mut loss = Vec::new();
    for epoch in 0..config.epochs {
        let sum = trainer.epoch(epoch, &mut model);
        loss.push(sum.loss / sum.predictions.max(1) as f64);
        progress.inc(1);
    }
    let values = model.vectors(vocabulary.len());
    if !values.iter().all(|value| value.is_finite()) {
        return Err(FeatureError::Diverged { featurizer: NAME, learning_rate: config.learning_rate });
    }
    Ok(TrainedVectors { vectors: Vectors { words: vocabulary.words, width: config.dimensions, values }, loss })
}

/// As the original program subsamples: `sqrt(t / f) + t / f` for a word with the share `f`, where `t` is `sample`.
fn keep_probabilities(vocabulary: &Vocabulary, sample: f64) -> Vec<f32> {
    let total = vocabulary.counts.iter().sum::<u64>() as f64;
    let probability = |count: &u64| {
        let ratio = sample * total / *count as f64;
        if sample > 0.0 { (ratio.sqrt() + ratio).min(1.0) as f32 } else { 1.0 }
    };
    vocabulary.counts.iter().map(probability).collect()
}

impl ShardedVectors {
    /// Small random inputs and zero outputs, as the original program starts.
    fn new(config: &Config, words: usize, shards: usize) -> Self {
        let (width, rows) = (config.dimensions, words.div_ceil(shards));
        let random = |shard: usize| Random::new(config.seed, [0, shard as u64, 0]);
        let inputs = (0..shards).map(|shard| WordMatrix::random(rows, width, random(shard))).collect();
        Self { inputs, outputs: vec![WordMatrix::zeros(rows, width); shards] }
    }

    /// The inputs in the order of the words' indices.
    fn vectors(&self, words: usize) -> Vec<f32> {
        let shards = self.inputs.len();
        (0..words).flat_map(|word| self.inputs[word % shards].row(word / shards).iter().copied()).collect()
    }
}

impl Trainer<'_> {
    fn epoch(&self, epoch: usize, model: &mut ShardedVectors) -> LossSum {
        let mut random = Random::new(self.config.seed, [1, epoch as u64, 0]);
        let mut order: Vec<usize> = (0..self.sentences.len()).collect();
        random.shuffle(&mut order);
        let a_round = order.len().div_ceil(self.sentences.words().div_ceil(WORDS_PER_ROUND).max(1)).max(1);
        let mut all = LossSum::default();
        for (round, sentences) in order.chunks(a_round).enumerate() {
            let done = (epoch * order.len() + round * a_round) as f32 / (self.config.epochs * order.len()) as f32;
            let learning_rate = self.config.learning_rate * (1.0 - done).max(1e-4);
            let sum = match self.config.architecture {
                Architecture::SkipGram => {
                    let blocks = self.pairs(sentences, &mut random);
                    let seed = random.next();
                    self.skip_gram(model, &blocks, learning_rate, seed)
                }
                Architecture::Cbow => self.cbow(model, sentences, learning_rate, &mut random),
            };
            all.add(sum);
        }
        all
    }

    /// Calls `visit` with each kept word of `sentences` and its neighbours.
    fn each_context(&self, sentences: &[usize], random: &mut Random, mut visit: impl FnMut(u32, &[u32], &mut Random)) {
        let (mut words, mut context) = (Vec::new(), Vec::new());
        for sentence in sentences {
            words.clear();
            let kept = |word: &u32| self.keep.get(*word as usize).is_some_and(|keep| random.unit() < f64::from(*keep));
            words.extend(self.sentences.get(*sentence).iter().copied().filter(kept));
            for (at, word) in words.iter().enumerate() {
                let reach = 1 + random.below(self.config.window);
                context.clear();
                context.extend(words.iter().take(at).skip(at.saturating_sub(reach)));
                context.extend(words.iter().skip(at + 1).take(reach));
                if !context.is_empty() {
                    visit(*word, &context, random);
                }
            }
        }
    }

    /// By shard of the input, then by shard of the output: the positions of the pairs.
    fn pairs(&self, sentences: &[usize], random: &mut Random) -> Vec<Vec<Vec<(u32, u32)>>> {
        let shards = self.noise.len();
        let mut blocks = vec![vec![Vec::new(); shards]; shards];
        self.each_context(sentences, random, |word, context, _| {
            for neighbour in context {
                let (input, output) = (*neighbour as usize, word as usize);
                blocks[input % shards][output % shards].push(((input / shards) as u32, (output / shards) as u32));
            }
        });
        blocks
    }

    fn skip_gram(
        &self,
        model: &mut ShardedVectors,
        blocks: &[Vec<Vec<(u32, u32)>>],
        learning_rate: f32,
        seed: u64,
    ) -> LossSum {
        let shards = self.noise.len();
        let mut all = LossSum::default();
        for turn in 0..shards {
            // After `turn` rotations the outputs at `index` belong to the shard `index + turn`.
            let pairings = model.inputs.par_iter_mut().zip(&mut model.outputs).zip(blocks).enumerate();
            let sums: Vec<LossSum> = pairings
                .map(|(index, ((inputs, outputs), blocks))| {
                    let other = (index + turn) % shards;
                    let mut random = Random::new(seed, [2, turn as u64, index as u64]);
                    self.learn_block(inputs, outputs, &blocks[other], &self.step(other, learning_rate), &mut random)
                })
                .collect();
            sums.into_iter().for_each(|sum| all.add(sum));
            model.outputs.rotate_left(1);
        }
        all
    }

    fn learn_block(
        &self,
        inputs: &mut WordMatrix,
        outputs: &mut WordMatrix,
        block: &[(u32, u32)],
        step: &Step<'_>,
        random: &mut Random,
    ) -> LossSum {
        let mut scratch = Scratch::new(self.config.dimensions);
        let mut sum = LossSum::default();
        for (input, target) in block {
            scratch.input.copy_from_slice(inputs.row(*input as usize));
            sum.loss += f64::from(predict(outputs, *target, step, &mut scratch, random));
            inputs.add(*input as usize, 1.0, &scratch.change);
        }
        sum.predictions = block.len() as u64;
        sum
    }

    fn cbow(
        &self,
        model: &mut ShardedVectors,
        sentences: &[usize],
        learning_rate: f32,
        random: &mut Random,
    ) -> LossSum {
        let mut scratch = Scratch::new(self.config.dimensions);
        let mut sum = LossSum::default();
        let (Some(inputs), Some(outputs)) = (model.inputs.first_mut(), model.outputs.first_mut()) else { return sum };
        let step = self.step(0, learning_rate);
        self.each_context(sentences, random, |target, context, random| {
            scratch.average(inputs, context);
            sum.loss += f64::from(predict(outputs, target, &step, &mut scratch, random));
            sum.predictions += 1;
            context.iter().for_each(|word| inputs.add(*word as usize, 1.0, &scratch.change));
        });
        sum
    }

    fn step(&self, shard: usize, learning_rate: f32) -> Step<'_> {
        let (noise, sigmoid, negative) = (&self.noise[shard], &self.sigmoid, self.config.negative);
        Step { noise, sigmoid, negative, learning_rate }
    }
}

impl LossSum {
    fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.predictions += other.predictions;
    }
}
