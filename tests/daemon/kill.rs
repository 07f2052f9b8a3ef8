//! Promise 1 for the daemon: after `kill -9` at any moment nothing is lost and nothing counted twice.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::fake_x::FakeX;
use crate::process::{assert_accounted, configure, start, stored_posts};

const POSTS: u32 = 4_000;
const KILLS: u64 = 12;

/// A reproducible number in `0..below` (SplitMix64).
fn random(seed: u64, below: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % below
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_continues_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let fake = FakeX::start(Arc::new(Timestamp::now)).await;
    let ids = fake.backlog(POSTS, SignedDuration::from_millis(500), "Air Paradis lost my bag");
    let source = format!(
        "[x]\nbase_url = {:?}\n[x.budget]\ndollars_per_day = 1000.0\ndollars_per_month = 10000.0\n\
         [[source]]\nname = \"x\"\ntype = \"twitter\"\nmode = \"search\"\ninterval_min = \"1s\"\n",
        fake.url()
    );
    configure(dir.path(), &source);
    for kill in 0..KILLS {
        let vigie = start(dir.path());
        tokio::time::sleep(Duration::from_millis(random(kill, 600))).await;
        vigie.kill();
    }
    let mut vigie = start(dir.path());
    let status = vigie.wait("all posts", |vigie| {
        vigie.status().filter(|status| status["totals"]["classified"].as_u64() >= Some(ids.len() as u64))
    });
    assert_accounted(&status);
    assert_eq!(status["totals"]["classified"].as_u64(), Some(u64::from(POSTS)), "each once: {}", status["totals"]);
    // Each of them is in the posts table once, whatever its number of deaths.
    let log = vigie.stop();
    assert!(log.0.success());
    let kept = stored_posts(dir.path());
    let distinct: std::collections::BTreeSet<&str> = kept.iter().map(|post| post["id"].as_str().unwrap()).collect();
    assert_eq!((kept.len(), distinct.len()), (POSTS as usize, POSTS as usize));
}
