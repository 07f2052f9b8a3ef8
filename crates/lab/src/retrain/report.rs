//! [`RetrainReport`]: what a retraining found, for people who decide about a promotion.

use std::fmt;

use serde::Serialize;

use super::judge::{HeldOut, RecentPosts};
use vigie_reading::stats;

/// A one-sided chance of 2.5%, as of a 95% interval that lies above 0.
const CHANCE: f64 = 0.025;

/// Whether the challenger should replace the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrainVerdict {
    /// It reads corrections better beyond chance, and no held-out set worse beyond its interval.
    Better,
    /// It reads a held-out set worse beyond its interval.
    Worse,
    /// It reads corrections better beyond chance, but no held-out set shows that it did not forget the rest.
    NoHeldOut,
    /// The corrections do not show a difference beyond chance.
    Unclear,
}

/// How many corrections were used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CorrectionCounts {
    pub learned: usize,
    /// Posts that may not be learned from.
    pub withheld: usize,
    /// Posts with a label that the model does not have, or without a text.
    pub unusable: usize,
}

/// Both models on corrections that neither has learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeftOutCorrections {
    pub posts: usize,
    pub champion_right: usize,
    pub challenger_right: usize,
    /// Posts that only the challenger reads as people do.
    pub gained: usize,
    /// Posts that only the champion reads as people do.
    pub lost: usize,
}

/// The same of one label, language or reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CorrectionGroup {
    /// `label`, `language` or `reason`.
    pub by: String,
    pub name: String,
    pub posts: usize,
    pub champion_right: usize,
    pub challenger_right: usize,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetrainReport {
    /// Identifiers of both models.
    pub champion: String,
    pub challenger: String,
    pub counts: CorrectionCounts,
    /// How strongly the champion held the head.
    pub strength: f64,
    pub held_out: Vec<HeldOut>,
    pub corrections: LeftOutCorrections,
    pub groups: Vec<CorrectionGroup>,
    pub recent: RecentPosts,
    pub verdict: RetrainVerdict,
}

impl LeftOutCorrections {
    /// The chance of at least `gained` of the posts on which the models differ, if each model won as often: the exact
    /// sign test (McNemar 1947).
    fn chance(self) -> f64 {
        stats::sign_test(self.gained as u64, self.lost as u64)
    }

    fn is_better(self) -> bool {
        self.gained > self.lost && self.chance() <= CHANCE
    }
}

pub(super) fn verdict(held_out: &[HeldOut], corrections: &LeftOutCorrections) -> RetrainVerdict {
    if held_out.iter().any(|set| set.comparison.is_worse()) {
        return RetrainVerdict::Worse;
    }
    match (corrections.is_better(), held_out.is_empty()) {
        (false, _) => RetrainVerdict::Unclear,
        (true, true) => RetrainVerdict::NoHeldOut,
        (true, false) => RetrainVerdict::Better,
    }
}

/// A table for people.
impl fmt::Display for RetrainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { champion, challenger, counts, strength, held_out, corrections, groups, recent, verdict } = self;
        writeln!(f, "{challenger}, from {champion} and {} corrections", counts.learned)?;
        if counts.withheld > 0 {
            writeln!(f, "{} corrections of posts from X left out (--with-x)", counts.withheld)?;
        }
        if counts.unusable > 0 {
            writeln!(f, "{} corrections left out: no text, or a label that the model does not have", counts.unusable)?;
        }
        writeln!(f, "anchor strength {strength}\n")?;
        writeln!(f, "{:<34}{:>8}{:>10}{:>12}  difference, 95% interval", "", "posts", "champion", "challenger")?;
        for set in held_out {
            let it = &set.comparison;
            let [low, high] = it.interval;
            write!(f, "{:<34}{:>8}{:>10.4}{:>12.4}", set.name, it.posts, it.champion, it.challenger)?;
            writeln!(f, "  {:+.4}, {low:+.4} to {high:+.4} (macro F1)", it.difference)?;
        }
        let rows = groups.iter().map(|group| {
            (format!("  {} {}", group.by, group.name), group.posts, group.champion_right, group.challenger_right)
        });
        let all = ("new corrections, read as people do", *corrections);
        let all = (all.0.to_owned(), all.1.posts, all.1.champion_right, all.1.challenger_right);
        for (name, posts, champion, challenger) in std::iter::once(all).chain(rows) {
            writeln!(f, "{name:<34}{posts:>8}{champion:>10}{challenger:>12}")?;
        }
        writeln!(f, "\n{} of {} recent posts change their label", recent.changed, recent.posts)?;
        f.write_str(match verdict {
            RetrainVerdict::Better => "better: promote it after a look at these figures",
            RetrainVerdict::Worse => "worse on held-out posts beyond the interval",
            RetrainVerdict::NoHeldOut => {
                "better on corrections, but nothing shows that it did not forget the rest: set retrain.held_out"
            }
            RetrainVerdict::Unclear => "no difference beyond chance on corrections: more corrections will tell",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrections(gained: usize, lost: usize) -> LeftOutCorrections {
        LeftOutCorrections { posts: 100, champion_right: 40, challenger_right: 40 + gained - lost, gained, lost }
    }

    /// `scipy.stats.binomtest(k, n, alternative="greater").pvalue`.
    #[test]
    fn the_chance_is_that_of_the_sign_test() {
        for (gained, lost, expected) in [(5, 0, 0.03125), (6, 0, 0.015625), (9, 2, 0.03271484375), (3, 3, 0.65625)] {
            let found = corrections(gained, lost).chance();
            assert!((found - expected).abs() < 1e-12, "{gained} {lost}: {found}");
        }
        assert!(corrections(700, 400).is_better() && !corrections(601, 600).is_better());
        assert!(corrections(60, 20).is_better() && !corrections(21, 20).is_better());
    }

    #[test]
    fn three_corrections_prove_nothing_and_held_out_posts_are_needed() {
        assert_eq!(verdict(&[], &corrections(3, 0)), RetrainVerdict::Unclear);
        assert_eq!(verdict(&[], &corrections(30, 0)), RetrainVerdict::NoHeldOut);
    }
}
