//! [`Paced`]: a dump replayed at the pace of the clock, for `vigie run --demo`. Its busiest moment is now: the day before
//! comes at once, what follows as it came then, or faster.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::delivery::Delivery;
use super::health::SourceState;
use super::sender::{Outlet, Source, SourceFailure};
use crate::dump::Reader;
use crate::dump::error::SourceError;
use crate::dump::input::Input;
use crate::dump::options::{Needs, ReadOptions};
use crate::post::Post;

/// How much of the time before "now" comes at once.
const BACKLOG: SignedDuration = SignedDuration::from_hours(24);
/// Stretch of which the busiest in the dump ends "now".
const BUSY: SignedDuration = SignedDuration::from_mins(30);
/// Posts of one delivery: few, so that the backlog is seen to arrive.
const AT_ONCE: usize = 64;
/// Posts of a dump that are replayed at most: they are held in memory.
const MOST: usize = 200_000;

/// A dump in event time, and the moment of it that is now.
pub struct Paced {
    /// By event time, as in the dump.
    posts: Vec<Post>,
    /// What in the dump's time is `started`.
    live: Timestamp,
    started: Timestamp,
    speed: f64,
    next: usize,
}

impl Paced {
    /// Reads the dump. `speed`: how many seconds of it pass in one of the clock.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(input: &Input, options: &ReadOptions, speed: f64, started: Timestamp) -> Result<Self, SourceError> {
        let mut reader = Reader::open(input, options, Needs { created_at: true, ..Needs::default() })?;
        let mut posts = Vec::new();
        while let Some(row) = reader.next_row()?
            && posts.len() < MOST
        {
            posts.extend(row.ok().and_then(crate::dump::Row::into_post));
        }
        posts.sort_by_key(|post| post.created_at);
        Ok(Self::new(posts, speed, started))
    }

    fn new(posts: Vec<Post>, speed: f64, started: Timestamp) -> Self {
        let live = busiest(&posts).unwrap_or(started);
        let next = posts.partition_point(|post| live.duration_since(post.created_at) > BACKLOG);
        Self { posts, live, started, speed, next }
    }

    /// When the next post is due.
    fn due(&self) -> Option<Timestamp> {
        self.posts.get(self.next).map(|post| self.moved(post.created_at))
    }

    /// A time of the dump as a time of the clock: what was before `live` keeps its distance.
    fn moved(&self, time: Timestamp) -> Timestamp {
        let from = time.duration_since(self.live);
        let from = if from.is_positive() { from.as_secs_f64() / self.speed } else { from.as_secs_f64() };
        let from = SignedDuration::try_from_secs_f64(from).unwrap_or_default();
        self.started.checked_add(from).unwrap_or(self.started)
    }

    /// What is due at `now`, as if written then.
    fn take(&mut self, now: Timestamp) -> Vec<Post> {
        let mut taken = Vec::new();
        while taken.len() < AT_ONCE
            && let Some(due) = self.due().filter(|due| *due <= now)
        {
            taken.push(Post { created_at: due, ..self.posts[self.next].clone() });
            self.next += 1;
        }
        taken
    }
}

/// End of the busiest [`BUSY`] long stretch.
fn busiest(posts: &[Post]) -> Option<Timestamp> {
    let mut first = 0;
    let stretch = |last: usize| {
        while posts[last].created_at.duration_since(posts[first].created_at) > BUSY {
            first += 1;
        }
        (last - first, posts[last].created_at)
    };
    (0..posts.len()).map(stretch).max_by_key(|(posts, _)| *posts).map(|(_, end)| end)
}

impl Source for Paced {
    fn run<'a>(&'a mut self, outlet: &'a Outlet, stop: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            let what = format!("a dump of {} posts at the pace of the clock, times {}", self.posts.len(), self.speed);
            outlet.health.update(|report| (report.what, report.state) = (what, SourceState::Working));
            while let Some(due) = self.due() {
                let now = outlet.now();
                let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = stop.cancelled() => return Ok(()),
                }
                let posts = self.take(outlet.now());
                if !posts.is_empty() {
                    outlet.deliver(Delivery { posts, ..Delivery::default() }).await?;
                    outlet.health.update(|report| report.last_success = Some(outlet.now()));
                }
            }
            outlet.health.update(|report| report.what = "the dump has come to its end".into());
            // What it showed is still to be looked at.
            stop.cancelled().await;
            Ok(())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_moment_is_now_and_the_day_before_comes_at_once() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let post = |second: i64| Post { id: second.to_string(), created_at: at(second), ..Post::default() };
        let hours = |hours: i64| hours * 3_600;
        let mut posts: Vec<Post> = (0..40).map(|hour| post(hours(hour))).collect();
        posts.extend((1..=10).map(|i| post(hours(30) + i)));
        posts.sort_by_key(|post| post.created_at);
        let now = at(1_000_000);

        let mut paced = Paced::new(posts, 60.0, now);
        let ids = |posts: Vec<Post>| posts.into_iter().map(|post| (post.id, post.created_at)).collect::<Vec<_>>();
        let backlog = ids(paced.take(now));
        assert_eq!(backlog.len(), 34, "24 hourly ones and the busy ten");
        assert_eq!(backlog.last().unwrap().1, now);
        assert_eq!(backlog[0].1.as_second(), 1_000_000 - (hours(30) + 10 - hours(7)));
        assert_eq!(paced.take(at(1_000_059)), []);
        assert_eq!(ids(paced.take(at(1_000_060))).len(), 1, "an hour later in the dump");
    }
}
