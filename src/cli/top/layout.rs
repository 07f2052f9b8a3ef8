//! Distributes the rows of the terminal among the sections of the view.

/// The rows that a section can use, and the minimum at which it is useful.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowRequest {
    pub(super) least: u16,
    pub(super) all: u16,
}

/// Rows for each section, together at most `rows`. In order, each section gets its minimum, then up to all of its rows.
pub(super) fn share<const N: usize>(rows: u16, requests: [RowRequest; N]) -> [u16; N] {
    let mut left = rows;
    let mut take = |most: u16| {
        let taken = most.min(left);
        left -= taken;
        taken
    };
    let given = requests.map(|requests| take(requests.least.min(requests.all)));
    let mut more = requests.iter();
    given.map(|given| given + more.next().map_or(0, |requests| take(requests.all.saturating_sub(given))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimums_come_first_and_rows_are_never_exceeded() {
        let requests = [(2, 2), (2, 9), (3, 30), (2, 4)].map(|(least, all)| RowRequest { least, all });
        assert_eq!(share(100, requests), [2, 9, 30, 4]);
        assert_eq!(share(20, requests), [2, 9, 7, 2]);
        assert_eq!(share(8, requests), [2, 2, 3, 1]);
        assert_eq!(share(0, requests), [0; 4]);
    }
}
