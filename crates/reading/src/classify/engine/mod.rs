//! The inference engine. [`Encoder`] turns texts into pooled vectors; the classifier applies its head to them and the lab
//! fits heads on them.
//!
//! To add an architecture of BERT's kind, add the names of its tensors to `names` and its `model_type` to `config`.
//! Tokenizer, batching, weights, layers and pooling are shared; the arithmetic is in `vigie_kernels`.
//!
//! ```text
//! texts -> tokenizer -> batch -> embeddings -> vigie_kernels::Transformer (layers) -> pooling -> vectors
//!                                       config, names, weights: what they are loaded from
//! ```

pub(crate) mod batch;
pub(crate) mod config;
mod embeddings;
mod layers;
mod names;
pub(crate) mod pooling;
mod quantize;
pub(crate) mod tokenizer;
pub(crate) mod weights;

pub use pooling::Pooling;
pub use quantize::quantize_tensors;

use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;

use rayon::prelude::*;
use vigie_kernels::{Plan, Precision, Transformer, Workspace};

use self::batch::make_batches;
use self::config::EncoderConfig;
use self::embeddings::Embeddings;
use self::tokenizer::Tokenizer;
use self::weights::Weights;
use super::ModelError;
use super::artifact::files::{CONFIG, ModelFiles, TOKENIZER};

/// Tokens per batch. Its activations stay in the second cache of a core.
const BATCH_TOKENS: usize = 512;

/// The most tokens that the encoder in `dir` can take, special tokens included, by its `config.json`.
///
/// # Errors
/// When the configuration cannot be read, or is of another architecture.
pub fn max_tokens(dir: &Path) -> Result<usize, ModelError> {
    let path = dir.join(CONFIG);
    let bytes = std::fs::read(&path).map_err(|cause| ModelError::Io { path: path.clone(), cause })?;
    Ok(EncoderConfig::parse(&path, &bytes)?.max_tokens())
}

/// The tokenizer of a model directory, which truncates at the model's limit, with what else its settings say.
pub(crate) fn load_tokenizer(files: &mut ModelFiles) -> Result<(Tokenizer, EncoderConfig, Pooling), ModelError> {
    let settings = Settings::read(files)?;
    let (path, bytes) = (files.path(TOKENIZER), files.read(TOKENIZER)?);
    let tokenizer = Tokenizer::parse(&path, &bytes, &settings.config, settings.max_tokens)?;
    Ok((tokenizer, settings.config, settings.pooling))
}

/// What `config.json` and the manifest say.
struct Settings {
    config: EncoderConfig,
    pooling: Pooling,
    max_tokens: usize,
}

impl Settings {
    fn read(files: &mut ModelFiles) -> Result<Self, ModelError> {
        let config = EncoderConfig::parse(&files.path(CONFIG), &files.read(CONFIG)?)?;
        let (pooling, max_tokens) = match files.manifest() {
            Some(manifest) => (manifest.pooling, manifest.max_tokens),
            None => (Pooling::Mean, config.max_tokens()),
        };
        Ok(Self { config, pooling, max_tokens })
    }
}

/// An encoder with its tokenizer.
#[derive(Debug)]
pub struct Encoder {
    tokenizer: Tokenizer,
    embeddings: Embeddings,
    layers: Transformer,
    pooling: Pooling,
    dim: usize,
    padding: u32,
    /// Buffers of batches that are not running.
    workspaces: Mutex<Vec<Workspace>>,
}

impl Encoder {
    /// Loads the encoder of a model directory, with or without a head, in f32. Without a manifest no file is verified, texts
    /// are truncated at the encoder's limit, and pooling is the mean.
    pub fn load(dir: &Path) -> Result<Self, ModelError> {
        Self::load_with(dir, Precision::F32)
    }

    /// The same in `precision`.
    pub fn load_with(dir: &Path, precision: Precision) -> Result<Self, ModelError> {
        let mut files = ModelFiles::open(dir)?;
        let (encoder, _, _) = Self::from_files(&mut files, precision)?;
        files.finish()?;
        Ok(encoder)
    }

