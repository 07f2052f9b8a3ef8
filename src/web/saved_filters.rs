//! [`SavedFilters`]: filters of the posts page under a name, in the file `filters.json` of the state directory, with who saved
//! each and when. Below `page`, which reads and writes what a filter holds.
//!
//! A filter by author is refused: `vigie forget` does not read this file, and a forgotten name would stay in it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state_file;

const FILE: &str = "filters.json";
/// Filters that are kept.
const MAX_FILTERS: usize = 100;
/// Characters of a name.
const MAX_NAME: usize = 60;
/// Bytes of a filter as parameters of an address.
const MAX_QUERY: usize = 2_000;

/// A filter and an order of posts, under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedFilter {
    pub(super) name: String,
    /// The parameters of the posts page, as in an address.
    pub(super) query: String,
    /// Who saved it; nobody where no name was given.
    pub(super) by: Option<String>,
    pub(super) at: Timestamp,
}

/// Why filters cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SavedFilterError {
    #[error("{path}: {reason}; correct the file, or remove it to start without saved filters")]
    File { path: PathBuf, reason: String },
    #[error("name: {0:?} is not valid; expected 1 to {MAX_NAME} characters on one line")]
    Name(String),
    #[error("name: there is already a filter {0:?}; choose another name, or delete that one first")]
    Taken(String),
    #[error("name: there is no filter {0:?}; the posts page lists the saved ones")]
    Unknown(String),
    #[error("there are {MAX_FILTERS} saved filters, which is the most; delete one first")]
    Full,
    #[error("address: the filter is longer than {MAX_QUERY} bytes; leave a part of it out")]
    TooLong,
    #[error("address: it selects all posts; filter or order them first")]
    Everything,
    #[error(
        "author: a filter by author is not saved, because `vigie forget` could not remove the name; leave the author out"
    )]
    Author,
}

/// Clones change the same file, one at a time.
#[derive(Debug, Clone)]
pub struct SavedFilters {
    state: PathBuf,
    changing: Arc<Mutex<()>>,
}

impl SavedFilters {
    /// In the state directory `state`.
    pub fn new(state: &Path) -> Self {
        Self { state: state.into(), changing: Arc::default() }
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn load(&self) -> Result<Vec<SavedFilter>, SavedFilterError> {
        let path = self.state.join(FILE);
        state_file::read(&path)
            .map(Option::unwrap_or_default)
            .map_err(|cause| SavedFilterError::File { path, reason: cause.to_string() })
    }

    /// The filter `name`.
    ///
    /// # Errors
    /// When there is none, or the file cannot be read.
    pub(super) fn find(&self, name: &str) -> Result<SavedFilter, SavedFilterError> {
        let found = self.load()?.into_iter().find(|filter| is_same(&filter.name, name));
        found.ok_or_else(|| SavedFilterError::Unknown(name.to_owned()))
    }

    /// Adds a filter.
    ///
    /// # Errors
    /// When its name is taken or not valid, or there are too many; or the file cannot be read or written.
    pub(super) fn save(&self, filter: SavedFilter) -> Result<(), SavedFilterError> {
        if filter.query.len() > MAX_QUERY {
            return Err(SavedFilterError::TooLong);
        }
        self.change(|filters| {
            let name = free_name(filters, &filter.name)?;
            if filters.len() >= MAX_FILTERS {
                return Err(SavedFilterError::Full);
            }
            filters.push(SavedFilter { name, ..filter });
            Ok(())
        })
    }

    /// Gives the filter `name` the name `to`.
    ///
    /// # Errors
    /// When the filter does not exist, the new name is taken or not valid, or the file cannot be read or written.
    pub(super) fn rename(&self, name: &str, to: &str) -> Result<(), SavedFilterError> {
        self.change(|filters| {
            let place = place(filters, name)?;
            let mut renamed = filters.remove(place);
            // The filter itself does not count: it may change the spelling of its name.
            renamed.name = free_name(filters, to)?;
            filters.push(renamed);
            Ok(())
        })
    }

    /// # Errors
    /// When the filter does not exist, or the file cannot be read or written.
    pub(super) fn delete(&self, name: &str) -> Result<(), SavedFilterError> {
        self.change(|filters| {
            filters.remove(place(filters, name)?);
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<SavedFilter>) -> Result<(), SavedFilterError>,
    ) -> Result<(), SavedFilterError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut filters = self.load()?;
        change(&mut filters)?;
        filters.sort_by_cached_key(|filter| filter.name.to_lowercase());
        state_file::write(&self.state, FILE, &filters)
            .map_err(|cause| SavedFilterError::File { path: self.state.join(FILE), reason: cause.to_string() })
    }
}

fn place(filters: &[SavedFilter], name: &str) -> Result<usize, SavedFilterError> {
    let place = filters.iter().position(|filter| is_same(&filter.name, name));
    place.ok_or_else(|| SavedFilterError::Unknown(name.to_owned()))
}

/// `name` without spaces around it, if it is valid and no filter has it.
fn free_name(filters: &[SavedFilter], name: &str) -> Result<String, SavedFilterError> {
    let name = name.trim();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(SavedFilterError::Name(name.to_owned()));
    }
    match place(filters, name) {
        Ok(_) => Err(SavedFilterError::Taken(name.to_owned())),
        Err(_) => Ok(name.to_owned()),
    }
}

