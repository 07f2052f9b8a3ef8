//! From layout 1 to 2: a stored post has the time that it states, and the totals count such posts.

use serde::{Deserialize, Serialize};

use super::super::{Key, StoreError, Table};

/// A header of a block of posts: start of the slot, oldest post, number of posts, names.
type Header = (i64, u32, u32, Vec<String>);

/// What stands before the new field of a post: its identifier and its time.
#[derive(Serialize, Deserialize)]
struct Before<'a>(#[serde(borrow)] Id<'a>, u32);

#[derive(Serialize, Deserialize)]
enum Id<'a> {
    Number(u64),
    Text(&'a str),
}

#[derive(Serialize, Deserialize)]
enum Url<'a> {
    BeforeId(u32),
    Whole(&'a str),
}

/// What stands behind it.
#[derive(Serialize, Deserialize)]
struct Behind<'a> {
    source: u32,
    model: u32,
    topics: Vec<u32>,
    lang: Option<u32>,
    author: Option<&'a str>,
    #[serde(borrow)]
    author_id: Option<Id<'a>>,
    url: Option<Url<'a>>,
    /// The number of a variant, as for `counting`.
    label: u32,
    negative: u16,
    neutral: u16,
    reason: Option<u32>,
    counting: u32,
    cascade: Option<u64>,
    followers: Option<u64>,
    metrics: Option<(u64, u64, u64, u64, Option<u64>)>,
    text: &'a str,
}

/// Posts; negative, neutral, positive, copies, reach; received, rejected, duplicates, too late.
type TotalsBefore = (u64, [u64; 5], [u64; 4]);

/// Upgrades one record.
pub(super) fn step(key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let upgraded = match key.table() {
        Some(Table::Post) => posts(value),
        Some(Table::Totals) => totals(value),
        _ => return Ok(value.to_vec()),
    };
    upgraded.map_err(|error| StoreError::Damaged { table: key.table(), reason: error.to_string() })
}

fn posts(value: &[u8]) -> postcard::Result<Vec<u8>> {
    let (header, mut rest) = postcard::take_from_bytes::<Header>(value)?;
    let mut upgraded = postcard::to_stdvec(&header)?;
    while !rest.is_empty() {
        let ((before, behind), next) = postcard::take_from_bytes::<(Before<'_>, Behind<'_>)>(rest)?;
        upgraded = postcard::to_extend(&(before, None::<i64>, behind), upgraded)?;
        rest = next;
    }
    Ok(upgraded)
}

fn totals(value: &[u8]) -> postcard::Result<Vec<u8>> {
    let (before, behind) = postcard::take_from_bytes::<TotalsBefore>(value)?;
    let mut upgraded = postcard::to_stdvec(&(before, 0_u64))?;
    upgraded.extend_from_slice(behind);
    Ok(upgraded)
}
