//! Logging: events to standard error, filtered by `RUST_LOG`. No event holds the text or the author of a post.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging for a command; `default` is the filter without `RUST_LOG`, such as `warn`.
pub fn start(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    // A second start is a test's, and changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}
