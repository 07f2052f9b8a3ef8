//! Whatever comes from outside, a message is whole, small and harmless.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::alert::{Alert, Point, Reason, Story, Word};
use crate::notify::{Acknowledged, Incident, Kind};
use crate::rule::{Explanation, Measured, Normal};
use crate::window::Sample;

/// Texts as somebody with bad intentions writes them, and as nobody does.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("<x-evil onerror=alert(1)>".to_owned()),
        Just("\" x-evil=\"".to_owned()),
        Just("' x-evil='".to_owned()),
        Just("[x](javascript:alert(1))".to_owned()),
        Just("<!channel> <@U1> &lt;".to_owned()),
        Just("*b* _i_ ~s~ `c`".to_owned()),
        Just("\r\nBcc: all@example.org\r\n\r\n".to_owned()),
        Just("{{DATE(2015-02-22,SHORT)}} {% raw %}".to_owned()),
        Just("\u{202e}txet \u{200b}\u{0}\u{7f}".to_owned()),
        Just("\"".repeat(600)),
        Just("😡".repeat(300)),
        any::<String>(),
    ];
    vec(pieces, 0..3).prop_map(|pieces| pieces.concat())
}

fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![1_424_000_000_i64..1_425_000_000, -62_135_596_800_i64..=253_370_764_800];
    seconds.prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0, 0.0..1e6, any::<f64>()]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..300, any::<u64>()]
}

fn measured() -> impl Strategy<Value = Measured> {
    let normal = proptest::option::of((number(), count()).prop_map(|(value, posts)| Normal { value, posts }));
    (count(), count(), number(), number(), proptest::option::of(number()), normal).prop_map(
        |(posts, negative, rate, lower_bound, threshold, normal)| Measured {
            posts,
            negative,
            rate,
            corrected: threshold,
            lower_bound,
            threshold,
            normal,
        },
    )
}

fn explanation() -> impl Strategy<Value = Explanation> {
    let known = ["negative_rate", "rising", "negative_volume", "volume", "events", "no_data", "and", "or", ""];
    let names = [
        "window_minutes",
        "posts",
        "negative",
        "lower_bound",
        "threshold",
        "normal",
        "sum",
        "h",
        "rising_since",
        "silent_minutes",
        "posts_to_be_expected",
        "events",
        "count",
        "within_seconds",
        "rate",
        "recovers_below",
    ];
    let condition = prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), hostile()];
    let name = prop_oneof![proptest::sample::select(names.to_vec()).prop_map(str::to_owned), hostile()];
    let leaf = (condition, any::<bool>(), vec((name, number()), 0..6))
        .prop_map(|(condition, holds, numbers)| Explanation { condition, holds, numbers, parts: Vec::new() });
    leaf.prop_recursive(3, 12, 4, |inner| {
        (inner.clone(), vec(inner, 0..4)).prop_map(|(explanation, parts)| Explanation { parts, ..explanation })
    })
}

fn story() -> impl Strategy<Value = Story> {
    let told = || vec((hostile(), count(), number()), 0..8);
    let point = (time(), count(), count(), proptest::option::of(number()));
    (count(), count(), told(), told(), vec(point, 0..5)).prop_map(|(copies, reach, words, reasons, trend)| Story {
        copies,
        reach,
        words: words.into_iter().map(|(word, posts, normal)| Word { word, posts, normal }).collect(),
        reasons: reasons.into_iter().map(|(reason, posts, normal)| Reason { reason, posts, normal }).collect(),
        trend: trend
            .into_iter()
            .map(|(start, posts, negative, normal)| Point { start, posts, negative, normal })
            .collect(),
    })
}

fn sampled() -> impl Strategy<Value = Sample> {
    let url =
        prop_oneof![hostile(), hostile().prop_map(|rest| format!("https://x.com/{rest}")), Just("http://a.b/c".into())];
    (hostile(), time(), proptest::option::of(hostile()), proptest::option::of(url)).prop_map(
        |(text, created_at, author, url)| Sample {
            id: "1".into(),
            created_at,
            author,
            author_id: None,
            url,
            text,
            negative: 0.9,
        },
    )
}

fn alert() -> impl Strategy<Value = Alert> {
    let base = sample("r", None, Timestamp::UNIX_EPOCH).alerts[0].clone();
    let labels = prop_oneof![Just(Vec::new()), Just(vec!["severity"]), Just(vec!["component"])];
    let names = (hostile(), hostile(), labels, hostile(), vec(hostile(), 4));
    let numbers = (measured(), measured(), any::<bool>(), time(), proptest::option::of(time()));
    (names, numbers, vec(sampled(), 0..7), explanation(), story()).prop_map(
        move |(names, numbers, samples, explanation, story)| {
            let (rule, topic, labels, label, texts) = names;
            let (latest, peak, is_rate, starts_at, ends_at) = numbers;
            let labels = labels.into_iter().map(|name| (name.to_owned(), label.clone())).collect();
            let kinds = ["summary", "summary_fr", "description", "description_fr"].map(str::to_owned);
            let annotations = kinds.into_iter().zip(texts).collect();
            Alert {
                rule,
                topic,
                labels,
                annotations,
                latest,
                peak,
                is_rate,
                starts_at,
                ends_at,
                samples,
                explanation,
                story,
                ..base.clone()
            }
        },
    )
}

