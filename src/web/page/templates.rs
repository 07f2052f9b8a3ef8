//! [`Pages`]: the templates of all pages, parsed once for each language, with the time zone that they are written in.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, State, Value, context};
use tokio::sync::Semaphore;

use super::super::assets;
use super::super::error::Problem;
use super::super::sign_in::form_token;
use super::model::drift::DriftCache;
use super::rendered::RenderedPages;
use super::visitor::Visitor;
use crate::language::Language;
use crate::notify::render;

/// Pages run, load and send to what this server has, and cannot be framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// All pages extend the layout.
const TEMPLATES: [(&str, &str); 20] = [
    ("layout.html", include_str!("layout.html")),
    ("chart.html", include_str!("chart.html")),
    ("incident_line.html", include_str!("incident_line.html")),
    ("overview.html", include_str!("overview.html")),
    ("incident_alerts.html", include_str!("incident_alerts.html")),
    ("incident_history.html", include_str!("incident_history.html")),
    ("incident.html", include_str!("incident.html")),
    ("post_mortem.html", include_str!("post_mortem.html")),
    ("incidents.html", include_str!("incidents.html")),
    ("contrast.html", include_str!("contrast.html")),
    ("posts.html", include_str!("posts.html")),
    ("saved_filters.html", include_str!("saved_filters.html")),
    ("analyse.html", include_str!("analyse.html")),
    ("model.html", include_str!("model.html")),
    ("retraining.html", include_str!("retraining.html")),
    ("backtest.html", include_str!("backtest.html")),
    ("comparison.html", include_str!("comparison.html")),
    ("audit.html", include_str!("audit.html")),
    ("sign_in.html", include_str!("sign_in.html")),
    ("sources.html", include_str!("sources.html")),
];

/// Renders pages. Clones share the parsed templates.
#[derive(Debug, Clone)]
pub struct Pages {
    english: Arc<Environment<'static>>,
    french: Arc<Environment<'static>>,
    usual: Language,
    zone: TimeZone,
    /// Overviews of the present state of the daemon.
    pub(super) overviews: RenderedPages,
    /// Backtests take seconds of a processor: one runs at a time.
    pub(super) backtests: Arc<Semaphore>,
    pub(super) drift: DriftCache,
}

/// What every page shows besides its own content.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Which item of the navigation the page belongs to.
    pub(super) place: &'static str,
    /// Incidents that fire and nobody has taken: the number in the title and on the icon.
    pub(super) open: usize,
}

impl Pages {
    /// `usual` is the language of visitors whose browser prefers neither; `time_zone` is an IANA name, and an unknown one means
    /// UTC, as in messages.
    ///
    /// # Errors
    /// When a template has a syntax error.
    pub fn new(usual: Language, time_zone: &str) -> Result<Self, minijinja::Error> {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let environment = |language| environment(language, &zone).map(Arc::new);
        let (english, french) = (environment(Language::English)?, environment(Language::French)?);
        Ok(Self {
            english,
            french,
            usual,
            zone,
            overviews: RenderedPages::default(),
            backtests: Arc::new(Semaphore::new(1)),
            drift: DriftCache::default(),
        })
    }

    /// The language of visitors whose browser prefers none that pages have.
    pub(super) fn usual_language(&self) -> Language {
        self.usual
    }

    /// The time zone that pages are written in.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// `values` has the time as `now`, which "ago" and the days of clocks refer to.
    pub(super) fn render(
        &self,
        visitor: &Visitor,
        (name, frame): (&str, &Frame),
        values: Value,
    ) -> Result<String, minijinja::Error> {
        let environment = if visitor.is_french() { &self.french } else { &self.english };
        let frame = context! {
            place => frame.place,
            open => frame.open,
            other_language => visitor.in_other_language(),
            address => visitor.address(),
            zone => self.zone.iana_name().unwrap_or("UTC"),
            visitor_name => visitor.signer(None),
            user => &visitor.user,
        };
        environment.get_template(name)?.render(context! { ..values, ..frame })
    }

    pub(super) fn respond(&self, visitor: &Visitor, page: (&str, &Frame), values: Value) -> Response {
        match self.render(visitor, page, values) {
            Ok(page) => html(visitor, page),
            Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
        }
    }
}

