//! Tests of topic matching.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn post(text: &str) -> Post {
    Post {
        id: "1".into(),
        created_at: Timestamp::UNIX_EPOCH,
        author: None,
        text: text.into(),
        lang: None,
        topic: None,
        label: None,
        ..Post::default()
    }
}

fn topic(name: &str, keywords: &[&str], handles: &[&str], languages: &[&str]) -> Topic {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Topic {
        name: name.into(),
        keywords: owned(keywords),
        handles: owned(handles),
        languages: owned(languages),
        ..Topic::default()
    }
}

fn paradis() -> Topic {
    topic("Air Paradis", &["air paradis", "airparadis", "c++"], &["@AirParadis"], &[])
}

fn matches(topic: Topic, text: &str) -> bool {
    !Topics::new(&[topic], None).unwrap().match_post(&post(text)).is_empty()
}

#[test]
fn whole_words_and_handles_match() {
    for text in [
        "Air Paradis",
        "never again, AIR\u{a0}\n  PARADIS!",
        "l'Aïr Paradís est en retard",
        "#airparadis",
        "hey @airparadis, where is my bag",
        "(@AIRPARADIS)",
        "c++, really",
        "air air paradis",
    ] {
        assert!(matches(paradis(), text), "{text}");
    }
    for text in ["fair paradis", "air paradise", "air_paradis", "airparadis2", "paradis air", "", "c +"] {
        assert!(!matches(paradis(), text), "{text}");
    }
}

#[test]
fn a_handle_does_not_match_as_a_keyword() {
    let by_handle = || topic("t", &[], &["airparadis"], &[]);
    assert!(matches(by_handle(), "@airparadis"));
    for text in ["airparadis", "#airparadis", "@airparadis_fr", "me@airparadis.com", "@ airparadis"] {
        assert!(!matches(by_handle(), text), "{text}");
    }
}

#[test]
fn another_language_does_not_match() {
    let mut topics = Topics::new(&[topic("t", &["vol"], &[], &["fr", "en-GB"])], None).unwrap();
    let mut found =
        |lang: Option<&str>| topics.match_post(&Post { lang: lang.map(str::to_owned), ..post("vol") }).len();
    for lang in [None, Some("fr"), Some("FR-ca"), Some("en"), Some("und"), Some("qme"), Some("zxx")] {
        assert_eq!(found(lang), 1, "{lang:?}");
    }
    assert_eq!((found(Some("de")), found(Some("ro"))), (0, 0));
}

#[test]
fn the_topic_column_wins_then_config_then_unmatched() {
    let configured = [paradis(), topic("Rival", &["rival"], &[], &[])];
    let mut topics = Topics::new(&configured, Some("other")).unwrap();
    let mut names = |post: &Post| {
        let found = topics.match_post(post).to_vec();
        found.into_iter().map(|topic| topics.name(topic).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&post("rival beats Air Paradis, rival!")), ["Air Paradis", "Rival"]);
    assert_eq!(names(&post("nothing")), ["other"]);
    let from_column = |name: &str| Post { topic: Some(name.into()), ..post("air paradis") };
    assert_eq!(names(&from_column("United")), ["United"]);
    assert_eq!(names(&from_column("Rival")), ["Rival"]);
    assert_eq!(topics.names(), ["Air Paradis", "Rival", "other", "United"]);
    let united = topics.intern("United");
    assert_eq!((united.index(), topics.name(united)), (3, "United"));
}

#[test]
fn problems_are_named() {
    let problem = |topic: Topic| topic.check().unwrap_err();
    assert_eq!(problem(topic(" ", &["a"], &[], &[])), TopicError::Unnamed);
    assert_eq!(problem(topic("t", &[], &[], &[])), TopicError::MatchesNothing("t".into()));
    assert_eq!(problem(topic("t", &["a", "!"], &[], &[])), TopicError::Keyword("t".into(), "!".into()));
    assert_eq!(problem(topic("t", &[], &["air paradis"], &[])), TopicError::Handle("t".into(), "air paradis".into()));
    assert_eq!(problem(topic("t", &["a"], &[], &["french"])), TopicError::Language("t".into(), "french".into()));
    assert_eq!(Topics::new(&[paradis(), paradis()], None).unwrap_err(), TopicError::Duplicate("Air Paradis".into()));
    assert!(toml::from_str::<Topic>("name = 't'\nkeyword = ['a']").is_err(), "unknown key");
    assert_eq!(toml::from_str::<Topic>("name = 't'\nkeywords = ['a']").unwrap(), topic("t", &["a"], &[], &[]));
}

proptest! {
    #[test]
    fn a_keyword_between_blanks_is_found(before in "[a-z ]{0,20}", keyword in "[A-Za-zÀ-ÿ]{1,8}", after in "[a-z ]{0,20}") {
        prop_assume!(keyword.chars().any(char::is_alphanumeric));
        let text = format!("{before} {keyword} {after}");
        prop_assert!(matches(topic("t", &[&keyword], &[], &[]), &text));
    }

    #[test]
    fn any_text_is_searched(text in "\\PC{0,60}") {
        let mut topics = Topics::new(&[paradis()], Some("other")).unwrap();
        prop_assert_eq!(topics.match_post(&post(&text)).len(), 1);
    }
}
