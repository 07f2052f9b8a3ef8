//! [`Wording`]: the sentences of a report in one language: macros of `en.jinja` and `fr.jinja`, and the names that alerts use.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, UndefinedBehavior, context};
use serde::Serialize;

use crate::language::Language;
use crate::notify::render;
use crate::notify::render::{Style, add_filters, line, typography};

const ENGLISH: &str = include_str!("templates/en.jinja");
const FRENCH: &str = include_str!("templates/fr.jinja");
const MAIL: &str = include_str!("templates/mail.html");
const PAGE: &str = include_str!("templates/page.html");
const TEXT: &str = include_str!("templates/mail.txt");

/// See the module.
#[derive(Debug)]
pub(super) struct Wording {
    pub(super) language: Language,
    pub(super) zone: TimeZone,
    environment: Environment<'static>,
}

impl Wording {
    /// Of a report made at `now`.
    pub(super) fn new(language: Language, zone: &TimeZone, now: Timestamp) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = minijinja::syntax::SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.unwrap_or_default());
        add_filters(&mut environment, language, &Style { zone: zone.clone() });
        add_own_filters(&mut environment, language, zone);
        environment.add_global("now", now.as_second());
        let sentences = match language {
            Language::English => ENGLISH,
            Language::French => FRENCH,
        };
        let templates = [
            ("words", sentences),
            ("alerts", render::wording(language)),
            ("mail.html", MAIL),
            ("page.html", PAGE),
            ("mail.txt", TEXT),
        ];
        for (name, text) in templates {
            let added = environment.add_template(name, text);
            debug_assert!(added.is_ok(), "{name}: {added:?}");
        }
        Self { language, zone: zone.clone(), environment }
    }

    /// The sentence `name` as plain text on one line; empty where it has nothing to say.
    pub(super) fn say(&self, name: &str, arguments: &[Value]) -> String {
        self.sentence("words", name, arguments)
    }

    pub(super) fn label(&self, name: &str) -> String {
        self.say("label", &[name.into()])
    }

    /// The name of a reason, as alerts write it.
    pub(super) fn reason(&self, reason: &str) -> String {
        self.sentence("alerts", "reason", &[reason.into()])
    }

    pub(super) fn percent(&self, share: f64) -> String {
        render::percent(share, self.language)
    }

    /// Of a share: `72–84%`.
    pub(super) fn range(&self, low: f64, high: f64) -> String {
        render::percent_range(low, high, self.language)
    }

    /// Of a difference of shares, without its sign: `4.2 points`.
    pub(super) fn points(&self, difference: f64) -> String {
        points(difference, self.language)
    }

    pub(super) fn colon(&self) -> &'static str {
        if self.language == Language::French { "\u{a0}:" } else { ":" }
    }

    pub(super) fn number(&self, number: u64) -> String {
        render::number(number, self.language)
    }

    pub(super) fn hour(&self, time: &ZonedDateTime) -> String {
        match self.language {
            Language::English => format!("{:02}:00", time.hour()),
            Language::French => format!("{}\u{a0}h", time.hour()),
        }
    }

    /// `Mon 16`, `lun. 16`.
    pub(super) fn short_day(&self, time: &ZonedDateTime) -> String {
        const ENGLISH: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const FRENCH: [&str; 7] = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];
        let names = if self.language == Language::French { FRENCH } else { ENGLISH };
        let place = usize::from(time.weekday().to_monday_zero_offset().unsigned_abs());
        format!("{}\u{a0}{}", names.get(place).copied().unwrap_or_default(), time.day())
    }

    /// A whole document from `view`.
    pub(super) fn document(&self, template: &str, view: &impl Serialize) -> String {
        let values = context! { r => Value::from(Serde(view)) };
        let rendered = self.environment.get_template(template).and_then(|template| template.render(values));
        debug_assert!(rendered.is_ok(), "{template}: {rendered:?}");
        rendered.unwrap_or_default()
    }

    fn sentence(&self, template: &str, name: &str, arguments: &[Value]) -> String {
        let text = self.call(template, name, arguments);
        debug_assert!(text.is_ok(), "{name}: {text:?}");
        typography(&line(&text.unwrap_or_default()), self.language)
    }

    fn call(&self, template: &str, name: &str, arguments: &[Value]) -> Result<String, Error> {
        let mut captured = self.environment.get_template(template)?.render_captured(context! {})?;
        captured.with_state_mut(|state| state.call_macro(name, arguments))
    }
}

/// Serialises a value for a sentence.
pub(super) fn value(value: impl Serialize) -> Value {
    Value::from(Serde(value))
}

/// The filters that reports need besides those of messages:
///
/// | filter | writes |
/// |---|---|
/// | `days(until, with_year)` | of Unix seconds: `Monday 16 to Sunday 22 February 2015` |
/// | `points` | a difference of shares: `4.2 points` |
/// | `signed` | a ratio less 1: `+12%`, `−8%` |
/// | `money` | `$12.30`, `12,30 $` |
fn add_own_filters(environment: &mut Environment<'_>, language: Language, zone: &TimeZone) {
    let zone = zone.clone();
    environment.add_filter("days", move |since: i64, until: i64, with_year: bool| {
        // The last day ends where the next one begins.
        let [first, last] = [since, until - 1]
            .map(|second| Timestamp::from_second(second).unwrap_or_default().to_zoned_datetime(zone.clone()));
        render::days(&first, &last, with_year, language)
    });
    environment.add_filter("points", move |difference: f64| points(difference, language));
    environment.add_filter("signed", move |ratio: f64| {
        let percent = format!("{:.0}", ratio.abs() * 100.0);
        let sign = if percent == "0" {
            "±"
        } else if ratio < 0.0 {
            "−"
        } else {
            "+"
        };
        match language {
            Language::English => format!("{sign}{percent}%"),
            Language::French => format!("{sign}{percent}\u{202f}%"),
        }
    });
    environment.add_filter("money", move |dollars: f64| match language {
        Language::English => format!("${}", decimal(dollars, 2, language)),
        Language::French => format!("{}\u{a0}$", decimal(dollars, 2, language)),
    });
}

fn points(difference: f64, language: Language) -> String {
    let number = decimal(difference.abs() * 100.0, 1, language);
    let is_one = if language == Language::French { difference.abs() < 0.02 } else { number == "1.0" };
    format!("{number}\u{a0}{}", if is_one { "point" } else { "points" })
}

fn decimal(number: f64, digits: usize, language: Language) -> String {
    let text = format!("{number:.digits$}");
    if language == Language::French { text.replace('.', ",") } else { text }
}
