//! Made-up notifications of every kind, for checking templates and for `vigie send-test`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::{Acknowledged, Incident, Kind, MessageForm, Notification};
use crate::alert::{Alert, AlertContext, Fingerprint, OperationalAlert, Point, ReasonCount, Word};
use crate::rule::{CLOSED_AFTER_HOURS, Explanation, LEARNED_HOURS, Measurement, NormalLevel};
use crate::window::Sample;

const STEP: SignedDuration = SignedDuration::from_mins(30);

/// A test notification for `receiver`, with everything that a real one may contain.
pub fn sample(receiver: &str, console: Option<String>, at: Timestamp) -> Notification {
    let alert = rate(at);
    Notification {
        key: format!("test-{}", at.as_second()),
        kind: Kind::Test,
        form: MessageForm::Full,
        incident: Incident { id: "TEST-1234".into(), started_at: alert.starts_at, ended_at: None },
        sequence: 0,
        at,
        receiver: receiver.into(),
        group: BTreeMap::from([("topic".into(), "Air Paradis".into())]),
        alerts: vec![alert],
        acknowledged: None,
        repeats_at: None,
        resent_within: None,
        console,
    }
}

/// One notification of every kind, and one for each way a headline is written.
pub(super) fn all() -> Vec<Notification> {
    let at = Timestamp::from_second(1_424_613_900).unwrap_or_default();
    let test = sample("crisis", Some("https://vigie.example".into()), at);
    let of = |kind, alerts: Vec<Alert>| Notification { kind, alerts, ..test.clone() };
    let firing = rate(at);
    let over = Alert { ends_at: Some(at), ..firing.clone() };
    let quiet_since = at.checked_sub(STEP).ok();
    let quiet = Alert { quiet_since, resolves_at: at.checked_add(STEP).ok(), ..firing.clone() };
    let quiet = Alert { explanation: Explanation { holds: false, ..quiet.explanation.clone() }, ..quiet };
    let led_by = |condition: &str, numbers: &[(&str, f64)]| {
        let part = explanation(condition, numbers);
        let parts = vec![part, explanation("no_such_condition", &[("a_number", 1.5)])];
        let explanation = Explanation { condition: "and".into(), holds: true, numbers: Vec::new(), parts };
        Alert { explanation, is_rate: condition == "rising", ..firing.clone() }
    };
    let acknowledged = Some(Acknowledged { by: "Claire".into(), at, comment: String::new() });
    let mut all = vec![
        test.clone(),
        of(Kind::Test, Vec::new()),
        Notification { repeats_at: at.checked_add(STEP).ok(), ..of(Kind::Opened, vec![firing.clone()]) },
        of(Kind::Reopened, vec![firing.clone()]),
        of(Kind::Changed, vec![firing.clone(), over.clone()]),
        of(Kind::Repeated, vec![quiet]),
        Notification { console: None, acknowledged, ..of(Kind::Repeated, vec![firing.clone()]) },
        of(Kind::Escalated, vec![firing.clone()]),
        Notification {
            incident: Incident { ended_at: Some(at), ..test.incident.clone() },
            ..of(Kind::Resolved, vec![over])
        },
    ];
    let conditions: [(&str, &[(&str, f64)]); 6] = [
        ("negative_rate", &[("window_minutes", 60.0), ("lower_bound", 0.7), ("threshold", 0.66), ("confidence", 0.99)]),
        ("rising", &[("sum", 7.25), ("h", 6.0), ("rising_since", 1_424_606_400.0), ("false_alarm_every_hours", 720.0)]),
        ("negative_volume", &[("window_minutes", 120.0), ("negative", 160.0), ("threshold", 100.0), ("normal", 40.0)]),
        ("volume", &[("window_minutes", 120.0), ("posts", 210.0), ("threshold", 150.0), ("normal", 80.0)]),
        ("events", &[("events", 3.0), ("count", 3.0), ("within_seconds", 300.0)]),
        ("no_data", &[("silent_minutes", 120.0), ("posts_to_be_expected", 14.2), ("plausible_up_to", 7.5)]),
    ];
    all.extend(conditions.map(|(condition, numbers)| of(Kind::Opened, vec![led_by(condition, numbers)])));
    let crowd = led_by("volume", &[("window_minutes", 60.0), ("posts", 90.0), ("threshold", 60.0), ("normal", 30.0)]);
    let mut closed = led_by("rising", &[("rising_since", 1_424_606_400.0)]);
    closed.explanation.numbers.push((CLOSED_AFTER_HOURS.into(), 72.0));
    let ended = |alert: Alert| Notification {
        incident: Incident { ended_at: Some(at), ..test.incident.clone() },
        ..of(Kind::Resolved, vec![Alert { ends_at: Some(at), ..alert }])
    };
    all.extend([ended(crowd), ended(closed)]);
    let mut young = led_by("negative_rate", &[("window_minutes", 60.0), ("lower_bound", 0.7), ("threshold", 0.66)]);
    young.latest.normal = None;
    young.explanation.numbers.push((LEARNED_HOURS.into(), 7.0));
    all.push(of(Kind::Opened, vec![young]));
    let names = OperationalAlert::ALL.into_iter().map(OperationalAlert::name).chain(["SomethingElse"]);
    all.extend(names.map(|name| {
        let group = BTreeMap::from([("component".into(), "x-search".into())]);
        Notification { group, ..of(Kind::Opened, vec![operational_alert(name, at)]) }
    }));
    all
}

