//! A notification of something that did not happen, as lifelike as one that did: for `vigie send-test`, and for tests.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Incident, Kind, Language, Notification};
use crate::alert::{Alert, Fingerprint, Point, Reason, Story, Word};
use crate::rule::{Explanation, Measured, Normal};
use crate::window::Sample;

/// Which moment of an incident the sample plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    Opened,
    Resolved,
}

/// A sample for `receiver`, as of `now`. Both kinds of one day tell of one incident.
pub fn sample(
    receiver: &str,
    kind: SampleKind,
    language: Language,
    now: Timestamp,
    console: Option<String>,
) -> Notification {
    let over = kind == SampleKind::Resolved;
    let started_at = now - SignedDuration::from_mins(if over { 150 } else { 20 });
    let ended_at = over.then(|| now - SignedDuration::from_mins(20));
    let alert = alert(language, started_at, ended_at, now);
    Notification {
        key: format!("test-{}-{}", if over { "resolved" } else { "opened" }, now.as_millisecond()),
        kind: Kind::Test,
        incident: Incident { id: now.strftime("TEST-%m%d").to_string(), started_at, ended_at },
        sequence: u32::from(over),
        at: now,
        receiver: receiver.to_owned(),
        group: BTreeMap::from([("topic".to_owned(), alert.topic.clone())]),
        alerts: vec![alert],
        acknowledged: None,
        repeats_at: (!over).then(|| now + SignedDuration::from_hours(4)),
        console,
    }
}

fn alert(language: Language, starts_at: Timestamp, ends_at: Option<Timestamp>, now: Timestamp) -> Alert {
    let topic = "Air Paradis".to_owned();
    let french = language == Language::French;
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels = BTreeMap::from([
        label("alertname", "NegativeRateAboveNormal"),
        label("severity", "warning"),
        label("topic", &topic),
    ]);
    let summary = "84 % of 96 posts about Air Paradis in three hours are negative; normal is 63 %.";
    let summary_fr = "84 % des 96 messages sur Air Paradis en trois heures sont négatifs ; la normale est de 63 %.";
    let measured = |posts, negative, lower_bound| Measured {
        posts,
        negative,
        rate: negative as f64 / posts as f64,
        lower_bound,
        threshold: Some(0.68),
        normal: Some(Normal { value: 0.63, posts: 1_240 }),
    };
    let peak = measured(96, 81, 0.73);
    Alert {
        fingerprint: Fingerprint::of(&labels),
        rule: "NegativeRateAboveNormal".into(),
        topic,
        labels,
        annotations: BTreeMap::from([label("summary", summary), label("summary_fr", summary_fr)]),
        starts_at,
        fired_at: starts_at + SignedDuration::from_mins(10),
        ends_at,
        fired_on: measured(52, 43, 0.69),
        peak,
        peak_at: starts_at + SignedDuration::from_mins(15),
        latest: if ends_at.is_some() { measured(40, 25, 0.44) } else { peak },
        samples: samples(french, starts_at),
        is_rate: true,
        explanation: Explanation {
            condition: "negative_rate".into(),
            holds: ends_at.is_none(),
            numbers: [("lower_bound", 0.73), ("threshold", 0.68), ("posts", 96.0), ("negative", 81.0)]
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            parts: Vec::new(),
        },
        story: story(french, now),
    }
}

fn samples(french: bool, since: Timestamp) -> Vec<Sample> {
    let texts = if french {
        [
            "Vol AP482 annulé ce matin, aucune information au comptoir @AirParadis, trois heures que nous attendons",
            "@AirParadis toujours pas de bagages depuis mardi. Qui répond chez vous ?",
            "Deuxième retard de la semaine avec Air Paradis, correspondance ratée, merci pour les vacances",
        ]
    } else {
        [
            "Flight AP482 cancelled this morning and nobody at the desk knows anything @AirParadis, three hours now",
            "@AirParadis still no luggage since Tuesday. Is anybody answering over there?",
            "Second delay this week with Air Paradis, connection missed, thanks for the holiday",
        ]
    };
    let posts = texts.into_iter().zip(["camille_exemple", "sample_traveller", "test_account"]).zip(0_u8..);
    let made = posts.map(|((text, author), number)| Sample {
        id: format!("test-{number}"),
        created_at: since + SignedDuration::from_mins(4 * i64::from(number)),
        author: Some(author.to_owned()),
        author_id: None,
        url: Some(format!("https://x.com/{author}/status/100000000000000000{number}")),
        text: text.to_owned(),
        negative: 0.98 - f32::from(number) * 0.02,
    });
    made.collect()
}

fn story(french: bool, now: Timestamp) -> Story {
    let words = if french { ["annulé", "bagages", "comptoir"] } else { ["cancelled", "luggage", "desk"] };
    let counts = [(31, 4.2), (18, 3.9), (12, 1.1)];
    let reasons = ["Cancelled Flight", "Lost Luggage", "Customer Service Issue"];
    let trend = (0_i64..48).map(|step| {
        let posts = 12 + (step * 7 % 9).unsigned_abs();
        let share = if step < 44 { 63 } else { 84 };
        let start = now - SignedDuration::from_mins(30 * (48 - step));
        Point { start, posts, negative: posts * share / 100, normal: Some(0.63) }
    });
    Story {
        copies: 37,
        reach: 412_000,
        words: words
            .iter()
            .zip(counts)
            .map(|(word, (posts, normal))| Word { word: (*word).into(), posts, normal })
            .collect(),
        reasons: reasons
            .iter()
            .zip(counts)
            .map(|(reason, (posts, normal))| Reason { reason: (*reason).into(), posts, normal })
            .collect(),
        trend: trend.collect(),
    }
}
