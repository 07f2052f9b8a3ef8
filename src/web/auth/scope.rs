//! [`Scope`]: what a token may do; and the role that a signed-in person needs for the same.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::sign_in::Role;

/// A part of the API. No scope includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Read posts, figures, incidents; read texts with the model.
    Read,
    /// Correct labels, write notes.
    Feedback,
    /// Acknowledge, silence, erase.
    Operate,
    /// Send posts.
    Ingest,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Read, Self::Feedback, Self::Operate, Self::Ingest];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Feedback => "feedback",
            Self::Operate => "operate",
            Self::Ingest => "ingest",
        }
    }

    /// The role that a signed-in person needs for the same.
    pub(in crate::web) fn role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Feedback => Role::Analyst,
            Self::Operate | Self::Ingest => Role::Operator,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Scopes as one text: `read, feedback`.
pub fn list_scopes(scopes: &BTreeSet<Scope>) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}
