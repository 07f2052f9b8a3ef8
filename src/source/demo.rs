//! [`DemoSource`]: replays a dump for `vigie run --demo`. A moment of the dump, just before its storm, is mapped to the start of the
//! demo: the days before it are sent at once, while the [`DemoClock`] follows them; what comes after, as that clock runs.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::batch::SourceBatch;
use super::demo_clock::DemoClock;
use super::health::SourceState;
use super::sender::SourceSender;
use super::{Source, SourceFailure};
use crate::dump::DumpReader;
use crate::dump::error::DumpError;
use crate::dump::input::Inputs;
use crate::dump::options::{ReadOptions, RequiredFields};
use crate::post::Post;

/// Time before the start whose posts are sent at once: rules know what is usual from the second day on.
pub const BACKLOG: SignedDuration = SignedDuration::from_hours(60);
/// Width of the window whose busiest position is the peak.
const PEAK_WINDOW: SignedDuration = SignedDuration::from_mins(30);
/// Posts in a batch: few, so that the backlog visibly fills up.
const BATCH_POSTS: usize = 64;
/// Longest time from the first to the last post of a batch of the past.
const BATCH_SPAN: SignedDuration = SignedDuration::from_mins(20);
/// How far the clock runs ahead of posts that are still to be counted.
const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(20);
/// Bounds memory: the posts of the dump are kept in it.
const MAX_POSTS: usize = 200_000;

/// A dump in event time.
pub struct DemoSource {
    /// Sorted by event time, which is that of the dump.
    posts: Vec<Post>,
    /// Time in the dump that is mapped to `started`.
    start: Timestamp,
    started: Timestamp,
    clock: DemoClock,
    /// Seconds of the clock per real second.
    speed: f64,
    next: usize,
    /// Cancelled when all posts are sent.
    end: CancellationToken,
}

impl DemoSource {
    /// Reads the dump. `start`: the time in it that is mapped to `started`; none for its busiest moment. `speed`: how many times
    /// faster than real the clock runs.
    ///
    /// # Errors
    /// When the dump cannot be read.
    pub fn read(
        inputs: &Inputs,
        options: &ReadOptions,
        (clock, speed): (DemoClock, f64),
        started: Timestamp,
        start: Option<Timestamp>,
    ) -> Result<Self, DumpError> {
        let mut reader =
            DumpReader::open(inputs, options, RequiredFields { created_at: true, ..RequiredFields::default() })?;
        let mut posts = Vec::new();
        while let Some(row) = reader.next_row()?
            && posts.len() < MAX_POSTS
        {
            posts.extend(row.ok().and_then(crate::dump::Row::into_post));
        }
        posts.sort_by_key(|post| post.created_at);
        Ok(Self::new(posts, (clock, speed), started, start))
    }

    fn new(posts: Vec<Post>, (clock, speed): (DemoClock, f64), started: Timestamp, start: Option<Timestamp>) -> Self {
        let start = start.or_else(|| find_peak(&posts)).unwrap_or(started);
        let next = posts.partition_point(|post| start.duration_since(post.created_at) > BACKLOG);
        Self { posts, start, started, clock, speed, next, end: CancellationToken::new() }
    }

    /// Cancels `end` when all posts are sent.
    #[must_use]
    pub fn with_end(self, end: CancellationToken) -> Self {
        Self { end, ..self }
    }

    /// Sends the posts before the start. Each batch waits for the one before: a clock that is far ahead of the posts that rules
    /// have seen would make hours look silent.
    async fn send_past(&mut self, out: &SourceSender) -> Result<(), SourceFailure> {
        while let Some(first) = self.next_due().filter(|due| *due < self.started) {
            let last = self.posts.get(self.next + BATCH_POSTS - 1).map(|post| self.to_clock_time(post.created_at));
            let until = last.unwrap_or(self.started).min(first + BATCH_SPAN).min(self.started);
            self.clock.advance(until);
            let posts = self.take_due(until);
            let (ack, committed) = tokio::sync::oneshot::channel();
            out.send(SourceBatch { posts, ack: Some(ack), ..SourceBatch::default() }).await?;
            // The pipeline ends: the next send says so.
            let _ = committed.await;
        }
        Ok(())
    }

