//! The SMTP server of `smtpd.py`, started for one test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::common::repository;

/// A server, and the mails it accepted.
pub(crate) struct Smtpd {
    process: Child,
    folder: TempDir,
    pub(crate) port: u16,
}

/// A mail that the server accepted.
pub(crate) struct Kept {
    /// The recipients.
    pub(crate) to: String,
    pub(crate) content: String,
}

impl Drop for Smtpd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether aiosmtpd is installed; prints a notice if not.
fn is_here() -> bool {
    static HERE: OnceLock<bool> = OnceLock::new();
    *HERE.get_or_init(|| {
        let import = python().args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    })
}

/// With the Python environment that `tests/run` installs.
fn python() -> Command {
    let mut command = Command::new("python3");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let theirs = std::env::var_os("PYTHONPATH").map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    let paths = theirs.unwrap_or_default().into_iter().chain([target.join("tools/aiosmtpd")]);
    if let Ok(paths) = std::env::join_paths(paths) {
        command.env("PYTHONPATH", paths);
    }
    command
}

impl Smtpd {
    /// None if the server is not installed; the test is then skipped.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        if !is_here() {
            println!("skipped: aiosmtpd not found (tests/run brings it)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut process = python()
            .arg("-Wignore")
            .arg(repository("tests/notify/smtpd.py"))
            .arg(folder.path())
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(port) = line.trim().parse() else {
            let mut said = String::new();
            let _ = process.stderr.take().unwrap().read_to_string(&mut said);
            panic!("no SMTP server: {said}");
        };
        Some(Self { process, folder, port })
    }

    /// With this TLS mode and certificate.
    pub(crate) fn with_tls(tls: &str, certificate: &str, options: &[&str]) -> Option<Self> {
        let tests = repository("tests/fixtures/tls");
        let certificate = tests.join(format!("{certificate}.pem")).display().to_string();
        let key = tests.join("server.key").display().to_string();
        Self::start(&[&["--tls", tls, "--cert", &certificate, "--key", &key], options].concat())
    }

    /// In order of arrival.
    pub(crate) fn mails(&self) -> Vec<Kept> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "mail")).collect();
        files.sort();
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            let (to, content) = text.split_once('\n').unwrap();
            Kept { to: to.to_owned(), content: content.to_owned() }
        };
        files.iter().map(read).collect()
    }

    pub(crate) fn served(&self) -> Vec<String> {
        self.mails().into_iter().map(|mail| mail.to).collect()
    }
}
