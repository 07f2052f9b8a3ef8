//! Tests of timestamp parsing.

use jiff::tz::Offset;
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

/// One instant, 4 May 2021, 20:18:04 UTC, as sites, languages and spreadsheets write it.
#[test]
fn other_forms_of_one_instant_are_read() {
    for text in [
        "Tue, 04 May 2021 20:18:04 +0000",
        "Tue, 4 May 2021 20:18:04 GMT",
        "4 May 2021 20:18:04 +0000",
        "Tuesday, 04-May-21 20:18:04 UTC",
        "04-May-2021 20:18:04",
        "4-may-2021 20:18:04",
        "2021-05-04 20:18:04.0",
        "2021-05-04 20:18:04+00:00",
        "2021-05-04 20:18:04 UTC",
        "2021-05-04 20:18:04 +0000 UTC",
        "2021-05-04 22:18:04 CEST",
        "2021-05-04 22:18:04 Europe/Paris",
        "2021-05-04T22:18:04[Europe/Paris]",
        "2021-05-04T22:18:04+02:00[Europe/Paris]",
        "2021-05-04 22:18:04 Romance Standard Time",
        "2021-05-05 01:48:04 India Standard Time",
        "2021-05-04T20:18:04.000000000Z",
        "20210504T201804Z",
        "20210504T201804+0000",
        "20210504 20:18:04",
        "20210504 8:18:04 PM",
        "2021-05-04 8:18:04 PM",
        "2021-05-04 08:18:04 p.m.",
        "20210504201804",
        "2021/05/04 20:18:04",
        "2021.05.04 20:18:04",
        "2021-May-04 20:18:04",
        "2021-05-04, 20:18:04",
        "May 4, 2021, 8:18:04 PM",
        "May 4, 2021 at 8:18:04 p.m.",
        "8:18:04 PM · May 4, 2021",
        "4 mai 2021 à 20:18:04",
        "mar. 4 mai 2021 20:18:04",
        "mardi 4 mai 2021 20:18:04",
        "le 4 mai 2021, 20:18:04",
        "04.05.2021 20:18:04",
        "Tue May 04 2021 22:18:04 GMT+0200 (Central European Summer Time)",
        "Tue May  4 20:18:04 UTC 2021",
        "1620159484",
        "1620159484.0",
        "1620159484000",
        "1620159484000000",
        "1620159484000000000",
        "1620159484000000.0",
        "1.620159484e9",
        "1.620159484E+12",
        "1.620159484e15",
        "1.620159484e+18",
    ] {
        assert_eq!(utc(text), "2021-05-04T20:18:04Z", "{text}");
    }
    for text in [
        "May 4, 2021, 10:18 PM",
        "4 mai 2021 à 22:18",
        "4 mai 2021 à 22h18",
        "1er mai 2021 22 h 18",
        "12 AM May 4 2021",
    ] {
        assert!(parse_timestamp(text, None).is_ok(), "{text}");
    }
    assert_eq!(utc("May 4, 2021, 12:18 AM"), "2021-05-04T00:18:00Z");
    assert_eq!(utc("May 4, 2021, 12:18 PM"), "2021-05-04T12:18:00Z");
    assert_eq!(utc("2021-05-04 22:18:04.123456 Europe/Paris"), "2021-05-04T20:18:04.123Z");
}

#[test]
fn a_date_alone_is_its_midnight() {
    let rules = TimeRules::default();
    for text in ["2021-05-04", "20210504", "4 mai 2021", "May 4, 2021", "04.05.2021", "2021/5/4"] {
        let read = rules.parse(text).unwrap();
        assert_eq!((read.instant.to_string().as_str(), read.date_only), ("2021-05-04T00:00:00Z", true), "{text}");
    }
    assert!(!rules.parse("2021-05-04T00:00").unwrap().date_only);
}

#[test]
fn the_order_of_day_and_month_comes_from_the_file() {
    let read = |order, text: &str| {
        let mut rules = TimeRules::default();
        rules.set_order(order);
        rules
            .parse(text)
            .map(|read| read.instant.to_string())
            .map_err(|problem| problem.split(',').next().unwrap_or(""))
    };
    let (day, month) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
    assert_eq!(read(day, "04/05/2021 22:18").as_deref(), Ok("2021-05-04T22:18:00Z"));
    assert_eq!(read(month, "04/05/2021 22:18").as_deref(), Ok("2021-04-05T22:18:00Z"));
    assert_eq!(read(month, "5/4/21 10:18 PM").as_deref(), Ok("2021-05-04T22:18:00Z"));
    assert_eq!(read(None, "24/02/2015 11:35").as_deref(), Ok("2015-02-24T11:35:00Z"));
    assert_eq!(read(None, "02-24-2015 11:35").as_deref(), Ok("2015-02-24T11:35:00Z"));
    assert_eq!(read(None, "05/05/2021").as_deref(), Ok("2021-05-05T00:00:00Z"));
    assert_eq!(read(None, "04/05/2021"), Err("is day first or month first"));
    assert_eq!(read(day, "02/24/2015"), Err("contradicts the other dates of this file"));
    assert_eq!(read(month, "24/02/2015"), Err("contradicts the other dates of this file"));
}

