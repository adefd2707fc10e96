//! Keeps the variables of one cell for the next.
//!
//! evcxr compiles a module like this into every cell; the names and the rules are its own
//! (`evcxr_internal_runtime.rs` of evcxr 0.22).

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::host::{self, Owner};

/// evcxr 0.22: a type was defined anew, so a variable of the old one is lost.
const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";

/// The variables that no cell holds at the moment.
#[derive(Debug, Default)]
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
    /// What the types of variables were made of, as numbers; see `is_defined_as`.
    definitions: HashMap<String, u64>,
    /// Names of those that the cell which runs has taken and not yet put back.
    taken: Vec<String>,
    taken_by: Owner,
}

/// What is generic is compiled into each cell that uses it, so it is short; see below for the rest.
impl VariableStore {
    /// Keeps a variable.
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    /// Whether the variable is there, and still has the type that the cell expects. If not, evcxr
    /// forgets it and compiles the cell once more.
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, TypeId::of::<T>())
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
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(_) => has_another_type(name),
        }
    }

    /// A value that is made when it is first asked for.
    ///
    /// # Panics
    ///
    /// When another type was asked for under this name before.
    pub fn lazy_arc<T: 'static>(&mut self, name: &str, create: impl FnOnce() -> T) -> Arc<T> {
        if !self.contains(name) {
            self.put(name, Box::new(Arc::new(create())));
        }
        match self
            .get(name)
            .and_then(|value| value.downcast_ref::<Arc<T>>())
        {
            Some(value) => Arc::clone(value),
            None => has_another_type(name),
        }
    }
}

// These are not generic, so their code is in the prelude: a cell is never left behind within a change
// of the store, since that happens only to code in the cell's own shared object.
impl VariableStore {
    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.taken.retain(|taken| taken != name);
        let old = self.variables.insert(name.to_owned(), value);
        // evcxr calls this outside of its `catch_unwind`.
        if catch_unwind(AssertUnwindSafe(|| drop(old))).is_err() {
            super::cell_panicked();
        }
    }

    #[inline(never)]
    fn check(&mut self, name: &str, expected: TypeId) -> bool {
        match self.get(name) {
            Some(variable) if variable.type_id() == expected => return true,
            Some(_) => eprintln!("The type of `{name}` was defined anew, so the variable is lost."),
            // A cell that was left behind has it. The student was told then.
            None => {}
        }
        host::control(&format!("{VARIABLE_CHANGED_TYPE}{name}"));
        false
    }

    #[inline(never)]
    fn take(&mut self, name: &str) -> Box<dyn Any> {
        let cell = Owner::current();
        if self.taken_by != cell {
            self.taken_by = cell;
            self.taken.clear();
        }
        let Some(variable) = self.variables.remove(name) else {
            panic!("the variable `{name}` is missing");
        };
        self.taken.push(name.to_owned());
        variable
    }

    /// The names of the variables that the cell has and will not bring back.
    pub(super) fn give_up(&mut self) -> Vec<String> {
        let mut names = std::mem::take(&mut self.taken);
        names.sort();
        names
    }

    #[inline(never)]
    fn get(&self, name: &str) -> Option<&dyn Any> {
        self.variables.get(name).map(AsRef::as_ref)
    }

    #[inline(never)]
    fn contains(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }
}

#[cold]
fn has_another_type(name: &str) -> ! {
    panic!("the variable `{name}` has another type")
}

/// An empty store, which the host keeps from cell to cell and never frees.
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::default())
}
