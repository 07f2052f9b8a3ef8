//! What systemd is told (`Type=notify`): ready, reloading, stopping, and that there is progress. Nothing where there is no
//! systemd.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::pipeline::Handle;

fn notify(states: &[NotifyState<'_>]) {
    // Without a NOTIFY_SOCKET there is nobody to tell, and a socket that fails cannot be helped from here.
    let _ = sd_notify::notify(states);
}

pub(super) fn ready(daemon: &Handle) {
    let status = format!("watching with model {}", daemon.status().model);
    notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Feeds the watchdog as long as the threads make progress: a daemon that is stuck is killed and started afresh.
pub(super) async fn feed_watchdog(daemon: Handle) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut turns = tokio::time::interval((limit / 4).max(Duration::from_millis(100)));
    loop {
        turns.tick().await;
        match daemon.stuck() {
            None => notify(&[NotifyState::Watchdog]),
            Some(why) => tracing::error!(why, "no progress: the watchdog is not fed"),
        }
    }
}
