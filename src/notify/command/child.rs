//! Runs a program to its end or its timeout, and captures the beginning of its output.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes of output that are kept.
const MAX_OUTPUT: usize = 4 << 10;
/// How long to wait for more output after the end: a child process may keep the pipe open.
const OUTPUT_GRACE: Duration = Duration::from_millis(200);

/// The program to run.
pub(super) struct ProgramRun<'a> {
    pub(super) program: &'a Path,
    pub(super) args: &'a [String],
    pub(super) environment: BTreeMap<&'static str, String>,
    pub(super) input: Vec<u8>,
    pub(super) timeout: Duration,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunEnd {
    Code(i32),
    Signal(i32),
    /// Killed after the timeout.
    TimedOut,
}

impl ProgramRun<'_> {
    /// Runs the program. Returns how it ended, and what it wrote to standard error, or else to standard output.
    ///
    /// # Errors
    /// When it could not be started.
    pub(super) fn run(&self) -> std::io::Result<(RunEnd, String)> {
        let mut command = Command::new(self.program);
        command.args(self.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A separate process group, so that it can be killed with all its children.
        command.process_group(0);
        // The program must not see vigie's secrets and settings.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_ours(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.envs(&self.environment);
        let mut child = command.spawn()?;
        let output = [capture_output(child.stderr.take()), capture_output(child.stdout.take())];
        if let Some(mut stdin) = child.stdin.take() {
            let input = self.input.clone();
            // A program may exit without reading all of its input.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let end = wait(child, self.timeout);
        let texts = output.map(CapturedOutput::text);
        Ok((end, texts.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default()))
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("VIGIE_") || name == "CREDENTIALS_DIRECTORY" || name == "NOTIFY_SOCKET"
}

fn wait(mut child: Child, timeout: Duration) -> RunEnd {
    let group = child.id();
    let (ended, end) = channel();
    thread::spawn(move || ended.send(child.wait()));
    match end.recv_timeout(timeout) {
        Ok(status) => status.map_or(RunEnd::Signal(0), run_end),
        Err(_) => {
            kill_group(group);
            let _ = end.recv_timeout(OUTPUT_GRACE);
            RunEnd::TimedOut
        }
    }
}

/// Kills a process group. The standard library kills one process only, and a system call would need unsafe code.
fn kill_group(group: u32) {
    let script = "kill -s KILL -- \"-$1\"";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "vigie", &group.to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
    // It may have exited just now.
    let _ = shell.stderr(Stdio::null()).status();
}

fn run_end(status: ExitStatus) -> RunEnd {
    status.code().map_or_else(|| RunEnd::Signal(status.signal().unwrap_or_default()), RunEnd::Code)
}

/// The output captured from one pipe.
struct CapturedOutput {
    kept: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

/// Reads a pipe to its end, so that the writer never blocks, and keeps the beginning.
fn capture_output(pipe: Option<impl Read + Send + 'static>) -> CapturedOutput {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (close, closed) = channel();
    let keeping = kept.clone();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut pipe = pipe;
        while let Some(Ok(read @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
            let mut kept = keeping.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MAX_OUTPUT.saturating_sub(kept.len()).min(read);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
        }
        drop(close);
    });
    CapturedOutput { kept, closed }
}

impl CapturedOutput {
    fn text(self) -> String {
        let _ = self.closed.recv_timeout(OUTPUT_GRACE);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}
