//! `vigie simulate`: writes a dump of simulated posts, written from a real dump, with an optional incident.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::reader_flags::ReaderFlags;
use super::{ConfigFlags, duration_flag};
use crate::dump::{Columns, Inputs};
use crate::simulate::{
    ArrivalProcess, IncidentKind, IncidentShape, Rhythm, SimulatedIncident, SimulatedPost, SimulatedPosts,
    StreamProfile, Swing, Tally,
};

/// Simulate a stream of posts from a labelled dump, with an optional incident
///
/// Volume and sentiment follow the dump's rhythm and swing; texts and labels come from the dump; authors are invented. The
/// same flags produce the same stream. `vigie replay` and `vigie backtest` read it like the dump; its column `incident` is 1
/// for every post during the incident. Run them with `--set window.cascade=0s`: texts repeat, and a repeated text would be
/// counted once.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Files of a labelled dump, or folders with them; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    dump: Vec<PathBuf>,
    /// CSV file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Use only the dump's posts with this topic in the topic column
    #[arg(long)]
    topic: Option<String>,
    /// Length of the stream in days [default: 7]
    #[arg(long, value_name = "N", conflicts_with = "hours", value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: Option<u32>,
    #[arg(long, value_name = "N", help = "Length of the stream in hours", value_parser = clap::value_parser!(u32).range(1..))]
    hours: Option<u32>,
    /// Start of the stream
    #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z")]
    start: Timestamp,
    /// Posts per hour, mean over the day [default: as in the dump]
    #[arg(long, value_name = "POSTS_PER_HOUR")]
    rate: Option<f64>,
    /// Random seed: the same number produces the same stream
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    incident: IncidentFlags,
    #[command(flatten)]
    swing: SwingFlags,
    #[command(flatten)]
    config: ConfigFlags,
    #[command(flatten)]
    reader: ReaderFlags,
}

/// The incident.
#[derive(Debug, Args)]
#[command(next_help_heading = "Incident")]
struct IncidentFlags {
    /// Start of the incident after the start of the stream, e.g. 36h or 5d; without this flag the stream has none
    #[arg(long, value_name = "LENGTH", value_parser = duration_flag::parse_from_zero)]
    incident_at: Option<SignedDuration>,
    /// Increase of the share of negative posts at full height, in percentage points
    #[arg(long, value_name = "POINTS", default_value_t = 20.0, requires = "incident_at")]
    rate_increase: f64,
    /// `sudden` reaches its full height at once, `slow` grows linearly over --ramp
    #[arg(long, value_enum, default_value_t = ShapeFlag::Sudden, requires = "incident_at")]
    shape: ShapeFlag,
    /// How long a slow incident grows
    #[arg(long, value_name = "LENGTH", default_value = "3h", value_parser = duration_flag::parse, requires = "incident_at")]
    ramp: SignedDuration,
    /// Length of the incident
    #[arg(long, value_name = "LENGTH", default_value = "6h", value_parser = duration_flag::parse, requires = "incident_at")]
    incident_length: SignedDuration,
    /// `added`: additional negative posts. `replaced`: negative posts replace usual ones, so that only the share changes
    #[arg(long, value_enum, default_value_t = IncidentPostsFlag::Added, requires = "incident_at")]
    incident_posts: IncidentPostsFlag,
}

