//! The terminal of `vigie top`: draws frames, handles keys, and restores the terminal at the end.

use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::fetch::{Fetcher, PollEvent, StatusPoller};
use super::layout::{RowRequest, share};
use super::phrases::Phrases;
use super::view;
use super::view::Section;
use crate::cli::printable;
use crate::cli::terminal::{Key, Line, Screen, Style};
use crate::pipeline::status::Status;

/// Maximum delay of a key.
const KEY_TIMEOUT: Duration = Duration::from_millis(100);
/// Topics per page key.
const PAGE: u16 = 10;

/// The state of the screen.
pub(super) struct ScreenState {
    pub(super) status: Status,
    /// Since when the daemon does not answer, and why.
    pub(super) lost: Option<(Timestamp, String)>,
    /// Number of topics above the first visible one.
    pub(super) scrolled: u16,
}

/// Shows the status until a key, a signal or the loss of the terminal ends the program.
pub(super) fn watch(
    fetcher: Fetcher,
    interval: SignedDuration,
    phrases: Phrases,
    status: Status,
) -> anyhow::Result<()> {
    let poller = StatusPoller::start(fetcher, interval);
    let mut screen = Screen::open()?;
    event_loop(&mut screen, &poller, phrases, ScreenState { status, lost: None, scrolled: 0 })
}

fn event_loop(
    screen: &mut Screen,
    poller: &StatusPoller,
    phrases: Phrases,
    mut state: ScreenState,
) -> anyhow::Result<()> {
    loop {
        screen.draw(|width, height| draw(width, height, &mut state, phrases))?;
        match poller.events.try_recv() {
            Ok(PollEvent::Answer(answer)) => state.update(answer.map_err(|error| error.to_string()), Timestamp::now()),
            Ok(PollEvent::Terminated) | Err(TryRecvError::Disconnected) => return Ok(()),
            Err(TryRecvError::Empty) => {}
        }
        for key in screen.keys(KEY_TIMEOUT)? {
            match key {
                Key::Char('q' | 'Q') | Key::Escape | Key::Interrupt | Key::HangUp => return Ok(()),
                key => state.scroll(key),
            }
        }
    }
}

impl ScreenState {
    pub(super) fn update(&mut self, answer: Result<Status, String>, now: Timestamp) {
        match answer {
            Ok(status) => (self.status, self.lost) = (status, None),
            Err(why) => {
                let since = self.lost.take().map_or(now, |(since, _)| since);
                self.lost = Some((since, why));
            }
        }
    }

    pub(super) fn scroll(&mut self, key: Key) {
        self.scrolled = match key {
            Key::Up => self.scrolled.saturating_sub(1),
            Key::Down => self.scrolled.saturating_add(1),
            Key::PageUp => self.scrolled.saturating_sub(PAGE),
            Key::PageDown => self.scrolled.saturating_add(PAGE),
            Key::Home => 0,
            Key::End => u16::MAX,
            _ => self.scrolled,
        };
    }
}

/// The lines of one frame. Limits scrolling to the last topic.
pub(super) fn draw(width: u16, height: u16, state: &mut ScreenState, phrases: Phrases) -> Vec<Line> {
    let columns = usize::from(width);
    let status = &state.status;
    let mut head = view::head(status, phrases);
    if let Some((since, why)) = &state.lost {
        head.push(view::warning(&format!("! {}: {}", phrases.lost(*since), printable(why, 300))));
    }
    let [alerts, sources, topics, queues] =
        [view::alerts, view::sources, view::topics, view::queues].map(|section| section(status, phrases, columns));
    let foot = Line::styled(phrases.keys(), Style::DIM);
    let length = rows(head.len());
    let requests = [
        RowRequest { least: length, all: length },
        RowRequest { least: 2, all: section_height(&alerts).min(height / 3) },
        RowRequest { least: 3, all: section_height(&sources).min(height / 2) },
        RowRequest { least: 3, all: section_height(&topics) },
        RowRequest { least: 2, all: section_height(&queues) },
        RowRequest { least: 1, all: 1 },
    ];
    let heights = share(height, requests);
    let [head_rows, alert_rows, source_rows, topic_rows, queue_rows, foot_rows] = heights;
    let spare = height - heights.iter().sum::<u16>();
    // Topics are drawn above sources, but sources get their rows first, because they are few.
    let parts = [
        (head, head_rows),
        (section_lines(alerts, columns, alert_rows, &mut 0), alert_rows),
        (section_lines(topics, columns, topic_rows, &mut state.scrolled), topic_rows),
        (section_lines(sources, columns, source_rows, &mut 0), source_rows),
        (section_lines(queues, columns, queue_rows, &mut 0), queue_rows),
        (Vec::new(), spare),
        (vec![foot], foot_rows),
    ];
    parts.into_iter().flat_map(|(lines, rows)| pad(lines, rows)).map(|line| line.cut(columns)).collect()
}

/// Exactly `rows` lines: the first ones, followed by empty ones.
fn pad(lines: Vec<Line>, rows: u16) -> impl Iterator<Item = Line> {
    lines.into_iter().chain(std::iter::repeat_with(Line::default)).take(rows.into())
}

fn section_lines(section: Section, columns: usize, height: u16, scrolled: &mut u16) -> Vec<Line> {
    let above = 1 + rows(usize::from(section.header.is_some()));
    let (visible, all) = (height.saturating_sub(above), rows(section.lines.len()));
    *scrolled = (*scrolled).min(all.saturating_sub(visible));
    let range = if all > visible { format!(" {}-{}/{all}", *scrolled + 1, *scrolled + visible) } else { String::new() };
    let title = format!("── {}{range} ", section.title);
    let rule = "─".repeat(columns.saturating_sub(title.chars().count()));
    let mut lines = vec![Line::styled(title + &rule, Style::BOLD)];
    lines.extend(section.header);
    lines.extend(section.lines.into_iter().skip(usize::from(*scrolled)));
    lines
}

fn section_height(section: &Section) -> u16 {
    rows(1 + usize::from(section.header.is_some()) + section.lines.len())
}

fn rows(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}
