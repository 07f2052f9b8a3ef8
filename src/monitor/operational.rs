//! [`Problems`]: operational alerts, about vigie itself: no rule judges them, they last while their cause does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::alert::{Alert, Fingerprint, Status, Story, Transition};
use crate::rule::{Explanation, Measured};
use crate::store::{Batch, Key, Store, StoreError, Table};

/// The problems that last, by name and component.
#[derive(Debug, Default)]
pub(super) struct Problems {
    lasting: BTreeMap<(String, String), Alert>,
    changed: BTreeSet<(String, String)>,
}

impl Problems {
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let mut problems = Self::default();
        for entry in store.scan::<Alert>(&Key::new(Table::Problem)) {
            let (_, alert) = entry?;
            problems.lasting.insert((alert.rule.clone(), alert.topic.clone()), alert);
        }
        Ok(problems)
    }

    /// Begins the problem `name` of `component` while there is a `summary` to tell, and ends it when there is none.
    pub(super) fn set(
        &mut self,
        name: &str,
        component: &str,
        summary: Option<&str>,
        now: Timestamp,
    ) -> Option<Transition> {
        let place = (name.to_owned(), component.to_owned());
        match (self.lasting.contains_key(&place), summary) {
            (false, Some(summary)) => {
                let alert = new_alert(name, component, summary, now);
                self.changed.insert(place.clone());
                self.lasting.insert(place, alert.clone());
                Some(Transition { status: Status::Firing, at: now, alert })
            }
            (true, None) => {
                let alert = self.lasting.remove(&place)?;
                self.changed.insert(place);
                let alert = Alert { ends_at: Some(now), ..alert };
                Some(Transition { status: Status::Resolved, at: now, alert })
            }
            _ => None,
        }
    }

    pub(super) fn lasting(&self) -> impl Iterator<Item = &Alert> {
        self.lasting.values()
    }

    pub(super) fn save(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        for place in std::mem::take(&mut self.changed) {
            let key = Key::new(Table::Problem).text(&place.0).text(&place.1);
            match self.lasting.get(&place) {
                Some(alert) => batch.put(&key, alert)?,
                None => batch.remove(&key),
            }
        }
        Ok(())
    }
}

/// The transition that tells of a problem's beginning, for one that cannot be stored.
pub fn begins(name: &str, component: &str, summary: &str, now: Timestamp) -> Transition {
    Transition { status: Status::Firing, at: now, alert: new_alert(name, component, summary, now) }
}

fn new_alert(name: &str, component: &str, summary: &str, now: Timestamp) -> Alert {
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels =
        BTreeMap::from([label("alertname", name), label("component", component), label("severity", "warning")]);
    let nothing = Measured::default();
    Alert {
        fingerprint: Fingerprint::of(&labels),
        rule: name.into(),
        topic: component.into(),
        labels,
        annotations: BTreeMap::from([label("summary", summary)]),
        starts_at: now,
        fired_at: now,
        ends_at: None,
        fired_on: nothing,
        peak: nothing,
        peak_at: now,
        latest: nothing,
        samples: Vec::new(),
        is_rate: false,
        explanation: Explanation::default(),
        story: Story::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_once_and_its_end_once_across_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut problems = Problems::default();
        assert_eq!(problems.set("SourceStalled", "x", Some("silent"), at(1)).unwrap().status, Status::Firing);
        assert_eq!(problems.set("SourceStalled", "x", Some("still silent"), at(2)), None);
        assert_eq!(problems.set("SourceStalled", "other", None, at(2)), None);
        let mut batch = Batch::default();
        problems.save(&mut batch).unwrap();
        store.commit(batch).unwrap();

        let mut problems = Problems::load(&store).unwrap();
        let end = problems.set("SourceStalled", "x", None, at(9)).unwrap();
        assert_eq!((end.status, end.alert.starts_at, end.alert.ends_at), (Status::Resolved, at(1), Some(at(9))));
        let mut batch = Batch::default();
        problems.save(&mut batch).unwrap();
        store.commit(batch).unwrap();
        assert_eq!(Problems::load(&store).unwrap().lasting().count(), 0);
    }
}
