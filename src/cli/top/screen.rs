//! The terminal: draws frame after frame, takes keys, and leaves it as it was found.

use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use ratatui::{DefaultTerminal, Frame};

use super::fetch::{Asking, Fetcher, News};
use super::layout::{Wanted, share};
use super::view;
use super::view::Section;
use super::words::Words;
use crate::cli::printable;
use crate::pipeline::status::Status;

/// How long a key may wait.
const LOOK: Duration = Duration::from_millis(100);
/// Topics that a page key passes.
const PAGE: u16 = 10;

/// What is on the screen.
pub(super) struct Shown {
    pub(super) status: Status,
    /// Since when there was no answer, and why.
    pub(super) lost: Option<(Timestamp, String)>,
    /// Topics above the first one shown.
    pub(super) scrolled: u16,
}

/// Puts the terminal back, however this ends; a panic does so by ratatui's hook.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the daemon until a key or a signal ends it.
pub(super) fn watch(fetcher: Fetcher, interval: SignedDuration, words: Words, status: Status) -> anyhow::Result<()> {
    let asking = Asking::start(fetcher, interval);
    let restored = Restored;
    let mut terminal = ratatui::try_init()?;
    let ended = turn(&mut terminal, &asking, words, Shown { status, lost: None, scrolled: 0 });
    drop(restored);
    ended
}

fn turn(terminal: &mut DefaultTerminal, asking: &Asking, words: Words, mut shown: Shown) -> anyhow::Result<()> {
    loop {
        terminal.draw(|frame| draw(frame, &mut shown, words))?;
        loop {
            match asking.news.try_recv() {
                Ok(News::Answer(answer)) => {
                    shown.hear(answer.map_err(|error| error.to_string()), Timestamp::now());
                    break;
                }
                Ok(News::Terminated) | Err(TryRecvError::Disconnected) => return Ok(()),
                Err(TryRecvError::Empty) => {}
            }
            if event::poll(LOOK)? {
                match event::read()? {
                    Event::Key(key) if ends(key) => return Ok(()),
                    Event::Key(key) => shown.scroll(key),
                    _ => {}
                }
                break;
            }
        }
    }
}

fn ends(key: KeyEvent) -> bool {
    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind != KeyEventKind::Release && (interrupt || matches!(key.code, KeyCode::Char('q' | 'Q') | KeyCode::Esc))
}

impl Shown {
    pub(super) fn hear(&mut self, answer: Result<Status, String>, now: Timestamp) {
        match answer {
            Ok(status) => (self.status, self.lost) = (status, None),
            Err(why) => {
                let since = self.lost.take().map_or(now, |(since, _)| since);
                self.lost = Some((since, why));
            }
        }
    }

    pub(super) fn scroll(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.scrolled = match key.code {
            KeyCode::Up => self.scrolled.saturating_sub(1),
            KeyCode::Down => self.scrolled.saturating_add(1),
            KeyCode::PageUp => self.scrolled.saturating_sub(PAGE),
            KeyCode::PageDown => self.scrolled.saturating_add(PAGE),
            KeyCode::Home => 0,
            KeyCode::End => u16::MAX,
            _ => self.scrolled,
        };
    }
}

/// Draws one frame; a scroll beyond the last topic is taken back.
pub(super) fn draw(frame: &mut Frame<'_>, shown: &mut Shown, words: Words) {
    let area = frame.area();
    let width = usize::from(area.width);
    let status = &shown.status;
    let mut head = view::head(status, words);
    if let Some((since, why)) = &shown.lost {
        head.push(view::warning(&format!("! {}: {}", words.lost(*since), printable(why, 300))));
    }
    let [alerts, sources, topics, queues] =
        [view::alerts, view::sources, view::topics, view::queues].map(|section| section(status, words, width));
    let foot = Line::styled(words.keys(), Style::new().add_modifier(Modifier::DIM));
    let length = rows(head.len());
    let wanted = [
        Wanted { least: length, all: length },
        Wanted { least: 2, all: height(&alerts).min(area.height / 3) },
        Wanted { least: 3, all: height(&sources).min(area.height / 2) },
        Wanted { least: 3, all: height(&topics) },
        Wanted { least: 2, all: height(&queues) },
        Wanted { least: 1, all: 1 },
    ];
    let heights = share(area.height, wanted);
    let [head_rows, alert_rows, source_rows, topic_rows, queue_rows, foot_rows] = heights;
    // Topics stand above sources, although sources get their rows first: they are few.
    let mut y = area.y;
    let mut place = |rows: u16| {
        let place = Rect { y, height: rows, ..area };
        y += rows;
        place
    };
    frame.render_widget(Paragraph::new(head), place(head_rows));
    draw_section(frame, place(alert_rows), alerts, &mut 0);
    draw_section(frame, place(topic_rows), topics, &mut shown.scrolled);
    draw_section(frame, place(source_rows), sources, &mut 0);
    draw_section(frame, place(queue_rows), queues, &mut 0);
    let spare = area.height - heights.iter().sum::<u16>();
    place(spare);
    frame.render_widget(Paragraph::new(foot), place(foot_rows));
}

fn draw_section(frame: &mut Frame<'_>, area: Rect, section: Section, scrolled: &mut u16) {
    let above = 1 + rows(usize::from(section.header.is_some()));
    let (visible, all) = (area.height.saturating_sub(above), rows(section.lines.len()));
    *scrolled = (*scrolled).min(all.saturating_sub(visible));
    let shown = if all > visible { format!(" {}-{}/{all}", *scrolled + 1, *scrolled + visible) } else { String::new() };
    let title = format!("── {}{shown} ", section.title);
    let rule = "─".repeat(usize::from(area.width).saturating_sub(title.chars().count()));
    let mut lines = vec![Line::styled(title + &rule, Style::new().add_modifier(Modifier::BOLD))];
    lines.extend(section.header);
    lines.extend(section.lines.into_iter().skip(usize::from(*scrolled)));
    frame.render_widget(Paragraph::new(lines), area);
}

fn height(section: &Section) -> u16 {
    rows(1 + usize::from(section.header.is_some()) + section.lines.len())
}

fn rows(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}