    /// Also returns the remaining weights, for a head.
    pub(crate) fn from_files(
        files: &mut ModelFiles,
        precision: Precision,
    ) -> Result<(Self, Weights, EncoderConfig), ModelError> {
        let Settings { config, pooling, max_tokens } = Settings::read(files)?;
        let (path, bytes) = (files.path(TOKENIZER), files.read(TOKENIZER)?);
        let names = config.names();
        // Side by side, because each takes half of the time that a start takes.
        let (tokenizer, loaded) = rayon::join(
            || Tokenizer::parse(&path, &bytes, &config, max_tokens),
            || -> Result<_, ModelError> {
                let mut weights = Weights::load_encoder(files, config.prefix())?;
                let embeddings = Embeddings::load(&mut weights, &config, names)?;
                Ok((embeddings, layers::load(&mut weights, &config, names, precision)?, weights))
            },
        );
        // A damaged tokenizer is named before damaged weights, as the files are read.
        let (tokenizer, (embeddings, layers, weights)) = (tokenizer?, loaded?);
        let (dim, padding) = (config.dim, config.padding());
        let encoder = Self { tokenizer, embeddings, layers, pooling, dim, padding, workspaces: Mutex::default() };
        Ok((encoder, weights, config))
    }

    /// The same encoder with another pooling.
    pub fn with_pooling(mut self, pooling: Pooling) -> Self {
        self.pooling = pooling;
        self
    }

    /// Values per text.
    pub fn width(&self) -> usize {
        self.pooling.width(self.dim)
    }

    /// Number format of its matrix products.
    pub fn precision(&self) -> Precision {
        self.layers.precision()
    }

    /// The pooled vector of each text, row-major `[texts, width]`, in the order of the texts.
    ///
    /// A text's vector has the same bits on every call, whatever other texts are encoded with it.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<f32>, ModelError> {
        let mut tokens = self.tokenizer.encode(texts)?;
        for ids in tokens.iter_mut().filter(|ids| ids.is_empty()) {
            ids.push(self.padding); // an empty text and a tokenizer without special tokens
        }
        let lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
        let threads = rayon::current_num_threads();
        let batches = make_batches(&lengths, BATCH_TOKENS, threads);
        let mut pooled = vec![0.0; texts.len() * self.width()];
        match batches.as_slice() {
            [batch] => self.encode_batch(&tokens[batch.clone()], threads, &mut pooled),
            _ => self.parts(&batches, &mut pooled).into_par_iter().for_each(|(batch, out)| {
                self.encode_batch(&tokens[batch], 1, out);
            }),
        }
        Ok(pooled)
    }

    /// The part of `pooled` that each batch fills.
    fn parts<'a>(&self, batches: &[Range<usize>], mut pooled: &'a mut [f32]) -> Vec<(Range<usize>, &'a mut [f32])> {
        let mut parts = Vec::with_capacity(batches.len());
        for batch in batches {
            let (part, rest) = pooled.split_at_mut(batch.len() * self.width());
            parts.push((batch.clone(), part));
            pooled = rest;
        }
        parts
    }

    fn encode_batch(&self, texts: &[Vec<u32>], threads: usize, out: &mut [f32]) {
        let mut workspace = self.free_workspaces().pop().unwrap_or_default();
        let mut rows = workspace.start(texts.iter().map(Vec::len).enumerate(), self.dim);
        for ids in texts {
            let (text, rest) = rows.split_at_mut(ids.len() * self.dim);
            self.embeddings.write(ids, text);
            rows = rest;
        }
        let stops = self.pooling.layers(self.layers.depth());
        let plan = Plan { stops: &stops, first_token_only: self.pooling == Pooling::Cls, threads };
        let width = self.width();
        self.layers.run(&mut workspace, plan, |visit| {
            let part = stops.iter().position(|depth| *depth == visit.depth).unwrap_or(0) * self.dim;
            for text in visit.texts.iter() {
                let rows = visit.hidden.chunks_exact(self.dim).skip(text.tokens.start).take(text.tokens.len());
                let start = text.index * width + part;
                if let Some(out) = out.get_mut(start..start + self.dim) {
                    self.pooling.pool(rows, out);
                }
            }
        });
        self.free_workspaces().push(workspace);
    }

    fn free_workspaces(&self) -> std::sync::MutexGuard<'_, Vec<Workspace>> {
        // A panic elsewhere leaves no workspace half used: each is outside while it is in use.
        self.workspaces.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