fn notification() -> impl Strategy<Value = Notification> {
    let kinds = [Kind::Opened, Kind::Changed, Kind::Repeated, Kind::Escalated, Kind::Resolved, Kind::Test];
    let group = proptest::collection::btree_map(
        prop_oneof![Just("topic".to_owned()), Just("component".into()), hostile()],
        hostile(),
        0..3,
    );
    let who = (hostile(), hostile(), proptest::option::of(hostile()), proptest::option::of(hostile()));
    let when = (time(), time(), proptest::option::of(time()), proptest::option::of(time()));
    (proptest::sample::select(kinds.to_vec()), group, who, when, vec(alert(), 0..4), any::<u32>(), 1_usize..12)
        .prop_map(|(kind, group, who, when, alerts, sequence, times)| {
            let ((id, receiver, by, console), (at, started_at, ended_at, repeats_at)) = (who, when);
            let count = alerts.len() * times;
            Notification {
                key: String::new(),
                kind,
                incident: Incident { id, started_at, ended_at },
                sequence,
                at,
                receiver,
                group: BTreeMap::from_iter(group),
                alerts: alerts.into_iter().cycle().take(count).collect(),
                acknowledged: by.map(|by| Acknowledged { by, at }),
                repeats_at,
                console: console.map(|rest| format!("https://vigie.example{rest}")),
            }
        })
}

/// Every object within `value`, itself included.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    match value {
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        Value::Object(object) => std::iter::once(object).chain(object.values().flat_map(objects)).collect(),
        _ => Vec::new(),
    }
}

fn text<'a>(object: &'a serde_json::Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// Whether a character that Markdown reads stands there without a backslash.
fn reads_markdown(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|char| {
        let bare = !escaped && "[]*_`~<>".contains(char);
        escaped = char == '\\' && !escaped;
        bare
    })
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn check(notification: &Notification, language: Language, templates: &Templates) -> Result<(), TestCaseError> {
    let message = render(notification, language, templates);
    prop_assert_eq!(&message.faults, &Vec::<String>::new());
    for line in [&message.subject, &message.summary] {
        prop_assert!(!line.is_empty() && !line.chars().any(char::is_control), "{:?}", line);
    }
    prop_assert!(message.subject.chars().count() <= 140);
    let unwanted = message.text.contains(['\r', '\0', '\u{202e}']);
    prop_assert!(!message.text.trim_start().is_empty() && !unwanted);
    prop_assert!(
        !message.html.contains("<x-evil") && !message.html.contains("\" x-evil") && !message.html.contains("' x-evil")
    );
    prop_assert!(
        !message.html.contains("href=\"javascript") && message.html.len() < 60_000,
        "{} bytes",
        message.html.len()
    );

    prop_assert!(message.card.to_string().len() <= CARD_BYTES);
    let headline = message.text.lines().next().unwrap_or_default();
    let start: String = headline.chars().take(40).collect();
    let start = escape::markdown(&start);
    let head = message.card["body"][0]["items"][1]["text"].as_str().unwrap_or_default();
    prop_assert!(head.starts_with(start.trim_end_matches(['\\', ' '])), "{} / {}", head, start);
    for object in objects(&message.card) {
        if text(object, "type") == Some("TextBlock") {
            prop_assert!(!reads_markdown(text(object, "text").unwrap()), "{:?}", object);
        }
        if object.contains_key("title") && object.contains_key("value") {
            prop_assert!(!reads_markdown(text(object, "value").unwrap()), "{:?}", object);
        }
        prop_assert!(text(object, "url").is_none_or(is_web));
        prop_assert!(!text(object, "text").is_some_and(|text| text.contains("{{") && object["type"] != "TextRun"));
    }

    let blocks = message.slack["blocks"].as_array().unwrap();
    prop_assert!(blocks.len() <= 50);
    for object in objects(&message.slack) {
        let most = match text(object, "type") {
            Some("plain_text") => 150,
            Some("mrkdwn") => {
                prop_assert!(!text(object, "text").unwrap().contains(['<', '>']), "{:?}", object);
                3_000
            }
            _ => 3_000,
        };
        prop_assert!(
            text(object, "text").is_none_or(|text| !text.is_empty() && text.chars().count() <= most),
            "{:?}",
            object
        );
        prop_assert!(text(object, "url").is_none_or(is_web));
    }
    prop_assert_eq!(&render(notification, language, templates), &message, "the same words twice");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn any_notification_is_whole_small_and_harmless(notification in notification(), french in any::<bool>()) {
        let language = if french { Language::French } else { Language::English };
        static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::embedded(Style::default()));
        check(&notification, language, &TEMPLATES)?;
    }
}

#[test]
fn every_kind_of_notification_has_its_words() {
    let templates = Templates::embedded(Style::default());
    for notification in sample::all() {
        for language in [Language::English, Language::French] {
            check(&notification, language, &templates).unwrap();
        }
    }
}

#[test]
fn what_vigie_tells_of_itself_is_not_told_in_posts() {
    let templates = Templates::embedded(Style::default());
    let is_trouble = |notification: &Notification| notification.group.contains_key("component");
    for notification in sample::all().into_iter().filter(is_trouble) {
        let name = notification.alerts[0].rule.clone();
        let message = render(&notification, Language::French, &templates);
        assert!(message.subject.starts_with("[vigie] À vérifier"), "{name}");
        assert!(message.chart_png.is_none() && !message.text.contains("négatif"), "{name}: {}", message.text);
        assert!(message.text.contains("401: the token is not accepted"), "{name}: its detail");
        let is_known = name != "SomethingElse";
        assert_eq!(message.text.contains("À faire"), is_known, "{name}: what to do");
        assert_eq!(message.text.lines().next().unwrap().contains(&name), !is_known, "{name} is said in French");
    }
}
