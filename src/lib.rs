//! vigie, the lookout: watches what people post about a brand and warns of a bad buzz while it is still small.
//!
//! Data flows one way, and the modules below stand in the order of their imports, the last ones first:
//!
//! ```text
//! sources ==Post==> classifier thread (text + classify) ==ClassifiedPost==> monitor (window -> rule -> alert) ==Transition==> notify
//!
//! main > cli > web > pipeline > config > notify > monitor > alert > rule > window > classify > text > source > {store, metrics, logging, canvas}
//! lab > classify > text > source        (only cli imports lab)
//! ```
//!
//! Imports go strictly down that line; `tests/layering.rs` checks it. The stage that emits a type owns it, each module
//! has its own `Config`, and time is an argument everywhere below `pipeline`.

pub use vigie_chart as chart;
pub use vigie_lab as lab;
pub use vigie_reading::{classify, dump, post, text};

pub mod alert;
pub mod cli;
pub mod clock;
pub mod config;
pub mod language;
pub mod logging;
pub mod metrics;
pub mod monitor;
pub mod notify;
pub mod pipeline;
pub mod rule;
pub mod secret;
pub mod simulate;
pub mod source;
pub mod store;
pub mod web;
pub mod window;
