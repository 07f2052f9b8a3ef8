//! Tests of reading a post.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn full() -> Value {
    json!({
        "id": "1346889436626259968", "text": "cut …", "created_at": "2026-11-02T08:30:00.123Z", "lang": "fr",
        "author_id": "2244994945", "conversation_id": "1346889436626259960",
        "referenced_tweets": [{"type": "retweeted", "id": "5"}, {"type": "quoted", "id": "6"}, {"type": "replied_to", "id": "7"}],
        "public_metrics": {"retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 4, "impression_count": 5},
        "note_tweet": {"text": "no longer cut"},
        "edit_history_tweet_ids": ["1346889436626259900", "1346889436626259968"]
    })
}

fn includes() -> Authors {
    authors(&json!({"includes": {"users": [
        {"id": "2244994945", "name": "N", "username": "airparadis",
         "public_metrics": {"followers_count": 9, "following_count": 1, "tweet_count": 1, "listed_count": 1}},
        {"id": 12, "username": 7}, {"username": "nobody"}, null
    ]}}))
}

#[test]
fn every_field_of_a_post_is_read() {
    let post = read_post(&full(), &includes()).unwrap();
    assert_eq!(post.id, "1346889436626259968");
    assert_eq!(post.text, "no longer cut");
    assert_eq!(post.created_at.to_string(), "2026-11-02T08:30:00.123Z");
    assert_eq!((post.author.as_deref(), post.lang.as_deref()), (Some("airparadis"), Some("fr")));
    let details = &post.details;
    assert_eq!(details.url.as_deref(), Some("https://x.com/i/web/status/1346889436626259968"));
    assert_eq!((details.author_id.as_deref(), details.followers), (Some("2244994945"), Some(9)));
    assert_eq!(details.conversation_id.as_deref(), Some("1346889436626259960"));
    let kinds: Vec<ReferenceKind> = details.references.iter().map(|reference| reference.kind).collect();
    assert_eq!(kinds, [ReferenceKind::Reposted, ReferenceKind::Quoted, ReferenceKind::RepliedTo]);
    assert_eq!(details.metrics, Some(PublicMetrics { reposts: 1, replies: 2, likes: 3, quotes: 4, views: Some(5) }));
    let events: Vec<ComplianceEvent> = edit_events(&post).collect();
    assert_eq!(events, [ComplianceEvent::PostEdited { id: "1346889436626259900".into(), by: post.id.clone() }]);
}

#[test]
fn the_names_of_the_specification_are_read_as_well() {
    let Value::Object(mut post) = full() else { unreachable!() };
    for (old, new) in [
        ("note_tweet", "note_post"),
        ("referenced_tweets", "referenced_posts"),
        ("edit_history_tweet_ids", "edit_history_post_ids"),
    ] {
        let value = post.remove(old).unwrap();
        post.insert(new.into(), value);
    }
    post["public_metrics"] = json!({"repost_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 4,
        "bookmark_count": 0, "impression_count": 5});
    assert_eq!(read_post(&Value::Object(post), &includes()), read_post(&full(), &includes()));
}

/// The model of the crate fails on each of these; the post is still read.
#[test]
fn a_new_value_or_another_type_loses_that_field_only() {
    let changes = [
        json!({"referenced_tweets": [{"type": "remixed", "id": "5"}]}),
        json!({"reply_settings": "subscribers"}),
        json!({"public_metrics": {"like_count": "many"}}),
        json!({"author_id": "abc", "entities": 7, "geo": []}),
        json!({"conversation_id": -1, "withheld": true, "attachments": "none"}),
    ];
    for change in changes {
        let mut value = full();
        value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert!(<Tweet as serde::Deserialize>::deserialize(&value).is_err(), "the model accepts {change}");
        let post = read_post(&value, &includes()).unwrap();
        assert_eq!((post.text.as_str(), post.lang.as_deref()), ("no longer cut", Some("fr")), "{change}");
    }
}

#[test]
fn only_a_post_without_id_text_or_time_is_rejected() {
    let cases = [
        (json!({"id": null}), "missing_field"),
        (json!({"id": "abc"}), "missing_field"),
        (json!({"id": "99999999999999999999"}), "missing_field"),
        (json!({"created_at": null}), "missing_field"),
        (json!({"created_at": "yesterday"}), "time"),
        (json!({"text": " ", "note_tweet": null}), "empty_text"),
    ];
    for (change, reason) in cases {
        let mut value = full();
        value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let rejected = read_post(&value, &includes()).unwrap_err();
        assert_eq!(rejected.reason, reason, "{change}");
        assert!(!rejected.detail.contains("cut"), "no text in {}", rejected.detail);
    }
    assert_eq!(read_post(&json!([]), &includes()).unwrap_err().reason, "json");
    let huge = json!({"text": "é".repeat(10_000)});
    assert!(read_post(&huge, &includes()).unwrap_err().raw.len() <= RejectedRecord::MAX_RAW_BYTES);
}

#[test]
fn without_its_author_a_post_has_the_number() {
    let post = read_post(&full(), &Authors::new()).unwrap();
    assert_eq!((post.author.as_deref(), post.details.followers), (Some("2244994945"), None));
}

/// Any JSON, with the keys of a post so that the fields are covered.
pub(in super::super) fn any_json() -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(vec![
        "id",
        "text",
        "created_at",
        "author_id",
        "lang",
        "note_tweet",
        "data",
        "meta",
        "includes",
        "users",
        "errors",
        "next_token",
        "newest_id",
        "oldest_id",
        "referenced_tweets",
        "type",
        "public_metrics",
        "like_count",
        "username",
        "edit_history_tweet_ids",
        "title",
        "detail",
        "parameters",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)),
        "[0-9]{0,22}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from("2026-11-02T08:30:00.000Z")),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_a_post_or_rejected(value in any_json()) {
        match read_post(&value, &authors(&value)) {
            Ok(post) => prop_assert!(!post.text.trim().is_empty() && parse_id(&post.id).is_some()),
            Err(rejected) => prop_assert!(rejected.raw.len() <= RejectedRecord::MAX_RAW_BYTES),
        }
    }

    /// Where the model of the crate reads a post, reading field by field gives the same.
    #[test]
    fn both_ways_of_reading_agree(id in 0_u64..10_u64.pow(19), second in 631_152_000_i64..4_000_000_000, lang in "[a-z]{2}", text in ".{1,40}") {
        let at = Timestamp::from_second(second).unwrap();
        let value = json!({"id": id.to_string(), "text": text, "created_at": at.to_string(), "lang": lang,
            "author_id": "12", "referenced_tweets": [{"type": "quoted", "id": "6"}]});
        let tweet = <Tweet as serde::Deserialize>::deserialize(&value).unwrap();
        let object = value.as_object().unwrap();
        prop_assert_eq!(PostFields::from_model(tweet, object), PostFields::from_json(object));
    }
}
