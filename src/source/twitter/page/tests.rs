//! Tests of [`ResponsePage`].

use proptest::prelude::*;
use serde_json::json;

use super::super::model::tests::any_json;
use super::*;

fn post(id: &str) -> Value {
    json!({"id": id, "text": "t", "created_at": "2026-11-02T08:30:00.000Z"})
}

#[test]
fn ids_are_compared_as_numbers() {
    let page = ResponsePage::read(&json!({"data": [post("999"), post("1000")], "meta": {}})).unwrap();
    assert_eq!((page.newest, page.oldest), (Some(1000), Some(999)));
    let meta = json!({"newest_id": "1000", "oldest_id": "999"});
    let page = ResponsePage::read(&json!({"data": [{"id": "1000"}, {"id": "999"}], "meta": meta})).unwrap();
    assert_eq!((page.newest, page.oldest), (Some(1000), Some(999)), "no post is readable");
    let page = ResponsePage::read(&json!({"data": [], "meta": meta})).unwrap();
    assert_eq!((page.newest, page.oldest), (None, None), "the page is empty");
}

#[test]
fn an_unreadable_post_is_rejected_alone() {
    let page = json!({"data": [post("3"), {"id": "2"}, 7, post("1")], "meta": {"next_token": "n"}});
    let page = ResponsePage::read(&page).unwrap();
    assert_eq!((page.posts.len(), page.rejected.len(), page.len(), page.billed()), (2, 2, 4, 4));
    assert_eq!(page.next_token.as_deref(), Some("n"));
}

#[test]
fn data_with_errors_is_read_and_errors_alone_are_an_error() {
    let errors = json!([{"title": "Not Found Error", "detail": "Could not find user", "type": "about:blank"}]);
    let page = ResponsePage::read(&json!({"data": [post("1")], "errors": errors, "meta": {}})).unwrap();
    assert_eq!((page.posts.len(), page.errors), (1, 1));
    let error = ResponsePage::read(&json!({"errors": errors})).unwrap_err();
    assert!(error.to_string().contains("Could not find user"), "{error}");
    assert_eq!(ResponsePage::read(&json!({"meta": {"result_count": 0}})).unwrap().len(), 0);
    for broken in [json!([]), json!({}), json!({"data": 5}), json!(null)] {
        assert!(matches!(ResponsePage::read(&broken), Err(ApiError::Malformed(_))), "{broken}");
    }
}

proptest! {
    #[test]
    fn any_json_is_a_page_or_an_error(value in any_json(), data in any_json(), meta in any_json()) {
        let _ = ResponsePage::read(&value);
        if let Ok(page) = ResponsePage::read(&json!({"data": data, "meta": meta, "includes": value})) {
            prop_assert!(page.newest >= page.oldest || page.oldest.is_none());
            prop_assert_eq!(page.len(), data.as_array().map_or(0, Vec::len));
        }
    }
}
