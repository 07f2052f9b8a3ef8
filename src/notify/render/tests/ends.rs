//! Messages about crowds, about incidents that are closed while they last, and about topics whose past is short.

use super::*;
use crate::rule::{CLOSED_AFTER_HOURS, LEARNED_HOURS};

fn plain(text: &str) -> String {
    text.replace(['\u{a0}', '\u{202f}'], " ").replace('’', "'")
}

fn end(notification: &mut Notification) {
    notification.kind = Kind::Resolved;
    let ended = notification.at;
    notification.incident.ended_at = Some(ended);
    notification.alerts.iter_mut().for_each(|alert| alert.ends_at = Some(ended));
}

#[test]
fn a_crowd_is_no_bad_buzz() {
    let message = french("volume", |_| {});
    assert!(plain(&message.subject).contains("Affluence inhabituelle"), "{}", message.subject);
    let message = french("volume", |notification| {
        end(notification);
        let alert = &mut notification.alerts[0];
        (alert.peak.posts, alert.peak.negative, alert.peak.rate) = (210, 42, 0.2);
        alert.peak.normal = Some(NormalLevel { value: 80.0, posts: 900 });
    });
    let text = plain(&message.text);
    let mut lines = text.lines();
    let headline = lines.next().unwrap_or_default();
    assert!(headline.starts_with("210 messages sur Air Paradis en 2 h") && headline.contains("terminé"), "{headline}");
    assert!(headline.contains("contre 80 d'ordinaire"), "{headline}");
    assert!(lines.next().unwrap_or_default().contains("20 % de ces messages étaient négatifs"), "{text}");
}

#[test]
fn what_is_closed_is_not_said_to_be_over() {
    let message = french("rising", |notification| {
        end(notification);
        notification.alerts[0].explanation.numbers.push((CLOSED_AFTER_HOURS.into(), 72.0));
    });
    let text = plain(&message.text);
    assert!(text.lines().next().unwrap_or_default().contains("clos après 3 jours, sans être terminé"), "{text}");
    assert!(text.contains("restent au-dessus de leur niveau habituel") && text.contains("max_open"), "{text}");
    assert!(text.contains("Clos · Air Paradis") && !text.contains("Terminé"), "{text}");
}

#[test]
fn an_alert_of_the_first_day_says_that_nothing_is_usual_yet() {
    let message = french("negative_rate", |notification| {
        let alert = &mut notification.alerts[0];
        alert.latest.normal = None;
        alert.explanation.numbers.push((LEARNED_HOURS.into(), 7.0));
    });
    let text = plain(&message.text);
    assert!(text.contains("D'ordinaire : Pas encore connu : jour 1 sur 2 de l'apprentissage (7 h sur 24)"), "{text}");
    let known = plain(&french("negative_rate", |_| {}).text);
    assert!(!known.contains("apprentissage"), "{known}");
}

/// Reminders end with the acknowledgement: messages say who took over, and what that person wrote.
#[test]
fn an_acknowledgement_shows_its_comment() {
    let templates = Templates::embedded(Style::default());
    let at = Timestamp::from_second(1_424_613_900).unwrap();
    for (language, expected) in [
        (Language::English, "Acknowledged by Claire at 14:05 UTC: “crew & <gate> informed”."),
        (Language::French, "Pris en charge par Claire à 14 h 05 UTC : « crew & <gate> informed » ;"),
    ] {
        let comment = "crew & <gate>\ninformed".into();
        let acknowledged = Some(Acknowledged { by: "Claire".into(), at, comment });
        let message = render(&Notification { acknowledged, ..sample("crisis", None, at) }, language, &templates);
        let text = plain(&message.text);
        assert!(text.contains(expected), "{text}");
        assert!(message.html.contains("crew &amp; &lt;gate&gt; informed"), "{}", message.html);
        assert!(message.card.to_string().contains("informed"), "{}", message.card);
    }
}
