//! The fake X API answers as the official specification says, and refuses as the design page says.

mod fake_x;

use fake_x::{FakeX, tokio_clock};

#[tokio::test]
async fn starts() {
    let fake = FakeX::start(tokio_clock("2026-11-20T12:00:00Z".parse().unwrap())).await;
    assert!(fake.url().starts_with("http://127.0.0.1:"));
}
