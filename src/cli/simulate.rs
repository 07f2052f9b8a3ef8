//! `vigie simulate`: a stream of posts drawn from a real dump, with an incident put in, as a dump of its own.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::reader_flags::ReaderFlags;
use super::{ConfigFlags, span};
use crate::dump::{Columns, Input};
use crate::simulate::{Crowd, Flow, Habits, Incident, Posts, Rhythm, Shape, SimulatedPost, Swing, Tally};

/// Draw a stream of posts from a labelled dump, with an incident put in
///
/// Hours have the dump's rhythm and swing, posts its texts and labels; authors are made up. The same flags draw the same
/// stream. `vigie replay` and `vigie backtest` read it as they read the dump; its column `incident` is 1 for every post
/// written during the incident. Give them `--set window.cascade=0s`: texts come again and again, and would vote once.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// A labelled dump; `-` is standard input
    #[arg(value_name = "DUMP")]
    dump: String,
    /// CSV file to write; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Draw from what the dump has of one topic, as its topic column names it
    #[arg(long)]
    topic: Option<String>,
    /// How long the stream is [default: 7 days]
    #[arg(long, value_name = "N", conflicts_with = "hours", value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: Option<u32>,
    #[arg(long, value_name = "N", help = "The same in hours", value_parser = clap::value_parser!(u32).range(1..))]
    hours: Option<u32>,
    /// When it begins
    #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z")]
    start: Timestamp,
    /// Posts an hour, in the mean over the day [default: as in the dump]
    #[arg(long, value_name = "POSTS_PER_HOUR")]
    rate: Option<f64>,
    /// The same number draws the same stream
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

/// What is put in.
#[derive(Debug, Args)]
#[command(next_help_heading = "The incident")]
struct IncidentFlags {
    /// When it begins, after the stream's start, such as 36h or 5d; no incident without this
    #[arg(long, value_name = "LENGTH", value_parser = span::parse_from_zero)]
    incident_at: Option<SignedDuration>,
    /// How many points the share of negative posts is above the usual at full height
    #[arg(long, value_name = "POINTS", default_value_t = 20.0, requires = "incident_at")]
    lift: f64,
    /// `sudden` is at full height at once, `slow` grows evenly for --ramp
    #[arg(long, value_enum, default_value_t = ShapeFlag::Sudden, requires = "incident_at")]
    shape: ShapeFlag,
    /// How long a slow one grows
    #[arg(long, value_name = "LENGTH", default_value = "3h", value_parser = span::parse, requires = "incident_at")]
    ramp: SignedDuration,
    /// How long it lasts
    #[arg(long, value_name = "LENGTH", default_value = "6h", value_parser = span::parse, requires = "incident_at")]
    incident_length: SignedDuration,
    /// `added` people write beside the usual ones, all of them negative; or as many write as ever and their posts are
    /// `replaced` by negative ones, which only the share tells
    #[arg(long, value_enum, default_value_t = CrowdFlag::Added, requires = "incident_at")]
    crowd: CrowdFlag,
}

