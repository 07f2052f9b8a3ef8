//! The store: sled, one tree, typed tables distinguished by the first byte of a key. Stands at the bottom of the import
//! order; `monitor` commits through it, `query` reads from it through a [`StoreReader`].
//!
//! One tree, because sled applies a batch atomically within a tree: all effects of one commit are there after a crash,
//! or none. A commit is durable only after [`Store::flush`].

mod engine;
mod error;
mod key;
mod layout;
mod migrate;
mod reader;
mod rewrite;
mod salvage;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::StoreError;
pub use key::{Key, Part, Table};
pub use migrate::upgraded;
pub use reader::{Range, StoreReader, View};
pub use salvage::SalvageReport;

/// Layout version of what is stored. An older store is upgraded when it is opened, an unknown version refused.
pub const SCHEMA: u32 = migrate::version(migrate::STEPS);

/// Effects to be committed together.
#[derive(Debug, Default)]
pub struct Batch(sled::Batch);

impl Batch {
    /// # Errors
    /// When `value` cannot be encoded.
    pub fn put<V: Serialize>(&mut self, key: &Key, value: &V) -> Result<(), StoreError> {
        let bytes = postcard::to_stdvec(value).map_err(StoreError::Encode)?;
        self.put_raw(key, bytes);
        Ok(())
    }

    /// Puts a value that is encoded already.
    pub fn put_raw(&mut self, key: &Key, value: Vec<u8>) {
        self.0.insert(key.as_bytes(), value);
    }

    pub fn remove(&mut self, key: &Key) {
        self.0.remove(key.as_bytes());
    }
}

/// Smaller files are never rewritten for their space.
const MIN_WASTEFUL_BYTES: u64 = 64 << 20;
/// Files larger than this multiple of what they hold are rewritten.
const MAX_BYTES_PER_RECORD_BYTE: u64 = 4;

/// An open store. Dropping it flushes.
#[derive(Debug)]
pub struct Store {
    /// None only after a rewrite that could not open what it wrote. Dropped before the lock is.
    db: Option<engine::Opened>,
    /// What readers read from; none while the store is closed.
    shared: Arc<RwLock<Option<sled::Db>>>,
    path: PathBuf,
    /// Set once a write failed.
    has_failed: AtomicBool,
    _lock: File,
}

impl Drop for Store {
    fn drop(&mut self) {
        // Readers may live longer, and would keep sled's files open.
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(opened) = self.db.take() {
            engine::close(opened, *self.has_failed.get_mut());
        }
    }
}

