//! [`OperationalAlerts`]: the active alerts about vigie itself. No rule evaluates them: they last as long as their cause.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::alert::{Alert, AlertContext, Fingerprint, OperationalAlert, Transition, TransitionKind};
use crate::rule::{Explanation, Measurement};
use crate::store::{Batch, Key, Store, StoreError, Table};

/// The active ones, by name and component.
#[derive(Debug, Default)]
pub(super) struct OperationalAlerts {
    active: BTreeMap<(String, String), Alert>,
    changed: BTreeSet<(String, String)>,
}

impl OperationalAlerts {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut alerts = Self::default();
        for entry in store.scan::<Alert>(&Key::new(Table::OperationalAlert)) {
            let (_, alert) = entry?;
            alerts.active.insert((alert.rule.clone(), alert.topic.clone()), alert);
        }
        Ok(alerts)
    }

    /// Begins an alert about `component` while there is a `summary`, and ends it when there is none.
    pub(super) fn set(
        &mut self,
        alert: OperationalAlert,
        component: &str,
        summary: Option<&str>,
        now: Timestamp,
    ) -> Option<Transition> {
        let key = (alert.name().to_owned(), component.to_owned());
        match (self.active.contains_key(&key), summary) {
            (false, Some(summary)) => {
                let alert = new_alert(alert, component, summary, now);
                self.changed.insert(key.clone());
                self.active.insert(key, alert.clone());
                Some(Transition { status: TransitionKind::Firing, at: now, alert })
            }
            (true, None) => {
                let alert = self.active.remove(&key)?;
                self.changed.insert(key);
                let alert = Alert { ends_at: Some(now), ..alert };
                Some(Transition { status: TransitionKind::Resolved, at: now, alert })
            }
            // It continues, or there is nothing to end.
            (true, Some(_)) | (false, None) => None,
        }
    }

    pub(super) fn active(&self) -> impl Iterator<Item = &Alert> {
        self.active.values()
    }

    pub(super) fn save(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        for changed in std::mem::take(&mut self.changed) {
            let key = Key::new(Table::OperationalAlert).text(&changed.0).text(&changed.1);
            match self.active.get(&changed) {
                Some(alert) => batch.put(&key, alert)?,
                None => batch.remove(&key),
            }
        }
        Ok(())
    }
}

/// The transition that begins an alert, for one that cannot be stored.
pub fn begin(alert: OperationalAlert, component: &str, summary: &str, now: Timestamp) -> Transition {
    Transition { status: TransitionKind::Firing, at: now, alert: new_alert(alert, component, summary, now) }
}

fn new_alert(alert: OperationalAlert, component: &str, summary: &str, now: Timestamp) -> Alert {
    let name = alert.name();
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels =
        BTreeMap::from([label("alertname", name), label("component", component), label("severity", "warning")]);
    let nothing = Measurement::default();
    Alert {
        fingerprint: Fingerprint::of(&labels),
        rule: name.into(),
        topic: component.into(),
        labels,
        annotations: BTreeMap::from([label("summary", summary)]),
        starts_at: now,
        fired_at: now,
        ends_at: None,
        quiet_since: None,
        resolves_at: None,
        fired_on: nothing,
        peak: nothing,
        peak_at: now,
        latest: nothing,
        samples: Vec::new(),
        is_rate: false,
        explanation: Explanation::default(),
        context: AlertContext::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_begins_once_and_ends_once_across_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut alerts = OperationalAlerts::default();
        assert_eq!(
            alerts.set(OperationalAlert::SourceStalled, "x", Some("silent"), at(1)).unwrap().status,
            TransitionKind::Firing
        );
        assert_eq!(alerts.set(OperationalAlert::SourceStalled, "x", Some("still silent"), at(2)), None);
        assert_eq!(alerts.set(OperationalAlert::SourceStalled, "other", None, at(2)), None);
        let mut batch = Batch::default();
        alerts.save(&mut batch).unwrap();
        store.commit(batch).unwrap();

        let mut alerts = OperationalAlerts::load(&store).unwrap();
        let end = alerts.set(OperationalAlert::SourceStalled, "x", None, at(9)).unwrap();
        assert_eq!(
            (end.status, end.alert.starts_at, end.alert.ends_at),
            (TransitionKind::Resolved, at(1), Some(at(9)))
        );
        let mut batch = Batch::default();
        alerts.save(&mut batch).unwrap();
        store.commit(batch).unwrap();
        assert_eq!(OperationalAlerts::load(&store).unwrap().active().count(), 0);
    }
}
