//! Notifications about the real storm of 22 February 2015 in the airline dump, as the daemon makes them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use vigie::alert::{Alert, AlertContext, Fingerprint, Point, ReasonCount, Word};
use vigie::notify::{Incident, Kind, MessageForm, Notification};
use vigie::rule::{Explanation, Measurement, NormalLevel};
use vigie::window::Sample;

pub(crate) const AT: &str = "2015-02-22T16:52:00Z";
const TOPIC: &str = "US Airways";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

struct Row {
    at: Timestamp,
    negative: bool,
    author: String,
    text: String,
    reason: String,
    sure: f32,
}

/// The topic's posts of the dump.
pub(crate) struct Storm(Vec<Row>);

impl Storm {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/airline.csv");
        let rows = csv::Reader::from_path(path).unwrap().into_records().map(Result::unwrap);
        let rows = rows.filter(|row| &row[2] == TOPIC).map(|row| Row {
            at: row[1].parse().unwrap(),
            negative: &row[5] == "negative",
            author: row[3].into(),
            text: row[4].into(),
            reason: row[7].to_lowercase().replace(' ', "_").replace('\'', ""),
            sure: row[6].parse().unwrap_or(0.0),
        });
        Self(rows.collect())
    }

    fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &Row> {
        self.0.iter().filter(move |row| from <= row.at && row.at < to)
    }

    fn counts(&self, from: Timestamp, to: Timestamp) -> (u64, u64) {
        let negative = self.between(from, to).filter(|row| row.negative).count();
        (self.between(from, to).count() as u64, negative as u64)
    }

    fn measured(&self, at: Timestamp, window: SignedDuration, normal: NormalLevel) -> Measurement {
        let (posts, negative) = self.counts(at - window, at);
        let rate = negative as f64 / posts as f64;
        Measurement {
            posts,
            negative,
            rate,
            corrected: None,
            lower_bound: rate - 0.06,
            threshold: Some(normal.value),
            normal: Some(normal),
        }
    }

    /// The volume rule: far more negative posts than usual.
    pub(crate) fn volume(&self, at: Timestamp) -> Alert {
        let window = HOUR * 2;
        let (posts, negative) = self.counts(at - HOUR * 26, at - window);
        let normal = negative as f64 / 12.0;
        let measured = self.measured(at, window, NormalLevel { value: normal, posts });
        let numbers = [
            ("window_minutes", 120.0),
            ("negative", measured.negative as f64),
            ("threshold", normal * 1.5),
            ("normal", normal),
        ];
        let labels = [("alertname", "NegativeVolumeAboveNormal"), ("severity", "critical"), ("topic", TOPIC)];
        self.alert(at, &labels, measured, false, explanation("negative_volume", &numbers))
    }

    /// The rate rule: more of the posts are negative than usual.
    pub(crate) fn rate(&self, at: Timestamp) -> Alert {
        let measured = self.measured(at, HOUR * 3, NormalLevel { value: 0.762, posts: 367 });
        let numbers = [("window_minutes", 180.0), ("lower_bound", 0.829), ("threshold", 0.812), ("confidence", 0.99)];
        let labels = [("alertname", "NegativeRateAboveNormal"), ("severity", "warning"), ("topic", TOPIC)];
        let parts = vec![
            explanation("negative_rate", &numbers),
            explanation(
                "rising",
                &[("sum", 8.42), ("h", 6.0), ("rising_since", 1_424_619_660.0), ("false_alarm_every_hours", 720.0)],
            ),
        ];
        let both = Explanation { condition: "and".into(), holds: true, numbers: Vec::new(), parts };
        self.alert(at, &labels, measured, true, both)
    }

    fn alert(
        &self,
        at: Timestamp,
        labels: &[(&str, &str)],
        measured: Measurement,
        is_rate: bool,
        explanation: Explanation,
    ) -> Alert {
        let labels: BTreeMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Alert {
            fingerprint: Fingerprint::of(&labels),
            rule: labels["alertname"].clone(),
            topic: TOPIC.into(),
            labels,
            annotations: BTreeMap::new(),
            starts_at: "2015-02-22T15:41:00Z".parse().unwrap(),
            fired_at: "2015-02-22T15:51:00Z".parse().unwrap(),
            ends_at: None,
            quiet_since: None,
            resolves_at: None,
            fired_on: measured,
            peak: measured,
            peak_at: at,
            latest: measured,
            samples: self.samples(at),
            is_rate,
            explanation,
            context: self.context(at),
        }
    }

    fn samples(&self, at: Timestamp) -> Vec<Sample> {
        let mut rows: Vec<&Row> = self.between(at - HOUR * 2, at).filter(|row| row.negative).collect();
        rows.sort_by(|a, b| b.sure.total_cmp(&a.sure).then(b.text.len().cmp(&a.text.len())));
        let sample = |(place, row): (usize, &Row)| Sample {
            id: place.to_string(),
            created_at: row.at,
            author: Some(row.author.clone()),
            author_id: None,
            url: Some(format!("https://x.com/i/web/status/56963870440946{place:04}")),
            text: row.text.clone(),
            negative: 0.99,
        };
        rows.into_iter().enumerate().map(sample).take(5).collect()
    }

    fn context(&self, at: Timestamp) -> AlertContext {
        let start = at - HOUR * 2;
        let fresh: Vec<&Row> = self.between(start, at).filter(|row| row.negative).collect();
        let past: Vec<&Row> = self.between(at - HOUR * 26, start).filter(|row| row.negative).collect();
        let count = |of: &dyn Fn(&Row) -> Vec<String>, rows: &[&Row]| {
            let mut counts = BTreeMap::new();
            for row in rows {
                for name in of(row).into_iter().collect::<BTreeSet<_>>() {
                    *counts.entry(name).or_insert(0_u64) += 1;
                }
            }
            counts
        };
        let words = |row: &Row| {
            let words = row.text.to_lowercase();
            let words = words.split(|c: char| !c.is_alphanumeric() && c != '@').filter(|word| word.len() > 3);
            words.filter(|word| !word.starts_with('@') && !COMMON.contains(word)).map(str::to_owned).collect()
        };
        let reason = |row: &Row| vec![row.reason.clone()];
        let compared = |of: &dyn Fn(&Row) -> Vec<String>| {
            let before = count(of, &past);
            let normal = |name: &str| before.get(name).copied().unwrap_or(0) as f64 / 12.0;
            let now = count(of, &fresh);
            now.into_iter().map(|(name, posts)| (normal(&name), name, posts)).collect::<Vec<_>>()
        };
        let total = fresh.len() as u64;
        let mut terms = compared(&words);
        terms.sort_by(|a, b| (b.2 as f64 - b.0).total_cmp(&(a.2 as f64 - a.0)));
        let words =
            terms.into_iter().take(5).map(|(normal, word, posts)| Word { word, posts, total, normal }).collect();
        let mut terms = compared(&reason);
        terms.sort_by_key(|(_, _, posts)| std::cmp::Reverse(*posts));
        let reasons = terms
            .into_iter()
            .take(4)
            .map(|(normal, reason, posts)| ReasonCount { reason, posts, total, normal })
            .collect();
        let step = SignedDuration::from_mins(30);
        let point = |back: i32| {
            let from = at - step * back;
            let (posts, negative) = self.counts(from, from + step);
            Point { start: from, posts, negative, normal: Some(0.762) }
        };
        AlertContext { copies: 14, reach: 184_302, words, reasons, trend: (1..=48).rev().map(point).collect() }
    }
}

