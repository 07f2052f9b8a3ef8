//! Tests of the budget ledger.

use proptest::prelude::*;

use super::*;

const PRICE: f64 = 0.005;

fn budget() -> Budget {
    Budget {
        posts_per_day: None,
        posts_per_month: None,
        dollars_per_day: None,
        dollars_per_month: None,
        price_per_post: PRICE,
        price_per_mention: 0.001,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn spend(ledger: &mut BudgetLedger, posts: u64, now: Timestamp) {
    let granted = ledger.reserve(BilledItem::Post, posts, 1, now).unwrap();
    ledger.settle("x", BilledItem::Post, granted, posts, now);
}

#[test]
fn a_request_shrinks_to_the_rest_and_is_refused_below_its_minimum() {
    let mut ledger = BudgetLedger::new(Budget { dollars_per_day: Some(1.0), ..budget() });
    let now = at("2026-11-23T21:00:00Z");
    assert_eq!(ledger.reserve(BilledItem::Post, 100, 10, now), Ok(100));
    assert_eq!(ledger.reserve(BilledItem::Post, 100, 10, now), Ok(100), "200 posts are a dollar");
    let exhausted = ledger.reserve(BilledItem::Post, 100, 10, now).unwrap_err();
    assert_eq!((exhausted.limit, exhausted.until), ("dollars_per_day", at("2026-11-24T00:00:00Z")));
    ledger.settle("x", BilledItem::Post, 100, 85, now);
    assert_eq!(ledger.reserve(BilledItem::Post, 100, 10, now), Ok(15), "posts that were not read are released");
    ledger.settle("x", BilledItem::Post, 100, 100, now);
    ledger.settle("x", BilledItem::Post, 15, 6, now);
    assert!(ledger.reserve(BilledItem::Post, 100, 10, now).is_err(), "nine are left");
    assert_eq!(ledger.reserve(BilledItem::Mention, 100, 10, now), Ok(45), "mentions are cheaper");
}

#[test]
fn problems_start_at_80_percent_and_at_the_limit() {
    let mut ledger =
        BudgetLedger::new(Budget { posts_per_day: Some(1000), dollars_per_month: Some(100.0), ..budget() });
    let now = at("2026-11-23T21:00:00Z");
    spend(&mut ledger, 799, now);
    assert_eq!(ledger.problem(BilledItem::Post, 10, now), None);
    spend(&mut ledger, 1, now);
    let (name, why) = ledger.problem(BilledItem::Post, 10, now).unwrap();
    assert_eq!(name, "BudgetNearlySpent");
    assert!(why.contains("800 of x.budget.posts_per_day = 1000") && why.contains("2026-11-24T00:00:00Z"), "{why}");
    spend(&mut ledger, 195, now);
    let (name, why) = ledger.problem(BilledItem::Post, 10, now).unwrap();
    assert_eq!(name, "BudgetSpent");
    assert!(why.contains("x.budget.posts_per_day") && !why.contains('\n'), "{why}");
    let tomorrow = at("2026-11-24T00:00:00Z");
    assert_eq!(ledger.problem(BilledItem::Post, 10, tomorrow), None, "a new day");
    assert_eq!(ledger.usage(tomorrow)[1].posts, 995, "the month continues");
    assert_eq!(ledger.usage(at("2026-12-01T00:00:00Z"))[1].posts, 0);
}

#[test]
fn without_limit_or_price_the_budget_is_never_exhausted() {
    let mut ledger = BudgetLedger::new(Budget { dollars_per_day: Some(1.0), price_per_post: 0.0, ..budget() });
    let now = at("2026-11-23T21:00:00Z");
    for _ in 0..10 {
        spend(&mut ledger, 1_000_000, now);
    }
    assert_eq!(ledger.problem(BilledItem::Post, 10, now), None);
}

#[test]
fn a_restart_neither_loses_nor_repeats_spending() {
    let now = at("2026-11-23T21:00:00Z");
    let mut before = BudgetLedger::new(Budget { posts_per_day: Some(100), ..budget() });
    spend(&mut before, 60, now);
    let share = before.spend_of("x", now);
    let json = serde_json::to_string(&share).unwrap();
    let mut after = BudgetLedger::new(Budget { posts_per_day: Some(100), ..budget() });
    after.restore_spend("x", serde_json::from_str(&json).unwrap());
    assert_eq!(after.usage(now)[0].posts, 60);
    // The source restarts within the process, from an older cursor.
    spend(&mut after, 10, now);
    after.restore_spend("x", share);
    assert_eq!(after.usage(now)[0].posts, 70);
    // Two sources share the budget.
    after.restore_spend("y", share);
    assert!(after.reserve(BilledItem::Post, 10, 10, now).is_err());
    assert_eq!(after.usage(at("2026-11-25T00:00:00Z"))[0].posts, 0, "a share of another day costs nothing today");
}

#[test]
fn a_clock_that_is_set_neither_refunds_nor_charges() {
    let mut ledger = BudgetLedger::new(Budget { posts_per_month: Some(100), ..budget() });
    spend(&mut ledger, 60, at("2026-11-02T00:00:00Z"));
    assert_eq!(ledger.usage(at("2026-10-30T00:00:00Z"))[1].posts, 60);
    assert_eq!(ledger.usage(at("2026-11-02T00:00:00Z"))[1].posts, 0, "the month ends when the clock passes its end");
    spend(&mut ledger, 90, at("2099-01-01T00:00:00Z"));
    assert!(ledger.reserve(BilledItem::Post, 11, 11, at("2026-11-03T00:00:00Z")).is_err());
    assert!(ledger.reserve(BilledItem::Post, 11, 11, at("2026-12-03T00:00:00Z")).is_ok(), "not locked until 2099");
}

proptest! {
    /// For any order of requests and any times, no more is granted than the limits cover.
    #[test]
    fn granted_and_spent_stay_within_every_limit(
        limits in (proptest::option::of(0_u64..500), proptest::option::of(0_u64..2000), proptest::option::of(0.0..3.0)),
        steps in proptest::collection::vec((0_u64..200, 1_u64..20, 0_u64..100, 0_i64..40_000, any::<bool>()), 1..60),
    ) {
        let config = Budget {
            posts_per_day: limits.0, posts_per_month: limits.1, dollars_per_day: limits.2, ..budget()
        };
        let mut ledger = BudgetLedger::new(config.clone());
        let mut now = at("2026-11-23T21:00:00Z");
        for (max, min, percent, forward, mention) in steps {
            now = now.checked_add(jiff::SignedDuration::from_secs(forward)).unwrap();
            let item = if mention { BilledItem::Mention } else { BilledItem::Post };
            if let Ok(granted) = ledger.reserve(item, max, min, now) {
                prop_assert!(granted >= min && granted <= max.max(min));
                ledger.settle("x", item, granted, granted * percent / 100, now);
            }
            let spent = ledger.usage(now);
            prop_assert!(config.posts_per_day.is_none_or(|max| spent[0].posts <= max));
            prop_assert!(config.posts_per_month.is_none_or(|max| spent[1].posts <= max));
            prop_assert!(config.dollars_per_day.is_none_or(|max| spent[0].dollars <= max + 1e-6));
            prop_assert_eq!(ledger.reserved, Amount::default(), "nothing stays reserved");
        }
    }
}
