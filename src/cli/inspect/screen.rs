//! [`Screen`]: prints what was found in a dump.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::super::printable;
use super::findings::{Findings, ValueCounts};
use crate::dump::{DumpReader, ReadFile, ReadOptions, Row};

/// Files whose format is shown one by one.
const MAX_FILES: usize = 5;
/// Columns without a field that are shown.
const MAX_UNUSED: usize = 12;
/// Topics and languages that are shown.
const MAX_VALUES: usize = 8;
/// Characters of a text.
const TEXT_WIDTH: usize = 70;
/// Names of columns that often name the brand of a post.
const LIKELY_TOPICS: [&str; 7] = ["airline", "brand", "topic", "entity", "queryname", "inputname", "keyword"];

/// The result of an inspection.
pub(super) struct Screen<'a> {
    pub(super) reader: &'a DumpReader,
    pub(super) findings: &'a Findings,
    pub(super) options: &'a ReadOptions,
}

impl Screen<'_> {
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let files = self.reader.read_files();
        for file in files.iter().take(MAX_FILES) {
            writeln!(out, "{}", file.name)?;
            line(out, "format", &file.shape.format)?;
            line(out, "fields", &fields(file))?;
            if !file.shape.unused.is_empty() {
                line(out, "not used", &shortened(&file.shape.unused, MAX_UNUSED))?;
            }
        }
        if files.len() > MAX_FILES {
            writeln!(out, "and {} more files", files.len() - MAX_FILES)?;
        }
        if !self.reader.skipped().is_empty() {
            line(out, "skipped", &shortened(self.reader.skipped(), MAX_UNUSED))?;
        }
        writeln!(out)?;
        self.write_totals(out)?;
        self.write_first(out)?;
        self.write_doubts(out)
    }

    fn write_totals(&self, out: &mut impl Write) -> io::Result<()> {
        let (findings, rejects) = (self.findings, self.reader.rejects());
        let mut rows = format!("{} posts", findings.rows);
        if rejects.rejected() > 0 {
            let _ = write!(rows, "; {rejects}");
        }
        line(out, "rows", &rows)?;
        line(out, "times", &self.times())?;
        let count = |with: u64| if with == findings.rows { "all".to_owned() } else { format!("{with}") };
        line(out, "with", &format!("id {}, author {}", count(findings.with_id), count(findings.with_author)))?;
        line(out, "labels", &counted(&findings.labels, "none"))?;
        let mut topics = counted(&findings.topics, "none");
        if findings.unmatched > 0 {
            let _ = write!(topics, "; {} posts of no topic", findings.unmatched);
        }
        line(out, "topics", &topics)?;
        if !findings.languages.counts.is_empty() {
            line(out, "languages", &counted(&findings.languages, "none"))?;
        }
        Ok(())
    }

    fn times(&self) -> String {
        let Some(times) = self.findings.times.plausible(self.options.keep_outliers) else { return "none".to_owned() };
        let (from, to) = (times.range.start(), times.range.end());
        let days = to.duration_since(*from).as_secs_f64() / 86_400.0;
        let mut text = format!("{} to {}, {days:.1} days", from.strftime("%F %T"), to.strftime("%F %T UTC"));
        let missing = self.findings.rows - self.findings.with_time;
        if missing > 0 {
            let _ = write!(text, "; {missing} posts have no readable time");
        }
        text
    }

    fn write_first(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\nfirst posts")?;
        self.findings.first.iter().try_for_each(|row| writeln!(out, "  {}", post(row)))
    }

    fn write_doubts(&self, out: &mut impl Write) -> io::Result<()> {
        let doubts = self.doubts();
        if doubts.is_empty() {
            return writeln!(out, "\nno doubts");
        }
        writeln!(out, "\ndoubts")?;
        doubts.iter().try_for_each(|doubt| writeln!(out, "  - {doubt}"))
    }

    fn doubts(&self) -> Vec<String> {
        let findings = self.findings;
        let files = self.reader.read_files();
        let notes = files.iter().flat_map(|file| {
            let name = if files.len() > 1 { format!("{}: ", file.name) } else { String::new() };
            file.notes.sentences().into_iter().map(move |note| format!("{name}{note}"))
        });
        let outliers = findings.times.plausible(self.options.keep_outliers).and_then(|times| {
            times.remark("simulate, backtest and the lab leave such posts out (--keep-outliers uses them)")
        });
        let no_time = (findings.with_time == 0 && findings.rows > 0).then(|| {
            "no post has a time, so it cannot be replayed; map it with --columns created_at=NAME, or set --time-format"
                .to_owned()
        });
        let no_id = (findings.with_id == 0 && findings.rows > 0)
            .then(|| "no post has an id; posts are identified by author, time and text".to_owned());
        let topic = self.likely_topic().filter(|_| self.options.columns.topic.is_none()).map(|name| {
            format!("the column {name} may name the brand of a post: --topic-column {name} makes each value a topic")
        });
        notes.chain(outliers).chain(no_time).chain(no_id).chain(topic).collect()
    }

    fn likely_topic(&self) -> Option<&str> {
        let names =
            self.reader.read_files().iter().flat_map(|file| &file.shape.unused).map(|name| name.trim_matches('"'));
        names.into_iter().find(|name| LIKELY_TOPICS.contains(&crate::dump::comparable_name(name).as_str()))
    }
}

fn line(out: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "  {name:<10}{text}")
}

fn fields(file: &ReadFile) -> String {
    let parts: Vec<String> = file.shape.fields.iter().map(|(field, name)| format!("{field} from {name}")).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn shortened(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > most { format!("{shown} and {} more", names.len() - most) } else { shown }
}

fn counted(values: &ValueCounts, none: &str) -> String {
    let ranked = values.ranked();
    if ranked.is_empty() {
        return none.to_owned();
    }
    let parts: Vec<String> = ranked.iter().take(MAX_VALUES).map(|(value, count)| format!("{value} {count}")).collect();
    let further = ranked.iter().skip(MAX_VALUES).map(|(_, count)| count).sum::<u64>() + values.further;
    if further > 0 { format!("{}, others {further}", parts.join(", ")) } else { parts.join(", ") }
}

fn post(row: &Row) -> String {
    let time = row.created_at.map_or_else(|| "no time".to_owned(), |time| time.strftime("%F %T").to_string());
    let author = row.author.as_deref().map_or_else(|| "no author".to_owned(), |author| format!("@{author}"));
    let parts = [Some(time), Some(author), row.label.clone(), row.topic.clone()];
    let head = parts.into_iter().flatten().map(|part| printable(&part, TEXT_WIDTH)).collect::<Vec<_>>().join("  ");
    format!("{head}  {}", printable(&row.text, TEXT_WIDTH))
}
