//! TF-IDF of words and word n-grams, by the definitions of scikit-learn's `TfidfVectorizer`:
//!
//! ```text
//! tf    = count, or 1 + ln(count) if sublinear
//! idf   = ln((1 + texts) / (1 + texts with the term)) + 1 if smooth, else ln(texts / texts with the term) + 1
//! value = tf * idf, each row then divided by its Euclidean length
//! ```

use std::collections::HashMap;

use indicatif::ProgressBar;
use rayon::prelude::*;

use super::{FeatureError, Texts, TrainTestFeatures, check};
use crate::matrix::{Matrix, Sparse};
use crate::run_record::{Params, Series};

pub(super) const NAME: &str = "TFIDF";

/// Settings, by scikit-learn's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Minimum and maximum number of words per term; at least 1.
    pub ngram_range: (usize, usize),
    /// Minimum number of texts that contain the term.
    pub min_df: usize,
    /// Keeps only the most frequent terms, this many; all if unset.
    pub max_features: Option<usize>,
    pub sublinear_tf: bool,
    pub smooth_idf: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { ngram_range: (1, 2), min_df: 2, max_features: Some(20_000), sublinear_tf: true, smooth_idf: true }
    }
}

/// A fitted vectorizer: its terms and their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct TfIdf {
    config: Config,
    /// In alphabetical order: the index of a term is its column.
    terms: Vec<String>,
    columns: HashMap<String, u32>,
    /// One per term.
    idf: Vec<f32>,
}

/// How often a term occurs.
#[derive(Debug, Clone, Copy)]
struct TermCounts {
    texts: usize,
    times: usize,
    last_text: usize,
}

impl Config {
    pub(super) fn params(&self) -> Params {
        let (min_words, max_words) = self.ngram_range;
        let max_features = self.max_features.map_or("all".to_owned(), |max| max.to_string());
        Params::from([
            ("tfidf_ngram_range".to_owned(), format!("{min_words}-{max_words}")),
            ("tfidf_min_df".to_owned(), self.min_df.to_string()),
            ("tfidf_max_features".to_owned(), max_features),
            ("tfidf_sublinear_tf".to_owned(), self.sublinear_tf.to_string()),
            ("tfidf_smooth_idf".to_owned(), self.smooth_idf.to_string()),
            ("tfidf_norm".to_owned(), "l2".to_owned()),
        ])
    }

    pub(super) fn fit_transform(
        &self,
        texts: Texts<'_>,
        progress: &ProgressBar,
    ) -> Result<TrainTestFeatures, FeatureError> {
        progress.set_length(3);
        let tfidf = self.fit(texts.train)?;
        progress.inc(1);
        let train = Matrix::Sparse(tfidf.transform(texts.train));
        progress.inc(1);
        let test = Matrix::Sparse(tfidf.transform(texts.test));
        progress.inc(1);
        Ok(TrainTestFeatures { train, test, epochs: Series::new() })
    }

    /// Fits to `texts`, words separated by single spaces.
    pub fn fit(&self, texts: &[&str]) -> Result<TfIdf, FeatureError> {
        self.check()?;
        let mut seen: HashMap<&str, TermCounts> = HashMap::new();
        for (index, text) in texts.iter().enumerate() {
            self.each_term(text, |term| {
                let seen = seen.entry(term).or_insert(TermCounts { texts: 0, times: 0, last_text: usize::MAX });
                seen.texts += usize::from(seen.last_text != index);
                seen.last_text = index;
                seen.times += 1;
            });
        }
        let mut kept: Vec<(&str, TermCounts)> =
            seen.into_iter().filter(|(_, seen)| seen.texts >= self.min_df).collect();
        if let Some(max) = self.max_features.filter(|max| *max < kept.len()) {
            kept.sort_unstable_by(|(a, first), (b, second)| second.times.cmp(&first.times).then(a.cmp(b)));
            kept.truncate(max);
        }
        if kept.is_empty() {
            let (texts, min) = (texts.len(), self.min_df);
            return Err(FeatureError::NoWord { featurizer: NAME, texts, min, name: "min_df" });
        }
        kept.sort_unstable_by_key(|(term, _)| *term);
        let idf = kept.iter().map(|(_, seen)| self.idf(texts.len(), seen.texts)).collect();
        let terms: Vec<String> = kept.iter().map(|(term, _)| (*term).to_owned()).collect();
        let columns = terms.iter().cloned().zip(0..).collect();
        Ok(TfIdf { config: self.clone(), terms, columns, idf })
    }

    fn check(&self) -> Result<(), FeatureError> {
        let (min_words, max_words) = self.ngram_range;
        let holds = 1 <= min_words && min_words <= max_words && max_words <= 8;
        check(NAME, "ngram_range", &format!("{min_words}-{max_words}"), holds, "a range within 1-8, such as 1-2")?;
        check(NAME, "min_df", &self.min_df, self.min_df >= 1, "1 or more")?;
        check(NAME, "max_features", &0, self.max_features != Some(0), "1 or more, or none for all")
    }

    fn idf(&self, texts: usize, with_term: usize) -> f32 {
        let smooth = if self.smooth_idf { 1.0 } else { 0.0 };
        (((texts as f64 + smooth) / (with_term as f64 + smooth)).ln() + 1.0) as f32
    }

    /// Calls `visit` with every occurrence of a term in `text`.
    fn each_term<'a>(&self, text: &'a str, mut visit: impl FnMut(&'a str)) {
        let (min_words, max_words) = self.ngram_range;
        let words: Vec<(usize, usize)> = word_bounds(text).collect();
        for count in min_words..=max_words {
            for run in words.windows(count) {
                let bounds = run.first().zip(run.last()).map(|(first, last)| first.0..last.1);
                bounds.and_then(|bounds| text.get(bounds)).into_iter().for_each(&mut visit);
            }
        }
    }
}

/// The start of each word and its end (exclusive), in bytes.
fn word_bounds(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    text.split(' ').filter_map(move |word| {
        let from = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((from, from + word.len()))
    })
}

impl TfIdf {
    /// The terms, in the order of their columns.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// One row per text; terms that were not fitted are ignored.
    pub fn transform(&self, texts: &[&str]) -> Sparse {
        let rows: Vec<Vec<(u32, f32)>> = texts.par_iter().map(|text| self.row(text)).collect();
        let mut sparse = Sparse { width: self.terms.len(), starts: vec![0], columns: Vec::new(), values: Vec::new() };
        for row in rows {
            sparse.columns.extend(row.iter().map(|(column, _)| *column));
            sparse.values.extend(row.iter().map(|(_, value)| *value));
            sparse.starts.push(sparse.columns.len());
        }
        sparse
    }

    fn row(&self, text: &str) -> Vec<(u32, f32)> {
        let mut found: Vec<u32> = Vec::new();
        self.config.each_term(text, |term| found.extend(self.columns.get(term)));
        found.sort_unstable();
        let mut row: Vec<(u32, f32)> = found
            .chunk_by(|a, b| a == b)
            .filter_map(|same| {
                let column = *same.first()?;
                let tf = if self.config.sublinear_tf { 1.0 + (same.len() as f32).ln() } else { same.len() as f32 };
                Some((column, tf * self.idf.get(column as usize)?))
            })
            .collect();
        let length = row.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
        row.iter_mut().for_each(|(_, value)| *value /= length);
        row
    }
}

#[cfg(test)]
mod tests;
