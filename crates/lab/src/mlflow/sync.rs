//! What [`super::Tracker::sync`] says: the runs that were sent, those that are left, and why.

use std::path::{Path, PathBuf};

use super::entry::EntryError;
use super::fault_scope::{Fault, Reach};
use super::send::Sender;
use super::spool;
use super::spool::{Spool, SpoolError};

/// What came of it.
#[derive(Debug, Default)]
pub struct Synced {
    /// Names of the runs that were sent, in order.
    pub sent: Vec<String>,
    pub left: Vec<Left>,
    /// Set aside by earlier ones, and not tried.
    pub rejected: Vec<PathBuf>,
}

/// A run that is still in the spool.
#[derive(Debug)]
pub struct Left {
    /// Its folder.
    pub path: PathBuf,
    /// Its name, where that could be read.
    pub name: Option<String>,
    pub reason: String,
    /// It was set aside: the server will never take it.
    pub rejected: bool,
}

impl Synced {
    pub(super) fn run(spool: &Spool, sender: &Sender) -> Result<Self, SpoolError> {
        let mut synced = Self { rejected: spool.rejected()?, ..Self::default() };
        let mut down: Option<Fault> = None;
        for folder in spool.pending()? {
            let parcel = match spool::open(&folder) {
                Ok(parcel) => parcel,
                // Another vigie sent it meanwhile.
                Err(SpoolError::Io { .. }) if !folder.exists() => continue,
                Err(error @ SpoolError::Entry { cause: EntryError::Malformed(_), .. }) => {
                    synced.set_aside(spool, &folder, None, error.to_string());
                    continue;
                }
                Err(error) => {
                    synced.leave(&folder, None, error.to_string());
                    continue;
                }
            };
            let name = parcel.entry.name.clone();
            if let Some(fault) = &down {
                synced.leave(&folder, Some(name), format!("not tried: {fault}"));
                continue;
            }
            match sender.send(&parcel) {
                Ok(()) => match spool.remove(parcel) {
                    Ok(()) => synced.sent.push(name),
                    Err(error) => synced.leave(&folder, Some(name), format!("it was sent, but {error}")),
                },
                Err(fault) if fault.reach == Reach::Forever => {
                    synced.set_aside(spool, &folder, Some(name), fault.reason);
                }
                Err(fault) => {
                    synced.leave(&folder, Some(name), fault.reason.clone());
                    down = Some(fault).filter(|fault| fault.reach == Reach::Server);
                }
            }
        }
        spool.tidy();
        Ok(synced)
    }

    fn leave(&mut self, folder: &Path, name: Option<String>, reason: String) {
        self.left.push(Left { path: folder.to_path_buf(), name, reason, rejected: false });
    }

    fn set_aside(&mut self, spool: &Spool, folder: &Path, name: Option<String>, reason: String) {
        match spool.reject(folder, &reason) {
            Ok(path) => self.left.push(Left { path, name, reason, rejected: true }),
            Err(error) => self.leave(folder, name, format!("{reason}; and it cannot be set aside: {error}")),
        }
    }
}
