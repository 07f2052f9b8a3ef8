//! [`repair`]: keeps what can be read of a damaged store, and moves the rest to files next to it.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::super::{MonitorError, posts};
use super::check::RecordProblem;
use super::{check, schema};
use crate::store::{Batch, SalvageReport, Store, StoreError};

/// What [`repair`] did.
#[derive(Debug, Default)]
pub struct RepairReport {
    /// Where the files are as they were before.
    pub backup: Option<PathBuf>,
    /// Set where sled could not open the store or read through it.
    pub salvaged: Option<SalvageReport>,
    /// Records removed from the store, and the file they are in.
    pub removed: u64,
    pub damaged: Option<PathBuf>,
    /// The indexes of the posts were made again.
    pub reindexed: bool,
    /// Records in the store now.
    pub records: u64,
}

/// Makes the store in `path` usable again; copies its files first if `backup` is set.
///
/// # Errors
/// When the store is in use, its layout version is unknown, or the disk fails.
pub fn repair(path: &Path, backup: bool, now: Timestamp) -> Result<RepairReport, MonitorError> {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut repaired = RepairReport::default();
    if backup {
        repaired.backup = Some(Store::back_up(path, &format!("backup-{stamp}"))?);
    }
    let readable = match Store::open_as_is(path) {
        Ok(store) => check::check(&store)?.unread.is_none(),
        Err(StoreError::Corrupt { .. } | StoreError::Open { .. } | StoreError::Damaged { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if !readable {
        repaired.salvaged = Some(Store::salvage(path, &format!("db.damaged-{stamp}"))?);
    }

    let store = Store::open_as_is(path)?;
    let found = check::check(&store)?;
    let damaged: Vec<&RecordProblem> = found.problems.iter().filter(|problem| problem.record.is_some()).collect();
    if !damaged.is_empty() {
        let file = path.join(format!("damaged-{stamp}.jsonl"));
        save_damaged(&file, &damaged).map_err(|cause| StoreError::Unwritable { path: path.into(), cause })?;
        let mut batch = Batch::default();
        damaged.iter().filter_map(|problem| problem.record.as_ref()).for_each(|(key, _)| batch.remove(key));
        store.commit(batch)?;
        store.flush()?;
        repaired.removed = damaged.len() as u64;
        repaired.damaged = Some(file);
    }
    // A record that went may have been a block of posts, or in one of their indexes.
    if !readable || !found.problems.is_empty() {
        let mut batch = Batch::default();
        posts::erase::rebuild_index(&store, &mut batch)?;
        store.commit(batch)?;
        repaired.reindexed = true;
    }
    // The version itself may have been damaged.
    store.restore_schema()?;
    drop(store);
    let store = Store::open(path)?;
    repaired.records = store.records().map(|record| record.map(|_| 1)).sum::<Result<u64, _>>()?;
    Ok(repaired)
}

/// Writes the records as JSON lines, keys and values in hexadecimal, readable by the owner only: they may hold posts.
fn save_damaged(file: &Path, damaged: &[&RecordProblem]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    for (problem, (key, value)) in damaged.iter().filter_map(|problem| Some((problem, problem.record.as_ref()?))) {
        let (key, value) = (schema::hex(key.as_bytes()), schema::hex(value));
        let line = json!({"table": problem.table, "problem": problem.problem, "key": key, "value": value});
        writeln!(out, "{line}")?;
    }
    out.sync_all()
}
