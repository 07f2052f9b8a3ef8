//! Sources and receivers: how each is doing, what it last said, what it costs; and a button that sends a test to a receiver.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::super::error::Problem;
use super::super::{Console, blocking};
use super::templates::Frame;
use super::visitor::Visitor;
use crate::config::LoadedConfig;
use crate::notify::{SampleKind, sample};
use crate::pipeline::IncidentBoard;
use crate::pipeline::assembly;
use crate::pipeline::status::Status;

/// A receiver of the configuration.
#[derive(Debug, PartialEq, Serialize)]
struct ReceiverView {
    name: String,
    /// The integration and where it leads, without secrets.
    what: String,
    /// When it last got a message about an incident of the last days.
    last: Option<Timestamp>,
    messages: u32,
    /// Its last error, in its own words, until it works again.
    error: Option<String>,
}

/// What a test message led to.
#[derive(Debug, Serialize)]
struct TestResult {
    receiver: String,
    /// None: delivered.
    error: Option<String>,
}

pub(in crate::web) async fn page(State(console): State<Console>, visitor: Visitor) -> Response {
    respond(&console, &visitor, None)
}

/// Sends a test message, and shows the page with what the receiver said.
pub(in crate::web) async fn test(
    State(console): State<Console>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let loaded = console.daemon.loaded();
    let receiver = loaded.config.routing().receivers.into_iter().find(|receiver| receiver.name == name);
    let receiver = receiver.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "unknown receiver"))?;
    let send = move || {
        let console = loaded.config.notify.console.clone();
        let message = sample(&receiver.name, SampleKind::Opened, Timestamp::now(), console);
        assembly::send_once(&loaded.config, &receiver, &message)
    };
    let answer = blocking::run(send).await?;
    let error = answer.unwrap_or_else(|error| Some(error.to_string()));
    Ok(respond(&console, &visitor, Some(&TestResult { receiver: name, error })))
}

fn respond(console: &Console, visitor: &Visitor, tested: Option<&TestResult>) -> Response {
    let (status, board) = (console.daemon.status(), console.daemon.board());
    let receivers = receivers(&console.daemon.loaded(), &board);
    let frame = Frame { place: "sources", open: board.open() };
    console.pages.respond(visitor, ("sources.html", &frame), context(&status, &receivers, tested))
}

fn context(status: &Status, receivers: &[ReceiverView], tested: Option<&TestResult>) -> Value {
    minijinja::context! {
        s => Serde(status),
        receivers => Serde(receivers),
        tested => Serde(tested),
        now => status.now.to_string(),
        live => tested.is_none(),
    }
}

fn receivers(loaded: &LoadedConfig, board: &IncidentBoard) -> Vec<ReceiverView> {
    let view = |receiver: &crate::notify::ReceiverConfig| {
        let name = &receiver.name;
        let deliveries = board.incidents.iter().filter_map(|view| view.deliveries.get(name));
        ReceiverView {
            name: name.clone(),
            what: receiver.integration.to_string(),
            last: deliveries.clone().filter_map(|delivery| delivery.last).max(),
            messages: deliveries.map(|delivery| delivery.notifications).sum(),
            error: board.receivers.iter().find(|(known, _)| known == name).and_then(|(_, error)| error.clone()),
        }
    };
    loaded.config.routing().receivers.iter().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::super::overview::tests::status;
    use super::*;
    use crate::language::Language;
    use crate::web::Pages;

    fn render(language: Language) -> String {
        let receiver = ReceiverView {
            name: "desk".into(),
            what: "email".into(),
            last: Timestamp::from_second(60).ok(),
            messages: 2,
            error: Some("550 <no>".into()),
        };
        let tested = TestResult { receiver: "desk".into(), error: Some("550 <no>".into()) };
        let (visitor, pages) = (Visitor::speaking(language), Pages::new(language, "UTC").unwrap());
        let values = context(&status(), &[receiver], Some(&tested));
        pages.render(&visitor, ("sources.html", &Frame::default()), values).unwrap()
    }

    #[test]
    fn everything_is_on_the_page_in_both_languages() {
        let english = render(Language::English);
        for expected in
            ["the token was &lt;refused&gt;", "$0.01 / $10.00", "9 received", "550 &lt;no&gt;", "Send a test"]
        {
            assert!(english.contains(expected), "{expected} is not in\n{english}");
        }
        let french = render(Language::French);
        for expected in ["bloquée", "aujourd’hui", "9 reçus", "Envoyer un essai"] {
            assert!(french.contains(expected), "{expected} is not in\n{french}");
        }
    }
}
