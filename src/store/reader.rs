//! [`StoreReader`]: a cloneable handle that reads the store from other threads, while the monitor's thread writes. `query` reads
//! through it.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use serde::de::DeserializeOwned;

use super::{Key, StoreError, decode, engine};

/// Reads what is committed. Clones read the same store; once it is closed every read is an error.
#[derive(Debug, Clone)]
pub struct StoreReader {
    db: Arc<RwLock<Option<sled::Db>>>,
    path: PathBuf,
}

/// A look into the store. While one exists the store's files are not replaced: keep it for one question only.
#[derive(Debug)]
pub struct View<'a> {
    db: RwLockReadGuard<'a, Option<sled::Db>>,
    path: &'a Path,
}

impl StoreReader {
    pub(super) fn new(db: Arc<RwLock<Option<sled::Db>>>, path: &Path) -> Self {
        Self { db, path: path.into() }
    }

    /// Waits while the store's files are being replaced.
    pub fn view(&self) -> View<'_> {
        View { db: self.db.read().unwrap_or_else(PoisonError::into_inner), path: &self.path }
    }
}

impl View<'_> {
    /// The value under `key`, if any.
    ///
    /// # Errors
    /// When the store is closed, or the value cannot be read or decoded.
    pub fn get<V: DeserializeOwned>(&self, key: &Key) -> Result<Option<V>, StoreError> {
        self.get_raw(key)?.map(|bytes| decode(key, &bytes)).transpose()
    }

    /// The value under `key` as it is stored, if any.
    ///
    /// # Errors
    /// When the store is closed or cannot be read.
    pub fn get_raw(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let db = self.db()?;
        Ok(engine::guarded(self.path, || db.get(key.as_bytes()))?.map(|bytes| bytes.to_vec()))
    }

    /// All records from `from` up to, and not including, `until`, in key order; read from either end. An iterator ends after
    /// its first error.
    ///
    /// # Errors
    /// When the store is closed.
    pub fn range(&self, from: &Key, until: &Key) -> Result<Range<'_>, StoreError> {
        let bounds = (Bound::Included(from.as_bytes().to_vec()), Bound::Excluded(until.as_bytes().to_vec()));
        // sled panics on a range whose end is before its start.
        let entries = (from < until).then(|| self.db().map(|db| db.range::<Vec<u8>, _>(bounds))).transpose()?;
        Ok(Range { entries, path: self.path })
    }

    fn db(&self) -> Result<&sled::Db, StoreError> {
        let closed = || StoreError::Failed { path: self.path.into(), reason: "it is closed".into() };
        self.db.as_ref().ok_or_else(closed)
    }
}

/// See [`View::range`].
pub struct Range<'a> {
    entries: Option<sled::Iter>,
    path: &'a Path,
}

impl Range<'_> {
    fn step(
        &mut self,
        next: impl FnOnce(&mut sled::Iter) -> Option<sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> Option<Result<(Key, Vec<u8>), StoreError>> {
        let entries = self.entries.as_mut()?;
        let read = engine::guarded(self.path, || next(entries).transpose());
        if !matches!(read, Ok(Some(_))) {
            self.entries = None;
        }
        Some(read.transpose()?.map(|(key, value)| (Key::from_stored(&key), value.to_vec())))
    }
}

impl Iterator for Range<'_> {
    type Item = Result<(Key, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Iterator::next)
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(DoubleEndedIterator::next_back)
    }
}
