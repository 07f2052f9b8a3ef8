//! [`Weights`]: reads tensors from one safetensors file or from shards, one tensor at a time.
//!
//! A file is read front to back while it is hashed. Memory holds the kept tensors and the bytes of one more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read};
use std::path::PathBuf;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
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

/// A tensor as it is stored: row-major, little-endian.
#[derive(Debug)]
pub(crate) struct StoredTensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
    /// The file that it comes from.
    path: PathBuf,
}

impl StoredTensor {
    pub(crate) fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The values of a tensor of f32. The caller knows the type, as for the next two.
    pub(crate) fn f32(&self) -> Vec<f32> {
        self.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    pub(crate) fn f16(&self) -> Vec<f16> {
        self.bytes.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect()
    }

    pub(crate) fn bf16(&self) -> Vec<bf16> {
        self.bytes.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes)).collect()
    }

    /// The values in f32, whatever they are stored in.
    fn to_f32(&self) -> Vec<f32> {
        match self.dtype {
            Dtype::F16 => self.f16().to_f32_vec(),
            Dtype::BF16 => self.bf16().to_f32_vec(),
            _ => self.f32(),
        }
    }
}

/// Tensors by name, without the prefix of the architecture; each can be taken once.
#[derive(Debug)]
pub(crate) struct Weights {
    tensors: HashMap<String, StoredTensor>,
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
        self.tensors.get(name).map(|tensor| tensor.shape.as_slice())
    }

    /// Takes a tensor in its stored type and checks its shape.
    pub(crate) fn take_tensor(&mut self, name: &str, shape: &[usize]) -> Result<StoredTensor, ModelError> {
        let (tensor, name) = (self.tensors.remove(name), name.to_owned());
        match tensor {
            None => Err(ModelError::MissingTensor { path: self.path.clone(), tensor: name, expected: shape.to_vec() }),
            Some(StoredTensor { path, shape: found, .. }) if found != shape => {
                Err(ModelError::Shape { path, tensor: name, found, expected: shape.to_vec() })
            }
            Some(tensor) => Ok(tensor),
        }
    }

    /// Takes a tensor's values in f32, row-major; of 8-bit integers, each times the scale of its row.
    pub(crate) fn take_values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let path = self.tensors.get(name).map_or(&self.path, |tensor| &tensor.path).clone();
        let values: Vec<f32> = match self.take_int8(name, shape)? {
            None => self.take_tensor(name, shape)?.to_f32(),
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
        if self.tensors.get(name).is_none_or(|tensor| tensor.dtype != Dtype::I8) {
            return Ok(None);
        }
        let scales = self.take_tensor(&format!("{name}{SCALES}"), shape.get(..1).unwrap_or_default())?;
        let bytes = self.take_tensor(name, shape)?.bytes;
        Ok(Some((bytes.into_iter().map(u8::cast_signed).collect(), scales.to_f32())))
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
) -> Result<HashMap<String, StoredTensor>, ModelError> {
    let path = file.path.clone();
    let error = |reason: String| ModelError::Weights { path: path.clone(), reason };
    let header = read_header(file)?;
    let mut tensors = HashMap::new();
    for full_name in header.offset_keys() {
        let Some(info) = header.info(&full_name) else { continue };
        let length = info.data_offsets.1 - info.data_offsets.0;
        let io_error = |cause| ModelError::Io { path: path.clone(), cause };
        let name = full_name.strip_prefix(prefix).unwrap_or(&full_name);
        if !keep(name) {
            // Only hashed.
            io::copy(&mut file.by_ref().take(length as u64), &mut io::sink()).map_err(io_error)?;
            continue;
        }
        if !matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16 | Dtype::I8) {
            return Err(error(format!("tensor `{name}` is {:?}; expected F32, F16, BF16 or I8", info.dtype)));
        }
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(io_error)?;
        let (dtype, shape) = (info.dtype, info.shape.clone());
        tensors.insert(name.to_owned(), StoredTensor { dtype, shape, bytes, path: path.clone() });
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
