//! What `vigie store repair` does to the files: a copy first, then whatever sled can still read.

use std::path::{Path, PathBuf};

use super::{Key, Store, StoreError, engine, layout};

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
        // sled writes to what it reads: it gets a copy, without the snapshot, which it can make anew from its log.
        let scratch = layout::new_home(path).map_err(failed)?;
        layout::copy_sled(&kept, &scratch).map_err(failed)?;
        layout::forget_snapshots(&scratch).map_err(failed)?;
        let found = readable(path, &scratch);
        layout::wait_closed(&scratch).map_err(failed)?;
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

/// Every record that sled can still read in `home`.
fn readable(path: &Path, home: &Path) -> Vec<(Key, Vec<u8>)> {
    let mut found = Vec::new();
    let Ok(db) = engine::open(path, home) else { return found };
    // After an unreadable record the scan goes on behind the last one read, table by table.
    for table in 0..=u8::MAX {
        let mut entries = db.scan_prefix([table]);
        while let Ok(Some((key, value))) = engine::guarded(path, || entries.next().transpose()) {
            found.push((Key::from_stored(&key), value.to_vec()));
        }
    }
    found
}
