//! From layout 2 to 3: counts say what posts lack to a vote of their author, and a baseline has a time zone.

use serde::{Deserialize, Serialize};

use super::super::{Key, StoreError, Table};

/// Negative, neutral, positive, copies, reach.
type CountsBefore = [u64; 5];

/// The counts of layout 3: no post was discounted before.
#[derive(Serialize, Deserialize)]
struct CountsAfter(CountsBefore, u64, u64);

/// Posts, then the counts; the rest is unchanged.
type TotalsBefore = (u64, CountsBefore);

/// Upgrades one record.
pub(super) fn step(key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let upgraded = match key.table() {
        Some(Table::Bucket) => buckets(value),
        Some(Table::Late) => postcard::from_bytes(value).and_then(|counts| postcard::to_stdvec(&after(counts))),
        Some(Table::History) => postcard::from_bytes::<(CountsBefore, Option<f64>)>(value)
            .and_then(|(counts, normal)| postcard::to_stdvec(&(after(counts), normal))),
        Some(Table::Totals) => totals(value),
        Some(Table::Baseline) => baseline(value),
        _ => return Ok(value.to_vec()),
    };
    upgraded.map_err(|error| StoreError::Damaged { table: key.table(), reason: error.to_string() })
}

fn after(counts: CountsBefore) -> CountsAfter {
    CountsAfter(counts, 0, 0)
}

fn buckets(value: &[u8]) -> postcard::Result<Vec<u8>> {
    let before: Vec<(i64, CountsBefore)> = postcard::from_bytes(value)?;
    let buckets: Vec<(i64, CountsAfter)> = before.into_iter().map(|(start, counts)| (start, after(counts))).collect();
    postcard::to_stdvec(&buckets)
}

fn totals(value: &[u8]) -> postcard::Result<Vec<u8>> {
    let ((posts, counts), behind) = postcard::take_from_bytes::<TotalsBefore>(value)?;
    let mut upgraded = postcard::to_stdvec(&(posts, after(counts)))?;
    upgraded.extend_from_slice(behind);
    Ok(upgraded)
}

fn baseline(value: &[u8]) -> postcard::Result<Vec<u8>> {
    // The time zone (UTC), hours that were skipped or strayed lately, and the sums of posts and negative posts.
    let end = ("", Vec::<(i64, u8)>::new(), Vec::<(i64, u8, u32)>::new(), [0.0_f32; 2]);
    postcard::to_extend(&end, value.to_vec())
}
