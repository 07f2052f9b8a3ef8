//! Epochs of rounds. Skip-gram's pairs are dealt into blocks by the shards of their words, so that threads never share a
//! vector (as PyTorch-BigGraph does, Lerer et al. 2019):
//!
//! ```text
//! sentences of a round -> pairs -> blocks [shard of inputs x shard of outputs]
//! turn t: shard i of the inputs meets shard i + t of the outputs, all i side by side
//! ```
//!
//! Negatives are drawn from the outputs of the block. The outcome is that of one thread taking block after block: the
//! same texts and seed give the same bits on any number of cores, and nothing is averaged. CBOW's predictions need
//! inputs of many shards at once: it runs on one thread, where a step costs a sixth of skip-gram's.

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::math::{Random, Sigmoid};
use super::model::{Matrix, Noise, Scratch, Step, predict};
use super::{Architecture, Config, NAME, Trained};
use crate::feature::FeatureError;
use crate::feature::vectors::Vectors;
use crate::feature::vocabulary::{Sentences, Vocabulary};

/// Words are dealt to so many shards by their number, so that frequent and rare ones are in each; CBOW has one. Part of
/// the result's bits.
const SHARDS: usize = 8;
/// Words whose pairs are dealt into blocks at a time. Part of the result's bits.
const WORDS_A_ROUND: usize = 200_000;

/// What stays the same through all epochs.
struct Training<'a> {
    config: &'a Config,
    sentences: &'a Sentences,
    /// One a shard of outputs.
    noise: Vec<Noise>,
    sigmoid: Sigmoid,
    /// How likely each word is kept, by its number.
    keep: Vec<f32>,
}

/// Input and output vectors, a matrix a shard.
struct Model {
    inputs: Vec<Matrix>,
    outputs: Vec<Matrix>,
}

/// Loss and predictions.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    loss: f64,
    predictions: u64,
}

pub(super) fn train(config: &Config, texts: &[&str], progress: &ProgressBar) -> Result<Trained, FeatureError> {
    let vocabulary = Vocabulary::of(texts.iter().copied(), config.min_count);
    if vocabulary.len() == 0 {
        let (texts, least) = (texts.len(), config.min_count);
        return Err(FeatureError::NoWord { embedding: NAME, texts, least, name: "min_count" });
    }
    let sentences = vocabulary.sentences(texts.iter().copied());
    // A shard must have words to draw negatives from.
    let shards = if config.architecture == Architecture::Cbow { 1 } else { SHARDS.min(vocabulary.len()) };
    let noise = (0..shards).map(|shard| Noise::new(&vocabulary, shard, shards)).collect();
    let keep = kept(&vocabulary, config.sample);
    let training = Training { config, sentences: &sentences, noise, sigmoid: Sigmoid::new(), keep };
    let mut model = Model::new(config, vocabulary.len(), shards);
    progress.set_length(config.epochs as u64);
    let mut loss = Vec::new();
    for epoch in 0..config.epochs {
        let tally = training.epoch(epoch, &mut model);
        loss.push(tally.loss / tally.predictions.max(1) as f64);
        progress.inc(1);
    }
    let values = model.vectors(vocabulary.len());
    if !values.iter().all(|value| value.is_finite()) {
        return Err(FeatureError::Diverged { embedding: NAME, learning_rate: config.learning_rate });
    }
    Ok(Trained { vectors: Vectors { words: vocabulary.words, width: config.dimensions, values }, loss })
}

/// As the original program subsamples: `sqrt(t / f) + t / f` for a word that makes the share `f`, `t` being `sample`.
fn kept(vocabulary: &Vocabulary, sample: f64) -> Vec<f32> {
    let total = vocabulary.counts.iter().sum::<u64>() as f64;
    let of = |count: &u64| {
        let ratio = sample * total / *count as f64;
        if sample > 0.0 { (ratio.sqrt() + ratio).min(1.0) as f32 } else { 1.0 }
    };
    vocabulary.counts.iter().map(of).collect()
}

impl Model {
    /// Small random inputs and outputs of 0, as the original program begins.
    fn new(config: &Config, words: usize, shards: usize) -> Self {
        let (width, rows) = (config.dimensions, words.div_ceil(shards));
        let random = |shard: usize| Random::new(config.seed, [0, shard as u64, 0]);
        let inputs = (0..shards).map(|shard| Matrix::random(rows, width, random(shard))).collect();
        Self { inputs, outputs: vec![Matrix::zeros(rows, width); shards] }
    }

