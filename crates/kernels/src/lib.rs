//! The compute kernels of the encoder: matrix products with packed weights in f32, bf16 and int8, attention, LayerNorm, and
//! the layers made of them. The lowest layer; only `classify::engine` calls it.
//!
//! `unsafe` is allowed in this crate and nowhere else, for two reasons: instructions that a processor may not have, and
//! threads that write different parts of one buffer.
//!
//! ```text
//! transformer -> linear, attention -> tile (f32, bf16, int8), rows -> elementary -> vector
//!       team, shared: threads that divide each step       cpu: which instructions there are
//! ```

mod attention;
mod cpu;
mod elementary;
mod linear;
mod packed;
mod rows;
mod shared;
mod team;
mod tile;
mod transformer;
mod vector;

pub use cpu::{Isa, Precision};
pub use linear::{Activation, LinearWeights};
pub use rows::LayerNorm;
pub use tile::int8::MAX_WEIGHT;
pub use transformer::{Dimensions, LayerWeights, Plan, Text, Transformer, Visit, Workspace};
