//! [`Tombstones`]: posts and authors that stay erased. Only keyed hashes are kept: nobody can read from them who it was, or try
//! names without the store's own key.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::MonitorError;
use super::selector::{Selector, is_word, normal_author, reposted};
use crate::post::Post;
use crate::store::{Batch, Key, Store, StoreError, Table};

/// Tombstones of compliance events; above that the oldest tenth of them is removed.
const MAX_COMPLIANCE: usize = 100_000;

type Hash = [u8; 32];
type Secret = [u8; 16];

/// One of them, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::monitor) struct Tombstone {
    /// Unix seconds.
    at: i64,
    /// Erased on request, and not because of a compliance event.
    requested: bool,
}

#[derive(Debug, Default)]
pub(in crate::monitor) struct Tombstones {
    /// None before the first.
    secret: Option<Secret>,
    known: HashMap<Hash, Tombstone>,
    /// Tombstones of compliance events.
    compliance: usize,
}

impl Tombstones {
    pub(in crate::monitor) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut tombstones = Self { secret: store.get(&secret_key())?, ..Self::default() };
        for entry in store.scan::<Tombstone>(&Key::new(Table::Tombstone)) {
            let (key, tombstone) = entry?;
            if let Some(hash) = from_hex(&key.first_text()) {
                tombstones.keep(hash, tombstone);
            }
        }
        Ok(tombstones)
    }

    /// Sets a tombstone for what `who` selects; returns its hash in hexadecimal.
    pub(in crate::monitor) fn set(
        &mut self,
        batch: &mut Batch,
        who: &Selector,
        now: Timestamp,
        requested: bool,
    ) -> Result<String, MonitorError> {
        let secret = match self.secret {
            Some(secret) => secret,
            None => {
                let secret = random();
                batch.put(&secret_key(), &secret)?;
                *self.secret.insert(secret)
            }
        };
        let hash = match who {
            Selector::Post(_) => hash(&secret, b'p', &who.normal()),
            Selector::Author(_) => hash(&secret, b'a', &who.normal()),
        };
        let requested = requested || self.known.get(&hash).is_some_and(|known| known.requested);
        let tombstone = Tombstone { at: now.as_second(), requested };
        batch.put(&stored_key(&hash), &tombstone)?;
        self.keep(hash, tombstone);
        self.remove_oldest(batch);
        Ok(hex(&hash))
    }

    /// Whether `post`, its author or the author it reposts was erased.
    pub(in crate::monitor) fn matches(&self, post: &Post) -> bool {
        self.has(b'p', || Some(post.id.trim().to_owned()))
            || self.has(b'a', || post.author.as_deref().map(normal_author))
            || self.has(b'a', || post.details.author_id.as_deref().map(normal_author))
            || self.has(b'a', || reposted(&post.text))
    }

    /// Whether any word of `raw` is the id of an erased post or the name of an erased author.
    pub(in crate::monitor) fn matches_word_in(&self, raw: &str) -> bool {
        let mut words = raw.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        !self.known.is_empty()
            && words
                .any(|word| self.has(b'p', || Some(word.to_owned())) || self.has(b'a', || Some(word.to_lowercase())))
    }

    /// Removes those set before `time` (Unix seconds), `most` at most; returns how many.
    pub(in crate::monitor) fn drop_before(&mut self, batch: &mut Batch, time: i64, most: usize) -> usize {
        let old: Vec<Hash> =
            self.known.iter().filter(|(_, known)| known.at < time).map(|(hash, _)| *hash).take(most).collect();
        old.iter().for_each(|hash| self.remove(batch, hash));
        old.len()
    }

    fn has(&self, kind: u8, value: impl Fn() -> Option<String>) -> bool {
        // Nearly every store has none, and every post passes here: this saves the hash.
        let Some(secret) = self.secret.filter(|_| !self.known.is_empty()) else { return false };
        value().is_some_and(|value| self.known.contains_key(&hash(&secret, kind, &value)))
    }

    fn keep(&mut self, hash: Hash, tombstone: Tombstone) {
        let before = self.known.insert(hash, tombstone);
        self.compliance -= usize::from(before.is_some_and(|before| !before.requested));
        self.compliance += usize::from(!tombstone.requested);
    }

    fn remove(&mut self, batch: &mut Batch, hash: &Hash) {
        if let Some(gone) = self.known.remove(hash) {
            self.compliance -= usize::from(!gone.requested);
            batch.remove(&stored_key(hash));
        }
    }

    fn remove_oldest(&mut self, batch: &mut Batch) {
        if self.compliance <= MAX_COMPLIANCE {
            return;
        }
        let mut compliance: Vec<(i64, Hash)> =
            self.known.iter().filter(|(_, known)| !known.requested).map(|(hash, known)| (known.at, *hash)).collect();
        compliance.sort_unstable();
        compliance.iter().take(MAX_COMPLIANCE / 10).for_each(|(_, hash)| self.remove(batch, hash));
    }
}

