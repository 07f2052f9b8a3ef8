//! Notifications for systemd (`Type=notify`): ready, reloading, stopping, and the watchdog. Without systemd they do
//! nothing.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::pipeline::DaemonHandle;

fn notify(states: &[NotifyState<'_>]) {
    // Without a NOTIFY_SOCKET this does nothing; a failing socket cannot be fixed from here.
    let _ = sd_notify::notify(states);
}

pub(super) fn ready(daemon: &DaemonHandle) {
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

/// Notifies the watchdog while the threads make progress, so that systemd restarts a daemon that is stuck.
pub(super) async fn feed_watchdog(daemon: DaemonHandle) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut turns = tokio::time::interval((limit / 4).max(Duration::from_millis(100)));
    loop {
        turns.tick().await;
        match daemon.stuck() {
            None => notify(&[NotifyState::Watchdog]),
            Some(why) => tracing::error!(why, "no progress: watchdog not notified"),
        }
    }
}
