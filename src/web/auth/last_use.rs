//! When tokens were last used, in the file `token-use.json` of the state directory. Only the daemon writes it, so that it never
//! overwrites what `vigie token` writes. The times are coarse: one write a minute at most, away from the requests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::super::state_file;
use super::tokens::{Token, TokenHash};

const FILE: &str = "token-use.json";
/// At most one write in this time.
const INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// Tokens that are remembered; the one used least recently is dropped.
const MAX_TOKENS: usize = 1_000;

/// By the hash of the token: a new token of the same name was not used yet.
type Uses = BTreeMap<TokenHash, Timestamp>;

/// When `token` was last used, as the daemon has written it in the state directory `state`.
pub fn last_use(state: &Path, token: &Token) -> Option<Timestamp> {
    let uses: Uses = state_file::read(&state.join(FILE)).ok()??;
    uses.get(&token.hash).copied()
}

/// Which uses are known, and when they are to be written. Time is an argument.
#[derive(Debug, Default)]
struct Schedule {
    uses: Uses,
    written_at: Option<Timestamp>,
    /// A write is due and will take in all uses until then.
    is_scheduled: bool,
}

impl Schedule {
    /// Records a use at `now`. Returns how long to wait before the uses are written, where that is not scheduled yet.
    fn record(&mut self, token: &TokenHash, now: Timestamp) -> Option<Duration> {
        // Known to the minute: nothing new to write.
        if self.uses.get(token).is_some_and(|last| now.duration_since(*last) < INTERVAL) {
            return None;
        }
        self.uses.insert(token.clone(), now);
        if self.uses.len() > MAX_TOKENS
            && let Some(oldest) = self.uses.iter().min_by_key(|(_, at)| **at).map(|(token, _)| token.clone())
        {
            self.uses.remove(&oldest);
        }
        if std::mem::replace(&mut self.is_scheduled, true) {
            return None;
        }
        let elapsed = self.written_at.map_or(INTERVAL, |last| now.duration_since(last).max(SignedDuration::ZERO));
        Some(Duration::try_from(INTERVAL - elapsed).unwrap_or_default())
    }

    /// The uses to be written at `now`.
    fn begin_write(&mut self, now: Timestamp) -> Uses {
        (self.written_at, self.is_scheduled) = (Some(now), false);
        self.uses.clone()
    }
}

/// Records when tokens are used. Clones share what they know.
#[derive(Debug, Clone)]
pub(super) struct UseRecorder {
    state: PathBuf,
    schedule: Arc<Mutex<Schedule>>,
    /// What is not written yet is written when the server stops.
    stop: CancellationToken,
}

impl UseRecorder {
    pub(super) fn new(state: PathBuf, stop: CancellationToken) -> Self {
        // A file that cannot be read is written again: it only informs.
        let uses = state_file::read(&state.join(FILE)).ok().flatten().unwrap_or_default();
        Self { state, schedule: Arc::new(Mutex::new(Schedule { uses, ..Schedule::default() })), stop }
    }

    /// Records a use; never waits for the disk.
    pub(super) fn record(&self, token: &TokenHash, now: Timestamp) {
        let Some(delay) = self.lock().record(token, now) else { return };
        let this = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = this.stop.cancelled() => {}
            }
            let uses = this.lock().begin_write(Timestamp::now());
            let write = move || {
                if let Err(error) = state_file::write(&this.state, FILE, &uses) {
                    tracing::warn!(%error, file = FILE, "the last use of tokens cannot be written");
                }
            };
            let _written = tokio::task::spawn_blocking(write).await;
        });
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn uses_are_written_once_a_minute_and_none_is_lost() {
        let mut schedule = Schedule::default();
        let [a, b] = ["a", "b"].map(TokenHash::of);
        assert_eq!(schedule.record(&a, at(0)), Some(Duration::ZERO), "the first use is written at once");
        assert_eq!(schedule.record(&b, at(0)), None, "by the write that is scheduled");
        assert_eq!(schedule.begin_write(at(1)).len(), 2);
        assert_eq!(schedule.record(&a, at(30)), None, "known to the minute");
        let c = TokenHash::of("c");
        assert_eq!(schedule.record(&c, at(31)), Some(Duration::from_secs(30)));
        assert_eq!(schedule.record(&a, at(60)), None);
        assert_eq!(schedule.begin_write(at(61)), BTreeMap::from([(a, at(60)), (b, at(0)), (c, at(31))]));
    }

    #[test]
    fn a_clock_that_goes_back_delays_a_write_by_a_minute_at_most() {
        let mut schedule = Schedule::default();
        let (a, b) = (TokenHash::of("a"), TokenHash::of("b"));
        schedule.record(&a, at(10_000));
        schedule.begin_write(at(10_000));
        assert_eq!(schedule.record(&b, at(0)), Some(Duration::from_secs(60)));
    }

    #[tokio::test]
    async fn a_use_is_read_back_by_the_command_line() {
        let dir = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let recorder = UseRecorder::new(dir.path().into(), stop.clone());
        let token = Token {
            name: "a".into(),
            scopes: [super::super::Scope::Read].into(),
            hash: TokenHash::of("a"),
            created_at: at(0),
        };
        assert_eq!(last_use(dir.path(), &token), None);
        recorder.record(&token.hash, at(100));
        while last_use(dir.path(), &token).is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(last_use(dir.path(), &token), Some(at(100)));
        // A daemon that starts again knows it.
        assert_eq!(UseRecorder::new(dir.path().into(), stop).lock().uses.len(), 1);
    }
}
