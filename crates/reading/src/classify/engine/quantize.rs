//! [`quantize_tensors`]: a checkpoint's weights in 8 bits, one scale a row, as `weights` reads them back. Beside the way of a
//! post: it makes model files smaller.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use vigie_kernels::MAX_WEIGHT;

use super::super::ModelError;
use super::config::EncoderConfig;
use super::weights::SCALES;

/// The tensors of one safetensors file, with the table of words and the weights of the layers in 8 bits. `config` is the
/// `config.json` of the checkpoint, and `path` appears in error messages.
///
/// # Errors
/// When `bytes` is not a safetensors file of 16 or 32 bits, or a value is not finite.
pub fn quantize_tensors(path: &Path, bytes: &[u8], config: &[u8]) -> Result<Vec<u8>, ModelError> {
    let error = |reason: String| ModelError::Weights { path: path.to_path_buf(), reason };
    let config = EncoderConfig::parse(path, config)?;
    let large = large_tensors(&config);
    let tensors = SafeTensors::deserialize(bytes).map_err(|cause| error(format!("not a safetensors file: {cause}")))?;
    let mut out: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (name, tensor) in tensors.tensors() {
        let (shape, data) = (tensor.shape().to_vec(), tensor.data());
        let plain = name.strip_prefix(config.prefix()).unwrap_or(&name);
        // A tensor that is in 8 bits already keeps its scales.
        if !large.contains(plain) || shape.len() != 2 || tensor.dtype() == Dtype::I8 {
            out.insert(name, (tensor.dtype(), shape, data.to_vec()));
            continue;
        }
        let values = to_f32(tensor.dtype(), data)
            .ok_or_else(|| error(format!("tensor `{name}` is {:?}; expected F32, F16 or BF16", tensor.dtype())))?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(error(format!("tensor `{name}` has a value that is not finite: the weights are damaged")));
        }
        let (rows, scales) = quantize_rows(&values, shape[1]);
        out.insert(format!("{name}{SCALES}"), (Dtype::F32, vec![shape[0]], scales));
        out.insert(name, (Dtype::I8, shape, rows));
    }
    let views: Result<Vec<_>, _> = out
        .iter()
        .map(|(name, (dtype, shape, data))| Ok((name, TensorView::new(*dtype, shape.clone(), data)?)))
        .collect();
    let written = views.and_then(|views| safetensors::serialize(views, None));
    written.map_err(|cause: safetensors::SafeTensorError| error(cause.to_string()))
}

/// Names of the tensors that make up nearly all of an encoder.
fn large_tensors(config: &EncoderConfig) -> BTreeSet<String> {
    let names = config.names();
    let parts = [names.query, names.key, names.value, names.out, names.up, names.down];
    let layers =
        (0..config.n_layers).flat_map(|index| parts.map(|part| format!("{}.weight", names.of_layer(index, part))));
    layers.chain([names.words.to_owned()]).collect()
}

fn to_f32(dtype: Dtype, data: &[u8]) -> Option<Vec<f32>> {
    let pairs = || data.as_chunks::<2>().0.iter();
    match dtype {
        Dtype::F32 => Some(data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
        Dtype::F16 => Some(pairs().map(|bytes| f16::from_le_bytes(*bytes)).collect::<Vec<_>>().to_f32_vec()),
        Dtype::BF16 => Some(pairs().map(|bytes| bf16::from_le_bytes(*bytes)).collect::<Vec<_>>().to_f32_vec()),
        _ => None,
    }
}

/// The bytes of the rows in 8 bits, and of their scales in f32.
fn quantize_rows(values: &[f32], width: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut rows, mut scales) = (Vec::with_capacity(values.len()), Vec::new());
    for row in values.chunks(width.max(1)) {
        let scale = row.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / f32::from(MAX_WEIGHT);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        rows.extend(row.iter().map(|value| ((value * inverse).round_ties_even() as i8).cast_unsigned()));
        scales.extend(scale.to_le_bytes());
    }
    (rows, scales)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"model_type": "distilbert", "vocab_size": 2, "dim": 4, "n_layers": 1, "n_heads": 1,
        "hidden_dim": 4, "max_position_embeddings": 8}"#;
    const WORDS: &str = "distilbert.embeddings.word_embeddings.weight";

    fn file(name: &str, values: &[f32]) -> Vec<u8> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![values.len() / 4, 4], &bytes).unwrap();
        safetensors::serialize([(name, view)], None).unwrap()
    }

    fn quantize(bytes: &[u8]) -> Result<Vec<u8>, ModelError> {
        quantize_tensors(Path::new("m/model.safetensors"), bytes, CONFIG.as_bytes())
    }

    #[test]
    fn a_row_is_within_half_a_step_of_its_values() {
        let values = [1.0, -0.25, 0.5, 0.004, 0.0, 0.0, 0.0, 0.0];
        let bytes = quantize(&file(WORDS, &values)).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let scales = to_f32(Dtype::F32, tensors.tensor(&format!("{WORDS}{SCALES}")).unwrap().data()).unwrap();
        assert_eq!(scales, [1.0 / 127.0, 0.0]);
        let rows = tensors.tensor(WORDS).unwrap();
        assert_eq!((rows.dtype(), rows.shape()), (Dtype::I8, &[2, 4][..]));
        for (index, (byte, value)) in rows.data().iter().zip(values).enumerate() {
            let found = f32::from(byte.cast_signed()) * scales[index / 4];
            assert!((found - value).abs() <= scales[index / 4] / 2.0 + 1e-7, "{found} is not {value}");
        }
        assert_eq!(quantize(&bytes).unwrap(), bytes, "a second time changes nothing");
    }

    #[test]
    fn other_tensors_stay_and_damage_is_refused() {
        let norm = file("distilbert.embeddings.other.weight", &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(quantize(&norm).unwrap(), norm);
        let damaged = quantize(&file(WORDS, &[1.0, f32::NAN, 0.0, 0.0])).unwrap_err().to_string();
        assert!(damaged.contains("word_embeddings") && damaged.contains("not finite"), "{damaged}");
        let foreign = quantize(b"not tensors").unwrap_err().to_string();
        assert!(foreign.contains("not a safetensors file"), "{foreign}");
    }
}
