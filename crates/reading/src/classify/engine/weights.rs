//! [`Weights`]: reads tensors from one safetensors file or from shards, one tensor at a time.
//!
//! A file is read front to back while it is hashed. Memory holds the kept tensors and the bytes of one more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, Metadata};
use serde::Deserialize;
use vigie_kernels::LayerNorm;

use super::super::ModelError;
use super::super::artifact::files::{HashedFile, ModelFiles};
use super::super::artifact::manifest::is_plain;
use super::config::EncoderConfig;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Tensors to keep of a checkpoint; the rest (a language model's head) is only hashed.
const KEPT_PREFIXES: [&str; 6] =
    ["embeddings.", "transformer.", "encoder.", "pooler.", "pre_classifier.", "classifier."];
/// After the name of a tensor of 8-bit integers: its scales, one a row.
pub(crate) const SCALES: &str = "_scale";
/// A larger header is treated as damage, as in the `safetensors` crate.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Rows of 8-bit integers, and the scale of each row.
pub(crate) type Int8Rows = (Vec<i8>, Vec<f32>);

/// Tensors by name, without the prefix of the architecture; each can be taken once.
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
    /// Loads the encoder's weights from `model.safetensors` or from the shards in its index. `prefix` is taken off the names
    /// of a checkpoint that was saved with a head.
    pub(crate) fn load_encoder(files: &mut ModelFiles, prefix: &str) -> Result<Self, ModelError> {
        let keep = |name: &str| KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if files.has(SINGLE) || !files.has(INDEX) {
            return Self::load_prefixed(files, SINGLE, prefix, keep);
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
            weights.tensors.extend(Self::load_prefixed(files, &shard, prefix, keep)?.tensors);
        }
        Ok(weights)
    }

    /// Loads the tensors of one file.
    pub(crate) fn load_file(files: &mut ModelFiles, name: &str) -> Result<Self, ModelError> {
        Self::load_prefixed(files, name, "", |_| true)
    }

    fn load_prefixed(
        files: &mut ModelFiles,
        name: &str,
        prefix: &str,
        keep: impl Fn(&str) -> bool,
    ) -> Result<Self, ModelError> {
        let tensors = files.read_with(name, |file| read_tensors(file, prefix, keep))?;
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

    /// Takes a tensor's values in f32, row-major; of 8-bit integers, each times the scale of its row.
    pub(crate) fn take_values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let path = self.tensors.get(name).map_or_else(|| self.path.clone(), |(_, path)| path.clone());
        let values: Vec<f32> = match self.take_int8(name, shape)? {
            None => self.take_tensor(name, shape)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?,
            Some((values, scales)) => {
                let rows = values.chunks(values.len() / scales.len().max(1)).zip(&scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |value| f32::from(*value) * scale)).collect()
            }
        };
        // In 8 bits such a value would pass for a number.
        if values.iter().any(|value| !value.is_finite()) {
            let reason = format!("tensor `{name}` has a value that is not finite: the weights are damaged");
            return Err(ModelError::Weights { path, reason });
        }
        Ok(values)
    }

    /// Takes a tensor of 8-bit integers and the scale of each of its rows; `None` if it is of another type.
    pub(crate) fn take_int8(&mut self, name: &str, shape: &[usize]) -> Result<Option<Int8Rows>, ModelError> {
        if self.tensors.get(name).is_none_or(|(tensor, _)| tensor.dtype() != DType::U8) {
            return Ok(None);
        }
        let scales = self.take_tensor(&format!("{name}{SCALES}"), shape.get(..1).unwrap_or_default())?;
        let bytes: Vec<u8> = self.take_tensor(name, shape)?.flatten_all()?.to_vec1()?;
        Ok(Some((bytes.into_iter().map(u8::cast_signed).collect(), scales.to_dtype(DType::F32)?.to_vec1()?)))
    }

    /// Takes a LayerNorm over the encoder's values.
    pub(crate) fn take_norm(&mut self, name: &str, config: &EncoderConfig) -> Result<LayerNorm, ModelError> {
        Ok(LayerNorm {
            weight: self.take_values(&format!("{name}.weight"), &[config.dim])?,
            bias: self.take_values(&format!("{name}.bias"), &[config.dim])?,
            epsilon: config.layer_norm_eps,
        })
    }
}

fn read_tensors(
    file: &mut HashedFile,
    prefix: &str,
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
        let name = full_name.strip_prefix(prefix).unwrap_or(&full_name);
        if keep(name) {
            let dtype = match info.dtype {
                // Candle has no signed bytes: the tensor holds their bits.
                Dtype::I8 => DType::U8,
                Dtype::F32 => DType::F32,
                Dtype::F16 => DType::F16,
                Dtype::BF16 => DType::BF16,
                other => return Err(error(format!("tensor `{name}` is {other:?}; expected F32, F16, BF16 or I8"))),
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