const COMMON: [&str; 12] =
    ["that", "with", "have", "this", "your", "what", "been", "just", "they", "from", "when", "airways"];

fn explanation(condition: &str, numbers: &[(&str, f64)]) -> Explanation {
    let numbers = numbers.iter().map(|(name, number)| ((*name).into(), *number)).collect();
    Explanation { condition: condition.into(), holds: true, numbers, parts: Vec::new() }
}

/// The notification that the dispatcher makes of alerts.
pub(crate) fn notification(kind: Kind, at: Timestamp, alerts: Vec<Alert>) -> Notification {
    Notification {
        key: "k".into(),
        kind,
        form: MessageForm::Full,
        incident: Incident { id: "USAI-7F3K".into(), started_at: alerts[0].starts_at, ended_at: None },
        sequence: 0,
        at,
        receiver: "crisis-team".into(),
        group: BTreeMap::from([("topic".into(), TOPIC.into())]),
        alerts,
        acknowledged: None,
        repeats_at: Some(at + HOUR * 4),
        resent_within: None,
        console: Some("https://vigie.example.com".into()),
    }
}

/// An operational alert, as the monitor raises it.
pub(crate) fn operational(name: &str, component: &str, summary: &str, at: Timestamp) -> Alert {
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let transition = vigie::monitor::begin_operational_alert(name.parse().unwrap(), component, summary, at);
    Alert { annotations: BTreeMap::from([label("summary", summary)]), ..transition.alert }
}
