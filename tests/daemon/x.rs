//! The daemon against the fake X API: what goes wrong there, and what is seen of it from outside.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fake_x::{Endpoint, FakeX, Fault};
use crate::process::{configure, start};

fn source(fake: &FakeX, more: &str) -> String {
    format!(
        "[x]\nbase_url = {:?}\n{more}[[source]]\nname = \"x\"\ntype = \"twitter\"\nmode = \"search\"\ninterval_min = \"1s\"\n",
        fake.url()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_not_ready_and_an_alert() {
    let dir = tempfile::tempdir().unwrap();
    let fake = FakeX::start(Arc::new(Timestamp::now)).await;
    fake.fault_always(Endpoint::Search, Some(Fault::unauthorized()));
    configure(dir.path(), &source(&fake, ""));
    let mut vigie = start(dir.path());
    let why = vigie.wait("not ready", |vigie| vigie.get("/-/ready").filter(|(code, _)| *code == 503));
    assert!(why.1.contains("source x is blocked"), "{}", why.1);
    let alert = vigie.wait("an alert", |vigie| {
        let status = vigie.status()?;
        status["alerts"].as_array()?.iter().find(|alert| alert["rule"] == "SourceBlocked").cloned()
    });
    assert_eq!((&alert["topic"], &alert["state"]), (&"x".into(), &"firing".into()));
    vigie.wait("the alert in the metrics", |vigie| {
        vigie.series("vigie_alert_transitions_total{status=\"firing\"}").filter(|fired| *fired >= 1.0)
    });
    assert!(!vigie.log().contains("fake-token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_budget_stops_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let fake = FakeX::start(Arc::new(Timestamp::now)).await;
    fake.backlog(200, jiff::SignedDuration::from_secs(1), "Air Paradis is late");
    configure(dir.path(), &source(&fake, "[x.budget]\nposts_per_day = 120\n"));
    let mut vigie = start(dir.path());
    vigie.wait("a spent budget", |vigie| {
        let status = vigie.status()?;
        status["alerts"].as_array()?.iter().find(|alert| alert["rule"] == "BudgetSpent").cloned()
    });
    assert!(fake.billed() <= 120, "{} posts were paid for", fake.billed());
    assert_eq!(vigie.get("/-/ready").unwrap().0, 503);
}
