//! The phrases of `vigie backtest`, in English and in French.

use jiff::SignedDuration;

pub(super) use crate::cli::timeline::phrases::Phrases;
use crate::pipeline::backtest::Basis;

impl Phrases {
    /// `1.4 weeks`.
    pub(super) fn weeks(self, weeks: f64) -> String {
        format!("{} {}", self.decimal(weeks), self.pick("weeks", "semaines"))
    }

    pub(super) fn blocks(self, blocks: usize) -> String {
        self.counted(blocks as u64, self.pick("block", "bloc"), self.pick("blocks", "blocs"))
    }

    pub(super) fn judged_by(self, basis: &Basis) -> String {
        match basis {
            Basis::Incidents(incidents) => {
                let number = self.counted(incidents.len() as u64, "incident", "incidents");
                format!("{} {number}", self.pick("evaluated by", "évalué sur"))
            }
            Basis::Labels { margin } => {
                let by =
                    self.pick("evaluated by the labels of the dump, margin", "évalué sur les étiquettes, marge de");
                format!("{by} {:.0} points", margin * 100.0)
            }
            Basis::Nothing => self
                .pick("not evaluated: no incidents and no labels", "non évalué\u{a0}: ni incident ni étiquette")
                .into(),
        }
    }

    pub(super) fn would_have_fired(self, times: usize) -> String {
        let times = times as u64;
        match self {
            Self(crate::language::Language::English) => {
                format!("would have fired {}", self.counted(times, "time", "times"))
            }
            Self(crate::language::Language::French) => format!("se serait déclenchée {} fois", self.number(times)),
        }
    }

    pub(super) fn false_alarms(self, number: usize) -> String {
        let one = self.pick("false alarm", "fausse alerte");
        self.counted(number as u64, one, self.pick("false alarms", "fausses alertes"))
    }

    /// `2.1 per week`.
    pub(super) fn per_week(self, number: f64) -> String {
        format!("{} {}", self.decimal(number), self.pick("per week", "par semaine"))
    }

    pub(super) fn precision(self) -> &'static str {
        self.pick("precision", "précision")
    }

    pub(super) fn found(self, found: usize, incidents: usize) -> String {
        let of = self.counted(incidents as u64, "incident", "incidents");
        match self {
            Self(crate::language::Language::English) => format!("detected {found} of {of}"),
            Self(crate::language::Language::French) => format!("{found} détecté(s) sur {of}"),
        }
    }

    pub(super) fn median_delay(self, delay: SignedDuration) -> String {
        format!("{} {}", self.pick("median delay", "délai médian"), self.duration(delay))
    }

    /// The verdict on one alert.
    pub(super) fn verdict(self, is_false: Option<bool>) -> &'static str {
        match is_false {
            Some(true) => self.pick("false", "fausse"),
            Some(false) => self.pick("true", "juste"),
            None => "",
        }
    }

    pub(super) fn after(self, delay: SignedDuration) -> String {
        format!("{} {}", self.duration(delay), self.pick("after the incident began", "après le début de l’incident"))
    }

    /// Headers of the columns of a sweep.
    pub(super) fn columns(self) -> [&'static str; 6] {
        match self.0 {
            crate::language::Language::English => {
                ["rule", "alerts", "false per week", "precision", "detected", "median delay"]
            }
            crate::language::Language::French => {
                ["règle", "alertes", "fausses par sem.", "précision", "détectés", "délai médian"]
            }
        }
    }

    /// `has_delays`: the vertical axis is the delay, not the number of alerts.
    pub(super) fn chart_title(self, key: &str, has_delays: bool) -> String {
        match has_delays {
            true => {
                let title =
                    self.pick("False alarms vs. detection delay, by", "Fausses alertes et délai de détection, selon");
                format!("{title} {key}")
            }
            false => format!("{} {key}", self.pick("False alarms vs. alerts, by", "Fausses alertes et alertes, selon")),
        }
    }

    pub(super) fn false_axis(self) -> &'static str {
        self.pick("false alarms per week", "fausses alertes par semaine")
    }

    pub(super) fn delay_axis(self) -> &'static str {
        self.pick("median delay, minutes", "délai médian, en minutes")
    }

    pub(super) fn fired_axis(self) -> &'static str {
        self.pick("alerts per week", "alertes par semaine")
    }

    pub(super) fn not_found(self) -> &'static str {
        self.pick("half or more not detected", "la moitié ou plus non détectés")
    }
}
