//! Rewrites a store: every live record into new files, which then replace the old ones. sled keeps removed records in its
//! log until it reuses the space; a rewrite erases them for good. An upgrade of the layout is a rewrite that changes each
//! record on the way.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use super::{Batch, Key, Store, StoreError, engine, layout, migrate};

/// Records per batch of a copy.
const BATCH_RECORDS: usize = 1_000;

impl Store {
    /// Copies what is live into new files and removes the old ones: afterwards no byte of a removed record is left. Takes
    /// about as long as reading the store, and until it is done twice the disk space. A crash leaves the old files or the
    /// new, with the same records.
    ///
    /// # Errors
    /// When the disk fails. The store is then as before; if it cannot be reopened, the next use reports that.
    pub fn rewrite(&mut self) -> Result<(), StoreError> {
        self.replace(|_, value| Ok(value))
    }

    /// Upgrades a store of layout version `from` by the `steps` that follow it.
    pub(super) fn upgrade(mut self, steps: &[migrate::Step], from: u32) -> Result<Self, StoreError> {
        self.replace(|key, value| migrate::upgraded_by(steps, from, key, &value))?;
        Ok(self)
    }

    fn replace(&mut self, change: impl Fn(&Key, Vec<u8>) -> Result<Vec<u8>, StoreError>) -> Result<(), StoreError> {
        self.flush()?;
        self.copy_to_new(change)?;
        // Readers wait from here on: sled's files are closed, replaced and opened again.
        let shared = Arc::clone(&self.shared);
        let mut shared = shared.write().unwrap_or_else(PoisonError::into_inner);
        *shared = None;
        self.close_files()?;
        let swapped = layout::SWAP.iter().try_for_each(|step| step(&self.path));
        self.reopen()?;
        *shared = self.db.as_ref().map(|opened| opened.db.clone());
        swapped.map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    /// Makes a complete and durable copy in `db.new`.
    pub(super) fn copy_to_new(
        &self,
        change: impl Fn(&Key, Vec<u8>) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        let home = layout::new_home(&self.path).map_err(|cause| StoreError::failed(&self.path, &cause))?;
        let copied = self.copy_into(&home, change);
        if copied.is_err() {
            // The first error is the one to report; the next opening of the store removes what is left.
            let _left = layout::remove_all(&home);
        }
        copied
    }

    fn copy_into(
        &self,
        home: &Path,
        change: impl Fn(&Key, Vec<u8>) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        let copy = engine::open(&self.path, home)?.db;
        let (mut batch, mut batched, mut records) = (Batch::default(), 0, 0_usize);
        for record in self.records() {
            let (key, value) = record?;
            let value = change(&key, value)?;
            batch.put_raw(&key, value);
            (batched, records) = (batched + 1, records + 1);
            if batched == BATCH_RECORDS {
                engine::guarded(&self.path, || copy.apply_batch(std::mem::take(&mut batch).0))?;
                batched = 0;
            }
        }
        engine::guarded(&self.path, || copy.apply_batch(batch.0))?;
        engine::guarded(&self.path, || copy.flush())?;
        let found = engine::guarded(&self.path, || Ok(copy.len()))?;
        if found != records {
            let reason = format!("a copy of its {records} records has {found}");
            return Err(StoreError::Failed { path: self.path.clone(), reason });
        }
        drop(copy);
        let closed = layout::wait_closed(home).and_then(|()| layout::mark(home));
        closed.map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    /// Closes sled's files. Readers must have lost theirs before.
    fn close_files(&mut self) -> Result<(), StoreError> {
        let home = layout::home(&self.path);
        drop(self.db.take());
        layout::wait_closed(&home).map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    /// Closes the store as a rewrite does, for tests that stop in the middle of one.
    #[cfg(test)]
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.close_files()
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        layout::settle(&self.path).map_err(|cause| StoreError::failed(&self.path, &cause))?;
        self.db = Some(engine::open(&self.path, &layout::home(&self.path))?);
        Ok(())
    }
}
