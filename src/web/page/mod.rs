//! Pages for people, one file per page.

pub(super) mod incident;
pub(super) mod overview;
