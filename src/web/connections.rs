//! [`Connections`]: which connections are open. At the limit the oldest one without a request gives way, so that slow clients
//! cannot lock out probes. In front of `server`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) all: usize,
    pub(super) per_peer: usize,
}

impl Limits {
    /// For a process that may open `files` files: the store, the sources and the receivers need some of them.
    pub(super) fn for_files(files: u64) -> Self {
        let all = usize::try_from(files / 3).unwrap_or(usize::MAX).clamp(16, 512);
        // A reverse proxy is one peer.
        Self { all, per_peer: all * 3 / 4 }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// By age.
    all: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    peer: IpAddr,
    /// Requests that are complete and not answered yet.
    requests: Arc<AtomicUsize>,
    close: CancellationToken,
}

/// An open connection; it counts until this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    all: Arc<Connections>,
    number: u64,
    pub(super) requests: Requests,
    /// Cancelled when the connection has to give way.
    pub(super) close: CancellationToken,
}

/// The requests of one connection that are being answered.
#[derive(Debug, Clone)]
pub(super) struct Requests(Arc<AtomicUsize>);

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<AtomicUsize>);

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// Admits a connection of `peer`; none while every other one has a request in progress.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Connection> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = open.all.values().filter(|entry| entry.peer == peer).count();
        if of_peer >= self.limits.per_peer {
            open.close_oldest(Some(peer))?;
        } else if open.all.len() >= self.limits.all {
            open.close_oldest(None)?;
        }
        let (number, requests, close) = (open.next, Arc::default(), CancellationToken::new());
        open.next += 1;
        let entry = Entry { peer, requests: Arc::clone(&requests), close: close.clone() };
        open.all.insert(number, entry);
        Some(Connection { all: Arc::clone(self), number, requests: Requests(requests), close })
    }
}

impl Open {
    /// Closes the oldest connection, of `peer` if given, that has no request in progress.
    fn close_oldest(&mut self, peer: Option<IpAddr>) -> Option<()> {
        let may_close =
            |entry: &Entry| peer.is_none_or(|peer| entry.peer == peer) && entry.requests.load(Ordering::Relaxed) == 0;
        let oldest = *self.all.iter().find(|(_, entry)| may_close(entry))?.0;
        self.all.remove(&oldest)?.close.cancel();
        Some(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.open.lock().unwrap_or_else(PoisonError::into_inner).all.remove(&self.number);
    }
}

impl Requests {
    /// Until this is dropped, the connection does not give way.
    pub(super) fn begin(&self) -> Answering {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(&self.0))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn the_oldest_without_a_request_gives_way() {
        let all = Connections::new(Limits { all: 3, per_peer: 3 });
        let [first, second, third] = [1, 2, 3].map(|last| all.admit(peer(last)).unwrap());
        let answering = first.requests.begin();
        let fourth = all.admit(peer(4)).unwrap();
        assert!(!first.close.is_cancelled() && second.close.is_cancelled() && !third.close.is_cancelled());
        let _answering = [third.requests.begin(), fourth.requests.begin()];
        assert!(all.admit(peer(5)).is_none(), "every connection has a request");
        drop(answering);
        assert!(all.admit(peer(5)).is_some() && first.close.is_cancelled());
    }

    #[test]
    fn one_peer_does_not_take_all() {
        let all = Connections::new(Limits { all: 8, per_peer: 2 });
        let other = all.admit(peer(1)).unwrap();
        let slow: Vec<_> = (0..5).map(|_| all.admit(peer(2)).unwrap()).collect();
        let open: Vec<bool> = slow.iter().map(|connection| !connection.close.is_cancelled()).collect();
        assert_eq!(open, [false, false, false, true, true]);
        assert!(!other.close.is_cancelled());
        drop(slow);
        assert_eq!(all.open.lock().unwrap().all.len(), 1);
    }
}
