//! [`Progress`]: how far a retraining is, as JSON lines for the daemon; and the end of a retraining whose daemon is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::ProgressBar;

const INTERVAL: Duration = Duration::from_millis(300);

/// Waits for the end of standard input, which the daemon holds open, and then ends the process: nobody reads the result.
fn end_with_daemon() {
    // A failure to read is an end, too.
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    std::process::exit(1);
}

/// Prints until it is stopped.
pub(super) struct Progress {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Prints nothing unless `prints`.
    pub(super) fn start(prints: bool, bar: &ProgressBar) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let (bar, flag) = (bar.clone(), stopped.clone());
        let thread = prints.then(|| {
            std::thread::spawn(end_with_daemon);
            std::thread::spawn(move || {
                while !flag.load(Ordering::Relaxed) {
                    let (read, posts) = (bar.position(), bar.length().unwrap_or_default());
                    println!("{}", serde_json::json!({ "read": read, "posts": posts }));
                    std::thread::park_timeout(INTERVAL);
                }
            })
        });
        Self { stopped, thread }
    }

    /// Nothing is printed after it returns.
    pub(super) fn stop(self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread {
            thread.thread().unpark();
            // A thread that panicked has nothing left to print.
            let _ = thread.join();
        }
    }
}
