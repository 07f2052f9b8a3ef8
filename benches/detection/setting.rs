//! The settings of the benchmark: volumes, kinds of incident, and number of streams.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vigie::config::LoadedConfig;
use vigie::dump::{Inputs, ReadOptions};
use vigie::rule::Rules;
use vigie::simulate::{
    ArrivalProcess, IncidentKind, IncidentShape, PeopleArrivals, Rhythm, Sessions, SimulatedIncident, StreamProfile,
    Swing,
};

use crate::stream::Stream;

pub(crate) const DAY: i64 = 86_400;
/// Duration of an incident, and time limit of its detection.
pub(crate) const INCIDENT: i64 = 6 * 3_600;
const RAMP: i64 = 3 * 3_600;

/// The size of the benchmark.
#[derive(Debug)]
pub(crate) struct Scale {
    pub(crate) volumes: Vec<f64>,
    /// Streams of 30 days, for choosing thresholds.
    pub(crate) calibration: u64,
    /// Streams for counting the false alarms of the rules, and their length in months.
    pub(crate) calm: (u64, u64),
    /// Streams with incidents, and the number of incidents in each.
    pub(crate) troubled: (u64, u64),
    /// No incidents, and no baselines.
    pub(crate) only_false_alarms: bool,
    /// Only the streams of people.
    pub(crate) only_people: bool,
    rules: PathBuf,
}

impl Scale {
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut scale = Self {
            volumes: vec![20.0, 100.0, 500.0, 2_000.0],
            calibration: 100,
            calm: (10, 12),
            troubled: (8, 30),
            only_false_alarms: false,
            only_people: false,
            rules: root.join("config/rules.toml"),
        };
        let mut args = args.peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => {
                    let volumes = vec![100.0, 500.0];
                    scale = Self { volumes, calibration: 30, calm: (4, 6), troubled: (4, 10), ..scale };
                }
                "--false-alarms" => scale.only_false_alarms = true,
                "--people" => scale.only_people = true,
                "--rules" => scale.rules = args.next().expect("--rules needs a file").into(),
                "--volumes" => {
                    let list = args.next().expect("--volumes needs numbers");
                    scale.volumes = list.split(',').map(|volume| volume.parse().unwrap()).collect();
                }
                _ => {} // arguments added by cargo
            }
        }
        scale
    }

    pub(crate) fn rules(&self) -> Rules {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/vigie.toml");
        LoadedConfig::find(Some(&config), Some(&self.rules)).unwrap().rules
    }
}

/// The dump from which streams are simulated.
#[derive(Debug)]
pub(crate) struct World {
    name: String,
    pub(crate) rhythm: Arc<Rhythm>,
    sessions: Arc<Sessions>,
}

/// One kind of stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamKind {
    pub(crate) name: &'static str,
    swing: Swing,
    /// Whether people write as often as those of the dump; else each post is of another person.
    pub(crate) people: bool,
}

impl World {
    pub(crate) fn of_airline_dump() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let whole = Some(root.join("../shared/data/airline/tweets.csv")).filter(|path| path.exists());
        let path = whole.unwrap_or_else(|| {
            println!("../shared/data/airline/tweets.csv not found: using the slice in tests/data");
            root.join("tests/data/airline.csv")
        });
        let profile = StreamProfile::read(&Inputs::expand(&[&path]).unwrap(), &ReadOptions::default(), None).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        Self {
            name: format!("{name}, {} posts", profile.posts),
            rhythm: Arc::new(profile.rhythm),
            sessions: Arc::new(profile.sessions.expect("the dump names its authors")),
        }
    }

    pub(crate) fn describe(&self) {
        let Rhythm { posts_per_hour, negative, swing, .. } = &*self.rhythm;
        println!(
            "Simulated from {}: {posts_per_hour:.1} per hour, {:.1}% negative; variance of days {:.3}, of hours {:.3}; \
             correlation of posts within an hour {:.4}.",
            self.name,
            negative * 100.0,
            swing.day,
            swing.hour,
            swing.share
        );
        let (sessions, mean) = (self.sessions.count(), self.sessions.mean_posts());
        println!(
            "{sessions} times a person began to write: {mean:.2} posts within 24 hours; {:.1}% of the posts are not the first of them.",
            self.sessions.further_share() * 100.0
        );
    }

    /// With independent posts, with the correlation of the dump, and with its people.
    pub(crate) fn streams(&self) -> [StreamKind; 3] {
        let swing = self.rhythm.swing;
        let independent = Swing { share: 0.0, ..swing };
        [
            ("with the varying volume of the dump and independent posts", independent, false),
            ("with the varying volume and negative share of the dump", swing, false),
            (
                "with the varying volume of the dump, of people who write as often and as alike as its own",
                independent,
                true,
            ),
        ]
        .map(|(name, swing, people)| StreamKind { name, swing, people })
    }
}

/// One volume of one kind of stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) world: &'a World,
    pub(crate) stream: StreamKind,
    pub(crate) volume: f64,
    pub(crate) scale: &'a Scale,
}

impl Setting<'_> {
    /// A stream that begins on a Monday.
    pub(crate) fn arrivals(&self, seed: u64) -> Stream {
        let monday = 4 * DAY;
        let arrivals = ArrivalProcess::new(Arc::clone(&self.world.rhythm), monday, seed)
            .with_volume(self.volume)
            .with_swing(self.stream.swing);
        match self.stream.people {
            true => Stream::People(Box::new(PeopleArrivals::new(arrivals, Arc::clone(&self.world.sessions), seed))),
            false => Stream::Posts(Box::new(arrivals)),
        }
    }
}

/// One kind of incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kind {
    pub(crate) posts: IncidentKind,
    pub(crate) shape: IncidentShape,
    pub(crate) points: u32,
}

impl Kind {
    pub(crate) fn all() -> Vec<Self> {
        let mut kinds = Vec::new();
        for posts in [IncidentKind::Added, IncidentKind::Replaced] {
            for shape in [IncidentShape::Sudden, IncidentShape::Slow { ramp: RAMP }] {
                kinds.extend([5, 10, 20, 30].map(|points| Self { posts, shape, points }));
            }
        }
        kinds
    }

    pub(crate) fn incident(self, begins: i64) -> SimulatedIncident {
        SimulatedIncident {
            begins,
            length: INCIDENT,
            rate_increase: f64::from(self.points) / 100.0,
            shape: self.shape,
            kind: self.posts,
        }
    }
}
