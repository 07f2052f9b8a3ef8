//! [`Weights`]: tensors from safetensors files, in one file or in shards, one tensor at a time.
//!
//! A file is read front to back through its hash. Beside the tensors that are kept, memory holds one tensor's bytes.

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
/// What is kept of a checkpoint; the rest (a language model's head) is only hashed.
const KEPT: [&str; 4] = ["embeddings.", "transformer.", "pre_classifier.", "classifier."];
/// The largest header worth believing, as in the `safetensors` crate.
const MAX_HEADER: u64 = 100_000_000;

/// Tensors by name, without the prefix `distilbert.`; each is taken once.
#[derive(Debug)]
pub(crate) struct Weights {
    tensors: HashMap<String, (Tensor, PathBuf)>,
    /// Where a tensor that is not there was looked for.
    path: PathBuf,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// The encoder's weights, from `model.safetensors` or the shards that its index names.
    pub(crate) fn of_encoder(files: &mut ModelFiles) -> Result<Self, ModelError> {
        let keep = |name: &str| KEPT.iter().any(|prefix| name.starts_with(prefix));
        if files.has(SINGLE) || !files.has(INDEX) {
            return Self::of_file(files, SINGLE, keep);
        }
        let path = files.path(INDEX);
        let fault = |reason: String| ModelError::Weights { path: path.clone(), reason };
        let index: Index = serde_json::from_slice(&files.read(INDEX)?)
            .map_err(|error| fault(format!("not an index of safetensors shards: {error}")))?;
        let shards: BTreeSet<String> = index.weight_map.into_values().collect();
        let mut weights = Self { tensors: HashMap::new(), path: path.clone() };
        for shard in shards {
            if !is_plain(&shard) {
                return Err(fault(format!("`{shard}` is not a plain file name of this directory")));
            }
            weights.tensors.extend(Self::of_file(files, &shard, keep)?.tensors);
        }
        Ok(weights)
    }

    /// The tensors of one file whose name, without prefix, passes `keep`.
    pub(crate) fn of_file(files: &mut ModelFiles, name: &str, keep: impl Fn(&str) -> bool) -> Result<Self, ModelError> {
        let tensors = files.read_with(name, |file| read_tensors(file, keep))?;
        Ok(Self { tensors, path: files.path(name) })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of a tensor that was not yet taken.
    pub(crate) fn dims(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|(tensor, _)| tensor.dims())
    }

    /// A tensor in its stored type, checked to have `shape`.
    pub(crate) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let (tensor, name) = (self.tensors.remove(name), name.to_owned());
        match tensor {
            None => Err(ModelError::MissingTensor { path: self.path.clone(), tensor: name, wanted: shape.to_vec() }),
            Some((tensor, path)) if tensor.dims() != shape => {
                Err(ModelError::Shape { path, tensor: name, found: tensor.dims().to_vec(), wanted: shape.to_vec() })
            }
            Some((tensor, _)) => Ok(tensor),
        }
    }

    /// A tensor's values in f32, row-major.
    pub(crate) fn take_values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        Ok(self.take(name, shape)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?)
    }
}

fn read_tensors(
    file: &mut HashedFile,
    keep: impl Fn(&str) -> bool,
) -> Result<HashMap<String, (Tensor, PathBuf)>, ModelError> {
    let path = file.path.clone();
    let fault = |reason: String| ModelError::Weights { path: path.clone(), reason };
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
                _ => return Err(fault(format!("tensor `{name}` is {:?}; wanted F32, F16 or BF16", info.dtype))),
            };
            let tensor = Tensor::from_raw_buffer(&bytes, dtype, &info.shape, &Device::Cpu)?;
            tensors.insert(name.to_owned(), (tensor, path.clone()));
        }
    }
    Ok(tensors)
}

fn read_header(file: &mut HashedFile) -> Result<Metadata, ModelError> {
    let path = file.path.clone();
    let fault = |reason: String| ModelError::Weights { path: path.clone(), reason };
    let cut = |_| fault("cut short: not a whole safetensors file".to_owned());
    let mut length = [0_u8; 8];
    file.read_exact(&mut length).map_err(cut)?;
    let length = u64::from_le_bytes(length);
    let rest = file.length.saturating_sub(8);
    if length > rest.min(MAX_HEADER) {
        return Err(fault(format!("not a safetensors file: a header of {length} bytes in a file of {}", file.length)));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(|cause| ModelError::Io { path: path.clone(), cause })?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|error| fault(format!("not a safetensors file: its header does not read: {error}")))?;
    if header.data_len() as u64 != rest - length {
        let (found, wanted) = (rest - length, header.data_len());
        return Err(fault(format!(
            "not a whole safetensors file: {found} bytes of tensors where its header tells of {wanted}"
        )));
    }
    Ok(header)
}
