//! The daemon as a process: started, fed, asked, reloaded, killed and stopped, with the fake X API beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "../fake_x/mod.rs"]
mod fake_x;

mod api;
mod backtest;
mod console;
mod disk;
mod feedback;
mod http;
mod https;
mod kill;
mod life;
mod process;
mod prometheus;
mod receivers;
mod reload;
mod retrain;
mod schemathesis;
mod soak;
mod telemetry;
mod x;
