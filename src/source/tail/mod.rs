//! A file of CSV or JSON lines that grows, followed like `tail -F`: through rotation, truncation and absence.
//!
//! ```text
//! siblings -> Follower (which file) -> Tailed (one file, growing) -> Rows (as in a replay) -> Delivery + Place
//! ```

mod checkpoint;
mod config;
mod file;
mod rotation;
mod rows;
mod siblings;

#[cfg(test)]
mod tests;

pub use config::{Config, Layout};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::config::Context;
use super::delivery::{Cursor, Delivery};
use super::health::{Report, SourceState};
use super::sender::{Outlet, Source, SourceFailure};
use checkpoint::Place;
use rotation::{Follower, Standing, Step};

/// The source that `config` describes.
pub(super) fn build(config: &Config, context: &Context<'_>) -> Result<Box<dyn Source>, String> {
    followed(config, context.cursor.as_ref()).map(|source| Box::new(source) as Box<dyn Source>)
}

fn followed(config: &Config, cursor: Option<&Cursor>) -> Result<Followed, String> {
    let place = cursor.map(Cursor::read::<Place>).transpose();
    let place = place.map_err(
        |_| "what is stored under this name is how far a source of another type was read: give this one another name",
    )?;
    Ok(Followed { config: config.clone(), follower: Some(Follower::new(config.clone(), place)) })
}

/// A followed file as a source.
struct Followed {
    config: Config,
    /// Away while it reads.
    follower: Option<Follower>,
}

impl Source for Followed {
    fn run<'a>(&'a mut self, outlet: &'a Outlet, stop: CancellationToken) -> BoxFuture<'a, Result<(), SourceFailure>> {
        Box::pin(async move {
            let what = format!("file {}, every {:#}", self.config.path.display(), self.config.poll);
            let stalled_after = self.config.stalled_after;
            outlet.health.update(|report| (report.what, report.stalled_after) = (what, stalled_after));
            // What is on its way when the token falls is not committed, and read again at the next start.
            let ended = stop.run_until_cancelled(self.follow(outlet)).await;
            outlet.health.update(|report| report.state = SourceState::Stopped);
            ended.unwrap_or(Ok(()))
        })
    }
}

impl Followed {
    async fn follow(&mut self, outlet: &Outlet) -> Result<(), SourceFailure> {
        loop {
            let Step { delivery, more, standing } = self.step(outlet.now()).await?;
            let (now, poll, added) = (outlet.now(), self.config.poll, is_something(&delivery));
            outlet.health.update(|report| tell(report, standing, added, now, poll));
            if added || delivery.cursor.is_some() {
                outlet.deliver(delivery).await?;
            }
            if !more {
                tokio::time::sleep(poll.unsigned_abs()).await;
            }
        }
    }

    /// One look at the file, on a thread that may block.
    async fn step(&mut self, now: Timestamp) -> Result<Step, SourceFailure> {
        let lost = || SourceFailure::Failed("the reader of the file was lost".into());
        let mut follower = self.follower.take().ok_or_else(lost)?;
        let looked = tokio::task::spawn_blocking(move || {
            let step = follower.step(now);
            (follower, step)
        });
        let (follower, step) = looked.await.map_err(|error| SourceFailure::Failed(error.to_string()))?;
        self.follower = Some(follower);
        Ok(step)
    }
}

fn is_something(delivery: &Delivery) -> bool {
    delivery.received() + delivery.notices.len() > 0
}

fn tell(report: &mut Report, standing: Standing, added: bool, now: Timestamp, poll: SignedDuration) {
    if added {
        report.last_success = Some(now);
    }
    report.state = match standing {
        Standing::Reading => SourceState::Working,
        Standing::Waiting(why) => {
            let until = now.checked_add(poll).unwrap_or(now);
            report.last_error = Some(why.clone());
            SourceState::Waiting { until, why }
        }
        Standing::Refused(why) => {
            report.last_error = Some(why.clone());
            SourceState::Blocked { why }
        }
    };
}
