//! [`Trials`]: every set of rules on every block of history, each with its own monitor and store.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::alert::Alert;
use crate::classify::ModelInfo;
use crate::config::Config;
use crate::monitor::Monitor;
use crate::pipeline::post_path::{PostObserver, topic_settings};
use crate::pipeline::replay::feed::ReadPost;
use crate::rule::Rules;
use crate::store::Store;

/// What a baseline learns from before a block.
const LEARNING: SignedDuration = SignedDuration::from_hours(28 * 24);

/// A span of history, with the warm-up before it.
#[derive(Debug, Clone, Copy)]
struct Block {
    warms_up: Timestamp,
    begins: Timestamp,
    /// Exclusive; none for the last block.
    ends: Option<Timestamp>,
}

/// One set of rules on one block.
struct Trial {
    variant: usize,
    block: Block,
    monitor: Monitor,
    /// Holds the store; removed with the trial.
    _dir: TempDir,
}

/// All trials, those of a block from the start of its warm-up to its end.
pub(super) struct Trials<'a> {
    variants: &'a [Rules],
    config: &'a Config,
    model: ModelInfo,
    blocks: usize,
    /// Trials that have not started, the next one last.
    waiting: Vec<(usize, Block)>,
    running: Vec<Trial>,
    fired: Vec<Vec<Alert>>,
    observer: PostObserver,
}

impl<'a> Trials<'a> {
    pub(super) fn new(
        variants: &'a [Rules],
        config: &'a Config,
        model: ModelInfo,
        block: Option<SignedDuration>,
        span: (Timestamp, Timestamp),
    ) -> Self {
        Self::of_blocks(variants, config, model, |rules| cut(block, reach(rules), span))
    }

    /// One block, from `begins` to `ends`, after as much time as any of the variants looks back: all of them learn from the same
    /// posts.
    pub(super) fn within(
        variants: &'a [Rules],
        config: &'a Config,
        model: ModelInfo,
        (begins, ends): (Timestamp, Timestamp),
    ) -> Self {
        let reach = variants.iter().map(reach).max().unwrap_or_default();
        let warms_up = begins.checked_sub(reach).unwrap_or(Timestamp::MIN);
        Self::of_blocks(variants, config, model, |_| vec![Block { warms_up, begins, ends: Some(ends) }])
    }

    fn of_blocks(
        variants: &'a [Rules],
        config: &'a Config,
        model: ModelInfo,
        blocks_of: impl Fn(&Rules) -> Vec<Block>,
    ) -> Self {
        let mut waiting = Vec::new();
        let mut blocks = 0;
        for (variant, rules) in variants.iter().enumerate() {
            let cut = blocks_of(rules);
            blocks = cut.len();
            waiting.extend(cut.into_iter().map(|block| (variant, block)));
        }
        waiting.sort_by_key(|(_, block)| std::cmp::Reverse(block.warms_up));
        let (running, fired) = (Vec::new(), vec![Vec::new(); variants.len()]);
        Self { variants, config, model, blocks, waiting, running, fired, observer: PostObserver::default() }
    }

    /// When the first warm-up starts; none once every trial runs.
    pub(super) fn starts_at(&self) -> Option<Timestamp> {
        self.waiting.last().map(|(_, block)| block.warms_up)
    }

    /// From here on another model reads the posts.
    pub(super) fn set_model(&mut self, model: &ModelInfo) {
        self.model = model.clone();
        self.running.iter_mut().for_each(|trial| trial.monitor.set_model(model.clone()));
    }

    /// Ends every block at `time`: nothing after it was read, and time that passes without posts would be a silence.
    pub(super) fn end_at(&mut self, time: Timestamp) {
        self.waiting.clear();
        self.running.iter_mut().for_each(|trial| trial.block.ends = Some(time));
    }

