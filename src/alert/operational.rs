//! [`OperationalAlert`]: the alerts that vigie raises about itself. Code, message templates and docs take the names
//! from here; operators route on them as the label `alertname`.

use std::fmt;
use std::str::FromStr;

/// One alert about vigie itself. The label `component` says which source, receiver or part it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationalAlert {
    /// A source has received nothing for longer than is plausible.
    SourceStalled,
    /// A source cannot continue until somebody acts, such as on a refused token.
    SourceBlocked,
    /// Posts that the stream missed could not be read by search, and may be lost.
    StreamGapNotFilled,
    /// A budget is close to its limit.
    BudgetNearlySpent,
    /// A budget is spent: reading stops until its period ends.
    BudgetSpent,
    /// The system clock jumped; alerts follow the old time until the new time is confirmed.
    ClockJumped,
    /// The store cannot be written.
    StoreFailed,
    /// A receiver rejects all notifications until somebody acts.
    ReceiverFailed,
    /// A receiver refused one message in every form, and accepts others.
    NotificationRejected,
    /// A receiver accepted a notification for some recipients only.
    ReceiverPartialDelivery,
    /// A receiver has not answered for some time.
    ReceiverUnreachable,
}

/// A text that is not the name of an operational alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown operational alert `{0}`")]
pub struct UnknownOperationalAlert(String);

impl OperationalAlert {
    pub const ALL: [Self; 11] = [
        Self::SourceStalled,
        Self::SourceBlocked,
        Self::StreamGapNotFilled,
        Self::BudgetNearlySpent,
        Self::BudgetSpent,
        Self::ClockJumped,
        Self::StoreFailed,
        Self::ReceiverFailed,
        Self::NotificationRejected,
        Self::ReceiverPartialDelivery,
        Self::ReceiverUnreachable,
    ];

    /// The value of the label `alertname`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SourceStalled => "SourceStalled",
            Self::SourceBlocked => "SourceBlocked",
            Self::StreamGapNotFilled => "StreamGapNotFilled",
            Self::BudgetNearlySpent => "BudgetNearlySpent",
            Self::BudgetSpent => "BudgetSpent",
            Self::ClockJumped => "ClockJumped",
            Self::StoreFailed => "StoreFailed",
            Self::ReceiverFailed => "ReceiverFailed",
            Self::NotificationRejected => "NotificationRejected",
            Self::ReceiverPartialDelivery => "ReceiverPartialDelivery",
            Self::ReceiverUnreachable => "ReceiverUnreachable",
        }
    }

    /// Whether the alert goes to the receivers other than the one that it is about: that one cannot be reached, or refused the
    /// message.
    pub const fn avoids_its_receiver(self) -> bool {
        matches!(self, Self::ReceiverFailed | Self::NotificationRejected | Self::ReceiverUnreachable)
    }
}

impl fmt::Display for OperationalAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OperationalAlert {
    type Err = UnknownOperationalAlert;

    fn from_str(text: &str) -> Result<Self, UnknownOperationalAlert> {
        let found = Self::ALL.into_iter().find(|alert| alert.name() == text);
        found.ok_or_else(|| UnknownOperationalAlert(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_and_is_unique() {
        for alert in OperationalAlert::ALL {
            assert_eq!(alert.name().parse(), Ok(alert));
            assert_eq!(OperationalAlert::ALL.iter().filter(|other| other.name() == alert.name()).count(), 1);
        }
        assert_eq!("NoPosts".parse::<OperationalAlert>(), Err(UnknownOperationalAlert("NoPosts".into())));
    }

    /// An operator who receives an alert must find out in the docs what to do about it.
    #[test]
    fn the_docs_have_a_row_for_every_alert() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
        let mut tables = Vec::new();
        for entry in std::fs::read_dir(docs).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("operations")) {
                let text = std::fs::read_to_string(&path).unwrap();
                tables.extend(text.lines().filter(|line| line.starts_with('|')).map(str::to_owned));
            }
        }
        for alert in OperationalAlert::ALL {
            let cell = format!("`{}`", alert.name());
            assert!(tables.iter().any(|row| row.contains(&cell)), "docs/operations*.md: no row for {cell}");
        }
    }
}
