//! [`Memory`]: what a rule's conditions keep on a topic from one evaluation to the next. It is stored with the rule's
//! state: after a restart a rule goes on as if nothing had been.

use serde::{Deserialize, Serialize};

use super::negative_rate::RateMemory;
use super::negative_volume::VolumeMemory;
use super::no_data::SilenceMemory;
use super::rising::RisingMemory;
use super::spike::SpikeMemory;

/// Shaped as the condition it belongs to. One of another shape, left by another rule file, is replaced by an empty one.
/// On disk: variants are added at the end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Memory {
    #[default]
    Nothing,
    /// Of combined conditions: which of them leads, and each one's own.
    Parts(u32, Vec<Memory>),
    Rate(RateMemory),
    Volume(VolumeMemory),
    Rising(Box<RisingMemory>),
    Silence(SilenceMemory),
    Spike(Box<SpikeMemory>),
}

impl Memory {
    /// When a condition may begin to hold though nothing happens; Unix seconds after `now`.
    pub fn wakes(&self, now: i64) -> Option<i64> {
        match self {
            Self::Parts(_, parts) => parts.iter().filter_map(|part| part.wakes(now)).min(),
            Self::Silence(memory) => memory.due().filter(|due| *due > now),
            _ => None,
        }
    }

    /// Forgets what was learnt of rates: another model reads the posts from now on.
    pub fn restart(&mut self) {
        match self {
            Self::Parts(_, parts) => parts.iter_mut().for_each(Self::restart),
            Self::Nothing | Self::Silence(_) => {}
            // How many wrote is the same, whoever reads it.
            Self::Spike(memory) if !memory.is_of_negative => {}
            _ => *self = Self::Nothing,
        }
    }
}
