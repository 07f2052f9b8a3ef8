//! [`TopicSettings`]: what the configuration says about topics, as far as the monitor needs it.

use std::collections::{BTreeMap, BTreeSet};

/// The configured topics, and the time zones in which rhythms are learned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicSettings {
    names: BTreeSet<String>,
    /// By topic; IANA names.
    zones: BTreeMap<String, String>,
    zone: String,
    /// Topics that raise no alert.
    watch_only: BTreeSet<String>,
}

impl TopicSettings {
    /// Settings without topics. `zone` is the IANA name of the time zone of topics that state none; empty: UTC.
    pub fn new(zone: &str) -> Self {
        Self { zone: zone.to_owned(), ..Self::default() }
    }

    /// Adds a configured topic, with its own time zone if it has one.
    #[must_use]
    pub fn with(mut self, name: &str, zone: Option<&str>) -> Self {
        let name = name.trim();
        self.names.insert(name.to_owned());
        if let Some(zone) = zone {
            self.zones.insert(name.to_owned(), zone.to_owned());
        }
        self
    }

    /// Marks a topic as one that raises no alert.
    #[must_use]
    pub fn watching_only(mut self, name: &str) -> Self {
        self.watch_only.insert(name.trim().to_owned());
        self
    }

    /// Whether alerts of the topic are kept back: it is watched to compare others with.
    pub(super) fn is_watch_only(&self, name: &str) -> bool {
        self.watch_only.contains(name)
    }

    /// Whether the topic is configured: the number of these has no limit.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The IANA name of the topic's time zone.
    pub(super) fn zone_of(&self, name: &str) -> &str {
        self.zones.get(name).unwrap_or(&self.zone)
    }
}
