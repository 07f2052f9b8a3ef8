//! Any JSON as a page of posts from X: an error or a page, each of whose posts is whole or unusable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::post::RejectedRecord;
use vigie::source::twitter::ResponsePage;

fuzz_target!(|bytes: &[u8]| {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    match ResponsePage::read(&answer) {
        Ok(page) => {
            let given = answer.get("data").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
            assert_eq!(page.len(), given, "each post is a post or unusable");
            assert!(page.posts.iter().all(|post| !post.text.trim().is_empty() && post.id.parse::<u64>().is_ok()));
            assert!(page.rejected.iter().all(|unusable| unusable.raw.len() <= RejectedRecord::MAX_RAW_BYTES));
        }
        Err(error) => assert!(!error.to_string().contains('\n'), "an error of several lines: {error}"),
    }
});
