//! [`SharedMut`]: a buffer into which the members of a team write different parts at the same time.

use std::marker::PhantomData;
use std::ops::Range;

/// A mutable slice that several threads may write. It borrows the slice, so that nobody else sees it meanwhile.
#[derive(Debug)]
pub(crate) struct SharedMut<'a, T> {
    start: *mut T,
    length: usize,
    _borrowed: PhantomData<&'a mut [T]>,
}

// Not derived: that would ask for a `T` that can be copied.
impl<T> Clone for SharedMut<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SharedMut<'_, T> {}

// SAFETY: all access goes through the unsafe methods, whose callers promise that no two threads touch the same value.
unsafe impl<T: Send> Send for SharedMut<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SharedMut<'_, T> {}

impl<'a, T> SharedMut<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), _borrowed: PhantomData }
    }

    /// The buffer without its first `count` values.
    pub(crate) fn skip(&self, count: usize) -> Self {
        assert!(count <= self.length, "{count} of {}", self.length);
        // SAFETY: within the slice this was made of, or its end.
        Self { start: unsafe { self.start.add(count) }, length: self.length - count, _borrowed: PhantomData }
    }

    /// The values in `range`, to write.
    ///
    /// # Panics
    /// When the range is not within the buffer: this keeps a wrong index from being unsound.
    ///
    /// # Safety
    /// Until the team's next barrier no other member reads or writes these values, and the caller holds no other slice of
    /// them.
    pub(crate) unsafe fn slice_mut(&self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.length, "{range:?} of {}", self.length);
        // SAFETY: within the slice this was made of; exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }

    /// The values in `range`, to read.
    ///
    /// # Panics
    /// As [`SharedMut::slice_mut`].
    ///
    /// # Safety
    /// Until the team's next barrier no member writes these values.
    pub(crate) unsafe fn slice(&self, range: Range<usize>) -> &'a [T] {
        assert!(range.start <= range.end && range.end <= self.length, "{range:?} of {}", self.length);
        // SAFETY: within the slice this was made of; nobody writes it, by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.start.add(range.start), range.len()) }
    }
}