fn is_same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(name: &str) -> SavedFilter {
        SavedFilter {
            name: name.into(),
            query: "label=negative".into(),
            by: Some("Claire".into()),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn names(filters: &SavedFilters) -> Vec<String> {
        filters.load().unwrap().into_iter().map(|filter| filter.name).collect()
    }

    #[test]
    fn a_filter_is_saved_found_renamed_and_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let filters = SavedFilters::new(dir.path());
        assert_eq!(filters.load().unwrap(), []);
        filters.save(filter(" Valises perdues ")).unwrap();
        filters.save(filter("annulations")).unwrap();
        assert_eq!(names(&filters), ["annulations", "Valises perdues"]);
        assert_eq!(filters.find("valises perdues").unwrap(), filter("Valises perdues"));
        filters.rename("valises perdues", "VALISES PERDUES").unwrap();
        assert!(filters.rename("Annulations", "valises perdues").unwrap_err().to_string().contains("already"));
        assert!(filters.rename("none", "x").unwrap_err().to_string().contains("no filter \"none\""));
        filters.delete("Annulations").unwrap();
        assert!(filters.delete("Annulations").is_err() && filters.find("annulations").is_err());
        // A daemon that starts again has them.
        assert_eq!(names(&SavedFilters::new(dir.path())), ["VALISES PERDUES"]);
    }

    #[test]
    fn names_and_numbers_are_limited() {
        let dir = tempfile::tempdir().unwrap();
        let filters = SavedFilters::new(dir.path());
        for name in ["", "  ", "a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert!(filters.save(filter(name)).unwrap_err().to_string().starts_with("name:"), "{name:?}");
        }
        let long = SavedFilter { query: "x".repeat(MAX_QUERY + 1), ..filter("long") };
        assert!(filters.save(long).unwrap_err().to_string().starts_with("address:"));
        for number in 0..MAX_FILTERS {
            filters.save(filter(&number.to_string())).unwrap();
        }
        assert!(filters.save(filter("one more")).unwrap_err().to_string().contains("delete one first"));
        assert_eq!(names(&filters).len(), MAX_FILTERS);
    }

    #[test]
    fn a_damaged_file_is_named_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "{").unwrap();
        let filters = SavedFilters::new(dir.path());
        let error = filters.save(filter("a")).unwrap_err().to_string();
        assert!(error.contains(FILE) && error.contains("correct the file"), "{error}");
        assert_eq!(std::fs::read_to_string(dir.path().join(FILE)).unwrap(), "{");
    }
}
