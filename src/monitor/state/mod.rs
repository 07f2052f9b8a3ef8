//! The monitor's stored state as a whole: its tables, a report on them, check, repair, export and import. For `vigie store`.

pub(crate) mod check;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod schema;

#[cfg(test)]
mod upgrade_tests;
