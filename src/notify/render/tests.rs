//! Whatever comes from outside, a message is complete, small and harmless.

mod ends;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::alert::{Alert, AlertContext, OperationalAlert, Point, ReasonCount, Word};
use crate::notify::{Acknowledged, Incident, Kind, MessageForm};
use crate::rule::{Explanation, Measurement, NormalLevel};
use crate::window::Sample;

/// Malicious texts, and nonsense.
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

fn measured() -> impl Strategy<Value = Measurement> {
    let normal = proptest::option::of((number(), count()).prop_map(|(value, posts)| NormalLevel { value, posts }));
    (count(), count(), number(), number(), proptest::option::of(number()), normal).prop_map(
        |(posts, negative, rate, lower_bound, threshold, normal)| Measurement {
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
        "configured_threshold",
        "false_alarm_every_hours",
    ];
    let condition = prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), hostile()];
    let name = prop_oneof![proptest::sample::select(names.to_vec()).prop_map(str::to_owned), hostile()];
    let leaf = (condition, any::<bool>(), vec((name, number()), 0..6))
        .prop_map(|(condition, holds, numbers)| Explanation { condition, holds, numbers, parts: Vec::new() });
    leaf.prop_recursive(3, 12, 4, |inner| {
        (inner.clone(), vec(inner, 0..4)).prop_map(|(explanation, parts)| Explanation { parts, ..explanation })
    })
}

