//! Corrections as events: `FeedbackReceived` and `FeedbackUndone`. They hold no author and no identifier of a post, and its text
//! only where the configuration allows that.

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::attribute::{attribute, float, integer, text_attribute};
use super::config::Config;
use super::event::event;
use crate::classify::Label;
use crate::monitor::{Feedback, FeedbackRecord, Provenance};

/// Attributes of the three probabilities, in the order of [`Label::ALL`].
const PROBABILITIES: [&str; 3] = ["probability_negative", "probability_neutral", "probability_positive"];

/// A correction that was recorded. `language`: of the post, where it is known.
pub(super) fn received(record: &FeedbackRecord, language: Option<&str>, config: &Config, now: Timestamp) -> LogRecord {
    let FeedbackRecord { number, feedback, .. } = record;
    let mut attributes = common(*number, feedback);
    attributes.push(text_attribute("corrected_sentiment", feedback.label.as_str()));
    attributes.extend(language.map(|language| text_attribute("language", language)));
    let probabilities = feedback.probabilities.iter().map(|probability| float(f64::from(*probability)));
    attributes.extend(PROBABILITIES.iter().zip(probabilities).map(|(key, value)| attribute(key, value)));
    if may_send_text(feedback.provenance, config) {
        attributes.push(text_attribute("text", &feedback.post.text));
    }
    event("FeedbackReceived", (feedback.at, now), attributes)
}

/// A correction that was taken back; the post counts as `label` from now on.
pub(super) fn undone(number: u64, feedback: &Feedback, label: Label, now: Timestamp) -> LogRecord {
    let mut attributes = common(number, feedback);
    attributes.push(text_attribute("counted_sentiment", label.as_str()));
    event("FeedbackUndone", (now, now), attributes)
}

fn common(number: u64, feedback: &Feedback) -> Vec<KeyValue> {
    let origin = match feedback.provenance {
        Provenance::X => "x",
        Provenance::Post => "post",
        Provenance::Typed => "typed",
    };
    vec![
        attribute("feedback_id", integer(i64::try_from(number).unwrap_or(i64::MAX))),
        text_attribute("feedback", if feedback.is_wrong() { "dislike" } else { "like" }),
        text_attribute("predicted_sentiment", feedback.predicted.as_str()),
        text_attribute("model", &feedback.model),
        text_attribute("origin", origin),
    ]
}

/// X's terms restrict passing its posts on: they need a switch of their own, as in `vigie feedback --export --with-x`.
fn may_send_text(provenance: Provenance, config: &Config) -> bool {
    config.include_texts && (provenance != Provenance::X || config.include_x_texts)
}

#[cfg(test)]
mod tests {
    use super::super::event::tests::value;
    use super::*;
    use crate::window::Sample;

    fn record(provenance: Provenance, label: Label) -> FeedbackRecord {
        let post = Sample {
            id: "1234567".into(),
            author: Some("ann".into()),
            author_id: Some("77".into()),
            url: Some("https://x.com/ann/status/1234567".into()),
            text: "my bag is lost".into(),
            ..Sample::default()
        };
        let feedback = Feedback {
            at: Timestamp::from_second(5).unwrap(),
            by: Some("dora".into()),
            post,
            provenance,
            model: "default-1".into(),
            predicted: Label::Negative,
            probabilities: [0.75, 0.125, 0.125],
            label,
        };
        FeedbackRecord { number: 3, known: false, feedback }
    }

    fn texts(include_texts: bool, include_x_texts: bool) -> Config {
        Config { include_texts, include_x_texts, ..Config::default() }
    }

    #[test]
    fn a_correction_is_an_event_with_prediction_and_feedback() {
        let wrong = received(
            &record(Provenance::Post, Label::Neutral),
            Some("fr"),
            &texts(false, false),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!((wrong.event_name.as_str(), wrong.time_unix_nano), ("FeedbackReceived", 5_000_000_000));
        for (key, expected) in [
            ("microsoft.custom_event.name", "FeedbackReceived"),
            ("feedback", "dislike"),
            ("feedback_id", "3"),
            ("predicted_sentiment", "negative"),
            ("corrected_sentiment", "neutral"),
            ("probability_negative", "0.75"),
            ("probability_positive", "0.125"),
            ("model", "default-1"),
            ("language", "fr"),
            ("origin", "post"),
        ] {
            assert_eq!(value(&wrong.attributes, key).as_deref(), Some(expected), "{key}");
        }
        let right =
            received(&record(Provenance::Post, Label::Negative), None, &texts(false, false), Timestamp::UNIX_EPOCH);
        assert_eq!(value(&right.attributes, "feedback").unwrap(), "like");
        assert_eq!(value(&right.attributes, "language"), None);
    }

    #[test]
    fn texts_are_sent_only_where_allowed_and_those_of_x_need_their_own_switch() {
        for (provenance, config, expected) in [
            (Provenance::Post, texts(false, false), false),
            (Provenance::Post, texts(true, false), true),
            (Provenance::Typed, texts(true, false), true),
            (Provenance::X, texts(true, false), false),
            (Provenance::X, texts(false, true), false),
            (Provenance::X, texts(true, true), true),
        ] {
            let sent = received(&record(provenance, Label::Neutral), None, &config, Timestamp::UNIX_EPOCH);
            let text = value(&sent.attributes, "text");
            assert_eq!(text.as_deref(), expected.then_some("my bag is lost"), "{provenance:?}");
        }
    }

    #[test]
    fn nobody_is_named() {
        let record = record(Provenance::X, Label::Neutral);
        let sent = received(&record, Some("fr"), &texts(true, false), Timestamp::UNIX_EPOCH);
        let back = undone(record.number, &record.feedback, Label::Negative, Timestamp::UNIX_EPOCH);
        assert_eq!(value(&back.attributes, "counted_sentiment").unwrap(), "negative");
        for said in [format!("{sent:?}"), format!("{back:?}")] {
            for personal in ["ann", "77", "1234567", "dora", "bag"] {
                assert!(!said.contains(personal), "{personal}: {said}");
            }
        }
    }
}
