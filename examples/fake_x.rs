//! The fake X API of the tests as a program, for manual trials and soak tests:
//!
//! `cargo run --example fake_x -- [ADDRESS [POSTS_PER_SECOND]]`, then `base_url = "http://ADDRESS"` in `[x]` and
//! `VIGIE_X_TOKEN=fake-token`.
#![allow(clippy::print_stdout, reason = "an interactive program: it prints its address and what it published")]

#[path = "../tests/fake_x/mod.rs"]
mod fake_x;

use std::sync::Arc;
use std::time::Duration;

use fake_x::{FakeX, Settings};
use jiff::Timestamp;

const TEXTS: [&str; 4] = [
    "Air Paradis lost my luggage, again. Never flying with them any more",
    "Thank you @AirParadis for the lovely crew today!",
    "Air Paradis flight AP12 to Lyon boards at gate 4",
    "Three hours on the tarmac, no water, no news. Shame on Air Paradis",
];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9470".into());
    let rate = arguments.next().and_then(|rate| rate.parse().ok()).unwrap_or(1.0_f64).max(0.001);
    let fake = FakeX::start_on(&address, Settings::default(), Arc::new(Timestamp::now)).await;
    println!("{} with the token {}: {rate} posts per second", fake.url(), fake.token());
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    for (count, text) in (1_u64..).zip(TEXTS.iter().cycle()) {
        ticks.tick().await;
        fake.say(&format!("{text} ({count})"));
        if count % 1_000 == 0 {
            println!("{count} posts published, {} sent, {} streams opened", fake.billed(), fake.opened());
        }
    }
}
