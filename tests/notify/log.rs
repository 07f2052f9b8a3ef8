//! Captures everything that is logged while these tests run, by vigie and by its dependencies, at every level.

use std::io::Write;
use std::sync::{Mutex, Once};

static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        WRITTEN.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn capture() {
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(|| Keep)
            .init();
    });
}

/// The log since the last call, of any test: all tests search it for the same secrets.
pub(crate) fn take() -> String {
    String::from_utf8_lossy(&std::mem::take(&mut *WRITTEN.lock().unwrap())).into_owned()
}
