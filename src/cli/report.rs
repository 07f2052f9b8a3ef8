//! `vigie report`, and `vigie replay --report`: a report as one HTML file, of the store or of the running daemon that holds it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;

use super::daemon_client;
use super::output::Output;
use super::posts::time;
use super::replay::LanguageFlag;
use super::state::StateFlags;
use crate::alert::Alert;
use crate::config::Config;
use crate::language::Language;
use crate::notify::{Dispatcher, ReportSpan};
use crate::query::Query;
use crate::report::{PeriodReport, ReportReader, render};
use crate::store::{Store, StoreError};

/// Write a report of stored posts as one HTML file
///
/// Rates against the periods before, incidents, reasons, words, posts, corrections, sources and cost. If a daemon runs, it is
/// asked; it need not stop. `[[report]]` in the configuration sends reports by mail.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Start: a date such as 2026-11-23, a time such as 2026-11-23T09:00:00Z, or a length of time ago, such as 12h or 7d
    /// [default: seven days before the end]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// End, not included, in the same forms, or `now` [default: the last midnight]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Language; overrides `language` of the configuration
    #[arg(long = "lang", alias = "language", value_enum)]
    language: Option<LanguageFlag>,
    /// File to write; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    #[command(flatten)]
    state: StateFlags,
}

pub(super) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let config = super::config_loader(args.state.config.clone()).load()?.config;
    let zone = zone(&config);
    let now = Timestamp::now();
    let span = span((args.since.as_deref(), args.until.as_deref()), now, &zone)?;
    let language = args.language.map_or(config.language, Language::from);
    let state = args.state.with_store()?;
    let page = match Store::open(&state) {
        Ok(store) => of_store(&store, &config, span, now, language)?,
        Err(StoreError::InUse { .. }) => ask_daemon(config.web.listen, &state, span, language)?,
        Err(error) => return Err(error.into()),
    };
    write(&args.out, &page)
}

/// The report of a store that no daemon holds: what sources and budgets do now is not known.
fn of_store(
    store: &Store,
    config: &Config,
    span: ReportSpan,
    now: Timestamp,
    language: Language,
) -> anyhow::Result<String> {
    let query = Query::new(store);
    let incidents = Dispatcher::open(store, config.routing(), now)?.past_incidents(now);
    let reader = ReportReader { incidents, knows_acknowledgements: true, ..reader(&query, config) };
    Ok(render::page(&reader.read(span, now)?, language, &zone(config)))
}

/// The last `days` days of a replay, whose state is in `state`. `firing`: alerts that had not ended at its end.
pub(super) fn of_replay(
    state: &Path,
    config: &Config,
    days: i32,
    firing: Vec<Alert>,
    language: Language,
) -> anyhow::Result<String> {
    let store = Store::open(state)?;
    let query = Query::new(&store);
    let mut last = None;
    for topic in query.topics()? {
        last = last.max(query.counted_hours(&topic)?.map(|(_, last)| last));
    }
    let last = last.and_then(|hour| Timestamp::from_second(hour).ok()).context("the dump has no counted posts")?;
    let zone = zone(config);
    let day_after = last.to_zoned_datetime(zone.clone()).date().tomorrow()?;
    let span = ReportSpan::days_before(day_after, days, &zone).context("the dump's time is out of range")?;
    // A report of a dump is made at its end: the same dump gives the same file.
    let end = last.checked_add(SignedDuration::from_hours(1))?;
    let reader = ReportReader { alerts: firing, ..reader(&query, config) };
    let report: PeriodReport = reader.read(span, end)?;
    Ok(render::page(&report, language, &zone))
}

fn reader<'a>(query: &'a Query, config: &Config) -> ReportReader<'a> {
    ReportReader {
        query,
        topics: Vec::new(),
        incidents: Vec::new(),
        alerts: Vec::new(),
        knows_acknowledgements: false,
        sources: Vec::new(),
        budget: Vec::new(),
        reopen_within: config.notify.reopen_within,
        zone: zone(config),
    }
}

