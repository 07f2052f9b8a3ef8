//! The lists of a [`super::Digest`]: steps, other alerts, reasons, words, sample posts, and the conditions that hold.

use minijinja::Value;

use super::super::context::{ConditionValues, TermValues};
use super::super::escape::{clip, line, link};
use super::super::sentences::Sentences;
use super::{MAX_SENTENCE, PostView, Section, TermCount};
use crate::alert::Alert;
use crate::notify::Kind;
use crate::rule::Explanation;
use crate::window::Sample;

const MAX_SAMPLES: usize = 5;
const MAX_SAMPLE_CHARS: usize = 400;
const MAX_TERMS: usize = 6;
const MAX_OTHERS: usize = 8;
const MAX_CONDITIONS: usize = 8;

pub(super) fn steps(sentences: &mut Sentences<'_>, with_alert: &[Value]) -> Section<String> {
    let over = sentences.values.kind == Kind::Resolved;
    let about = sentences.values.worst.as_ref().filter(|_| !over);
    let description = about.and_then(|alert| alert.description.clone());
    let mut items = match about {
        Some(alert) if alert.operational => sentences.lines_of("steps", with_alert),
        _ => Vec::new(),
    };
    items.extend(description);
    Section {
        heading: sentences.label("steps"),
        items: items.iter().take(MAX_TERMS).map(|step| clip(step, MAX_SENTENCE)).collect(),
    }
}

pub(super) fn others(sentences: &mut Sentences<'_>) -> Section<String> {
    let others: Vec<_> = sentences.values.others.iter().take(MAX_OTHERS).map(Sentences::value).collect();
    let left = sentences.values.others.len().saturating_sub(MAX_OTHERS);
    let mut items: Vec<String> = others
        .into_iter()
        .filter_map(|other| sentences.sentence("other", &[other]))
        .map(|line| clip(&line, 200))
        .collect();
    if left > 0 {
        items.extend(sentences.sentence_of("more", &[left.into()]));
    }
    Section { heading: sentences.label("others"), items }
}

pub(super) fn reasons(alert: &Alert, sentences: &mut Sentences<'_>) -> Vec<TermCount> {
    let is_known = knows_usual(alert);
    let most = alert.context.reasons.iter().map(|reason| reason.posts).max().unwrap_or(0);
    let reasons = alert.context.reasons.iter().filter(|reason| !line(&reason.reason).is_empty()).take(MAX_TERMS);
    reasons
        .map(|reason| {
            let name = clip(&line(&reason.reason), 60);
            let name = sentences.sentence_of("reason", &[name.as_str().into()]).unwrap_or(name);
            let values = TermValues::new(reason.posts, reason.total, reason.normal, is_known, true);
            term_count(name, reason.posts, &values, most, sentences)
        })
        .collect()
}

pub(super) fn words(alert: &Alert, sentences: &mut Sentences<'_>) -> Vec<TermCount> {
    let is_known = knows_usual(alert);
    let most = alert.context.words.iter().map(|word| word.posts).max().unwrap_or(0);
    let words = alert.context.words.iter().filter(|word| !line(&word.word).is_empty()).take(MAX_TERMS);
    words
        .map(|word| {
            let values = TermValues::new(word.posts, word.total, word.normal, is_known, false);
            term_count(clip(&line(&word.word), 40), word.posts, &values, most, sentences)
        })
        .collect()
}

/// Whether the past of the topic is known: before that, nothing may be said about what is usual.
fn knows_usual(alert: &Alert) -> bool {
    let measured = if alert.ends_at.is_some() { alert.peak } else { alert.latest };
    measured.normal.is_some() || alert.context.trend.iter().any(|point| point.normal.is_some())
}

fn term_count(name: String, posts: u64, values: &TermValues, most: u64, sentences: &mut Sentences<'_>) -> TermCount {
    let numbers = [Sentences::value(values)];
    let compared = sentences.sentence_of("compared", &numbers).unwrap_or_default();
    let short = sentences.sentence_of("short", &numbers).unwrap_or_default();
    let width = (u128::from(posts) * 100).checked_div(u128::from(most)).map_or(0, |width| width as u64).clamp(2, 100);
    TermCount { name, compared, short, width }
}

pub(super) fn sample_posts(samples: &[Sample], sentences: &mut Sentences<'_>) -> Vec<PostView> {
    let view = |sample: &Sample| {
        let author = sample.author.as_deref().map(|author| clip(&line(author), 50)).filter(|author| !author.is_empty());
        let more = [author.into(), sample.created_at.as_second().into()];
        let link = sample.url.as_deref().and_then(link).map(str::to_owned);
        PostView {
            posted: sentences.sentence("posted", &more).unwrap_or_default(),
            text: clip(&line(&sample.text), MAX_SAMPLE_CHARS),
            link,
        }
    };
    samples.iter().map(view).filter(|view| !view.text.is_empty()).take(MAX_SAMPLES).collect()
}

/// The rule, and each of its conditions that holds.
pub(super) fn why(worst: Option<&Alert>, rule: Option<String>, sentences: &mut Sentences<'_>) -> Vec<String> {
    let mut lines: Vec<String> = rule.into_iter().collect();
    let Some(alert) = worst else { return lines };
    // After the condition stopped holding, its numbers explain nothing; the state line says since when.
    let holding = Some(&alert.explanation).filter(|explanation| explanation.holds);
    let mut left: Vec<&Explanation> = holding.into_iter().collect();
    let mut conditions = 0;
    while let Some(explanation) = left.pop() {
        if conditions == MAX_CONDITIONS {
            break;
        }
        // Of alternatives only those that hold are shown, as if the rule had no other.
        if !explanation.condition.is_empty() && explanation.condition != "or" {
            let sentence = sentences.sentence("why", &[Sentences::value(ConditionValues::new(explanation))]);
            lines.extend(sentence.map(|sentence| clip(&sentence, MAX_SENTENCE)));
            conditions += 1;
        }
        left.extend(explanation.parts.iter().rev().filter(|part| part.holds));
    }
    let Some(values) = &sentences.values.worst else { return lines };
    if conditions == 0 && !values.operational && alert.explanation.condition.is_empty() {
        lines.extend(values.summary.clone());
    }
    lines
}