/// Variation of days and hours.
#[derive(Debug, Args)]
#[command(next_help_heading = "Variation beyond chance")]
struct SwingFlags {
    /// Variance of an hour's volume over its squared mean [default: as in the dump]
    #[arg(long, value_name = "NUMBER")]
    burstiness: Option<f64>,
    /// The same for a day's volume [default: as in the dump]
    #[arg(long, value_name = "NUMBER")]
    day_swing: Option<f64>,
    /// Correlation of two posts of an hour in being negative, from 0 to 0.5 [default: as in the dump]
    #[arg(long, value_name = "NUMBER")]
    share_swing: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShapeFlag {
    Sudden,
    Slow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum IncidentPostsFlag {
    Added,
    Replaced,
}

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let mut options = args.config.load(None)?.config.dump;
    args.reader.apply(&mut options)?;
    let length = match (args.days, args.hours) {
        (_, Some(hours)) => i64::from(hours) * 3_600,
        (days, None) => i64::from(days.unwrap_or(7)) * 86_400,
    };
    let invalid = args.rate.filter(|rate| !(rate.is_finite() && *rate > 0.0 && *rate <= 1e6));
    if let Some(rate) = invalid {
        bail!("--rate is {rate}; expected posts per hour, above 0 and at most 1000000");
    }
    // Check all flags before reading the dump, which may be large.
    let begin = args.start.as_second() - args.start.as_second().rem_euclid(60);
    let incident = args.incident.incident(begin, length)?;
    args.swing.check()?;

    let profile = StreamProfile::read(&Inputs::expand(&args.dump)?, &options, args.topic.as_deref())?;
    if let Some(incident) = incident {
        check_height(&profile, &incident)?;
    }
    let swing = args.swing.over(profile.rhythm.swing);
    let rate = args.rate.unwrap_or(profile.rhythm.posts_per_hour);
    let mut arrivals =
        ArrivalProcess::new(Arc::new(profile.rhythm.clone()), begin, args.seed).with_volume(rate).with_swing(swing);
    if let Some(incident) = incident {
        arrivals = arrivals.with_incident(incident);
    }
    let posts = SimulatedPosts::new(arrivals, begin + length, profile.texts, args.seed);
    let topic = args.topic.as_deref().unwrap_or("simulated");
    let written = write(args, &options.columns, posts, topic)?;
    print_summary(args, &written, &profile.rhythm, length, incident);
    // After the output, which can be used all the same.
    Ok(profile.rejects.check(options.max_rejects)?)
}

impl IncidentFlags {
    fn incident(&self, begin: i64, stream: i64) -> anyhow::Result<Option<SimulatedIncident>> {
        let Some(at) = self.incident_at else { return Ok(None) };
        if !(self.rate_increase.is_finite() && self.rate_increase > 0.0 && self.rate_increase < 100.0) {
            bail!(
                "--rate-increase is {}; expected percentage points, above 0 and below 100, e.g. 20",
                self.rate_increase
            );
        }
        let (at, length, ramp) = (at.as_secs(), self.incident_length.as_secs(), self.ramp.as_secs());
        if at >= stream {
            bail!("--incident-at is after the end of the stream, which is {} hours long", stream / 3_600);
        }
        if self.shape == ShapeFlag::Slow && ramp > length {
            bail!("--ramp is longer than --incident-length: the incident would end before its full height");
        }
        let shape = match self.shape {
            ShapeFlag::Sudden => IncidentShape::Sudden,
            ShapeFlag::Slow => IncidentShape::Slow { ramp },
        };
        let kind = match self.incident_posts {
            IncidentPostsFlag::Added => IncidentKind::Added,
            IncidentPostsFlag::Replaced => IncidentKind::Replaced,
        };
        let begins = begin + at - at.rem_euclid(60);
        Ok(Some(SimulatedIncident {
            begins,
            length: length.min(begin + stream - begins),
            rate_increase: self.rate_increase / 100.0,
            shape,
            kind,
        }))
    }
}

fn check_height(profile: &StreamProfile, incident: &SimulatedIncident) -> anyhow::Result<()> {
    let usual = profile.rhythm.negative;
    if usual == 0.0 {
        bail!("the dump has no negative posts for an incident");
    }
    if usual + incident.rate_increase > 0.98 {
        let (usual, max) = (usual * 100.0, (0.98 - usual) * 100.0);
        bail!(
            "--rate-increase is {:.0}: {usual:.0}% of posts are usually negative, so at most {max:.0} points are possible",
            incident.rate_increase * 100.0
        );
    }
    Ok(())
}

impl SwingFlags {
    fn check(&self) -> anyhow::Result<()> {
        let flags = [
            ("--burstiness", self.burstiness, 10.0),
            ("--day-swing", self.day_swing, 10.0),
            ("--share-swing", self.share_swing, 0.5),
        ];
        for (flag, value, max) in flags {
            if let Some(value) = value.filter(|value| !(0.0..=max).contains(value)) {
                bail!("{flag} is {value}; expected 0 to {max}");
            }
        }
        Ok(())
    }

