//! [`PrecisionChoice`]: `classify.precision`, and the instructions that a precision then uses. Before a model is loaded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vigie_kernels::{Isa, Precision};

/// Number format of the encoder's matrix products, as the operator chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionChoice {
    /// The fastest on this machine that agrees with f32 on the texts stored with the model.
    #[default]
    Auto,
    F32,
    Bf16,
    Int8,
}

impl PrecisionChoice {
    /// The precision that was asked for; `None` for `auto`.
    pub fn fixed(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::Bf16 => Some(Precision::Bf16),
            Self::Int8 => Some(Precision::Int8),
        }
    }

    fn name(self) -> &'static str {
        self.fixed().map_or("auto", Precision::name)
    }
}

impl fmt::Display for PrecisionChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for PrecisionChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Auto, Self::F32, Self::Bf16, Self::Int8];
        let found = all.into_iter().find(|choice| choice.name() == text);
        found.ok_or_else(|| "expected auto, f32, bf16 or int8".to_owned())
    }
}

/// The instructions that a model's products use on this machine, for people: "AVX-512 with VNNI".
pub fn instructions() -> &'static str {
    Isa::best().name()
}

/// Whether this machine has instructions made for `precision`. Without them it is slower than f32.
pub fn is_accelerated(precision: Precision) -> bool {
    Isa::best().accelerates(precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_a_name_and_no_other_does() {
        for name in ["auto", "f32", "bf16", "int8"] {
            assert_eq!(name.parse::<PrecisionChoice>().unwrap().to_string(), name);
        }
        assert_eq!("fp16".parse::<PrecisionChoice>(), Err("expected auto, f32, bf16 or int8".to_owned()));
    }
}