fn zone(config: &Config) -> TimeZone {
    TimeZone::get(&config.notify.time_zone).unwrap_or(TimeZone::UTC)
}

/// From the start to the end that the flags name; seven days to the last midnight without them.
fn span((since, until): (Option<&str>, Option<&str>), now: Timestamp, zone: &TimeZone) -> anyhow::Result<ReportSpan> {
    let read = |flag: &str, value: &str| {
        let date = || value.parse::<jiff::civil::Date>().ok()?.to_zoned_datetime(zone.clone()).ok();
        let found = if value == "now" { Some(now) } else { time(value, now) };
        let found = found.or_else(|| date().map(|midnight| midnight.timestamp()));
        found.with_context(|| {
            format!("--{flag} {value}: expected a date such as 2026-11-23, a time such as 2026-11-23T09:00:00Z, 12h, 7d or now")
        })
    };
    let until = match until {
        Some(until) => read("until", until)?,
        None => now.to_zoned_datetime(zone.clone()).start_of_day()?.timestamp(),
    };
    let since = match since {
        Some(since) => read("since", since)?,
        None => {
            let date = until.to_zoned_datetime(zone.clone()).date();
            ReportSpan::days_before(date, 7, zone).context("--until is out of range")?.since
        }
    };
    if since >= until {
        bail!("--since {since:.0} is not before --until {until:.0}: set both, e.g. --since 12h --until now");
    }
    ReportSpan { since, until }.in_hours().context("the time is out of range")
}

fn ask_daemon(listen: SocketAddr, state: &Path, span: ReportSpan, language: Language) -> anyhow::Result<String> {
    let language = if language == Language::French { "fr" } else { "en" };
    let path = format!("/api/v1/report?since={}&until={}&lang={language}", span.since, span.until);
    let page: ReportPage = daemon_client::request::<(), _>(listen, state, (Method::GET, &path), None)?;
    Ok(page.html)
}

/// The daemon's answer.
#[derive(Debug, serde::Deserialize)]
struct ReportPage {
    html: String,
}

/// Writes the page to `out`, whole or not at all.
pub(super) fn write(out: &Path, page: &str) -> anyhow::Result<()> {
    if out == Path::new("-") {
        return std::io::stdout().lock().write_all(page.as_bytes()).context("cannot write to standard output");
    }
    let describe = || format!("cannot write {}", out.display());
    let mut output = Output::create(out).with_context(describe)?;
    output.file().write_all(page.as_bytes()).with_context(describe)?;
    output.keep().with_context(describe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris() -> TimeZone {
        TimeZone::get("Europe/Paris").unwrap()
    }

    fn read(since: Option<&str>, until: Option<&str>) -> Result<(String, String), String> {
        let now = "2026-11-30T09:20:00Z".parse().unwrap();
        let span = span((since, until), now, &paris()).map_err(|error| error.to_string())?;
        Ok((span.since.to_string(), span.until.to_string()))
    }

    #[test]
    fn dates_are_midnights_of_the_time_zone_and_times_full_hours() {
        let pair = |since: &str, until: &str| Ok((since.to_owned(), until.to_owned()));
        assert_eq!(read(None, None), pair("2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z"));
        assert_eq!(read(None, Some("2026-11-16")), pair("2026-11-08T23:00:00Z", "2026-11-15T23:00:00Z"));
        assert_eq!(read(Some("2026-11-23"), Some("2026-11-30")), pair("2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z"));
        assert_eq!(read(Some("6h"), Some("now")), pair("2026-11-30T03:00:00Z", "2026-11-30T10:00:00Z"));
        let error = read(Some("monday"), None).unwrap_err();
        assert!(error.starts_with("--since monday: expected a date such as 2026-11-23"), "{error}");
        assert!(read(Some("2026-11-30"), None).unwrap_err().contains("is not before --until"));
    }
}
