//! The budget: an alert at 80%, a stop at 100%, and spending that survives a restart.

use vigie::source::SourceState;

use crate::harness::{Bench, sorted};
use crate::{SECOND, fake_x::Endpoint};

#[tokio::test]
async fn reading_stops_at_the_limit_and_resumes_the_next_day_without_loss() {
    let mut bench = Bench::new("page = 20\noverlap = \"0s\"").await;
    bench.account.budget.posts_per_day = Some(55);
    let expected = bench.fake.backlog(100, SECOND, "paradis");
    let mut source = bench.start(None);
    source.take(55).await;
    let report = source.until_held().await;
    assert_eq!(bench.fake.billed(), 55, "the last page is smaller");
    let asked: Vec<Option<String>> = bench
        .fake
        .requests_to(Endpoint::Search)
        .iter()
        .map(|request| request.param("max_results").map(str::to_owned))
        .collect();
    assert_eq!(asked, ["20", "20", "15"].map(|page| Some(page.to_owned())));
    let SourceState::Blocked { why } = &report.state else { panic!("{report:?}") };
    assert!(why.contains("x.budget.posts_per_day = 55") && why.contains("2026-11-24T00:00:00Z"), "{why}");
    source.until(|report| report.problems.contains_key("BudgetSpent")).await;
    assert!(bench.series("vigie_source_budget_used_ratio{period=\"day\",source=\"x\"}").ends_with(" 1"));

    let (first, cursor) = source.stop().await;
    let mut source = bench.start(cursor);
    source.until_held().await;
    assert_eq!(bench.fake.billed(), 55, "the spending survives a restart");
    bench.clock.skip(12 * 3600 + 5);
    source.take(45).await;
    assert_eq!(sorted([first, source.ids.clone()].concat()), expected);
    assert!(!source.until(|report| report.state == SourceState::Working).await.problems.contains_key("BudgetSpent"));
}

#[tokio::test]
async fn an_alert_starts_at_80_percent_while_reading_continues() {
    let mut bench = Bench::new("page = 10").await;
    bench.account.budget.dollars_per_month = Some(0.5);
    bench.fake.backlog(79, SECOND, "paradis");
    let mut source = bench.start(None);
    source.take(79).await;
    assert!(source.report().problems.is_empty());
    bench.next_poll().await;
    bench.fake.say("paradis, the eightieth");
    source.take(80).await;
    let report = source.until(|report| !report.problems.is_empty()).await;
    let why = &report.problems["BudgetNearlySpent"];
    assert!(why.contains("0.40 of x.budget.dollars_per_month = 0.50"), "{why}");
    assert_eq!(report.state, SourceState::Working);
    assert!((report.spent[1].dollars - 0.4).abs() < 1e-9 && report.spent[1].max_dollars == Some(0.5), "{report:?}");
}
