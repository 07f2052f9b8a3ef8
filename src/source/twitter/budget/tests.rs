//! Tests of the ledger.

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

fn spend(ledger: &mut Ledger, posts: u64, now: Timestamp) {
    let granted = ledger.reserve(Item::Post, posts, 1, now).unwrap();
    ledger.settle("x", Item::Post, granted, posts, now);
}

#[test]
fn a_request_shrinks_to_what_is_left_and_is_not_started_below_its_least() {
    let mut ledger = Ledger::new(Budget { dollars_per_day: Some(1.0), ..budget() });
    let now = at("2026-11-23T21:00:00Z");
    assert_eq!(ledger.reserve(Item::Post, 100, 10, now), Ok(100));
    assert_eq!(ledger.reserve(Item::Post, 100, 10, now), Ok(100), "200 posts are a dollar");
    let exhausted = ledger.reserve(Item::Post, 100, 10, now).unwrap_err();
    assert_eq!((exhausted.limit, exhausted.until), ("dollars_per_day", at("2026-11-24T00:00:00Z")));
    ledger.settle("x", Item::Post, 100, 85, now);
    assert_eq!(ledger.reserve(Item::Post, 100, 10, now), Ok(15), "what was not read can be spent");
    ledger.settle("x", Item::Post, 100, 100, now);
    ledger.settle("x", Item::Post, 15, 6, now);
    assert!(ledger.reserve(Item::Post, 100, 10, now).is_err(), "nine are left");
    assert_eq!(ledger.reserve(Item::Mention, 100, 10, now), Ok(45), "mentions are cheaper");
}

#[test]
fn people_are_told_at_80_percent_and_at_the_end() {
    let mut ledger = Ledger::new(Budget { posts_per_day: Some(1000), dollars_per_month: Some(100.0), ..budget() });
    let now = at("2026-11-23T21:00:00Z");
    spend(&mut ledger, 799, now);
    assert_eq!(ledger.problem(Item::Post, 10, now), None);
    spend(&mut ledger, 1, now);
    let (name, why) = ledger.problem(Item::Post, 10, now).unwrap();
    assert_eq!(name, "BudgetNearlySpent");
    assert!(why.contains("800 of x.budget.posts_per_day = 1000") && why.contains("2026-11-24T00:00:00Z"), "{why}");
    spend(&mut ledger, 195, now);
    let (name, why) = ledger.problem(Item::Post, 10, now).unwrap();
    assert_eq!(name, "BudgetSpent");
    assert!(why.contains("x.budget.posts_per_day") && !why.contains('\n'), "{why}");
    let tomorrow = at("2026-11-24T00:00:00Z");
    assert_eq!(ledger.problem(Item::Post, 10, tomorrow), None, "a new day");
    assert_eq!(ledger.spent(tomorrow)[1].posts, 995, "the month goes on");
    assert_eq!(ledger.spent(at("2026-12-01T00:00:00Z"))[1].posts, 0);
}

#[test]
fn no_limit_and_no_price_never_end() {
    let mut ledger = Ledger::new(Budget { dollars_per_day: Some(1.0), price_per_post: 0.0, ..budget() });
    let now = at("2026-11-23T21:00:00Z");
    for _ in 0..10 {
        spend(&mut ledger, 1_000_000, now);
    }
    assert_eq!(ledger.problem(Item::Post, 10, now), None);
}

#[test]
fn a_restart_forgets_nothing_and_counts_nothing_twice() {
    let now = at("2026-11-23T21:00:00Z");
    let mut before = Ledger::new(Budget { posts_per_day: Some(100), ..budget() });
    spend(&mut before, 60, now);
    let share = before.share("x", now);
    let json = serde_json::to_string(&share).unwrap();
    let mut after = Ledger::new(Budget { posts_per_day: Some(100), ..budget() });
    after.restore("x", serde_json::from_str(&json).unwrap());
    assert_eq!(after.spent(now)[0].posts, 60);
    // The source is made anew within the process, from a cursor that is behind.
    spend(&mut after, 10, now);
    after.restore("x", share);
    assert_eq!(after.spent(now)[0].posts, 70);
    // Two sources share the budget.
    after.restore("y", share);
    assert!(after.reserve(Item::Post, 10, 10, now).is_err());
    assert_eq!(after.spent(at("2026-11-25T00:00:00Z"))[0].posts, 0, "a share of another day costs nothing today");
}

#[test]
fn a_clock_set_back_gives_no_money_back_and_none_set_forward_takes_any() {
    let mut ledger = Ledger::new(Budget { posts_per_month: Some(100), ..budget() });
    spend(&mut ledger, 60, at("2026-11-02T00:00:00Z"));
    assert_eq!(ledger.spent(at("2026-10-30T00:00:00Z"))[1].posts, 60);
    assert_eq!(ledger.spent(at("2026-11-02T00:00:00Z"))[1].posts, 0, "the month turns once the clock passes it");
    spend(&mut ledger, 90, at("2099-01-01T00:00:00Z"));
    assert!(ledger.reserve(Item::Post, 11, 11, at("2026-11-03T00:00:00Z")).is_err());
    assert!(ledger.reserve(Item::Post, 11, 11, at("2026-12-03T00:00:00Z")).is_ok(), "not locked until 2099");
}

proptest! {
    /// Whatever is asked for and read, in whatever order and over whichever times: no more is granted than is paid for.
    #[test]
    fn granted_and_spent_stay_within_every_limit(
        limits in (proptest::option::of(0_u64..500), proptest::option::of(0_u64..2000), proptest::option::of(0.0..3.0)),
        steps in proptest::collection::vec((0_u64..200, 1_u64..20, 0_u64..100, 0_i64..40_000, any::<bool>()), 1..60),
    ) {
        let config = Budget {
            posts_per_day: limits.0, posts_per_month: limits.1, dollars_per_day: limits.2, ..budget()
        };
        let mut ledger = Ledger::new(config.clone());
        let mut now = at("2026-11-23T21:00:00Z");
        for (wanted, least, share, forward, mention) in steps {
            now = now.checked_add(jiff::SignedDuration::from_secs(forward)).unwrap();
            let item = if mention { Item::Mention } else { Item::Post };
            if let Ok(granted) = ledger.reserve(item, wanted, least, now) {
                prop_assert!(granted >= least && granted <= wanted.max(least));
                ledger.settle("x", item, granted, granted * share / 100, now);
            }
            let spent = ledger.spent(now);
            prop_assert!(config.posts_per_day.is_none_or(|most| spent[0].posts <= most));
            prop_assert!(config.posts_per_month.is_none_or(|most| spent[1].posts <= most));
            prop_assert!(config.dollars_per_day.is_none_or(|most| spent[0].dollars <= most + 1e-6));
            prop_assert_eq!(ledger.held, Paid::default(), "nothing stays held");
        }
    }
}
