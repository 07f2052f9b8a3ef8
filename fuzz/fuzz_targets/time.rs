//! Any text as a time: it is refused or in the plausible range, and what is printed in each known form is read back.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use vigie::dump::{TimeRules, parse_timestamp};

/// Forms that keep a second and its zone.
const FORMS: [&str; 8] = [
    "%Y-%m-%dT%H:%M:%SZ",
    "%a %b %d %H:%M:%S +0000 %Y",
    "%a, %d %b %Y %H:%M:%S +0000",
    "%A, %B %-d, %Y, %-I:%M:%S %p",
    "%Y%m%dT%H%M%SZ",
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S +0000 UTC",
    "%s",
];

fuzz_target!(|input: &str| {
    // 1990 to 2100.
    let plausible = 631_152_000..4_102_444_800;
    for text in [input, input.trim_start_matches(|c: char| !c.is_ascii_digit())] {
        let Ok(instant) = parse_timestamp(text, None) else { continue };
        let whole = Timestamp::from_second(instant.as_second()).unwrap();
        assert!(plausible.contains(&whole.as_second()), "{instant}");
        for form in FORMS {
            let printed = whole.strftime(form).to_string();
            assert_eq!(parse_timestamp(&printed, None), Ok(whole), "{printed}");
        }
    }
    // A format and a zone of the user, and a date and a time in two columns.
    let (first, second) = input.split_once('\n').unwrap_or((input, ""));
    if let Ok(rules) = TimeRules::new(Some(first), None) {
        let _ = rules.parse(second);
    }
    if let Ok(rules) = TimeRules::new(None, Some(first)) {
        let _ = rules.parse(second);
    }
    let _ = TimeRules::default().parse_parts(first, second, Some(input));
});
