//! [`ExternalSort`]: sorts posts by event time in bounded memory. Replay sorts the whole dump before it starts.
//!
//! Posts are kept serialised in memory. When it is full they are sorted and appended as one run to an unnamed temp file. The
//! runs are merged at the end. Posts of the same instant are ordered by id, so that a dump yields the same sequence whether
//! it is sorted newest first, oldest first or not at all.

mod key;
mod merge;

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::error::DumpError;
use crate::post::Post;
use key::{Key, compare};
use merge::Merge;

/// Size of the write buffer of the temp file.
const WRITE_BUFFER_BYTES: usize = 1 << 18;

/// Collects posts in any order and sorts them.
pub struct ExternalSort {
    memory: usize,
    /// Serialised posts, concatenated.
    arena: Vec<u8>,
    entries: Vec<SortEntry>,
    spill: Option<Spill>,
    posts: u64,
}

/// Range of a serialised post in the arena, with the keys that decide nearly every comparison.
#[derive(Debug, Clone, Copy)]
struct SortEntry {
    millisecond: i64,
    id_number: u64,
    start: usize,
    end: usize,
}

/// The temp file of sorted runs and where each run ends.
struct Spill {
    file: File,
    run_ends: Vec<u64>,
}

impl ExternalSort {
    /// Memory limit in bytes; small compared with the model.
    pub const DEFAULT_MEMORY: usize = 32 << 20;

    /// Keeps about `memory` bytes of posts in memory, and at least one post.
    pub fn new(memory: usize) -> Self {
        Self { memory, arena: Vec::new(), entries: Vec::new(), spill: None, posts: 0 }
    }

    /// Number of posts pushed so far.
    pub fn len(&self) -> u64 {
        self.posts
    }

    pub fn is_empty(&self) -> bool {
        self.posts == 0
    }

    pub fn push(&mut self, post: &Post) -> Result<(), DumpError> {
        let start = self.arena.len();
        postcard::to_io(post, &mut self.arena).map_err(|error| spill_error(io::Error::other(error)))?;
        let end = self.arena.len();
        let millisecond = post.created_at.as_millisecond();
        self.entries.push(SortEntry { millisecond, id_number: key::id_number(&post.id), start, end });
        self.posts += 1;
        if end + self.entries.len() * size_of::<SortEntry>() > self.memory {
            self.spill().map_err(spill_error)?;
        }
        Ok(())
    }

    /// Sorts the posts by event time.
    pub fn finish(mut self) -> Result<SortedPosts, DumpError> {
        if self.spill.is_some() && !self.entries.is_empty() {
            self.spill().map_err(spill_error)?;
        }
        let posts = match self.spill {
            None => {
                self.sort();
                Storage::Memory { arena: self.arena, entries: self.entries.into_iter() }
            }
            Some(spill) => Storage::Runs(Merge::new(spill.file, &spill.run_ends, self.memory).map_err(spill_error)?),
        };
        Ok(SortedPosts { posts, remaining: self.posts })
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.entries.sort_unstable_by(|a, b| compare(&a.key(arena), &b.key(arena)));
    }

    /// Writes the posts in memory to the temp file as one run.
    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill { file: tempfile::tempfile()?, run_ends: Vec::new() }),
        };
        let mut written = spill.run_ends.last().copied().unwrap_or_default();
        let mut writer = BufWriter::with_capacity(WRITE_BUFFER_BYTES, &spill.file);
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

impl Default for ExternalSort {
    fn default() -> Self {
        Self::new(Self::DEFAULT_MEMORY)
    }
}

impl SortEntry {
    fn packed<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        arena.get(self.start..self.end).unwrap_or_default()
    }

    fn key<'a>(&self, arena: &'a [u8]) -> Key<'a> {
        Key { millisecond: self.millisecond, id_number: self.id_number, packed: self.packed(arena) }
    }
}

/// Posts by event time, then by id (numeric ids as numbers, before all others).
pub struct SortedPosts {
    posts: Storage,
    remaining: u64,
}

enum Storage {
    Memory { arena: Vec<u8>, entries: std::vec::IntoIter<SortEntry> },
    Runs(Merge),
}

impl SortedPosts {
    /// Number of posts remaining.
    pub fn len(&self) -> u64 {
        self.remaining
    }

    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// Skips the next `posts` posts (or all that remain) without deserialising them.
    pub fn skip_posts(&mut self, posts: u64) -> Result<(), DumpError> {
        for _ in 0..posts.min(self.remaining) {
            self.remaining -= 1;
            match &mut self.posts {
                Storage::Memory { entries, .. } => drop(entries.next()),
                Storage::Runs(merge) => merge.advance().map_err(spill_error)?,
            }
        }
        Ok(())
    }

    fn read_next(&mut self) -> io::Result<Option<Post>> {
        match &mut self.posts {
            Storage::Memory { arena, entries } => entries.next().map(|entry| unpack(entry.packed(arena))).transpose(),
            Storage::Runs(merge) => {
                let post = merge.head().map(unpack).transpose()?;
                merge.advance()?;
                Ok(post)
            }
        }
    }
}

impl Iterator for SortedPosts {
    type Item = Result<Post, DumpError>;

    fn next(&mut self) -> Option<Self::Item> {
        let post = self.read_next().map_err(spill_error).transpose();
        self.remaining = self.remaining.saturating_sub(u64::from(post.is_some()));
        post
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        (remaining, Some(remaining))
    }
}

fn unpack(packed: &[u8]) -> io::Result<Post> {
    postcard::from_bytes(packed).map_err(io::Error::other)
}

fn spill_error(cause: io::Error) -> DumpError {
    DumpError::Spill { dir: std::env::temp_dir(), cause }
}

#[cfg(test)]
mod tests;
