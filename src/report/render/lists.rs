//! The lists of a [`ReportView`](super::view::ReportView): reasons, words, posts, corrections, cost.

use minijinja::context;

use super::view::{BarLine, MAX_NAME, PostLine};
use super::wording::Wording;
use crate::classify::Label;
use crate::notify::render::{clip, line, link};
use crate::report::{PeriodReport, ReportPost, ReportReason, ReportTopic, ReportWord};

/// Characters of a post.
const MAX_POST: usize = 280;
/// Kinds of wrong labels that are listed.
const MAX_CONFUSIONS: usize = 3;

pub(super) fn reasons(topic: &ReportTopic, wording: &Wording) -> Vec<BarLine> {
    let most = topic.reasons.first().map_or(0, |first| first.posts);
    let bar = |reason: &ReportReason| {
        let values = context! { posts => reason.posts, total => reason.total, before => reason.before };
        BarLine {
            name: clip(&wording.reason(&clip(&line(&reason.reason), 60)), MAX_NAME),
            text: wording.say("reason_share", &[values]),
            width: width(reason.posts, most),
        }
    };
    topic.reasons.iter().map(bar).collect()
}

pub(super) fn words(topic: &ReportTopic, wording: &Wording) -> Vec<BarLine> {
    let most = topic.words.iter().map(|word| word.posts).max().unwrap_or(0);
    let bar = |word: &ReportWord| {
        let values = context! {
            posts => word.posts, total => word.total, before => word.before, compared_before => topic.words_before,
        };
        BarLine {
            name: clip(&line(&word.word), 40),
            text: wording.say("word_share", &[values]),
            width: width(word.posts, most),
        }
    };
    topic.words.iter().map(bar).collect()
}

fn width(part: u64, most: u64) -> u64 {
    (u128::from(part) * 100).checked_div(u128::from(most)).map_or(0, |width| width as u64).clamp(2, 100)
}

/// Posts as alerts show them: the text as it was written, on one line, with author, time and a link.
pub(super) fn posts(posts: &[ReportPost], wording: &Wording) -> Vec<PostLine> {
    let shown = |post: &ReportPost| {
        let author = post.post.author.as_deref().map(|author| clip(&line(author), 50)).filter(|name| !name.is_empty());
        let values = context! {
            author => author,
            at => post.post.created_at.as_second(),
            label => post.label.as_str(),
            copies => post.copies,
            reach => post.reach,
        };
        PostLine {
            text: clip(&line(&post.post.text), MAX_POST),
            posted: wording.say("posted", &[values]),
            link: post.post.url.as_deref().and_then(link).map(str::to_owned),
            link_label: wording.label("post"),
        }
    };
    posts.iter().map(shown).filter(|post| !post.text.is_empty()).collect()
}

pub(super) fn corrections(report: &PeriodReport, wording: &Wording) -> Vec<String> {
    let summary = &report.corrections;
    let mut lines = vec![wording.say("corrections", &[context! { posts => summary.posts, wrong => summary.wrong }])];
    let mut wrong: Vec<(u64, Label, Label)> = Vec::new();
    for (predicted, row) in Label::ALL.into_iter().zip(&summary.confusion) {
        let given = Label::ALL.into_iter().zip(row).filter(|(given, posts)| *given != predicted && **posts > 0);
        wrong.extend(given.map(|(given, posts)| (*posts, given, predicted)));
    }
    wrong.sort_by_key(|(posts, given, predicted)| (std::cmp::Reverse(*posts), *given as usize, *predicted as usize));
    lines.extend(wrong.into_iter().take(MAX_CONFUSIONS).map(|(posts, given, predicted)| {
        wording.say("confusion", &[given.as_str().into(), predicted.as_str().into(), posts.into()])
    }));
    lines
}

pub(super) fn cost(report: &PeriodReport, wording: &Wording) -> Vec<String> {
    report.budget.iter().map(|budget| wording.say("cost", &[super::wording::value(budget)])).collect()
}
