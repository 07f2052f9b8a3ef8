//! Compute kernels of the encoder: plain functions over slices of `f32`. The lowest layer; only `classify::engine` calls
//! them.
//!
//! `unsafe` is allowed in this crate and nowhere else. There is none yet: the loops are written so that the compiler
//! vectorises them.

mod elementary;
mod rows;

pub use elementary::{exp_nonpositive, gelu, sum, sum_sq_dev};
pub use rows::{LayerNorm, add_assign, softmax};