/// A page with the headers that all pages have.
pub(super) fn html(visitor: &Visitor, page: String) -> Response {
    let page = match &visitor.form_token {
        Some(token) => form_token::insert(&page, token),
        None => page,
    };
    let mut response = Html(page).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    headers.extend(visitor.language_cookie().map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn environment(language: Language, zone: &TimeZone) -> Result<Environment<'static>, minijinja::Error> {
    let french = language == Language::French;
    let mut environment = Environment::new();
    environment.add_global("fr", french);
    environment.add_global("style_address", assets::address("style.css"));
    environment.add_global("script_address", assets::address("console.js"));
    environment.add_global("icon_address", assets::address("icon.svg"));
    // Both languages stand side by side in the template, so that neither is forgotten.
    environment.add_function(
        "t",
        move |english: String, in_french: String| {
            if french { render::typography(&in_french, Language::French) } else { english }
        },
    );
    environment.add_filter("urlencode", |text: String| -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    });
    environment.add_filter("ago", move |state: &State<'_, '_>, time: String| ago(state, &time, language));
    environment.add_filter("percent", move |rate: Option<f64>| percent(rate, language));
    environment.add_filter("tenths", move |rate: f64| format!("{}{}", tenths(rate, language), percent_sign(language)));
    environment.add_filter("points", move |difference: f64| points(difference, language));
    environment.add_filter("decimal", move |number: f64| decimal(number, language));
    environment.add_filter("duration", move |seconds: i64| render::duration(seconds, language));
    environment.add_filter("number", move |number: i64| grouped(number, language));
    let zone = zone.clone();
    environment.add_filter("clock", move |state: &State<'_, '_>, time: String| match time.parse() {
        Ok(time) => render::clock(time, now(state), &zone, language),
        Err(_) => "–".into(),
    });
    // As .html, so that what its macros write is escaped.
    environment.add_template("messages.html", render::wording(language))?;
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

fn now(state: &State<'_, '_>) -> Timestamp {
    let now = state.lookup("now").and_then(|now| now.as_str().and_then(|now| now.parse().ok()));
    now.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `0.25` as `25%`, in French as `25 %` with a no-break space; a dash if unknown.
fn percent(rate: Option<f64>, language: Language) -> String {
    rate.map_or_else(|| "–".into(), |rate| format!("{:.0}{}", rate * 100.0, percent_sign(language)))
}

fn percent_sign(language: Language) -> &'static str {
    if language == Language::French { "\u{a0}%" } else { "%" }
}

/// `0.7314` as `73.1`, in French as `73,1`.
fn tenths(rate: f64, language: Language) -> String {
    let text = format!("{:.1}", rate * 100.0);
    if language == Language::French { text.replace('.', ",") } else { text }
}

/// `2.34` as `2.3`, in French as `2,3`; from ten on without decimals.
pub(super) fn decimal(number: f64, language: Language) -> String {
    if number >= 9.95 {
        return grouped(number.round() as i64, language);
    }
    let text = format!("{number:.1}");
    if language == Language::French { text.replace('.', ",") } else { text }
}

/// A difference of two shares in percentage points: `0.021` as `+2.1`.
fn points(difference: f64, language: Language) -> String {
    let sign = if difference < -0.0005 { "−" } else { "+" };
    format!("{sign}{}", tenths(difference.abs(), language))
}

/// `12345` as `12,345`, in French with narrow no-break spaces.
fn grouped(number: i64, language: Language) -> String {
    let separator = if language == Language::French { '\u{202f}' } else { ',' };
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// How long before now the time was, in the largest unit.
fn ago(state: &State<'_, '_>, time: &str, language: Language) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return "–".into() };
    let seconds = now(state).duration_since(time).as_secs().max(0);
    let (number, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, if language == Language::French { "j" } else { "d" }),
    };
    match language {
        Language::French => format!("il y a {number}\u{a0}{unit}"),
        Language::English => format!("{number} {unit} ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_each_language_does() {
        assert_eq!(grouped(1_234_567, Language::English), "1,234,567");
        assert_eq!(grouped(-12_345, Language::French), "-12\u{202f}345");
        assert_eq!(grouped(999, Language::French), "999");
        assert_eq!(percent(Some(0.251), Language::French), "25\u{a0}%");
        assert_eq!(percent(None, Language::English), "–");
        assert_eq!(decimal(2.34, Language::French), "2,3");
        assert_eq!(
            (decimal(9.96, Language::English), decimal(1_234.5, Language::English)),
            ("10".into(), "1,235".into())
        );
    }
}
