//! The files' part of `vigie store repair`: makes a copy, then saves whatever sled can still read.

use std::io;
use std::path::{Path, PathBuf};

use super::{Key, Store, StoreError, engine, layout};

/// The log is tried in this many lengths, each shorter than the last.
const PARTS: u64 = 16;

type Records = Vec<(Key, Vec<u8>)>;

/// What was saved of a store that sled could not open or read to its end.
#[derive(Debug)]
pub struct SalvageReport {
    pub records: u64,
    /// Where the damaged files are now.
    pub kept: PathBuf,
}

impl Store {
    /// Copies sled's files of the store `path` to `path`/`name`, and returns that path. The store must be closed.
    ///
    /// # Errors
    /// When another process has it open, or the disk fails.
    pub fn back_up(path: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let _lock = layout::lock(path)?;
        let failed = |cause| StoreError::failed(path, &cause);
        layout::settle(path).map_err(failed)?;
        let (home, copy) = (layout::home(path), path.join(name));
        layout::copy_sled(&home, &copy).map_err(failed)?;
        Ok(copy)
    }

    /// Moves the files of a store that sled cannot open, or cannot read to its end, to `path`/`name`, and replaces them by a
    /// store of the records that can still be read, possibly none.
    ///
    /// # Errors
    /// When another process has the store open, or the disk fails.
    pub fn salvage(path: &Path, name: &str) -> Result<SalvageReport, StoreError> {
        let lock = layout::lock(path)?;
        let failed = |cause| StoreError::failed(path, &cause);
        layout::settle(path).map_err(failed)?;
        let kept = layout::move_aside(path, name).map_err(failed)?;
        let found = best(path, &kept).map_err(failed)?;
        drop(lock);

        let store = Self::open_as_is(path)?;
        let records = found.len() as u64;
        for (key, value) in found {
            let db = store.db()?;
            engine::guarded(path, || db.insert(key.as_bytes(), value))?;
        }
        store.flush()?;
        Ok(SalvageReport { records, kept })
    }
}

/// The records of the longest part of the log that sled reads to its end, which is an earlier state of the store; else the
/// most records that any part yields.
fn best(path: &Path, kept: &Path) -> io::Result<Records> {
    let mut best = Records::new();
    for part in (1..=PARTS).rev() {
        // sled writes to the files it reads: each attempt gets a copy.
        let scratch = layout::new_home(path)?;
        layout::copy_sled(kept, &scratch)?;
        if layout::truncate_log(&scratch, part, PARTS).is_err() {
            break;
        }
        let (found, whole) = readable(path, &scratch);
        layout::wait_closed(&scratch)?;
        if whole && !found.is_empty() {
            return Ok(found);
        }
        if found.len() > best.len() {
            best = found;
        }
    }
    Ok(best)
}

/// The records that sled can read in `home`, and whether it read them all.
fn readable(path: &Path, home: &Path) -> (Records, bool) {
    let (mut found, mut whole) = (Records::new(), true);
    let Ok(engine::Opened { db, .. }) = engine::open(path, home) else { return (found, false) };
    // After a record that cannot be read the scan continues with the next table.
    for table in 0..=u8::MAX {
        let mut entries = db.scan_prefix([table]);
        loop {
            match engine::guarded(path, || entries.next().transpose()) {
                Ok(Some((key, value))) => found.push((Key::from_stored(&key), value.to_vec())),
                Ok(None) => break,
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
    }
    (found, whole)
}
