//! [`Payload`]: a notification as JSON, for webhooks and commands. Version 1: fields may be added; none is changed or
//! removed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::alert::{Alert, Fingerprint, TransitionKind};
use crate::notify::render::Message;
use crate::notify::{Acknowledged, Incident, Kind, MessageForm, Notification};

/// The whole body. `words`, `reasons` and `samples` are empty after the receiver refused a message that had them.
#[derive(Debug, Serialize)]
pub(in crate::notify) struct Payload<'a> {
    version: u32,
    /// The same for every delivery of this notification.
    key: &'a str,
    kind: Kind,
    /// `firing` until the incident is over.
    status: TransitionKind,
    receiver: &'a str,
    at: Timestamp,
    /// Notifications of this incident before this one.
    sequence: u32,
    incident: &'a Incident,
    group: &'a BTreeMap<String, String>,
    alerts: Vec<AlertPayload<'a>>,
    acknowledged: Option<&'a Acknowledged>,
    repeats_at: Option<Timestamp>,
    /// The incident's page in the console.
    url: Option<&'a str>,
    message: MessageText<'a>,
}

/// The message as people read it.
#[derive(Debug, Serialize)]
struct MessageText<'a> {
    lang: &'a str,
    subject: &'a str,
    /// Without posts.
    summary: &'a str,
    text: &'a str,
}

/// One alert.
#[derive(Debug, Serialize)]
struct AlertPayload<'a> {
    fingerprint: Fingerprint,
    status: TransitionKind,
    rule: &'a str,
    topic: &'a str,
    labels: &'a BTreeMap<String, String>,
    annotations: &'a BTreeMap<String, String>,
    starts_at: Timestamp,
    fired_at: Timestamp,
    ends_at: Option<Timestamp>,
    fired_on: MeasuredNumbers,
    peak: MeasuredNumbers,
    peak_at: Timestamp,
    latest: MeasuredNumbers,
    /// Posts in the window that repeat another.
    copies: u64,
    reach: u64,
    words: Vec<&'a str>,
    reasons: Vec<&'a str>,
    samples: Vec<SamplePost<'a>>,
}

/// The measurement of one moment.
#[derive(Debug, Serialize)]
struct MeasuredNumbers {
    posts: u64,
    negative: u64,
    rate: f64,
    lower_bound: f64,
    threshold: Option<f64>,
    /// In the unit of the condition, like the threshold.
    normal: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SamplePost<'a> {
    id: &'a str,
    created_at: Timestamp,
    author: Option<&'a str>,
    url: Option<&'a str>,
    text: &'a str,
    /// Probability of negative.
    negative: f32,
}

impl<'a> Payload<'a> {
    pub(in crate::notify) fn new(notification: &'a Notification, message: &'a Message) -> Self {
        let Notification { key, kind, incident, sequence, at, receiver, group, alerts, .. } = notification;
        Self {
            version: 1,
            key,
            kind: *kind,
            status: status(incident.ended_at),
            receiver,
            at: *at,
            sequence: *sequence,
            incident,
            group,
            alerts: alerts.iter().map(|alert| AlertPayload::new(alert, notification.form)).collect(),
            acknowledged: notification.acknowledged.as_ref(),
            repeats_at: notification.repeats_at,
            url: message.url.as_deref(),
            message: MessageText {
                lang: message.lang,
                subject: &message.subject,
                summary: &message.summary,
                text: &message.text,
            },
        }
    }

    /// The request body; serialising it cannot fail.
    pub(in crate::notify) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

pub(in crate::notify) fn status(ended_at: Option<Timestamp>) -> TransitionKind {
    if ended_at.is_some() { TransitionKind::Resolved } else { TransitionKind::Firing }
}

impl<'a> AlertPayload<'a> {
    fn new(alert: &'a Alert, form: MessageForm) -> Self {
        let Alert { context, .. } = alert;
        // A smaller form leaves out the texts, which may be what the receiver refuses.
        let is_full = form == MessageForm::Full;
        Self {
            fingerprint: alert.fingerprint,
            status: status(alert.ends_at),
            rule: &alert.rule,
            topic: &alert.topic,
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: alert.starts_at,
            fired_at: alert.fired_at,
            ends_at: alert.ends_at,
            fired_on: numbers(&alert.fired_on),
            peak: numbers(&alert.peak),
            peak_at: alert.peak_at,
            latest: numbers(&alert.latest),
            copies: context.copies,
            reach: context.reach,
            words: context.words.iter().filter(|_| is_full).map(|word| word.word.as_str()).collect(),
            reasons: context.reasons.iter().filter(|_| is_full).map(|reason| reason.reason.as_str()).collect(),
            samples: alert.samples.iter().filter(|_| is_full).map(post).collect(),
        }
    }
}

fn numbers(measured: &crate::rule::Measurement) -> MeasuredNumbers {
    MeasuredNumbers {
        posts: measured.posts,
        negative: measured.negative,
        rate: measured.rate,
        lower_bound: measured.lower_bound,
        threshold: measured.threshold,
        normal: measured.normal.map(|normal| normal.value),
    }
}

fn post(sample: &crate::window::Sample) -> SamplePost<'_> {
    SamplePost {
        id: &sample.id,
        created_at: sample.created_at,
        author: sample.author.as_deref(),
        url: sample.url.as_deref(),
        text: &sample.text,
        negative: sample.negative,
    }
}