fn secret_key() -> Key {
    Key::new(Table::Meta).text("tombstones")
}

fn stored_key(hash: &Hash) -> Key {
    Key::new(Table::Tombstone).text(&hex(hash))
}

fn hash(secret: &Secret, kind: u8, value: &str) -> Hash {
    Sha256::new().chain_update(secret).chain_update([kind]).chain_update(value).finalize().into()
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Hash> {
    let byte = |i: usize| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..32).map_while(byte).collect();
    bytes.try_into().ok()
}

/// From the system, by way of the library that also makes the keys of connections.
fn random() -> Secret {
    let mut secret = Secret::default();
    let filled = rustls::crypto::ring::default_provider().secure_random.fill(&mut secret);
    debug_assert!(filled.is_ok(), "the system has no randomness");
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(id: &str, author: &str) -> Post {
        Post { id: id.into(), author: Some(author.into()), ..Post::default() }
    }

    #[test]
    fn they_hold_across_a_restart_and_until_they_expire() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut tombstones = Tombstones::default();
        assert!(!tombstones.matches(&post("1", "Ann")));
        let mut batch = Batch::default();
        let key = tombstones.set(&mut batch, &Selector::Author("@ann".into()), at(100), true).unwrap();
        tombstones.set(&mut batch, &Selector::Post("9".into()), at(200), false).unwrap();
        store.commit(batch).unwrap();
        assert!(key.len() == 64 && !key.contains("ann"));

        let mut tombstones = Tombstones::load(&store).unwrap();
        assert!(tombstones.matches(&post("1", "ANN")) && tombstones.matches(&post("9", "bob")));
        assert!(!tombstones.matches(&post("1", "bob")), "an id is not a name");
        assert!(!tombstones.matches(&post("ann", "9")));
        assert!(tombstones.matches_word_in("{\"a\":\"@Ann\"}") && !tombstones.matches_word_in("Anna 99"));

        let mut batch = Batch::default();
        assert_eq!(tombstones.drop_before(&mut batch, 150, 10), 1);
        store.commit(batch).unwrap();
        let tombstones = Tombstones::load(&store).unwrap();
        assert!(!tombstones.matches(&post("1", "ann")) && tombstones.matches(&post("9", "ann")));
    }

    #[test]
    fn two_stores_have_two_keys() {
        let key = || {
            let who = Selector::Author("ann".into());
            Tombstones::default().set(&mut Batch::default(), &who, Timestamp::UNIX_EPOCH, true).unwrap()
        };
        assert_ne!(key(), key());
    }

    #[test]
    fn those_of_notices_are_bounded_and_those_asked_for_stay() {
        let mut tombstones = Tombstones::default();
        let mut batch = Batch::default();
        let requested = Selector::Author("ann".into());
        tombstones.set(&mut batch, &requested, Timestamp::UNIX_EPOCH, true).unwrap();
        for i in 1..=MAX_COMPLIANCE + 1 {
            let now = Timestamp::from_second(i as i64).unwrap();
            tombstones.set(&mut batch, &Selector::Post(i.to_string()), now, false).unwrap();
        }
        assert!(tombstones.compliance <= MAX_COMPLIANCE && tombstones.known.len() == tombstones.compliance + 1);
        assert!(tombstones.matches(&post("0", "ann")));
        assert!(
            !tombstones.matches(&post("1", "bob")) && tombstones.matches(&post(&MAX_COMPLIANCE.to_string(), "bob"))
        );
    }
}
