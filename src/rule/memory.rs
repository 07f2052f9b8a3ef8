//! [`Memory`]: what the conditions of a rule keep about a topic between evaluations. It is stored with the state of the
//! rule, so a restart does not change decisions.

use serde::{Deserialize, Serialize};

use super::negative_rate::RateMemory;
use super::negative_volume::VolumeMemory;
use super::no_data::SilenceMemory;
use super::rising::RisingMemory;
use super::spike::SpikeMemory;

/// It has the shape of its condition. A memory of another shape, left by another rule file, is replaced by an empty
/// one. It is stored: add variants at the end only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Memory {
    #[default]
    Nothing,
    /// For combined conditions: the index of the leading one, and the memory of each.
    Parts(u32, Vec<Memory>),
    Rate(RateMemory),
    Volume(VolumeMemory),
    Rising(Box<RisingMemory>),
    Silence(SilenceMemory),
    SpikeCondition(Box<SpikeMemory>),
}

impl Memory {
    /// The next time after `now` (both in Unix seconds) at which a condition may begin to hold without any new post.
    pub fn next_due(&self, now: i64) -> Option<i64> {
        match self {
            Self::Parts(_, parts) => parts.iter().filter_map(|part| part.next_due(now)).min(),
            Self::Silence(memory) => memory.due().filter(|due| *due > now),
            _ => None,
        }
    }

    /// A copy that differs whenever the memory does, and leaves out what is large: a copy is made at every evaluation.
    pub fn stamp(&self) -> Self {
        match self {
            Self::Parts(leading, parts) => Self::Parts(*leading, parts.iter().map(Self::stamp).collect()),
            Self::SpikeCondition(memory) => Self::SpikeCondition(Box::new(memory.stamp())),
            small => small.clone(),
        }
    }

    /// Moves what was learned by hour of the week by this many hours: the topic has another time zone.
    pub fn move_hours(&mut self, hours: usize) {
        match self {
            Self::Parts(_, parts) => parts.iter_mut().for_each(|part| part.move_hours(hours)),
            Self::SpikeCondition(memory) => memory.move_hours(hours),
            _ => {}
        }
    }

    /// Drops what depends on the model, because another model classifies posts from now on.
    pub fn restart(&mut self) {
        match self {
            Self::Parts(_, parts) => parts.iter_mut().for_each(Self::restart),
            Self::Nothing | Self::Silence(_) => {}
            // The number of posts does not depend on the model.
            Self::SpikeCondition(memory) if !memory.is_of_negative => {}
            _ => *self = Self::Nothing,
        }
    }
}
