//! Merges the sorted runs of the temp file, with one small buffer per run and one file handle.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::key;
use super::key::{Key, compare};

/// Bounds of a run's read buffer, in bytes.
const MIN_BUFFER: usize = 1 << 12;
const MAX_BUFFER: usize = 1 << 18;

/// The posts of all runs, earliest first.
pub(super) struct Merge {
    file: File,
    heap: BinaryHeap<Run>,
}

impl Merge {
    /// Runs are consecutive in the file; `ends` has the end of each.
    pub(super) fn new(file: File, ends: &[u64], memory: usize) -> io::Result<Self> {
        let buffer = (memory / ends.len().max(1)).clamp(MIN_BUFFER, MAX_BUFFER);
        let mut heap = BinaryHeap::with_capacity(ends.len());
        let mut next = 0;
        for end in ends {
            let mut run = Run { next, end: *end, buffer: Vec::with_capacity(buffer), at: 0, head: RunHead::default() };
            next = *end;
            if run.advance(&file)? {
                heap.push(run);
            }
        }
        Ok(Self { file, heap })
    }

    /// The earliest post, serialised.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.heap.peek().map(Run::packed)
    }

    /// Advances to the next post.
    pub(super) fn advance(&mut self) -> io::Result<()> {
        let Some(mut earliest) = self.heap.peek_mut() else { return Ok(()) };
        if !earliest.advance(&self.file)? {
            PeekMut::pop(earliest);
        }
        Ok(())
    }
}

/// One sorted run, read through a buffer.
struct Run {
    /// File offset of the next unread byte of the run.
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    /// Position in the buffer after the current post.
    at: usize,
    head: RunHead,
}

#[derive(Default)]
struct RunHead {
    millisecond: i64,
    id_number: u64,
    length: usize,
}

impl Run {
    fn packed(&self) -> &[u8] {
        self.buffer.get(self.at - self.head.length..self.at).unwrap_or_default()
    }

    fn key(&self) -> Key<'_> {
        Key { millisecond: self.head.millisecond, id_number: self.head.id_number, packed: self.packed() }
    }

    /// Advances to the next post. `false` at the end of the run.
    fn advance(&mut self, file: &File) -> io::Result<bool> {
        if self.at == self.buffer.len() && self.next == self.end {
            return Ok(false);
        }
        let mut prefix = [0; 4];
        prefix.copy_from_slice(self.bytes(4, file)?);
        self.head.length = usize::try_from(u32::from_le_bytes(prefix)).map_err(io::Error::other)?;
        let packed = self.bytes(self.head.length, file)?;
        let (id, millisecond) = key::id_and_time(packed).ok_or_else(|| io::Error::other("the temp file is damaged"))?;
        (self.head.id_number, self.head.millisecond) = (key::id_number(id), millisecond);
        Ok(true)
    }

    /// The next bytes of the run.
    fn bytes(&mut self, count: usize, file: &File) -> io::Result<&[u8]> {
        if self.buffer.len() - self.at < count {
            self.refill(count, file)?;
        }
        let start = self.at;
        self.at += count;
        self.buffer.get(start..self.at).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn refill(&mut self, count: usize, mut file: &File) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let room = self.buffer.capacity().max(count) - self.buffer.len();
        let read = (self.end - self.next).min(room as u64);
        file.seek(SeekFrom::Start(self.next))?;
        let got = file.take(read).read_to_end(&mut self.buffer)?;
        self.next += got as u64;
        Ok(())
    }
}

/// Reversed, because the heap returns its greatest item: the run with the earliest post.
impl Ord for Run {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&other.key(), &self.key())
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Run {}
