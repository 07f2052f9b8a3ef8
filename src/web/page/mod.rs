//! Pages for people, one file per page.

pub(super) mod analyse;
pub(super) mod audit;
pub(super) mod backtest;
mod chart;
pub(super) mod incident;
mod incident_summary;
pub(super) mod incidents;
pub(super) mod model;
pub(super) mod overview;
pub(super) mod posts;
mod rendered;
pub(super) mod sign_in;
pub(super) mod sources;
mod templates;
mod time_range;
mod visitor;

pub use templates::Pages;
