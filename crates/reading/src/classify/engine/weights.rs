//! [`Weights`]: reads tensors from one safetensors file or from shards, one tensor at a time.
//!
//! A file is read front to back while it is hashed. Memory holds the kept tensors and the bytes of one more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::Metadata;
use serde::Deserialize;

use super::super::ModelError;
use super::super::artifact::files::{HashedFile, ModelFiles};
use super::super::artifact::manifest::is_plain;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// The prefix of a checkpoint saved from a model with a head.
const PREFIX: &str = "distilbert.";
/// Tensors to keep of a checkpoint; the rest (a language model's head) is only hashed.
const KEPT_PREFIXES: [&str; 4] = ["embeddings.", "transformer.", "pre_classifier.", "classifier."];
/// A larger header is treated as damage, as in the `safetensors` crate.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Tensors by name, without the prefix `distilbert.`; each can be taken once.
#[derive(Debug)]
pub(crate) struct Weights {
    tensors: HashMap<String, (Tensor, PathBuf)>,
    /// The file or index to name when a tensor is missing.
    path: PathBuf,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// Loads the encoder's weights from `model.safetensors` or from the shards in its index.
    pub(crate) fn load_encoder(files: &mut ModelFiles) -> Result<Self, ModelError> {
        let keep = |name: &str| KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if files.has(SINGLE) || !files.has(INDEX) {
            return Self::load_file(files, SINGLE, keep);
        }
        let path = files.path(INDEX);
        let error = |reason: String| ModelError::Weights { path: path.clone(), reason };
        let index: Index = serde_json::from_slice(&files.read(INDEX)?)
            .map_err(|cause| error(format!("not an index of safetensors shards: {cause}")))?;
        let shards: BTreeSet<String> = index.weight_map.into_values().collect();
        let mut weights = Self { tensors: HashMap::new(), path: path.clone() };
        for shard in shards {
            if !is_plain(&shard) {
                return Err(error(format!("`{shard}` is not a plain file name of this directory")));
            }
            weights.tensors.extend(Self::load_file(files, &shard, keep)?.tensors);
        }
        Ok(weights)
    }

    /// Loads the tensors of one file whose name, without prefix, passes `keep`.
    pub(crate) fn load_file(
        files: &mut ModelFiles,
        name: &str,
        keep: impl Fn(&str) -> bool,
    ) -> Result<Self, ModelError> {
        let tensors = files.read_with(name, |file| read_tensors(file, keep))?;
        Ok(Self { tensors, path: files.path(name) })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of a tensor that has not been taken yet.
    pub(crate) fn dims(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|(tensor, _)| tensor.dims())
    }

    /// Takes a tensor in its stored type and checks its shape.
    pub(crate) fn take_tensor(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let (tensor, name) = (self.tensors.remove(name), name.to_owned());
        match tensor {
            None => Err(ModelError::MissingTensor { path: self.path.clone(), tensor: name, expected: shape.to_vec() }),
            Some((tensor, path)) if tensor.dims() != shape => {
                Err(ModelError::Shape { path, tensor: name, found: tensor.dims().to_vec(), expected: shape.to_vec() })
            }
            Some((tensor, _)) => Ok(tensor),
        }
    }

    /// Takes a tensor's values in f32, row-major.
    pub(crate) fn take_values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        Ok(self.take_tensor(name, shape)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?)
    }
}

fn read_tensors(
    file: &mut HashedFile,
    keep: impl Fn(&str) -> bool,
) -> Result<HashMap<String, (Tensor, PathBuf)>, ModelError> {
    let path = file.path.clone();
    let error = |reason: String| ModelError::Weights { path: path.clone(), reason };
    let header = read_header(file)?;
    let mut tensors = HashMap::new();
    let mut bytes = Vec::new();
    for full_name in header.offset_keys() {
        let Some(info) = header.info(&full_name) else { continue };
        bytes.resize(info.data_offsets.1 - info.data_offsets.0, 0);
        file.read_exact(&mut bytes).map_err(|cause| ModelError::Io { path: path.clone(), cause })?;
        let name = full_name.strip_prefix(PREFIX).unwrap_or(&full_name);
        if keep(name) {
            let dtype = match DType::try_from(info.dtype) {
                Ok(dtype @ (DType::F32 | DType::F16 | DType::BF16)) => dtype,
                _ => return Err(error(format!("tensor `{name}` is {:?}; expected F32, F16 or BF16", info.dtype))),
            };
            let tensor = Tensor::from_raw_buffer(&bytes, dtype, &info.shape, &Device::Cpu)?;
            tensors.insert(name.to_owned(), (tensor, path.clone()));
        }
    }
    Ok(tensors)
}

fn read_header(file: &mut HashedFile) -> Result<Metadata, ModelError> {
    let path = file.path.clone();
    let error = |reason: String| ModelError::Weights { path: path.clone(), reason };
    let cut = |_| error("truncated: not a complete safetensors file".to_owned());
    let mut length = [0_u8; 8];
    file.read_exact(&mut length).map_err(cut)?;
    let length = u64::from_le_bytes(length);
    let rest = file.length.saturating_sub(8);
    if length > rest.min(MAX_HEADER_BYTES) {
        return Err(error(format!("not a safetensors file: a header of {length} bytes in a file of {}", file.length)));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(|cause| ModelError::Io { path: path.clone(), cause })?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|cause| error(format!("not a safetensors file: invalid header: {cause}")))?;
    if header.data_len() as u64 != rest - length {
        let (found, expected) = (rest - length, header.data_len());
        return Err(error(format!(
            "not a complete safetensors file: {found} bytes of tensors where its header states {expected}"
        )));
    }
    Ok(header)
}