fn context() -> impl Strategy<Value = AlertContext> {
    let terms = || vec((hostile(), count(), count(), number()), 0..8);
    let point = (time(), count(), count(), proptest::option::of(number()));
    (count(), count(), terms(), terms(), vec(point, 0..5)).prop_map(|(copies, reach, words, reasons, trend)| {
        AlertContext {
            copies,
            reach,
            words: words.into_iter().map(|(word, posts, total, normal)| Word { word, posts, total, normal }).collect(),
            reasons: reasons
                .into_iter()
                .map(|(reason, posts, total, normal)| ReasonCount { reason, posts, total, normal })
                .collect(),
            trend: trend
                .into_iter()
                .map(|(start, posts, negative, normal)| Point { start, posts, negative, normal })
                .collect(),
        }
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
    let ends = [(); 3].map(|()| proptest::option::of(time()));
    let numbers = (measured(), measured(), any::<bool>(), time(), ends);
    (names, numbers, vec(sampled(), 0..7), explanation(), context()).prop_map(
        move |(names, numbers, samples, explanation, context)| {
            let (rule, topic, labels, label, texts) = names;
            let (latest, peak, is_rate, starts_at, [ends_at, quiet_since, resolves_at]) = numbers;
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
                quiet_since,
                resolves_at,
                samples,
                explanation,
                context,
                ..base.clone()
            }
        },
    )
}

fn notification() -> impl Strategy<Value = Notification> {
    let kinds =
        [Kind::Opened, Kind::Reopened, Kind::Changed, Kind::Repeated, Kind::Escalated, Kind::Resolved, Kind::Test];
    let group = proptest::collection::btree_map(
        prop_oneof![Just("topic".to_owned()), Just("component".into()), hostile()],
        hostile(),
        0..3,
    );
    let by = proptest::option::of((hostile(), hostile()));
    let who = (hostile(), hostile(), by, proptest::option::of(hostile()));
    let when = (time(), time(), proptest::option::of(time()), proptest::option::of(time()));
    (proptest::sample::select(kinds.to_vec()), group, who, when, vec(alert(), 0..4), any::<u32>(), 1_usize..12)
        .prop_map(|(kind, group, who, when, alerts, sequence, times)| {
            let ((id, receiver, by, console), (at, started_at, ended_at, repeats_at)) = (who, when);
            let count = alerts.len() * times;
            Notification {
                key: String::new(),
                kind,
                form: MessageForm::Full,
                incident: Incident { id, started_at, ended_at },
                sequence,
                at,
                receiver,
                group: BTreeMap::from_iter(group),
                alerts: alerts.into_iter().cycle().take(count).collect(),
                acknowledged: by.map(|(by, comment)| Acknowledged { by, at, comment }),
                repeats_at,
                resent_within: None,
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
    prop_assert_eq!(&message.template_errors, &Vec::<String>::new());
    for line in [&message.subject, &message.summary] {
        prop_assert!(!line.is_empty() && !line.chars().any(char::is_control), "{:?}", line);
    }
    prop_assert!(message.subject.chars().count() <= 140);
    let forbidden = message.text.contains(['\r', '\0', '\u{202e}']);
    prop_assert!(!message.text.trim_start().is_empty() && !forbidden);
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
    let start = markdown(&start);
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
    prop_assert_eq!(&render(notification, language, templates), &message, "rendering is deterministic");
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
fn every_kind_of_notification_has_its_sentences() {
    let templates = Templates::embedded(Style::default());
    for notification in sample::all() {
        for language in [Language::English, Language::French] {
            check(&notification, language, &templates).unwrap();
        }
    }
}

#[test]
fn operational_alerts_show_no_posts() {
    let templates = Templates::embedded(Style::default());
    let is_operational = |notification: &Notification| notification.group.contains_key("component");
    for notification in sample::all().into_iter().filter(is_operational) {
        let name = notification.alerts[0].rule.clone();
        let message = render(&notification, Language::French, &templates);
        assert!(message.subject.starts_with("[vigie] À vérifier"), "{name}");
        assert!(message.chart_png.is_none() && !message.text.contains("négatif"), "{name}: {}", message.text);
        assert!(message.text.contains("401: the token is not accepted"), "{name}: its detail");
        let is_known = name != "SomethingElse";
        assert_eq!(message.text.contains("À faire"), is_known, "{name}: what to do");
        assert_eq!(message.text.lines().next().unwrap().contains(&name), !is_known, "{name} is translated");
    }
}

/// Every operational alert has a headline and steps in both languages; an unknown one has neither.
#[test]
fn every_operational_alert_has_its_texts() {
    let templates = Templates::embedded(Style::default());
    let mut named = 0;
    for notification in sample::all() {
        let Some(alert) = notification.alerts.first() else { continue };
        let Ok(operational) = alert.rule.parse::<OperationalAlert>() else { continue };
        named += 1;
        for (language, steps) in [(Language::English, "What to do"), (Language::French, "À faire")] {
            let text = render(&notification, language, &templates).text;
            let headline = text.lines().next().unwrap_or_default();
            assert!(!headline.contains(operational.name()), "{operational} in {language:?}: no headline");
            assert!(text.contains(&format!("\n{steps}\n- ")), "{operational} in {language:?}: no steps");
        }
    }
    assert_eq!(named, OperationalAlert::ALL.len());
}

/// A notification led by `condition`, in French.
fn french(condition: &str, change: impl FnOnce(&mut Notification)) -> Message {
    let led_by = |notification: &Notification| {
        let part = notification.alerts.first().and_then(|alert| alert.explanation.parts.first());
        part.is_some_and(|part| part.condition == condition)
    };
    let mut notification = sample::all().into_iter().find(led_by).unwrap();
    change(&mut notification);
    render(&notification, Language::French, &Templates::embedded(Style::default()))
}

#[test]
fn a_message_about_missing_posts_shows_no_complaints() {
    let message = french("no_data", |_| {});
    for absent in ["De quoi se plaint-on", "Mots inhabituels", "Exemples de messages", "sourdine"] {
        assert!(!message.text.contains(absent), "{absent}: {}", message.text);
    }
    assert!(message.text.contains("Je m’en charge"), "{}", message.text);
}

#[test]
fn of_alternatives_only_those_that_hold_are_shown() {
    let message = french("rising", |notification| {
        let explanation = &mut notification.alerts[0].explanation;
        explanation.condition = "or".into();
        explanation.parts[1].holds = false;
    });
    assert!(message.text.contains("Nombre de messages négatifs\u{a0}: hausse depuis"), "{}", message.text);
    assert!(!message.text.contains("no_such_condition"), "{}", message.text);
}

#[test]
fn nothing_is_said_about_the_usual_before_it_is_known() {
    let message = french("rising", |notification| {
        let alert = &mut notification.alerts[0];
        alert.latest.normal = None;
        alert.context.trend.iter_mut().for_each(|point| point.normal = None);
    });
    assert!(message.text.contains("Vol annulé\u{a0}: 39\u{202f}% des plaintes\n"), "{}", message.text);
    assert!(!message.text.contains("d’ordinaire"), "{}", message.text);
}

#[test]
fn a_firing_alert_whose_condition_stopped_holding_says_when_it_ends() {
    let quiet = sample::all().into_iter().find(|it| it.alerts.first().is_some_and(|alert| alert.quiet_since.is_some()));
    let message = render(&quiet.unwrap(), Language::French, &Templates::embedded(Style::default()));
    let state = message.text.lines().nth(1).unwrap_or_default().replace(['\u{a0}', '\u{202f}'], " ");
    assert!(
        state.contains("ne sont plus réunies depuis 30 min ; l’incident sera clos à 14 h 35 UTC si rien ne change."),
        "{state}"
    );
    assert!(!message.text.contains("dépassait"), "{}", message.text);
}

/// A reminder says so when the numbers are back to usual, and says nothing of that about a silence.
#[test]
fn a_reminder_says_when_the_numbers_are_back_to_usual() {
    let repeated = |condition: &str, posts: u64, negative: u64, usual: f64| {
        let message = french(condition, |notification| {
            notification.kind = Kind::Repeated;
            let alert = &mut notification.alerts[0];
            alert.latest.normal = Some(NormalLevel { value: usual, posts: 900 });
            (alert.latest.posts, alert.latest.negative) = (posts, negative);
            alert.latest.rate = negative as f64 / posts.max(1) as f64;
        });
        message.text.contains("revenus à leur niveau habituel")
    };
    assert!(repeated("rising", 30, 18, 0.67) && !repeated("rising", 30, 24, 0.67), "a share");
    assert!(repeated("negative_volume", 30, 9, 10.0) && !repeated("negative_volume", 30, 11, 10.0), "a number");
    assert!(repeated("volume", 70, 9, 80.0) && !repeated("volume", 90, 9, 80.0), "posts of any sentiment");
    assert!(!repeated("no_data", 0, 0, 14.2), "no post is not usual");
}

#[test]
fn a_test_is_marked_wherever_it_is_shown() {
    let test = sample("crisis", None, Timestamp::UNIX_EPOCH);
    for (language, mark) in [(Language::English, "TEST – "), (Language::French, "ESSAI – ")] {
        let message = render(&test, language, &Templates::embedded(Style::default()));
        let shown = [&message.text, &message.summary];
        assert!(shown.iter().all(|text| text.starts_with(mark)), "{shown:?}");
        assert!(message.slack["text"].as_str().is_some_and(|text| text.starts_with(mark)));
        assert!(message.card["speak"].as_str().is_some_and(|text| text.starts_with(mark)));
    }
}

#[test]
fn french_slack_messages_have_french_colons() {
    let message = french("rising", |_| {});
    assert!(message.slack.to_string().contains("Vol annulé\u{a0}: "), "{}", message.slack);
}