#[test]
fn dates_of_a_file_decide_together_or_leave_a_doubt() {
    let evidence = |texts: &[&str]| {
        let mut evidence = OrderEvidence::default();
        texts.iter().for_each(|text| TimeRules::default().look_at(text, &mut evidence));
        evidence
    };
    let decided =
        evidence(&["04/05/2021 10:00", "2021-05-04 10:00", "24/05/2021 10:00", "05/24/2021 10:00", "25/05/2021"]);
    assert_eq!(decided.order(), Some(DateOrder::DayFirst));
    assert_eq!(
        decided.remark().as_deref(),
        Some("dates are read day first, as \"24/05/2021 10:00\" shows (--time-format decides)")
    );
    let open = evidence(&["05/05/2021", "04/05/2021 10:18 PM"]);
    assert_eq!(open.order(), None);
    assert_eq!(
        open.doubt().unwrap().to_string(),
        "dates such as \"04/05/2021 10:18 PM\" may be 2021-05-04 (day first) or 2021-04-05 (month first), and no date \
         decides; set --time-format \"%d/%m/%Y %I:%M %p\" or --time-format \"%m/%d/%Y %I:%M %p\""
    );
    assert_eq!(evidence(&["05/05/2021", "2021-05-04T10:00:00Z", "04.05.2021"]).doubt(), None);
}

#[test]
fn other_texts_are_errors() {
    for text in [
        "yesterday",
        "2015-02-30 11:35:52",
        "2015-02-24 25:00:00",
        "2015-02-24 11:35:52. Z",
        "Mon Apx 06 22:19:45 PDT 2009",
        "Mon Apr 06 22:19:45 PDT 2009 x",
        "-1424777752",
        "12:30",
        "é",
        "2015-13-24",
        "31/31/2015",
        "2015-02-24 13 PM",
        "May 2021",
        "4 mai",
        "1424777752 s",
    ] {
        assert_eq!(parse_timestamp(text, None), Err(UNREADABLE), "{text}");
    }
    for text in
        ["2015-02-24 11:35:52 XYZ", "2015-02-24 11:35:52 -08000", "2015-02-24T11:35:52Z.", "2021-05-04 22:18:04 IST"]
    {
        assert_eq!(parse_timestamp(text, None), Err(UNKNOWN_ZONE), "{text}");
    }
    assert_eq!(parse_timestamp(" ", None), Err("is empty"));
    for text in ["0", "1989-12-31T23:59:59Z", "5675914800854", "99999999999999999999999"] {
        assert_eq!(parse_timestamp(text, None), Err(IMPLAUSIBLE), "{text}");
    }
    for text in ["1.62016E+09", "1.62016E+12", "1.6e15", "1e18"] {
        assert_eq!(parse_timestamp(text, None), Err(unix::ROUNDED), "{text}");
    }
}

#[test]
fn a_custom_format_is_used() {
    let parse = |text, format| parse_timestamp(text, Some(format)).map(|instant| instant.to_string());
    assert_eq!(parse("24/02/2015 11:35", "%d/%m/%Y %H:%M").as_deref(), Ok("2015-02-24T11:35:00Z"));
    assert_eq!(parse("24/02/2015 11:35 +0100", "%d/%m/%Y %H:%M %z").as_deref(), Ok("2015-02-24T10:35:00Z"));
    assert_eq!(parse("24.02.2015", "%d.%m.%Y").as_deref(), Ok("2015-02-24T00:00:00Z"));
    assert!(parse("2015-02-24T11:35:52Z", "%d/%m/%Y %H:%M").is_err());
}

#[test]
fn times_without_a_zone_are_in_the_zone_that_was_set() {
    let read =
        |format, zone, text: &str| TimeRules::new(format, Some(zone)).unwrap().parse(text).unwrap().instant.to_string();
    assert_eq!(read(None, "Europe/Paris", "2021-05-04 22:18:04"), "2021-05-04T20:18:04Z");
    assert_eq!(read(None, "+05:30", "2021-05-04 22:18:04"), "2021-05-04T16:48:04Z");
    assert_eq!(read(None, "Europe/Paris", "2021-05-04T22:18:04Z"), "2021-05-04T22:18:04Z");
    assert_eq!(read(Some("%d/%m/%Y %H:%M"), "Europe/Paris", "04/05/2021 22:18"), "2021-05-04T20:18:00Z");
}

