//! [`Order`]: posts by event time, within bounded memory. Replay reads a dump whole through it before it starts.
//!
//! Posts are kept packed in memory; when that is full they are sorted and appended to one unnamed temp file as a run.
//! The runs are merged at the end. Posts of one instant come in the order of their ids, so that a dump gives the same
//! sequence newest first, oldest first or shuffled.

mod key;
mod merge;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::error::SourceError;
use crate::post::Post;
use key::{Key, compare};
use merge::Merge;

/// Buffered on the way to the temp file.
const WRITE_BUFFER: usize = 1 << 18;

/// Takes posts in any order.
pub struct Order {
    memory: usize,
    /// Packed posts, one behind the other.
    arena: Vec<u8>,
    entries: Vec<Entry>,
    spill: Option<Spill>,
    posts: u64,
}

/// Where a packed post lies in the arena, with what decides nearly every comparison.
#[derive(Debug, Clone, Copy)]
struct Entry {
    millisecond: i64,
    id_number: u64,
    start: usize,
    end: usize,
}

/// Sorted runs in the temp file, as their ends.
struct Spill {
    file: File,
    run_ends: Vec<u64>,
}

impl Order {
    /// What an operator need not think about.
    pub const DEFAULT_MEMORY: usize = 32 << 20;

    /// Holds about `memory` bytes of posts, and at least one post.
    pub fn new(memory: usize) -> Self {
        Self { memory, arena: Vec::new(), entries: Vec::new(), spill: None, posts: 0 }
    }

    /// Posts taken so far.
    pub fn len(&self) -> u64 {
        self.posts
    }

    pub fn is_empty(&self) -> bool {
        self.posts == 0
    }

    pub fn push(&mut self, post: &Post) -> Result<(), SourceError> {
        let start = self.arena.len();
        postcard::to_io(post, &mut self.arena).map_err(|error| failed(io::Error::other(error)))?;
        let end = self.arena.len();
        let millisecond = post.created_at.as_millisecond();
        self.entries.push(Entry { millisecond, id_number: key::id_number(&post.id), start, end });
        self.posts += 1;
        if end + self.entries.len() * size_of::<Entry>() > self.memory {
            self.spill().map_err(failed)?;
        }
        Ok(())
    }

    /// The posts by event time.
    pub fn finish(mut self) -> Result<Ordered, SourceError> {
        if self.spill.is_some() && !self.entries.is_empty() {
            self.spill().map_err(failed)?;
        }
        let posts = match self.spill {
            None => {
                self.sort();
                Sorted::Memory { arena: self.arena, entries: self.entries.into_iter() }
            }
            Some(spill) => Sorted::Runs(Merge::new(spill.file, &spill.run_ends, self.memory).map_err(failed)?),
        };
        Ok(Ordered { posts, left: self.posts })
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.entries.sort_unstable_by(|a, b| compare(&a.key(arena), &b.key(arena)));
    }

    /// Empties the memory into a run.
    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill { file: tempfile::tempfile()?, run_ends: Vec::new() }),
        };
        let mut written = spill.run_ends.last().copied().unwrap_or_default();
        let mut writer = BufWriter::with_capacity(WRITE_BUFFER, &spill.file);
        for entry in &self.entries {
            let packed = entry.packed(&self.arena);
            let length = u32::try_from(packed.len()).map_err(io::Error::other)?;
            writer.write_all(&length.to_le_bytes())?;
            writer.write_all(packed)?;
            written += 4 + u64::from(length);
        }
        writer.flush()?;
        drop(writer);
        spill.run_ends.push(written);
        self.arena.clear();
        self.entries.clear();
        Ok(())
    }
}

impl Default for Order {
    fn default() -> Self {
        Self::new(Self::DEFAULT_MEMORY)
    }
}

impl Entry {
    fn packed<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        arena.get(self.start..self.end).unwrap_or_default()
    }

    fn key<'a>(&self, arena: &'a [u8]) -> Key<'a> {
        Key { millisecond: self.millisecond, id_number: self.id_number, packed: self.packed(arena) }
    }
}

/// Posts by event time, then by id (as numbers where they are digits, before ids that are not).
pub struct Ordered {
    posts: Sorted,
    left: u64,
}

enum Sorted {
    Memory { arena: Vec<u8>, entries: std::vec::IntoIter<Entry> },
    Runs(Merge),
}

impl Ordered {
    /// Posts still to come.
    pub fn len(&self) -> u64 {
        self.left
    }

    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Passes the next `posts` posts (or all that are left) without unpacking them.
    pub fn pass(&mut self, posts: u64) -> Result<(), SourceError> {
        for _ in 0..posts.min(self.left) {
            self.left -= 1;
            match &mut self.posts {
                Sorted::Memory { entries, .. } => drop(entries.next()),
                Sorted::Runs(merge) => merge.pass().map_err(failed)?,
            }
        }
        Ok(())
    }

    fn take(&mut self) -> io::Result<Option<Post>> {
        match &mut self.posts {
            Sorted::Memory { arena, entries } => entries.next().map(|entry| unpack(entry.packed(arena))).transpose(),
            Sorted::Runs(merge) => {
                let post = merge.head().map(unpack).transpose()?;
                merge.pass()?;
                Ok(post)
            }
        }
    }
}

impl Iterator for Ordered {
    type Item = Result<Post, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let post = self.take().map_err(failed).transpose();
        self.left = self.left.saturating_sub(u64::from(post.is_some()));
        post
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

fn unpack(packed: &[u8]) -> io::Result<Post> {
    postcard::from_bytes(packed).map_err(io::Error::other)
}

fn failed(cause: io::Error) -> SourceError {
    SourceError::Spill { dir: std::env::temp_dir(), cause }
}

#[cfg(test)]
mod tests;
