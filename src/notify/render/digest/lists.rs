//! The lists of a [`super::Digest`]: what to do, other alerts, reasons, words, posts, and why it fired.

use minijinja::Value;

use super::super::context::WhyValues;
use super::super::escape::{clip, line, link};
use super::super::sentences::Sentences;
use super::{SENTENCE, Section, Shown, Told};
use crate::alert::Alert;
use crate::notify::Kind;
use crate::rule::Explanation;
use crate::window::Sample;

const SAMPLES: usize = 5;
const SAMPLE_CHARS: usize = 400;
const TOLD: usize = 6;
const OTHERS: usize = 8;
const REASONS_WHY: usize = 8;

pub(super) fn steps(say: &mut Sentences<'_>, with_alert: &[Value]) -> Section<String> {
    let over = say.values.kind == Kind::Resolved;
    let about = say.values.worst.as_ref().filter(|_| !over);
    let description = about.and_then(|alert| alert.description.clone());
    let mut items = match about {
        Some(alert) if alert.operational => say.say_lines("steps", with_alert),
        _ => Vec::new(),
    };
    items.extend(description);
    Section { heading: say.label("steps"), items: items.iter().take(TOLD).map(|step| clip(step, SENTENCE)).collect() }
}

pub(super) fn others(say: &mut Sentences<'_>) -> Section<String> {
    let others: Vec<_> = say.values.others.iter().take(OTHERS).map(Sentences::value).collect();
    let left = say.values.others.len().saturating_sub(OTHERS);
    let mut items: Vec<String> =
        others.into_iter().filter_map(|other| say.say("other", &[other])).map(|line| clip(&line, 200)).collect();
    if left > 0 {
        items.extend(say.say_plain("more", &[left.into()]));
    }
    Section { heading: say.label("others"), items }
}

pub(super) fn reasons(alert: &Alert, say: &mut Sentences<'_>) -> Vec<Told> {
    let most = alert.story.reasons.iter().map(|reason| reason.posts).max().unwrap_or(0);
    let reasons = alert.story.reasons.iter().filter(|reason| !line(&reason.reason).is_empty()).take(TOLD);
    reasons
        .map(|reason| {
            let name = clip(&line(&reason.reason), 60);
            let name = say.say_plain("reason", &[name.as_str().into()]).unwrap_or(name);
            told(name, reason.posts, reason.normal, most, say)
        })
        .collect()
}

pub(super) fn words(alert: &Alert, say: &mut Sentences<'_>) -> Vec<Told> {
    let most = alert.story.words.iter().map(|word| word.posts).max().unwrap_or(0);
    let words = alert.story.words.iter().filter(|word| !line(&word.word).is_empty()).take(TOLD);
    words.map(|word| told(clip(&line(&word.word), 40), word.posts, word.normal, most, say)).collect()
}

fn told(name: String, posts: u64, normal: f64, most: u64, say: &mut Sentences<'_>) -> Told {
    let numbers = [posts.into(), normal.into()];
    let compared = say.say_plain("compared", &numbers).unwrap_or_default();
    let short = say.say_plain("short", &numbers).unwrap_or_default();
    let width = (u128::from(posts) * 100).checked_div(u128::from(most)).map_or(0, |width| width as u64).clamp(2, 100);
    Told { name, compared, short, width }
}

pub(super) fn shown(samples: &[Sample], say: &mut Sentences<'_>) -> Vec<Shown> {
    let shown = |sample: &Sample| {
        let author = sample.author.as_deref().map(|author| clip(&line(author), 50)).filter(|author| !author.is_empty());
        let more = [author.into(), sample.created_at.as_second().into()];
        let link = sample.url.as_deref().and_then(link).map(str::to_owned);
        Shown {
            posted: say.say("posted", &more).unwrap_or_default(),
            text: clip(&line(&sample.text), SAMPLE_CHARS),
            link,
        }
    };
    samples.iter().map(shown).filter(|shown| !shown.text.is_empty()).take(SAMPLES).collect()
}

/// The rule, and its conditions down the tree.
pub(super) fn why(worst: Option<&Alert>, rule: Option<String>, say: &mut Sentences<'_>) -> Vec<String> {
    let mut lines: Vec<String> = rule.into_iter().collect();
    let Some(alert) = worst else { return lines };
    let operational = say.values.worst.as_ref().is_some_and(|alert| alert.operational);
    let mut left = vec![&alert.explanation];
    let mut told = 0;
    while let Some(Explanation { condition, parts, .. }) = left.last().copied() {
        let Some(explanation) = left.pop() else { break };
        if told == REASONS_WHY {
            break;
        }
        if !condition.is_empty() {
            let sentence = say.say("why", &[Sentences::value(WhyValues::new(explanation))]);
            lines.extend(sentence.map(|sentence| clip(&sentence, SENTENCE)));
            told += 1;
        }
        left.extend(parts.iter().rev());
    }
    if told == 0 && !operational {
        lines.extend(say.values.worst.as_ref().and_then(|alert| alert.summary.clone()));
    }
    lines
}
