//! A value of any type, in a place of its own.

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    any::TypeId,
    ptr::{self, NonNull},
};

/// What `Box<dyn Any>` is, but made and taken apart by functions that are not generic, so that they are not
/// compiled into each cell.
#[derive(Debug)]
pub(super) struct Value {
    /// Valid for reads and writes as `layout` says, and not shared. In it is a value of the type with this
    /// number.
    place: NonNull<u8>,
    layout: Layout,
    type_id: TypeId,
    drop: unsafe fn(*mut u8),
}

impl Value {
    /// Moves a value of a type here.
    ///
    /// # Safety
    ///
    /// At `value` is a `T` that nobody uses or drops any more; the rest must be about `T`, which must
    /// be `'static`.
    #[inline(never)]
    pub(super) unsafe fn moved_from(
        value: *const u8,
        layout: Layout,
        type_id: TypeId,
        drop: unsafe fn(*mut u8),
    ) -> Self {
        let place = if layout.size() == 0 {
            layout.dangling_ptr()
        } else {
            // SAFETY: the size is not zero.
            let place = unsafe { alloc(layout) };
            NonNull::new(place).unwrap_or_else(|| handle_alloc_error(layout))
        };
        // SAFETY: both are valid for so many bytes, and new memory overlaps with nothing.
        unsafe { ptr::copy_nonoverlapping(value, place.as_ptr(), layout.size()) };
        Self {
            place,
            layout,
            type_id,
            drop,
        }
    }

    pub(super) fn is(&self, type_id: TypeId) -> bool {
        self.type_id == type_id
    }

    /// Moves the value away.
    ///
    /// # Safety
    ///
    /// `place` must be valid for writes of a value of this type.
    pub(super) unsafe fn move_to(self, place: *mut u8) {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: the caller vouches for the target, which overlaps with nothing of ours. The value
        // is not dropped here any more.
        unsafe {
            ptr::copy_nonoverlapping(this.place.as_ptr(), place, this.layout.size());
            this.free();
        }
    }

    /// # Safety
    ///
    /// To be called once; there is no value any more.
    unsafe fn free(&self) {
        if self.layout.size() != 0 {
            // SAFETY: it was allocated with this layout.
            unsafe { dealloc(self.place.as_ptr(), self.layout) };
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        /// Frees the place also if the destructor panics.
        struct Free<'a>(&'a Value);

        impl Drop for Free<'_> {
            fn drop(&mut self) {
                // SAFETY: the value is dropped, or has panicked while it was.
                unsafe { self.0.free() };
            }
        }

        let free = Free(self);
        // SAFETY: a value of this type is there, for the last time.
        unsafe { (free.0.drop)(free.0.place.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use std::{panic::AssertUnwindSafe, rc::Rc};

    use super::*;

    fn value<T: 'static>(value: T) -> Value {
        let value = std::mem::ManuallyDrop::new(value);
        // SAFETY: the value is not used any more, and all else is about its type. A pointer to a `T` and
        // one to a byte are passed alike.
        unsafe {
            Value::moved_from(
                (&raw const value).cast(),
                Layout::new::<T>(),
                TypeId::of::<T>(),
                std::mem::transmute::<unsafe fn(*mut T), unsafe fn(*mut u8)>(ptr::drop_in_place),
            )
        }
    }

    #[test]
    fn a_value_is_dropped_once_here_or_by_who_has_taken_it() {
        let counted = Rc::new(());
        drop(value(Rc::clone(&counted)));
        assert_eq!(Rc::strong_count(&counted), 1);

        let kept = value((Rc::clone(&counted), 7_u64));
        assert!(kept.is(TypeId::of::<(Rc<()>, u64)>()));
        let mut taken = std::mem::MaybeUninit::<(Rc<()>, u64)>::uninit();
        // SAFETY: there is room for the type that the value has.
        let taken = unsafe {
            kept.move_to(taken.as_mut_ptr().cast());
            taken.assume_init()
        };
        assert_eq!((Rc::strong_count(&counted), taken.1), (2, 7));
    }

    #[test]
    fn a_value_without_size_and_one_that_needs_space_are_kept() {
        #[repr(align(64))]
        struct Aligned([u8; 64]);
        drop(value(()));
        let aligned = value(Aligned([3; 64]));
        assert_eq!(aligned.place.as_ptr().addr() % 64, 0);
        // SAFETY: the value is there.
        let there = unsafe { &*aligned.place.as_ptr().cast::<Aligned>() };
        assert_eq!(there.0, [3; 64]);
    }

    #[test]
    fn a_destructor_may_panic() {
        struct Loud;
        impl Drop for Loud {
            fn drop(&mut self) {
                panic!("no drop");
            }
        }
        let loud = value((Loud, vec![1]));
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| drop(loud))).is_err());
    }
}
