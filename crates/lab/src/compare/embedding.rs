//! [`Features`]: what one embedding makes of the texts, once for its three runs.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::combination::EmbeddingKind;
use super::{Data, Settings, Side};
use crate::feature::{Embedded, Embedding, Texts, glove, tfidf, word2vec};
use crate::matrix::{Dense, Matrix};
use crate::run_record::Params;
use crate::{Dataset, LabError, Labelled, encoder_cache};
use vigie_reading::text::Profile;

/// Both sides as one embedding sees them.
pub(super) struct Features {
    pub(super) embedded: Embedded,
    pub(super) params: Params,
    /// How the texts were cleaned before.
    pub(super) profile: Profile,
    pub(super) duration: Duration,
}

impl Features {
    pub(super) fn make(
        kind: EmbeddingKind,
        data: &Data,
        settings: &Settings,
        progress: &ProgressBar,
    ) -> Result<Self, LabError> {
        let clock = Instant::now();
        let (embedded, params, profile) = match of_words(kind, settings) {
            Some(embedding) => {
                let (train, test) = (data.train.texts(Profile::Words), data.test.texts(Profile::Words));
                let corpus: Vec<&str> = data.corpus.iter().map(String::as_str).collect();
                let texts = Texts { train: &train, test: &test, corpus: &corpus };
                (embedding.embed(texts, progress)?, embedding.params(), Profile::Words)
            }
            None => {
                let (embedded, params) = distilbert(data, settings, progress)?;
                (embedded, params, Profile::Transformer)
            }
        };
        Ok(Self { embedded, params, profile, duration: clock.elapsed() })
    }
}

/// The embeddings that count or train; none for the encoder.
fn of_words(kind: EmbeddingKind, Settings { seed, glove, word2vec, .. }: &Settings) -> Option<Embedding> {
    let seed = *seed;
    match kind {
        EmbeddingKind::TfIdf => Some(Embedding::TfIdf(tfidf::Config::default())),
        EmbeddingKind::Word2Vec => {
            let vectors = word2vec.clone();
            Some(Embedding::Word2Vec(word2vec::Config { vectors, seed, ..word2vec::Config::default() }))
        }
        EmbeddingKind::Glove => {
            let vectors = glove.clone();
            Some(Embedding::Glove(glove::Config { vectors, seed, ..glove::Config::default() }))
        }
        EmbeddingKind::DistilBert => None,
    }
}

/// The encoder's pooled vectors, as the product's own head reads them.
fn distilbert(data: &Data, settings: &Settings, progress: &ProgressBar) -> Result<(Embedded, Params), LabError> {
    progress.set_length((data.train.labels.len() + data.test.labels.len()) as u64);
    let encoder = encoder_cache::Features::open(&settings.model, settings.cache.as_deref(), progress)?;
    let width = encoder.width();
    let of = |side: &Side| -> Result<Matrix, LabError> {
        Ok(Matrix::Dense(Dense { width, values: encoder.of(&dataset(side))? }))
    };
    let (train, test) = (of(&data.train)?, of(&data.test)?);
    let params = [("distilbert_model", encoder.name().to_owned()), ("distilbert_width", width.to_string())];
    let params = params.map(|(name, value)| (name.to_owned(), value)).into();
    Ok((Embedded { train, test, epochs: Default::default() }, params))
}

fn dataset(side: &Side) -> Dataset {
    let posts = side.transformer.iter().zip(&side.labels);
    let posts = posts.map(|(text, label)| Labelled { text: text.clone(), label: *label, reason: None }).collect();
    Dataset { posts, rejected: 0, sha256: String::new() }
}