/// How much days and hours differ.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it swings beyond chance")]
struct SwingFlags {
    /// Variance of an hour's volume over its squared mean [default: as in the dump]
    #[arg(long, value_name = "NUMBER")]
    burstiness: Option<f64>,
    /// The same of a day's volume [default: as in the dump]
    #[arg(long, value_name = "NUMBER")]
    day_swing: Option<f64>,
    /// Correlation of two posts of an hour in being negative, from 0 to below 1 [default: as in the dump]
    #[arg(long, value_name = "NUMBER")]
    share_swing: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShapeFlag {
    Sudden,
    Slow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CrowdFlag {
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
    let faulty = args.rate.filter(|rate| !(rate.is_finite() && *rate > 0.0 && *rate <= 1e6));
    if let Some(rate) = faulty {
        bail!("--rate is {rate}; wanted posts an hour, above 0 and at most 1000000");
    }
    // All flags are judged before a dump of any size is read.
    let begin = args.start.as_second() - args.start.as_second().rem_euclid(60);
    let incident = args.incident.incident(begin, length)?;
    args.swing.check()?;

    let habits = Habits::read(&Input::parse(&args.dump), &options, args.topic.as_deref())?;
    if let Some(incident) = incident {
        check_height(&habits, &incident)?;
    }
    let swing = args.swing.over(habits.rhythm.swing);
    let rate = args.rate.unwrap_or(habits.rhythm.posts_per_hour);
    let mut flow = Flow::new(Arc::new(habits.rhythm.clone()), begin, args.seed).with_volume(rate).with_swing(swing);
    if let Some(incident) = incident {
        flow = flow.with_incident(incident);
    }
    let posts = Posts::new(flow, begin + length, habits.deck, args.seed);
    let topic = args.topic.as_deref().unwrap_or("simulated");
    let drawn = write(args, &options.columns, posts, topic)?;
    tell(args, &drawn, &habits.rhythm, length, incident);
    Ok(())
}

impl IncidentFlags {
    fn incident(&self, begin: i64, stream: i64) -> anyhow::Result<Option<Incident>> {
        let Some(at) = self.incident_at else { return Ok(None) };
        if !(self.lift.is_finite() && self.lift > 0.0 && self.lift < 100.0) {
            bail!("--lift is {}; wanted points of a share, above 0 and below 100, such as 20", self.lift);
        }
        let (at, length, ramp) = (at.as_secs(), self.incident_length.as_secs(), self.ramp.as_secs());
        if at >= stream {
            bail!("--incident-at lies behind the stream's end: it is {} hours long", stream / 3_600);
        }
        if self.shape == ShapeFlag::Slow && ramp > length {
            bail!("--ramp is longer than --incident-length: the incident would end before its full height");
        }
        let shape = match self.shape {
            ShapeFlag::Sudden => Shape::Sudden,
            ShapeFlag::Slow => Shape::Slow { ramp },
        };
        let crowd = match self.crowd {
            CrowdFlag::Added => Crowd::Added,
            CrowdFlag::Replaced => Crowd::Replaced,
        };
        let begins = begin + at - at.rem_euclid(60);
        Ok(Some(Incident {
            begins,
            length: length.min(begin + stream - begins),
            lift: self.lift / 100.0,
            shape,
            crowd,
        }))
    }
}

fn check_height(habits: &Habits, incident: &Incident) -> anyhow::Result<()> {
    let usual = habits.rhythm.negative;
    if usual == 0.0 {
        bail!("the dump has no negative post to draw an incident from");
    }
    if usual + incident.lift > 0.98 {
        let (usual, most) = (usual * 100.0, (0.98 - usual) * 100.0);
        bail!(
            "--lift is {:.0}: {usual:.0} % of posts are negative usually, which leaves at most {most:.0} points",
            incident.lift * 100.0
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
        for (flag, value, most) in flags {
            if let Some(value) = value.filter(|value| !(0.0..=most).contains(value)) {
                bail!("{flag} is {value}; wanted from 0 to {most}");
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

/// What was written: all posts, and those of the incident, by label.
#[derive(Debug, Default)]
struct Drawn {
    all: Tally,
    in_incident: Tally,
}

fn write(args: &SimulateArgs, columns: &Columns, posts: Posts, topic: &str) -> anyhow::Result<Drawn> {
    let unwritable = || format!("{} cannot be written", args.out.display());
    let out: Box<dyn Write> = match args.out.to_str() {
        Some("-") => Box::new(io::stdout().lock()),
        _ => Box::new(File::create(&args.out).with_context(unwritable)?),
    };
    let mut writer = csv::Writer::from_writer(BufWriter::new(out));
    writer.write_record(header(columns)).with_context(unwritable)?;
    let mut drawn = Drawn::default();
    for post in posts {
        drawn.all[post.label as usize] += 1;
        drawn.in_incident[post.label as usize] += u64::from(post.in_incident);
        let SimulatedPost { id, created_at, author, text, label, in_incident } = post;
        let time = format!("{created_at:.3}");
        let mark = if in_incident { "1" } else { "0" };
        let record = [id.as_str(), &time, &author, &text, label.as_str(), topic, mark];
        writer.write_record(record).with_context(unwritable)?;
    }
    writer.flush().with_context(unwritable)?;
    Ok(drawn)
}

/// Named as the dump's own, so that what read the dump reads the stream.
fn header(columns: &Columns) -> [&str; 7] {
    let Columns { id, created_at, author, text, label, topic, incident, .. } = columns;
    let named = [id, created_at, author, text, label, topic, incident];
    let usual = ["id", "created_at", "author", "text", "label", "topic", "incident"];
    std::array::from_fn(|i| named[i].as_deref().unwrap_or(usual[i]))
}

/// On standard error, as the stream itself may go to standard output.
fn tell(args: &SimulateArgs, drawn: &Drawn, rhythm: &Rhythm, length: i64, incident: Option<Incident>) {
    let (posts, hours) = (drawn.all.iter().sum::<u64>(), length / 3_600);
    let rate = posts as f64 / hours as f64;
    eprintln!(
        "{posts} posts in {hours} hours, {rate:.1} an hour, {} negative; in {}",
        percent(drawn.all),
        args.out.display()
    );
    eprintln!("texts come again and again: read it with --set window.cascade=0s, or repeats do not vote");
    let Some(incident) = incident else { return };
    let at = |time| Timestamp::from_second(time).map(|time| time.to_string()).unwrap_or_default();
    let (posts, share) = (drawn.in_incident.iter().sum::<u64>(), percent(drawn.in_incident));
    eprintln!(
        "incident from {} to {}: {posts} posts, {share} negative; usual are {:.0} %",
        at(incident.begins),
        at(incident.ends()),
        rhythm.negative * 100.0
    );
}

fn percent(tally: Tally) -> String {
    let posts = tally.iter().sum::<u64>();
    format!("{:.0} %", tally[0] as f64 / posts.max(1) as f64 * 100.0)
}