    fn over(&self, found: Swing) -> Swing {
        Swing {
            day: self.day_swing.unwrap_or(found.day),
            hour: self.burstiness.unwrap_or(found.hour),
            share: self.share_swing.unwrap_or(found.share),
        }
    }
}

/// Numbers of written posts by label: all, and those of the incident.
#[derive(Debug, Default)]
struct Written {
    all: Tally,
    in_incident: Tally,
}

fn write(args: &SimulateArgs, columns: &Columns, posts: SimulatedPosts, topic: &str) -> anyhow::Result<Written> {
    let unwritable = || format!("cannot write {}", args.out.display());
    let out: Box<dyn Write> = match args.out.to_str() {
        Some("-") => Box::new(io::stdout().lock()),
        _ => Box::new(File::create(&args.out).with_context(unwritable)?),
    };
    let mut writer = csv::Writer::from_writer(BufWriter::new(out));
    writer.write_record(header(columns)).with_context(unwritable)?;
    let mut written = Written::default();
    for post in posts {
        written.all[post.label as usize] += 1;
        written.in_incident[post.label as usize] += u64::from(post.in_incident);
        let SimulatedPost { id, created_at, author, text, label, in_incident } = post;
        let time = format!("{created_at:.3}");
        let mark = if in_incident { "1" } else { "0" };
        let record = [id.as_str(), &time, &author, &text, label.as_str(), topic, mark];
        writer.write_record(record).with_context(unwritable)?;
    }
    writer.flush().with_context(unwritable)?;
    Ok(written)
}

/// The dump's column names, so that the same flags read the stream.
fn header(columns: &Columns) -> [&str; 7] {
    let Columns { id, created_at, author, text, label, topic, incident, .. } = columns;
    let named = [id, created_at, author, text, label, topic, incident];
    let usual = ["id", "created_at", "author", "text", "label", "topic", "incident"];
    std::array::from_fn(|i| named[i].as_deref().unwrap_or(usual[i]))
}

/// On standard error, because the stream itself may go to standard output.
fn print_summary(
    args: &SimulateArgs,
    written: &Written,
    rhythm: &Rhythm,
    length: i64,
    incident: Option<SimulatedIncident>,
) {
    let (posts, hours) = (written.all.iter().sum::<u64>(), length / 3_600);
    let rate = posts as f64 / hours as f64;
    eprintln!(
        "{posts} posts in {hours} hours, {rate:.1} per hour, {} negative; written to {}",
        percent(written.all),
        args.out.display()
    );
    eprintln!("texts repeat: read it with --set window.cascade=0s, otherwise repeated texts are not counted");
    let Some(incident) = incident else { return };
    let at = |time| Timestamp::from_second(time).map(|time| time.to_string()).unwrap_or_default();
    let (posts, share) = (written.in_incident.iter().sum::<u64>(), percent(written.in_incident));
    eprintln!(
        "incident from {} to {}: {posts} posts, {share} negative; usual is {:.0}%",
        at(incident.begins),
        at(incident.ends()),
        rhythm.negative * 100.0
    );
}

fn percent(tally: Tally) -> String {
    let posts = tally.iter().sum::<u64>();
    format!("{:.0}%", tally[0] as f64 / posts.max(1) as f64 * 100.0)
}
