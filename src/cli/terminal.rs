//! The terminal: [`Screen`] draws frames of styled [`Line`]s and reads [`Key`]s. `vigie top` uses it.
//!
//! A frame is a list of lines, so it needs no widget library, which would add two dozen crates.

mod keys;
mod style;

use std::io::{self, Write};
use std::sync::Mutex;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

pub(super) use keys::Key;
pub(super) use style::{Colour, Line, Span, Style, columns};

/// Switches to the alternate screen, clears it, hides the cursor and turns off line wrapping.
const ENTER: &str = "\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?7l";
/// Undoes [`ENTER`].
const LEAVE: &str = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Synchronised output: the terminal shows all that is written between these two at once.
const BEGIN_UPDATE: &str = "\x1b[?2026h";
const END_UPDATE: &str = "\x1b[?2026l";
/// Timeout for the rest of an escape sequence that arrives in two parts.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(25);

/// The settings of the terminal before it was opened; `None` while no screen is open.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal while it is drawn on. Its settings are restored on drop and by a panic.
pub(super) struct Screen {
    /// The lines on the screen, with their escape sequences.
    drawn: Vec<String>,
    size: (u16, u16),
}

impl Screen {
    /// # Errors
    /// If standard input is not a terminal.
    pub(super) fn open() -> io::Result<Self> {
        let saved = tcgetattr(io::stdin())?;
        let mut raw = saved.clone();
        raw.make_raw();
        *SAVED.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(saved);
        restore_on_panic();
        // From here on, `Drop` restores the settings.
        let screen = Self { drawn: Vec::new(), size: (0, 0) };
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        write(ENTER)?;
        Ok(screen)
    }

    /// Shows the lines that `frame` returns for the number of columns and rows. Sends only the lines that changed.
    pub(super) fn draw(&mut self, frame: impl FnOnce(u16, u16) -> Vec<Line>) -> io::Result<()> {
        let size = size().unwrap_or((80, 24));
        let mut output = String::from(BEGIN_UPDATE);
        if size != self.size {
            output += "\x1b[0m\x1b[2J";
            (self.size, self.drawn) = (size, vec![String::new(); size.1.into()]);
        }
        let lines = frame(size.0, size.1).into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        for (row, (drawn, line)) in self.drawn.iter_mut().zip(lines).enumerate() {
            let line = line.map(|line| line.cut(size.0.into()).escaped()).unwrap_or_default();
            if *drawn != line {
                output += &format!("\x1b[{};1H\x1b[0m\x1b[2K{line}", row + 1);
                *drawn = line;
            }
        }
        write(&(output + END_UPDATE))
    }

    /// The keys pressed since the last call; waits at most `timeout` for the first one.
    pub(super) fn keys(&mut self, timeout: Duration) -> io::Result<Vec<Key>> {
        let mut bytes = Vec::new();
        if !is_ready(timeout)? {
            return Ok(Vec::new());
        }
        if read(&mut bytes)? == 0 {
            return Ok(vec![Key::HangUp]);
        }
        if bytes.ends_with(b"\x1b") && is_ready(SEQUENCE_TIMEOUT)? {
            read(&mut bytes)?;
        }
        Ok(keys::parse(&bytes))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Columns and rows of the terminal on standard output.
pub(super) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Whether there is input to read. A terminal that was closed counts as ready: the read then reports its end.
fn is_ready(timeout: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
    let timeout = Timespec::try_from(timeout).map_err(io::Error::other)?;
    match poll(&mut waited, Some(&timeout)) {
        Ok(ready) => Ok(ready > 0),
        // A signal, e.g. because the size changed.
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads without the buffer of the standard library, whose content `poll` cannot see.
fn read(bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 256];
    let count = match rustix::io::read(io::stdin(), &mut buffer) {
        Ok(count) => count,
        // The terminal was closed.
        Err(rustix::io::Errno::IO) => 0,
        Err(error) => return Err(error.into()),
    };
    bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
    Ok(count)
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Restores the settings of a terminal that may take no more output.
pub(super) fn abandon() {
    if let Ok(mut saved) = SAVED.try_lock()
        && let Some(saved) = saved.take()
    {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &saved);
    }
}

fn restore() {
    let saved = SAVED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    if let Some(saved) = saved {
        // Fails if the terminal was closed: then there is nothing to restore.
        let _ = write(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &saved);
    }
}

/// Otherwise the message of a panic would disappear with the alternate screen.
fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            hook(panic);
        }));
    });
}
