//! [`Memory`]: what a rule's conditions keep on a topic from one evaluation to the next. It is stored with the rule's
//! state: after a restart a rule goes on as if nothing had been.

use serde::{Deserialize, Serialize};

use super::negative_rate::RateMemory;
use super::negative_volume::VolumeMemory;
use super::rising::RisingMemory;

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
}

impl Memory {
    /// Forgets what was learnt of rates: another model reads the posts from now on.
    pub fn restart(&mut self) {
        match self {
            Self::Parts(_, parts) => parts.iter_mut().for_each(Self::restart),
            Self::Nothing => {}
            _ => *self = Self::Nothing,
        }
    }
}
