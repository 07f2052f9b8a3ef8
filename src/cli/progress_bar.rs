//! [`ReplayProgressBar`]: the progress of a replay, on terminals only.

use indicatif::{ProgressBar, ProgressStyle};

use crate::pipeline::replay::ReplayStage;

const READING: &str = "reading  {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} ETA {eta}";
const READING_A_PIPE: &str = "reading  {spinner} {bytes} {binary_bytes_per_sec}";
const REPLAYING: &str = "replaying {wide_bar} {human_pos}/{human_len} posts, {posts_per_sec} posts/s, ETA {eta}";

/// Drawn on standard error by indicatif, which draws nothing if that is not a terminal.
pub(super) struct ReplayProgressBar {
    bar: ProgressBar,
    replaying: bool,
}

impl ReplayProgressBar {
    pub(super) fn new() -> Self {
        Self { bar: ProgressBar::no_length().with_style(style(READING_A_PIPE)), replaying: false }
    }

    pub(super) fn show(&mut self, progress: ReplayStage) {
        match progress {
            ReplayStage::Reading { bytes, total } => {
                if let Some(total) = total.filter(|_| self.bar.length().is_none()) {
                    self.bar.set_length(total);
                    self.bar.set_style(style(READING));
                }
                self.bar.set_position(bytes);
            }
            ReplayStage::Replaying { done, total } => {
                if !self.replaying {
                    self.replaying = true;
                    self.clear();
                    self.bar = ProgressBar::new(total).with_style(style(REPLAYING)).with_position(done);
                    self.bar.reset_eta();
                }
                self.bar.set_position(done);
            }
        }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let whole = |state: &indicatif::ProgressState, w: &mut dyn std::fmt::Write| {
        let _ = write!(w, "{:.0}", state.per_sec());
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("posts_per_sec", whole)
}
