//! Runs in MLflow: the real server stores and returns them, and after any failure each run is there exactly once.
#![allow(clippy::print_stdout, reason = "a test that skips says so")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod kills;
mod kit;
mod real;
mod server;
mod stub;
