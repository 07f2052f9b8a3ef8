//! Simulates streams of posts from a real dump: its rhythm over the day, its swings, its texts and labels, with an incident
//! of known start and size. Test data for backtests and for the detection benchmark.
//!
//! ```text
//! dump --> StreamProfile { Rhythm, TextSampler } --> ArrivalProcess: counts per minute --> SimulatedPosts: texts, times, authors for each count
//! ```
//!
//! [`PeopleArrivals`] are counts by person: as many posts of one person, as close together and as alike, as in the dump.
//!
//! An [`ArrivalProcess`] alone is enough, and much faster, if only counts are needed; [`SimulatedPosts`] with the same seed
//! have the same counts. Everything is determined by the seed: one random generator draws counts, another one texts, times
//! and authors.

mod arrival_process;
mod incident;
mod rhythm;
mod sessions;
mod simulated_posts;
mod stream_profile;
mod text_sampler;

pub use arrival_process::{ArrivalProcess, MinuteCounts};
pub use incident::{IncidentKind, IncidentShape, SimulatedIncident};
pub use rhythm::{Rhythm, Swing};
pub use sessions::{MinuteOfPeople, PeopleArrivals, Sessions};
pub use simulated_posts::{SimulatedPost, SimulatedPosts};
pub use stream_profile::{StreamProfile, StreamProfileError};
pub use text_sampler::TextSampler;

/// Seconds per minute: the length of a [`MinuteCounts`].
pub const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Number of posts by label, in the order of [`Label::ALL`](crate::classify::Label::ALL).
pub type Tally = [u64; 3];

#[cfg(test)]
mod tests;
