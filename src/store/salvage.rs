//! What `vigie store repair` does to the files: a copy first, then whatever sled can still read.

use std::io;
use std::path::{Path, PathBuf};

use super::{Key, Store, StoreError, engine, layout};

/// Parts of the log that are tried, each a little shorter than the last.
const PARTS: u64 = 16;

type Records = Vec<(Key, Vec<u8>)>;

/// What was saved of a store that sled could not open or read through.
#[derive(Debug)]
pub struct Salvaged {
    pub records: u64,
    /// Where the damaged files are now.
    pub kept: PathBuf,
}

impl Store {
    /// Copies sled's files of the store `path` to `path`/`name`, and returns where. Nobody may have the store open.
    ///
    /// # Errors
    /// When another process has it, or the disk refuses.
    pub fn back_up(path: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let _lock = layout::lock(path)?;
        let failed = |cause| StoreError::failed(path, &cause);
        layout::settle(path).map_err(failed)?;
        let (home, copy) = (layout::home(path), path.join(name));
        layout::copy_sled(&home, &copy).map_err(failed)?;
        Ok(copy)
    }

    /// Moves the files of a store that sled cannot open, or not read through, to `path`/`name`, and puts in their place
    /// one with what can still be read of them, which may be nothing.
    ///
    /// # Errors
    /// When another process has the store, or the disk refuses.
    pub fn salvage(path: &Path, name: &str) -> Result<Salvaged, StoreError> {
        let lock = layout::lock(path)?;
        let failed = |cause| StoreError::failed(path, &cause);
        layout::settle(path).map_err(failed)?;
        let kept = layout::put_away(path, name).map_err(failed)?;
        let found = best(path, &kept).map_err(failed)?;
        drop(lock);

        let store = Self::open_as_it_is(path)?;
        let records = found.len() as u64;
        for (key, value) in found {
            let db = store.db()?;
            engine::guarded(path, || db.insert(key.as_bytes(), value))?;
        }
        store.flush()?;
        Ok(Salvaged { records, kept })
    }
}

/// What can be read of the longest part of the log that can be read to its end, which is the store as it once was; else
/// the most that can be read of any part.
fn best(path: &Path, kept: &Path) -> io::Result<Records> {
    let mut best = Records::new();
    for part in (1..=PARTS).rev() {
        // sled writes to what it reads: it gets a copy each time.
        let scratch = layout::new_home(path)?;
        layout::copy_sled(kept, &scratch)?;
        if layout::reduce_to_log(&scratch, part, PARTS).is_err() {
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
    let Ok(db) = engine::open(path, home) else { return (found, false) };
    // Where a record cannot be read the scan goes on with the next table.
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