impl Store {
    /// Opens or creates the store in the directory `path`; one of an older layout is upgraded.
    ///
    /// # Errors
    /// When the directory cannot be used, another process holds it, it is damaged, or its layout version is unknown.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, migrate::STEPS)
    }

    /// Opens the store in the layout that `steps` lead to.
    fn open_with(path: &Path, steps: &[migrate::Step]) -> Result<Self, StoreError> {
        let store = Self::open_as_is(path)?;
        let current = migrate::version(steps);
        match store.schema()? {
            Some(found) if found == current => store.marked(),
            Some(found) if (1..current).contains(&found) => store.upgrade(steps, found),
            Some(found) => Err(StoreError::Schema { path: path.into(), found }),
            None if store.is_emptied()? => {
                let reason = "its files exist but hold nothing".into();
                Err(StoreError::Corrupt { path: path.into(), reason })
            }
            None if store.is_empty()? => {
                store.restore_schema()?;
                store.marked()
            }
            None => Err(StoreError::Open { path: path.into(), reason: "it was not written by vigie".into() }),
        }
    }

    /// Opens the store whatever its layout version, for [`Store::records`] only.
    ///
    /// # Errors
    /// When the directory cannot be used, another process holds it, or sled cannot read it.
    pub fn open_as_is(path: &Path) -> Result<Self, StoreError> {
        let lock = layout::lock(path)?;
        layout::settle(path).map_err(|cause| StoreError::Unwritable { path: path.into(), cause })?;
        let home = layout::home(path);
        layout::private_directory(&home).map_err(|cause| StoreError::Unwritable { path: path.into(), cause })?;
        let opened = match engine::open(path, &home) {
            // This process has the directory's lock, so nobody else holds sled's: a store that failed earlier could not be
            // closed. Its files are left to it.
            Err(StoreError::InUse { .. }) => {
                layout::replace_by_copy(path).map_err(|cause| StoreError::failed(path, &cause))?;
                engine::open(path, &home)?
            }
            opened => opened?,
        };
        let shared = Arc::new(RwLock::new(Some(opened.db.clone())));
        Ok(Self { db: Some(opened), shared, path: path.into(), has_failed: AtomicBool::new(false), _lock: lock })
    }

    /// The layout version; none in a store that nothing was written to.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn schema(&self) -> Result<Option<u32>, StoreError> {
        self.get(&schema_key())
    }

    /// Whether there is a store in the directory `path`.
    pub fn is_in(path: &Path) -> bool {
        layout::is_store(path)
    }

    /// Writes the layout version where it was lost; the records are assumed to be of the current one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn restore_schema(&self) -> Result<(), StoreError> {
        if self.schema()?.is_some() {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.put(&schema_key(), &SCHEMA)?;
        self.commit(batch)?;
        self.flush()
    }

    /// Removes the files of a store whose creation failed.
    pub fn discard(path: &Path) {
        // The next use of the directory finds what is left, and reports it.
        let _left = layout::lock(path).map(|_lock| layout::discard(path));
    }

    /// The value under `key`, if any.
    ///
    /// # Errors
    /// When it cannot be read or decoded.
    pub fn get<V: DeserializeOwned>(&self, key: &Key) -> Result<Option<V>, StoreError> {
        let db = self.db()?;
        let found = engine::guarded(&self.path, || db.get(key.as_bytes()))?;
        found.map(|bytes| decode(key, &bytes)).transpose()
    }

    /// All records whose key begins with `prefix`, in key order.
    pub fn scan<V: DeserializeOwned>(
        &self,
        prefix: &Key,
    ) -> impl Iterator<Item = Result<(Key, V), StoreError>> + use<V> {
        self.raw(prefix.as_bytes()).map(|record| {
            let (key, value) = record?;
            let value = decode(&key, &value)?;
            Ok((key, value))
        })
    }

    /// All keys that begin with `prefix`, in order.
    pub fn keys(&self, prefix: &Key) -> impl Iterator<Item = Result<Key, StoreError>> + use<> {
        self.raw(prefix.as_bytes()).map(|record| Ok(record?.0))
    }

    /// All records, as they are stored, in key order; ends at the first error.
    pub fn records(&self) -> impl Iterator<Item = Result<(Key, Vec<u8>), StoreError>> + use<> {
        self.raw(&[])
    }

    fn raw(&self, prefix: &[u8]) -> impl Iterator<Item = Result<(Key, Vec<u8>), StoreError>> + use<> {
        let path = self.path.clone();
        let (mut entries, mut failed) = match self.db() {
            Ok(db) => (Some(db.scan_prefix(prefix)), None),
            Err(error) => (None, Some(error)),
        };
        std::iter::from_fn(move || {
            if let Some(error) = failed.take() {
                return Some(Err(error));
            }
            let read = engine::guarded(&path, || entries.as_mut().and_then(Iterator::next).transpose());
            match read.transpose() {
                Some(Ok((key, value))) => Some(Ok((Key::from_stored(&key), value.to_vec()))),
                Some(Err(error)) => {
                    entries = None;
                    Some(Err(error))
                }
                None => None,
            }
        })
    }

    /// A handle for other threads, which reads what is committed.
    pub fn reader(&self) -> StoreReader {
        StoreReader::new(Arc::clone(&self.shared), &self.path)
    }

    /// Applies all of `batch`, or, after a crash, none of it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let db = self.db()?;
        self.note_failure(engine::guarded(&self.path, || db.apply_batch(batch.0)))
    }

    /// Returns once everything committed is on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), StoreError> {
        let db = self.db()?;
        self.note_failure(engine::guarded(&self.path, || db.flush())).map(|_| ())
    }

    fn note_failure<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        self.has_failed.fetch_or(written.is_err(), Ordering::Relaxed);
        written
    }

    /// The store's directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of its files.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        layout::size(&self.path).map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    /// Whether its files hold little but what was overwritten or removed, so that a rewrite saves most of their space. Reads the
    /// whole store where it is large.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_wasteful(&self) -> Result<bool, StoreError> {
        let bytes = self.size_on_disk()?;
        if bytes < MIN_WASTEFUL_BYTES {
            return Ok(false);
        }
        let mut records = 0;
        for record in self.records() {
            let (key, value) = record?;
            records += (key.as_bytes().len() + value.len()) as u64;
        }
        Ok(bytes > MAX_BYTES_PER_RECORD_BYTE * records)
    }

    /// The copies that `vigie store repair` made in the directory. They hold what the store held then.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn copies(&self) -> Result<Vec<PathBuf>, StoreError> {
        layout::copies(&self.path).map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    /// Removes such copies made before `time` (Unix seconds); returns how many.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn remove_copies_before(&self, time: i64) -> Result<u64, StoreError> {
        layout::remove_copies_before(&self.path, time).map_err(|cause| StoreError::failed(&self.path, &cause))
    }

    /// Whether it lost everything it held: sled takes truncated files for new ones.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_emptied(&self) -> Result<bool, StoreError> {
        Ok(layout::is_marked(&layout::home(&self.path)) && self.is_empty()?)
    }

    fn marked(self) -> Result<Self, StoreError> {
        layout::mark(&layout::home(&self.path)).map_err(|cause| StoreError::failed(&self.path, &cause))?;
        Ok(self)
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        let db = self.db()?;
        engine::guarded(&self.path, || Ok(db.is_empty()))
    }

    fn db(&self) -> Result<&sled::Db, StoreError> {
        let closed = || "it could not be reopened after its files were rewritten".into();
        let opened = self.db.as_ref();
        opened.map(|opened| &opened.db).ok_or_else(|| StoreError::Failed { path: self.path.clone(), reason: closed() })
    }
}

fn schema_key() -> Key {
    Key::new(Table::Meta).text("schema")
}

pub(crate) fn decode<V: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<V, StoreError> {
    postcard::from_bytes(bytes).map_err(|e| StoreError::Damaged { table: key.table(), reason: e.to_string() })
}

#[cfg(test)]
mod tests;
