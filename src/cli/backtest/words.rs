//! What a backtest says, in English and in French.

use jiff::SignedDuration;

pub(super) use crate::cli::timeline::words::Words;
use crate::pipeline::backtest::Basis;

impl Words {
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
                format!("{} {number}", self.pick("judged by", "jugé sur"))
            }
            Basis::Labels { margin } => {
                let by = self.pick("judged by the dump's labels, margin", "jugé sur les étiquettes, marge de");
                format!("{by} {:.0} points", margin * 100.0)
            }
            Basis::Nothing => {
                self.pick("not judged: no incident and no label is known", "non jugé : ni incident ni étiquette").into()
            }
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

    /// `2.1 a week`.
    pub(super) fn a_week(self, number: f64) -> String {
        format!("{} {}", self.decimal(number), self.pick("a week", "par semaine"))
    }

    pub(super) fn precision(self) -> &'static str {
        self.pick("precision", "précision")
    }

    pub(super) fn found(self, found: usize, incidents: usize) -> String {
        let of = self.counted(incidents as u64, "incident", "incidents");
        match self {
            Self(crate::language::Language::English) => format!("found {found} of {of}"),
            Self(crate::language::Language::French) => format!("{found} trouvé(s) sur {of}"),
        }
    }

    pub(super) fn median_delay(self, delay: SignedDuration) -> String {
        format!("{} {}", self.duration(delay), self.pick("after they began (median)", "après leur début (médiane)"))
    }

    /// Beside one alert.
    pub(super) fn verdict(self, is_false: Option<bool>) -> &'static str {
        match is_false {
            Some(true) => self.pick("false", "fausse"),
            Some(false) => self.pick("right", "juste"),
            None => "",
        }
    }

    pub(super) fn after(self, delay: SignedDuration) -> String {
        format!("{} {}", self.duration(delay), self.pick("after the incident began", "après le début de l'incident"))
    }

    /// Heads of the sweep's columns.
    pub(super) fn columns(self) -> [&'static str; 6] {
        match self.0 {
            crate::language::Language::English => {
                ["rule", "fired", "false a week", "precision", "found", "median delay"]
            }
            crate::language::Language::French => {
                ["règle", "alertes", "fausses par sem.", "précision", "trouvés", "délai médian"]
            }
        }
    }

    pub(super) fn chart_title(self, key: &str) -> String {
        format!("{} {key}", self.pick("What is traded by", "Le compromis de"))
    }

    pub(super) fn false_axis(self) -> &'static str {
        self.pick("false alarms a week", "fausses alertes par semaine")
    }

    pub(super) fn delay_axis(self) -> &'static str {
        self.pick("median delay, minutes", "délai médian, en minutes")
    }

    pub(super) fn fired_axis(self) -> &'static str {
        self.pick("alerts a week", "alertes par semaine")
    }

    pub(super) fn not_found(self) -> &'static str {
        self.pick("not found (half or more)", "non trouvés (la moitié ou plus)")
    }
}
