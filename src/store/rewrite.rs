//! Rewriting a store: every live record into fresh files, which then take the place of the old ones. sled keeps what was
//! removed in its log until it happens to use the space again; this is how removed means gone. An upgrade of the layout
//! is the same with each record changed on the way.

use std::path::Path;

use super::{Batch, Key, Store, StoreError, engine, layout, upgraded};

/// Records applied at once.
const AT_ONCE: usize = 1_000;

impl Store {
    /// Copies what is live into fresh files and lets go of the old ones: afterwards no byte of a removed record is left
    /// in them. Takes about as long as reading the store, and for that time its size again on disk. A crash leaves the
    /// old files or the new, with the same records.
    ///
    /// # Errors
    /// When the disk refuses. The store is then as it was, unless it cannot be opened again, which the next use tells.
    pub fn rewrite(&mut self) -> Result<(), StoreError> {
        self.replace(|_, value| Ok(value))
    }

    /// A store of layout version `from` in the present layout.
    pub(super) fn upgraded(mut self, from: u32) -> Result<Self, StoreError> {
        self.replace(|key, value| upgraded(from, key, &value))?;
        Ok(self)
    }

    fn replace(&mut self, change: impl Fn(&Key, Vec<u8>) -> Result<Vec<u8>, StoreError>) -> Result<(), StoreError> {
        self.flush()?;
        self.copy_to_new(change)?;
        self.close()?;
        let swapped = layout::SWAP.iter().try_for_each(|step| step(&self.path));
        self.reopen()?;
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
            // The error that counts is the first; what is left goes when the store is opened next.
            let _left = layout::remove_all(&home);
        }
        copied
    }

    fn copy_into(
        &self,
        home: &Path,
        change: impl Fn(&Key, Vec<u8>) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        let copy = engine::open(&self.path, home)?;
        let (mut batch, mut waiting, mut records) = (Batch::default(), 0, 0_usize);
        for record in self.records() {
            let (key, value) = record?;
            let value = change(&key, value)?;
            batch.put_raw(&key, value);
            (waiting, records) = (waiting + 1, records + 1);
            if waiting == AT_ONCE {
                engine::guarded(&self.path, || copy.apply_batch(std::mem::take(&mut batch).0))?;
                waiting = 0;
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

    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        let home = layout::home(&self.path);
        drop(self.db.take());
        layout::wait_closed(&home).map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        layout::settle(&self.path).map_err(|cause| StoreError::failed(&self.path, &cause))?;
        self.db = Some(engine::open(&self.path, &layout::home(&self.path))?);
        Ok(())
    }
}
