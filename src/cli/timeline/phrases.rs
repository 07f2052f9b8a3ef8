//! The phrases of the timeline and of backtests, in English and in French.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::language::Language;

/// Phrases of one language.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Phrases(pub(in crate::cli) Language);

const MONTHS_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_FR: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];

impl Phrases {
    pub(in crate::cli) fn pick(self, english: &'static str, french: &'static str) -> &'static str {
        match self.0 {
            Language::English => english,
            Language::French => french,
        }
    }

    /// `12,345` or `12 345`.
    pub(in crate::cli) fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let separator = self.pick(",", "\u{202f}");
        let mut grouped = String::new();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push_str(separator);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// `94%` or `94 %`.
    pub(in crate::cli) fn percent(self, share: f64) -> String {
        format!("{:.0}{}", share * 100.0, self.pick("%", "\u{a0}%"))
    }

    pub(in crate::cli) fn posts(self, number: u64) -> String {
        let (one, many) = (self.pick("post", "message"), self.pick("posts", "messages"));
        self.counted(number, one, many)
    }

    pub(in crate::cli) fn alerts(self, number: u64) -> String {
        if number == 0 {
            return self.pick("no alert", "aucune alerte").into();
        }
        let (one, many) = (self.pick("alert", "alerte"), self.pick("alerts", "alertes"));
        self.counted(number, one, many)
    }

    pub(in crate::cli) fn counted(self, number: u64, one: &str, many: &str) -> String {
        // French uses the singular for 0 and 1, English only for 1.
        let singular = number == 1 || (number == 0 && self.0 == Language::French);
        format!("{} {}", self.number(number), if singular { one } else { many })
    }

    pub(in crate::cli) fn negative(self) -> &'static str {
        self.pick("negative", "négatifs")
    }

    pub(super) fn neutral(self) -> &'static str {
        self.pick("neutral", "neutres")
    }

    pub(super) fn positive(self) -> &'static str {
        self.pick("positive", "positifs")
    }

    /// `94% of 87 posts negative`.
    pub(super) fn rate_of(self, rate: f64, posts: u64) -> String {
        let (rate, posts) = (self.percent(rate), self.posts(posts));
        match self.0 {
            Language::English => format!("{rate} of {posts} negative"),
            Language::French => format!("{rate} de négatifs (sur {posts})"),
        }
    }

    /// `32 negative of 34 posts`.
    pub(super) fn number_of(self, negative: u64, posts: u64) -> String {
        let (negative, posts) = (self.number(negative), self.posts(posts));
        format!("{negative} {} {posts}", self.pick("negative of", "négatifs sur"))
    }

    /// `lower bound 88%`.
    pub(super) fn lower_bound(self, bound: &str) -> String {
        format!("{} {bound}", self.pick("lower bound", "au moins"))
    }

    /// `no posts until 24 Feb 11:27; 18 expected`.
    pub(in crate::cli) fn silent_until(self, time: Timestamp, expected: Option<u64>) -> String {
        let (until, semicolon) = (self.moment(time), self.semicolon());
        let expected = expected.map(|posts| {
            let posts = self.number(posts);
            format!("{semicolon} {posts} {}", self.pick("expected", "attendus"))
        });
        format!("{} {until}{}", self.pick("no posts until", "aucun message jusqu’au"), expected.unwrap_or_default())
    }

    /// French sets a no-break space before `:` and `;`.
    pub(in crate::cli) fn colon(self) -> &'static str {
        self.pick(":", "\u{a0}:")
    }

    pub(in crate::cli) fn semicolon(self) -> &'static str {
        self.pick(";", "\u{a0};")
    }

    /// `12.3`.
    pub(in crate::cli) fn decimal(self, number: f64) -> String {
        format!("{number:.1}").replace('.', self.pick(".", ","))
    }

    /// `22 Feb 14:05`, in UTC.
    pub(in crate::cli) fn moment(self, time: Timestamp) -> String {
        let time = Offset::UTC.to_datetime(time);
        format!("{} {:02}:{:02}", self.date(time), time.hour(), time.minute())
    }

    /// `22 Feb`, in UTC.
    pub(super) fn day(self, time: Timestamp) -> String {
        self.date(Offset::UTC.to_datetime(time))
    }

    fn date(self, time: DateTime) -> String {
        let months = match self.0 {
            Language::English => MONTHS_EN,
            Language::French => MONTHS_FR,
        };
        let month = months[usize::try_from(time.month() - 1).unwrap_or(0) % 12];
        format!("{} {month}", time.day())
    }

    /// `2 h 10 min`.
    pub(in crate::cli) fn duration(self, duration: SignedDuration) -> String {
        let minutes = duration.as_mins();
        let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        let day = self.pick("d", "j");
        match (days, hours) {
            (0, 0) => format!("{minutes} min"),
            (0, _) => format!("{hours} h {minutes:02} min"),
            _ => format!("{days} {day} {hours} h"),
        }
    }

    pub(in crate::cli) fn still_firing(self) -> &'static str {
        self.pick("still firing at the end", "toujours en cours à la fin")
    }

    pub(in crate::cli) fn peak(self) -> &'static str {
        self.pick("peak", "pic")
    }

    pub(super) fn normal(self) -> &'static str {
        self.pick("normal", "d’ordinaire")
    }

    pub(super) fn threshold(self) -> &'static str {
        self.pick("threshold", "seuil")
    }

    pub(super) fn volume(self) -> &'static str {
        self.pick("posts", "volume")
    }

    pub(super) fn firing(self) -> &'static str {
        self.pick("alerts", "alertes")
    }

    pub(super) fn most_in(self, posts: u64, hours: i64) -> String {
        let number = self.number(posts);
        match (self.0, hours) {
            (Language::English, 1) => format!("max. {number} per hour"),
            (Language::English, _) => format!("max. {number} in {hours} h"),
            (Language::French, 1) => format!("max. {number} par heure"),
            (Language::French, _) => format!("max. {number} en {hours} h"),
        }
    }

    pub(super) fn legend(self, hours: i64) -> String {
        match self.0 {
            Language::English => {
                format!("share of negative posts, {hours} h per column; ╌ or ▒: normal level; times in UTC")
            }
            Language::French => {
                format!(
                    "part de messages négatifs, {hours} h par colonne\u{a0}; ╌ ou ▒\u{a0}: niveau habituel\u{a0}; heures UTC"
                )
            }
        }
    }

    /// The name of the annotation in this language.
    pub(super) fn annotation(self) -> &'static str {
        self.pick("summary", "summary_fr")
    }

    pub(super) fn counted_in(self) -> &'static str {
        self.pick("in", "en")
    }

    pub(super) fn per_second(self) -> &'static str {
        self.pick("posts/s", "messages/s")
    }

    pub(super) fn resumed(self, skipped: u64) -> String {
        match self.0 {
            Language::English => format!("{} of them in a previous run", self.number(skipped)),
            Language::French => format!("dont {} lors d'une exécution précédente", self.number(skipped)),
        }
    }

    pub(super) fn duplicates(self) -> &'static str {
        self.pick("duplicates", "doublons")
    }

    pub(super) fn too_late(self) -> &'static str {
        self.pick("too late", "trop tard")
    }

    pub(super) fn unmatched(self) -> &'static str {
        self.pick("without topic", "hors sujet")
    }

    pub(in crate::cli) fn rejected(self, rows: u64) -> String {
        let one = self.pick("row rejected", "ligne rejetée");
        self.counted(rows, one, self.pick("rows rejected", "lignes rejetées"))
    }

    pub(in crate::cli) fn kept_in(self) -> &'static str {
        self.pick("kept in", "conservées dans")
    }

    pub(in crate::cli) fn model(self) -> &'static str {
        self.pick("model", "modèle")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Phrases = Phrases(Language::English);
    const FR: Phrases = Phrases(Language::French);

    #[test]
    fn numbers_and_plurals() {
        assert_eq!(EN.posts(1_234_567), "1,234,567 posts");
        assert_eq!(FR.posts(1_234), "1\u{202f}234 messages");
        assert_eq!((EN.posts(0), FR.posts(0)), ("0 posts".into(), "0 message".into()));
        assert_eq!((EN.alerts(0), FR.alerts(1)), ("no alert".into(), "1 alerte".into()));
    }

    #[test]
    fn moments_and_durations() {
        let time = "2015-02-22T14:05:00Z".parse().unwrap();
        assert_eq!((EN.moment(time), FR.moment(time)), ("22 Feb 14:05".into(), "22 févr. 14:05".into()));
        assert_eq!(EN.duration(SignedDuration::from_mins(130)), "2 h 10 min");
        assert_eq!(FR.duration(SignedDuration::from_hours(50)), "2 j 2 h");
    }
}
