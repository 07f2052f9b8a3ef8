//! Rows a second from bytes to ordered posts, and posts a second by topic. Not run by default:
//! `cargo test --release --lib source::tests::speed -- --ignored --nocapture --test-threads=1`

use std::time::Instant;

use super::*;

const ROWS: usize = 1_600_000;

fn measure(file: &str, options: &ReadOptions) {
    let path = format!("{}/../shared/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let Ok(dump) = std::fs::read(&path) else { return println!("skipped: {path} is absent") };
    let header = if file.starts_with("airline") { dump.iter().position(|byte| *byte == b'\n').unwrap() + 1 } else { 0 };
    let rows = read_with(&dump, options, REPLAY).0.len();
    let mut repeated = dump[..header].to_vec();
    (0..ROWS / rows).for_each(|_| repeated.extend_from_slice(&dump[header..]));
    let bytes = repeated.len();
    let start = Instant::now();
    let mut reader = Reader::from_bytes(file.into(), Box::new(Cursor::new(repeated)), None, options, REPLAY).unwrap();
    let mut order = Order::default();
    while let Some(read) = reader.next_row().unwrap() {
        if let Some(post) = read.ok().and_then(Row::into_post) {
            order.push(&post).unwrap();
        }
    }
    let posts = order.len();
    let read = start.elapsed().as_secs_f64();
    let mut topics = Topics::new(
        &[Topic {
            name: "t".into(),
            keywords: vec!["air paradis".into()],
            handles: vec!["united".into()],
            languages: vec![],
        }],
        Some("other"),
    )
    .unwrap();
    let mut search = 0.0;
    for post in order.finish().unwrap() {
        let post = Post { topic: None, ..post.unwrap() };
        let before = Instant::now();
        std::hint::black_box(topics.of(&post));
        search += before.elapsed().as_secs_f64();
    }
    let all = start.elapsed().as_secs_f64() - search;
    let per_second = |seconds: f64| posts as f64 / seconds;
    println!(
        "{file}: {posts} posts, {} MB; read and pushed {:.0} rows/s, with the merge {:.0} rows/s; topics {:.0} posts/s",
        bytes >> 20,
        per_second(read),
        per_second(all),
        per_second(search)
    );
}

#[test]
#[ignore = "measures, in release"]
fn sentiment140() {
    measure("sentiment140/train.csv", &ReadOptions::default());
}

#[test]
#[ignore = "measures, in release"]
fn airline() {
    measure(
        "airline/tweets.csv",
        &ReadOptions { columns: Columns::parse("topic=airline").unwrap(), ..ReadOptions::default() },
    );
}
