//! Keeps the variables of one cell for the next.
//!
//! evcxr compiles a module like this into every cell; the names and the rules are its own
//! (`evcxr_internal_runtime.rs` of evcxr 0.22).

use std::{
    alloc::Layout,
    any::TypeId,
    collections::HashMap,
    marker::PhantomData,
    mem::{ManuallyDrop, MaybeUninit, transmute},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use value::Value;

use crate::host::{self, Owner};

mod value;

/// evcxr 0.22: a type was defined anew, so a variable of the old one is lost.
const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";

/// The variables that no cell holds at the moment.
#[derive(Debug, Default)]
pub struct VariableStore {
    variables: HashMap<String, Value>,
    /// What the types of variables were made of, as numbers; see `is_defined_as`.
    definitions: HashMap<String, u64>,
    /// Names of those that the cell which runs has taken and not yet put back.
    taken: Vec<String>,
    taken_by: Owner,
}

/// A variable was kept. By this the compiler learns its type.
#[derive(Debug)]
pub struct Kept<T>(PhantomData<T>);

/// What is generic is compiled into each cell that uses it, with all that it calls that is generic in
/// turn. So it is short, and calls as little as can be: a `Box<dyn Any>` would be a dozen functions for
/// each type. See below for the rest.
impl VariableStore {
    /// Keeps a variable.
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) -> Kept<T> {
        let value = ManuallyDrop::new(value);
        // SAFETY: the value is not used here any more, and all else is about its type. A pointer to
        // a `T` and one to a byte are passed alike.
        let value = unsafe {
            Value::moved_from(
                &raw const value as *const u8,
                const { Layout::new::<T>() },
                const { TypeId::of::<T>() },
                transmute::<unsafe fn(*mut T), unsafe fn(*mut u8)>(ptr::drop_in_place::<T>),
            )
        };
        self.put(name, value);
        Kept(PhantomData)
    }

    /// Whether the variable is there, and still has the type that the cell expects. If not, evcxr
    /// forgets it and compiles the cell once more.
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, const { TypeId::of::<T>() })
    }

    /// Notes what the types of variables are made of.
    pub fn define(&mut self, definitions: &[(&str, u64)]) {
        let definitions = definitions.iter();
        self.definitions
            .extend(definitions.map(|(name, code)| ((*name).to_owned(), *code)));
    }

    /// Whether the type of the variable is made of the same as when the variable was made. To rustc
    /// a struct stays the same type when the type of a field changes.
    pub fn is_defined_as(&mut self, name: &str, code: u64) -> bool {
        let is_other = |known: &u64| *known != code;
        let lost =
            self.variables.contains_key(name) && self.definitions.get(name).is_some_and(is_other);
        if lost {
            eprintln!("The type of `{name}` was defined anew, so the variable is lost.");
            host::control(&format!("{VARIABLE_CHANGED_TYPE}{name}"));
        }
        !lost
    }

    /// Gives a variable to the cell.
    ///
    /// # Panics
    ///
    /// When it is not there, or `check_variable` was not asked.
    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: there is room for a `T`, and a `T` is there when this returns.
        unsafe {
            self.take(name, const { TypeId::of::<T>() }, &raw mut value as *mut u8);
            value.assume_init()
        }
    }
}

// These are not generic, so their code is in the prelude: a cell is never left behind within a change
// of the store, since that happens only to code in the cell's own shared object.
impl VariableStore {
    #[inline(never)]
    fn put(&mut self, name: &str, value: Value) {
        self.taken.retain(|taken| taken != name);
        let old = self.variables.insert(name.to_owned(), value);
        // evcxr calls this outside of its `catch_unwind`.
        if catch_unwind(AssertUnwindSafe(|| drop(old))).is_err() {
            super::cell_panicked();
        }
    }

    #[inline(never)]
    fn check(&mut self, name: &str, expected: TypeId) -> bool {
        match self.variables.get(name) {
            Some(variable) if variable.is(expected) => return true,
            Some(_) => eprintln!("The type of `{name}` was defined anew, so the variable is lost."),
            // A cell that was left behind has it. The student was told then.
            None => {}
        }
        host::control(&format!("{VARIABLE_CHANGED_TYPE}{name}"));
        false
    }

    /// # Safety
    ///
    /// `place` must be valid for writes of a value of the type that is expected.
    #[inline(never)]
    unsafe fn take(&mut self, name: &str, expected: TypeId, place: *mut u8) {
        let cell = Owner::current();
        if self.taken_by != cell {
            self.taken_by = cell;
            self.taken.clear();
        }
        let Some(variable) = self.variables.remove(name) else {
            panic!("the variable `{name}` is missing");
        };
        assert!(
            variable.is(expected),
            "the variable `{name}` has another type"
        );
        self.taken.push(name.to_owned());
        // SAFETY: the caller vouches for the place, and the type is the expected one.
        unsafe { variable.move_to(place) };
    }

    /// The names of the variables that the cell has and will not bring back.
    pub(super) fn give_up(&mut self) -> Vec<String> {
        let mut names = std::mem::take(&mut self.taken);
        names.sort();
        names
    }
}

/// An empty store, which the host keeps from cell to cell and never frees.
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::default())
}
