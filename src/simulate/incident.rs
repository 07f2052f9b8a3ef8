//! [`Incident`]: how many points the share of negative posts stands above the usual, and by what posts.

/// Higher no share is lifted, by any crowd: some always write of something else.
pub(super) const MOST: f64 = 0.98;

/// An incident put into a stream. Times are Unix seconds, lengths seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Incident {
    pub begins: i64,
    pub length: i64,
    /// Of the share of negative posts at full height, in (0, 1).
    pub lift: f64,
    pub shape: Shape,
    pub crowd: Crowd,
}

/// How an incident begins; all end at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Sudden,
    /// Grows evenly to its height for `ramp` seconds.
    Slow {
        ramp: i64,
    },
}

/// Whose posts lift the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowd {
    /// More people write, all of them negative: the usual posts go on.
    Added,
    /// As many write as ever, and more of them are negative. Only the share tells, which makes it the harder.
    Replaced,
}

impl Incident {
    pub fn ends(&self) -> i64 {
        self.begins + self.length
    }

    pub fn holds(&self, time: i64) -> bool {
        (self.begins..self.ends()).contains(&time)
    }

    /// The lift at `time`.
    fn height(&self, time: i64) -> f64 {
        if !self.holds(time) {
            return 0.0;
        }
        match self.shape {
            Shape::Slow { ramp } if time < self.begins + ramp => {
                self.lift * (time - self.begins) as f64 / ramp.max(1) as f64
            }
            Shape::Slow { .. } | Shape::Sudden => self.lift,
        }
    }

    /// What is written at `time` where usually `shares` of one post are: posts by label, more than one in all where a crowd
    /// is added.
    ///
    /// A crowd `c` of negative posts lifts the share `p` to `(p + c) / (1 + c) = p + lift`.
    pub(super) fn lifted(&self, shares: [f64; 3], time: i64) -> [f64; 3] {
        let [negative, neutral, positive] = shares;
        let share = (negative + self.height(time)).min(MOST.max(negative));
        if share <= negative {
            return shares;
        }
        match self.crowd {
            Crowd::Added => [negative + (share - negative) / (1.0 - share), neutral, positive],
            Crowd::Replaced => {
                let rest = (1.0 - share) / (1.0 - negative);
                [share, neutral * rest, positive * rest]
            }
        }
    }
}
