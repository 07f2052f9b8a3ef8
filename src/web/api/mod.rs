//! The local HTTP API, one file per resource.

pub(super) mod alerts;
pub(super) mod classify;
pub(super) mod erase;
pub(super) mod feedback;
pub(super) mod posts;
pub(super) mod report;
