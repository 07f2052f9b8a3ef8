//! [`repair`]: what can be read of a damaged store goes on as a store, the rest is kept beside it.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::super::MonitorError;
use super::{check, schema};
use crate::store::{Batch, Salvaged, Store, StoreError};

/// What [`repair`] did.
#[derive(Debug, Default)]
pub struct Repaired {
    /// Where the files are as they were before.
    pub backup: Option<PathBuf>,
    /// Set where sled could not open the store or read through it.
    pub salvaged: Option<Salvaged>,
    /// Records taken out, and the file they are in.
    pub set_aside: u64,
    pub damaged: Option<PathBuf>,
    /// Records left.
    pub records: u64,
}

/// Makes the store in `path` usable again, after a copy of its files where `backup` says so.
///
/// # Errors
/// When the store is in use, of a newer layout, or the disk refuses.
pub fn repair(path: &Path, backup: bool, now: Timestamp) -> Result<Repaired, MonitorError> {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut repaired = Repaired::default();
    if backup {
        repaired.backup = Some(Store::back_up(path, &format!("backup-{stamp}"))?);
    }
    let readable = match Store::open_as_it_is(path) {
        Ok(store) => check::check(&store)?.unread.is_none(),
        Err(StoreError::Corrupt { .. } | StoreError::Open { .. } | StoreError::Damaged { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if !readable {
        repaired.salvaged = Some(Store::salvage(path, &format!("db.damaged-{stamp}"))?);
    }

    let store = Store::open_as_it_is(path)?;
    let found = check::check(&store)?;
    if !found.faults.is_empty() {
        let file = path.join(format!("damaged-{stamp}.jsonl"));
        set_aside(&file, &found.faults).map_err(|cause| StoreError::Unwritable { path: path.into(), cause })?;
        let mut batch = Batch::default();
        found.faults.iter().for_each(|fault| batch.remove(&fault.record.0));
        store.commit(batch)?;
        store.flush()?;
        repaired.set_aside = found.faults.len() as u64;
        repaired.damaged = Some(file);
    }
    // The version may be what was damaged.
    store.mend_schema()?;
    drop(store);
    let store = Store::open(path)?;
    repaired.records = store.records().map(|record| record.map(|_| 1)).sum::<Result<u64, _>>()?;
    Ok(repaired)
}

/// As JSON lines, keys and values in hexadecimal, for the owner alone: they may hold posts.
fn set_aside(file: &Path, faults: &[check::Fault]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    for fault in faults {
        let (key, value) = &fault.record;
        let (key, value) = (schema::hex(key.as_bytes()), schema::hex(value));
        let line = json!({"table": fault.table, "problem": fault.problem, "key": key, "value": value});
        writeln!(out, "{line}")?;
    }
    out.sync_all()
}
