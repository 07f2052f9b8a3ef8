//! The phrases of `vigie top`, in English and in French.

use jiff::{SignedDuration, Timestamp, tz::Offset};

use crate::language::Language;
use crate::source::SourceState;

/// Phrases of one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrases(pub(super) Language);

impl Phrases {
    fn pick(self, english: &'static str, french: &'static str) -> &'static str {
        match self.0 {
            Language::English => english,
            Language::French => french,
        }
    }

    /// `12,345` or `12 345`.
    pub(super) fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let separator = self.pick(",", "\u{202f}");
        let first = digits.len() % 3;
        let mut grouped = digits.get(..first).unwrap_or_default().to_owned();
        for group in digits.as_bytes().get(first..).unwrap_or_default().chunks(3) {
            if !grouped.is_empty() {
                grouped.push_str(separator);
            }
            grouped.extend(group.iter().map(|digit| char::from(*digit)));
        }
        grouped
    }

    pub(super) fn is_french(self) -> bool {
        self.0 == Language::French
    }

    /// `82%` or `82 %`.
    pub(super) fn percent(self, share: f64) -> String {
        format!("{:.0}{}", share * 100.0, self.pick("%", "\u{a0}%"))
    }

    /// `$8.10` or `8,10 $`.
    pub(super) fn dollars(self, amount: f64) -> String {
        match self.0 {
            Language::English => format!("${amount:.2}"),
            Language::French => format!("{amount:.2}\u{a0}$").replace('.', ","),
        }
    }

    /// French sets a no-break space before a colon.
    pub(super) fn colon(self) -> &'static str {
        self.pick(":", "\u{a0}:")
    }

    /// Of an alert about a topic whose past is too short.
    pub(super) fn learning(self) -> &'static str {
        self.pick(
            "day 1 of 2 of learning: judged by fixed limits only",
            "jour 1 sur 2 de l’apprentissage\u{a0}: jugée par des limites fixes seulement",
        )
    }

    pub(super) fn acknowledged_by(self) -> &'static str {
        self.pick("acknowledged by", "prise en charge par")
    }

    /// The state of an alert. English keeps the terms of Prometheus.
    pub(super) fn alert_state(self, state: &str) -> String {
        match (self.0, state) {
            (Language::French, "firing") => "active".to_owned(),
            (Language::French, "pending") => "en attente".to_owned(),
            (_, state) => state.to_owned(),
        }
    }

    /// `12 s`, `5 min`, `3 h 05 min`, `2 d 3 h`.
    pub(super) fn duration(self, duration: SignedDuration) -> String {
        let seconds = duration.as_secs().max(0);
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{seconds} s"),
            (0, 0, _) => format!("{minutes} min"),
            (0, _, _) => format!("{hours} h {minutes:02} min"),
            _ => format!("{days} {} {hours} h", self.pick("d", "j")),
        }
    }

    /// `12 s ago`.
    pub(super) fn ago(self, then: Timestamp, now: Timestamp) -> String {
        let duration = self.duration(now.duration_since(then));
        match self.0 {
            Language::English => format!("{duration} ago"),
            Language::French => format!("il y a {duration}"),
        }
    }

    /// `14:05:12 UTC`.
    pub(super) fn clock(self, time: Timestamp) -> String {
        let time = Offset::UTC.to_datetime(time);
        format!("{:02}:{:02}:{:02} UTC", time.hour(), time.minute(), time.second())
    }

    pub(super) fn never(self) -> &'static str {
        self.pick("never", "jamais")
    }

    pub(super) fn model(self) -> &'static str {
        self.pick("model", "modèle")
    }

    pub(super) fn up(self) -> &'static str {
        self.pick("up", "en marche depuis")
    }

    pub(super) fn ready(self, ready: bool) -> &'static str {
        if ready { self.pick("READY", "PRÊT") } else { self.pick("NOT READY", "PAS PRÊT") }
    }

    pub(super) fn received(self) -> &'static str {
        self.pick("received", "reçus")
    }

    pub(super) fn classified(self) -> &'static str {
        self.pick("classified", "classés")
    }

    pub(super) fn rejected(self) -> &'static str {
        self.pick("rejected", "rejetés")
    }

    pub(super) fn duplicates(self) -> &'static str {
        self.pick("duplicates", "doublons")
    }

    pub(super) fn outbox(self) -> &'static str {
        self.pick("undelivered", "non distribués")
    }

    pub(super) fn lost(self, since: Timestamp) -> String {
        let since = self.clock(since);
        match self.0 {
            Language::English => format!("lost contact since {since}, still trying"),
            Language::French => format!("contact perdu depuis {since}, nouvel essai en cours"),
        }
    }

    pub(super) fn alerts(self) -> &'static str {
        self.pick("Alerts", "Alertes")
    }

    pub(super) fn no_alert(self) -> &'static str {
        self.pick("none", "aucune")
    }

    pub(super) fn topics(self) -> &'static str {
        self.pick("Topics, last hour", "Sujets, dernière heure")
    }

    pub(super) fn posts(self) -> &'static str {
        self.pick("posts", "messages")
    }

    pub(super) fn negative(self) -> &'static str {
        self.pick("negative", "négatifs")
    }

    pub(super) fn normal(self) -> &'static str {
        self.pick("normal", "habituel")
    }

    pub(super) fn by_minute(self) -> &'static str {
        self.pick("posts per minute", "messages par minute")
    }

    pub(super) fn sources(self) -> &'static str {
        "Sources"
    }

    pub(super) fn last_success(self) -> &'static str {
        self.pick("last success", "dernière réception")
    }

    pub(super) fn state(self, state: &SourceState) -> &'static str {
        match state {
            SourceState::Starting => self.pick("starting", "démarre"),
            SourceState::Working => self.pick("working", "active"),
            SourceState::Waiting { .. } => self.pick("waiting", "attend"),
            SourceState::Blocked { .. } => self.pick("BLOCKED", "BLOQUÉE"),
            SourceState::Stopped => self.pick("stopped", "arrêtée"),
        }
    }

    pub(super) fn stalled(self) -> &'static str {
        self.pick("STALLED", "MUETTE")
    }

    pub(super) fn until(self) -> &'static str {
        self.pick("until", "jusqu’à")
    }

    pub(super) fn spent(self) -> &'static str {
        self.pick("spent", "dépensé")
    }

    pub(super) fn period(self, period: &str) -> &str {
        match period {
            "day" => self.pick("today", "aujourd’hui"),
            "month" => self.pick("this month", "ce mois-ci"),
            other => other,
        }
    }

    pub(super) fn of(self) -> &'static str {
        self.pick("of", "sur")
    }

    pub(super) fn queues(self) -> &'static str {
        self.pick("Queues", "Files d’attente")
    }

    pub(super) fn keys(self) -> &'static str {
        self.pick("q quit   ↑↓ PgUp PgDn topics", "q quitter   ↑↓ PgUp PgDn sujets")
    }
}
