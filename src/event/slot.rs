//! A place in an event for data of the client that is not part of its content, like the extensions of `http`.
//!
//! Invariant: a clone starts with an empty slot. An empty slot takes no memory of its own.

use std::any::Any;

/// Holds one value of any type.
#[derive(Default)]
pub(crate) struct Slot(Option<Box<dyn Any + Send + Sync>>);

impl Slot {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns whether it holds a value of this type.
    pub(crate) fn holds<T: Any>(&self) -> bool {
        self.0.as_ref().is_some_and(|value| value.is::<T>())
    }

    /// Puts a value in. Returns what was there.
    pub(crate) fn put<T: Any + Send + Sync>(&mut self, value: Box<T>) -> Slot {
        Slot(self.0.replace(value))
    }

    /// Takes the value out, if it is of this type.
    pub(crate) fn take<T: Any>(&mut self) -> Option<Box<T>> {
        if !self.holds::<T>() {
            return None;
        }
        self.0.take()?.downcast().ok()
    }
}

impl Clone for Slot {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_type_only_and_a_clone_has_none() {
        let mut slot = Slot::default();
        assert!(slot.put(Box::new(7_u32)).is_empty());
        assert!(slot.clone().is_empty());
        assert_eq!(slot.take::<u64>(), None);
        assert_eq!(slot.take::<u32>().as_deref(), Some(&7));
        assert!(slot.is_empty());
    }
}
