//! [`IncidentWatch`]: incidents that begin and end, as the events `IncidentFired` and `IncidentResolved`. They hold numbers and
//! labels, and no post.

use std::collections::BTreeSet;

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::attribute::{attribute, float, integer, text_attribute};
use super::event::event;
use crate::notify::dispatch::IncidentView;

/// Remembers which incidents fire. One that flares up again fires again, under its name.
#[derive(Debug, Default)]
pub struct IncidentWatch {
    firing: BTreeSet<String>,
}

impl IncidentWatch {
    /// Incidents that fire already were reported before the daemon started.
    pub fn new(incidents: &[IncidentView]) -> Self {
        let firing = incidents.iter().filter(|view| view.is_firing());
        Self { firing: firing.map(|view| view.incident.id.clone()).collect() }
    }

    /// The events since the last call. `incidents`: all of the last days.
    pub(super) fn changes(&mut self, incidents: &[IncidentView], now: Timestamp) -> Vec<LogRecord> {
        let mut events = Vec::new();
        for view in incidents {
            let id = &view.incident.id;
            if view.is_firing() {
                if self.firing.insert(id.clone()) {
                    events.push(event("IncidentFired", (view.incident.started_at, now), attributes(view)));
                }
            } else if self.firing.remove(id) {
                events.push(resolved(view, now));
            }
        }
        events
    }
}

fn resolved(view: &IncidentView, now: Timestamp) -> LogRecord {
    let ended_at = view.incident.ended_at.unwrap_or(now);
    let mut all = attributes(view);
    let lasted = ended_at.duration_since(view.incident.started_at).as_secs_f64();
    all.push(attribute("duration_seconds", float(lasted)));
    event("IncidentResolved", (ended_at, now), all)
}

fn attributes(view: &IncidentView) -> Vec<KeyValue> {
    let alerts = view.alerts.iter().map(|entry| &entry.alert);
    let rules: BTreeSet<&str> = alerts.clone().map(|alert| alert.rule.as_str()).collect();
    let mut all = vec![
        text_attribute("incident", &view.incident.id),
        text_attribute("started_at", view.incident.started_at.to_string()),
        text_attribute("rules", rules.into_iter().collect::<Vec<_>>().join(", ")),
    ];
    // The most severe alert comes first.
    if let Some(first) = alerts.clone().next() {
        let of_label = |name: &'static str| first.labels.get(name).map(|value| text_attribute(name, value));
        all.extend(["topic", "component", "severity"].into_iter().filter_map(of_label));
        all.push(attribute("posts", integer(i64::try_from(first.latest.posts).unwrap_or(i64::MAX))));
        all.push(attribute("negative", integer(i64::try_from(first.latest.negative).unwrap_or(i64::MAX))));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::event::tests::value;
    use super::*;
    use crate::notify::dispatch::AlertEntry;
    use crate::notify::{Incident, SampleKind, sample};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn incident(id: &str, ended_at: Option<Timestamp>) -> IncidentView {
        let alerts = sample("x", SampleKind::Opened, at(1), None).alerts;
        IncidentView {
            incident: Incident { id: id.into(), started_at: at(1), ended_at },
            group: BTreeMap::new(),
            acknowledged: None,
            alerts: alerts
                .into_iter()
                .map(|alert| AlertEntry { alert, silenced_by: None, inhibited_by: None })
                .collect(),
            deliveries: BTreeMap::new(),
            history: Vec::new(),
        }
    }

    fn names(events: &[LogRecord]) -> Vec<(String, String)> {
        let name = |event: &LogRecord| (event.event_name.clone(), value(&event.attributes, "incident").unwrap());
        events.iter().map(name).collect()
    }

    #[test]
    fn each_beginning_and_end_is_reported_once() {
        let mut watch = IncidentWatch::new(&[incident("OLD", None)]);
        let fired = |id: &str| ("IncidentFired".to_owned(), id.to_owned());
        let resolved = |id: &str| ("IncidentResolved".to_owned(), id.to_owned());
        let both = [incident("OLD", None), incident("NEW", None)];
        assert_eq!(names(&watch.changes(&both, at(2))), [fired("NEW")]);
        assert_eq!(names(&watch.changes(&both, at(3))), []);
        let over = [incident("OLD", Some(at(4))), incident("NEW", None)];
        assert_eq!(names(&watch.changes(&over, at(4))), [resolved("OLD")]);
        assert_eq!(names(&watch.changes(&both, at(5))), [fired("OLD")], "it flares up again");
        assert_eq!(names(&watch.changes(&[incident("LONG", Some(at(0)))], at(6))), [], "over before it was seen");
    }

    #[test]
    fn an_incident_has_numbers_and_labels_and_no_post() {
        let view = incident("A-1", Some(at(31)));
        let posts: Vec<String> =
            view.alerts.iter().flat_map(|entry| &entry.alert.samples).map(|post| post.text.clone()).collect();
        assert!(!posts.is_empty());
        let event = resolved(&view, at(40));
        assert_eq!(value(&event.attributes, "duration_seconds").unwrap(), "1800");
        assert_eq!(event.time_unix_nano, 31 * 60 * 1_000_000_000);
        for key in ["topic", "severity", "rules", "posts", "negative"] {
            assert!(value(&event.attributes, key).is_some_and(|value| !value.is_empty()), "{key}");
        }
        let said = format!("{event:?}");
        assert!(posts.iter().all(|text| !said.contains(text.as_str())), "{said}");
    }
}
