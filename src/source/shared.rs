//! [`SharedResources`]: what several sources use together, such as the account on X, so that [`Context`](super::Context)
//! knows no particular source.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// At most one value of each type; clones share the values.
#[derive(Clone, Default)]
pub struct SharedResources(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl SharedResources {
    /// Adds `value` and replaces an earlier one of its type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
        self
    }

    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_type() {
        let shared = SharedResources::default().with(7_u32).with("seven");
        assert_eq!((shared.get::<u32>(), shared.get::<&str>()), (Some(&7), Some(&"seven")));
        assert_eq!(shared.get::<u64>(), None);
        assert_eq!(shared.with(8_u32).get::<u32>(), Some(&8));
    }
}
