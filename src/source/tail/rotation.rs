//! [`Follower`]: which file is read, and when the next one is begun. One [`step`](Follower::step) is one look at it; it
//! knows no clock and never sleeps.
//!
//! ```text
//!           there                          renamed, and the next one has bytes, twice nothing more in this one
//! (none) ----------> reading a file ------------------------------------------------------------------------> the next
//!   ^                 |    |                                              (its last line is taken as it is)
//!   |                 |    \-- shorter, or begins otherwise: its copy, if there is one, else itself from the start
//!   \-- unreadable ---/
//! ```

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::source::delivery::{Cursor, Delivery};

use super::checkpoint::{Identity, Place, is_same, modified};
use super::config::Config;
use super::file::{Came, Tailed};
use super::siblings::{Age, Sibling, siblings};

/// Bytes behind a CSV header that must be alike for a copy to be known by them.
const ALIKE: usize = 64;

/// Follows one path.
pub(super) struct Follower {
    config: Config,
    file: Option<Tailed>,
    /// Where to go on once a file is open.
    resume: Option<Place>,
    /// Of the file read before this one.
    header: Option<String>,
    /// The last step found nothing more in a file that was renamed.
    quiet: bool,
}

/// What one look came to.
#[derive(Debug)]
pub(super) struct Step {
    /// Its cursor is none where nothing changed.
    pub(super) delivery: Delivery,
    /// There may be more at once.
    pub(super) more: bool,
    pub(super) standing: Standing,
}

/// How the file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Reading,
    /// It passes by itself, or once somebody gives vigie the file.
    Waiting(String),
    /// This file cannot be read at all; another in its place may be.
    Refused(String),
}

impl Follower {
    /// `place`: how far it was read, as last committed.
    pub(super) fn new(config: Config, place: Option<Place>) -> Self {
        let header = place.as_ref().and_then(|place| place.header.clone());
        Self { config, file: None, resume: place, header, quiet: false }
    }

    /// Looks once: reads what was added, at most one delivery of it.
    pub(super) fn step(&mut self, now: Timestamp) -> Step {
        let mut delivery = Delivery::default();
        let before = self.place();
        let looked = self.look(&mut delivery, now);
        let (more, standing) = match looked {
            Ok(more) => (more, self.standing()),
            Err(cause) => {
                // What was read of it stands in `place`; it is opened anew from there.
                self.resume = self.place();
                self.file = None;
                (false, Standing::Waiting(self.unreadable(&cause)))
            }
        };
        let place = self.place();
        if !is_same(before.as_ref(), place.as_ref()) {
            delivery.cursor = place.and_then(|place| Cursor::new(&place).ok());
        }
        Step { delivery, more, standing }
    }

    fn place(&self) -> Option<Place> {
        self.file.as_ref().map(Tailed::place).or_else(|| self.resume.clone())
    }

    fn look(&mut self, delivery: &mut Delivery, now: Timestamp) -> io::Result<bool> {
        if self.file.is_none() {
            self.file = self.find()?;
        }
        let Some(file) = &mut self.file else { return Ok(false) };
        if !file.is_intact()? {
            tracing::warn!(path = %self.config.path.display(), "the followed file was cut or written anew");
            self.header = file.header.clone().or_else(|| self.header.take());
            *file = anew(file, &self.config)?;
        }
        self.resume = None;
        let offset = file.place().offset;
        let came = file.read(delivery, &self.config, self.header.as_deref(), now)?;
        if came == Came::Full {
            self.quiet = false;
            return Ok(true);
        }
        self.quiet &= file.place().offset == offset;
        self.pass_on(delivery, now)
    }

    /// Opens the file that was read last, under whatever name it has now; else the oldest that is newer than it.
    fn find(&self) -> io::Result<Option<Tailed>> {
        let path = &self.config.path;
        let Some(place) = &self.resume else { return self.open_if_there(path, None) };
        let found = siblings(path)?;
        if let Some(path) = known_again(&found, place) {
            return self.open_if_there(&path, Some(place));
        }
        let is_newer = |sibling: &&Sibling| {
            sibling.age == Age::Current || (sibling.age > Age::Unknown && modified(&sibling.metadata) > place.modified)
        };
        let Some(first) = found.iter().find(is_newer) else { return self.open_if_there(path, None) };
        tracing::warn!(
            path = %path.display(),
            read_to = place.offset,
            "the file read last is gone or changed: what was added to it since is not read"
        );
        self.open_if_there(&first.path, None)
    }

