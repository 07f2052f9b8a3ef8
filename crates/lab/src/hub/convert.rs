//! Converts PyTorch's own weights (`pytorch_model.bin`) to safetensors. Reads tensors from the pickle without executing
//! it.

use std::collections::HashMap;
use std::path::Path;

use candle_core::pickle::PthTensors;
use candle_core::{DType, Tensor};

use super::HubError;

/// Writes the tensors of the pickle `from`, under the same names, as the safetensors file `to`.
pub(super) fn pickle_to_safetensors(from: &Path, to: &Path) -> Result<(), HubError> {
    let unreadable = |error: candle_core::Error| HubError::Convert {
        path: from.to_path_buf(),
        reason: format!(
            "pytorch_model.bin cannot be read as weights ({}): save the model as safetensors",
            first_line(&error.to_string())
        ),
    };
    let pickle = PthTensors::new(from, None).map_err(unreadable)?;
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    for (name, info) in pickle.tensor_infos() {
        // Counters and indices such as `position_ids` are not weights.
        let weight = matches!(info.dtype, DType::F32 | DType::F16 | DType::BF16);
        if weight && let Some(tensor) = pickle.get(name).map_err(unreadable)? {
            tensors.insert(name.clone(), tensor);
        }
    }
    candle_core::safetensors::save(&tensors, to).map_err(|error| HubError::Convert {
        path: to.to_path_buf(),
        reason: format!("the converted weights could not be written: {}", first_line(&error.to_string())),
    })
}

/// candle's errors may carry a backtrace.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
