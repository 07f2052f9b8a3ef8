//! Shares the rows of a terminal among the sections of the view.

/// How many rows a section wants, and how many it needs to say anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) least: u16,
    pub(super) all: u16,
}

/// Rows for each section, together at most `rows`. First each gets its least, then as much as it wants, both in order.
pub(super) fn share<const N: usize>(rows: u16, wanted: [Wanted; N]) -> [u16; N] {
    let mut left = rows;
    let mut take = |most: u16| {
        let taken = most.min(left);
        left -= taken;
        taken
    };
    let given = wanted.map(|wanted| take(wanted.least.min(wanted.all)));
    let mut more = wanted.iter();
    given.map(|given| given + more.next().map_or(0, |wanted| take(wanted.all.saturating_sub(given))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_come_first_and_nobody_gets_more_than_there_is() {
        let wanted = [(2, 2), (2, 9), (3, 30), (2, 4)].map(|(least, all)| Wanted { least, all });
        assert_eq!(share(100, wanted), [2, 9, 30, 4]);
        assert_eq!(share(20, wanted), [2, 9, 7, 2]);
        assert_eq!(share(8, wanted), [2, 2, 3, 1]);
        assert_eq!(share(0, wanted), [0; 4]);
    }
}
