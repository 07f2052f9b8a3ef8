//! [`GridFeatures`]: the features of one featurizer, computed once and shared by its three runs.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::combination::FeaturizerKind;
use super::{CleanedPosts, ComparisonData, GridSettings};
use crate::feature::{Featurizer, Texts, TrainTestFeatures, glove, tfidf, word2vec};
use crate::matrix::{Dense, Matrix};
use crate::run_record::Params;
use crate::{Dataset, LabError, LabelledPost, encoder_cache};
use vigie_reading::text::Profile;

/// Training and test features of one featurizer.
pub(super) struct GridFeatures {
    pub(super) features: TrainTestFeatures,
    pub(super) params: Params,
    /// How the texts were cleaned.
    pub(super) profile: Profile,
    pub(super) duration: Duration,
}

impl GridFeatures {
    pub(super) fn compute(
        kind: FeaturizerKind,
        data: &ComparisonData,
        settings: &GridSettings,
        progress: &ProgressBar,
    ) -> Result<Self, LabError> {
        let clock = Instant::now();
        let (features, params, profile) = match word_featurizer(kind, settings) {
            Some(featurizer) => {
                let (train, test) = (data.train.texts(Profile::Words), data.test.texts(Profile::Words));
                let corpus: Vec<&str> = data.corpus.iter().map(String::as_str).collect();
                let texts = Texts { train: &train, test: &test, corpus: &corpus };
                (featurizer.fit_transform(texts, progress)?, featurizer.params(), Profile::Words)
            }
            None => {
                let (features, params) = distilbert(data, settings, progress)?;
                (features, params, Profile::Transformer)
            }
        };
        Ok(Self { features, params, profile, duration: clock.elapsed() })
    }
}

/// TF-IDF and the word vectors; `None` for the encoder.
fn word_featurizer(
    kind: FeaturizerKind,
    GridSettings { seed, glove, word2vec, .. }: &GridSettings,
) -> Option<Featurizer> {
    let seed = *seed;
    match kind {
        FeaturizerKind::TfIdf => Some(Featurizer::TfIdf(tfidf::Config::default())),
        FeaturizerKind::Word2Vec => {
            let vectors = word2vec.clone();
            Some(Featurizer::Word2Vec(word2vec::Config { vectors, seed, ..word2vec::Config::default() }))
        }
        FeaturizerKind::Glove => {
            let vectors = glove.clone();
            Some(Featurizer::Glove(glove::Config { vectors, seed, ..glove::Config::default() }))
        }
        FeaturizerKind::DistilBert => None,
    }
}

/// The encoder's pooled vectors, as the product's own head reads them.
fn distilbert(
    data: &ComparisonData,
    settings: &GridSettings,
    progress: &ProgressBar,
) -> Result<(TrainTestFeatures, Params), LabError> {
    progress.set_length((data.train.labels.len() + data.test.labels.len()) as u64);
    let encoder = encoder_cache::EncoderCache::open(&settings.model, settings.cache.as_deref(), progress)?;
    let width = encoder.width();
    let encode = |side: &CleanedPosts| -> Result<Matrix, LabError> {
        Ok(Matrix::Dense(Dense { width, values: encoder.encode(&dataset(side))? }))
    };
    let (train, test) = (encode(&data.train)?, encode(&data.test)?);
    let params = [("distilbert_model", encoder.name().to_owned()), ("distilbert_width", width.to_string())];
    let params = params.map(|(name, value)| (name.to_owned(), value)).into();
    Ok((TrainTestFeatures { train, test, epochs: Default::default() }, params))
}

fn dataset(side: &CleanedPosts) -> Dataset {
    let posts = side.transformer.iter().zip(&side.labels);
    let posts = posts.map(|(text, label)| LabelledPost { text: text.clone(), label: *label, reason: None }).collect();
    Dataset { posts, rejected: 0, sha256: String::new() }
}
