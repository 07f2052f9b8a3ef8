//! The store: sled, one tree, typed tables told apart by the first byte of a key. Stands at the bottom of the import
//! order; `monitor` commits through it.
//!
//! One tree, because sled applies a batch atomically within a tree: all effects of one commit are there after a crash,
//! or none. A commit is durable only after [`Store::flush`].

mod key;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use key::{Key, Table};

/// Layout version of what is stored; a store of another version is refused by name.
const SCHEMA: u32 = 1;

/// sled's page cache. What vigie keeps is small and mostly rewritten, so a small cache costs nothing.
const CACHE_BYTES: u64 = 16 << 20;

/// How long, and how often, a held lock is tried.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {path} is in use by another vigie; stop that one, or name another directory")]
    InUse { path: PathBuf },
    #[error("the store {path} cannot be opened: {reason}")]
    Open { path: PathBuf, reason: String },
    #[error("the store {path} has layout version {found}, this vigie reads version {SCHEMA}; use another directory")]
    Schema { path: PathBuf, found: u32 },
    #[error("the store holds a record of table {table:?} that cannot be read: {reason}")]
    Damaged { table: Option<Table>, reason: String },
    #[error("the store {path} failed (is its disk full or read-only?): {reason}")]
    Failed { path: PathBuf, reason: String },
    #[error("a record cannot be encoded: {0}")]
    Encode(postcard::Error),
}

/// Effects to be committed together.
#[derive(Debug, Default)]
pub struct Batch(sled::Batch);

impl Batch {
    /// # Errors
    /// When `value` cannot be encoded.
    pub fn put<V: Serialize>(&mut self, key: &Key, value: &V) -> Result<(), StoreError> {
        let bytes = postcard::to_stdvec(value).map_err(StoreError::Encode)?;
        self.0.insert(key.as_bytes(), bytes);
        Ok(())
    }

    pub fn remove(&mut self, key: &Key) {
        self.0.remove(key.as_bytes());
    }
}

/// An open store. Dropping it flushes.
#[derive(Debug)]
pub struct Store {
    db: sled::Db,
    path: PathBuf,
}

impl Store {
    /// Opens or creates the store in the directory `path`.
    ///
    /// # Errors
    /// When the directory cannot be used, another process holds it, or its layout is of another version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        private_directory(path).map_err(|e| StoreError::Open {
            path: path.into(),
            reason: format!("the directory cannot be made: {e}"),
        })?;
        let db = Self::open_db(path)?;
        let store = Self { db, path: path.into() };
        store.check_schema(path)?;
        Ok(store)
    }

    /// Waits a moment for a lock that is held: by a vigie that is just ending, or by threads of sled's own, which let go of
    /// it a little after the store was dropped.
    fn open_db(path: &Path) -> Result<sled::Db, StoreError> {
        let started = Instant::now();
        loop {
            let opened = sled::Config::new().path(path).cache_capacity(CACHE_BYTES).open();
            match opened.map_err(|error| Self::opening_error(path, &error)) {
                Err(StoreError::InUse { .. }) if started.elapsed() < LOCK_PATIENCE => thread::sleep(LOCK_RETRY),
                settled => return settled,
            }
        }
    }

    fn opening_error(path: &Path, error: &sled::Error) -> StoreError {
        match error {
            // sled turns a held lock into an I/O error of kind Other that only its text tells apart.
            sled::Error::Io(io) if io.to_string().contains("could not acquire lock") => {
                StoreError::InUse { path: path.into() }
            }
            other => StoreError::Open { path: path.into(), reason: other.to_string() },
        }
    }

    fn check_schema(&self, path: &Path) -> Result<(), StoreError> {
        let key = Key::new(Table::Meta).text("schema");
        match self.get::<u32>(&key)? {
            Some(SCHEMA) => Ok(()),
            Some(found) => Err(StoreError::Schema { path: path.into(), found }),
            None if self.db.is_empty() => {
                let mut batch = Batch::default();
                batch.put(&key, &SCHEMA)?;
                self.commit(batch)?;
                self.flush()
            }
            None => Err(StoreError::Open { path: path.into(), reason: "it was not written by vigie".into() }),
        }
    }

    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// When it cannot be read or decoded.
    pub fn get<V: DeserializeOwned>(&self, key: &Key) -> Result<Option<V>, StoreError> {
        let found = self.db.get(key.as_bytes()).map_err(|error| failed(&self.path, &error))?;
        found.map(|bytes| decode(key, &bytes)).transpose()
    }

    /// All records whose key begins with `prefix`, in key order.
    pub fn scan<V: DeserializeOwned>(
        &self,
        prefix: &Key,
    ) -> impl Iterator<Item = Result<(Key, V), StoreError>> + use<V> {
        let path = self.path.clone();
        self.db.scan_prefix(prefix.as_bytes()).map(move |entry| {
            let (key, value) = entry.map_err(|error| failed(&path, &error))?;
            let key = Key::from_stored(&key);
            let value = decode(&key, &value)?;
            Ok((key, value))
        })
    }

    /// Applies all of `batch`, or, after a crash, none of it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.db.apply_batch(batch.0).map_err(|error| failed(&self.path, &error))
    }

    /// Returns once everything committed is on disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(|_| ()).map_err(|error| failed(&self.path, &error))
    }
}

/// Makes `path` where it is not there yet, for its owner alone: what is stored holds texts and authors.
fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn failed(path: &Path, error: &sled::Error) -> StoreError {
    StoreError::Failed { path: path.into(), reason: error.to_string() }
}

fn decode<V: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<V, StoreError> {
    postcard::from_bytes(bytes).map_err(|e| StoreError::Damaged { table: key.table(), reason: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_back_in_key_order() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut batch = Batch::default();
        for time in [5_i64, -3, 70_000] {
            batch.put(&Key::new(Table::Bucket).text("United").time(time), &time).unwrap();
        }
        batch.put(&Key::new(Table::Bucket).text("United Kingdom").time(0), &0_i64).unwrap();
        store.commit(batch).unwrap();

        let found: Vec<i64> =
            store.scan(&Key::new(Table::Bucket).text("United")).map(|entry| entry.unwrap().1).collect();
        assert_eq!(found, [-3, 5, 70_000]);
    }

    /// In a run of all tests some of these find the lock still held by sled's threads.
    #[test]
    fn a_store_can_be_opened_again_at_once() {
        let dir = tempfile::tempdir().unwrap();
        for round in 0..60_u64 {
            let store = Store::open(dir.path()).unwrap();
            let mut batch = Batch::default();
            (0..200).for_each(|i| batch.put(&Key::new(Table::Bucket).number(i), &round).unwrap());
            store.commit(batch).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_look_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let _store = Store::open(&path).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_second_opener_is_told_that_the_store_is_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Store::open(dir.path()).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(StoreError::InUse { .. })));
    }

    #[test]
    fn a_store_of_another_layout_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        {
            let store = Store::open(dir.path()).unwrap();
            let mut batch = Batch::default();
            batch.put(&Key::new(Table::Meta).text("schema"), &999_u32).unwrap();
            store.commit(batch).unwrap();
        }
        assert!(matches!(Store::open(dir.path()), Err(StoreError::Schema { found: 999, .. })));
    }

    #[test]
    fn a_record_that_does_not_decode_is_named_by_its_table() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let key = Key::new(Table::Alert).text("x");
        store.db.insert(key.as_bytes(), vec![0xff; 3]).unwrap();
        let error = store.get::<String>(&key).unwrap_err();
        assert!(error.to_string().contains("Alert"), "{error}");
    }
}
