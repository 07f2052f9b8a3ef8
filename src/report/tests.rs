//! Reports from facts made by hand: what is counted, what may be said, and that nothing from outside becomes markup.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::facts::{ReportFacts, TopicFacts};
use super::tally::{PostTally, TallyBuilder};
use super::*;
use crate::classify::Label;
use crate::language::Language;
use crate::monitor::{CascadeId, Counting, StoredPost};
use crate::notify::{DueReport, ReportPeriod, SampleKind, sample};

const DAY: i64 = 86_400;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn span(day: i64) -> ReportSpan {
    let time = |day| Timestamp::from_second(at("2026-11-23T00:00:00Z").as_second() + day * DAY).unwrap();
    ReportSpan { since: time(day), until: time(day + 1) }
}

fn counts(negative: u64, neutral: u64) -> Counts {
    Counts { negative, neutral, ..Counts::default() }
}

fn facts(now: Counts, before: &[Counts]) -> ReportFacts {
    let before = before.iter().zip(1..).map(|(counts, back)| (span(-back), *counts)).collect();
    let curve = vec![CurveStep { start: span(0).since.as_second(), counts: now, normal: None }];
    let topic = TopicFacts {
        name: "Air Paradis".into(),
        counts: now,
        before,
        first_hour: Some(span(-3).since),
        curve,
        step: DAY,
        posts: PostTally::default(),
        posts_before: PostTally::default(),
    };
    ReportFacts {
        made_at: span(0).until,
        span: span(0),
        length: ReportLength::Day,
        topics: vec![topic],
        incidents: Vec::new(),
        knows_acknowledgements: true,
        corrections: CorrectionSummary::default(),
        sources: Vec::new(),
        budget: Vec::new(),
        oldest_post: None,
    }
}

fn post(id: &str, text: &str, label: Label) -> StoredPost {
    StoredPost {
        id: id.into(),
        source: "x".into(),
        created_at: at("2026-11-23T10:00:00Z"),
        stated_at: None,
        author: Some(format!("a{id}")),
        author_id: None,
        url: None,
        text: text.into(),
        lang: None,
        topics: vec!["Air Paradis".into()],
        label,
        probabilities: [0.0; 3],
        reason: None,
        model: "m".into(),
        counting: Counting::Counted,
        cascade: CascadeId::of_post(id),
        followers: None,
        metrics: None,
    }
}

fn tally(posts: &[StoredPost]) -> PostTally {
    let mut builder = TallyBuilder::new("Air Paradis");
    posts.iter().for_each(|post| builder.add(post));
    let mut find = |id| Ok::<_, ()>(posts.iter().find(|post| CascadeId::of_post(&post.id) == id).cloned());
    builder.finish(&mut find).unwrap()
}

#[test]
fn a_change_is_called_one_only_beyond_chance_and_the_usual_swing() {
    let verdict = |now, before: &[Counts]| PeriodReport::new(facts(now, before)).topics[0].change.verdict;
    let steady = [counts(500, 500), counts(505, 495), counts(495, 505)];
    assert_eq!(verdict(counts(650, 350), &steady), ChangeVerdict::Higher);
    assert_eq!(verdict(counts(350, 650), &steady), ChangeVerdict::Lower);
    assert_eq!(verdict(counts(510, 490), &steady), ChangeVerdict::WithinChance);
    let swinging = [counts(300, 700), counts(700, 300), counts(500, 500)];
    assert_eq!(verdict(counts(650, 350), &swinging), ChangeVerdict::WithinChance);
    assert_eq!(verdict(counts(9, 1), &steady), ChangeVerdict::TooFewPosts);
    assert_eq!(verdict(counts(500, 500), &[]), ChangeVerdict::NothingBefore);
    // The same posts by few people say less.
    let mut few_people = facts(counts(650, 350), &steady);
    few_people.topics[0].counts.discount = 990_000;
    few_people.topics[0].counts.negative_discount = 643_500;
    assert_eq!(PeriodReport::new(few_people).topics[0].change.verdict, ChangeVerdict::WithinChance);
}

