//! Every stored post of a time, in parts: what a report counts and a backtest observes, which nobody waits for.

use jiff::Timestamp;

use super::{Filter, candidates};
use crate::monitor::index::BlockId;
use crate::monitor::{ALWAYS, StoredPost, block};
use crate::store::{Key, StoreError, Table, View};

/// Seconds of event time in a part.
pub(super) const PART: i64 = 6 * 3_600;
/// Seconds of a part whose posts are sorted: all of them are in memory at once.
pub(super) const SORTED_PART: i64 = 3_600;

/// The parts of a time, each `length` seconds, in Unix seconds: from the first up to, and not including, the second.
pub(super) fn parts(since: Timestamp, until: Timestamp, length: i64) -> impl Iterator<Item = (i64, i64)> {
    // The last post may be of the same second as `until`, and before it.
    let (from, end) = (since.as_second(), until.as_second() + 1);
    (from..end).step_by(length as usize).map(move |start| (start, (start + length).min(end)))
}

/// Gives each post of `filter` in `part` that was written within `span`.
pub(super) fn read(
    view: &View<'_>,
    (filter, part): (&Filter, (i64, i64)),
    (since, until): (Timestamp, Timestamp),
    each: &mut dyn FnMut(StoredPost),
) -> Result<(), StoreError> {
    for id in candidates::of(view, filter, part)? {
        let Some(bytes) = view.get_raw(&id?.key())? else { continue };
        let is_inside = |post: &StoredPost| {
            let second = post.created_at.as_second();
            let is_in_time = (part.0..part.1).contains(&second) && (since..until).contains(&post.created_at);
            is_in_time && filter.matches(post)
        };
        block::decode(&bytes)?.into_iter().filter(is_inside).for_each(&mut *each);
    }
    Ok(())
}

pub(super) fn oldest(view: &View<'_>) -> Result<Option<Timestamp>, StoreError> {
    let key = |time| Key::new(Table::Post).time(time);
    let first = view.range(&key(ALWAYS.0), &key(ALWAYS.1))?.next().transpose()?;
    let id = first.and_then(|(key, _)| BlockId::of_key(&key));
    Ok(id.and_then(|id| Timestamp::from_second(id.newest).ok()))
}
