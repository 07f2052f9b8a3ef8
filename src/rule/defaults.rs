//! What a condition takes where its rule is silent; `config/rules.toml` tells the operator.

pub(super) fn confidence() -> f64 {
    0.99
}

pub(super) fn min_posts() -> u64 {
    20
}

pub(super) fn min_baseline_posts() -> u64 {
    100
}
