//! The notifier's thread: takes one transition at a time, tells every receiver, and says so to the monitor, which then
//! lets go of it.

use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::monitoring::Event;
use crate::alert::{Status, Transition};
use crate::metrics::Metrics;
use crate::monitor::problem_begins;
use crate::notify::Observer;
use crate::source::Clock;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the thread is sent.
pub(super) enum Outgoing {
    /// The oldest transition of the outbox: told until it is told.
    InOutbox(Box<Transition>),
    /// What cannot be in an outbox; told once.
    StoreFailed { summary: String, at: Timestamp },
}

/// A receiver by its name.
pub type Receiving = (String, Box<dyn Observer + Send>);

/// Tells `receivers` of all that comes, until nothing can come any more.
pub(super) fn run(
    mut receivers: Vec<Receiving>,
    outgoing: &Receiver<Outgoing>,
    monitor: &SyncSender<Event>,
    clock: &Clock,
    metrics: &Metrics,
) {
    while let Ok(news) = outgoing.recv() {
        match news {
            Outgoing::InOutbox(transition) => {
                let status = match transition.status {
                    Status::Firing => "firing",
                    Status::Resolved => "resolved",
                };
                metrics.monitor.transitions.with_label_values(&[status]).inc();
                for receiver in &mut receivers {
                    insist(receiver, &transition, metrics);
                }
                let late = clock().duration_since(transition.at);
                metrics.notify.latency.observe(late.as_secs_f64().max(0.0));
                if monitor.send(Event::Told).is_err() {
                    return;
                }
            }
            Outgoing::StoreFailed { summary, at } => {
                let transition = problem_begins("StoreFailed", "store", &summary, at);
                for receiver in &mut receivers {
                    tell(receiver, &transition, metrics);
                }
            }
        }
    }
}

/// Tells one receiver, again and again until it took it.
fn insist(receiver: &mut Receiving, transition: &Transition, metrics: &Metrics) {
    let mut wait = FIRST_WAIT;
    while !tell(receiver, transition, metrics) {
        std::thread::sleep(wait);
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn tell((name, notifier): &mut Receiving, transition: &Transition, metrics: &Metrics) -> bool {
    let started = Instant::now();
    let told = notifier.observe(transition);
    metrics.notify.duration.with_label_values(&[name.as_str()]).observe(started.elapsed().as_secs_f64());
    let outcome = if told.is_ok() { "ok" } else { "failed" };
    metrics.notify.sent.with_label_values(&[name.as_str(), outcome]).inc();
    if let Err(error) = &told {
        tracing::error!(receiver = name, %error, "an alert could not be told; it is tried again");
    }
    told.is_ok()
}
