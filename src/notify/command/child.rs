//! Runs a program to its end, or for as long as it may take, and keeps the beginning of what it says.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// So much of what it says is kept.
const KEPT: usize = 4 << 10;
/// After its end, what it started may hold its output open: that long, no one waits for more.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What is run.
pub(super) struct Run<'a> {
    pub(super) program: &'a Path,
    pub(super) args: &'a [String],
    pub(super) environment: BTreeMap<&'static str, String>,
    pub(super) input: Vec<u8>,
    pub(super) timeout: Duration,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Code(i32),
    Signal(i32),
    /// By us, as it took too long.
    Late,
}

impl Run<'_> {
    /// How it ended, and what it wrote on standard error, or else on standard output.
    ///
    /// # Errors
    /// When it could not be started.
    pub(super) fn to_end(&self) -> std::io::Result<(End, String)> {
        let mut command = Command::new(self.program);
        command.args(self.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group, so that it can be ended with all that it started.
        command.process_group(0);
        // vigie's secrets and settings are not for it.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_ours(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command.envs(&self.environment);
        let mut child = command.spawn()?;
        let output = [listen(child.stderr.take()), listen(child.stdout.take())];
        if let Some(mut stdin) = child.stdin.take() {
            let input = self.input.clone();
            // One that ends without reading everything has had what it wanted.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let end = wait(child, self.timeout);
        let said = output.map(Heard::text);
        Ok((end, said.into_iter().find(|said| !said.trim().is_empty()).unwrap_or_default()))
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("VIGIE_") || name == "CREDENTIALS_DIRECTORY" || name == "NOTIFY_SOCKET"
}

fn wait(mut child: Child, timeout: Duration) -> End {
    let group = child.id();
    let (ended, end) = channel();
    thread::spawn(move || ended.send(child.wait()));
    match end.recv_timeout(timeout) {
        Ok(status) => status.map_or(End::Signal(0), end_of),
        Err(_) => {
            end_group(group);
            let _ = end.recv_timeout(LAST_WORDS);
            End::Late
        }
    }
}

/// The standard library ends one process only, and a call of the system's own would be unsafe code.
fn end_group(group: u32) {
    let script = "kill -s KILL -- \"-$1\"";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", script, "vigie", &group.to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
    // It may have ended by itself just now.
    let _ = shell.stderr(Stdio::null()).status();
}

fn end_of(status: ExitStatus) -> End {
    status.code().map_or_else(|| End::Signal(status.signal().unwrap_or_default()), End::Code)
}

/// What one pipe holds, as far as it came.
struct Heard {
    kept: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

/// Reads all there is, so that nobody blocks on writing, and keeps the beginning.
fn listen(pipe: Option<impl Read + Send + 'static>) -> Heard {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (close, closed) = channel();
    let keeping = kept.clone();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut pipe = pipe;
        while let Some(Ok(read @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
            let mut kept = keeping.lock().unwrap_or_else(PoisonError::into_inner);
            let room = KEPT.saturating_sub(kept.len()).min(read);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
        }
        drop(close);
    });
    Heard { kept, closed }
}

impl Heard {
    fn text(self) -> String {
        let _ = self.closed.recv_timeout(LAST_WORDS);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}
