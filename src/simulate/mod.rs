//! Streams drawn from a real dump: its rhythm over the day, its swings, its texts and labels, with an incident put in whose
//! beginning and height are known. What a backtest and the benchmark of detection are tried on.
//!
//! ```text
//! dump --> Habits { Rhythm, Deck } --> Flow: counts per minute --> Posts: texts, times, authors for each count
//! ```
//!
//! A [`Flow`] alone is enough, and much faster, where only counts are wanted; [`Posts`] of the same seed have those counts.
//! Everything follows from the seed: one generator draws counts, another what the posts are made of.

mod arrival_process;
mod incident;
mod posts;
mod rhythm;
mod stream_profile;
mod text_sampler;

pub use arrival_process::{Flow, Minute};
pub use incident::{Crowd, Incident, Shape};
pub use posts::{Posts, SimulatedPost};
pub use rhythm::{Rhythm, Swing};
pub use stream_profile::{Habits, HabitsError};
pub use text_sampler::Deck;

/// Seconds that a [`Minute`] is long.
pub const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Posts by label, in the order of [`Label::ALL`](crate::classify::Label::ALL).
pub type Tally = [u64; 3];

#[cfg(test)]
mod tests;
