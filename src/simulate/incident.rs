//! [`SimulatedIncident`]: raises the share of negative posts by a number of points, with added or replaced posts.

/// Maximum share of negative posts: some people always write about something else.
pub(super) const MAX_SHARE: f64 = 0.98;

/// An incident in a stream. Times are in Unix seconds, lengths in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedIncident {
    pub begins: i64,
    pub length: i64,
    /// Increase of the share of negative posts at full height, in (0, 1).
    pub rate_increase: f64,
    pub shape: IncidentShape,
    pub kind: IncidentKind,
}

/// How an incident begins; each one ends abruptly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentShape {
    Sudden,
    /// Grows linearly to its full height over `ramp` seconds.
    Slow {
        ramp: i64,
    },
}

/// Which posts raise the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentKind {
    /// Additional posts, all negative; the usual posts continue.
    Added,
    /// The same number of posts, more of them negative. Harder to detect, because only the share changes.
    Replaced,
}

impl SimulatedIncident {
    pub fn ends(&self) -> i64 {
        self.begins + self.length
    }

    pub fn contains(&self, time: i64) -> bool {
        (self.begins..self.ends()).contains(&time)
    }

    /// The increase at `time`.
    fn height(&self, time: i64) -> f64 {
        if !self.contains(time) {
            return 0.0;
        }
        match self.shape {
            IncidentShape::Slow { ramp } if time < self.begins + ramp => {
                self.rate_increase * (time - self.begins) as f64 / ramp.max(1) as f64
            }
            IncidentShape::Slow { .. } | IncidentShape::Sudden => self.rate_increase,
        }
    }

    /// Posts by label at `time`, per usual post with these `shares`: more than one in total if posts are added.
    ///
    /// Adding `c` negative posts raises the share `p` to `(p + c) / (1 + c) = p + rate_increase`.
    pub(super) fn apply(&self, shares: [f64; 3], time: i64) -> [f64; 3] {
        let [negative, neutral, positive] = shares;
        let share = (negative + self.height(time)).min(MAX_SHARE.max(negative));
        if share <= negative {
            return shares;
        }
        match self.kind {
            IncidentKind::Added => [negative + (share - negative) / (1.0 - share), neutral, positive],
            IncidentKind::Replaced => {
                let rest = (1.0 - share) / (1.0 - negative);
                [share, neutral * rest, positive * rest]
            }
        }
    }
}
