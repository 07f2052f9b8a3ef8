//! Records of older layout versions in the present one, a step per version.
//!
//! Each step has the layouts as they are on disk, apart from the types of today: a later change of those must not change
//! how an old store is read. A change of layout makes `SCHEMA` one more, and adds its step here.

mod second;
mod third;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Key, SCHEMA, StoreError, Table, decode, schema_key};

/// The value of version `from` under `key`, in the present layout.
///
/// # Errors
/// When it is none of that version.
pub fn upgraded(from: u32, key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    if key.table() == Some(Table::Meta) && *key == schema_key() {
        return encode(&SCHEMA);
    }
    match from {
        1 => third::from_second(key, &second::from_first(key, value)?),
        2 => third::from_second(key, value),
        _ => Ok(value.to_vec()),
    }
}

fn change<From: DeserializeOwned, To: Serialize>(
    key: &Key,
    value: &[u8],
    change: impl Fn(From) -> To,
) -> Result<Vec<u8>, StoreError> {
    encode(&change(decode(key, value)?))
}

fn encode<V: Serialize>(value: &V) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(StoreError::Encode)
}
