//! The dispatcher in the store: incidents, silences and the state of receivers as JSON, which can grow without a change
//! of layout; alerts in a table of their own, where posts can be taken out of them.

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
/// Under which routing alerts were given to receivers, as a hash.
const ROUTING: &str = "routing";

impl Dispatcher {
    /// A dispatcher that goes on where `store` left off.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: &Store, routing: Routing, now: Timestamp) -> Result<Self, StoreError> {
        let mut dispatcher = Self {
            routing,
            groups: read(store, INCIDENT)?,
            silences: read(store, SILENCE)?,
            receiving: read(store, RECEIVER)?,
            flights: BTreeMap::new(),
            dirty: Dirty::default(),
        };
        dispatcher.load_alerts(store)?;
        let under: Option<String> = store.get(&key(ROUTING, ""))?;
        if under.as_deref() != Some(&dispatcher.fingerprint()) {
            let routing = dispatcher.routing.clone();
            dispatcher.reload(routing, now);
        }
        Ok(dispatcher)
    }

    /// Reads the alerts again, after posts were taken out of them in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load_alerts(&mut self, store: &Store) -> Result<(), StoreError> {
        for entry in store.scan::<Alert>(&Key::new(Table::Told)) {
            let (key, alert) = entry?;
            let Some([Part::Text(incident), Part::Text(member)]) =
                key.parts().as_deref().map(<&[Part; 2]>::try_from).and_then(Result::ok).cloned()
            else {
                continue;
            };
            let unsaved = self.dirty.alerts.contains(&(incident.clone(), member.clone()));
            let member = self.groups.get_mut(&incident).and_then(|group| group.members.get_mut(&member));
            if let Some(member) = member.filter(|_| !unsaved) {
                member.alert = Some(alert);
            }
        }
        Ok(())
    }

    /// Puts into `batch` what changed since the last [`Dispatcher::saved`].
    ///
    /// # Errors
    /// When something cannot be encoded.
    pub fn save(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for (incident, member) in &self.dirty.alerts {
            let held = self.groups.get(incident).and_then(|group| group.members.get(member));
            let key = Key::new(Table::Told).text(incident).text(member);
            match held.and_then(|member| member.alert.as_ref()) {
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
            put(batch, &key(RECEIVER, name), self.receiving.get(name))?;
        }
        if self.dirty.routing {
            batch.put(&key(ROUTING, ""), &self.fingerprint())?;
        }
        Ok(())
    }

    /// What was saved last is committed.
    pub fn saved(&mut self) {
        self.dirty = Dirty::default();
    }

    /// Whether there is anything to save.
    pub fn has_news(&self) -> bool {
        let Dirty { groups, alerts, receivers, silences, routing } = &self.dirty;
        *routing || !(groups.is_empty() && alerts.is_empty() && receivers.is_empty() && silences.is_empty())
    }

    fn fingerprint(&self) -> String {
        let Routing { notify, receivers, routes, inhibits, .. } = &self.routing;
        let text = serde_json::to_string(&(notify, receivers, routes, inhibits)).unwrap_or_default();
        format!("{:016x}", twox_hash::XxHash64::oneshot(0, text.as_bytes()))
    }
}

fn key(kind: &str, name: &str) -> Key {
    Key::new(Table::Dispatch).text(&format!("{kind}{name}"))
}

fn put<V: Serialize>(batch: &mut Batch, key: &Key, value: Option<&V>) -> Result<(), StoreError> {
    match value {
        Some(value) => {
            // Of this module's own types, which all are JSON.
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
