//! Pages for people, one file per page.

pub(super) mod incident;
pub(super) mod overview;
mod templates;

pub use templates::Pages;
