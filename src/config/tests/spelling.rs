//! The same configuration, as different editors and people write it.

use super::*;

#[test]
fn a_file_of_windows_and_an_empty_one_are_read() {
    let check = |bytes: &[u8]| origin(Vec::new()).check(Path::new(FILE), Some(bytes), None).unwrap().config;
    for bytes in [
        &b"\xef\xbb\xbf[window]\nlateness = \"5m\"\n"[..],
        b"[window]\r\nlateness = \"5m\"\r\n",
        b"\xef\xbb\xbf# by hand\r\n[window]\r\nlateness = \"5m\"",
    ] {
        assert_eq!(check(bytes).window.lateness.as_secs(), 300, "{bytes:?}");
    }
    assert_eq!(check(b""), check(b"\xef\xbb\xbf"));
}

#[test]
fn a_duration_may_have_days_and_none_is_negative() {
    let source = "[[source]]\ntype = \"twitter\"\nname = \"14d\"\nmode = \"search\"\nbackfill = \"6d 12h\"\n";
    let config = parse(&format!("[notify]\ngive_up_after = \"2w\"\n{source}")).unwrap();
    assert_eq!(config.notify.give_up_after.as_hours(), 14 * 24);
    let SourceConfig::Twitter(source) = &config.sources[0] else { panic!("another source") };
    assert_eq!((source.name.as_str(), source.backfill.as_hours()), ("14d", 6 * 24 + 12));
    for (text, expected) in [
        ("[notify]\ngroup_wait = \"-5s\"", "\"-5s\" is negative"),
        ("[notify]\ngroup_wait = \"14 fortnights\"", "expected a duration, e.g. \"30s\", \"12h\" or \"14d\""),
        ("[x]\ntimeout = \"-1d\"", "\"-1d\" is negative"),
    ] {
        let problem = parse(text).unwrap_err().to_string();
        assert!(problem.contains(expected) && !problem.contains("jiff") && !problem.contains("ago"), "{problem}");
    }
}
