//! The notifiers against real and simulated servers: a stub for HTTP, a real SMTP server, the real Alertmanager.
#![allow(clippy::print_stdout, reason = "what is skipped is said")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers: a panic there is the failure it should be")]

#[path = "../common/mod.rs"]
mod common;

mod alertmanager;
mod channels;
mod command;
mod contracts;
mod email;
mod kit;
mod log;
mod send_test;
mod smtp;
mod stub;