proptest! {
    #[test]
    fn agrees_with_jiff(second in 631_152_000i64..4_102_444_799, milli in 0i64..1000, offset in -720i32..840) {
        let instant = Timestamp::from_millisecond(second * 1000 + milli).unwrap();
        prop_assert_eq!(parse_timestamp(&instant.to_string(), None), Ok(instant));
        let there = instant.display_with_offset(Offset::from_seconds(offset * 60).unwrap()).to_string();
        prop_assert_eq!(parse_timestamp(&there, None), Ok(instant));
    }

    /// What is printed in each form is read back.
    #[test]
    fn printed_times_are_read_back(second in 631_152_000i64..4_102_444_799) {
        let instant = Timestamp::from_second(second).unwrap();
        for format in [
            "%a %b %d %H:%M:%S +0000 %Y",
            "%a, %d %b %Y %H:%M:%S +0000",
            "%a, %d %b %Y %H:%M:%S GMT",
            "%A, %B %-d, %Y, %-I:%M:%S %p",
            "%d-%b-%Y %H:%M:%S",
            "%Y%m%dT%H%M%SZ",
            "%Y%m%d%H%M%S",
            "%Y/%m/%d %H:%M:%S",
            "%d.%m.%Y %H:%M:%S",
            "%-I:%M:%S %p · %b %-d, %Y",
            "%Y-%m-%d %H:%M:%S +0000 UTC",
            "%s",
            "%s.0",
            "%s000",
            "%s000000",
            "%s000000000",
        ] {
            let text = instant.strftime(format).to_string();
            prop_assert_eq!(parse_timestamp(&text, None), Ok(instant), "{}", text);
        }
    }

    #[test]
    fn each_order_reads_what_it_prints(second in 631_152_000i64..4_102_444_799, day_first: bool) {
        let instant = Timestamp::from_second(second - second % 60).unwrap();
        let (order, format) = match day_first {
            true => (DateOrder::DayFirst, "%d/%m/%Y %H:%M"),
            false => (DateOrder::MonthFirst, "%-m/%-d/%Y %-I:%M %p"),
        };
        let mut rules = TimeRules::default();
        rules.set_order(Some(order));
        let text = instant.strftime(format).to_string();
        prop_assert_eq!(rules.parse(&text).map(|read| read.instant), Ok(instant), "{}", text);
    }

    #[test]
    fn any_text_is_refused_or_plausible(
        text in "[ 0-9TZ:.+-]{0,30}|\\PC{0,40}|[A-Z][a-z]{2} [A-Z][a-z]{2} .{0,24}|[0-9]{1,4}[/. -][0-9a-z]{1,9}[/. -][0-9]{1,4}[ ,T]{0,2}[0-9]{1,2}[:h]?[0-9]{0,2} ?[AaPp]?[.]?[Mm]?.{0,9}"
    ) {
        if let Ok(instant) = parse_timestamp(&text, None) {
            prop_assert!(PLAUSIBLE_RANGE.contains(&instant.as_millisecond()));
        }
        let mut evidence = OrderEvidence::default();
        TimeRules::default().look_at(&text, &mut evidence);
        if let Some(doubt) = evidence.doubt() {
            prop_assert!(TimeRules::new(None, None).unwrap().parse(&text).is_err(), "{}: {}", text, doubt);
        }
        let _ = TimeRules::default().parse_parts(&text, &text, Some(&text));
    }
}

#[test]
fn what_cannot_be_read_is_not_read_in_part() {
    for text in ["May 4, 2021, 10:75 PM", "10:18:75 PM, May 4, 2021", "2021-05-04 13:18 PM"] {
        assert_eq!(parse_timestamp(text, None), Err(UNREADABLE), "{text}");
    }
    // A text that begins like a date says nothing about the order of dates, and is not shown.
    let mut evidence = OrderEvidence::default();
    TimeRules::default().look_at("04/05/2021 10:18 I hate @bob", &mut evidence);
    assert!(evidence.doubt().is_none());
}

#[test]
fn a_format_without_an_offset_takes_that_of_a_column() {
    let rules = TimeRules::new(Some("%d.%m.%Y %H:%M"), None).unwrap();
    let read = rules.parse_parts("04.05.2021", "22:18", Some("+0200")).unwrap();
    assert_eq!(read.instant.to_string(), "2021-05-04T20:18:00Z");
    let civil = rules.parse("04.05.2021 22:18").unwrap().civil.unwrap();
    assert_eq!(rules.with_offset(civil, "Europe/Paris").unwrap().to_string(), "2021-05-04T20:18:00Z");
}