#[test]
fn numbers_of_posts_are_compared_with_complete_periods_only() {
    let report =
        PeriodReport::new(facts(counts(60, 60), &[counts(50, 50), counts(50, 50), counts(50, 50), counts(1, 1)]));
    let topic = &report.topics[0];
    assert_eq!(topic.before.len(), 3, "nothing is known of before the first hour");
    assert!((topic.volume_change.unwrap() - 0.2).abs() < 1e-9);
    let unfinished = ReportFacts { made_at: span(0).since, ..facts(counts(60, 60), &[counts(50, 50)]) };
    assert_eq!(PeriodReport::new(unfinished).topics[0].volume_change, None);
}

#[test]
fn copies_count_for_the_first_post_and_late_posts_for_nothing() {
    let copy = |id: &str| StoredPost {
        counting: Counting::Copied,
        cascade: CascadeId::of_post("1"),
        ..post(id, "RT bag", Label::Negative)
    };
    let reason = |id: &str, reason: &str| StoredPost {
        reason: Some(reason.into()),
        followers: Some(id.parse().unwrap()),
        ..post(id, "bag", Label::Negative)
    };
    let late = StoredPost { counting: Counting::TooLate, ..reason("9", "Late Flight") };
    let posts = [
        reason("1", "Lost Luggage"),
        copy("2"),
        copy("3"),
        reason("4", "lost_luggage"),
        reason("5", "Late Flight"),
        late,
    ];
    let tally = tally(&posts);
    assert_eq!(tally.posts, 3);
    assert_eq!(tally.reasons, [("lost_luggage".to_owned(), 2), ("late_flight".to_owned(), 1)]);
    assert_eq!(tally.copied.iter().map(|post| (post.post.id.as_str(), post.copies)).collect::<Vec<_>>(), [("1", 2)]);
    let reached: Vec<(&str, u64)> = tally.reached.iter().map(|post| (post.post.id.as_str(), post.reach)).collect();
    assert_eq!(reached, [("5", 5), ("4", 4)], "a post is shown once");
}

#[test]
fn words_of_many_people_stand_out_and_those_of_one_do_not() {
    let negative = |number: usize, text: &str| post(&number.to_string(), text, Label::Negative);
    let mut posts: Vec<StoredPost> = (0..40).map(|number| negative(number, "the crew forgot me")).collect();
    posts.extend((40..60).map(|number| negative(number, "strike again")));
    posts.extend((60..90).map(|number| StoredPost { author: Some("one".into()), ..negative(number, "volcano") }));
    let before: Vec<StoredPost> = (0..60).map(|number| negative(number, "the crew forgot me")).collect();
    let mut facts = facts(counts(90, 10), &[counts(60, 40)]);
    (facts.topics[0].posts, facts.topics[0].posts_before) = (tally(&posts), tally(&before));
    let report = PeriodReport::new(facts);
    let words: Vec<&str> = report.topics[0].words.iter().map(|word| word.word.as_str()).collect();
    assert!(words.contains(&"strike") && !words.contains(&"volcano") && !words.contains(&"crew"), "{words:?}");
    assert!(report.topics[0].words_before);
}