    /// When the next post is due.
    fn next_due(&self) -> Option<Timestamp> {
        self.posts.get(self.next).map(|post| self.to_clock_time(post.created_at))
    }

    /// Maps a time of the dump to a time of the clock.
    fn to_clock_time(&self, time: Timestamp) -> Timestamp {
        self.started.checked_add(time.duration_since(self.start)).unwrap_or(self.started)
    }

    /// Takes the posts that are due at `now`, dated by the clock.
    fn take_due(&mut self, now: Timestamp) -> Vec<Post> {
        let mut due_posts = Vec::new();
        while due_posts.len() < BATCH_POSTS
            && let Some(due) = self.next_due().filter(|due| *due <= now)
        {
            due_posts.push(Post { created_at: due, ..self.posts[self.next].clone() });
            self.next += 1;
        }
        due_posts
    }
}

/// End of the [`PEAK_WINDOW`] with the most posts.
fn find_peak(posts: &[Post]) -> Option<Timestamp> {
    let mut first = 0;
    let window_ending_at = |last: usize| {
        while posts[last].created_at.duration_since(posts[first].created_at) > PEAK_WINDOW {
            first += 1;
        }
        (last - first, posts[last].created_at)
    };
    (0..posts.len()).map(window_ending_at).max_by_key(|(posts, _)| *posts).map(|(_, end)| end)
}

impl Source for DemoSource {
    fn run<'a>(
        &'a mut self,
        out: &'a SourceSender,
        stop: CancellationToken,
    ) -> BoxFuture<'a, Result<(), SourceFailure>> {
        async move {
            let what = format!("demo dump of {} posts, {} times real time", self.posts.len(), self.speed);
            out.health.update(|report| (report.what, report.state) = (what, SourceState::Working));
            tokio::select! {
                sent = self.send_past(out) => sent?,
                () = stop.cancelled() => return Ok(()),
            }
            self.clock.run(self.started, self.speed);
            while let Some(due) = self.next_due() {
                let now = out.now();
                let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default().div_f64(self.speed);
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = stop.cancelled() => return Ok(()),
                }
                let now = out.now();
                let posts = self.take_due(now);
                if !posts.is_empty() {
                    self.clock.hold_at(now.checked_add(MAX_AHEAD).unwrap_or(now));
                    let (ack, committed) = tokio::sync::oneshot::channel();
                    out.send(SourceBatch { posts, ack: Some(ack), ..SourceBatch::default() }).await?;
                    tokio::select! {
                        _ = committed => {}
                        () = stop.cancelled() => return Ok(()),
                    }
                    self.clock.resume();
                    out.health.update(|report| report.last_success = Some(out.now()));
                }
            }
            out.health.update(|report| report.what = "demo dump: all posts are sent".into());
            self.end.cancel();
            // The daemon keeps running, so that the results can be viewed.
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
    fn the_busiest_moment_is_now_and_the_days_before_come_at_once() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let post = |second: i64| Post { id: second.to_string(), created_at: at(second), ..Post::default() };
        let hours = |hours: i64| hours * 3_600;
        let mut posts: Vec<Post> = (0..40).map(|hour| post(hours(hour))).collect();
        posts.extend((1..=10).map(|i| post(hours(30) + i)));
        posts.sort_by_key(|post| post.created_at);
        let now = at(1_000_000);

        let clock = || (DemoClock::at(now), 60.0);
        let mut demo = DemoSource::new(posts.clone(), clock(), now, None);
        let ids = |posts: Vec<Post>| posts.into_iter().map(|post| (post.id, post.created_at)).collect::<Vec<_>>();
        let backlog = ids(demo.take_due(now));
        assert_eq!(backlog.len(), 41, "31 hourly ones and the busy ten");
        assert_eq!(backlog.last().unwrap().1, now);
        assert_eq!(backlog[0].1.as_second(), 1_000_000 - (hours(30) + 10));
        assert_eq!(demo.take_due(at(1_000_000 + hours(1) - 11)), []);
        assert_eq!(ids(demo.take_due(at(1_000_000 + hours(1)))).len(), 1, "by the clock, whatever its speed");
        let mut later = DemoSource::new(posts, clock(), now, Some(at(hours(35))));
        assert_eq!(ids(later.take_due(now)).len(), 46, "from another start");
    }
}