    fn open_if_there(&self, path: &Path, place: Option<&Place>) -> io::Result<Option<Tailed>> {
        match Tailed::open(path, place, &self.config) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes on with the next file where this one was renamed and nothing is added to it any more.
    fn pass_on(&mut self, delivery: &mut Delivery, now: Timestamp) -> io::Result<bool> {
        let Some(file) = &mut self.file else { return Ok(false) };
        if std::fs::metadata(&self.config.path).is_ok_and(|there| Identity::of(&there) == file.identity) {
            self.quiet = false;
            return Ok(false);
        }
        let Some(next) = successor(&siblings(&self.config.path)?, file.identity) else { return Ok(false) };
        // The writer may hold the renamed file open for a moment more.
        if !std::mem::replace(&mut self.quiet, true) {
            return Ok(false);
        }
        file.end();
        if file.read(delivery, &self.config, self.header.as_deref(), now)? == Came::Full {
            return Ok(true);
        }
        let header = file.header.clone();
        let (path, identity) = next;
        // Between the look at the directory and this, it may have been renamed: then the next step looks again.
        if let Some(next) = self.open_if_there(&path, None)?.filter(|next| next.identity == identity) {
            (self.file, self.quiet) = (Some(next), false);
            self.header = header.or_else(|| self.header.take());
        }
        Ok(true)
    }

    fn standing(&self) -> Standing {
        let path = self.config.path.display();
        let there = match self.config.path.try_exists() {
            Ok(there) => there,
            Err(cause) => return Standing::Waiting(self.unreadable(&cause)),
        };
        match &self.file {
            Some(file) => match &file.refused {
                Some(why) => Standing::Refused(format!("{path} is not read: {why}")),
                None if there => Standing::Reading,
                None => Standing::Waiting(format!("{path} was renamed or removed: waiting for a new one")),
            },
            None => Standing::Waiting(format!("{path} is not there yet: waiting for it")),
        }
    }

    fn unreadable(&self, cause: &io::Error) -> String {
        let way_out = match cause.kind() {
            io::ErrorKind::PermissionDenied => "; let vigie's user read it and its directory",
            _ => "",
        };
        format!("{} cannot be read: {cause}{way_out}", self.config.path.display())
    }
}

/// What to read instead of a file that was cut or written anew.
fn anew(file: &Tailed, config: &Config) -> io::Result<Tailed> {
    let mut place = file.place();
    // It is the same inode, but no longer the same file: only a copy of what it was can be known again.
    place.identity = Identity { device: 0, inode: 0 };
    let found = siblings(&config.path)?;
    if let Some(path) = known_again(&found, &place) {
        return Tailed::open(&path, Some(&place), config);
    }
    let same = found.iter().find(|sibling| Identity::of(&sibling.metadata) == file.identity);
    Tailed::open(same.map_or(&config.path, |sibling| &sibling.path), None, config)
}

/// The file of `place`: by its inode, or else a copy of it that holds what was read and is not the file itself.
fn known_again(found: &[Sibling], place: &Place) -> Option<PathBuf> {
    let fits = |sibling: &&Sibling| {
        let open = || std::fs::File::open(&sibling.path);
        sibling.metadata.len() >= place.offset && open().and_then(|file| place.head.is_of(&file)).unwrap_or(false)
    };
    let same = |sibling: &&Sibling| Identity::of(&sibling.metadata) == place.identity && fits(sibling);
    let distinct = place.head.length >= place.header.as_ref().map_or(0, String::len) + ALIKE;
    let copy = |sibling: &&Sibling| distinct && fits(sibling);
    let known = found.iter().find(same).or_else(|| found.iter().rev().find(copy));
    known.map(|sibling| sibling.path.clone())
}

/// The first file with something in it that was written after the one with this identity.
fn successor(found: &[Sibling], identity: Identity) -> Option<(PathBuf, Identity)> {
    let this = found.iter().find(|sibling| Identity::of(&sibling.metadata) == identity);
    let is_newer = |sibling: &&Sibling| match this.map(|this| &this.age) {
        None | Some(Age::Unknown) => sibling.age == Age::Current,
        Some(age) => sibling.age > *age,
    };
    let next = found.iter().filter(is_newer).find(|sibling| sibling.metadata.len() > 0);
    next.map(|sibling| (sibling.path.clone(), Identity::of(&sibling.metadata)))
}
