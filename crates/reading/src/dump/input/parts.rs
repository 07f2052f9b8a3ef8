//! [`Parts`]: the streams of one input, one after another: one for a file, one per file for an archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::archive::{Archive, Members, spool};
use super::kind::Kind;
use super::members::Role;
use super::peek::Peeked;
use super::raw::Tally;
use super::stream::ByteStream;
use super::tar::TarMembers;
use super::unpack::{Unpacked, deeper, unpack};
use super::zip::ZipMembers;
use crate::dump::error::DumpError;

/// An opened input.
pub(in crate::dump) struct OpenInput {
    pub(in crate::dump) bytes: Box<dyn Read + Send>,
    /// Of a file that can be opened again.
    pub(in crate::dump) path: Option<PathBuf>,
}

/// Opens the bytes of a part once more, at their start.
pub(super) type OpenAgain = Box<dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send>;

/// The streams of one input.
pub(in crate::dump) struct Parts {
    name: String,
    role: Role,
    /// Until it is read.
    first: Option<OpenInput>,
    /// Open archives, each inside the one before.
    archives: Vec<Archive>,
    tally: Tally,
    skipped: Vec<String>,
}

/// A stream of records, or what is no dump.
pub(in crate::dump) struct Part {
    /// In errors.
    pub(in crate::dump) name: String,
    pub(in crate::dump) stream: ByteStream,
    pub(in crate::dump) role: Role,
    /// None of a pipe and of a file in a tar archive.
    pub(in crate::dump) again: Option<Again>,
}

/// Opens the same bytes once more, for a reader that must see all of them before it reads them.
pub(in crate::dump) struct Again {
    open: OpenAgain,
    depth: usize,
}

impl Again {
    pub(in crate::dump) fn open(&self) -> io::Result<ByteStream> {
        let unpacked = (self.open)().and_then(|bytes| unpack(bytes, self.depth))?;
        Ok(ByteStream::new(unpacked, Tally::default()))
    }
}

impl Parts {
    pub(in crate::dump) fn new(name: String, role: Role, input: OpenInput, tally: Tally) -> Self {
        Self { name, role, first: Some(input), archives: Vec::new(), tally, skipped: Vec::new() }
    }

    /// The next stream, at its start. Streams before it must not be read any more.
    pub(in crate::dump) fn next(&mut self) -> Result<Option<Part>, DumpError> {
        loop {
            let Some(opened) = self.open_next()? else { return Ok(None) };
            let Opened { name, role, unpacked, path, again } = opened;
            match self.enter(&name, unpacked, path).map_err(|cause| DumpError::from_read(&name, cause))? {
                None => {}
                Some(unpacked) => {
                    let stream = ByteStream::new(unpacked, self.tally.clone());
                    return Ok(Some(Part { name, stream, role, again }));
                }
            }
        }
    }

    /// Files in archives whose names say that they are not dumps, since the last call.
    pub(in crate::dump) fn take_skipped(&mut self) -> Vec<String> {
        std::mem::take(&mut self.skipped)
    }

    pub(in crate::dump) fn tally(&self) -> &Tally {
        &self.tally
    }

    fn open_next(&mut self) -> Result<Option<Opened>, DumpError> {
        if let Some(OpenInput { bytes, path }) = self.first.take() {
            let unpacked =
                unpack(self.tally.reader(bytes), 0).map_err(|cause| DumpError::from_read(&self.name, cause))?;
            let again = path.clone().map(|path| Again { open: Box::new(move || open_file(&path)), depth: 0 });
            return Ok(Some(Opened { name: self.name.clone(), role: self.role, unpacked, path, again }));
        }
        while let Some(archive) = self.archives.last_mut() {
            let member = archive.next().map_err(|cause| DumpError::from_read(&archive.name, cause))?;
            let Some(member) = member else {
                self.archives.pop();
                continue;
            };
            let name = format!("{}/{}", archive.name, printable(&member.path));
            let role = Role::of(&member.path);
            match role {
                Role::Hidden => continue,
                Role::Skipped => {
                    self.skipped.push(name);
                    continue;
                }
                Role::Named | Role::Data | Role::Unknown => {}
            }
            let unpacked = member.bytes.and_then(|bytes| unpack(bytes, archive.depth));
            let unpacked = unpacked.map_err(|cause| DumpError::from_read(&name, cause))?;
            let again = member.again.map(|open| Again { open, depth: archive.depth });
            return Ok(Some(Opened { name, role, unpacked, path: None, again }));
        }
        Ok(None)
    }

    /// Opens an archive; returns what is none.
    fn enter(&mut self, name: &str, unpacked: Unpacked, path: Option<PathBuf>) -> io::Result<Option<Unpacked>> {
        let members = match unpacked.kind {
            Kind::Tar => {
                let depth = deeper(unpacked.depth)?;
                let members = Members::Tar(TarMembers::new(unpacked.bytes));
                self.archives.push(Archive { name: name.to_owned(), depth, members });
                return Ok(None);
            }
            Kind::Zip => self.open_zip(unpacked.bytes, unpacked.depth, path)?,
            _ => return Ok(Some(unpacked)),
        };
        if let Some(foreign) = members.document() {
            let bytes = Peeked::new(Box::new(io::empty()))?;
            return Ok(Some(Unpacked { kind: Kind::Foreign(foreign), bytes, ..unpacked }));
        }
        let depth = deeper(unpacked.depth)?;
        self.archives.push(Archive { name: name.to_owned(), depth, members: Members::Zip(Box::new(members)) });
        Ok(None)
    }

    fn open_zip(&self, mut bytes: impl Read, depth: usize, path: Option<PathBuf>) -> io::Result<ZipMembers> {
        match path.filter(|_| depth == 0) {
            Some(path) => {
                // For the hash of the whole file. Its bytes count when they are unpacked.
                let before = self.tally.progress.bytes_read();
                io::copy(&mut bytes, &mut io::sink())?;
                let after = self.tally.progress.bytes_read();
                self.tally.progress.take_back(after - before);
                ZipMembers::open(File::open(path)?, Some(self.tally.progress.clone()))
            }
            None => ZipMembers::open(spool(bytes, depth > 0 || !self.archives.is_empty())?, None),
        }
    }
}

struct Opened {
    name: String,
    role: Role,
    unpacked: Unpacked,
    path: Option<PathBuf>,
    again: Option<Again>,
}

fn open_file(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(File::open(path)?))
}

/// A path from an archive for a message on one line.
fn printable(path: &str) -> String {
    path.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
