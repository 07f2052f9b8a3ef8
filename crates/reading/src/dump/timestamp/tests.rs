//! Tests of timestamp parsing.

use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> String {
    parse_timestamp(text, None).map_or_else(str::to_owned, |instant| instant.to_string())
}

#[test]
fn known_forms_are_read() {
    for (text, expected) in [
        ("2015-02-17T07:48:48Z", "2015-02-17T07:48:48Z"),
        ("2015-02-17t07:48:48z", "2015-02-17T07:48:48Z"),
        ("2015-02-17T07:48:48.5678+01:00", "2015-02-17T06:48:48.567Z"),
        ("2015-02-24 11:35:52 -0800", "2015-02-24T19:35:52Z"),
        ("2015-02-24 11:35:52", "2015-02-24T11:35:52Z"),
        ("2015-02-24 11:35:52+00", "2015-02-24T11:35:52Z"),
        ("2015-02-24 11:35:52,250 UTC", "2015-02-24T11:35:52.25Z"),
        ("2015-02-24T11:35", "2015-02-24T11:35:00Z"),
        (" 2015-2-4 9:05 ", "2015-02-04T09:05:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("Mon Apr 06 22:19:45 PDT 2009", "2009-04-07T05:19:45Z"),
        ("Wed Aug 27 13:08:45 +0000 2008", "2008-08-27T13:08:45Z"),
        ("Sun Jan  4 01:02:03 CET 2015", "2015-01-04T00:02:03Z"),
        ("Sun Jan 4 01:02:03 2015", "2015-01-04T01:02:03Z"),
        ("1424777752", "2015-02-24T11:35:52Z"),
        ("1424777752.25", "2015-02-24T11:35:52.25Z"),
        ("1424777752123", "2015-02-24T11:35:52.123Z"),
    ] {
        assert_eq!(utc(text), expected, "{text}");
    }
}

#[test]
fn other_texts_are_errors() {
    for text in [
        "yesterday",
        "2015-02-24",
        "2015-02-30 11:35:52",
        "2015-02-24 25:00:00",
        "2015-02-24 11:35:52 XYZ",
        "2015-02-24 11:35:52 -08000",
        "2015-02-24 11:35:52. Z",
        "2015-02-24T11:35:52Z.",
        "Mon Apx 06 22:19:45 PDT 2009",
        "Mon Apr 06 22:19 PDT 2009",
        "Mon Apr 06 22:19:45 PDT 2009 x",
        "-1424777752",
        "12:30",
        "é",
    ] {
        assert_eq!(parse_timestamp(text, None), Err(UNREADABLE), "{text}");
    }
    assert_eq!(parse_timestamp(" ", None), Err("is empty"));
    assert_eq!(parse_timestamp("0", None), Err("is before 1990 or after 2100"));
    assert_eq!(parse_timestamp("1989-12-31T23:59:59Z", None), Err("is before 1990 or after 2100"));
    assert_eq!(parse_timestamp("5675914800854", None), Err("is before 1990 or after 2100"));
}

#[test]
fn a_custom_format_is_used() {
    let parse = |text, format| parse_timestamp(text, Some(format)).map(|instant| instant.to_string());
    assert_eq!(parse("24/02/2015 11:35", "%d/%m/%Y %H:%M").as_deref(), Ok("2015-02-24T11:35:00Z"));
    assert_eq!(parse("24/02/2015 11:35 +0100", "%d/%m/%Y %H:%M %z").as_deref(), Ok("2015-02-24T10:35:00Z"));
    assert_eq!(parse("24.02.2015", "%d.%m.%Y").as_deref(), Ok("2015-02-24T00:00:00Z"));
    assert!(parse("2015-02-24T11:35:52Z", "%d/%m/%Y %H:%M").is_err());
}

proptest! {
    #[test]
    fn agrees_with_jiff(second in 631_152_000i64..4_102_444_799, milli in 0i64..1000, offset in -720i32..840) {
        let instant = Timestamp::from_millisecond(second * 1000 + milli).unwrap();
        prop_assert_eq!(parse_timestamp(&instant.to_string(), None), Ok(instant));
        let there = instant.display_with_offset(Offset::from_seconds(offset * 60).unwrap()).to_string();
        prop_assert_eq!(parse_timestamp(&there, None), Ok(instant));
        let whole = Timestamp::from_second(second).unwrap();
        prop_assert_eq!(parse_timestamp(&whole.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string(), None), Ok(whole));
    }

    #[test]
    fn any_text_is_refused_or_plausible(text in "[ 0-9TZ:.+-]{0,30}|\\PC{0,40}|[A-Z][a-z]{2} [A-Z][a-z]{2} .{0,24}") {
        if let Ok(instant) = parse_timestamp(&text, None) {
            prop_assert!(PLAUSIBLE_RANGE.contains(&instant.as_millisecond()));
        }
    }
}