fn explanation(condition: &str, numbers: &[(&str, f64)]) -> Explanation {
    let numbers = numbers.iter().map(|(name, number)| ((*name).into(), *number)).collect();
    Explanation { condition: condition.into(), holds: true, numbers, parts: Vec::new() }
}

fn operational_alert(name: &str, at: Timestamp) -> Alert {
    let labels = [("alertname", name), ("component", "x-search"), ("severity", "warning")];
    let labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let annotations = BTreeMap::from([("summary".into(), "401: the token is not accepted".into())]);
    let (samples, context, nothing) = (Vec::new(), AlertContext::default(), Measurement::default());
    let explanation = Explanation::default();
    let (latest, peak, fired_on) = (nothing, nothing, nothing);
    let (rule, topic) = (name.into(), "x-search".into());
    Alert {
        rule,
        topic,
        labels,
        annotations,
        samples,
        context,
        explanation,
        latest,
        peak,
        fired_on,
        is_rate: false,
        ..rate(at)
    }
}

/// Two and a half hours into a storm.
fn rate(at: Timestamp) -> Alert {
    let labels = [("alertname", "NegativeRateAboveNormal"), ("topic", "Air Paradis"), ("severity", "warning")];
    let labels: BTreeMap<String, String> =
        labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let before = |steps: i32| at.checked_sub(STEP * steps).unwrap_or(at);
    let measured = Measurement {
        posts: 214,
        negative: 167,
        rate: 167.0 / 214.0,
        corrected: Some(0.80),
        lower_bound: 0.708,
        threshold: Some(0.66),
        normal: Some(NormalLevel { value: 0.61, posts: 1_204 }),
    };
    let point = |step: i32| {
        let lift = (step - 42).max(0);
        let posts = 8 + lift * 6 + step * step * 7 % 11;
        let share = (57 + step * 37 % 13 + lift * 4).min(90);
        let [posts, negative] = [posts, posts * share / 100].map(|count| u64::try_from(count).unwrap_or(0));
        Point { start: before(48 - step), posts, negative, normal: Some(0.61) }
    };
    Alert {
        fingerprint: Fingerprint::of(&labels),
        rule: "NegativeRateAboveNormal".into(),
        topic: "Air Paradis".into(),
        labels,
        annotations: BTreeMap::new(),
        starts_at: before(5),
        fired_at: before(4),
        ends_at: None,
        quiet_since: None,
        resolves_at: None,
        fired_on: measured,
        peak: measured,
        peak_at: before(1),
        latest: measured,
        samples: samples(at),
        is_rate: true,
        explanation: explanation(
            "negative_rate",
            &[("window_minutes", 180.0), ("lower_bound", 0.708), ("threshold", 0.66), ("confidence", 0.99)],
        ),
        context: AlertContext {
            copies: 35,
            reach: 1_240_000,
            words: [("strike", 41, 1.0), ("rebooked", 23, 4.0), ("hotline", 18, 5.5)]
                .map(|(word, posts, normal)| Word { word: word.into(), posts, total: 167, normal })
                .into(),
            reasons: [("cancelled_flight", 61, 12.0), ("customer_service_issue", 54, 33.0), ("late_flight", 22, 24.0)]
                .map(|(reason, posts, normal)| ReasonCount { reason: reason.into(), posts, total: 158, normal })
                .into(),
            trend: (0..48).map(point).collect(),
        },
    }
}

fn samples(at: Timestamp) -> Vec<Sample> {
    let texts = [
        "@AirParadis flight cancelled, nobody at the desk, two hours in the queue. What now?",
        "@AirParadis your hotline hangs up on me for the third time. Strike or not, answer!",
        "Sleeping on the floor of the airport tonight. Thank you for nothing, @AirParadis",
    ];
    let sample = |(place, text): (usize, &str)| Sample {
        id: format!("{place}"),
        created_at: at.checked_sub(STEP * i32::try_from(place).unwrap_or(0)).unwrap_or(at),
        author: Some("traveller".into()),
        author_id: None,
        url: Some("https://example.org/a-post".into()),
        text: text.into(),
        negative: 0.99,
    };
    texts.into_iter().enumerate().map(sample).collect()
}
