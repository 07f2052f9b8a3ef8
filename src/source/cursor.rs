//! [`Cursor`]: the checkpoint of a source.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How far a source has read, as that source's own JSON. It is committed in the same batch as the effects of the posts
/// before it, so it never runs ahead of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(String);

impl Cursor {
    /// # Errors
    /// When `state` has no JSON form, such as a map whose keys are not strings.
    pub fn new<T: Serialize>(state: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(state).map(Self)
    }

    /// # Errors
    /// When a source of another kind wrote the cursor.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_by_its_own_kind_only() {
        let cursor = Cursor::new(&vec![1, 2]).unwrap();
        assert_eq!(cursor.read::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(cursor.read::<String>().is_err());
    }
}