#[test]
fn incidents_name_who_acknowledged_and_older_alerts_form_incidents_of_their_own() {
    let notification = sample("desk", SampleKind::Opened, at("2026-11-23T12:00:00Z"), None);
    let alert = notification.alerts[0].clone();
    let entry = |alert: &crate::alert::Alert| crate::notify::dispatch::AlertEntry {
        alert: alert.clone(),
        silenced_by: None,
        inhibited_by: None,
    };
    let by = crate::notify::Acknowledged {
        by: "Claire".into(),
        at: alert.fired_at.checked_add(SignedDuration::from_mins(12)).unwrap(),
        comment: String::new(),
    };
    let view = crate::notify::dispatch::IncidentView {
        incident: notification.incident.clone(),
        group: notification.group.clone(),
        acknowledged: Some(by),
        alerts: vec![entry(&alert)],
        deliveries: std::collections::BTreeMap::new(),
        history: Vec::new(),
    };
    let old = |from: &str, to: &str| crate::alert::Alert {
        starts_at: at(from),
        fired_at: at(from),
        ends_at: Some(at(to)),
        ..alert.clone()
    };
    let alerts = [
        alert.clone(),
        old("2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z"),
        old("2026-11-23T03:00:00Z", "2026-11-23T04:00:00Z"),
        old("2026-11-20T03:00:00Z", "2026-11-20T04:00:00Z"),
    ];
    let found = incidents::read(&[view], &alerts, span(0), SignedDuration::from_hours(2));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0].started_at, found[0].ended_at), (alerts[1].starts_at, alerts[2].ends_at));
    assert_eq!(found[0].acknowledged, Acknowledgement::Unknown);
    let after = SignedDuration::from_mins(12);
    assert_eq!(found[1].acknowledged, Acknowledgement::By { name: "Claire".into(), after });
    assert_eq!(found[1].id.as_deref(), Some(notification.incident.id.as_str()));
}

#[test]
fn a_report_is_readable_in_both_languages_and_nothing_from_outside_becomes_markup() {
    let evil = "</title><script>alert(1)</script> {{ 7*7 }} & \"quoted\"";
    let mut facts = facts(counts(30, 30), &[counts(20, 40), counts(20, 40), counts(20, 40)]);
    facts.topics[0].name = evil.into();
    let mut first = post("1", evil, Label::Negative);
    first.followers = Some(1_200);
    first.reason = Some(evil.into());
    facts.topics[0].posts = tally(&[first]);
    facts.corrections =
        CorrectionSummary { posts: 4, wrong: 1, confusion: [[1, 1, 0], [0, 2, 0], [0, 0, 0]], people: Vec::new() };
    facts.budget = vec![BudgetUsage {
        period: "month".into(),
        posts: 2_460,
        dollars: 12.3,
        max_posts: None,
        max_dollars: Some(150.0),
    }];
    facts.sources = vec![SourceFacts {
        name: "x-search".into(),
        kind: "twitter".into(),
        posts: 60,
        state: crate::source::SourceState::Blocked { why: evil.into() },
        error: Some(evil.into()),
        gaps: vec![SourceGap {
            alert: "SourceStalled".into(),
            since: span(0).since,
            until: at("2026-11-23T02:00:00Z"),
        }],
    }];
    let report = PeriodReport::new(facts);
    let zone = TimeZone::UTC;
    let due = DueReport { name: "daily".into(), every: ReportPeriod::Day, at: span(0).until, span: span(0) };
    for (language, expected) in [
        (
            Language::English,
            ["Daily report", "$12.30 of $150.00 (8%)", "2\u{a0}h: silent", "neutral instead of negative: 1"],
        ),
        (
            Language::French,
            [
                "Rapport quotidien",
                "12,30\u{a0}$ sur 150,00\u{a0}$ (8\u{202f}%)",
                "2\u{a0}h\u{a0}: silence",
                "neutre au lieu de négatif\u{a0}: 1",
            ],
        ),
    ] {
        let page = render::page(&report, language, &zone);
        let message = render::message(&report, &due, "mail", (language, &zone));
        for text in expected {
            assert!(
                page.contains(text) && message.html.contains(text) && message.text.contains(text),
                "{text}\n{}",
                message.text
            );
        }
        for html in [&page, &message.html] {
            assert!(!html.contains("<script") && html.contains("&lt;script&gt;") && !html.contains(">49<"), "{html}");
        }
        assert!(
            !message.subject.contains('\n')
                && message.pictures.len() == 1
                && message.html.contains("cid:chart-1@vigie")
        );
        assert!(message.card.to_string().len() < crate::notify::render::CARD_BYTES && message.posts.len() == 1);
        assert!(message.text.lines().all(|line| !line.contains("  - ")), "{}", message.text);
    }
}
