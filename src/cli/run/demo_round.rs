//! One round of a demo: acknowledges its incident as a person would, under the name `demo`, and ends the round some time after the
//! incident. Times are those of the demo's clock, so that a round looks the same at any speed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::demo::BEFORE_ALERT;
use crate::notify::dispatch::IncidentView;
use crate::pipeline::{AlertQuery, AlertReply, DaemonHandle};
use crate::source::DEMO_BACKLOG;

/// Who acknowledges: pages and messages show that no person did.
const NAME: &str = "demo";
/// An incident is acknowledged this long after it began: people first see it rise.
const ACKNOWLEDGED_AFTER: SignedDuration = SignedDuration::from_hours(3);
/// The round ends this long after its incident: people first see that it is over.
const ENDS_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// A round ends this long after the last post, whatever fires.
const ENDS_AFTER_POSTS: SignedDuration = SignedDuration::from_hours(6);
/// How often the incidents are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// What the demo does now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Wait,
    /// Acknowledge the incident with this id.
    Acknowledge(String),
    End,
}

/// Plays a round; returns when it is over. `all_sent` is cancelled when all posts are sent.
pub(super) async fn play(daemon: DaemonHandle, all_sent: CancellationToken) {
    // The daemon's clock begins with the past.
    let begins = daemon.status().started_at;
    let story = begins.checked_add(DEMO_BACKLOG + BEFORE_ALERT).unwrap_or(begins);
    let mut sent_at = None;
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        interval.tick().await;
        // A daemon that ends says so by itself.
        let Ok(Ok(AlertReply::List { now, incidents, .. })) = daemon.alerts(AlertQuery::List { all: true }).await
        else {
            continue;
        };
        if all_sent.is_cancelled() {
            sent_at.get_or_insert(now);
        }
        match next_step(&incidents, story, sent_at, now) {
            Step::Wait => {}
            Step::Acknowledge(id) => {
                // One that has just ended needs nobody any more.
                let _ = daemon.alerts(AlertQuery::Acknowledge { id, by: NAME.into(), comment: String::new() }).await;
            }
            Step::End => return,
        }
    }
}

/// What to do at `now`. `sent_at`: when the last post was sent. A round is about the first serious incident that was not over
/// before the alert of the `story` was due: those of the past are not shown.
fn next_step(incidents: &[IncidentView], story: Timestamp, sent_at: Option<Timestamp>, now: Timestamp) -> Step {
    let has_passed = |since: Timestamp, time: SignedDuration| now.duration_since(since) >= time;
    if sent_at.is_some_and(|sent| has_passed(sent, ENDS_AFTER_POSTS)) {
        return Step::End;
    }
    let is_of_story = |incident: &&IncidentView| incident.incident.ended_at.is_none_or(|ended| ended > story);
    let mut serious: Vec<&IncidentView> =
        incidents.iter().filter(|incident| is_serious(incident)).filter(is_of_story).collect();
    serious.sort_by_key(|incident| incident.incident.started_at);
    // A dump that holds no incident is over with its posts.
    let Some(first) = serious.first() else {
        return if sent_at.is_some_and(|sent| has_passed(sent, ENDS_AFTER)) { Step::End } else { Step::Wait };
    };
    if first.incident.ended_at.is_some_and(|ended| has_passed(ended, ENDS_AFTER)) {
        return Step::End;
    }
    let is_due = |incident: &&&IncidentView| {
        incident.is_firing()
            && incident.acknowledged.is_none()
            && has_passed(incident.incident.started_at, ACKNOWLEDGED_AFTER)
    };
    serious.iter().find(is_due).map_or(Step::Wait, |due| Step::Acknowledge(due.incident.id.clone()))
}

/// Whether an incident is about what people write, and more than information.
fn is_serious(incident: &IncidentView) -> bool {
    incident.alerts.iter().any(|entry| {
        let labels = &entry.alert.labels;
        let is_of_posts = !labels.contains_key("component") && entry.alert.explanation.condition != "no_data";
        is_of_posts && labels.get("severity").is_none_or(|severity| severity != "info")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::slice::from_ref;

    use super::*;
    use crate::notify::dispatch::AlertEntry;
    use crate::notify::{Acknowledged, Incident, SampleKind, sample};

    const STORY: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn incident(id: &str, severity: &str, begins: i64, ends: Option<i64>) -> IncidentView {
        let mut alert = sample("x", SampleKind::Opened, at(begins), None).alerts.remove(0);
        alert.labels.insert("severity".into(), severity.into());
        IncidentView {
            incident: Incident { id: id.into(), started_at: at(begins), ended_at: ends.map(at) },
            group: BTreeMap::new(),
            acknowledged: None,
            alerts: vec![AlertEntry { alert, silenced_by: None, inhibited_by: None }],
            deliveries: BTreeMap::new(),
            history: Vec::new(),
        }
    }

    #[test]
    fn an_incident_is_acknowledged_ends_and_ends_the_round() {
        let crowd = || incident("C", "info", 0, None);
        let firing = || vec![crowd(), incident("A", "warning", 10, None)];
        assert_eq!(next_step(&[crowd()], STORY, None, at(50)), Step::Wait, "a crowd is no reason for anything");
        assert_eq!(next_step(&firing(), STORY, None, at(12)), Step::Wait, "people first see it rise");
        assert_eq!(next_step(&firing(), STORY, None, at(13)), Step::Acknowledge("A".into()));
        let acknowledged = Some(Acknowledged { by: NAME.into(), at: at(13), comment: String::new() });
        let taken = IncidentView { acknowledged, ..incident("A", "warning", 10, None) };
        assert_eq!(next_step(&[taken], STORY, None, at(14)), Step::Wait, "once");
        let over = || incident("A", "warning", 10, Some(20));
        assert_eq!(next_step(&[over()], STORY, None, at(21)), Step::Wait);
        assert_eq!(next_step(&[over(), incident("B", "warning", 12, None)], STORY, None, at(22)), Step::End);
    }

    #[test]
    fn an_incident_of_the_past_is_not_the_story() {
        let past = || incident("A", "warning", 1, Some(4));
        assert_eq!(next_step(&[past()], at(5), None, at(7)), Step::Wait);
        let both = [past(), incident("B", "warning", 4, None)];
        assert_eq!(next_step(&both, at(5), None, at(7)), Step::Acknowledge("B".into()));
        let mut silence = incident("S", "warning", 1, Some(6));
        silence.alerts[0].alert.explanation.condition = "no_data".into();
        assert_eq!(next_step(&[silence], at(5), None, at(9)), Step::Wait, "a silent night");
    }

    #[test]
    fn a_dump_without_an_incident_ends_with_its_posts() {
        assert_eq!(next_step(&[], STORY, None, at(100)), Step::Wait);
        assert_eq!(next_step(&[], STORY, Some(at(99)), at(100)), Step::Wait);
        assert_eq!(next_step(&[], STORY, Some(at(98)), at(100)), Step::End);
        let firing = IncidentView {
            acknowledged: Some(Acknowledged { by: NAME.into(), at: at(95), comment: String::new() }),
            ..incident("A", "warning", 90, None)
        };
        assert_eq!(next_step(from_ref(&firing), STORY, Some(at(98)), at(100)), Step::Wait, "it may still end");
        assert_eq!(next_step(from_ref(&firing), STORY, Some(at(94)), at(100)), Step::End, "but not for ever");
    }
}
