//! Topics without posts are not evaluated in every minute.

use super::*;

/// Rules that a topic can sleep under: those that ship, less patient.
const QUIET_RULES: &str = r#"
    [[rule]]
    name = "Rising"
    [rule.condition]
    type = "or"
    any = [
        { type = "rising", of = "negative_rate", min_posts = 50, false_alarm_every = "2d" },
        { type = "rising", of = "negative_volume", min_posts = 50, false_alarm_every = "2d" },
    ]

    [[rule]]
    name = "NoPosts"
    condition = { type = "no_data", at_least = "30m", false_alarm_every = "2d", min_posts = 50 }

    [[rule]]
    name = "Crowd"
    condition = { type = "volume", false_alarm_every = "2d", rest = "1h", min_posts = 3 }
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// A topic without posts is not evaluated in most minutes. Nobody can tell the difference.
    #[test]
    fn a_sleeping_topic_misses_nothing(
        gaps in proptest::collection::vec((1_i64..90, 1_usize..3), 250..300), from in 150_usize..240, silence in 0_i64..900,
    ) {
        let runs = [false, true].map(|never_sleeps| {
            let dir = tempfile::tempdir().unwrap();
            let config = window::Config { lateness: SignedDuration::from_mins(5), ..window::Config::default() };
            let rules = toml::from_str(QUIET_RULES).unwrap();
            let mut monitor = Monitor::open(Store::open(dir.path()).unwrap(), config, rules).unwrap();
            let (mut minute, mut seen) = (0, Vec::new());
            let mut pass = |monitor: &mut Monitor, minutes: i64| {
                for _ in 0..minutes {
                    minute += 1;
                    if never_sleeps {
                        monitor.all_states().for_each(TopicState::wake);
                    }
                    monitor.advance(at(minute));
                }
                minute
            };
            for (number, (gap, posts)) in gaps.iter().enumerate() {
                let minute = pass(&mut monitor, if number == from { silence } else { 0 } + gap);
                for post_number in 0..*posts {
                    let is_negative = number > from && number % 8 != 0 || number % 3 == 0;
                    let label = if is_negative { Label::Negative } else { Label::Positive };
                    let id = format!("{number}-{post_number}");
                    monitor.observe("x", &["t"], &post(&id, minute, label)).unwrap();
                }
            }
            pass(&mut monitor, 2_000);
            monitor.commit().unwrap();
            for transition in monitor.outbox() {
                let Transition { status, at, alert } = transition;
                seen.push((*status, *at, alert.rule.clone(), alert.starts_at, alert.explanation.clone(), alert.peak));
            }
            (seen, monitor.report().unwrap().totals)
        });
        let [(sleeping, totals), (awake, same)] = runs;
        prop_assert!(!awake.is_empty(), "nothing fired");
        prop_assert_eq!(sleeping, awake);
        prop_assert_eq!(totals, same);
    }
}
