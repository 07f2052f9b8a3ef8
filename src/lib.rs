//! vigie watches posts about a brand and alerts you to a backlash while it is still small.
//!
//! Data flows in one direction; the modules are listed in the order of their imports, importers first:
//!
//! ```text
//! sources ==Post==> classifier thread ==ClassifiedPost==> monitor thread (window -> rule -> alert) ==Transition==> notify
//!
//! main > cli > web > pipeline > config > {report, telemetry} > {notify, query} > monitor > alert > rule > window > {classify, source} > dump > post
//!      > {text, store, http_client} > {stats, chart, secret, clock, duration, language, metrics, logging}
//!
//! lab (imported by cli)      > classify, dump, post, text, stats, chart
//! simulate (imported by cli) > classify, dump, post
//! kernels (imported by classify)
//! ```
//!
//! Imports only go down this line; `tests/layering.rs` checks it. The stage that produces a type owns it, each module
//! has its own `Config`, and below `pipeline` time is always an argument. `classify`, `dump`, `post`, `stats` and
//! `text` are the crate `vigie-reading`, which the daemon and the lab share; `lab`, `chart` and `kernels` are separate
//! crates.

pub use vigie_chart as chart;
pub use vigie_http as http_client;
pub use vigie_lab as lab;
pub use vigie_reading::{classify, dump, post, stats, text};

pub mod alert;
pub mod cli;
pub mod clock;
pub mod config;
pub mod duration;
pub mod language;
pub mod logging;
pub mod metrics;
pub mod monitor;
pub mod notify;
pub mod pipeline;
pub mod query;
pub mod report;
pub mod rule;
pub mod secret;
pub mod simulate;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod web;
pub mod window;
