//! Short ids that can be dictated on the phone, derived from their content: the same in every replay.

/// Crockford's base 32: no two digits look alike.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS: u32 = 5;

/// `prefix`, then the first digits of a hash of `of`: four, or more where `is_taken` says that they are in use.
pub(super) fn short(prefix: &str, of: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let hash = twox_hash::XxHash64::oneshot(0, of.as_bytes());
    let digit = |place: u32| char::from(*DIGITS.get((hash >> (place * BITS)) as usize % 32).unwrap_or(&b'0'));
    let name = |digits: u32| format!("{prefix}-{}", (0..digits).map(digit).collect::<String>());
    (4..12).map(name).find(|name| !is_taken(name)).unwrap_or_else(|| format!("{prefix}-{hash:016X}"))
}

/// The first four letters of a group's name: `AIRP` for `Air Paradis`.
pub(super) fn prefix(text: Option<&str>) -> String {
    let letters = text.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(4);
    let letters: String = letters.map(|c| c.to_ascii_uppercase()).collect();
    if letters.is_empty() { "VIGI".into() } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_the_same_again_and_nobody_elses() {
        assert_eq!(prefix(Some("Air Paradis")), "AIRP");
        assert_eq!(prefix(Some("été")), "T");
        assert_eq!(prefix(Some("漢字")), "VIGI");
        let name = short("AIRP", "a", |_| false);
        assert_eq!((name.len(), short("AIRP", "a", |_| false)), (9, name.clone()));
        let longer = short("AIRP", "a", |taken| taken == name);
        assert!(longer.starts_with(&name) && longer.len() == 10, "{longer}");
    }
}
