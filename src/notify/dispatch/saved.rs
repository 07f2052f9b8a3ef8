//! The dispatcher in the store: incidents, silences and the state of receivers as JSON, which can grow without a change
//! of layout; alerts in a separate table, where posts can be erased from them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Dirty, Dispatcher};
use crate::alert::Alert;
use crate::notify::routing::Routing;
use crate::store::{Batch, Key, Part, Store, StoreError, Table};

const INCIDENT: &str = "incident/";
const SILENCE: &str = "silence/";
const RECEIVER: &str = "receiver/";
const REPORT: &str = "report/";
/// A hash of the configuration that assigned alerts to receivers.
const ROUTING: &str = "routing";

impl Dispatcher {
    /// A dispatcher with the state of `store`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: &Store, routing: Routing, now: Timestamp) -> Result<Self, StoreError> {
        let mut dispatcher = Self {
            routing,
            groups: read(store, INCIDENT)?,
            silences: read(store, SILENCE)?,
            receiver_states: read(store, RECEIVER)?,
            in_flight: BTreeMap::new(),
            reports: read(store, REPORT)?,
            dirty: Dirty::default(),
        };
        dispatcher.load_alerts(store)?;
        let saved_under: Option<String> = store.get(&key(ROUTING, ""))?;
        // The configuration changed while vigie was down: treat it as a reload.
        if saved_under.as_deref() != Some(&dispatcher.fingerprint()) {
            let routing = dispatcher.routing.clone();
            dispatcher.reload(routing, now);
        }
        Ok(dispatcher)
    }

    /// Reads the alerts again, after posts were erased from them in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load_alerts(&mut self, store: &Store) -> Result<(), StoreError> {
        for entry in store.scan::<Alert>(&Key::new(Table::IncidentAlert)) {
            let (key, alert) = entry?;
            let Some([Part::Text(incident), Part::Text(alert_id)]) =
                key.parts().as_deref().map(<&[Part; 2]>::try_from).and_then(Result::ok).cloned()
            else {
                continue;
            };
            let unsaved = self.dirty.alerts.contains(&(incident.clone(), alert_id.clone()));
            let grouped = self.groups.get_mut(&incident).and_then(|group| group.alerts.get_mut(&alert_id));
            // An alert with unsaved changes is newer than the store.
            if let Some(grouped) = grouped.filter(|_| !unsaved) {
                grouped.alert = Some(alert);
            }
        }
        Ok(())
    }

    /// Adds to `batch` what changed since the last [`Dispatcher::mark_saved`].
    ///
    /// # Errors
    /// When something cannot be encoded.
    pub fn save(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for (incident, alert_id) in &self.dirty.alerts {
            let grouped = self.groups.get(incident).and_then(|group| group.alerts.get(alert_id));
            let key = Key::new(Table::IncidentAlert).text(incident).text(alert_id);
            match grouped.and_then(|grouped| grouped.alert.as_ref()) {
                Some(alert) => batch.put(&key, alert)?,
                None => batch.remove(&key),
            }
        }
        for id in &self.dirty.groups {
            put(batch, &key(INCIDENT, id), self.groups.get(id))?;
        }
        for id in &self.dirty.silences {
            put(batch, &key(SILENCE, id), self.silences.get(id))?;
        }
        for name in &self.dirty.receivers {
            put(batch, &key(RECEIVER, name), self.receiver_states.get(name))?;
        }
        for id in &self.dirty.reports {
            put(batch, &key(REPORT, id), self.reports.get(id))?;
        }
        if self.dirty.routing {
            batch.put(&key(ROUTING, ""), &self.fingerprint())?;
        }
        Ok(())
    }

    /// The last save is committed.
    pub fn mark_saved(&mut self) {
        self.dirty = Dirty::default();
    }

    /// Whether there is anything to save.
    pub fn is_dirty(&self) -> bool {
        let Dirty { groups, alerts, receivers, silences, reports, routing } = &self.dirty;
        let sets = [groups, receivers, silences, reports];
        *routing || !alerts.is_empty() || sets.into_iter().any(|set| !set.is_empty())
    }

    fn fingerprint(&self) -> String {
        let Routing { notify, receivers, routes, inhibits, reports, .. } = &self.routing;
        let text = serde_json::to_string(&(notify, receivers, routes, inhibits, reports)).unwrap_or_default();
        format!("{:016x}", twox_hash::XxHash64::oneshot(0, text.as_bytes()))
    }
}

fn key(kind: &str, name: &str) -> Key {
    Key::new(Table::Dispatch).text(&format!("{kind}{name}"))
}

fn put<V: Serialize>(batch: &mut Batch, key: &Key, value: Option<&V>) -> Result<(), StoreError> {
    match value {
        Some(value) => {
            // The types of this module always serialise to JSON.
            let json = serde_json::to_string(value).unwrap_or_default();
            batch.put(key, &json)
        }
        None => {
            batch.remove(key);
            Ok(())
        }
    }
}

fn read<V: DeserializeOwned>(store: &Store, kind: &str) -> Result<BTreeMap<String, V>, StoreError> {
    let mut found = BTreeMap::new();
    for entry in store.scan::<String>(&Key::new(Table::Dispatch)) {
        let (key, json) = entry?;
        let Some(name) = key.first_text().strip_prefix(kind).map(str::to_owned) else { continue };
        let damaged = |reason: serde_json::Error| StoreError::Damaged {
            table: Some(Table::Dispatch),
            reason: reason.to_string(),
        };
        found.insert(name, serde_json::from_str(&json).map_err(damaged)?);
    }
    Ok(found)
}
