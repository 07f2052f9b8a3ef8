//! The lab: fits the head of a model to labelled dumps, and judges models on labelled dumps.
mod classes;
mod logistic;
mod scaling;
mod score;
pub use score::Scores;
