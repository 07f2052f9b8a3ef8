//! Upgrades of a store's layout: a list of steps, the first of which turns layout version 1 into 2.
//!
//! A change of layout adds a step at the end of [`STEPS`], which makes [`SCHEMA`](super::SCHEMA) one more. A step describes
//! the records as they are on disk with private types: a later change of the crate's types must not change how an old
//! store is read.

mod stated_time;
mod votes;

use super::{Key, StoreError, schema_key};

/// Turns a record of one layout version into the next.
pub(super) type Step = fn(&Key, &[u8]) -> Result<Vec<u8>, StoreError>;

/// All upgrades, the oldest first.
pub(super) const STEPS: &[Step] = &[stated_time::step, votes::step];

/// The layout version that `steps` lead to.
pub(super) const fn version(steps: &[Step]) -> u32 {
    // A list in the source is short.
    steps.len() as u32 + 1
}

/// The value of version `from` under `key`, in the current layout.
///
/// # Errors
/// When it is not a record of that version.
pub fn upgraded(from: u32, key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    upgraded_by(STEPS, from, key, value)
}

/// As [`upgraded`], by a given list of steps.
pub(super) fn upgraded_by(steps: &[Step], from: u32, key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    // The version is a record too: it becomes the one that the steps lead to.
    if *key == schema_key() {
        return postcard::to_stdvec(&version(steps)).map_err(StoreError::Encode);
    }
    let passed = usize::try_from(from).unwrap_or(usize::MAX).saturating_sub(1);
    steps.iter().skip(passed).try_fold(value.to_vec(), |value, step| step(key, &value))
}
