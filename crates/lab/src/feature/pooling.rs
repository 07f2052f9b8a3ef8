//! [`WordPooling`]: one row per post, from the vectors of its words.

use std::collections::HashMap;

use rayon::prelude::*;

use super::vectors::Vectors;
use super::vocabulary::words;
use crate::matrix::{Dense, Matrix};

/// How a post's words become one row. A post without a known word is all 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordPooling {
    /// The mean; a word counts as often as it occurs.
    Mean,
    /// The mean weighted by each word's inverse document frequency in the training posts.
    Idf,
    /// The mean weighted by `a / (a + p(word))`, a = 0.001: smooth inverse frequency (Arora et al. 2017), without its
    /// removal of the first principal component.
    Sif,
    /// The mean, then the largest value of each dimension, then the smallest: three times as wide.
    MeanMaxMin,
    /// Like `MeanMaxMin`, then the mean by inverse document frequency and the sum: five times as wide.
    All,
}

impl WordPooling {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Idf => "idf",
            Self::Sif => "sif",
            Self::MeanMaxMin => "mean_max_min",
            Self::All => "mean_max_min_idf_sum",
        }
    }

    fn parts(self) -> usize {
        match self {
            Self::Mean | Self::Idf | Self::Sif => 1,
            Self::MeanMaxMin => 3,
            Self::All => 5,
        }
    }
}

/// Words to look up, with their weights.
pub(super) struct Pooler<'a> {
    vectors: &'a Vectors,
    /// The index and the weight of each word.
    words: HashMap<&'a str, (usize, f32)>,
    pooling: WordPooling,
}

impl<'a> Pooler<'a> {
    /// Weights are computed from `training` posts.
    pub(super) fn new(pooling: WordPooling, vectors: &'a Vectors, training: &[&str]) -> Self {
        let weigh = weights(pooling, training);
        let places = vectors.words.iter().enumerate();
        let words = places.map(|(place, word)| (word.as_str(), (place, weigh(word)))).collect();
        Self { vectors, words, pooling }
    }

    /// One row per text.
    pub(super) fn rows(&self, texts: &[&str]) -> Matrix {
        let width = self.vectors.width * self.pooling.parts();
        let mut values = vec![0.0; texts.len() * width];
        values.par_chunks_mut(width.max(1)).zip(texts).for_each(|(row, text)| self.row(text, row));
        Matrix::Dense(Dense { width, values })
    }

    fn row(&self, text: &str, row: &mut [f32]) {
        let width = self.vectors.width;
        let known: Vec<(usize, f32)> = words(text).filter_map(|word| self.words.get(word).copied()).collect();
        let vector = |place: usize| self.vectors.values.get(place * width..(place + 1) * width).unwrap_or_default();
        let count = known.len() as f32;
        let total: f32 = known.iter().map(|(_, weight)| weight).sum();
        let mut parts = row.chunks_mut(width.max(1));
        let mut fold = |start: f32, by: &dyn Fn(f32, f32, f32) -> f32| {
            let Some(part) = parts.next().filter(|_| !known.is_empty()) else { return };
            part.fill(start);
            for (place, weight) in &known {
                part.iter_mut().zip(vector(*place)).for_each(|(part, value)| *part = by(*part, *value, *weight));
            }
        };
        let weighted = |sum: f32, value: f32, weight: f32| sum + value * (weight / total);
        match self.pooling {
            WordPooling::Mean | WordPooling::Idf | WordPooling::Sif => fold(0.0, &weighted),
            WordPooling::MeanMaxMin | WordPooling::All => {
                fold(0.0, &|sum, value, _| sum + value / count);
                fold(f32::NEG_INFINITY, &|largest, value, _| largest.max(value));
                fold(f32::INFINITY, &|smallest, value, _| smallest.min(value));
                fold(0.0, &weighted);
                fold(0.0, &|sum, value, _| sum + value);
            }
        }
    }
}

/// The weight of a word, above 0.
fn weights(pooling: WordPooling, training: &[&str]) -> impl Fn(&str) -> f32 {
    const SMOOTHING: f64 = 1e-3;
    let mut times = HashMap::<String, (u64, usize, usize)>::new();
    let (texts, mut total) = (training.len() + 1, 0_u64);
    if matches!(pooling, WordPooling::Idf | WordPooling::Sif | WordPooling::All) {
        for (index, text) in (1..).zip(training) {
            for word in words(text) {
                if !times.contains_key(word) {
                    times.insert(word.to_owned(), (0, 0, 0));
                }
                if let Some((times, texts, last)) = times.get_mut(word) {
                    *times += 1;
                    *texts += usize::from(*last != index);
                    *last = index;
                }
                total += 1;
            }
        }
    }
    move |word| {
        let (times, with_word, _) = times.get(word).copied().unwrap_or_default();
        let weight = match pooling {
            WordPooling::Mean | WordPooling::MeanMaxMin => 1.0,
            WordPooling::Idf | WordPooling::All => (texts as f64 / (1 + with_word) as f64).ln() + 1.0,
            WordPooling::Sif => SMOOTHING / (SMOOTHING + times as f64 / total.max(1) as f64),
        };
        weight as f32
    }
}