    /// The inputs by the numbers of their words.
    fn vectors(&self, words: usize) -> Vec<f32> {
        let shards = self.inputs.len();
        (0..words).flat_map(|word| self.inputs[word % shards].row(word / shards).iter().copied()).collect()
    }
}

impl Training<'_> {
    fn epoch(&self, epoch: usize, model: &mut Model) -> Tally {
        let mut random = Random::new(self.config.seed, [1, epoch as u64, 0]);
        let mut order: Vec<usize> = (0..self.sentences.len()).collect();
        random.shuffle(&mut order);
        let a_round = order.len().div_ceil(self.sentences.words().div_ceil(WORDS_A_ROUND).max(1)).max(1);
        let mut all = Tally::default();
        for (round, sentences) in order.chunks(a_round).enumerate() {
            let done = (epoch * order.len() + round * a_round) as f32 / (self.config.epochs * order.len()) as f32;
            let learning_rate = self.config.learning_rate * (1.0 - done).max(1e-4);
            let tally = match self.config.architecture {
                Architecture::SkipGram => {
                    let blocks = self.pairs(sentences, &mut random);
                    let seed = random.next();
                    self.skip_gram(model, &blocks, learning_rate, seed)
                }
                Architecture::Cbow => self.cbow(model, sentences, learning_rate, &mut random),
            };
            all.add(tally);
        }
        all
    }

    /// Hands each kept word of `sentences` and its neighbours to `visit`.
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

    /// Each input's shard, each output's shard, and there the places of the pairs.
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

    fn skip_gram(&self, model: &mut Model, blocks: &[Vec<Vec<(u32, u32)>>], learning_rate: f32, seed: u64) -> Tally {
        let shards = self.noise.len();
        let mut all = Tally::default();
        for turn in 0..shards {
            // After `turn` rotations the outputs at `index` are those of the shard `index + turn`.
            let meetings = model.inputs.par_iter_mut().zip(&mut model.outputs).zip(blocks).enumerate();
            let tallies: Vec<Tally> = meetings
                .map(|(index, ((inputs, outputs), blocks))| {
                    let other = (index + turn) % shards;
                    let mut random = Random::new(seed, [2, turn as u64, index as u64]);
                    self.learn_block(inputs, outputs, &blocks[other], &self.step(other, learning_rate), &mut random)
                })
                .collect();
            tallies.into_iter().for_each(|tally| all.add(tally));
            model.outputs.rotate_left(1);
        }
        all
    }

    fn learn_block(
        &self,
        inputs: &mut Matrix,
        outputs: &mut Matrix,
        block: &[(u32, u32)],
        step: &Step<'_>,
        random: &mut Random,
    ) -> Tally {
        let mut scratch = Scratch::new(self.config.dimensions);
        let mut tally = Tally::default();
        for (input, target) in block {
            scratch.input.copy_from_slice(inputs.row(*input as usize));
            tally.loss += f64::from(predict(outputs, *target, step, &mut scratch, random));
            inputs.add(*input as usize, 1.0, &scratch.change);
        }
        tally.predictions = block.len() as u64;
        tally
    }

    fn cbow(&self, model: &mut Model, sentences: &[usize], learning_rate: f32, random: &mut Random) -> Tally {
        let mut scratch = Scratch::new(self.config.dimensions);
        let mut tally = Tally::default();
        let (Some(inputs), Some(outputs)) = (model.inputs.first_mut(), model.outputs.first_mut()) else { return tally };
        let step = self.step(0, learning_rate);
        self.each_context(sentences, random, |target, context, random| {
            scratch.average(inputs, context);
            tally.loss += f64::from(predict(outputs, target, &step, &mut scratch, random));
            tally.predictions += 1;
            context.iter().for_each(|word| inputs.add(*word as usize, 1.0, &scratch.change));
        });
        tally
    }

    fn step(&self, shard: usize, learning_rate: f32) -> Step<'_> {
        let (noise, sigmoid, negative) = (&self.noise[shard], &self.sigmoid, self.config.negative);
        Step { noise, sigmoid, negative, learning_rate }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.predictions += other.predictions;
    }
}
