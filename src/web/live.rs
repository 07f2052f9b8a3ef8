//! Server-sent events. `GET /api/v1/live`: the status of the daemon, whenever a new one is published. `GET /live`: what pages
//! listen to instead of reloading themselves: that something they show has changed, and how many incidents are open.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Console;
use crate::pipeline::status::Status;

/// A comment is sent after this long without an event, so that proxies keep the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The event for pages.
pub(super) async fn changes(State(console): State<Console>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let statuses = console.daemon.watch_status();
    let events = unfold((statuses, console, None), |(mut statuses, console, sent)| async move {
        loop {
            let (open, seen) = {
                let status = statuses.borrow_and_update();
                let board = console.daemon.board();
                (board.open(), Some((board.at, status.ready, status.totals, status.alerts.len())))
            };
            if seen != sent {
                let event = Event::default().event("change").data(format!("{{\"open\":{open}}}"));
                return Some((Ok(event), (statuses, console, seen)));
            }
            let is_over = tokio::select! {
                changed = statuses.changed() => changed.is_err(),
                () = console.stop.cancelled() => true,
            };
            // An open stream must not keep the server from stopping.
            if is_over {
                return None;
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// The state of the daemon, whenever a new one is published, as server-sent events
#[utoipa::path(
    get,
    path = "/api/v1/live",
    operation_id = "followStatus",
    tag = "daemon",
    responses((status = 200, description = "Events `status`, each with the state as JSON", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn status(State(console): State<Console>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(events(console.daemon.watch_status(), console.stop)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// The present status at once, then every new one, until the daemon or the server stops.
fn events(statuses: watch::Receiver<Status>, stop: CancellationToken) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold((statuses, stop, true), |(mut statuses, stop, is_first)| async move {
        if !is_first {
            let is_over = tokio::select! {
                changed = statuses.changed() => changed.is_err(),
                () = stop.cancelled() => true,
            };
            // An open stream must not keep the server from stopping.
            if is_over {
                return None;
            }
        }
        let event = Event::default().event("status").json_data(&*statuses.borrow_and_update());
        // A status always has a JSON form: its keys are text and its numbers are finite.
        let event = event.unwrap_or_else(|_| Event::default().event("error"));
        Some((Ok(event), (statuses, stop, false)))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn events_follow_the_status_and_end_with_the_server() {
        let (publish, statuses) = watch::channel(Status::default());
        let stop = CancellationToken::new();
        let mut events = Box::pin(events(statuses, stop.clone()));
        assert!(events.next().await.is_some(), "the present status comes at once");
        publish.send_modify(|status| status.outbox = 1);
        assert!(events.next().await.is_some());
        stop.cancel();
        assert!(events.next().await.is_none());
    }

    #[tokio::test]
    async fn events_end_with_the_daemon() {
        let (publish, statuses) = watch::channel(Status::default());
        let mut events = Box::pin(events(statuses, CancellationToken::new()));
        assert!(events.next().await.is_some());
        drop(publish);
        assert!(events.next().await.is_none());
    }
}
