//! `vigie detect`: runs the volume detector on a series in a file, row by row.

mod series;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::output::Output;
use crate::rule::volume::{DetectorSettings, VolumeDetector};
use series::{ColumnFlags, Row, Series};

/// Find spikes in a series: reads CSV with `timestamp` and `value`, writes `timestamp,anomaly_score` for each row
///
/// The score is in [0, 1]; 0.5 or more is an alarm. Each row is scored from earlier rows only, as in the daemon. The
/// normal level is learned by hour of the week from the series itself; the threshold follows from the variability of
/// the series and from the accepted false-alarm interval, so the same flags fit any series. The first two days score 0,
/// as nothing is known yet.
///
/// Unusable rows (no time, no number, a negative value, a time not after the previous row) are reported and score 0.
/// Times can have any format known from dumps (RFC 3339, `2015-02-26 21:42:53`, Unix times; UTC without an offset) and
/// are written unchanged. Exports of Google Trends are read as they are: lines before the header are skipped, and `<1`
/// counts as 0.
#[derive(Debug, Args)]
pub(super) struct DetectArgs {
    /// The series, ordered by time; `-` is standard input
    #[arg(value_name = "SERIES.csv")]
    series: PathBuf,
    /// Output file; `-` is standard output
    #[arg(short, long, value_name = "SCORES.csv")]
    out: PathBuf,
    /// Accepted false-alarm interval in days; longer means fewer alarms
    #[arg(long, value_name = "DAYS", default_value_t = DetectorSettings::default().false_alarm_every, value_parser = days)]
    false_alarm_every: f64,
    /// Hours without another alarm after an alarm; at least 12 rows
    #[arg(long, value_name = "HOURS", default_value_t = DetectorSettings::default().rest / 3_600,
        value_parser = clap::value_parser!(i64).range(0..=8_760))]
    rest: i64,
    /// Seconds between rows [default: estimated from the first rows]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=31_536_000))]
    interval: Option<i64>,
    /// Column of times [default: timestamp, or another usual name]
    #[arg(long, value_name = "COLUMN")]
    time_column: Option<String>,
    /// Column of values [default: value, or another usual name]
    #[arg(long, value_name = "COLUMN")]
    value_column: Option<String>,
    /// Format of times in an unknown form, e.g. `%d/%m/%Y %H:%M`; UTC without `%z`
    #[arg(long, value_name = "STRPTIME")]
    time_format: Option<String>,
    /// Add the columns `expected` (the normal value) and `upper` (the value from which the row is an alarm)
    #[arg(long)]
    explain: bool,
}

impl DetectArgs {
    fn column_flags(&self) -> ColumnFlags<'_> {
        ColumnFlags {
            time_column: self.time_column.as_deref(),
            value_column: self.value_column.as_deref(),
            time_format: self.time_format.as_deref(),
        }
    }
}

/// Maximum number of unusable rows reported one by one.
const MAX_REPORTED: u64 = 10;

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    rows: u64,
    bad: u64,
    alarms: u64,
}

pub(super) fn run(args: &DetectArgs) -> anyhow::Result<()> {
    let (input, name): (Box<dyn Read>, String) = if is_standard(&args.series) {
        (Box::new(io::stdin().lock()), "standard input".into())
    } else {
        let name = args.series.display().to_string();
        let file = File::open(&args.series).with_context(|| format!("cannot read {name}"))?;
        (Box::new(file), name)
    };
    let series = Series::read(BufReader::new(input), &name, args.column_flags())?;
    let counts = if is_standard(&args.out) {
        detect(series, args, io::stdout().lock())?
    } else {
        if args.out.canonicalize().is_ok_and(|out| args.series.canonicalize().is_ok_and(|series| series == out)) {
            bail!("the series and --out are both {name}: set another output file");
        }
        let cannot = || format!("cannot write {}", args.out.display());
        let mut output = Output::create(&args.out).with_context(cannot)?;
        let counts = detect(series, args, output.file())?;
        output.keep().with_context(cannot)?;
        counts
    };
    eprintln!("vigie: {}", summary(&counts, &args.out));
    Ok(())
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

fn detect(mut series: Series<impl Read>, args: &DetectArgs, out: impl Write) -> anyhow::Result<Counts> {
    let (false_alarm_every, rest, interval) = (args.false_alarm_every, args.rest * 3_600, args.interval);
    let mut detector = VolumeDetector::new(DetectorSettings { false_alarm_every, rest, interval });
    let mut out = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, out));
    let header = ["timestamp", "anomaly_score", "expected", "upper"];
    let columns = if args.explain { header.len() } else { 2 };
    out.write_record(&header[..columns]).map_err(io::Error::from)?;
    let mut counts = Counts::default();
    while let Some(Row { line, timestamp, read }) = series.next_row()? {
        counts.rows += 1;
        let judged = read.and_then(|(time, value)| {
            detector.step(time, value).map_err(|error| {
                let about = if error.is_about_time() { &series.columns.time } else { &series.columns.value };
                format!("{about} {error}")
            })
        });
        let score = judged.unwrap_or_else(|error| {
            counts.bad += 1;
            if counts.bad <= MAX_REPORTED {
                eprintln!("vigie: {}:{line}: {error}; the row scores 0", series.name);
            }
            Default::default()
        });
        counts.alarms += u64::from(score.is_alarm());
        let number = |number: Option<f64>| number.map(|number| format!("{number:.3}")).unwrap_or_default();
        // Truncated, not rounded: rounding could turn a score into an alarm.
        let value = format!("{:.6}", (score.value * 1e6).floor() / 1e6);
        let fields = [value, number(score.expected), number(score.upper)];
        let fields = fields.iter().take(columns - 1).map(String::as_bytes);
        out.write_record([timestamp.as_slice()].into_iter().chain(fields)).map_err(io::Error::from)?;
    }
    out.flush()?;
    if series.preamble > 0 {
        eprintln!("vigie: {}: lines before the header are skipped: {}", series.name, series.preamble);
    }
    if series.below_one > 0 {
        eprintln!("vigie: {}: {} values `<1` count as 0", series.name, series.below_one);
    }
    if counts.bad > MAX_REPORTED {
        eprintln!("vigie: {}: {} more unusable rows; they score 0", series.name, counts.bad - MAX_REPORTED);
    }
    if counts.rows > 0 && counts.rows == counts.bad {
        bail!(
            "{}: no usable rows in the columns {} and {}; set others with --time-column and --value-column",
            series.name,
            series.columns.time,
            series.columns.value
        );
    }
    Ok(counts)
}

fn summary(counts: &Counts, out: &Path) -> String {
    let to = if is_standard(out) { String::new() } else { format!(" to {}", out.display()) };
    let Counts { rows, bad, alarms } = counts;
    let are = |count: &u64, one: &str| if *count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
    format!("{} scored{to}, {} (0.5 or more), {}", are(rows, "row"), are(alarms, "alarm"), are(bad, "unusable row"))
}

fn days(text: &str) -> Result<f64, String> {
    let days: f64 = text.parse().map_err(|_| "expected a number of days".to_owned())?;
    if (1.5..=3_650.0).contains(&days) { Ok(days) } else { Err("expected 1.5 to 3650 days".into()) }
}
