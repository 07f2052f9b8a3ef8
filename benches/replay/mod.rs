//! Runs `vigie replay` for the benches, and measures it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The figures of one replay.
pub(crate) struct Run {
    pub(crate) posts_per_second: f64,
    pub(crate) peak_mb: f64,
}

/// Replays the `posts` of `dump`, with labels from the file. `state`: the state to keep, which also keeps posts.
pub(crate) fn replay(vigie: &Path, dump: &Path, state: Option<&Path>, posts: u64) -> Run {
    let started = Instant::now();
    let mut command = Command::new(vigie);
    command.args(["replay", "--labels", "column", "--format", "json"]).arg(dump);
    command.current_dir(dump.parent().unwrap()).stdout(Stdio::null());
    if let Some(state) = state {
        command.arg("--state").arg(state);
    }
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak.max(high_water_kb(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
    Run { posts_per_second: posts as f64 / started.elapsed().as_secs_f64(), peak_mb: peak as f64 / 1024.0 }
}

/// Peak resident memory of the process, from Linux.
fn high_water_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}