    /// Counts a post in every block that it belongs to. Posts come in the order of their times.
    pub(super) fn observe(&mut self, post: &ReadPost) -> anyhow::Result<()> {
        let now = post.at;
        while let Some((variant, block)) = self.waiting.pop_if(|(_, block)| block.warms_up <= now) {
            let _dir = tempfile::tempdir().context("cannot create a temporary directory for a block's state")?;
            let mut monitor =
                Monitor::open(Store::open(_dir.path())?, self.config.window.clone(), self.variants[variant].clone())?;
            monitor.configure_topics(topic_settings(self.config));
            monitor.set_model(self.model.clone());
            self.running.push(Trial { variant, block, monitor, _dir });
        }
        let over = |trial: &mut Trial| trial.block.ends.is_some_and(|ends| ends <= now);
        for trial in self.running.extract_if(.., over) {
            trial.finish(&mut self.fired)?;
        }
        for trial in &mut self.running {
            trial.monitor.advance(now);
            post.observe(&mut self.observer, &mut trial.monitor)?;
        }
        Ok(())
    }

    /// Commits what was counted, so that memory stays bounded.
    pub(super) fn commit(&mut self) -> anyhow::Result<()> {
        self.running.iter_mut().try_for_each(|trial| Ok(trial.monitor.commit()?))
    }

    /// The number of blocks, and the alerts of each variant.
    pub(super) fn finish(mut self) -> anyhow::Result<(usize, Vec<Vec<Alert>>)> {
        for trial in self.running {
            trial.finish(&mut self.fired)?;
        }
        for alerts in &mut self.fired {
            alerts.sort_by(|a, b| (a.fired_at, &a.topic, &a.rule).cmp(&(b.fired_at, &b.topic, &b.rule)));
        }
        Ok((self.blocks, self.fired))
    }
}

impl Trial {
    fn finish(mut self, fired: &mut [Vec<Alert>]) -> anyhow::Result<()> {
        match self.block.ends {
            Some(ends) => self.monitor.advance(ends),
            None => self.monitor.close(),
        }
        self.monitor.commit()?;
        let alerts = self.monitor.report()?.topics.into_iter().flat_map(|topic| topic.alerts);
        fired[self.variant].extend(alerts.filter(|alert| self.block.holds(alert.fired_at)));
        Ok(())
    }
}

impl Block {
    /// An alert fires at the end of the bucket that made it: a block holds its end, and not its beginning.
    fn holds(&self, time: Timestamp) -> bool {
        self.begins < time && self.ends.is_none_or(|ends| time <= ends)
    }
}

/// How far back the rules look: what is learnt by the hour of the week is of little use before four weeks.
fn reach(rules: &Rules) -> SignedDuration {
    let spans = SignedDuration::from_secs(rules.spans().iter().map(|span| span.far).max().unwrap_or(0));
    if rules.rules.iter().any(|rule| rule.condition.has_normal()) { spans.max(LEARNING) } else { spans }
}

/// The last block takes in what is left, if that is less than half a block.
fn cut(block: Option<SignedDuration>, reach: SignedDuration, span: (Timestamp, Timestamp)) -> Vec<Block> {
    let (first, last) = span;
    let mut blocks = Vec::new();
    let mut begins = first;
    while let Some(ends) = block.and_then(|block| begins.checked_add(block).ok()) {
        if last.duration_since(ends) < block.unwrap_or_default() / 2 {
            break;
        }
        blocks.push(Block { warms_up: begins - reach, begins, ends: Some(ends) });
        begins = ends;
    }
    // The first block has nothing before it, and its first bucket's end lies in it.
    blocks.push(Block { warms_up: begins - reach, begins, ends: None });
    if let Some(block) = blocks.first_mut() {
        block.begins = Timestamp::MIN;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    #[test]
    fn blocks_cover_history_once() {
        let hours = SignedDuration::from_hours;
        for (length, last, expected) in
            [(10, 100, 10), (10, 104, 10), (10, 96, 10), (30, 100, 3), (30, 110, 4), (200, 100, 1)]
        {
            let blocks = cut(Some(hours(length)), hours(5), (at(0), at(last)));
            assert_eq!(blocks.len(), expected, "{length} of {last}");
            for hour in 0..=last {
                assert_eq!(blocks.iter().filter(|block| block.holds(at(hour))).count(), 1, "hour {hour}");
            }
            assert!(blocks[1..].iter().all(|block| block.begins.duration_since(block.warms_up) == hours(5)));
        }
        assert_eq!(cut(None, hours(5), (at(0), at(100))).len(), 1);
    }
}
